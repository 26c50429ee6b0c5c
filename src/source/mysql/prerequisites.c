#include "source/mysql/prerequisites.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "source/mysql/catalog.h"
#include "source/mysql/dump.h"
#include "source/mysql/relation.h"

enum {
    MYSQL_VERSION_MIN = 50700,
    MARIADB_VERSION_MIN = 100300,
    ROLES_VERSION_MIN = 80000,
    RETENTION_SHORT_S = 86400,
    LOG_WAIT_MS = 30000
};

struct my_connection_options my_prerequisites_connection(const struct source_config *config,
                                                         const char *pipeline)
{
    return (struct my_connection_options){
        .url = config->url,
        .pipeline = pipeline,
        .connect_timeout_ms = config->connect_timeout_ms,
        .lock_timeout_ms = config->lock_timeout_ms,
    };
}

uint32_t my_prerequisites_server_id(const struct source_config *config, const char *pipeline,
                                    const char *state_dir, const char *aside)
{
    if (config->server_id != 0 && !aside) {
        return config->server_id;
    }
    owned(buf_release) struct buf text = {0};
    char host[256] = "";
    (void)gethostname(host, sizeof(host) - 1);
    buf_append_format(&text, "%s %s %s %s", host, state_dir ? state_dir : "", pipeline,
                      aside ? aside : "");
    /* Above the numbers that people give by hand. */
    return 0x40000000U | (uint32_t)(XXH3_64bits(text.data, text.size) & 0x3FFFFFFFU);
}

/* ---- the server ---- */

static bool check_version(const struct my_server *s, struct error *err)
{
    return s->version >= (s->is_mariadb ? MARIADB_VERSION_MIN : MYSQL_VERSION_MIN) ||
           error_set(err, ERROR_CONFIG, "the server is %s %s: %s or newer is needed",
                     s->is_mariadb ? "MariaDB" : "MySQL", s->version_text,
                     s->is_mariadb ? "10.3" : "5.7");
}

static bool check_log(const struct my_server *s, struct error *err)
{
    return s->has_log || error_set(err, ERROR_CONFIG,
                                   "log_bin is OFF: set log_bin and server_id in the server's "
                                   "configuration and restart it");
}

static bool check_format(const struct my_server *s, struct error *err)
{
    return strcmp(s->binlog_format, "ROW") == 0 ||
           error_set(err, ERROR_CONFIG,
                     "binlog_format is %s: run SET GLOBAL binlog_format = 'ROW', also in the "
                     "server's configuration",
                     s->binlog_format);
}

static bool check_partial_json(const struct my_server *s, struct error *err)
{
    return !s->has_partial_json ||
           error_set(err, ERROR_CONFIG,
                     "binlog_row_value_options is PARTIAL_JSON: run SET GLOBAL "
                     "binlog_row_value_options = ''");
}

typedef bool server_check_fn(const struct my_server *server, struct error *err);
static server_check_fn *const server_checks[] = {check_version, check_log, check_format,
                                                 check_partial_json};
enum { SERVER_CHECKS = sizeof(server_checks) / sizeof(server_checks[0]) };

bool my_prerequisites_check_server(const struct my_server *server, struct error *err)
{
    for (size_t i = 0; i < SERVER_CHECKS; i++) {
        if (!server_checks[i](server, err)) {
            return false;
        }
    }
    return true;
}

bool my_prerequisites_check_log(const struct my_connection_options *connection,
                                const struct my_server *server, const struct my_log_place *place,
                                struct error *err)
{
    struct dump_options options = {
        .connection = *connection, .server = server, .place = *place, .until_end = true};
    owned(dump_free) struct dump *d = dump_open(&options, err);
    struct str event = {0};
    bool ended = false;
    if (d && dump_next(d, LOG_WAIT_MS, &event, &ended, err)) {
        return true;
    }
    return err->kind != ERROR_CONFIG ? error_wrap(err, "cannot read the log")
                                     : error_wrap(err,
                                                  "cannot read the log: GRANT REPLICATION SLAVE ON "
                                                  "*.* TO %s",
                                                  server->user);
}

