/* The reader of changes over a history that the tests make up: its versions are lists of files. */
#include <roaring/roaring.h>

#include "format/value.h"
#include "lake/changes.h"
#include "temporary.h"
#include "test.h"

enum { VERSIONS_MAX = 4, PIECES_MAX = 8, COLUMNS = 3 };

struct fake_version {
    struct lake_piece pieces[PIECES_MAX];
    uint32_t count;
    bool carries_over;
};

struct fixture {
    struct lake_history base; /* first: what the reader sees */
    struct lake_history_type type;
    char root[64];
    struct engine *engine;
    struct engine_connection *connection;
    struct schema *schema;
    struct lake_file_column columns[COLUMNS];
    struct lake_version versions[VERSIONS_MAX];
    struct fake_version made[VERSIONS_MAX];
    struct arena arena;
    uint32_t file_count;
    struct buf opened; /* paths, as they were opened */
};

static bool give_changes(struct lake_history *h, size_t index, struct arena *a,
                         struct lake_pieces *out, struct error *err)
{
    struct fixture *f = (struct fixture *)h;
    const struct fake_version *v = &f->made[index];
    (void)err;
    assert_false(f->versions[index].keeps_rows);
    *out = (struct lake_pieces){.items = arena_copy(a, v->pieces, sizeof(v->pieces)),
                                .count = v->count,
                                .carries_over = v->carries_over};
    return true;
}

static struct schema *make_schema(const char *third, bool has_key)
{
    struct schema *s = schema_new(COLUMNS);
    s->columns[0] = (struct schema_column){
        .name = "id", .type = {.kind = TYPE_INT32}, .nullable = true, .is_key = has_key};
    s->columns[1] = (struct schema_column){
        .name = "Full Name", .type = {.kind = TYPE_STRING}, .nullable = true};
    s->columns[2] = (struct schema_column){
        .name = schema_name(s, str_from(third)), .type = {.kind = TYPE_FLOAT64}, .nullable = true};
    schema_seal(s);
    return s;
}

