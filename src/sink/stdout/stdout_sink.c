/* Prints changes as JSON lines, one for each change of a row:
 *
 *     {"table":"public.t","op":"update","key":{...},"before":{...},"after":{...},"unchanged":["bio"],
 *      "position":12,"commit_time":"2024-01-02T03:04:05Z","transaction":7,
 *      "transaction_source":"3e11fa47-71ca-11e1-9e33-c80aa9429562"}
 *
 * op is insert, update, delete, truncate, or read for a row of a load. key is the key that the row
 * had before an update or delete; before is there when the source sends whole old rows; unchanged
 * names what it did not send; transaction_source is there where transactions are numbered by it: a
 * server's UUID, with its tag, or a domain. Only what was committed is printed: batches are kept
 * until their barrier. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "format/json.h"
#include "format/value.h"
#include "sink/types.h"

enum { FLUSH_SIZE = 1 << 16 };

struct pending {
    struct batch *batch; /* referenced; NULL: a truncate */
    uint32_t table;
    struct position position; /* of a truncate, as its event has them */
    uint64_t log_position;
    int64_t commit_time_us;
};

struct stdout_sink {
    struct sink sink;
    struct arena arena;
    const char **names; /* schema.table */
    uint32_t table_count;
    struct pending *pending;
    size_t pending_count;
    size_t pending_capacity;
    struct buf out;
};

static void forget_pending(struct stdout_sink *s)
{
    for (size_t i = 0; i < s->pending_count; i++) {
        batch_release(s->pending[i].batch);
    }
    s->pending_count = 0;
}

static void stdout_sink_free(struct sink *sink)
{
    struct stdout_sink *s = (struct stdout_sink *)sink;
    forget_pending(s);
    free(s->pending);
    buf_release(&s->out);
    arena_release(&s->arena);
    free(s);
}

static struct sink *stdout_sink_open(const struct sink_open *open, struct error *err)
{
    (void)err;
    struct stdout_sink *s = calloc(1, sizeof(*s));
    if (!s) {
        abort();
    }
    s->sink.type = &stdout_sink;
    s->table_count = open->table_count;
    s->names = arena_array(&s->arena, open->table_count, sizeof(*s->names));
    for (uint32_t i = 0; i < open->table_count; i++) {
        const struct table_name *name = &open->tables[i].name;
        s->names[i] = arena_format(&s->arena, "%s.%s", name->schema, name->table);
    }
    return &s->sink;
}

/* Nothing is kept: every run begins where its source does. */
static bool stdout_sink_last(struct sink *sink, uint32_t table, struct lake_snapshot *out,
                             bool *known, struct error *err)
{
    (void)sink;
    (void)table;
    (void)err;
    *out = (struct lake_snapshot){.version = -1};
    *known = false;
    return true;
}

static bool stdout_sink_resume(struct sink *sink, bool *proof_missing, struct error *err)
{
    (void)sink;
    (void)err;
    *proof_missing = false;
    return true;
}

static bool stdout_sink_begin_load(struct sink *sink, const char *load_id, struct error *err)
{
    (void)sink;
    (void)load_id;
    (void)err;
    return true;
}

static bool stdout_sink_write(struct sink *sink, const struct event *event, struct error *err)
{
    (void)err;
    struct stdout_sink *s = (struct stdout_sink *)sink;
    if (event->kind != EVENT_BATCH && event->kind != EVENT_TRUNCATE) {
        return true; /* each batch has its schema with it */
    }
    if (s->pending_count == s->pending_capacity) {
        s->pending_capacity = s->pending_capacity ? s->pending_capacity * 2 : 16;
        s->pending = reallocarray(s->pending, s->pending_capacity, sizeof(*s->pending));
        if (!s->pending) {
            abort();
        }
    }
    s->pending[s->pending_count++] = (struct pending){
        .batch = event->kind == EVENT_BATCH ? batch_reference(event->batch) : NULL,
        .table = event->table,
        .position = event->position,
        .log_position = event->log_position,
        .commit_time_us = event->commit_time_us,
    };
    return true;
}

/* Nobody reads any more: as good a reason to stop as a signal. */
static bool write_failed(struct error *err)
{
    return errno == EPIPE ? error_set(err, ERROR_CANCELLED, "nobody reads standard output any more")
                          : error_errno(err, ERROR_FATAL, "cannot write to standard output");
}

