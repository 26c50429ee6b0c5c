#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "source/mysql/rows.h"
#include "source/mysql/stream_parts.h"

enum { TABLE_ID_BYTES = 6 };

/* ---- names ---- */

void my_stream_append_name(struct buf *out, struct str database, struct str table, bool lower)
{
    buf_append(out, database.data, database.size);
    buf_append_char(out, '.');
    buf_append(out, table.data, table.size);
    for (size_t i = 0; lower && i < out->size; i++) {
        char c = out->data[i];
        out->data[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
}

struct my_relation *my_stream_find(const struct my_stream *s, struct str database, struct str table)
{
    owned(buf_release) struct buf name = {0};
    my_stream_append_name(&name, database, table, s->options.names_lower_case);
    return map_get(&s->by_name, buf_str(&name));
}

struct my_stream *my_stream_new(const struct my_stream_options *options)
{
    struct my_stream *s = calloc(1, sizeof(*s));
    if (!s) {
        abort();
    }
    s->options = *options;
    s->collector = collector_new(options->relation_count);
    s->decoder = (struct binlog_decoder){.is_mariadb = options->is_mariadb,
                                         .has_checksum = options->has_checksum};
    s->payload = binlog_payload_new();
    s->position = options->position;
    for (uint32_t i = 0; i < options->relation_count; i++) {
        struct my_relation *r = &options->relations[i];
        owned(buf_release) struct buf name = {0};
        my_stream_append_name(&name, str_from(r->name.schema), str_from(r->name.table),
                              options->names_lower_case);
        (void)map_put(&s->by_name, buf_str(&name), r);
    }
    return s;
}

void my_stream_free(struct my_stream **stream)
{
    struct my_stream *s = take(*stream);
    if (!s) {
        return;
    }
    collector_free(&s->collector);
    binlog_payload_free(&s->payload);
    binlog_decoder_release(&s->decoder);
    map_release(&s->by_name, NULL);
    map_release(&s->by_id, NULL);
    map_release(&s->prepared, NULL);
    free(s);
}

bool my_stream_take(struct my_stream *s, struct event *out)
{
    return collector_take(s->collector, out);
}

bool my_stream_can_rest(const struct my_stream *s)
{
    return !s->group.is_open && s->has_moved;
}

void my_stream_rest(struct my_stream *s)
{
    s->has_moved = false;
    collector_rest(s->collector, s->position);
}

/* ---- groups ---- */

static uint64_t place(const struct my_stream *s, uint64_t offset)
{
    return s->file | (offset & UINT32_MAX);
}

bool my_stream_fail(const char *what, struct error *err)
{
    return error_set(err, ERROR_FATAL, "the log: %s", what);
}

static const struct position_source *source_of(const struct binlog_gtid *g)
{
    return g->is_mariadb ? position_source_mariadb(g->domain)
                         : position_source_mysql(g->uuid, g->tag);
}

static bool begin_group(struct my_stream *s, struct error *err)
{
    const struct binlog_gtid *g = &s->event.gtid;
    const struct binlog_header *h = &s->event.header;
    if (s->group.is_open) {
        return my_stream_fail("a transaction begins within another", err);
    }
    if (s->options.has_gtid && g->is_anonymous) {
        return error_set(
            err, ERROR_LOST,
            "the log holds a transaction without GTID: gtid_mode was not ON; load again "
            "with leat reload %s",
            s->options.relation_options.pipeline);
    }
    s->group = (struct group){
        .is_open = true,
        .has_begun = g->is_mariadb && !g->is_standalone,
        .is_xa = g->is_xa,
        .gtid = *g,
        .source = s->options.has_gtid ? source_of(g) : NULL,
        .start = place(s, h->next - h->size),
    };
    s->group.gtid.tag = (struct str){0}; /* borrowed from the event */
    if (s->options.has_gtid && !s->group.source) {
        return my_stream_fail("a GTID whose tag no server takes", err);
    }
    int64_t commit_time_us =
        g->commit_time_us ? g->commit_time_us : (int64_t)h->timestamp * 1000000;
    collector_begin(s->collector, &(struct collector_transaction){
                                      .source = s->group.source,
                                      .position = s->group.start + 1,
                                      .number = s->group.source ? g->number : s->group.start + 1,
                                      .commit_time_us = commit_time_us,
                                  });
    return true;
}

bool my_stream_end_group(struct my_stream *s, struct error *err)
{
    if (!s->group.is_open) {
        return my_stream_fail("a transaction ends that did not begin", err);
    }
    s->group.is_open = false;
    map_release(&s->by_id, NULL);
    collector_end(s->collector);
    if (s->group.source) {
        position_add(&s->position, s->group.source, s->group.gtid.number, s->group.gtid.server);
    } else {
        s->position = position_integer(place(s, s->offset));
    }
    s->has_moved = true;
    if (collector_is_due(s->collector)) {
        my_stream_rest(s);
    }
    return true;
}

/* A transaction that was not committed, and rows of ours in it. */
bool my_stream_refuse_rows(const struct my_stream *s, const char *what, struct error *err)
{
    return error_set(
        err, ERROR_LOST,
        "the log holds %s with changes of captured tables, which leat does not follow; "
        "load again with leat reload %s",
        what, s->options.relation_options.pipeline);
}

/* ---- rows ---- */

static struct str id_key(const uint64_t *id)
{
    return (struct str){.data = (const char *)id, .size = sizeof(*id)};
}

static bool describe(struct my_stream *s, struct error *err)
{
    uint64_t id = s->event.table_map.table_id;
    struct str bytes = s->event.table_map.bytes;
    struct my_relation *r =
        my_stream_find(s, s->event.table_map.database, s->event.table_map.table);
    if (r && !str_equal(buf_str(&r->map_bytes), bytes)) {
        collector_flush(s->collector, r->table);
    }
    if (r && !my_relation_map(r, bytes, &s->options.relation_options, err)) {
        return false;
    }
    (void)map_put(&s->by_id, id_key(&id), r ? (void *)r : &s->ignored);
    return true;
}

/* The captured table that rows belong to; NULL: another one. */
static bool find_described(const struct my_stream *s, uint64_t id, struct my_relation **out,
                           struct error *err)
{
    void *found = map_get(&s->by_id, id_key(&id));
    if (!found || !s->group.is_open) {
        return my_stream_fail(found ? "rows outside a transaction" : "rows without a table map",
                              err);
    }
    *out = found == &s->ignored ? NULL : found;
    return true;
}

static bool rows(struct my_stream *s, struct error *err)
{
    struct my_relation *r = NULL;
    if (!find_described(s, s->event.rows.table_id, &r, err)) {
        return false;
    }
    if (!r) {
        return true;
    }
    s->group.has_rows = true;
    if (s->group.is_xa) {
        return my_stream_refuse_rows(s, "an XA transaction", err);
    }
    return my_rows_add(s->collector, r, &s->event, err);
}

/* Changes in a form that is not read: of other tables they do not matter. */
static bool unsupported(struct my_stream *s, struct error *err)
{
    static const uint8_t partial_update_rows = 39;
    struct my_relation *r = NULL;
    if (s->event.header.type == partial_update_rows && s->event.body.size >= TABLE_ID_BYTES) {
        uint64_t id = 0;
        memcpy(&id, s->event.body.data, TABLE_ID_BYTES);
        if (!find_described(s, id, &r, err)) {
            return false;
        }
        return !r ||
               my_relation_lose(r,
                                "has changes of parts of JSON documents in the log, which leat "
                                "does not read: set binlog_row_value_options = ''",
                                s->options.relation_options.pipeline, err);
    }
    return error_set(err, ERROR_LOST,
                     "the log holds an event of type %s, which leat does not read; load again with "
                     "leat reload %s",
                     s->event.what, s->options.relation_options.pipeline);
}

/* ---- events ---- */

static void rotate(struct my_stream *s)
{
    struct my_log_place p = {.offset = s->event.rotate.offset};
    struct str file = s->event.rotate.file;
    uint64_t packed = 0;
    if (file.size < sizeof(p.file)) {
        memcpy(p.file, file.data, file.size);
        if (my_log_place_pack(&p, &packed)) {
            s->file = packed & ~(uint64_t)UINT32_MAX;
            s->offset = s->event.rotate.offset;
        }
    }
}

/* An idle log without GTIDs moves on when other things than transactions come, files among them. */
static void stand(struct my_stream *s)
{
    if (s->options.has_gtid || s->group.is_open || s->file == 0) {
        return;
    }
    struct position here = position_integer(place(s, s->offset));
    if (!position_covers(s->position, here)) {
        s->position = here;
        s->has_moved = true;
    }
}

static bool apply(struct my_stream *s, struct error *err);

static bool payload(struct my_stream *s, struct error *err)
{
    struct binlog_event outer = s->event;
    bool more = true;
    if (!binlog_payload_begin(s->payload, &outer, err)) {
        return false;
    }
    while (more) {
        if (!binlog_payload_next(s->payload, &s->decoder, &s->event, &more, err)) {
            return false;
        }
        if (more && s->event.kind == BINLOG_PAYLOAD) {
            return my_stream_fail("a compressed transaction within another", err);
        }
        if (more && !apply(s, err)) {
            return false;
        }
    }
    return true;
}

static bool apply(struct my_stream *s, struct error *err)
{
    switch (s->event.kind) {
    case BINLOG_ROTATE:
        rotate(s);
        return true;
    case BINLOG_GTID:
        return begin_group(s, err);
    case BINLOG_QUERY:
        return my_stream_query(s, err);
    case BINLOG_XID:
        return my_stream_end_group(s, err);
    case BINLOG_XA_PREPARE:
        return my_stream_xa_prepare(s, err);
    case BINLOG_TABLE_MAP:
        return describe(s, err);
    case BINLOG_WRITE_ROWS:
    case BINLOG_UPDATE_ROWS:
    case BINLOG_DELETE_ROWS:
        return rows(s, err);
    case BINLOG_PAYLOAD:
        return payload(s, err);
    case BINLOG_UNSUPPORTED:
        return unsupported(s, err);
    case BINLOG_FORMAT:
    case BINLOG_HEARTBEAT:
    case BINLOG_OTHER:
        break;
    }
    return true;
}

bool my_stream_apply(struct my_stream *s, const void *event, size_t size, struct error *err)
{
    if (!binlog_decode(&s->decoder, event, size, &s->event, err)) {
        return false;
    }
    if (s->event.kind != BINLOG_ROTATE && s->event.header.next != 0) {
        s->offset = s->event.header.next;
    }
    if (!apply(s, err)) {
        return false;
    }
    stand(s);
    return true;
}
