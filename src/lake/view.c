/* Files that show their columns in the same way are read by one scan, and the view is the union of
 * the scans. A scan of one partition has that partition's values as constants: a condition on them
 * that does not hold leaves its files unopened. The engine plans a scan in about half a
 * millisecond, so where there are too many partitions the values come by a join instead. */
#include "lake/view.h"

#include <inttypes.h>
#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "lake/scan.h"

enum {
    PARTITIONS_MAX = 1000, /* read as constants */
    FILES_MAX = 4096,      /* of one scan, and of one piece of the view */
    SCANS_MAX = 200,       /* of one piece: they nest in the engine's parser */
};

/* A live file; its number is its place among all. */
struct member {
    const struct lake_file *file;
    const struct lake_file_column *columns; /* one per column of the schema */
};

struct lake_view {
    const struct lake_table *table;
    const struct schema *columns;
    struct engine_connection *engine;
    struct arena arena;
    const char *schema; /* of the engine */
    const char *name;
    struct member *members; /* those of one scan beside each other */
    uint32_t member_count;
    const char *is_deleted; /* the function; NULL: no row is deleted */
    bool joins;             /* partition values come by a join */
    struct buf piece;       /* SQL of the scans that are not in a view yet */
    uint32_t piece_scans;
    uint32_t piece_files;
    uint32_t piece_count; /* views made of such pieces */
};

static void lake_view_release(struct lake_view *v)
{
    buf_release(&v->piece);
    arena_release(&v->arena);
}

/* Appends schema."name<suffix>". */
static void append_name(const struct lake_view *v, const char *suffix, struct buf *sql)
{
    owned(buf_release) struct buf name = {0};
    buf_append_text(&name, v->name);
    buf_append_text(&name, suffix);
    buf_append_identifier(sql, v->schema);
    buf_append_char(sql, '.');
    buf_append_identifier(sql, buf_text(&name));
}

/* --- which files are read alike --- */

static int compare_texts(const char *a, const char *b)
{
    if (!a || !b) {
        return (a != NULL) - (b != NULL);
    }
    return strcmp(a, b);
}

