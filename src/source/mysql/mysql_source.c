/* The source itself: what connection, catalog, load, log and stream do together. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "source/mysql/ahead.h"
#include "source/mysql/catalog.h"
#include "source/mysql/connection.h"
#include "source/mysql/dump.h"
#include "source/mysql/load.h"
#include "source/mysql/prerequisites.h"
#include "source/mysql/relation.h"
#include "source/mysql/stream.h"
#include "source/types.h"

enum {
    REST_US = 2000,      /* nothing came for so long: the stream rests */
    EVENTS_PER_LOOK = 64 /* at clocks while data flows */
};

struct mysql_source_state {
    struct source base;
    const struct source_config *config; /* borrowed */
    const char *pipeline;               /* all below: in the arena */
    uint32_t server_id;
    bool is_aside;
    struct arena arena;

    struct my_server server;
    struct my_catalog_tables catalog;
    struct source_table *tables;
    struct my_relation
        *relations;         /* as many as catalog.count; those made so far: base.table_count */
    struct position opened; /* the end of the log, before the catalog was read */
    struct my_log_place opened_place;

    struct my_load *load;     /* from start() until the first next() */
    struct position position; /* where the stream starts */
    struct dump *dump;
    struct my_stream *stream;
};

static struct mysql_source_state *state_of(struct source *s)
{
    return (struct mysql_source_state *)s;
}

static void mysql_free(struct source *source)
{
    struct mysql_source_state *s = state_of(source);
    my_stream_free(&s->stream);
    dump_free(&s->dump);
    my_load_free(&s->load);
    for (uint32_t i = 0; i < s->base.table_count; i++) {
        my_relation_release(&s->relations[i]);
    }
    arena_release(&s->arena);
    free(s);
}

static struct my_relation_options relation_options(const struct mysql_source_state *s)
{
    return (struct my_relation_options){.as_text = &s->config->as_text,
                                        .unrepresentable = s->config->unrepresentable,
                                        .is_mariadb = s->server.is_mariadb,
                                        .pipeline = s->pipeline};
}

static MYSQL *connect_to(const struct mysql_source_state *s, struct error *err)
{
    struct my_connection_options options = my_prerequisites_connection(s->config, s->pipeline);
    return my_connection_open(&options, err);
}

/* ---- positions ---- */

static bool as_position(const struct position *gtids, const struct my_log_place *place,
                        struct position *out, struct error *err)
{
    uint64_t packed = 0;
    *out = *gtids;
    if (gtids->kind != POSITION_NONE) {
        return true;
    }
    if (!my_log_place_pack(place, &packed)) {
        return error_set(err, ERROR_CONFIG,
                         "log file \"%s\" has no number in its name, or its offset %" PRIu64
                         " is above 4 GiB",
                         place->file, place->offset);
    }
    *out = position_integer(packed);
    return true;
}

/* Where an integer position is; the files of the server have one name before their numbers. */
static bool as_place(const struct mysql_source_state *s, struct position p,
                     struct my_log_place *out, struct error *err)
{
    return my_log_place_unpack(p.integer, s->opened_place.file, out) ||
           error_set(err, ERROR_FATAL, "position %" PRIu64 " is not one of a log file", p.integer);
}

/* ---- opening ---- */

static bool read_catalog(struct mysql_source_state *s, MYSQL *c, struct error *err)
{
    if (!my_catalog_read_tables(c, &s->server, &s->config->tables, &s->arena, &s->catalog, err)) {
        return false;
    }
    struct my_relation_options options = relation_options(s);
    s->relations = arena_array(&s->arena, s->catalog.count, sizeof(*s->relations));
    s->tables = arena_array(&s->arena, s->catalog.count, sizeof(*s->tables));
    s->base.tables = s->tables;
    bool is_whole = strcmp(s->server.binlog_row_image, "FULL") == 0;
    for (uint32_t i = 0; i < s->catalog.count; i++) {
        struct my_relation *r = &s->relations[i];
        bool done = my_relation_init(r, &s->catalog.items[i], i, &options, err);
        s->base.table_count++; /* released with the source in any case */
        if (!done) {
            return false;
        }
        s->tables[i] = (struct source_table){
            .name = r->name,
            .schema = r->schema,
            .whole_before = is_whole,
            .row_estimate = s->catalog.items[i].row_estimate,
        };
    }
    return true;
}

/* GTIDs of MySQL name the servers they come from: they hold on any server that has the same
 * transactions, and start() asks whether it has them. Other positions are of one server. */
static void set_identity(struct mysql_source_state *s)
{
    if (s->server.has_gtid && !s->server.is_mariadb) {
        (void)snprintf(s->base.identity, sizeof(s->base.identity), "mysql gtid");
    } else {
        (void)snprintf(s->base.identity, sizeof(s->base.identity), "%s %.100s",
                       s->server.is_mariadb ? "mariadb" : "mysql", s->server.uuid);
    }
}