static void set_schema(struct fixture *f, struct schema *s)
{
    schema_release(f->schema);
    f->schema = s;
    f->base.schema = s;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error err = {0};
    assert_non_null(f);
    temporary_make(f->root);
    f->type = (struct lake_history_type){.name = "delta", .changes = give_changes};
    f->base.type = &f->type;
    f->base.store = store_open(f->root, &err);
    f->base.versions = f->versions;
    f->engine = engine_open(&(struct engine_options){.kind = ENGINE_FILE}, &err);
    assert_non_null(f->engine);
    f->connection = engine_connect(f->engine, &err);
    assert_non_null(f->connection);
    set_schema(f, make_schema("x", false));
    static const char *const names[COLUMNS] = {"id", "Full Name", "x"};
    for (uint32_t i = 0; i < COLUMNS; i++) {
        f->columns[i] = (struct lake_file_column){.from = LAKE_BY_NAME, .name = names[i]};
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    engine_disconnect(&f->connection);
    engine_free(&f->engine);
    store_free(&f->base.store);
    schema_release(f->schema);
    arena_release(&f->arena);
    buf_release(&f->opened);
    temporary_remove(f->root);
    free(f);
    return 0;
}

static void add_version(struct fixture *f)
{
    size_t i = f->base.version_count++;
    assert_true(i < VERSIONS_MAX);
    f->versions[i] = (struct lake_version){.id = 10 + (int64_t)i, .time_us = (int64_t)i * 1000000};
}

static void release_bitmap(void *bitmap)
{
    roaring_bitmap_free(bitmap);
}

static const roaring_bitmap_t *range(struct fixture *f, uint32_t from, uint32_t to)
{
    roaring_bitmap_t *b = roaring_bitmap_create();
    roaring_bitmap_add_range(b, from, to);
    arena_defer(&f->arena, release_bitmap, b);
    return b;
}

/* A file of the newest version. */
static struct lake_piece *add_file(struct fixture *f, int kind, const char *select)
{
    struct fake_version *v = &f->made[f->base.version_count - 1];
    struct lake_piece *piece = &v->pieces[v->count++];
    struct error err = {0};
    struct buf path = {0};
    *piece = (struct lake_piece){.kind = kind,
                                 .path = arena_format(&f->arena, "%u.parquet", f->file_count++),
                                 .columns = f->columns};
    assert_true(store_stage(f->base.store, piece->path, &path, &err));
    struct engine_parquet parquet = {.path = buf_text(&path), .row_group_size = 10240};
    if (!engine_write_parquet(f->connection, select, &parquet, &piece->row_count, &piece->size,
                              &err)) {
        fail_msg("%s", err.message);
    }
    assert_true(store_publish(f->base.store, &piece->path, 1, &err));
    buf_release(&path);
    return piece;
}

/* A file with VALUES of (id, name, x), for a change file with the change before them. */
static struct lake_piece *add_piece(struct fixture *f, int kind, const char *values)
{
    const char *change = kind == LAKE_FEED ? "_change_type, " : "";
    return add_file(f, kind,
                    arena_format(&f->arena,
                                 "SELECT %sid::INTEGER AS id, name::VARCHAR AS \"Full Name\", "
                                 "x::DOUBLE AS x FROM (VALUES %s) AS v(%sid, name, x)",
                                 change, values, change));
}

static void note_file(void *arg, const struct lake_version *version, const struct lake_piece *piece)
{
    struct fixture *f = arg;
    buf_append_format(&f->opened, "%d:%s ", (int)version->id, piece->path);
}

static struct lake_changes_options everything(struct fixture *f)
{
    return (struct lake_changes_options){.history = &f->base,
                                         .engine = f->connection,
                                         .last = f->base.version_count - 1,
                                         .inserts = true,
                                         .updates = true,
                                         .deletes = true};
}

/* A row as text: its version, what became of it, its values. */
static void append_row(const struct column *columns, uint32_t count, uint32_t row, struct buf *out)
{
    value_format(&columns[count - 2], row, out);
    buf_append_char(out, ' ');
    value_format(&columns[count - 3], row, out);
    for (uint32_t i = 0; i + 3 < count; i++) {
        buf_append_char(out, ' ');
        if (column_is_valid(&columns[i], row)) {
            value_format(&columns[i], row, out);
        } else {
            buf_append_char(out, '-');
        }
    }
    buf_append_char(out, '\n');
}

static bool read_all(struct fixture *f, const struct lake_changes_options *options,
                     struct lake_changes_stats *stats, struct buf *out, struct error *err)
{
    owned(lake_changes_free) struct lake_changes *c = lake_changes_open(options, err);
    buf_clear(&f->opened);
    if (!c) {
        return false;
    }
    lake_changes_watch(c, note_file, f);
    for (;;) {
        const struct column *columns = NULL;
        uint32_t row_count = 0;
        size_t version = 0;
        if (!lake_changes_next(c, &columns, &row_count, &version, err)) {
            return false;
        }
        if (row_count == 0) {
            *stats = lake_changes_stats(c);
            return true;
        }
        uint32_t count = lake_changes_schema(c)->column_count;
        for (uint32_t row = 0; row < row_count; row++) {
            assert_int_equal(((const int64_t *)columns[count - 2].values)[row],
                             f->versions[version].id);
            append_row(columns, count, row, out);
        }
    }
}

static struct lake_changes_stats assert_changes(struct fixture *f,
                                                const struct lake_changes_options *options,
                                                const char *expected)
{
    struct lake_changes_stats stats = {0};
    struct buf out = {0};
    struct error err = {0};
    if (!read_all(f, options, &stats, &out, &err)) {
        fail_msg("%s", err.message);
    }
    assert_string_equal(buf_text(&out), expected);
    buf_release(&out);
    return stats;
}

static void assert_fails(struct fixture *f, const struct lake_changes_options *options,
                         enum error_kind kind, const char *named)
{
    struct lake_changes_stats stats = {0};
    struct buf out = {0};
    struct error err = {0};
    assert_false(read_all(f, options, &stats, &out, &err));
    if (err.kind != kind || !strstr(err.message, named)) {
        fail_msg("%s: %s", error_kind_name(err.kind), err.message);
    }
    buf_release(&out);
}

/* --- files as they are --- */

static void bitmaps_say_which_rows_of_a_file_count(void **state)
{
    struct fixture *f = *state;
    static const char rows[] = "(0, 'a', 0), (1, 'b', 1), (2, 'c', 2), (3, 'd', 3)";
    add_version(f);
    add_piece(f, LAKE_DELETED, rows)->only = range(f, 1, 2);
    add_piece(f, LAKE_INSERTED, rows)->without = range(f, 1, 4);
    struct lake_piece *both = add_piece(f, LAKE_INSERTED, rows);
    both->only = range(f, 1, 4);
    both->without = range(f, 0, 3);
    add_piece(f, LAKE_INSERTED, rows)->only = range(f, 0, 0);
    struct lake_changes_options o = everything(f);
    assert_changes(f, &o, "10 delete 1 b 1\n10 insert 0 a 0\n10 insert 3 d 3\n");
}

static void only_the_files_of_the_versions_that_are_asked_for_are_opened(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++) {
        add_version(f);
        add_piece(f, LAKE_INSERTED, "(1, 'a', 1)");
    }
    f->versions[2].keeps_rows = true;
    struct lake_changes_options o = everything(f);
    o.first = 1;
    struct lake_changes_stats stats = assert_changes(f, &o, "11 insert 1 a 1\n13 insert 1 a 1\n");
    assert_string_equal(buf_text(&f->opened), "11:1.parquet 13:3.parquet ");
    assert_int_equal(stats.versions, 2);
    assert_int_equal(stats.files, 2);
    assert_int_equal(stats.file_bytes, f->made[1].pieces[0].size + f->made[3].pieces[0].size);
    assert_int_equal(stats.inserts, 2);
    o.last = 1;
    assert_changes(f, &o, "11 insert 1 a 1\n");
    o.first = 2;
    assert_fails(f, &o, ERROR_CONFIG, "no version from 12 on; the last one is 11");
}

