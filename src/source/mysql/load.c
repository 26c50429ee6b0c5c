#include "source/mysql/load.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/mysql/load_parts.h"

void my_load_append_name(struct buf *sql, struct table_name name)
{
    my_append_identifier(sql, name.schema);
    buf_append_char(sql, '.');
    my_append_identifier(sql, name.table);
}

static bool has_snapshot(const struct my_load *l, uint32_t table)
{
    return l->options.relations[table].known.is_transactional;
}

static uint32_t count_without_snapshot(const struct my_load *l)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < l->options.relation_count; i++) {
        count += !has_snapshot(l, i) && !l->is_read[i];
    }
    return count;
}

static bool open_reader(struct my_load *l, struct my_load_reader *r, struct error *err)
{
    struct my_connection_options options = l->options.connection;
    options.lock_timeout_ms = 0; /* rather wait than begin again */
    r->c = my_connection_open(&options, err);
    if (!r->c) {
        return false;
    }
    r->stop_fd = fcntl(mysql_get_socket(r->c), F_DUPFD_CLOEXEC, 0);
    if (r->stop_fd < 0) {
        return error_errno(err, ERROR_RETRY, "cannot duplicate a socket");
    }
    /* With its log on, MariaDB keeps tables from being altered until the end of a transaction that
     * has read them; without, until their savepoint. Not every user may switch it off. */
    struct error ignored = {0};
    (void)(l->options.server->is_mariadb &&
           my_connection_execute(r->c, "SET SESSION sql_log_bin = 0", &ignored));
    return my_connection_execute(r->c, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                                 err);
}

/* All connections, before anybody is made to wait. */
static bool open_connections(struct my_load *l, struct error *err)
{
    for (uint32_t i = 0; i < l->options.connection_count; i++) {
        if (!open_reader(l, &l->readers[i], err)) {
            return error_wrap(err, "connection %u of %u", i + 1, l->options.connection_count);
        }
    }
    l->control = my_connection_open(&l->options.connection, err);
    if (l->control && count_without_snapshot(l) > 0) {
        l->keeper = my_connection_open(&l->options.connection, err);
        return l->keeper != NULL;
    }
    return l->control != NULL;
}

/* Whoever holds a lock and is not heard of is thrown out soon: nobody else could let go. */
static bool set_timeouts(MYSQL *c, int64_t lock_timeout_ms, struct error *err)
{
    return my_connection_set_lock_timeout(c, lock_timeout_ms, err) &&
           my_connection_execute(c, "SET SESSION wait_timeout = 60", err);
}

/* LOCK TABLES ... READ of all captured tables, or of those without a snapshot. */
static bool lock_tables(struct my_load *l, MYSQL *c, bool all, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    for (uint32_t i = 0; i < l->options.relation_count; i++) {
        if (all || !has_snapshot(l, i)) {
            buf_append_text(&sql, sql.size == 0 ? "LOCK TABLES " : ", ");
            my_load_append_name(&sql, l->options.relations[i].name);
            buf_append_text(&sql, " READ");
        }
    }
    return sql.size == 0 || my_connection_execute(c, buf_text(&sql), err);
}

static bool wrap_lock_error(const struct my_load *l, struct error *err)
{
    if (err->kind == ERROR_RETRY) {
        return error_wrap(err, "the tables could not be locked within %lld ms",
                          (long long)l->options.lock_timeout_ms);
    }
    return error_wrap(err, "cannot lock the tables");
}

/* Holds all writers. Managed servers forbid the lock of everything, with numbers of their own
 * (access denied for the whole user), and allow that of tables. */
static bool hold_writers(struct my_load *l, struct error *err)
{
    if (!set_timeouts(l->control, l->options.lock_timeout_ms, err) ||
        (l->keeper && !set_timeouts(l->keeper, l->options.lock_timeout_ms, err))) {
        return false;
    }
    struct error global = {0};
    if (my_connection_execute(l->control, "FLUSH TABLES WITH READ LOCK", &global)) {
        return true;
    }
    if (global.kind != ERROR_CONFIG) {
        *err = global;
        return wrap_lock_error(l, err);
    }
    if (lock_tables(l, l->control, true, err)) {
        return true;
    }
    if (err->kind != ERROR_CONFIG) {
        return wrap_lock_error(l, err);
    }
    return error_wrap(err,
                      "no right to lock: GRANT RELOAD ON *.* TO %s, or GRANT LOCK TABLES on the "
                      "tables' databases",
                      l->options.server->user);
}

/* Tables without snapshots are locked a second time, on a connection of their own: read locks
 * share, so they stay locked when the first lock goes. The other way round the global lock would
 * wait for this one (MySQL). A transaction that has changed such a table and waits for us to let it
 * commit makes us wait for it: that ends with the timeout. */
static bool keep_writers(struct my_load *l, struct error *err)
{
    if (!l->keeper || lock_tables(l, l->keeper, false, err)) {
        return true;
    }
    if (err->kind != ERROR_CONFIG) {
        return wrap_lock_error(l, err);
    }
    return error_wrap(err,
                      "tables without transactions stay locked while they are read: GRANT LOCK "
                      "TABLES on their databases TO %s",
                      l->options.server->user);
}