static bool open_checked(struct mysql_source_state *s, struct error *err)
{
    owned(my_connection_free) MYSQL *c = connect_to(s, err);
    struct position gtids = {0};
    if (!c || !my_server_read(c, &s->arena, &s->server, err) ||
        !my_prerequisites_check_server(&s->server, err) ||
        !my_server_log_end(c, &s->server, &gtids, &s->opened_place, err) ||
        !as_position(&gtids, &s->opened_place, &s->opened, err) || !read_catalog(s, c, err)) {
        return false;
    }
    set_identity(s);
    s->base.position_kind = s->opened.kind;
    return true;
}

static struct source *mysql_open(const struct source_open *open, struct error *err)
{
    struct mysql_source_state *s = calloc(1, sizeof(*s));
    if (!s) {
        abort();
    }
    s->base.type = &mysql_source;
    s->config = open->config;
    s->pipeline = arena_string(&s->arena, open->pipeline, strlen(open->pipeline));
    s->is_aside = open->aside != NULL;
    s->server_id =
        my_prerequisites_server_id(open->config, open->pipeline, open->state_dir, open->aside);
    if (!open_checked(s, err)) {
        mysql_free(&s->base);
        return NULL;
    }
    return &s->base;
}

/* ---- starting ---- */

static bool begin_anew(struct mysql_source_state *s, struct position *at, struct error *err)
{
    struct my_load_options options = {
        .connection = my_prerequisites_connection(s->config, s->pipeline),
        .server = &s->server,
        .relations = s->relations,
        .relation_count = s->base.table_count,
        .connection_count = s->config->load_connections,
        .lock_timeout_ms = s->config->lock_timeout_ms,
    };
    struct position gtids = {0};
    struct my_log_place place = {0};
    if (!my_prerequisites_check_log(&options.connection, &s->server, &s->opened_place, err)) {
        return false;
    }
    s->load = my_load_begin(&options, &gtids, &place, err);
    if (!s->load || !as_position(&gtids, &place, &s->position, err)) {
        return false;
    }
    s->opened = s->position; /* the tables are still what the catalog said */
    *at = s->position;
    return true;
}

static bool dump_from(const struct mysql_source_state *s, const struct position *from,
                      struct dump_options *out, struct error *err)
{
    *out = (struct dump_options){
        .connection = my_prerequisites_connection(s->config, s->pipeline),
        .server = &s->server,
        .server_id = s->server_id,
    };
    if (from->kind == POSITION_SET) {
        out->gtids = *from;
        return true;
    }
    return as_place(s, *from, &out->place, err);
}

static bool lost(const struct mysql_source_state *s, const char *what, struct error *err)
{
    return error_set(err, ERROR_LOST, "%s; load again with leat reload %s", what, s->pipeline);
}

/* How often the log alters each table after a position. */
static bool count_ahead(const struct mysql_source_state *s, const struct position *from,
                        uint32_t *counts, struct error *err)
{
    struct ahead_options options = {
        .relations = s->relations, .relation_count = s->base.table_count, .pipeline = s->pipeline};
    if (!dump_from(s, from, &options.dump, err)) {
        return false;
    }
    return ahead_count(&options, counts, err);
}

/* Where the log does not name columns, the catalog must have been as it is all the way from the
 * position on. */
static bool check_names(struct mysql_source_state *s, struct error *err)
{
    if (strcmp(s->server.binlog_row_metadata, "FULL") == 0) {
        return true;
    }
    owned(arena_release) struct arena arena = {0};
    uint32_t *counts = arena_array(&arena, s->base.table_count, sizeof(*counts));
    if (!count_ahead(s, &s->position, counts, err)) {
        return false;
    }
    for (uint32_t i = 0; i < s->base.table_count; i++) {
        if (counts[i] > 0) {
            return my_relation_lose(&s->relations[i],
                                    "was altered while the pipeline did not run, and the log does "
                                    "not name columns (binlog_row_metadata is not FULL)",
                                    s->pipeline, err);
        }
    }
    return true;
}

static bool check_resume(struct mysql_source_state *s, const struct position *resume,
                         struct error *err)
{
    if (resume->kind != s->opened.kind) {
        return lost(s,
                    s->server.has_gtid
                        ? "the tables stand at a file and offset, and the server has "
                          "GTIDs now"
                        : "the tables stand at GTIDs, which the server does not have "
                          "any more",
                    err);
    }
    if (!position_covers(s->opened, *resume)) {
        return lost(s,
                    "the server does not have all transactions that the tables have: it is another "
                    "one, or was set back",
                    err);
    }
    return true;
}

static bool resume_at(struct mysql_source_state *s, const struct position *resume,
                      struct error *err)
{
    if (!check_resume(s, resume, err)) {
        return false;
    }
    s->position = *resume;
    return check_names(s, err);
}