static void kinds_that_are_not_asked_for_are_not_read(void **state)
{
    struct fixture *f = *state;
    add_version(f);
    add_piece(f, LAKE_INSERTED, "(1, 'a', 1)");
    add_piece(f, LAKE_DELETED, "(2, 'b', 2)");
    add_version(f);
    add_piece(f, LAKE_FEED,
              "('insert', 3, 'c', 3), ('update_preimage', 4, 'd', 4), "
              "('update_postimage', 4, 'D', 4), ('delete', 5, 'e', 5)");
    struct lake_changes_options o = everything(f);
    o.deletes = o.updates = false;
    assert_changes(f, &o, "10 insert 1 a 1\n11 insert 3 c 3\n");
    assert_string_equal(buf_text(&f->opened), "10:0.parquet 11:2.parquet ");
    o = everything(f);
    o.inserts = o.deletes = false;
    struct lake_changes_stats stats =
        assert_changes(f, &o, "11 update_preimage 4 d 4\n11 update_postimage 4 D 4\n");
    assert_int_equal(stats.updates, 1);
    assert_int_equal(stats.inserts + stats.deletes, 0);
}

static void a_file_that_is_gone_is_lost(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    add_version(f);
    struct lake_piece *piece = add_piece(f, LAKE_INSERTED, "(1, 'a', 1)");
    assert_true(store_remove(f->base.store, piece->path, &err));
    struct lake_changes_options o = everything(f);
    assert_fails(f, &o, ERROR_LOST, "version 10");
}

static void columns_are_found_by_id_with_their_defaults(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct buf path = {0};
    static const char *const names[] = {"old", "other"};
    static const int32_t ids[] = {7, 8};
    add_version(f);
    struct lake_piece *piece = &f->made[0].pieces[f->made[0].count++];
    *piece = (struct lake_piece){.kind = LAKE_INSERTED, .path = "ids", .columns = f->columns};
    assert_true(store_stage(f->base.store, piece->path, &path, &err));
    struct engine_parquet parquet = {
        .path = buf_text(&path), .field_ids = ids, .names = names, .column_count = 2};
    assert_true(engine_write_parquet(f->connection, "SELECT 5::SMALLINT AS old, 'n' AS other",
                                     &parquet, &piece->row_count, &piece->size, &err));
    assert_true(store_publish(f->base.store, &piece->path, 1, &err));
    buf_release(&path);
    f->columns[0] = (struct lake_file_column){.from = LAKE_BY_ID, .id = 7};
    f->columns[1] = (struct lake_file_column){.from = LAKE_CONSTANT, .text = "it's"};
    f->columns[2] = (struct lake_file_column){.from = LAKE_BY_ID, .id = 9, .text = "2.5"};
    struct lake_changes_options o = everything(f);
    assert_changes(f, &o, "10 insert 5 it's 2.5\n");

    piece->kind = LAKE_FEED;
    assert_fails(f, &o, ERROR_FATAL, "by id");
}