/* ---- the check that reports ---- */

struct check {
    const struct source_config *config;
    const char *pipeline;
    source_finding_fn *fn;
    void *arg;
    struct arena arena;
    MYSQL *connection;
    struct my_server server;
};

printf_like(3) static void report(const struct check *c, int level, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct source_finding finding = {.text = text};
    finding.level = (__typeof__(finding.level))level;
    c->fn(c->arg, &finding);
}

/* Reports a failure and forgets it. */
static void report_error(const struct check *c, struct error *err)
{
    c->fn(c->arg, &(struct source_finding){
                      .level = FINDING_ERROR, .kind = err->kind, .text = err->message});
    *err = (struct error){0};
}

static void check_retention(const struct check *c)
{
    int64_t kept_s = c->server.retention_s;
    if (kept_s > 0 && kept_s < RETENTION_SHORT_S) {
        report(c, FINDING_WARNING,
               "the server keeps its log for %" PRId64
               " s: a pipeline that is stopped for longer has to load again "
               "(binlog_expire_logs_seconds)",
               kept_s);
    } else {
        report(c, FINDING_OK, "the server keeps its log for %s",
               kept_s == 0 ? "ever, until it is purged by hand" : "a day or longer");
    }
}

static void check_settings(const struct check *c)
{
    const struct my_server *s = &c->server;
    static const char *const met[SERVER_CHECKS] = {NULL, "log_bin is ON", "binlog_format is ROW",
                                                   NULL};
    struct error err = {0};
    for (size_t i = 0; i < SERVER_CHECKS; i++) {
        if (!server_checks[i](s, &err)) {
            report_error(c, &err);
        } else if (met[i]) {
            report(c, FINDING_OK, "%s", met[i]);
        }
    }
    if (strcmp(s->binlog_row_metadata, "FULL") == 0) {
        report(c, FINDING_OK, "binlog_row_metadata is FULL: the log names columns");
    } else {
        report(c, FINDING_WARNING,
               "binlog_row_metadata is %s: a table that is altered while the pipeline does not run "
               "has to be loaded again; run SET GLOBAL binlog_row_metadata = 'FULL'",
               s->binlog_row_metadata[0] ? s->binlog_row_metadata : "not there");
    }
    report(c, FINDING_OK, "binlog_row_image is %s%s", s->binlog_row_image,
           strcmp(s->binlog_row_image, "FULL") == 0
               ? ""
               : ": what an update leaves alone is kept from the table");
    if (s->has_gtid) {
        report(c, FINDING_OK, "positions are GTIDs");
    } else {
        report(c, FINDING_WARNING,
               "gtid_mode is not ON: positions are files and offsets of this one server");
    }
    check_retention(c);
}

/* What a run will ask for, asked here. */
static void check_log_rights(const struct check *c)
{
    struct error err = {0};
    struct position gtids = {0};
    struct my_log_place place = {0};
    struct my_connection_options options = my_prerequisites_connection(c->config, c->pipeline);
    if (!my_server_log_end(c->connection, &c->server, &gtids, &place, &err) ||
        !my_prerequisites_check_log(&options, &c->server, &place, &err)) {
        report_error(c, &err);
        return;
    }
    report(c, FINDING_OK, "the user may read the log, which is at %s:%" PRIu64, place.file,
           place.offset);
}

/* SHOW GRANTS, with what comes of roles where they have to be asked for (MySQL). */
static MYSQL_RES *read_grants(const struct check *c, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "SHOW GRANTS");
    if (!c->server.is_mariadb && c->server.version >= ROLES_VERSION_MIN) {
        owned(my_result_free) MYSQL_RES *r =
            my_connection_query(c->connection, "SELECT CURRENT_ROLE()", err);
        MYSQL_ROW row = r ? mysql_fetch_row(r) : NULL;
        if (row && row[0] && strcmp(row[0], "NONE") != 0) {
            buf_append_format(&sql, " FOR CURRENT_USER() USING %s", row[0]);
        }
        if (!r) {
            return NULL;
        }
    }
    return my_connection_query(c->connection, buf_text(&sql), err);
}