static bool begin_snapshots(struct my_load *l, struct error *err)
{
    for (uint32_t i = 0; i < l->options.connection_count; i++) {
        if (!my_connection_execute(l->readers[i].c, "START TRANSACTION WITH CONSISTENT SNAPSHOT",
                                   err)) {
            return error_wrap(err, "cannot begin a snapshot");
        }
    }
    return true;
}

/* The log has the rows of an XA transaction where it was prepared; the snapshot has not, before it
 * is committed, and the lock of everything does not wait for that. */
static bool check_prepared(MYSQL *c, struct error *err)
{
    struct error ignored = {0}; /* no right to look */
    owned(my_result_free) MYSQL_RES *r = my_connection_query(c, "XA RECOVER", &ignored);
    if (!r && ignored.kind != ERROR_CONFIG && ignored.kind != ERROR_FATAL) {
        *err = ignored;
        return false;
    }
    uint64_t count = r ? mysql_num_rows(r) : 0;
    return count == 0 ||
           error_set(err, ERROR_RETRY,
                     "%llu XA transactions are prepared and neither committed nor rolled back "
                     "(XA RECOVER): the load begins when there are none",
                     (unsigned long long)count);
}

static bool same_column(const struct my_catalog_column *a, const struct my_catalog_column *b)
{
    bool same_charset = (a->charset == NULL) == (b->charset == NULL) &&
                        (!a->charset || strcmp(a->charset, b->charset) == 0);
    return strcmp(a->name, b->name) == 0 && strcmp(a->type, b->type) == 0 && same_charset &&
           a->nullable == b->nullable && a->is_key == b->is_key &&
           a->is_generated == b->is_generated && a->is_json == b->is_json;
}

bool my_load_check_table(struct my_load *l, uint32_t table, struct error *err)
{
    const struct my_catalog_table *known = &l->options.relations[table].known;
    owned(arena_release) struct arena arena = {0};
    struct my_catalog_table now;
    if (!my_catalog_read_table(l->control, l->options.server, known->name, &arena, &now, err)) {
        return false;
    }
    bool same =
        now.column_count == known->column_count && now.is_transactional == known->is_transactional;
    for (uint32_t i = 0; same && i < known->column_count; i++) {
        same = same_column(&now.columns[i], &known->columns[i]);
    }
    return same || error_set(err, ERROR_RETRY, "table %s.%s was altered since the load was planned",
                             known->name.schema, known->name.table);
}

/* What needs the writers to be held; then lets them go. Their columns are looked at afterwards:
 * that takes long where there are many tables, and an alteration in between is found as well. */
static bool begin_at_position(struct my_load *l, struct position *gtids, struct my_log_place *place,
                              struct error *err)
{
    if (!hold_writers(l, err)) {
        return false;
    }
    return keep_writers(l, err) && begin_snapshots(l, err) && check_prepared(l->control, err) &&
           my_server_log_end(l->control, l->options.server, gtids, place, err) &&
           my_connection_execute(l->control, "UNLOCK TABLES", err) &&
           my_connection_execute(l->control, "SET SESSION wait_timeout = 31536000", err) &&
           (!l->keeper ||
            my_connection_execute(l->keeper, "SET SESSION wait_timeout = 31536000", err));
}

static bool check_tables(struct my_load *l, struct error *err)
{
    for (uint32_t i = 0; i < l->options.relation_count; i++) {
        if (!my_load_check_table(l, i, err)) {
            return false;
        }
    }
    return true;
}

struct my_load *my_load_begin(const struct my_load_options *options, struct position *gtids,
                              struct my_log_place *place, struct error *err)
{
    owned(my_load_free) struct my_load *l = calloc(1, sizeof(*l));
    bool *is_read = calloc(options->relation_count + 1, sizeof(*is_read));
    if (!l || !is_read) {
        abort();
    }
    l->options = *options;
    l->is_read = is_read;
    for (uint32_t i = 0; i < MY_LOAD_CONNECTIONS_MAX; i++) {
        l->readers[i].stop_fd = -1;
    }
    if (options->connection_count == 0 || options->connection_count > MY_LOAD_CONNECTIONS_MAX) {
        error_set(err, ERROR_FATAL, "a load with %u connections", options->connection_count);
        return NULL;
    }
    if (!open_connections(l, err) || !begin_at_position(l, gtids, place, err) ||
        !check_tables(l, err)) {
        return NULL;
    }
    return take(l);
}

bool my_load_table_done(struct my_load *l, uint32_t table, struct error *err)
{
    if (has_snapshot(l, table)) {
        return true;
    }
    l->is_read[table] = true;
    if (!l->keeper || count_without_snapshot(l) > 0) {
        return true;
    }
    bool done = my_connection_execute(l->keeper, "UNLOCK TABLES", err);
    my_connection_free(&l->keeper);
    return done;
}

void my_load_close_readers(struct my_load *l)
{
    for (uint32_t i = 0; i < MY_LOAD_CONNECTIONS_MAX; i++) {
        my_connection_free(&l->readers[i].c);
        if (l->readers[i].stop_fd >= 0) {
            (void)close(l->readers[i].stop_fd);
        }
        l->readers[i].stop_fd = -1;
    }
}

void my_load_free(struct my_load **l)
{
    struct my_load *old = take(*l);
    if (old) {
        my_load_close_readers(old);
        my_connection_free(&old->control);
        my_connection_free(&old->keeper);
        free(old->is_read);
        free(old);
    }
}
