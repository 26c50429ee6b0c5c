/* Rows as the table holds them, read back through the engine by file and row number. Files of
 * different ages are read as one: columns that a file lacks are null, narrower ones are widened;
 * partition columns are constants of their files and not in them. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lake/scan.h"
#include "table/state.h"

enum { FILES_PER_QUERY_MAX = 256, ENGINE_SLOT = 0 };

/* Live files that one query reads: all have the same partition values. */
struct file_group {
    const struct lake_file *const *files;
    uint32_t count;
};

/* ---- SQL ---- */

void stored_append_file(const char *path, struct buf *sql)
{
    buf_append_text(sql, "read_parquet(");
    engine_append_path(path, sql);
    buf_append_text(sql, ", hive_partitioning = false)");
}

/* How the group's files show the columns of t->schema. */
static bool file_columns(const struct table *t, const struct file_group *g, struct arena *a,
                         const struct lake_file_column **out, struct error *err)
{
    uint32_t count = t->schema->column_count;
    struct lake_file_column *columns = arena_zalloc(a, count * sizeof(*columns));
    int32_t *ids = arena_zalloc(a, count * sizeof(*ids));
    bool by_id = t->lake->type->column_ids != NULL;
    if (by_id && !t->lake->type->column_ids(t->lake, t->schema, ids, err)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        columns[i] = (struct lake_file_column){.from = by_id ? LAKE_BY_ID : LAKE_BY_NAME,
                                               .name = t->schema->columns[i].name,
                                               .id = ids[i]};
    }
    for (uint32_t i = 0; !t->lake->type->files_hold_partition && i < t->partition_count; i++) {
        columns[t->partition[i].column] =
            (struct lake_file_column){.from = LAKE_CONSTANT, .text = g->files[0]->partition[i]};
    }
    *out = columns;
    return true;
}

/* SELECT <first>, columns FROM files <rest>. */
static bool make_query(struct table *t, const struct file_group *g, const uint32_t *columns,
                       uint32_t column_count, const char *first, struct buf *sql, struct error *err)
{
    owned(arena_release) struct arena a = {0};
    const struct lake_file_column *from = NULL;
    const char **paths = arena_array(&a, g->count, sizeof(*paths));
    uint64_t rows = 0;
    for (uint32_t i = 0; i < g->count; i++) {
        paths[i] = g->files[i]->path;
        rows += g->files[i]->row_count;
    }
    return file_columns(t, g, &a, &from, err) &&
           lake_scan_append(&(struct lake_scan){.store = t->lake->store,
                                                .engine = t->engine,
                                                .schema = t->schema,
                                                .file_columns = from,
                                                .columns = columns,
                                                .column_count = column_count,
                                                .paths = paths,
                                                .path_count = g->count,
                                                .row_count = rows,
                                                .first = first,
                                                .trusted = true},
                            sql, err);
}

static bool check_types(const struct table *t, const struct engine_rows *rows, uint32_t first,
                        const uint32_t *columns, uint32_t column_count, struct error *err)
{
    for (uint32_t i = 0; i < column_count; i++) {
        const struct schema_column *c = &t->schema->columns[columns[i]];
        struct type type = engine_rows_type(rows, first + i);
        if (type_width(type) != type_width(c->type) ||
            (!type_equal(type, c->type) &&
             type_is_text_or_binary(type) != type_is_text_or_binary(c->type))) {
            return error_set(err, ERROR_FATAL, "column \"%s\" was read as another type", c->name);
        }
    }
    return true;
}

/* ---- groups of files ---- */

/* Where files hold the partition columns themselves, all can be read together. */
static uint32_t grouping_fields(const struct table *t)
{
    return t->lake->type->files_hold_partition ? 0 : t->partition_count;
}

static bool is_same_partition(const struct table *t, const struct lake_file *a,
                              const struct lake_file *b)
{
    for (uint32_t i = 0; i < grouping_fields(t); i++) {
        const char *x = a->partition[i];
        const char *y = b->partition[i];
        if ((!x || !y) ? x != y : strcmp(x, y) != 0) {
            return false;
        }
    }
    return true;
}

static int compare_partitions(const void *a, const void *b, void *arg)
{
    const struct table *t = arg;
    const struct lake_file *x = *(const struct lake_file *const *)a;
    const struct lake_file *y = *(const struct lake_file *const *)b;
    for (uint32_t i = 0; i < grouping_fields(t); i++) {
        const char *p = x->partition[i];
        const char *q = y->partition[i];
        int order = !p || !q ? (p != NULL) - (q != NULL) : strcmp(p, q);
        if (order != 0) {
            return order;
        }
    }
    return (x->slot > y->slot) - (x->slot < y->slot);
}

