#include "source/postgres/slot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "source/postgres/connection.h"

/* "16/B374D848": two halves of 32 bits. */
static bool parse_lsn(const char *text, uint64_t *out)
{
    char *end = NULL;
    unsigned long high = strtoul(text, &end, 16);
    if (end == text || *end != '/' || high > UINT32_MAX) {
        return false;
    }
    const char *rest = end + 1;
    unsigned long low = strtoul(rest, &end, 16);
    if (end == rest || *end != '\0' || low > UINT32_MAX) {
        return false;
    }
    *out = (uint64_t)high << 32 | low;
    return true;
}

bool slot_read(PGconn *c, const char *name, struct slot_state *out, struct error *err)
{
    const char *const values[] = {name};
    owned(result_free) PGresult *r = connection_query_with(
        c,
        "SELECT s.plugin, s.database = current_database(), s.confirmed_flush_lsn,"
        " coalesce(s.wal_status = 'lost', false), coalesce(s.active_pid, 0),"
        " coalesce(a.application_name, ''),"
        " coalesce(greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn), 0), 0)::bigint"
        " FROM pg_replication_slots s LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid"
        " WHERE s.slot_name = $1",
        1, values, err);
    if (!r) {
        return error_wrap(err, "cannot look for slot \"%s\"", name);
    }
    *out = (struct slot_state){0};
    if (PQntuples(r) == 0) {
        return true;
    }
    if (strcmp(PQgetvalue(r, 0, 0), "pgoutput") != 0 || PQgetvalue(r, 0, 1)[0] != 't') {
        return error_set(
            err, ERROR_CONFIG,
            "slot \"%s\" exists, but is not a pgoutput slot of this database: set another name with slot",
            name);
    }
    out->exists = true;
    out->is_lost = PQgetvalue(r, 0, 3)[0] == 't';
    if (!PQgetisnull(r, 0, 2) && !parse_lsn(PQgetvalue(r, 0, 2), &out->confirmed)) {
        return error_set(err, ERROR_FATAL, "slot \"%s\": unreadable position \"%s\"", name,
                         PQgetvalue(r, 0, 2));
    }
    out->active_pid = (uint32_t)strtoul(PQgetvalue(r, 0, 4), NULL, 10);
    (void)snprintf(out->active_application, sizeof(out->active_application), "%s",
                   PQgetvalue(r, 0, 5));
    out->retained_bytes = strtoull(PQgetvalue(r, 0, 6), NULL, 10);
    return true;
}

bool slot_in_use(const char *name, const struct slot_state *state, const char *pipeline,
                 struct error *err)
{
    char ours[64];
    (void)snprintf(ours, sizeof(ours), "leat %s", pipeline);
    bool lingers = strcmp(state->active_application, ours) == 0;
    return error_set(
        err, lingers ? ERROR_RETRY : ERROR_CONFIG,
        "slot \"%s\" is in use by server process %" PRIu32 "%s%s%s%s", name, state->active_pid,
        state->active_application[0] ? " of \"" : "", state->active_application,
        state->active_application[0] ? "\"" : "",
        lingers ? ": another leat runs this pipeline, or the server has not noticed that one ended"
                : "");
}

bool slot_drop(PGconn *c, const char *name, struct error *err)
{
    const char *const values[] = {name};
    owned(result_free) PGresult *r =
        connection_query_with(c, "SELECT pg_drop_replication_slot($1)", 1, values, err);
    return r != NULL || error_wrap(err, "cannot drop slot \"%s\"", name);
}

/* The server waits for every transaction that is running anywhere in the cluster: name the oldest.
 */
static void name_blocker(PGconn *query, struct error *err)
{
    struct error ignored = {0};
    owned(result_free) PGresult *r = connection_query(
        query,
        "SELECT pid, datname, (extract(epoch FROM now() - xact_start))::bigint FROM pg_stat_activity"
        " WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY xact_start LIMIT 1",
        &ignored);
    if (r && PQntuples(r) == 1) {
        error_wrap(err,
                   "waiting for the transaction of server process %s in database %s, open for %s s",
                   PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1), PQgetvalue(r, 0, 2));
    }
}

bool slot_create(PGconn *replication, PGconn *query, const char *name, struct arena *arena,
                 struct slot_snapshot *out, struct error *err)
{
    if (!connection_execute(replication, "SET lock_timeout = '60s'", err)) {
        return false;
    }
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "CREATE_REPLICATION_SLOT ");
    buf_append_identifier(&sql, name);
    buf_append_text(&sql, " LOGICAL pgoutput EXPORT_SNAPSHOT");
    owned(result_free) PGresult *r = connection_query(replication, buf_text(&sql), err);
    if (!r) {
        if (err->kind == ERROR_RETRY) {
            name_blocker(query, err);
        }
        return error_wrap(err, "cannot make slot \"%s\"", name);
    }
    if (PQntuples(r) != 1 || PQnfields(r) < 3 || !parse_lsn(PQgetvalue(r, 0, 1), &out->position)) {
        return error_set(err, ERROR_FATAL, "slot \"%s\": unreadable answer of the server", name);
    }
    out->name = arena_string(arena, PQgetvalue(r, 0, 2), (size_t)PQgetlength(r, 0, 2));
    return true;
}

const char *slot_copy_name(const char *name, struct arena *arena)
{
    /* Names are unique in the cluster and have at most 63 bytes. A session that the server has not
     * noticed to be gone may still hold an earlier copy. */
    return arena_format(arena, "%.46s_aside_%08" PRIx64, name, random_below((uint64_t)1 << 32));
}

bool slot_copy(PGconn *replication, const char *name, const char *copy, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "SELECT pg_copy_logical_replication_slot(");
    buf_append_literal(&sql, name);
    buf_append_text(&sql, ", ");
    buf_append_literal(&sql, copy);
    buf_append_text(&sql, ", true)");
    owned(result_free) PGresult *r = connection_query(replication, buf_text(&sql), err);
    if (!r && err->kind == ERROR_CONFIG) {
        /* All slots are taken (max_replication_slots): others come and go, and so may room. */
        (void)error_recast(err, ERROR_RETRY);
    }
    return r != NULL || error_wrap(err, "cannot copy slot \"%s\"", name);
}
