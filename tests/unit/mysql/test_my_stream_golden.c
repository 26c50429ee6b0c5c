/* Every captured log file as a stream of all of its tables, up to its end or to where it is lost.
 */
#include <inttypes.h>

#include "my_log_tables.h"
#include "source/mysql/stream.h"

/* What the files hold that is not followed. Others are read to their end. */
static const struct {
    const char *file;
    const char *lost;
} expected[] = {
    {"_alter.", "column \"b\" was added with a value for old rows"},
    {"_changes.", "column \"age\" was added with a value for old rows"},
    {"mariadb_10.11_compressed.", "column \"c\" was added with a value for old rows"},
    {"_statements.", "an event of type Begin_load_query"}, /* of a table that has no rows there */
    {"_partial.", "binlog_row_value_options"},
    {"_xa.", "an XA transaction with changes of captured tables"},
};

struct replay {
    struct arena arena;
    struct log_tables tables;
    struct my_relation relations[LOG_TABLES_MAX];
    uint32_t relation_count;
    struct my_stream *stream;
    uint64_t rows;
    unsigned boundaries;
    struct position newest; /* of the boundaries */
    bool has_newest;
};

static const struct config_strings no_text = {0};

static bool lookup(void *arg, const struct my_relation *r, const struct position *position,
                   bool proves_names, struct my_relation_facts *out, struct error *err)
{
    (void)position;
    (void)proves_names;
    (void)err;
    const struct replay *p = arg;
    struct log_tables *t = (struct log_tables *)&p->tables;
    const struct my_catalog_table *now = &t->last[log_table_number(t, r->name)];
    out->now = *now; /* in the replay's arena, which outlives it */
    return true;
}

/* Tables of a type that is not supported are left out, as whoever configures a pipeline would. Of
 * one the catalog says so, and its map does not (fractions in the format of MariaDB 5.3). */
static void make_relations(struct replay *p, const struct my_relation_options *options)
{
    for (uint32_t i = 0; i < p->tables.count; i++) {
        struct my_relation *r = &p->relations[p->relation_count];
        struct error err = {0};
        if (strcmp(p->tables.first[i].name.table, "old_times") == 0) {
            continue;
        }
        if (my_relation_init(r, &p->tables.first[i], p->relation_count, options, &err)) {
            p->relation_count++;
        } else {
            assert_int_equal(err.kind, ERROR_CONFIG);
            my_relation_release(r);
        }
    }
}

static void take_events(struct replay *p)
{
    struct event e = {0};
    struct error err = {0};
    while (my_stream_take(p->stream, &e)) {
        if (e.kind == EVENT_BATCH) {
            if (!batch_check(e.batch, &err)) {
                fail_msg("%s", err.message);
            }
            assert_true(e.table < p->relation_count);
            p->rows += e.batch->row_count;
            assert_false(p->has_newest && batch_row_is_covered(e.batch, 0, &p->newest));
        } else if (e.kind == EVENT_IDLE) {
            assert_true(!p->has_newest || position_covers(e.position, p->newest));
            p->newest = e.position;
            p->has_newest = true;
            p->boundaries++;
        }
        event_release(&e);
    }
}

/* Types of events after which a transaction is open: it began, or has rows. */
static bool is_inside(uint8_t type)
{
    static const uint8_t inside[] = {19, 23, 24,  25,  30,  31,  32,  33,  34, 38,
                                     39, 42, 162, 166, 167, 168, 169, 170, 171};
    return type != 38 && memchr(inside, type, sizeof(inside)) != NULL;
}

static const char *expected_loss(const char *file)
{
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        if (strstr(file, expected[i].file)) {
            return expected[i].lost;
        }
    }
    return NULL;
}

/* False: it is lost. */
static bool replay_event(struct replay *p, struct str bytes, const char *file)
{
    struct error err = {0};
    const char *lost = expected_loss(file);
    if (!my_stream_apply(p->stream, bytes.data, bytes.size, &err)) {
        if (err.kind != ERROR_LOST || !lost || !strstr(err.message, lost)) {
            fail_msg("%s: %s", file, err.message);
        }
        return false;
    }
    uint8_t type = (uint8_t)bytes.data[4];
    if (is_inside(type)) {
        assert_false(my_stream_can_rest(p->stream));
    }
    if (my_stream_can_rest(p->stream)) {
        my_stream_rest(p->stream);
    }
    take_events(p);
    return true;
}

static void replay_events(struct replay *p, const char *file)
{
    static const char rotate[] = "\0\0\0\0\4\1\0\0\0\x30\0\0\0\0\0\0\0\x20\0"
                                 "\4\0\0\0\0\0\0\0log.000001\0\0\0\0\0\0\0\0\0\0\0";
    struct error err = {0};
    struct reader r = binlog_file_read(&p->arena, file);
    struct str bytes = {0};
    assert_true(my_stream_apply(p->stream, rotate, 0x30, &err));
    while (binlog_file_next(&r, &bytes)) {
        if (!replay_event(p, bytes, file)) {
            return;
        }
    }
    if (expected_loss(file)) {
        fail_msg("%s is not lost", file);
    }
    assert_true(p->rows > 0);
    assert_true(p->boundaries > 1);
}

static void replay_file(const char *file)
{
    struct replay *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    bool is_mariadb = strncmp(file, "mariadb", 7) == 0;
    bool has_gtid = !strstr(file, "anonymous");
    struct my_relation_options options = {.as_text = &no_text,
                                          .unrepresentable = UNREPRESENTABLE_NULL,
                                          .is_mariadb = is_mariadb,
                                          .pipeline = "p"};
    p->tables = (struct log_tables){.arena = &p->arena, .is_mariadb = is_mariadb};
    read_log_tables(file, &p->tables);
    make_relations(p, &options);
    struct my_stream_options stream = {
        .relations = p->relations,
        .relation_count = p->relation_count,
        .relation_options = options,
        .is_mariadb = is_mariadb,
        .has_gtid = has_gtid,
        .has_names = true,
        .position = has_gtid ? position_empty_set() : position_integer((UINT64_C(1) << 32) + 4),
        .opened = has_gtid ? position_empty_set() : position_integer((UINT64_C(1) << 32) + 4),
        .lookup = lookup,
        .lookup_arg = p,
    };
    p->stream = my_stream_new(&stream);
    replay_events(p, file);
    my_stream_free(&p->stream);
    for (uint32_t i = 0; i < p->relation_count; i++) {
        my_relation_release(&p->relations[i]);
    }
    arena_release(&p->arena);
    free(p);
}

static void all_log_files_become_streams_up_to_where_they_are_lost(void **state)
{
    (void)state;
    binlog_files(replay_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_log_files_become_streams_up_to_where_they_are_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
