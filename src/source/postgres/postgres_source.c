/* The source itself: what connection, catalog, publication, slot, copy and stream do together. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "source/postgres/catalog.h"
#include "source/postgres/connection.h"
#include "source/postgres/copy.h"
#include "source/postgres/prerequisites.h"
#include "source/postgres/publication.h"
#include "source/postgres/relation.h"
#include "source/postgres/replication.h"
#include "source/postgres/slot.h"
#include "source/postgres/stream.h"
#include "source/types.h"

enum {
    REST_US = 2000,        /* nothing came for so long: the stream rests */
    MESSAGES_PER_LOOK = 64 /* at clocks and duties while data flows */
};

struct postgres_source_state {
    struct source base;
    const struct source_config *config; /* borrowed */
    const char *pipeline;               /* all below: in the arena */
    const char *slot;
    const char *copy; /* of the slot, for a reader aside: gone with its connection; else NULL */
    const char *publication;
    struct arena arena;

    PGconn *control; /* for the catalog */
    struct catalog_server server;
    struct catalog_tables catalog;
    struct source_table *tables;
    struct relation *relations; /* as many as catalog.count; those made so far: base.table_count */
    struct slot_state slot_state;
    bool has_publication;

    PGconn *load; /* holds the snapshot from start() until the first next() */
    struct replication replication;
    uint64_t position; /* where the stream starts */
    struct stream *stream;
};

static struct postgres_source_state *state_of(struct source *s)
{
    return (struct postgres_source_state *)s;
}

static void postgres_free(struct source *source)
{
    struct postgres_source_state *s = state_of(source);
    stream_free(&s->stream);
    replication_close(&s->replication);
    connection_free(&s->load);
    connection_free(&s->control);
    for (uint32_t i = 0; i < s->base.table_count; i++) {
        relation_release(&s->relations[i]);
    }
    arena_release(&s->arena);
    free(s);
}

static struct relation_options relation_options(const struct postgres_source_state *s)
{
    return (struct relation_options){.as_text = &s->config->as_text, .pipeline = s->pipeline};
}

static PGconn *connect_to(const struct postgres_source_state *s, bool replication,
                          struct error *err)
{
    struct connection_options options = {
        .url = s->config->url,
        .pipeline = s->pipeline,
        .connect_timeout_ms = s->config->connect_timeout_ms,
        .replication = replication,
    };
    return connection_open(&options, err);
}

static bool read_catalog(struct postgres_source_state *s, struct error *err)
{
    if (!catalog_read_tables(s->control, &s->config->tables, &s->arena, &s->catalog, err)) {
        return false;
    }
    struct relation_options options = relation_options(s);
    s->relations = arena_array(&s->arena, s->catalog.count, sizeof(*s->relations));
    s->tables = arena_array(&s->arena, s->catalog.count, sizeof(*s->tables));
    s->base.tables = s->tables;
    for (uint32_t i = 0; i < s->catalog.count; i++) {
        const struct catalog_table *table = &s->catalog.items[i];
        if (!catalog_check_identity(table, err)) {
            return false;
        }
        struct relation *r = &s->relations[i];
        bool done = relation_init(r, table, i, &options, err);
        s->base.table_count++; /* released with the source in any case */
        if (!done) {
            return false;
        }
        s->tables[i] = (struct source_table){
            .name = r->name,
            .schema = r->schema,
            .whole_before = table->replica_identity == 'f',
            .row_estimate = table->row_estimate,
        };
    }
    return true;
}

static struct publication_options publication_options(const struct postgres_source_state *s)
{
    return (struct publication_options){
        .name = s->publication, .tables = &s->catalog, .server_version = s->server.version};
}

