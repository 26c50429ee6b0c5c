#include "source/postgres/stream.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/map.h"
#include "model/batch.h"
#include "source/collector.h"
#include "source/postgres/value.h"

struct stream {
    struct stream_options options;
    struct collector *collector;
    struct map relations;    /* OID -> struct relation, or `ignored` */
    struct relation ignored; /* stands for tables that are published but not captured */
    struct pgoutput_message message;

    bool in_transaction;
    uint64_t row_position;
    uint64_t position; /* newest place between transactions */
    uint64_t reported; /* newest boundary handed out */
};

struct stream *stream_new(const struct stream_options *options)
{
    struct stream *s = calloc(1, sizeof(*s));
    if (!s) {
        abort();
    }
    s->options = *options;
    s->collector = collector_new(options->relation_count);
    s->position = options->position;
    s->reported = options->position;
    return s;
}

void stream_free(struct stream **stream)
{
    struct stream *s = take(*stream);
    if (!s) {
        return;
    }
    collector_free(&s->collector);
    map_release(&s->relations, NULL);
    free(s);
}

bool stream_take(struct stream *s, struct event *out)
{
    return collector_take(s->collector, out);
}

bool stream_can_rest(const struct stream *s)
{
    return !s->in_transaction && s->position > s->reported;
}

void stream_rest(struct stream *s)
{
    s->reported = s->position;
    collector_rest(s->collector, position_integer(s->position));
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
    collector_begin(s->collector, &(struct collector_transaction){
                                      .position = s->row_position,
                                      .number = m->transaction,
                                      .commit_time_us = m->commit_time_us,
                                  });
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
    collector_end(s->collector);
    if (collector_is_due(s->collector)) {
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
    collector_flush(s->collector, r->table);
    if (!s->options.lookup(s->options.lookup_arg, &s->message, &facts, err) ||
        !relation_describe(r, &s->message, &facts, &s->options.relation_options, &changed, err) ||
        !check_form(s, r, err)) {
        return false;
    }
    (void)map_put(&s->relations, relation_key(&id), r);
    if (changed) {
        collector_push_schema(s->collector, r->table, r->schema);
    }
    return true;
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
    struct batch *b = collector_batch(s->collector, r->table, r->schema);
    uint32_t row = collector_add_row(s->collector, r->table, kind, image);
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
            collector_flush(s->collector, r->table);
            relation_loosen(r, (uint32_t)column);
            collector_push_schema(s->collector, r->table, r->schema);
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
    if (!add_change(s, r, err)) {
        return false;
    }
    collector_look(s->collector, r->table);
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
            collector_push_truncate(s->collector, r->table);
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
