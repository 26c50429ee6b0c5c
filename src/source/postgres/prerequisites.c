#include "source/postgres/prerequisites.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "source/postgres/connection.h"
#include "source/postgres/publication.h"
#include "source/postgres/relation.h"
#include "source/postgres/slot.h"

enum {
    VERSION_MIN = 130000,
    RETAINED_MANY = 1 << 30, /* bytes of log that a slot holds back before it is worth a warning */
};

static bool check_version(const struct catalog_server *server, struct error *err)
{
    return server->version >= VERSION_MIN ||
           error_set(err, ERROR_CONFIG, "the server is PostgreSQL %d: 13 or newer is needed",
                     server->version / 10000);
}

static bool check_wal_level(const struct catalog_server *server, struct error *err)
{
    return strcmp(server->wal_level, "logical") == 0 ||
           error_set(
               err, ERROR_CONFIG,
               "wal_level is %s: run ALTER SYSTEM SET wal_level = 'logical' and restart the server",
               server->wal_level);
}

static bool check_recovery(const struct catalog_server *server, struct error *err)
{
    return !server->in_recovery ||
           error_set(err, ERROR_CONFIG, "the server is a standby: connect to the primary");
}

static bool check_role(const struct catalog_server *server, struct error *err)
{
    return server->can_replicate ||
           error_set(err, ERROR_CONFIG,
                     "role \"%s\" may not replicate: run ALTER ROLE \"%s\" REPLICATION",
                     server->role, server->role);
}

typedef bool server_check_fn(const struct catalog_server *server, struct error *err);
static server_check_fn *const server_checks[] = {check_version, check_wal_level, check_recovery,
                                                 check_role};
enum { SERVER_CHECKS = sizeof(server_checks) / sizeof(server_checks[0]) };

bool prerequisites_check_server(const struct catalog_server *server, struct error *err)
{
    for (size_t i = 0; i < SERVER_CHECKS; i++) {
        if (!server_checks[i](server, err)) {
            return false;
        }
    }
    return true;
}

static const char *default_name(const char *pipeline, struct arena *arena)
{
    char *name = arena_format(arena, "leat_%.58s", pipeline);
    for (char *p = name; *p; p++) {
        *p = isalnum((unsigned char)*p) ? (char)tolower((unsigned char)*p) : '_';
    }
    return name;
}

const char *prerequisites_slot_name(const struct source_config *config, const char *pipeline,
                                    struct arena *arena)
{
    return config->slot ? config->slot : default_name(pipeline, arena);
}

const char *prerequisites_publication_name(const struct source_config *config, const char *pipeline,
                                           struct arena *arena)
{
    return config->publication ? config->publication : default_name(pipeline, arena);
}

/* ---- the check that reports ---- */

struct check {
    const struct source_config *config;
    const char *pipeline;
    source_finding_fn *fn;
    void *arg;
    struct arena arena;
    PGconn *connection;
    struct catalog_server server;
    struct catalog_tables tables; /* those that were found */
};

printf_like(2) static void report_ok(const struct check *c, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    c->fn(c->arg, &(struct source_finding){.level = FINDING_OK, .text = text});
}

printf_like(2) static void report_warning(const struct check *c, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    c->fn(c->arg, &(struct source_finding){.level = FINDING_WARNING, .text = text});
}

/* Reports a failure and forgets it. */
static void report_error(const struct check *c, struct error *err)
{
    c->fn(c->arg, &(struct source_finding){
                      .level = FINDING_ERROR, .kind = err->kind, .text = err->message});
    *err = (struct error){0};
}

static PGconn *check_connect(const struct check *c, bool replication, struct error *err)
{
    struct connection_options options = {
        .url = c->config->url,
        .pipeline = c->pipeline,
        .connect_timeout_ms = c->config->connect_timeout_ms,
        .replication = replication,
    };
    return connection_open(&options, err);
}

static void check_server(struct check *c)
{
    struct error err = {0};
    report_ok(c, "connected to database \"%s\" as \"%s\", PostgreSQL %d.%d", c->server.database,
              c->server.role, c->server.version / 10000, c->server.version % 10000);
    static const char *const met[SERVER_CHECKS] = {NULL, "wal_level is logical", NULL,
                                                   "the role may replicate"};
    for (size_t i = 0; i < SERVER_CHECKS; i++) {
        if (!server_checks[i](&c->server, &err)) {
            report_error(c, &err);
        } else if (met[i]) {
            report_ok(c, "%s", met[i]);
        }
    }
    owned(connection_free) PGconn *replication = check_connect(c, true, &err);
    if (!replication) {
        error_wrap(&err, "replication connection");
        report_error(c, &err);
    } else {
        report_ok(c, "replication connections are let in");
    }
}

static void check_columns(struct check *c, const struct catalog_table *t)
{
    struct relation_options options = {.as_text = &c->config->as_text, .pipeline = c->pipeline};
    struct error err = {0};
    struct relation r = {0};
    if (!relation_init(&r, t, 0, &options, &err)) {
        relation_release(&r);
        report_error(c, &err);
        return;
    }
    bool has_large = false;
    for (uint32_t i = 0; i < t->column_count; i++) {
        has_large |= t->columns[i].can_be_large;
        if (t->columns[i].is_generated) {
            report_warning(
                c, "table %s.%s, column \"%s\" is generated: it is not in the stream and left out",
                t->name.schema, t->name.table, t->columns[i].name);
        }
    }
    bool is_full = t->replica_identity == 'f';
    if (r.schema->key_count == 0) {
        report_warning(c,
                       "table %s.%s has no primary key: it can only be appended to (mode: append)",
                       t->name.schema, t->name.table);
    } else {
        report_ok(c, "table %s.%s: %u columns, %u in the key%s", t->name.schema, t->name.table,
                  r.schema->column_count, r.schema->key_count,
                  is_full     ? ", whole old rows"
                  : has_large ? "; large values that an update leaves alone are kept from the table"
                              : "");
    }
    relation_release(&r);
}

