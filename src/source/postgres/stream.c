#include "source/postgres/stream.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "model/batch.h"
#include "source/postgres/value.h"

enum {
    BATCH_ROWS_MAX = 8192,
    BATCH_ROWS_MIN = 64,
    BATCH_BYTES_MAX = 4 << 20,
    PENDING_BYTES_MAX = 32 << 20, /* over all tables */
    BOUNDARY_ROWS = 16384,        /* a boundary follows at the next commit .. */
    BOUNDARY_INTERVAL_US = 20000, /* .. or when the last one is this old */
};

/* The batch that a table is collecting. */
struct pending {
    struct batch *batch; /* NULL: none */
    size_t bytes;        /* of it, as counted into pending_bytes */
    uint32_t rows_hint;  /* rows of the last one: how much room the next one starts with */
};

struct stream {
    struct stream_options options;
    struct pending *pending; /* one per relation */
    struct map relations;    /* OID -> struct relation, or `ignored` */
    struct relation ignored; /* stands for tables that are published but not captured */
    struct pgoutput_message message;

    struct event *events; /* ready ones, from `first` */
    size_t event_first;
    size_t event_count;
    size_t event_capacity;

    bool in_transaction;
    uint64_t row_position;
    int64_t commit_time_us;
    uint64_t transaction;
    uint64_t sequence;

    size_t pending_bytes;
    uint64_t rows_since_boundary;
    int64_t boundary_us; /* when the last boundary was handed out */
    uint64_t position;   /* newest place between transactions */
    uint64_t reported;   /* newest boundary handed out */
    int64_t newest_commit_us;
};

struct stream *stream_new(const struct stream_options *options)
{
    struct stream *s = calloc(1, sizeof(*s));
    struct pending *pending =
        calloc(options->relation_count ? options->relation_count : 1, sizeof(*pending));
    if (!s || !pending) {
        abort();
    }
    s->options = *options;
    s->pending = pending;
    s->position = options->position;
    s->reported = options->position;
    s->boundary_us = clock_monotonic_us();
    return s;
}

void stream_free(struct stream **stream)
{
    struct stream *s = take(*stream);
    if (!s) {
        return;
    }
    for (uint32_t i = 0; i < s->options.relation_count; i++) {
        batch_release(s->pending[i].batch);
    }
    for (size_t i = s->event_first; i < s->event_count; i++) {
        event_release(&s->events[i]);
    }
    map_release(&s->relations, NULL);
    free(s->events);
    free(s->pending);
    free(s);
}

static void push(struct stream *s, struct event event)
{
    if (s->event_count == s->event_capacity) {
        s->event_capacity = s->event_capacity ? s->event_capacity * 2 : 16;
        s->events = reallocarray(s->events, s->event_capacity, sizeof(*s->events));
        if (!s->events) {
            abort();
        }
    }
    s->events[s->event_count++] = event;
}

bool stream_take(struct stream *s, struct event *out)
{
    if (s->event_first == s->event_count) {
        s->event_first = 0;
        s->event_count = 0;
        return false;
    }
    *out = s->events[s->event_first++];
    return true;
}

/* Makes a table's pending rows ready. */
static void flush(struct stream *s, uint32_t table)
{
    struct pending *p = &s->pending[table];
    if (p->batch) {
        s->pending_bytes -= p->bytes;
        p->bytes = 0;
        p->rows_hint = p->batch->row_count;
        push(s, (struct event){.kind = EVENT_BATCH, .table = table, .batch = take(p->batch)});
    }
}

static void flush_all(struct stream *s)
{
    for (uint32_t i = 0; i < s->options.relation_count; i++) {
        flush(s, i);
    }
}

bool stream_can_rest(const struct stream *s)
{
    return !s->in_transaction && s->position > s->reported;
}

void stream_rest(struct stream *s)
{
    assert(!s->in_transaction);
    flush_all(s);
    s->reported = s->position;
    s->rows_since_boundary = 0;
    s->boundary_us = clock_monotonic_us();
    push(s, (struct event){
                .kind = EVENT_IDLE,
                .position = position_integer(s->position),
                .commit_time_us = s->newest_commit_us,
            });
}

void stream_keepalive(struct stream *s, uint64_t end_lsn)
{
    if (!s->in_transaction && end_lsn > s->position) {
        s->position = end_lsn;
    }
}