static bool open_checked(struct postgres_source_state *s, struct error *err)
{
    s->control = connect_to(s, false, err);
    if (!s->control || !catalog_read_server(s->control, &s->arena, &s->server, err) ||
        !prerequisites_check_server(&s->server, err) || !read_catalog(s, err)) {
        return false;
    }
    struct publication_options publication = publication_options(s);
    if (!publication_check(s->control, &publication, &s->has_publication, err) ||
        !slot_read(s->control, s->slot, &s->slot_state, err)) {
        return false;
    }
    s->base.has_memory = true;
    s->base.position_kind = POSITION_INTEGER;
    if (s->slot_state.exists) {
        s->base.remembered = position_integer(s->slot_state.confirmed);
    }
    int size = snprintf(s->base.identity, sizeof(s->base.identity), "postgres %s/%s",
                        s->server.system_identifier, s->server.database);
    return size < (int)sizeof(s->base.identity) ||
           error_set(err, ERROR_CONFIG, "the name of database \"%s\" is too long",
                     s->server.database);
}

static struct source *postgres_open(const struct source_open *open, struct error *err)
{
    struct postgres_source_state *s = calloc(1, sizeof(*s));
    if (!s) {
        abort();
    }
    s->base.type = &postgres_source;
    s->config = open->config;
    s->pipeline = arena_string(&s->arena, open->pipeline, strlen(open->pipeline));
    s->slot = prerequisites_slot_name(open->config, open->pipeline, &s->arena);
    s->copy = open->aside ? slot_copy_name(s->slot, &s->arena) : NULL;
    s->publication = prerequisites_publication_name(open->config, open->pipeline, &s->arena);
    if (!open_checked(s, err)) {
        postgres_free(&s->base);
        return NULL;
    }
    return &s->base;
}

static bool same_columns(const struct catalog_table *a, const struct catalog_table *b)
{
    if (a->id != b->id || a->column_count != b->column_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->column_count; i++) {
        const struct catalog_column *x = &a->columns[i];
        const struct catalog_column *y = &b->columns[i];
        if (strcmp(x->name, y->name) != 0 || x->type_id != y->type_id || x->typmod != y->typmod ||
            x->not_null != y->not_null || x->is_key != y->is_key) {
            return false;
        }
    }
    return true;
}

/* Locks the tables against ALTER and TRUNCATE until the load is over: a table that is rewritten in
 * between would look empty to the snapshot. Then makes sure that they are still what open() saw. */
static bool lock_tables(struct postgres_source_state *s, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_text(
        &sql,
        "SET lock_timeout = '60s'; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; LOCK TABLE ");
    for (uint32_t i = 0; i < s->base.table_count; i++) {
        buf_append_text(&sql, i == 0 ? "ONLY " : ", ONLY ");
        catalog_append_name(&sql, s->relations[i].name);
    }
    buf_append_text(&sql, " IN ACCESS SHARE MODE");
    if (!connection_execute(s->load, buf_text(&sql), err)) {
        return error_wrap(err, "cannot lock the tables for loading");
    }
    for (uint32_t i = 0; i < s->base.table_count; i++) {
        struct relation *r = &s->relations[i];
        struct arena arena = {0};
        struct catalog_table now = {0};
        bool done = catalog_read_table(s->control, r->id, &arena, &now, err);
        if (done && !same_columns(&now, &r->known)) {
            done = error_set(err, ERROR_RETRY, "table %s.%s was altered as its load began",
                             r->name.schema, r->name.table);
        }
        if (!done) {
            arena_release(&arena);
            return false;
        }
        arena_release(&r->known_arena);
        r->known_arena = arena;
        r->known = now;
    }
    return true;
}

static bool take_snapshot(struct postgres_source_state *s, struct error *err)
{
    struct slot_snapshot snapshot = {0};
    s->replication.connection = connect_to(s, true, err);
    if (!s->replication.connection ||
        !slot_create(s->replication.connection, s->control, s->slot, &s->arena, &snapshot, err)) {
        return false;
    }
    s->position = snapshot.position;
    s->slot_state = (struct slot_state){.exists = true, .confirmed = snapshot.position};
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "SET TRANSACTION SNAPSHOT ");
    buf_append_literal(&sql, snapshot.name);
    return connection_execute(s->load, buf_text(&sql), err) ||
           error_wrap(err, "cannot take over the snapshot of slot \"%s\"", s->slot);
}