/* To try the lock would hold writers. */
static void check_lock_rights(const struct check *c)
{
    static const char *const words[] = {"ALL PRIVILEGES", "RELOAD", "FLUSH_TABLES", "LOCK TABLES"};
    struct error err = {0};
    owned(my_result_free) MYSQL_RES *grants = read_grants(c, &err);
    bool may_lock = false;
    for (MYSQL_ROW row = grants ? mysql_fetch_row(grants) : NULL; row;
         row = mysql_fetch_row(grants)) {
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
            may_lock |= row[0] && strstr(row[0], words[i]);
        }
    }
    if (!grants) {
        report_error(c, &err);
    } else if (may_lock) {
        report(c, FINDING_OK, "the user may hold writers for the instant in which a load begins");
    } else {
        report(c, FINDING_WARNING,
               "no grant shows that the user may hold writers for the instant in which a load "
               "begins: GRANT RELOAD ON *.* TO %s, or GRANT LOCK TABLES on the tables' databases",
               c->server.user);
    }
}

static void check_table(const struct check *c, const struct my_catalog_table *t)
{
    struct my_relation_options options = {
        .as_text = &c->config->as_text,
        .unrepresentable = c->config->unrepresentable,
        .is_mariadb = c->server.is_mariadb,
        .pipeline = c->pipeline,
    };
    struct error err = {0};
    struct my_relation r = {0};
    if (!my_relation_init(&r, t, 0, &options, &err)) {
        report_error(c, &err);
    } else if (r.schema->key_count == 0) {
        report(c, FINDING_WARNING,
               "table %s.%s has no primary key: it can only be appended to (mode: append)",
               t->name.schema, t->name.table);
    } else {
        report(c, FINDING_OK, "table %s.%s: %u columns, %u in the key", t->name.schema,
               t->name.table, r.schema->column_count, r.schema->key_count);
    }
    if (!t->is_transactional) {
        report(
            c, FINDING_WARNING,
            "table %s.%s is kept by %s, which has no transactions: writers wait while it is loaded",
            t->name.schema, t->name.table, t->engine);
    }
    my_relation_release(&r);
}

static void check_tables(struct check *c)
{
    struct error err = {0};
    for (uint32_t i = 0; i < c->config->tables.count; i++) {
        struct config_strings one = {.items = &c->config->tables.items[i], .count = 1};
        struct my_catalog_tables found = {0};
        if (!my_catalog_read_tables(c->connection, &c->server, &one, &c->arena, &found, &err)) {
            report_error(c, &err);
        }
        for (uint32_t k = 0; k < found.count; k++) {
            check_table(c, &found.items[k]);
        }
    }
}

void my_prerequisites_check(const struct source_config *config, const char *pipeline,
                            source_finding_fn *fn, void *arg)
{
    struct check c = {.config = config, .pipeline = pipeline, .fn = fn, .arg = arg};
    struct error err = {0};
    struct my_connection_options options = my_prerequisites_connection(config, pipeline);
    c.connection = my_connection_open(&options, &err);
    if (!c.connection || !my_server_read(c.connection, &c.arena, &c.server, &err)) {
        report_error(&c, &err);
    } else {
        report(&c, FINDING_OK, "connected as %s, %s %s", c.server.user,
               c.server.is_mariadb ? "MariaDB" : "MySQL", c.server.version_text);
        check_settings(&c);
        check_log_rights(&c);
        check_lock_rights(&c);
        check_tables(&c);
    }
    my_connection_free(&c.connection);
    arena_release(&c.arena);
}
