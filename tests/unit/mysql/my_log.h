/* A log made event by event, as servers write it, applied to a stream of shop.items. */
#pragma once

#include "binlog_build.h"
#include "gtids.h"
#include "my_tables.h"
#include "source/mysql/stream.h"

#define GTID_UUID                                                                  \
    "\x3e\x11\xfa\x47\x71\xca\x11\xe1\x9e\x33\xc8\x0a\xa9\x42\x95\x62" /* SERVER_A \
                                                                        */

struct log_fixture {
    struct arena arena;
    struct my_catalog_table tables[2];
    struct my_relation relations[2];
    struct my_stream *stream;
    const char *later; /* columns of items as the catalog has them at an ALTER; NULL: it is gone */
    unsigned lookups;
    bool proves_names; /* of the last lookup */
    uint32_t next;     /* where the next event begins in the file */
    struct error err;
    bool ok;
};

static const struct config_strings log_no_text = {0};

static inline bool log_lookup(void *arg, const struct my_relation *r,
                              const struct position *position, bool proves_names,
                              struct my_relation_facts *out, struct error *err)
{
    (void)r;
    (void)position;
    (void)err;
    struct log_fixture *f = arg;
    f->lookups++;
    f->proves_names = proves_names;
    if (f->later) {
        out->now = table_of(&out->arena, "items", f->later);
    }
    return true;
}

/* Starts at `position`, the catalog having been read at `opened`. Free with log_end(). */
static inline struct log_fixture *log_begin(const char *position, const char *opened,
                                            bool is_mariadb)
{
    struct log_fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    struct my_stream_options options = {
        .relations = f->relations,
        .relation_count = 2,
        .relation_options = {.as_text = &log_no_text, .is_mariadb = is_mariadb, .pipeline = "p"},
        .is_mariadb = is_mariadb,
        .has_gtid = strspn(position, "0123456789") != strlen(position),
        .has_names = true,
        .lookup = log_lookup,
        .lookup_arg = f,
    };
    assert_true(position_parse(str_from(position), &options.position, &f->err));
    assert_true(position_parse(str_from(opened), &options.opened, &f->err));
    f->tables[0] = table_of(&f->arena, "items", "id int key; name varchar(50) null");
    f->tables[1] = table_of(&f->arena, "pairs", "id int key");
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(my_relation_init(&f->relations[i], &f->tables[i], i, &options.relation_options,
                                     &f->err));
    }
    f->stream = my_stream_new(&options);
    f->next = 4;
    return f;
}

static inline void log_end(struct log_fixture *f)
{
    my_stream_free(&f->stream);
    for (uint32_t i = 0; i < 2; i++) {
        my_relation_release(&f->relations[i]);
    }
    arena_release(&f->arena);
    free(f);
}

/* Applies one event, from an exact copy; `flags` 0x20: artificial, at no place. */
static inline void log_event_flagged(struct log_fixture *f, unsigned type, unsigned flags,
                                     struct str body)
{
    struct buf b = {0};
    uint32_t size = (uint32_t)(19 + body.size);
    append_event(&b, type, flags, body);
    f->next += flags & 0x20 ? 0 : size;
    uint32_t next = flags & 0x20 ? 0 : f->next;
    memcpy(b.data + 13, &next, sizeof(next));
    char *copy = malloc(b.size);
    assert_non_null(copy);
    memcpy(copy, b.data, b.size);
    f->err = (struct error){0};
    f->ok = my_stream_apply(f->stream, copy, b.size, &f->err);
    free(copy);
    buf_release(&b);
}

static inline void log_event(struct log_fixture *f, unsigned type, struct str body)
{
    log_event_flagged(f, type, 0, body);
}

static inline void log_mysql_gtid(struct log_fixture *f, unsigned type, uint64_t number)
{
    struct buf b = {0};
    append_str(&b, bytes("\0" GTID_UUID));
    append_le(&b, number, 8);
    append_str(&b, bytes("\2"));
    append_le(&b, number, 8);
    append_le(&b, number + 1, 8);
    log_event(f, type, buf_str(&b));
    buf_release(&b);
}

static inline void log_gtid(struct log_fixture *f, uint64_t number)
{
    log_mysql_gtid(f, 33, number);
}

static inline void log_anonymous(struct log_fixture *f)
{
    log_mysql_gtid(f, 34, 0);
}

enum { MARIADB_STANDALONE = 1, MARIADB_XA = 64 };