/* The publication first: the server cannot stream what came before it. */
static bool begin_anew(struct postgres_source_state *s, struct position *at, struct error *err)
{
    if (!slot_read(s->control, s->slot, &s->slot_state, err)) {
        return false;
    }
    if (s->slot_state.active_pid != 0) {
        return slot_in_use(s->slot, &s->slot_state, s->pipeline, err);
    }
    if (s->slot_state.exists && !slot_drop(s->control, s->slot, err)) {
        return false;
    }
    struct publication_options publication = publication_options(s);
    if (!s->has_publication && !publication_create(s->control, &publication, err)) {
        return false;
    }
    s->has_publication = true;
    s->load = connect_to(s, false, err);
    if (!s->load || !lock_tables(s, err) || !take_snapshot(s, err)) {
        return false;
    }
    *at = position_integer(s->position);
    return true;
}

static bool begin_streaming(struct postgres_source_state *s, bool is_binary, struct error *err)
{
    if (s->load && !connection_execute(s->load, "COMMIT", err)) {
        return false;
    }
    connection_free(&s->load);
    struct replication_start start = {
        .slot = s->copy ? s->copy : s->slot,
        .publication = s->publication,
        .position = s->position,
        .acknowledged = s->slot_state.confirmed,
        .is_binary = is_binary,
    };
    return replication_start(&s->replication, &start, err);
}

static bool lookup(void *arg, const struct pgoutput_message *message, struct relation_facts *out,
                   struct error *err)
{
    struct postgres_source_state *s = arg;
    const struct pgoutput_relation *m = &message->relation;
    struct catalog_type_id *ids = arena_array(&out->arena, m->column_count, sizeof(*ids));
    for (uint32_t i = 0; i < m->column_count; i++) {
        ids[i] = (struct catalog_type_id){m->columns[i].type_id, m->columns[i].typmod};
    }
    out->types = arena_array(&out->arena, m->column_count, sizeof(*out->types));
    return catalog_read_table(s->control, message->relation_id, &out->arena, &out->now, err) &&
           catalog_read_types(s->control, ids, m->column_count, &out->arena, out->types, err);
}

static bool make_stream(struct postgres_source_state *s, struct error *err)
{
    bool is_binary = true;
    for (uint32_t i = 0; i < s->base.table_count; i++) {
        is_binary = is_binary && relation_is_binary(&s->relations[i]);
    }
    if (!begin_streaming(s, is_binary, err)) {
        return false;
    }
    struct stream_options options = {
        .relations = s->relations,
        .relation_count = s->base.table_count,
        .relation_options = relation_options(s),
        .is_binary = is_binary,
        .lookup = lookup,
        .lookup_arg = s,
        .position = s->position,
    };
    s->stream = stream_new(&options);
    return true;
}

static bool lost_slot(const struct postgres_source_state *s, const char *what, struct error *err)
{
    return error_set(err, ERROR_LOST, "%s; load again with leat reload %s", what, s->pipeline);
}

static bool resume_at(struct postgres_source_state *s, const struct position *resume,
                      struct error *err)
{
    char what[256];
    if (resume->kind != POSITION_INTEGER) {
        return error_set(err, ERROR_FATAL, "a position of PostgreSQL is an integer");
    }
    if (!s->slot_state.exists) {
        (void)snprintf(what, sizeof(what),
                       "slot \"%s\" does not exist any more: changes since its removal are gone",
                       s->slot);
        return lost_slot(s, what, err);
    }
    if (s->slot_state.is_lost) {
        (void)snprintf(
            what, sizeof(what),
            "slot \"%s\" is invalid: the server removed log that it needed (max_slot_wal_keep_size)",
            s->slot);
        return lost_slot(s, what, err);
    }
    if (!s->has_publication) {
        (void)snprintf(what, sizeof(what),
                       "publication \"%s\" does not exist any more: its changes cannot be read",
                       s->publication);
        return lost_slot(s, what, err);
    }
    if (resume->integer < s->slot_state.confirmed) {
        (void)snprintf(what, sizeof(what),
                       "slot \"%s\" is at %" PRIu64 ", past the tables' %" PRIu64, s->slot,
                       s->slot_state.confirmed, resume->integer);
        return lost_slot(s, what, err);
    }
    if (s->slot_state.active_pid != 0 && !s->copy) {
        return slot_in_use(s->slot, &s->slot_state, s->pipeline, err);
    }
    s->position = resume->integer;
    s->replication.connection = connect_to(s, true, err);
    return s->replication.connection &&
           (!s->copy || slot_copy(s->replication.connection, s->slot, s->copy, err)) &&
           make_stream(s, err);
}