/* --- rows that were carried over --- */

static void rows_that_a_rewrite_carried_over_are_no_changes(void **state)
{
    struct fixture *f = *state;
    add_version(f);
    add_piece(f, LAKE_DELETED, "(1, 'a', 1), (2, 'b', 2), (2, 'b', 2), (2, 'b', 2)");
    add_piece(f, LAKE_DELETED, "(3, NULL, 'NaN'), (5, 'e', '5')")->without = range(f, 1, 2);
    add_piece(f, LAKE_INSERTED, "(2, 'b', 2), (1, 'A', 1), (NULL, NULL, NULL), (4, 'd', 4)");
    add_piece(f, LAKE_INSERTED, "(3, NULL, 'NaN'), (4, 'd', '4')");
    f->made[0].carries_over = true;
    struct lake_changes_options o = everything(f);
    struct lake_changes_stats stats =
        assert_changes(f, &o,
                       "10 delete 1 a 1\n10 delete 2 b 2\n10 delete 2 b 2\n"
                       "10 insert 1 A 1\n10 insert - - -\n10 insert 4 d 4\n10 insert 4 d 4\n");
    assert_int_equal(stats.files, 4);
    assert_int_equal(stats.deletes, 3);
    assert_int_equal(stats.inserts, 4);
    f->made[0].carries_over = false;
    stats =
        assert_changes(f, &o,
                       "10 delete 1 a 1\n10 delete 2 b 2\n10 delete 2 b 2\n10 delete 2 b 2\n"
                       "10 delete 3 - NaN\n10 insert 2 b 2\n10 insert 1 A 1\n"
                       "10 insert - - -\n10 insert 4 d 4\n10 insert 3 - NaN\n10 insert 4 d 4\n");
    assert_int_equal(stats.deletes, 5);
}

static void all_columns_count_even_when_few_are_asked_for(void **state)
{
    struct fixture *f = *state;
    static const char *const columns[] = {"id"};
    add_version(f);
    add_piece(f, LAKE_DELETED, "(1, 'a', 1), (2, 'b', 2)");
    add_piece(f, LAKE_INSERTED, "(2, 'b', 2), (1, 'a', 7)");
    f->made[0].carries_over = true;
    struct lake_changes_options o = everything(f);
    o.columns = columns;
    o.column_count = 1;
    assert_changes(f, &o, "10 delete 1\n10 insert 1\n");
}

static void zero_and_negative_zero_are_different_values(void **state)
{
    struct fixture *f = *state;
    add_version(f);
    add_piece(f, LAKE_DELETED, "(1, 'a', '0.0'), (2, 'a', '-0.0')");
    add_piece(f, LAKE_INSERTED, "(1, 'a', '-0.0'), (2, 'a', '-0.0')");
    f->made[0].carries_over = true;
    struct lake_changes_options o = everything(f);
    assert_changes(f, &o, "10 delete 1 a 0\n10 insert 1 a -0\n");
}