static struct str relation_key(const uint32_t *id)
{
    return (struct str){.data = (const char *)id, .size = sizeof(*id)};
}

static bool begin_transaction(struct stream *s, struct error *err)
{
    const struct pgoutput_message *m = &s->message;
    if (s->in_transaction || m->commit_lsn == UINT64_MAX) {
        return error_set(err, ERROR_FATAL,
                         "replication stream: a transaction begins within another");
    }
    s->in_transaction = true;
    s->row_position = m->commit_lsn + 1;
    s->commit_time_us = m->commit_time_us;
    s->transaction = m->transaction;
    s->sequence = 0;
    return true;
}

static bool commit_transaction(struct stream *s, struct error *err)
{
    const struct pgoutput_message *m = &s->message;
    if (!s->in_transaction || m->commit_lsn + 1 != s->row_position || m->end_lsn <= m->commit_lsn) {
        return error_set(err, ERROR_FATAL,
                         "replication stream: a commit does not belong to its transaction");
    }
    s->in_transaction = false;
    if (m->end_lsn > s->position) {
        s->position = m->end_lsn;
    }
    s->newest_commit_us = m->commit_time_us;
    if (s->rows_since_boundary >= BOUNDARY_ROWS ||
        clock_monotonic_us() - s->boundary_us >= BOUNDARY_INTERVAL_US) {
        stream_rest(s);
    }
    return true;
}

static bool find_captured(struct stream *s, struct relation **out, struct error *err)
{
    const struct pgoutput_message *m = &s->message;
    *out = NULL;
    for (uint32_t i = 0; i < s->options.relation_count; i++) {
        struct relation *r = &s->options.relations[i];
        bool same_name = str_equal(m->relation.table, str_from(r->name.table)) &&
                         str_equal(m->relation.schema, str_from(r->name.schema));
        if (same_name) {
            *out = r;
            return true;
        }
        if (r->id == m->relation_id) {
            return error_set(err, ERROR_LOST,
                             "table %s.%s was renamed to %.*s.%.*s; load again with leat reload %s",
                             r->name.schema, r->name.table, str_arg(m->relation.schema),
                             str_arg(m->relation.table), s->options.relation_options.pipeline);
        }
    }
    return true;
}

static bool check_form(const struct stream *s, const struct relation *r, struct error *err)
{
    if (s->options.is_binary && !relation_is_binary(r)) {
        return error_set(
            err, ERROR_RETRY,
            "table %s.%s has a new column that is read as text: the stream starts again in text form",
            r->name.schema, r->name.table);
    }
    return true;
}

static bool describe(struct stream *s, struct error *err)
{
    struct relation *r = NULL;
    if (!find_captured(s, &r, err)) {
        return false;
    }
    const uint32_t id = s->message.relation_id;
    if (!r) {
        (void)map_put(&s->relations, relation_key(&id), &s->ignored);
        return true;
    }
    owned(relation_facts_release) struct relation_facts facts = {0};
    bool changed = false;
    /* Rows that wait belong to the old schema. */
    flush(s, r->table);
    if (!s->options.lookup(s->options.lookup_arg, &s->message, &facts, err) ||
        !relation_describe(r, &s->message, &facts, &s->options.relation_options, &changed, err) ||
        !check_form(s, r, err)) {
        return false;
    }
    (void)map_put(&s->relations, relation_key(&id), r);
    if (changed) {
        push(s, (struct event){.kind = EVENT_SCHEMA,
                               .table = r->table,
                               .schema = schema_reference(r->schema)});
    }
    return true;
}

/* Room for few rows at first, and never more than fits the batch's bytes: values of a wide table
 * take them all. */
static uint32_t row_capacity(const struct relation *r, const struct pending *p)
{
    size_t width = 40;
    for (uint32_t i = 0; i < r->schema->column_count; i++) {
        width += type_width(r->schema->columns[i].type);
    }
    size_t rows = BATCH_BYTES_MAX / 2 / width;
    rows = rows > BATCH_ROWS_MAX ? BATCH_ROWS_MAX : rows;
    rows = rows > p->rows_hint ? p->rows_hint : rows;
    return rows < BATCH_ROWS_MIN ? BATCH_ROWS_MIN : (uint32_t)rows;
}