/* Leaves out the values of constants. */
static int compare_shapes(const struct lake_file_column *a, const struct lake_file_column *b,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int order = (int)a[i].from - (int)b[i].from;
        if (order == 0 && a[i].from == LAKE_BY_ID) {
            order = (a[i].id > b[i].id) - (a[i].id < b[i].id);
        } else if (order == 0 && a[i].from == LAKE_BY_NAME) {
            order = compare_texts(a[i].name, b[i].name);
        }
        if (order == 0 && a[i].from != LAKE_CONSTANT) {
            order = compare_texts(a[i].text, b[i].text);
        }
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

static int compare_constants(const struct lake_file_column *a, const struct lake_file_column *b,
                             uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int order = a[i].from == LAKE_CONSTANT ? compare_texts(a[i].text, b[i].text) : 0;
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

static bool has_deleted(const struct member *m)
{
    return m->file->deleted != NULL && m->file->deleted_count > 0;
}

static int compare_members(const void *a, const void *b, void *arg)
{
    const struct member *left = a;
    const struct member *right = b;
    uint32_t count = *(const uint32_t *)arg;
    int order = compare_shapes(left->columns, right->columns, count);
    if (order == 0) {
        order = has_deleted(left) - has_deleted(right);
    }
    if (order == 0) {
        order = compare_constants(left->columns, right->columns, count);
    }
    return order != 0
               ? order
               : (left->file->slot > right->file->slot) - (left->file->slot < right->file->slot);
}

static void collect_members(struct lake_view *v)
{
    const struct lake_table *t = v->table;
    v->members = arena_array(&v->arena, (size_t)t->snapshot.slot_count + 1, sizeof(*v->members));
    for (uint32_t slot = 0; slot < t->snapshot.slot_count; slot++) {
        const struct lake_file *file = lake_table_file(t, slot);
        if (file) {
            v->members[v->member_count++] =
                (struct member){.file = file, .columns = lake_scan_columns(t, file, &v->arena)};
        }
    }
    uint32_t column_count = v->columns->column_count;
    qsort_r(v->members, v->member_count, sizeof(*v->members), compare_members, &column_count);
    uint32_t partitions = v->member_count > 0;
    for (uint32_t i = 1; i < v->member_count; i++) {
        partitions +=
            compare_constants(v->members[i - 1].columns, v->members[i].columns, column_count) != 0;
    }
    v->joins = partitions > PARTITIONS_MAX;
}

/* How many files from `first` on one scan can read. */
static uint32_t scan_size(const struct lake_view *v, uint32_t first)
{
    const struct member *m = &v->members[first];
    uint32_t columns = v->columns->column_count;
    uint32_t count = 1;
    while (first + count < v->member_count && count < FILES_MAX &&
           has_deleted(&m[count]) == has_deleted(m) &&
           compare_shapes(m[count].columns, m->columns, columns) == 0 &&
           (v->joins || compare_constants(m[count].columns, m->columns, columns) == 0)) {
        count++;
    }
    return count;
}

/* --- what stands beside the view --- */

/* The deleted rows of files by number. The bitmaps are the table's. */
struct deleted_rows {
    uint32_t count;
    const struct roaring_bitmap_s *files[]; /* NULL: none */
};

static void is_deleted(const void *arg, const int64_t *files, const int64_t *rows, size_t count,
                       bool *out)
{
    const struct deleted_rows *deleted = arg;
    for (size_t i = 0; i < count; i++) {
        bool known = files[i] >= 0 && files[i] < deleted->count && rows[i] >= 0 &&
                     rows[i] <= UINT32_MAX && deleted->files[files[i]];
        out[i] = known && roaring_bitmap_contains(deleted->files[files[i]], (uint32_t)rows[i]);
    }
}

/* Makes the function by which the view leaves deleted rows out: a join with them would hold them
 * all in the engine's memory, once for each scan. */
static bool make_deleted(struct lake_view *v, struct error *err)
{
    struct deleted_rows *deleted =
        malloc(sizeof(*deleted) + v->member_count * sizeof(deleted->files[0]));
    if (!deleted) {
        abort();
    }
    deleted->count = v->member_count;
    for (uint32_t i = 0; i < v->member_count; i++) {
        deleted->files[i] = has_deleted(&v->members[i]) ? v->members[i].file->deleted : NULL;
    }
    v->is_deleted = arena_format(&v->arena, "%s_is_deleted", v->schema);
    return engine_add_condition(v->engine, v->is_deleted, is_deleted, deleted, free, err);
}

static bool is_constant(const struct member *m, uint32_t column)
{
    return m->columns[column].from == LAKE_CONSTANT;
}

/* Appends "file BIGINT, c0 DATE, ...": a column for each of the table's. */
static void append_partition_columns(const struct lake_view *v, struct buf *sql)
{
    buf_append_text(sql, "file BIGINT");
    for (uint32_t i = 0; i < v->columns->column_count; i++) {
        buf_append_format(sql, ", c%u ", i);
        engine_append_type(v->columns->columns[i].type, sql);
    }
}

static void append_partition_row(const struct lake_view *v, uint32_t number, struct buf *sql)
{
    buf_append_format(sql, "(%u", number);
    for (uint32_t i = 0; i < v->columns->column_count; i++) {
        const struct lake_file_column *c = &v->members[number].columns[i];
        buf_append_text(sql, ", ");
        if (c->from == LAKE_CONSTANT && c->text) {
            buf_append_literal(sql, c->text);
        } else {
            buf_append_text(sql, "NULL");
        }
    }
    buf_append_char(sql, ')');
}

static bool make_partitions(struct lake_view *v, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "CREATE TABLE ");
    append_name(v, "_partitions", &sql);
    buf_append_text(&sql, "(");
    append_partition_columns(v, &sql);
    buf_append_text(&sql, ")");
    bool done = engine_execute(v->engine, buf_text(&sql), err);
    for (uint32_t i = 0; done && i < v->member_count;) {
        buf_clear(&sql);
        buf_append_text(&sql, "INSERT INTO ");
        append_name(v, "_partitions", &sql);
        buf_append_text(&sql, " VALUES ");
        for (uint32_t rows = 0; rows < SCANS_MAX && i < v->member_count; rows++, i++) {
            buf_append_text(&sql, rows > 0 ? ", " : "");
            append_partition_row(v, i, &sql);
        }
        done = engine_execute(v->engine, buf_text(&sql), err);
    }
    return done;
}

/* --- the view --- */

/* Appends the scan of files `first` on, with their numbers as `file` and those of their rows as
 * `row` where they are needed. */
static bool append_scan(struct lake_view *v, uint32_t first, uint32_t count, bool numbers,
                        struct error *err)
{
    uint32_t all = v->columns->column_count;
    const char **paths = arena_array(&v->arena, count, sizeof(*paths));
    uint32_t *wanted = arena_array(&v->arena, (size_t)all + 1, sizeof(*wanted));
    const char *first_columns = arena_format(
        &v->arena, "CAST(file_index AS BIGINT) + %u AS file, file_row_number AS row", first);
    struct lake_scan scan = {
        .store = v->table->store,
        .engine = v->engine,
        .schema = v->columns,
        .file_columns = v->members[first].columns,
        .columns = wanted,
        .paths = paths,
        .path_count = count,
        .first = numbers ? first_columns : NULL,
    };
    for (uint32_t i = 0; i < count; i++) {
        paths[i] = v->members[first + i].file->path;
        scan.row_count += v->members[first + i].file->row_count;
    }
    for (uint32_t i = 0; i < all; i++) {
        if (!v->joins || !is_constant(&v->members[first], i)) {
            wanted[scan.column_count++] = i;
        }
    }
    return lake_scan_append(&scan, &v->piece, err);
}

static void append_columns(struct lake_view *v, uint32_t first)
{
    for (uint32_t i = 0; i < v->columns->column_count; i++) {
        bool joined = v->joins && is_constant(&v->members[first], i);
        buf_append_format(&v->piece, "%s%s.c%u AS ", i > 0 ? ", " : "", joined ? "p" : "s", i);
        buf_append_identifier(&v->piece, v->columns->columns[i].name);
    }
}

/* Appends one branch of the union: the live rows of files `first` on. */
static bool append_branch(struct lake_view *v, uint32_t first, uint32_t count, struct error *err)
{
    bool deleted = has_deleted(&v->members[first]);
    buf_append_text(&v->piece, v->piece_scans > 0 ? " UNION ALL SELECT " : "SELECT ");
    append_columns(v, first);
    buf_append_text(&v->piece, " FROM (");
    if (!append_scan(v, first, count, deleted || v->joins, err)) {
        return false;
    }
    buf_append_text(&v->piece, ") s");
    if (v->joins) {
        buf_append_text(&v->piece, " JOIN (FROM ");
        append_name(v, "_partitions", &v->piece);
        buf_append_format(&v->piece, " WHERE file BETWEEN %u AND %u) p ON p.file = s.file", first,
                          first + count - 1);
    }
    if (deleted) {
        buf_append_text(&v->piece, " WHERE NOT ");
        buf_append_identifier(&v->piece, v->is_deleted);
        buf_append_text(&v->piece, "(s.file, s.row)");
    }
    v->piece_scans++;
    v->piece_files += count;
    return true;
}

static bool make_view(struct lake_view *v, const char *suffix, const struct buf *select,
                      struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "CREATE VIEW ");
    append_name(v, suffix, &sql);
    buf_append_text(&sql, " AS ");
    buf_append(&sql, select->data, select->size);
    if (sql.failed || select->failed) {
        return error_set(err, ERROR_DATA, "the paths of %u data files are too long",
                         v->piece_files);
    }
    return engine_execute(v->engine, buf_text(&sql), err);
}