/* Where one value ends and the next begins, and what is null, is part of a row. */
static void rows_are_equal_only_column_by_column(void **state)
{
    struct fixture *f = *state;
    struct schema *s = schema_new(COLUMNS);
    for (uint32_t i = 0; i < COLUMNS; i++) {
        s->columns[i] = (struct schema_column){.name = arena_format(&f->arena, "c%u", i),
                                               .type = {.kind = TYPE_STRING},
                                               .nullable = true};
        f->columns[i].name = s->columns[i].name;
    }
    schema_seal(s);
    set_schema(f, s);
    add_version(f);
    add_file(f, LAKE_DELETED,
             "SELECT * FROM (VALUES ('a', 'bc', NULL), ('1:a', '', '-'), ('x', ',1:', 'y')) AS "
             "v(c0, c1, c2)");
    add_file(f, LAKE_INSERTED,
             "SELECT * FROM (VALUES ('ab', 'c', NULL), ('1:a', '', NULL), ('x', ',1:', 'y')) AS "
             "v(c0, c1, c2)");
    f->made[0].carries_over = true;
    struct lake_changes_options o = everything(f);
    assert_changes(f, &o,
                   "10 delete a bc -\n10 delete 1:a  -\n10 insert ab c -\n10 insert 1:a  -\n");
}

static void a_version_may_be_larger_than_the_engines_memory(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    engine_disconnect(&f->connection);
    engine_free(&f->engine);
    f->engine = engine_open(&(struct engine_options){.kind = ENGINE_FILE,
                                                     .memory_bytes = UINT64_C(64) << 20,
                                                     .temp_directory = f->root},
                            &err);
    f->connection = engine_connect(f->engine, &err);
    assert_non_null(f->connection);
    add_version(f);
    for (int i = 0; i < 2; i++) {
        /* 40 MB a side; the two differ in their first and last rows */
        add_file(f, i ? LAKE_INSERTED : LAKE_DELETED,
                 arena_format(&f->arena,
                              "SELECT i::INTEGER AS id, repeat(md5(i::VARCHAR), 9) AS "
                              "\"Full Name\", i / 3 AS x FROM range(%d, %d) AS r(i)",
                              i, 140000 + i));
    }
    f->made[0].carries_over = true;
    struct lake_changes_stats stats;
    struct lake_changes_options o = everything(f);
    if (!lake_changes_count(&o, &stats, &err)) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(stats.deletes, 1);
    assert_int_equal(stats.inserts, 1);

    static const char *const key[] = {"id"};
    static const char *const name[] = {"Full Name"};
    f->made[0].carries_over = false;
    o.key = key;
    o.key_count = 1;
    o.columns = name;
    o.column_count = 1;
    o.where = "NOT \"Full Name\" IS NULL";
    struct lake_changes *c = lake_changes_open(&o, &err);
    assert_non_null(c);
    for (uint32_t count = 1; count > 0;) {
        const struct column *columns = NULL;
        if (!lake_changes_next(c, &columns, &count, NULL, &err)) {
            fail_msg("%s", err.message);
        }
    }
    assert_int_equal(lake_changes_stats(c).updates, 139999);
    assert_int_equal(lake_changes_stats(c).deletes, 1);
    lake_changes_free(&c);
}

/* --- updates --- */

static void a_deleted_and_an_inserted_row_with_the_same_key_are_an_update(void **state)
{
    struct fixture *f = *state;
    static const char *const key[] = {"id"};
    add_version(f);
    add_piece(f, LAKE_INSERTED, "(4, 'd', 4), (2, 'B', 2), (NULL, 'N', 0), (1, 'A', 1)");
    add_piece(f, LAKE_DELETED, "(1, 'a', 1), (2, 'b', 2), (3, 'c', 3), (NULL, 'n', 0)");
    struct lake_changes_options o = everything(f);
    o.key = key;
    o.key_count = 1;
    static const char expected[] =
        "10 delete 3 c 3\n10 update_preimage 1 a 1\n10 update_postimage 1 A 1\n"
        "10 update_preimage 2 b 2\n10 update_postimage 2 B 2\n"
        "10 update_preimage - n 0\n10 update_postimage - N 0\n10 insert 4 d 4\n";
    struct lake_changes_stats stats = assert_changes(f, &o, expected);
    assert_int_equal(stats.updates, 3);
    assert_int_equal(stats.inserts, 1);
    assert_int_equal(stats.deletes, 1);
    o.updates = o.deletes = false;
    assert_changes(f, &o, "10 insert 4 d 4\n");

    set_schema(f, make_schema("x", true));
    o = everything(f);
    assert_changes(f, &o, expected);
    o.key = key;
    o.key_count = 0;
    assert_int_equal(assert_changes(f, &o,
                                    "10 delete 1 a 1\n10 delete 2 b 2\n10 delete 3 c 3\n"
                                    "10 delete - n 0\n10 insert 4 d 4\n10 insert 2 B 2\n"
                                    "10 insert - N 0\n10 insert 1 A 1\n")
                         .updates,
                     0);
}