static inline void log_mariadb_gtid(struct log_fixture *f, uint64_t number, unsigned flags)
{
    struct buf b = {0};
    append_le(&b, number, 8);
    append_le(&b, 3, 4); /* domain */
    append_le(&b, flags, 1);
    append_str(&b, flags & MARIADB_XA ? bytes("\1\0\0\0\1\1gb") : bytes("\0\0\0\0\0\0"));
    log_event(f, 162, buf_str(&b));
    buf_release(&b);
}

/* Under strict mode, as the server's default is. */
static inline void log_query(struct log_fixture *f, const char *sql)
{
    struct buf b = {0};
    append_le(&b, 1, 4);
    append_le(&b, 0, 4);
    append_le(&b, 4, 1);
    append_le(&b, 0, 2);
    append_le(&b, 9, 2);
    append_le(&b, 1, 1); /* sql_mode */
    append_le(&b, 1U << 21, 8);
    append_str(&b, bytes("shop\0"));
    buf_append_text(&b, sql);
    log_event(f, 2, buf_str(&b));
    buf_release(&b);
}

static inline void log_xid(struct log_fixture *f)
{
    log_event(f, 16, bytes("\1\0\0\0\0\0\0\0"));
}

static inline void log_map(struct log_fixture *f, const char *table)
{
    struct buf b = {0};
    struct mapped_column columns[] = {not_null(int_mapped("id")), varchar_mapped("name")};
    append_map(&b, strlen(table), table, columns, strcmp(table, "pairs") == 0 ? 1 : 2, true);
    log_event(f, 19, buf_str(&b));
    buf_release(&b);
}

/* Rows of a table after its map: 30 inserts, 31 updates, 32 deletes; the images as they are. */
static inline void log_rows(struct log_fixture *f, unsigned type, const char *table,
                            struct str images)
{
    struct buf b = {0};
    append_le(&b, strlen(table), 6);
    append_le(&b, 1, 2);
    append_le(&b, 2, 2);
    bool is_narrow = strcmp(table, "pairs") == 0;
    append_le(&b, is_narrow ? 1 : 2, 1);
    append_le(&b, is_narrow ? 1 : 3, 1);
    if (type == 31) {
        append_le(&b, is_narrow ? 1 : 3, 1);
    }
    append_str(&b, images);
    log_event(f, type, buf_str(&b));
    buf_release(&b);
}

/* BEGIN, an insert into items, without its end. */
static inline void log_insert(struct log_fixture *f, struct str image)
{
    log_query(f, "BEGIN");
    log_map(f, "items");
    log_rows(f, 30, "items", image);
}

#define ROW_1 bytes("\2\1\0\0\0")
#define ROW_2 bytes("\2\2\0\0\0")

/* All events that are ready as text: "items 2 rows; truncate pairs; idle <position>". */
static inline void log_take(struct log_fixture *f, struct buf *out)
{
    static const char *const names[] = {"items", "pairs"};
    struct event e = {0};
    while (my_stream_take(f->stream, &e)) {
        buf_append_text(out, out->size ? "; " : "");
        switch (e.kind) {
        case EVENT_BATCH:
            assert_true(batch_check(e.batch, &f->err));
            assert_int_equal(e.batch->table, e.table);
            buf_append_format(out, "%s %u rows", names[e.table], e.batch->row_count);
            break;
        case EVENT_SCHEMA:
            buf_append_format(out, "schema %s of %u", names[e.table], e.schema->column_count);
            break;
        case EVENT_TRUNCATE:
            buf_append_format(out, "truncate %s", names[e.table]);
            break;
        case EVENT_IDLE:
            buf_append_text(out, "idle ");
            position_format(e.position, out);
            break;
        case EVENT_NONE:
        case EVENT_BARRIER:
        default:
            fail_msg("event %d", e.kind);
        }
        event_release(&e);
    }
}

/* Rests, where that is possible, and compares what has become ready. */
static inline void assert_log(struct log_fixture *f, const char *expected)
{
    struct buf text = {0};
    if (!f->ok) {
        fail_msg("%s", f->err.message);
    }
    if (my_stream_can_rest(f->stream)) {
        my_stream_rest(f->stream);
    }
    log_take(f, &text);
    assert_string_equal(buf_text(&text), expected);
    buf_release(&text);
}

static inline void assert_log_fails(struct log_fixture *f, enum error_kind kind, const char *text)
{
    assert_false(f->ok);
    if (!strstr(f->err.message, text)) {
        fail_msg("\"%s\" does not say \"%s\"", f->err.message, text);
    }
    assert_int_equal(f->err.kind, kind);
}