/* Makes a view of the scans so far. */
static bool end_piece(struct lake_view *v, struct error *err)
{
    char suffix[32];
    (void)snprintf(suffix, sizeof(suffix), "_%u", v->piece_count);
    if (!make_view(v, suffix, &v->piece, err)) {
        return false;
    }
    buf_clear(&v->piece);
    v->piece_scans = 0;
    v->piece_files = 0;
    v->piece_count++;
    return true;
}

static bool append_branches(struct lake_view *v, struct error *err)
{
    for (uint32_t first = 0; first < v->member_count;) {
        uint32_t count = scan_size(v, first);
        if (v->piece_scans == SCANS_MAX ||
            (v->piece_scans > 0 && v->piece_files + count > FILES_MAX)) {
            if (!end_piece(v, err)) {
                return false;
            }
        }
        if (!append_branch(v, first, count, err)) {
            return false;
        }
        first += count;
    }
    return true;
}

/* A table without files. */
static bool make_empty(struct lake_view *v, struct error *err)
{
    buf_append_text(&v->piece, "SELECT ");
    for (uint32_t i = 0; i < v->columns->column_count; i++) {
        buf_append_text(&v->piece, i > 0 ? ", CAST(NULL AS " : "CAST(NULL AS ");
        engine_append_type(v->columns->columns[i].type, &v->piece);
        buf_append_text(&v->piece, ") AS ");
        buf_append_identifier(&v->piece, v->columns->columns[i].name);
    }
    buf_append_text(&v->piece, " WHERE false");
    return make_view(v, "", &v->piece, err);
}

