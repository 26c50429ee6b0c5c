/* One file of a version as a query: which of its rows, and what became of them. */
#include <roaring/roaring.h>
#include <stdlib.h>

#include "lake/changes_state.h"
#include "lake/scan.h"

enum { ENGINE_SLOT = ENGINE_SLOTS - 1 };

void changes_append_columns(const uint32_t *columns, uint32_t column_count, const char *prefix,
                            struct buf *sql)
{
    for (uint32_t i = 0; i < column_count; i++) {
        buf_append_format(sql, "%s%sc%u", i > 0 ? ", " : "", prefix, columns[i]);
    }
}

/* Hands row numbers to the engine, which has no unsigned ones in the model. */
static void bind_rows(struct lake_changes *c, const roaring_bitmap_t *rows)
{
    static const char *const name = "wanted";
    uint64_t count = roaring_bitmap_get_cardinality(rows);
    uint32_t *narrow = calloc(count + 1, sizeof(*narrow));
    free(c->row_numbers);
    c->row_numbers = calloc(count + 1, sizeof(*c->row_numbers));
    if (!narrow || !c->row_numbers) {
        abort();
    }
    roaring_bitmap_to_uint32_array(rows, narrow);
    for (uint64_t i = 0; i < count; i++) {
        c->row_numbers[i] = narrow[i];
    }
    free(narrow);
    struct column column = {.type = {.kind = TYPE_INT64}, .values = c->row_numbers};
    engine_bind(
        c->options.engine, ENGINE_SLOT,
        &(struct engine_input){.names = &name,
                               .columns = arena_copy(&c->version_arena, &column, sizeof(column)),
                               .column_count = 1,
                               .row_count = (uint32_t)count});
}

/* Appends the condition that the piece's bitmaps are. */
static void append_rows(struct lake_changes *c, const struct lake_piece *piece, struct buf *sql)
{
    if (!piece->only && !piece->without) {
        return;
    }
    if (piece->only && piece->without) {
        roaring_bitmap_t *rows = roaring_bitmap_andnot(piece->only, piece->without);
        if (!rows) {
            abort();
        }
        bind_rows(c, rows);
        roaring_bitmap_free(rows);
    } else {
        bind_rows(c, piece->only ? piece->only : piece->without);
    }
    buf_append_text(sql, piece->only ? " WHERE place IN (SELECT wanted FROM "
                                     : " WHERE place NOT IN (SELECT wanted FROM ");
    engine_append_slot(c->options.engine, ENGINE_SLOT, sql);
    buf_append_text(sql, ")");
}

static bool append_file(const struct lake_changes *c, const struct lake_piece *piece,
                        const uint32_t *columns, uint32_t column_count, struct buf *sql,
                        struct error *err)
{
    static const char *const words[] = {
        [LAKE_INSERTED] = "'insert'", [LAKE_DELETED] = "'delete'", [LAKE_FEED] = "extra"};
    struct lake_scan scan = {.store = c->options.history->store,
                             .engine = c->options.engine,
                             .schema = c->table,
                             .file_columns = piece->columns,
                             .columns = columns,
                             .column_count = column_count,
                             .paths = &piece->path,
                             .path_count = 1,
                             .row_count = piece->row_count,
                             .first = "file_row_number AS place",
                             .extra = piece->kind == LAKE_FEED ? "_change_type" : NULL};
    buf_append_text(sql, "SELECT ");
    changes_append_columns(columns, column_count, "", sql);
    buf_append_format(sql, "%s%s AS change, place FROM (", column_count > 0 ? ", " : "",
                      words[piece->kind]);
    if (!lake_scan_append(&scan, sql, err)) {
        if (err->kind == ERROR_CONFLICT) {
            (void)error_recast(err, ERROR_LOST);
            return error_wrap(err, "a file of the version was removed (vacuum?)");
        }
        return false;
    }
    buf_append_text(sql, ")");
    return true;
}

bool changes_append_piece(struct lake_changes *c, const struct lake_piece *piece,
                          const uint32_t *columns, uint32_t column_count, struct buf *sql,
                          struct error *err)
{
    if (c->watch) {
        c->watch(c->watch_arg, c->version, piece);
    }
    if (!append_file(c, piece, columns, column_count, sql, err)) {
        return false;
    }
    append_rows(c, piece, sql);
    c->stats.files++;
    c->stats.file_bytes += piece->size;
    return true;
}

bool changes_append_again(const struct lake_changes *c, const struct lake_piece *piece,
                          const char *places, struct buf *sql, struct error *err)
{
    if (!append_file(c, piece, c->needed, c->needed_count, sql, err)) {
        return false;
    }
    buf_append_format(sql, " WHERE place IN (%s)", places);
    return true;
}
