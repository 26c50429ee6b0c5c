/* Row images by hand, of every form that the servers write (binlog_row_image), into rows. */
#include "binlog_build.h"
#include "my_tables.h"
#include "source/mysql/rows.h"

/* Images of id, name, note: bits of the columns that are present, then per image the bits of nulls
 * among those, then values. */
#define ALL "\7"
#define ID "\1"
#define NAME "\2"
#define ID_NAME "\3"

struct fixture {
    struct arena arena;
    struct my_catalog_table table;
    struct my_relation relation;
    struct collector *collector;
    struct batch *batch;
    struct error err;
    bool ok;
};

static const struct config_strings no_text = {0};
static const struct my_relation_options options = {
    .as_text = &no_text, .unrepresentable = UNREPRESENTABLE_FAIL, .pipeline = "p"};

static struct fixture begin_mapped(const char *columns, const struct mapped_column *mapped,
                                   uint32_t count)
{
    struct fixture f = {0};
    struct buf map = {0};
    f.table = table_of(&f.arena, "items", columns);
    assert_true(my_relation_init(&f.relation, &f.table, 0, &options, &f.err));
    append_map(&map, 9, "items", mapped, count, true);
    assert_true(my_relation_map(&f.relation, buf_str(&map), &options, &f.err));
    buf_release(&map);
    f.collector = collector_new(1);
    struct collector_transaction t = {.position = 5, .number = 5};
    collector_begin(f.collector, &t);
    return f;
}

static struct fixture begin(const char *columns)
{
    struct mapped_column mapped[] = {not_null(int_mapped("id")), varchar_mapped("name"),
                                     varchar_mapped("note")};
    return begin_mapped(columns, mapped, 3);
}

static void end(struct fixture *f)
{
    batch_release(f->batch);
    collector_free(&f->collector);
    my_relation_release(&f->relation);
    arena_release(&f->arena);
}

#define ITEMS "id int key; name varchar(50) null; note varchar(50) null"

/* Adds the rows of one event, from an exact copy. */
static void add_rows(struct fixture *f, enum binlog_event_kind kind, const char *present,
                     const char *present_after, struct str images)
{
    char *copy = malloc(images.size ? images.size : 1);
    assert_non_null(copy);
    memcpy(copy, images.data, images.size);
    struct binlog_event event = {
        .kind = kind,
        .rows = {.table_id = 9,
                 .column_count = f->relation.map.column_count,
                 .present = (const uint8_t *)present,
                 .present_after = (const uint8_t *)present_after,
                 .rows = {.data = copy, .size = images.size}},
    };
    f->err = (struct error){0};
    f->ok = my_rows_add(f->collector, &f->relation, &event, &f->err);
    free(copy);
}

/* The rows so far as one batch, after a number of other events. */
static void take_batch(struct fixture *f)
{
    struct event e = {0};
    collector_end(f->collector);
    collector_rest(f->collector, position_integer(9));
    do {
        event_release(&e);
        assert_true(collector_take(f->collector, &e));
    } while (e.kind != EVENT_BATCH);
    f->batch = e.batch;
    assert_true(batch_check(f->batch, &f->err));
}

static void append_value(const struct batch *b, uint32_t column, uint32_t row, struct buf *out)
{
    const struct column *c = &b->columns[column];
    if (column_is_unchanged(c, row)) {
        buf_append_char(out, '=');
    } else if (!column_is_valid(c, row)) {
        buf_append_char(out, '-');
    } else if (c->type.kind == TYPE_STRING) {
        struct str text = view_str(&((const struct view *)c->values)[row]);
        buf_append(out, text.data, text.size);
    } else {
        buf_append_format(out, "%lld", (long long)column_integer(c, row));
    }
}

/* Rows as "insert 1,one,-"; "=" is a value that was not sent, "key" an image of the key alone. */
static void assert_rows(struct fixture *f, const char *expected)
{
    static const char *const kinds[] = {"insert", "before", "after", "delete"};
    struct buf text = {0};
    take_batch(f);
    for (uint32_t row = 0; row < f->batch->row_count; row++) {
        buf_append_format(&text, "%s%s%s ", row ? "; " : "", kinds[f->batch->kinds[row]],
                          f->batch->images[row] == IMAGE_KEY ? " key" : "");
        for (uint32_t i = 0; i < f->batch->schema->column_count; i++) {
            buf_append_text(&text, i ? "," : "");
            append_value(f->batch, i, row, &text);
        }
    }
    assert_string_equal(buf_text(&text), expected);
    buf_release(&text);
}

static void assert_rows_refused(struct fixture *f, enum error_kind kind, const char *text)
{
    assert_false(f->ok);
    assert_int_equal(f->err.kind, kind);
    if (!strstr(f->err.message, text)) {
        fail_msg("\"%s\" does not say \"%s\"", f->err.message, text);
    }
}

/* ---- whole images ---- */