/* Cuts the next group off sorted files. */
static struct file_group next_group(const struct table *t, const struct lake_file *const *files,
                                    uint32_t count)
{
    struct file_group g = {.files = files, .count = 1};
    while (g.count < count && g.count < FILES_PER_QUERY_MAX &&
           is_same_partition(t, files[0], files[g.count])) {
        g.count++;
    }
    return g;
}

/* ---- whole rows ---- */

struct wanted {
    uint64_t place;
    uint32_t number; /* in the caller's order */
};

static int compare_wanted(const void *a, const void *b)
{
    const struct wanted *x = a;
    const struct wanted *y = b;
    return (x->place > y->place) - (x->place < y->place);
}

/* Copies all rows of a query (number, columns...) to their places in the batch. */
static bool collect(struct engine_rows *rows, struct batch *b, uint32_t *found, struct error *err)
{
    const struct column *columns = NULL;
    uint32_t row_count = 0;
    for (;;) {
        if (!engine_rows_next(rows, &columns, &row_count, err)) {
            return false;
        }
        if (row_count == 0) {
            return true;
        }
        for (uint32_t c = 0; c < b->schema->column_count; c++) {
            for (uint32_t i = 0; i < row_count; i++) {
                uint32_t number = (uint32_t)((const int64_t *)columns[0].values)[i];
                batch_copy_value(b, c, number, &columns[c + 1], i);
            }
        }
        *found += row_count;
    }
}

/* Reads the wanted rows (sorted by place) that lie in the group's files. */
static bool read_group(struct table *t, const struct file_group *g, const struct wanted *wanted,
                       uint32_t count, const uint32_t *all_columns, struct batch *b,
                       struct error *err)
{
    owned(arena_release) struct arena a = {0};
    int64_t *file = arena_array(&a, count, sizeof(*file));
    int64_t *row = arena_array(&a, count, sizeof(*row));
    int64_t *number = arena_array(&a, count, sizeof(*number));
    uint32_t used = 0;
    for (uint32_t f = 0; f < g->count; f++) {
        /* The files are in the order of their slots, and so are the places. */
        uint32_t low = 0;
        for (uint32_t high = count; low < high;) {
            uint32_t middle = low + (high - low) / 2;
            if (place_slot(wanted[middle].place) < g->files[f]->slot) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        for (; low < count && place_slot(wanted[low].place) == g->files[f]->slot; low++) {
            file[used] = f;
            row[used] = place_row(wanted[low].place);
            number[used++] = wanted[low].number;
        }
    }
    const struct column columns[] = {{.type = {.kind = TYPE_INT64}, .values = file},
                                     {.type = {.kind = TYPE_INT64}, .values = row},
                                     {.type = {.kind = TYPE_INT64}, .values = number}};
    static const char *const names[] = {"wanted_file", "wanted_row", "wanted_number"};
    engine_bind(t->engine, ENGINE_SLOT, &(struct engine_input){names, columns, 3, used});

    owned(buf_release) struct buf sql = {0};
    if (!make_query(t, g, all_columns, t->schema->column_count, "wanted_number", &sql, err)) {
        return false;
    }
    buf_append_text(&sql, " JOIN ");
    engine_append_slot(t->engine, ENGINE_SLOT, &sql);
    buf_append_text(
        &sql, " ON CAST(file_index AS BIGINT) = wanted_file AND file_row_number = wanted_row");
    owned(engine_rows_free) struct engine_rows *rows = engine_query(t->engine, buf_text(&sql), err);
    uint32_t found = 0;
    if (!rows || !check_types(t, rows, 1, all_columns, t->schema->column_count, err) ||
        !collect(rows, b, &found, err)) {
        return false;
    }
    if (found != used) {
        return error_set(err, ERROR_LOST,
                         "%u of %u rows are not in \"%s\" and the files with it: the files of the "
                         "table were changed: run \"leat reload\" into an empty location",
                         used - found, used, g->files[0]->path);
    }
    return true;
}

struct batch *stored_rows(struct table *t, const uint64_t *places, uint32_t count,
                          struct error *err)
{
    owned(batch_free) struct batch *b = batch_new(t->schema, 0, count);
    owned(arena_release) struct arena a = {0};
    struct wanted *wanted = arena_array(&a, count, sizeof(*wanted));
    for (uint32_t i = 0; i < count; i++) {
        wanted[i] = (struct wanted){.place = places[i], .number = i};
        (void)batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
    }
    qsort(wanted, count, sizeof(*wanted), compare_wanted);
    const struct lake_file **files = arena_array(&a, count, sizeof(*files));
    uint32_t file_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = place_slot(wanted[i].place);
        if (file_count == 0 || files[file_count - 1]->slot != slot) {
            files[file_count] = lake_table_file(t->lake, slot);
            assert(files[file_count]);
            file_count++;
        }
    }
    qsort_r(files, file_count, sizeof(*files), compare_partitions, t);
    uint32_t *columns = arena_array(&a, t->schema->column_count, sizeof(*columns));
    for (uint32_t i = 0; i < t->schema->column_count; i++) {
        columns[i] = i;
    }
    for (uint32_t i = 0; i < file_count;) {
        struct file_group g = next_group(t, files + i, file_count - i);
        if (!read_group(t, &g, wanted, count, columns, b, err)) {
            (void)error_wrap(err, "table %s: reading its rows", t->name);
            return NULL;
        }
        i += g.count;
    }
    return take(b);
}