static void repeated_keys_pair_in_their_order_and_the_rest_stay(void **state)
{
    struct fixture *f = *state;
    static const char *const key[] = {"x", "id"};
    add_version(f);
    add_piece(f, LAKE_DELETED, "(1, 'a', 1), (1, 'b', 1), (1, 'c', 2)");
    add_piece(f, LAKE_INSERTED, "(1, 'A', 1), (1, 'C', 2), (1, 'D', 2)");
    struct lake_changes_options o = everything(f);
    o.key = key;
    o.key_count = 2;
    assert_changes(f, &o,
                   "10 delete 1 b 1\n10 update_preimage 1 a 1\n10 update_postimage 1 A 1\n"
                   "10 update_preimage 1 c 2\n10 update_postimage 1 C 2\n10 insert 1 D 2\n");
}

static void a_key_need_not_be_among_the_columns(void **state)
{
    struct fixture *f = *state;
    static const char *const key[] = {"id"};
    static const char *const columns[] = {"x", "Full Name"};
    add_version(f);
    add_piece(f, LAKE_DELETED, "(1, 'a', 1), (2, 'b', 2)");
    add_piece(f, LAKE_INSERTED, "(1, 'A', 1), (2, 'b', 2)");
    f->made[0].carries_over = true;
    struct lake_changes_options o = everything(f);
    o.key = key;
    o.key_count = 1;
    o.columns = columns;
    o.column_count = 2;
    assert_changes(f, &o, "10 update_preimage 1 a\n10 update_postimage 1 A\n");
    o.column_count = 0;
    assert_int_equal(assert_changes(f, &o, "10 update_preimage\n10 update_postimage\n").updates, 1);
    static const char *const missing[] = {"ID"};
    o.key = missing;
    assert_fails(f, &o, ERROR_CONFIG, "no column \"ID\"");
}

/* --- change files --- */

static const char mixed_feed[] =
    "('insert', 9, 'i', 9), ('update_postimage', 2, 'B', 2), ('update_preimage', 1, 'a', 1), "
    "('delete', 3, 'c', 3), ('update_preimage', 2, 'b', 2), ('update_postimage', 1, 'A', 1), "
    "('update_preimage', 5, 'e', 5), ('update_postimage', 6, 'e', 5), ('delete', 7, 'g', 7), "
    "('insert', 7, 'G', 7)";

static void a_change_file_is_read_as_it_is(void **state)
{
    struct fixture *f = *state;
    static const char *const key[] = {"id"};
    add_version(f);
    add_piece(f, LAKE_FEED, mixed_feed);
    struct lake_changes_options o = everything(f);
    o.key = key;
    o.key_count = 1;
    assert_changes(f, &o,
                   "10 insert 9 i 9\n10 update_postimage 2 B 2\n10 update_preimage 1 a 1\n"
                   "10 delete 3 c 3\n10 update_preimage 2 b 2\n10 update_postimage 1 A 1\n"
                   "10 update_preimage 5 e 5\n10 update_postimage 6 e 5\n10 delete 7 g 7\n"
                   "10 insert 7 G 7\n");
}

static void changes_in_order_can_be_applied_one_by_one(void **state)
{
    struct fixture *f = *state;
    static const char *const key[] = {"id"};
    add_version(f);
    add_piece(f, LAKE_FEED, mixed_feed);
    struct lake_changes_options o = everything(f);
    o.ordered = true;
    o.key = key;
    o.key_count = 1;
    assert_changes(f, &o,
                   "10 delete 3 c 3\n10 update_preimage 5 e 5\n10 delete 7 g 7\n"
                   "10 update_preimage 2 b 2\n10 update_postimage 2 B 2\n"
                   "10 update_preimage 1 a 1\n10 update_postimage 1 A 1\n"
                   "10 insert 9 i 9\n10 update_postimage 6 e 5\n10 insert 7 G 7\n");
    o.key = NULL;
    assert_changes(f, &o,
                   "10 update_preimage 1 a 1\n10 delete 3 c 3\n10 update_preimage 2 b 2\n"
                   "10 update_preimage 5 e 5\n10 delete 7 g 7\n"
                   "10 insert 9 i 9\n10 update_postimage 2 B 2\n10 update_postimage 1 A 1\n"
                   "10 update_postimage 6 e 5\n10 insert 7 G 7\n");
}