static bool mysql_start(struct source *source, const struct position *resume, struct position *at,
                        struct error *err)
{
    struct mysql_source_state *s = state_of(source);
    if (!resume) {
        assert(!s->is_aside);
        return begin_anew(s, at, err);
    }
    *at = *resume;
    return resume_at(s, resume, err);
}

static bool mysql_read_rows(struct source *source, const struct source_range *range,
                            source_rows_fn *fn, void *arg, struct error *err)
{
    struct mysql_source_state *s = state_of(source);
    assert(s->load && range->table < s->base.table_count);
    return my_load_rows(s->load, range->table, fn, arg, err);
}

/* ---- streaming ---- */

static bool lookup(void *arg, const struct my_relation *r, const struct position *position,
                   bool proves_names, struct my_relation_facts *out, struct error *err)
{
    struct mysql_source_state *s = arg;
    owned(my_connection_free) MYSQL *c = connect_to(s, err);
    if (!c || !my_catalog_read_table(c, &s->server, r->name, &out->arena, &out->now, err)) {
        return false;
    }
    if (!proves_names) {
        return true;
    }
    uint32_t *counts = arena_array(&out->arena, s->base.table_count, sizeof(*counts));
    if (!count_ahead(s, position, counts, err)) {
        return false;
    }
    return counts[r->table] <= 1 ||
           my_relation_lose(
               r,
               "was altered more than once before the pipeline saw it, and the log does "
               "not name columns (binlog_row_metadata is not FULL)",
               s->pipeline, err);
}

static bool make_stream(struct mysql_source_state *s, struct error *err)
{
    bool is_loaded = s->load != NULL;
    my_load_free(&s->load);
    struct dump_options options;
    if (!dump_from(s, &s->position, &options, err)) {
        return false;
    }
    s->dump = dump_open(&options, err);
    if (!s->dump) {
        return false;
    }
    struct my_stream_options stream = {
        .relations = s->relations,
        .relation_count = s->base.table_count,
        .relation_options = relation_options(s),
        .is_mariadb = s->server.is_mariadb,
        .has_gtid = s->position.kind == POSITION_SET,
        .has_checksum = dump_has_checksum(s->dump),
        .is_loaded = is_loaded,
        .has_names = strcmp(s->server.binlog_row_metadata, "FULL") == 0,
        .names_lower_case = s->server.names_lower_case,
        .position = s->position,
        .opened = s->opened,
        .lookup = lookup,
        .lookup_arg = s,
    };
    s->stream = my_stream_new(&stream);
    return true;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Receives and applies one event, waiting no longer than `timeout_ms`; `*came`: there was one. */
static bool step(struct mysql_source_state *s, int timeout_ms, bool *came, struct error *err)
{
    struct str event = {0};
    bool ended = false;
    if (!dump_next(s->dump, timeout_ms, &event, &ended, err)) {
        return false;
    }
    if (ended) {
        return error_set(err, ERROR_RETRY, "the server ended the log");
    }
    *came = event.size > 0;
    return !*came || my_stream_apply(s->stream, event.data, event.size, err);
}

static bool mysql_next(struct source *source, int timeout_ms, struct event *out, struct error *err)
{
    struct mysql_source_state *s = state_of(source);
    if (!s->stream && !make_stream(s, err)) {
        return false;
    }
    int64_t deadline_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    for (unsigned events = 1; !my_stream_take(s->stream, out); events++) {
        bool came = false;
        if (!step(s, 0, &came, err)) {
            return false;
        }
        if (came && events % EVENTS_PER_LOOK != 0) {
            continue;
        }
        int64_t left_us = deadline_us - clock_monotonic_us();
        if (!came && my_stream_can_rest(s->stream)) {
            if (!step(s, REST_US / 1000, &came, err)) {
                return false;
            }
            if (!came) {
                my_stream_rest(s->stream);
            }
        } else if (left_us <= 0) {
            if (my_stream_can_rest(s->stream)) {
                my_stream_rest(s->stream);
                continue;
            }
            *out = (struct event){.kind = EVENT_NONE};
            return true;
        } else if (!came && !step(s, (int)smaller(left_us / 1000 + 1, 1000), &came, err)) {
            return false;
        }
    }
    return true;
}

/* The server remembers nothing of its readers: its log is purged by age. */
static bool mysql_acknowledge(struct source *source, struct position position, struct error *err)
{
    (void)source;
    (void)position;
    (void)err;
    return true;
}

const struct source_type mysql_source = {
    .name = "mysql",
    .summary = "MySQL 5.7 and newer, MariaDB 10.3 and newer, by their binary log",
    .open = mysql_open,
    .start = mysql_start,
    .read_rows = mysql_read_rows,
    .next = mysql_next,
    .acknowledge = mysql_acknowledge,
    .check = my_prerequisites_check,
    .free = mysql_free,
};