/* ---- the key index ---- */

static uint64_t live_rows(const struct table *t)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < t->lake->snapshot.slot_count; i++) {
        const struct lake_file *f = lake_table_file(t->lake, i);
        count += f ? f->row_count - f->deleted_count : 0;
    }
    return count;
}

static bool refuse_duplicate(const struct table *t, const struct column *columns, uint32_t row,
                             const char *first, const char *second, struct error *err)
{
    owned(buf_release) struct buf key = {0};
    key_describe(&t->key, columns, row, &key);
    return error_set(err, ERROR_LOST,
                     "table %s: two rows have the key %s, in \"%s\" and in \"%s\": run "
                     "\"leat reload\", which leaves one",
                     t->name, buf_text(&key), first, second);
}

/* Puts the keys of some rows (file, row number, key columns) into the index. */
static bool index_rows(struct table *t, const struct file_group *g, const struct column *result,
                       uint32_t row_count, struct error *err)
{
    owned(arena_release) struct arena a = {0};
    struct column *columns = arena_zalloc(&a, t->schema->column_count * sizeof(*columns));
    for (uint32_t i = 0; i < t->key.column_count; i++) {
        columns[t->key.columns[i]] = result[i + 2];
    }
    const int64_t *file = result[0].values;
    const int64_t *number = result[1].values;
    struct hash128 *hashes = arena_array(&a, row_count, sizeof(*hashes));
    if (!key_hash_rows(&t->key, columns, NULL, row_count, hashes, err)) {
        return false;
    }
    for (uint32_t i = 0; i < row_count; i++) {
        const struct lake_file *f = g->files[file[i]];
        uint32_t row = (uint32_t)number[i];
        if (f->deleted && roaring_bitmap_contains(f->deleted, row)) {
            continue;
        }
        uint64_t other = PLACE_NONE;
        if (!index_put(t->index, hashes[i], place_make(f->slot, row), &other, err)) {
            return false;
        }
        if (other != PLACE_NONE && !t->load.active) {
            return refuse_duplicate(
                t, columns, i, lake_table_file(t->lake, place_slot(other))->path, f->path, err);
        }
    }
    return true;
}

static bool index_group(struct table *t, const struct file_group *g, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    if (!make_query(t, g, t->key.columns, t->key.column_count,
                    "CAST(file_index AS BIGINT), file_row_number", &sql, err)) {
        return false;
    }
    owned(engine_rows_free) struct engine_rows *rows = engine_query(t->engine, buf_text(&sql), err);
    if (!rows || !check_types(t, rows, 2, t->key.columns, t->key.column_count, err)) {
        return false;
    }
    const struct column *columns = NULL;
    uint32_t row_count = 0;
    do {
        if (!engine_rows_next(rows, &columns, &row_count, err) ||
            (row_count > 0 && !index_rows(t, g, columns, row_count, err))) {
            return false;
        }
    } while (row_count > 0);
    return true;
}

bool stored_index(struct table *t, struct error *err)
{
    index_free(&t->index);
    t->index = index_new(live_rows(t));
    owned(arena_release) struct arena a = {0};
    const struct lake_file **files =
        arena_array(&a, t->lake->snapshot.slot_count + 1, sizeof(*files));
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->lake->snapshot.slot_count; i++) {
        const struct lake_file *f = lake_table_file(t->lake, i);
        if (f && f->row_count > f->deleted_count) {
            files[count++] = f;
        }
    }
    qsort_r(files, count, sizeof(*files), compare_partitions, t);
    for (uint32_t i = 0; i < count;) {
        struct file_group g = next_group(t, files + i, count - i);
        if (!index_group(t, &g, err)) {
            index_free(&t->index);
            return error_wrap(err, "table %s: loading its keys", t->name);
        }
        i += g.count;
    }
    return stored_check(t, err);
}

bool stored_check(const struct table *t, struct error *err)
{
    uint64_t rows = live_rows(t);
    if (t->load.active || index_count(t->index) == rows) {
        return true;
    }
    return error_set(err, ERROR_LOST,
                     "table %s: %" PRIu64 " keys are known, but its files hold %" PRIu64
                     " rows (version %" PRId64 "): run \"leat reload\"",
                     t->name, index_count(t->index), rows, t->lake->snapshot.version);
}