static uint32_t add_row(struct stream *s, const struct relation *r, enum row_kind kind,
                        enum row_image image)
{
    struct batch *b = s->pending[r->table].batch;
    uint32_t row = batch_add_row(b, kind, image);
    b->positions[row] = s->row_position;
    b->commit_times_us[row] = s->commit_time_us;
    b->transactions[row] = s->transaction;
    b->sequences[row] = s->sequence++;
    s->rows_since_boundary++;
    return row;
}

static bool add_value(const struct relation *r, uint32_t sent, const struct pgoutput_value *v,
                      struct batch *b, uint32_t row, struct error *err)
{
    const struct relation_column *c = &r->columns[sent];
    uint32_t column = (uint32_t)c->target;
    if (v->kind == 'n') {
        batch_set_null(b, column, row);
        return true;
    }
    if (v->kind == 'u') {
        batch_set_unchanged(b, column, row);
        return true;
    }
    enum value_form form = v->kind == 'b' ? VALUE_FORM_BINARY : VALUE_FORM_TEXT;
    return value_store(c->value_id, form, v->data, b, column, row, err) ||
           error_wrap(err, "table %s.%s, column \"%s\"", r->name.schema, r->name.table,
                      r->schema->columns[column].name);
}

/* Stores a tuple as a row. Values that `tuple` does not carry come from `old` where that is not
 * NULL: replica identity full sends the unchanged ones there. */