static void an_update_in_order_may_be_in_two_files(void **state)
{
    struct fixture *f = *state;
    static const char *const key[] = {"id"};
    add_version(f);
    add_piece(f, LAKE_FEED, "('update_postimage', 1, 'A', 1)");
    add_piece(f, LAKE_FEED, "('update_preimage', 1, 'a', 1)");
    struct lake_changes_options o = everything(f);
    o.ordered = true;
    o.key = key;
    o.key_count = 1;
    assert_changes(f, &o, "10 update_preimage 1 a 1\n10 update_postimage 1 A 1\n");
}

/* --- conditions --- */

static void a_condition_may_use_every_column(void **state)
{
    struct fixture *f = *state;
    static const char *const columns[] = {"id"};
    add_version(f);
    add_piece(f, LAKE_INSERTED, "(1, 'a', 1), (2, 'b', 2)");
    add_piece(f, LAKE_DELETED, "(3, 'b', 3)");
    add_version(f);
    add_piece(f, LAKE_FEED, "('insert', 4, 'b', 4), ('delete', 5, 'b', 5)");
    struct lake_changes_options o = everything(f);
    o.columns = columns;
    o.column_count = 1;
    o.where = "\"full name\" = 'b' AND _change_type <> 'delete' -- no more";
    struct lake_changes_stats stats = assert_changes(f, &o, "10 insert 2\n11 insert 4\n");
    assert_int_equal(stats.inserts, 2);
    assert_int_equal(stats.deletes, 0);
    o.where = "_commit_version > 10 AND _commit_timestamp < '1970-01-01T00:00:02Z'";
    assert_changes(f, &o, "11 insert 4\n11 delete 5\n");
    o.inserts = false;
    o.where = "true) OR (true";
    assert_changes(f, &o, "10 delete 3\n11 delete 5\n");
}

static void a_condition_sees_what_a_row_became(void **state)
{
    struct fixture *f = *state;
    static const char *const key[] = {"id"};
    add_version(f);
    add_piece(f, LAKE_DELETED, "(1, 'a', 1), (2, 'b', 2)");
    add_piece(f, LAKE_INSERTED, "(1, 'A', 1)");
    struct lake_changes_options o = everything(f);
    o.key = key;
    o.key_count = 1;
    o.where = "_change_type = 'update_postimage' OR x = 2";
    assert_changes(f, &o, "10 delete 2 b 2\n10 update_postimage 1 A 1\n");
}

static void what_is_not_a_condition_is_refused_by_name(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"id >",
                                      "nothing = 1",
                                      "c0 = 1",
                                      "id IN (SELECT 1)",
                                      "exists(FROM read_text('/etc/passwd'))",
                                      "true); DROP TABLE x; SELECT (1",
                                      "true) UNION ALL SELECT 1 WHERE (true",
                                      "true) ORDER BY (1",
                                      "id = ?",
                                      "count(*) > 1",
                                      "true) --",
                                      ""};
    add_version(f);
    add_piece(f, LAKE_INSERTED, "(1, 'a', 1)");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct lake_changes_options o = everything(f);
        struct buf named = {0};
        o.where = bad[i];
        buf_append_format(&named, "condition \"%s\"", bad[i]);
        assert_fails(f, &o, ERROR_CONFIG, buf_text(&named));
        assert_int_equal(f->opened.size, 0);
        buf_release(&named);
    }
    struct lake_changes_options o = everything(f);
    o.where = "\"Full Name\"::INTEGER = 1"; /* only the rows say whether this goes well */
    assert_fails(f, &o, ERROR_DATA, "version 10");
}

/* --- names --- */