static bool flush(struct stdout_sink *s, struct error *err)
{
    if (s->out.failed) {
        buf_clear(&s->out);
        return error_set(err, ERROR_DATA, "a change is too large to print");
    }
    for (size_t done = 0; done < s->out.size;) {
        ssize_t written = write(STDOUT_FILENO, s->out.data + done, s->out.size - done);
        if (written >= 0) {
            done += (size_t)written;
        } else if (errno == EAGAIN) {
            (void)poll(&(struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            return write_failed(err);
        }
    }
    buf_clear(&s->out);
    return true;
}

static void append_row(struct buf *out, const char *name, const struct batch *b, uint32_t row,
                       bool key_only)
{
    buf_append_format(out, ",\"%s\":", name);
    json_write_row(b->schema, b->columns, row, key_only, out);
}

static void append_unchanged(struct buf *out, const struct batch *b, uint32_t row)
{
    bool any = false;
    for (uint32_t i = 0; i < b->schema->column_count; i++) {
        if (column_is_unchanged(&b->columns[i], row)) {
            buf_append_text(out, any ? "," : ",\"unchanged\":[");
            json_write_string(str_from(b->schema->columns[i].name), out);
            any = true;
        }
    }
    if (any) {
        buf_append_char(out, ']');
    }
}

static void append_source(struct buf *out, uint64_t position, int64_t commit_time_us)
{
    if (position != 0) {
        buf_append_format(out, ",\"position\":%" PRIu64, position);
    }
    if (commit_time_us != 0) {
        const struct column c = {.type = {.kind = TYPE_TIMESTAMPTZ}, .values = &commit_time_us};
        buf_append_text(out, ",\"commit_time\":");
        json_write_value(&c, 0, out);
    }
}

static void append_transaction(struct buf *out, uint64_t number,
                               const struct position_source *source)
{
    if (number != 0) {
        buf_append_format(out, ",\"transaction\":%" PRIu64, number);
    }
    if (number != 0 && source) {
        buf_append_text(out, ",\"transaction_source\":\"");
        position_source_format(source, out);
        buf_append_char(out, '"');
    }
}

static void append_head(const struct stdout_sink *s, struct buf *out, uint32_t table,
                        const char *operation)
{
    buf_append_text(out, "{\"table\":");
    json_write_string(str_from(s->names[table]), out);
    buf_append_format(out, ",\"op\":\"%s\"", operation);
}

/* The only interval of a truncate. */
static bool append_interval(void *arg, const struct position_interval *i)
{
    append_transaction(arg, i->last, i->source);
    return false;
}

static void append_truncate(struct stdout_sink *s, const struct pending *p)
{
    append_head(s, &s->out, p->table, "truncate");
    append_source(&s->out, p->log_position, p->commit_time_us);
    (void)position_each(&p->position, append_interval, &s->out);
    buf_append_text(&s->out, "}\n");
}

/* Prints the change whose newest row is `row`; `before` is its old image, or -1. */
static void append_change(struct stdout_sink *s, const struct batch *b, int64_t before,
                          uint32_t row)
{
    static const char *const operations[] = {
        [ROW_INSERT] = "insert",
        [ROW_UPDATE_BEFORE] = "update",
        [ROW_UPDATE_AFTER] = "update",
        [ROW_DELETE] = "delete",
    };
    enum row_kind kind = b->kinds[row];
    uint32_t old = before >= 0 ? (uint32_t)before : row;
    append_head(s, &s->out, b->table, b->loading ? "read" : operations[kind]);
    if (kind != ROW_INSERT && b->schema->key_count > 0) {
        append_row(&s->out, "key", b, old, true);
    }
    if ((before >= 0 || kind == ROW_DELETE) && b->images[old] == IMAGE_WHOLE) {
        append_row(&s->out, "before", b, old, false);
    }
    if (kind != ROW_DELETE) {
        append_row(&s->out, "after", b, row, false);
        append_unchanged(&s->out, b, row);
    }
    append_source(&s->out, b->positions[row], b->commit_times_us[row]);
    append_transaction(&s->out, b->transactions[row], b->source);
    buf_append_text(&s->out, "}\n");
}

static bool print_batch(struct stdout_sink *s, const struct batch *b, struct error *err)
{
    for (uint32_t row = 0; row < b->row_count; row++) {
        if (b->kinds[row] == ROW_UPDATE_BEFORE) {
            continue; /* printed with the row after it */
        }
        bool has_before =
            row > 0 && b->kinds[row] == ROW_UPDATE_AFTER && b->kinds[row - 1] == ROW_UPDATE_BEFORE;
        append_change(s, b, has_before ? (int64_t)row - 1 : -1, row);
        if ((s->out.size >= FLUSH_SIZE || s->out.failed) && !flush(s, err)) {
            return false;
        }
    }
    return true;
}

static bool stdout_sink_commit(struct sink *sink, const struct barrier *barrier, bool heartbeat,
                               enum sink_result *results, struct error *err)
{
    (void)barrier;
    (void)heartbeat;
    struct stdout_sink *s = (struct stdout_sink *)sink;
    for (uint32_t i = 0; i < s->table_count; i++) {
        results[i] = SINK_SUSPENDED;
    }
    for (size_t i = 0; i < s->pending_count; i++) {
        const struct pending *p = &s->pending[i];
        if (p->batch) {
            if (!print_batch(s, p->batch, err)) {
                return false;
            }
            continue;
        }
        append_truncate(s, p);
    }
    if (!flush(s, err)) {
        return false;
    }
    forget_pending(s);
    for (uint32_t i = 0; i < s->table_count; i++) {
        results[i] = SINK_DONE;
    }
    return true;
}

const struct sink_type stdout_sink = {
    .name = "stdout",
    .summary = "changes as JSON lines on standard output",
    .keeps_position = false,
    .open = stdout_sink_open,
    .last = stdout_sink_last,
    .resume = stdout_sink_resume,
    .begin_load = stdout_sink_begin_load,
    .write = stdout_sink_write,
    .commit = stdout_sink_commit,
    .free = stdout_sink_free,
};