static void add_found(struct check *c, const struct catalog_tables *found)
{
    struct catalog_tables all = {
        .items = arena_array(&c->arena, c->tables.count + found->count, sizeof(*all.items))};
    for (uint32_t i = 0; i < c->tables.count; i++) {
        all.items[all.count++] = c->tables.items[i];
    }
    for (uint32_t i = 0; i < found->count; i++) {
        bool known = false;
        for (uint32_t k = 0; k < c->tables.count; k++) {
            known |= c->tables.items[k].id == found->items[i].id;
        }
        if (!known) {
            all.items[all.count++] = found->items[i];
        }
    }
    c->tables = all;
}

static void check_tables(struct check *c)
{
    struct error err = {0};
    for (uint32_t i = 0; i < c->config->tables.count; i++) {
        struct config_strings one = {.items = &c->config->tables.items[i], .count = 1};
        struct catalog_tables found = {0};
        if (catalog_read_tables(c->connection, &one, &c->arena, &found, &err)) {
            add_found(c, &found);
        } else {
            report_error(c, &err);
        }
    }
    for (uint32_t i = 0; i < c->tables.count; i++) {
        if (!catalog_check_identity(&c->tables.items[i], &err)) {
            report_error(c, &err);
        }
        check_columns(c, &c->tables.items[i]);
    }
}

static void check_publication(struct check *c)
{
    struct error err = {0};
    struct publication_options options = {
        .name = prerequisites_publication_name(c->config, c->pipeline, &c->arena),
        .tables = &c->tables,
        .server_version = c->server.version,
    };
    bool exists = false;
    bool can_create = false;
    if (!publication_check(c->connection, &options, &exists, &err) ||
        (!exists && !publication_can_create(c->connection, &options, &can_create, &err))) {
        report_error(c, &err);
    } else if (exists) {
        report_ok(c, "publication \"%s\" contains the tables", options.name);
    } else if (can_create) {
        report_ok(c, "publication \"%s\" will be made by the first run", options.name);
    } else {
        owned(buf_release) struct buf sql = {0};
        publication_append_sql(&options, &sql);
        error_set(
            &err, ERROR_CONFIG,
            "publication \"%s\" does not exist and role \"%s\" may not make it: let an owner of "
            "database and tables run %s",
            options.name, c->server.role, buf_text(&sql));
        report_error(c, &err);
    }
}

static void check_room(const struct check *c)
{
    struct error err = {0};
    if (c->server.slots_used >= c->server.slots_max) {
        error_set(
            &err, ERROR_CONFIG,
            "all %u replication slots are in use: raise max_replication_slots and restart the server",
            c->server.slots_max);
        report_error(c, &err);
    }
    if (c->server.senders_used >= c->server.senders_max) {
        error_set(&err, ERROR_CONFIG,
                  "all %u walsenders are in use: raise max_wal_senders and restart the server",
                  c->server.senders_max);
        report_error(c, &err);
    }
}

static void check_slot(struct check *c)
{
    struct error err = {0};
    const char *name = prerequisites_slot_name(c->config, c->pipeline, &c->arena);
    struct slot_state slot = {0};
    if (!slot_read(c->connection, name, &slot, &err)) {
        report_error(c, &err);
    } else if (!slot.exists) {
        check_room(c);
        report_ok(c, "slot \"%s\" will be made by the first run", name);
    } else if (slot.is_lost) {
        error_set(
            &err, ERROR_LOST,
            "slot \"%s\" is invalid: the server removed log that it needed; load again with leat reload %s",
            name, c->pipeline);
        report_error(c, &err);
    } else if (slot.active_pid != 0) {
        report_warning(c, "slot \"%s\" is in use by server process %" PRIu32 " (%s)", name,
                       slot.active_pid,
                       slot.active_application[0] ? slot.active_application : "unnamed");
    } else if (slot.retained_bytes > RETAINED_MANY) {
        report_warning(
            c, "slot \"%s\" holds back %" PRIu64 " MiB of log: run the pipeline, or drop the slot",
            name, slot.retained_bytes >> 20);
    } else {
        report_ok(c, "slot \"%s\" is free, %" PRIu64 " MiB of log behind", name,
                  slot.retained_bytes >> 20);
    }
}

void prerequisites_check(const struct source_config *config, const char *pipeline,
                         source_finding_fn *fn, void *arg)
{
    struct check c = {.config = config, .pipeline = pipeline, .fn = fn, .arg = arg};
    struct error err = {0};
    c.connection = check_connect(&c, false, &err);
    if (!c.connection || !catalog_read_server(c.connection, &c.arena, &c.server, &err)) {
        report_error(&c, &err);
    } else {
        check_server(&c);
        check_tables(&c);
        check_publication(&c);
        check_slot(&c);
    }
    connection_free(&c.connection);
    arena_release(&c.arena);
}