static void columns_that_changes_are_told_by_cannot_be_the_tables(void **state)
{
    struct fixture *f = *state;
    static const char *const columns[] = {"Full Name", "id"};
    set_schema(f, make_schema("_Commit_Version", false));
    f->columns[2].name = "x";
    add_version(f);
    add_piece(f, LAKE_INSERTED, "(1, 'a', 1)");
    struct lake_changes_options o = everything(f);
    assert_fails(f, &o, ERROR_CONFIG, "\"_Commit_Version\"");
    o.columns = columns;
    o.column_count = 2;
    assert_changes(f, &o, "10 insert a 1\n");
    o.where = "_commit_version = 10";
    assert_changes(f, &o, "10 insert a 1\n");
    o.where = "_commit_version = 1";
    assert_changes(f, &o, "");

    f->type.name = "iceberg";
    o = everything(f);
    assert_changes(f, &o, "10 insert 1 a 1\n");
    struct error err = {0};
    struct lake_changes *c = lake_changes_open(&o, &err);
    assert_non_null(c);
    assert_string_equal(lake_changes_schema(c)->columns[4].name, "_commit_snapshot_id");
    lake_changes_free(&c);
}

static void names_that_differ_in_case_only_have_no_condition(void **state)
{
    struct fixture *f = *state;
    set_schema(f, make_schema("ID", false));
    f->columns[2].name = "x";
    add_version(f);
    add_piece(f, LAKE_INSERTED, "(1, 'a', 2)");
    struct lake_changes_options o = everything(f);
    assert_changes(f, &o, "10 insert 1 a 2\n");
    o.where = "id = 1";
    assert_fails(f, &o, ERROR_CONFIG, "\"id\" and \"ID\"");
}

/* --- versions --- */

static void versions_are_found_by_id_and_by_time(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    size_t index = 9;
    assert_false(lake_history_find(&f->base, 10, &index, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    add_version(f);
    add_version(f);
    add_version(f);
    assert_true(lake_history_find(&f->base, 11, &index, &err));
    assert_int_equal(index, 1);
    assert_true(lake_history_at(&f->base, 1999999, &index, &err));
    assert_int_equal(index, 1);
    assert_true(lake_history_at(&f->base, 2000000, &index, &err));
    assert_int_equal(index, 2);

    err = (struct error){0};
    assert_false(lake_history_find(&f->base, 13, &index, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "oldest that is left is 10, the newest is 12"));
    err = (struct error){0};
    assert_false(lake_history_at(&f->base, -1, &index, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "1969-12-31T23:59:59.999999Z"));
    assert_non_null(strstr(err.message, "10, is of 1970-01-01T00:00:00Z"));
}

#define test_with_history(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_history(bitmaps_say_which_rows_of_a_file_count),
        test_with_history(only_the_files_of_the_versions_that_are_asked_for_are_opened),
        test_with_history(kinds_that_are_not_asked_for_are_not_read),
        test_with_history(a_file_that_is_gone_is_lost),
        test_with_history(columns_are_found_by_id_with_their_defaults),
        test_with_history(rows_that_a_rewrite_carried_over_are_no_changes),
        test_with_history(all_columns_count_even_when_few_are_asked_for),
        test_with_history(zero_and_negative_zero_are_different_values),
        test_with_history(rows_are_equal_only_column_by_column),
        test_with_history(a_version_may_be_larger_than_the_engines_memory),
        test_with_history(a_deleted_and_an_inserted_row_with_the_same_key_are_an_update),
        test_with_history(repeated_keys_pair_in_their_order_and_the_rest_stay),
        test_with_history(a_key_need_not_be_among_the_columns),
        test_with_history(a_change_file_is_read_as_it_is),
        test_with_history(changes_in_order_can_be_applied_one_by_one),
        test_with_history(an_update_in_order_may_be_in_two_files),
        test_with_history(a_condition_may_use_every_column),
        test_with_history(a_condition_sees_what_a_row_became),
        test_with_history(what_is_not_a_condition_is_refused_by_name),
        test_with_history(columns_that_changes_are_told_by_cannot_be_the_tables),
        test_with_history(names_that_differ_in_case_only_have_no_condition),
        test_with_history(versions_are_found_by_id_and_by_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