static void whole_images_become_whole_rows(void **state)
{
    (void)state;
    struct fixture f = begin(ITEMS);
    add_rows(&f, BINLOG_WRITE_ROWS, ALL, NULL,
             bytes("\0"
                   "\1\0\0\0"
                   "\3one\1n"
                   "\6"
                   "\2\0\0\0"));
    assert_true(f.ok);
    add_rows(&f, BINLOG_UPDATE_ROWS, ALL, ALL,
             bytes("\6"
                   "\2\0\0\0"
                   "\4"
                   "\2\0\0\0"
                   "\3two"));
    assert_true(f.ok);
    add_rows(&f, BINLOG_DELETE_ROWS, ALL, NULL,
             bytes("\4"
                   "\1\0\0\0"
                   "\3one"));
    assert_true(f.ok);
    assert_rows(&f, "insert 1,one,n; insert 2,-,-; before 2,-,-; after 2,two,-; delete 1,one,-");
    end(&f);
}

static void numbers_order_and_transactions_are_those_of_the_group(void **state)
{
    (void)state;
    struct fixture f = begin(ITEMS);
    add_rows(&f, BINLOG_UPDATE_ROWS, ALL, ALL,
             bytes("\6\2\0\0\0"
                   "\6\3\0\0\0"));
    assert_true(f.ok);
    take_batch(&f);
    assert_int_equal(f.batch->sequences[0], 0);
    assert_int_equal(f.batch->sequences[1], 1);
    assert_int_equal(f.batch->positions[1], 5);
    assert_int_equal(f.batch->transactions[1], 5);
    end(&f);
}

/* ---- MINIMAL and NOBLOB ---- */

static void a_key_image_marks_what_was_not_sent(void **state)
{
    (void)state;
    struct fixture f = begin(ITEMS);
    add_rows(&f, BINLOG_DELETE_ROWS, ID, NULL, bytes("\0\1\0\0\0"));
    assert_true(f.ok);
    add_rows(&f, BINLOG_UPDATE_ROWS, ID, NAME,
             bytes("\0\2\0\0\0"
                   "\0\1x"));
    assert_true(f.ok);
    assert_rows(&f, "delete key 1,=,=; before key 2,=,=; after 2,x,=");
    end(&f);
}

static void the_key_is_taken_from_the_image_that_has_it(void **state)
{
    (void)state;
    struct fixture f = begin(ITEMS);
    add_rows(&f, BINLOG_UPDATE_ROWS, ID, ID_NAME,
             bytes("\0\2\0\0\0"
                   "\2\3\0\0\0"));
    assert_true(f.ok);
    assert_rows(&f, "before key 2,=,=; after 3,-,=");
    end(&f);
}

static void an_update_without_blobs_takes_them_from_a_whole_old_row(void **state)
{
    (void)state;
    struct fixture f = begin(ITEMS);
    add_rows(&f, BINLOG_UPDATE_ROWS, ALL, ID_NAME,
             bytes("\0\2\0\0\0\1a\4text"
                   "\0\2\0\0\0\1b"
                   "\4\3\0\0\0\1a"
                   "\0\3\0\0\0\1b"));
    assert_true(f.ok);
    assert_rows(&f, "before 2,a,text; after 2,b,text; before 3,a,-; after 3,b,-");
    end(&f);
}

static void an_insert_that_does_not_name_a_column_holds_its_default(void **state)
{
    (void)state;
    struct fixture f = begin("id int key; name varchar(50) default=nobody; note varchar(50) null");
    add_rows(&f, BINLOG_WRITE_ROWS, ID, NULL, bytes("\0\1\0\0\0"));
    assert_true(f.ok);
    assert_rows(&f, "insert 1,nobody,-");
    end(&f);
}

static void a_default_that_nobody_can_know_is_refused(void **state)
{
    (void)state;
    struct fixture f = begin("id int key; name varchar(50) expression; note varchar(50) null");
    add_rows(&f, BINLOG_WRITE_ROWS, ID, NULL, bytes("\0\1\0\0\0"));
    assert_rows_refused(
        &f, ERROR_DATA,
        "table shop.items, column \"name\": an insert in the log does not say its value");
    end(&f);
    f = begin("id int key; name varchar(50); note varchar(50) null");
    add_rows(&f, BINLOG_WRITE_ROWS, ID, NULL, bytes("\0\1\0\0\0"));
    assert_rows_refused(&f, ERROR_DATA, "column \"name\"");
    end(&f);
}

/* ---- columns that come, go, and are looser than the catalog says ---- */