static bool postgres_start(struct source *source, const struct position *resume,
                           struct position *at, struct error *err)
{
    struct postgres_source_state *s = state_of(source);
    if (!resume) {
        assert(!s->copy); /* a reader aside must not touch the pipeline's slot */
        return begin_anew(s, at, err);
    }
    *at = *resume;
    return resume_at(s, resume, err);
}

static bool postgres_read_rows(struct source *source, const struct source_range *range,
                               source_rows_fn *fn, void *arg, struct error *err)
{
    struct postgres_source_state *s = state_of(source);
    assert(s->load && range->table < s->base.table_count);
    return copy_table(s->load, &s->relations[range->table], fn, arg, err);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool postgres_next(struct source *source, int timeout_ms, struct event *out,
                          struct error *err)
{
    struct postgres_source_state *s = state_of(source);
    if (!s->stream && !make_stream(s, err)) {
        return false;
    }
    struct replication *r = &s->replication;
    int64_t deadline_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    int64_t quiet_since_us = 0;
    for (unsigned messages = 0; !stream_take(s->stream, out);) {
        struct replication_message m = {0};
        if (!replication_receive(r, &m, err)) {
            return false;
        }
        if (m.kind == RECEIVED_DATA) {
            quiet_since_us = 0;
            if (!stream_apply(s->stream, m.data, m.size, err)) {
                return false;
            }
            if (++messages % MESSAGES_PER_LOOK != 0) {
                continue;
            }
        } else if (m.kind == RECEIVED_KEEPALIVE) {
            stream_keepalive(s->stream, m.end_lsn);
        }
        if (!replication_report(r, err)) {
            return false;
        }
        int64_t now_us = clock_monotonic_us();
        bool late = now_us >= deadline_us;
        if (m.kind == RECEIVED_NOTHING && quiet_since_us == 0) {
            quiet_since_us = now_us;
        }
        bool quiet = quiet_since_us != 0 && now_us - quiet_since_us >= REST_US;
        if (stream_can_rest(s->stream) && (late || quiet)) {
            stream_rest(s->stream);
            continue;
        }
        if (late) {
            *out = (struct event){.kind = EVENT_NONE};
            return true;
        }
        if (m.kind == RECEIVED_NOTHING) {
            int64_t wait_ms =
                smaller((deadline_us - now_us + 999) / 1000, replication_report_due_ms(r));
            wait_ms = stream_can_rest(s->stream) ? smaller(wait_ms, REST_US / 1000) : wait_ms;
            if (!replication_wait(r, (int)wait_ms, err)) {
                return false;
            }
        }
    }
    return true;
}

static bool postgres_acknowledge(struct source *source, struct position position, struct error *err)
{
    struct postgres_source_state *s = state_of(source);
    if (position.kind == POSITION_INTEGER) {
        replication_acknowledge(&s->replication, position.integer);
        assert(!s->replication.is_streaming ||
               s->replication.acknowledged <= s->replication.received ||
               s->replication.acknowledged == s->slot_state.confirmed);
    }
    return replication_report(&s->replication, err);
}

const struct source_type postgres_source = {
    .name = "postgres",
    .summary = "PostgreSQL 13 and newer, by logical replication",
    .open = postgres_open,
    .start = postgres_start,
    .read_rows = postgres_read_rows,
    .next = postgres_next,
    .acknowledge = postgres_acknowledge,
    .check = prerequisites_check,
    .free = postgres_free,
};