static bool add_tuple(struct stream *s, const struct relation *r, enum row_kind kind,
                      enum row_image image, const struct pgoutput_tuple *tuple,
                      const struct pgoutput_tuple *old, struct error *err)
{
    struct batch *b = s->pending[r->table].batch;
    uint32_t row = add_row(s, r, kind, image);
    for (uint32_t i = 0; i < tuple->count; i++) {
        if (r->columns[i].target < 0) {
            continue;
        }
        uint32_t column = (uint32_t)r->columns[i].target;
        const struct pgoutput_value *v = &tuple->values[i];
        if (image == IMAGE_KEY && !r->schema->columns[column].is_key) {
            batch_set_unchanged(b, column, row);
            continue;
        }
        if (v->kind == 'u' && old) {
            v = &old->values[i];
        }
        if (!add_value(r, i, v, b, row, err)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < r->absent_count; i++) {
        if (image == IMAGE_KEY) {
            batch_set_unchanged(b, r->absent[i], row);
        } else {
            batch_set_null(b, r->absent[i], row);
        }
    }
    return true;
}

/* A null where the schema allows none: the stream is still before the SET NOT NULL that the catalog
 * shows. */
static bool loosen(struct stream *s, struct relation *r, const struct pgoutput_tuple *tuple,
                   enum row_image image, struct error *err)
{
    for (uint32_t i = 0; i < tuple->count; i++) {
        int32_t column = r->columns[i].target;
        if (tuple->values[i].kind != 'n' || column < 0 || r->schema->columns[column].nullable) {
            continue;
        }
        if (r->schema->columns[column].is_key) {
            return error_set(err, ERROR_DATA, "table %s.%s, column \"%s\" of the key is null",
                             r->name.schema, r->name.table, r->schema->columns[column].name);
        }
        if (image == IMAGE_WHOLE) {
            flush(s, r->table);
            relation_loosen(r, (uint32_t)column);
            push(s, (struct event){.kind = EVENT_SCHEMA,
                                   .table = r->table,
                                   .schema = schema_reference(r->schema)});
        }
    }
    return true;
}

static bool check_tuple(struct stream *s, struct relation *r, const struct pgoutput_tuple *tuple,
                        enum row_image image, struct error *err)
{
    if (tuple->count != r->column_count) {
        return error_set(err, ERROR_FATAL,
                         "table %s.%s: a row of %u columns where %u are described", r->name.schema,
                         r->name.table, tuple->count, r->column_count);
    }
    return loosen(s, r, tuple, image, err);
}

static bool find_described(struct stream *s, uint32_t id, struct relation **out, struct error *err)
{
    *out = map_get(&s->relations, relation_key(&id));
    if (!*out) {
        return error_set(err, ERROR_FATAL,
                         "replication stream: a change of table %" PRIu32 " before its description",
                         id);
    }
    if (!s->in_transaction) {
        return error_set(err, ERROR_FATAL, "replication stream: a change outside a transaction");
    }
    return true;
}

static bool add_change(struct stream *s, struct relation *r, struct error *err)
{
    const struct pgoutput_message *m = &s->message;
    enum row_image old_image = m->old == PGOUTPUT_OLD_WHOLE ? IMAGE_WHOLE : IMAGE_KEY;
    if (m->kind == PGOUTPUT_INSERT) {
        return add_tuple(s, r, ROW_INSERT, IMAGE_WHOLE, &m->after, NULL, err);
    }
    if (m->kind == PGOUTPUT_DELETE) {
        return add_tuple(s, r, ROW_DELETE, old_image, &m->before, NULL, err);
    }
    if (m->old != PGOUTPUT_OLD_NONE &&
        !add_tuple(s, r, ROW_UPDATE_BEFORE, old_image, &m->before, NULL, err)) {
        return false;
    }
    return add_tuple(s, r, ROW_UPDATE_AFTER, IMAGE_WHOLE, &m->after,
                     m->old == PGOUTPUT_OLD_WHOLE ? &m->before : NULL, err);
}

static bool check_change(struct stream *s, struct relation *r, struct error *err)
{
    const struct pgoutput_message *m = &s->message;
    bool has_before = m->kind != PGOUTPUT_INSERT && m->old != PGOUTPUT_OLD_NONE;
    bool has_after = m->kind != PGOUTPUT_DELETE;
    enum row_image old_image = m->old == PGOUTPUT_OLD_WHOLE ? IMAGE_WHOLE : IMAGE_KEY;
    return (!has_before || check_tuple(s, r, &m->before, old_image, err)) &&
           (!has_after || check_tuple(s, r, &m->after, IMAGE_WHOLE, err));
}

static bool change(struct stream *s, struct error *err)
{
    struct relation *r = NULL;
    if (!find_described(s, s->message.relation_id, &r, err)) {
        return false;
    }
    if (r == &s->ignored) {
        return true;
    }
    if (!check_change(s, r, err)) {
        return false;
    }
    struct pending *p = &s->pending[r->table];
    if (!p->batch) {
        p->batch = batch_new(r->schema, r->table, row_capacity(r, p));
        p->batch->received_us = clock_wall_us();
    }
    if (!add_change(s, r, err)) {
        return false;
    }
    size_t bytes = batch_bytes(p->batch);
    s->pending_bytes += bytes - p->bytes;
    p->bytes = bytes;
    if (p->batch->row_count >= BATCH_ROWS_MAX || bytes >= BATCH_BYTES_MAX) {
        flush(s, r->table);
    } else if (s->pending_bytes >= PENDING_BYTES_MAX) {
        flush_all(s);
    }
    return true;
}

static bool truncate_tables(struct stream *s, struct error *err)
{
    struct reader ids = s->message.truncate_ids;
    for (uint32_t i = 0; i < s->message.truncate_count; i++) {
        struct relation *r = NULL;
        if (!find_described(s, reader_u32(&ids), &r, err)) {
            return false;
        }
        if (r != &s->ignored) {
            r->is_truncated = true;
            flush(s, r->table);
            push(s, (struct event){.kind = EVENT_TRUNCATE,
                                   .table = r->table,
                                   .position = position_integer(s->row_position),
                                   .log_position = s->row_position,
                                   .commit_time_us = s->commit_time_us});
        }
    }
    return true;
}

bool stream_apply(struct stream *s, const void *message, size_t size, struct error *err)
{
    if (!pgoutput_decode(message, size, &s->message, err)) {
        return false;
    }
    switch (s->message.kind) {
    case PGOUTPUT_BEGIN:
        return begin_transaction(s, err);
    case PGOUTPUT_COMMIT:
        return commit_transaction(s, err);
    case PGOUTPUT_RELATION:
        return describe(s, err);
    case PGOUTPUT_INSERT:
    case PGOUTPUT_UPDATE:
    case PGOUTPUT_DELETE:
        return change(s, err);
    case PGOUTPUT_TRUNCATE:
        return truncate_tables(s, err);
    case PGOUTPUT_OTHER:
        return true;
    }
    assert(false);
    return false;
}