static void columns_that_are_not_in_the_log_are_null_and_others_are_skipped(void **state)
{
    (void)state;
    struct mapped_column mapped[] = {varchar_mapped("gone"), not_null(int_mapped("id"))};
    struct fixture f = begin_mapped("id int key; late int null", mapped, 2);
    add_rows(&f, BINLOG_WRITE_ROWS, ID_NAME, NULL, bytes("\0\4gone\1\0\0\0"));
    assert_true(f.ok);
    add_rows(&f, BINLOG_UPDATE_ROWS, ID_NAME, ID_NAME,
             bytes("\1\1\0\0\0"
                   "\0\1x\2\0\0\0"));
    assert_true(f.ok);
    add_rows(&f, BINLOG_DELETE_ROWS, NAME, NULL, bytes("\0\1\0\0\0"));
    assert_true(f.ok);
    assert_rows(&f, "insert 1,-; before 1,-; after 2,-; delete key 1,=");
    end(&f);
}

static void a_null_where_the_catalog_allows_none_loosens_the_schema_first(void **state)
{
    (void)state;
    struct fixture f = begin("id int key; name varchar(50); note varchar(50)");
    add_rows(&f, BINLOG_WRITE_ROWS, ALL, NULL,
             bytes("\0\1\0\0\0\1a\1b"
                   "\4\2\0\0\0\1a"
                   "\2\3\0\0\0\1b"));
    assert_true(f.ok);
    assert_int_equal(f.relation.schema->version, 3);
    assert_true(f.relation.schema->columns[1].nullable);
    assert_true(f.relation.schema->columns[2].nullable);
    struct event e = {0};
    unsigned schemas = 0;
    collector_end(f.collector);
    collector_rest(f.collector, position_integer(9));
    while (collector_take(f.collector, &e) && e.kind == EVENT_SCHEMA) {
        schemas++;
        event_release(&e);
    }
    assert_int_equal(schemas, 2);
    assert_int_equal(e.kind, EVENT_BATCH);
    assert_int_equal(e.batch->row_count, 3);
    assert_int_equal(e.batch->schema->version, 3);
    event_release(&e);
    end(&f);
}

static void a_null_in_the_key_is_refused(void **state)
{
    (void)state;
    struct mapped_column mapped[] = {int_mapped("id")};
    struct fixture f = begin_mapped("id int key", mapped, 1);
    add_rows(&f, BINLOG_WRITE_ROWS, ID, NULL, bytes("\1"));
    assert_rows_refused(&f, ERROR_DATA, "table shop.items, column \"id\" of the key is null");
    end(&f);
}

/* ---- what is malformed ---- */

static void images_that_are_cut_off_are_refused_wherever_they_end(void **state)
{
    (void)state;
    static const char whole[] = "\0\1\0\0\0\3one\2nn";
    for (size_t size = 1; size < sizeof(whole) - 1; size++) {
        struct fixture f = begin(ITEMS);
        add_rows(&f, BINLOG_WRITE_ROWS, ALL, NULL, (struct str){whole, size});
        assert_rows_refused(&f, ERROR_FATAL, "table shop.items");
        end(&f);
        f = begin("id int key; name varchar(50); note varchar(50)");
        add_rows(&f, BINLOG_UPDATE_ROWS, ALL, ALL, (struct str){whole, size});
        assert_rows_refused(&f, ERROR_FATAL, "table shop.items");
        end(&f);
    }
}

static void events_that_do_not_fit_their_table_map_are_refused(void **state)
{
    (void)state;
    struct fixture f = begin(ITEMS);
    add_rows(&f, BINLOG_UPDATE_ROWS, ALL, NULL, bytes("\0\1\0\0\0"));
    assert_rows_refused(&f, ERROR_FATAL, "rows of 3 columns where 3 are described");
    add_rows(&f, BINLOG_DELETE_ROWS, NAME, NULL, bytes("\0\1x"));
    assert_rows_refused(&f, ERROR_FATAL, "a row in the log without its key");
    add_rows(&f, BINLOG_UPDATE_ROWS, ID, ID, bytes("\0\1\0\0\0"));
    assert_rows_refused(&f, ERROR_FATAL, "cut off");
    end(&f);
    f = begin("id int key default=1; name varchar(50) null; note varchar(50) null");
    add_rows(&f, BINLOG_WRITE_ROWS, "\0", NULL, bytes("x"));
    assert_rows_refused(&f, ERROR_FATAL, "cut off");
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_images_become_whole_rows),
        cmocka_unit_test(numbers_order_and_transactions_are_those_of_the_group),
        cmocka_unit_test(a_key_image_marks_what_was_not_sent),
        cmocka_unit_test(the_key_is_taken_from_the_image_that_has_it),
        cmocka_unit_test(an_update_without_blobs_takes_them_from_a_whole_old_row),
        cmocka_unit_test(an_insert_that_does_not_name_a_column_holds_its_default),
        cmocka_unit_test(a_default_that_nobody_can_know_is_refused),
        cmocka_unit_test(columns_that_are_not_in_the_log_are_null_and_others_are_skipped),
        cmocka_unit_test(a_null_where_the_catalog_allows_none_loosens_the_schema_first),
        cmocka_unit_test(a_null_in_the_key_is_refused),
        cmocka_unit_test(images_that_are_cut_off_are_refused_wherever_they_end),
        cmocka_unit_test(events_that_do_not_fit_their_table_map_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
