#include "source/postgres/replication.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/reader.h"
#include "base/str.h"
#include "source/postgres/connection.h"
#include "source/postgres/value_parts.h"

enum {
    REPORT_MOVED_MS = 1000,
    REPORT_ANYWAY_MS = 10000,
    PAUSE_NS =
        150000, /* before reading on while data flows: the server then sends more at a time */
    STATUS_SIZE = 34,
};

/* PostgreSQL 18 streams without a publication that is missing, and says so in a warning only. */
static void note_warning(void *arg, const PGresult *notice)
{
    struct replication *r = arg;
    const char *state = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (state && severity && strcmp(state, "55000") == 0 && strcmp(severity, "WARNING") == 0) {
        r->skipped_publication = true;
    }
}

bool replication_start(struct replication *r, const struct replication_start *start,
                       struct error *err)
{
    owned(buf_release) struct buf names = {0};
    buf_append_identifier(&names, start->publication);
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "START_REPLICATION SLOT ");
    buf_append_identifier(&sql, start->slot);
    buf_append_format(&sql,
                      " LOGICAL %" PRIX32 "/%" PRIX32 " (proto_version '1', publication_names ",
                      (uint32_t)(start->position >> 32), (uint32_t)start->position);
    buf_append_literal(&sql, buf_text(&names));
    buf_append_text(&sql, start->is_binary ? ", binary 'true')" : ")");

    (void)PQsetNoticeReceiver(r->connection, note_warning, r);
    owned(result_free) PGresult *result = PQexec(r->connection, buf_text(&sql));
    if (PQresultStatus(result) != PGRES_COPY_BOTH) {
        connection_error(r->connection, result, err);
        return error_wrap(err, "cannot start the replication of slot \"%s\"", start->slot);
    }
    if (PQsetnonblocking(r->connection, 1) != 0) {
        return connection_error(r->connection, NULL, err);
    }
    r->is_streaming = true;
    r->received = start->position;
    r->acknowledged = start->acknowledged;
    r->sent = start->acknowledged;
    return true;
}

/* The stream ended: the server says why, or the connection broke. Whatever it was, a new connection
 * tells. */
static bool ended(struct replication *r, struct error *err)
{
    r->is_streaming = false;
    owned(result_free) PGresult *result = PQgetResult(r->connection);
    if (PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_COPY_IN ||
        PQresultStatus(result) == PGRES_COPY_BOTH) {
        return error_set(err, ERROR_RETRY, "the server ended the replication stream");
    }
    connection_error(r->connection, result, err);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state && strcmp(state, "58P01") == 0) { /* requested WAL segment has already been removed */
        error_recast(err, ERROR_LOST);
    }
    return error_wrap(err, "replication stream");
}

static bool parse(struct replication *r, size_t size, struct replication_message *out,
                  struct error *err)
{
    struct reader reader = reader_from(r->message, size);
    uint8_t letter = reader_u8(&reader);
    if (letter == 'w') {
        uint64_t start_lsn = reader_u64(&reader);
        uint64_t end_lsn = reader_u64(&reader);
        (void)reader_u64(&reader); /* the server's clock */
        out->kind = RECEIVED_DATA;
        out->size = reader_left(&reader);
        out->data = reader_bytes(&reader, out->size);
        out->end_lsn = end_lsn > start_lsn ? end_lsn : start_lsn;
    } else if (letter == 'k') {
        out->kind = RECEIVED_KEEPALIVE;
        out->end_lsn = reader_u64(&reader);
        (void)reader_u64(&reader);
        r->reply_requested |= reader_u8(&reader) != 0;
    } else {
        reader.failed = true;
    }
    if (!reader_ok(&reader)) {
        return error_set(err, ERROR_FATAL,
                         "malformed message of %zu bytes on the replication connection", size);
    }
    if (out->end_lsn > r->received) {
        r->received = out->end_lsn;
    }
    return true;
}

bool replication_receive(struct replication *r, struct replication_message *out, struct error *err)
{
    *out = (struct replication_message){.kind = RECEIVED_NOTHING};
    PQfreemem(take(r->message));
    int size = PQgetCopyData(r->connection, &r->message, 1);
    if (size == 0) {
        if (PQconsumeInput(r->connection) == 0) {
            return ended(r, err);
        }
        size = PQgetCopyData(r->connection, &r->message, 1);
    }
    if (r->skipped_publication) {
        return error_set(
            err, ERROR_LOST,
            "the publication did not exist at this place of the log: changes are left out");
    }
    if (size < 0) {
        return ended(r, err);
    }
    if (size == 0) {
        return true;
    }
    r->had_data = true;
    return parse(r, (size_t)size, out, err);
}

bool replication_wait(struct replication *r, int timeout_ms, struct error *err)
{
    if (timeout_ms <= 0) {
        return true;
    }
    if (r->had_data) {
        r->had_data = false;
        (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
        return true;
    }
    int unsent = PQflush(r->connection);
    struct pollfd fd = {.fd = PQsocket(r->connection),
                        .events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0))};
    if (poll(&fd, 1, timeout_ms) < 0 && errno != EINTR) {
        return error_errno(err, ERROR_FATAL, "cannot wait for the replication connection");
    }
    return true;
}

void replication_acknowledge(struct replication *r, uint64_t lsn)
{
    if (lsn > r->acknowledged) {
        r->acknowledged = lsn;
    }
}

int replication_report_due_ms(const struct replication *r)
{
    if (r->reply_requested || r->sent_ms == 0) {
        return 0;
    }
    int64_t interval_ms = r->acknowledged > r->sent ? REPORT_MOVED_MS : REPORT_ANYWAY_MS;
    int64_t due_ms = r->sent_ms + interval_ms - clock_monotonic_ms();
    return due_ms > 0 ? (int)due_ms : 0;
}

static void put_u64(char *out, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(out, &v, sizeof(v));
}

static bool send_status(struct replication *r, struct error *err)
{
    char status[STATUS_SIZE] = {'r'};
    put_u64(status + 1, r->received > r->acknowledged ? r->received : r->acknowledged);
    put_u64(status + 9, r->acknowledged);  /* flushed */
    put_u64(status + 17, r->acknowledged); /* applied */
    put_u64(status + 25, (uint64_t)(clock_wall_us() - POSTGRES_EPOCH_US));
    int queued = PQputCopyData(r->connection, status, sizeof(status));
    if (queued == 0) {
        return true; /* the output buffer is full: due again at once */
    }
    if (queued < 0 || PQflush(r->connection) < 0) {
        connection_error(r->connection, NULL, err);
        return false;
    }
    r->sent = r->acknowledged;
    r->sent_ms = clock_monotonic_ms();
    r->reply_requested = false;
    return true;
}

bool replication_report(struct replication *r, struct error *err)
{
    return !r->is_streaming || replication_report_due_ms(r) > 0 || send_status(r, err);
}

void replication_close(struct replication *r)
{
    if (r->is_streaming && r->acknowledged > r->sent) {
        struct error ignored = {0}; /* the server sends again what it was not told */
        (void)send_status(r, &ignored);
    }
    PQfreemem(take(r->message));
    connection_free(&r->connection);
    r->is_streaming = false;
}