static bool make_union(struct lake_view *v, struct error *err)
{
    if (!append_branches(v, err)) {
        return false;
    }
    if (v->piece_count == 0) {
        return make_view(v, "", &v->piece, err);
    }
    if (!end_piece(v, err)) {
        return false;
    }
    for (uint32_t i = 0; i < v->piece_count; i++) {
        char suffix[32];
        (void)snprintf(suffix, sizeof(suffix), "_%u", i);
        buf_append_text(&v->piece, i > 0 ? " UNION ALL FROM " : "FROM ");
        append_name(v, suffix, &v->piece);
    }
    return make_view(v, "", &v->piece, err);
}

static bool make_schema(struct lake_view *v, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "CREATE SCHEMA ");
    buf_append_identifier(&sql, v->schema);
    return engine_execute(v->engine, buf_text(&sql), err);
}

/* To SQL such columns are one: it would show the second under a name of its own. */
static bool check_names(const struct schema *s, struct error *err)
{
    for (uint32_t i = 0; i < s->column_count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (strcasecmp(s->columns[i].name, s->columns[k].name) == 0) {
                return error_set(err, ERROR_CONFIG, "columns \"%s\" and \"%s\" differ only in case",
                                 s->columns[k].name, s->columns[i].name);
            }
        }
    }
    return true;
}

bool lake_view_create(const struct lake_table *t, struct engine_connection *engine,
                      const char *schema, const char *name, struct error *err)
{
    owned(lake_view_release) struct lake_view v = {.table = t,
                                                   .columns = t->snapshot.schema,
                                                   .engine = engine,
                                                   .schema = schema,
                                                   .name = name};
    bool any_deleted = false;
    collect_members(&v);
    for (uint32_t i = 0; i < v.member_count; i++) {
        any_deleted = any_deleted || has_deleted(&v.members[i]);
    }
    return check_names(v.columns, err) && make_schema(&v, err) &&
           (!any_deleted || make_deleted(&v, err)) && (!v.joins || make_partitions(&v, err)) &&
           (v.member_count == 0 ? make_empty(&v, err) : make_union(&v, err));
}
