#include "delta/record.h"

#include <inttypes.h>

#include "delta/field.h"
#include "format/json.h"

enum { FORMAT = 1 };

char *delta_record_name(const char *pipeline)
{
    struct buf name = {0};
    buf_append_format(&name, "leat.%s", pipeline);
    return name.data;
}

static void append_position(struct buf *out, const char *key, struct position p)
{
    owned(buf_release) struct buf text = {0};
    position_format(p, &text);
    json_append_key(out, key);
    json_write_string(buf_str(&text), out);
}

void delta_record_format(const struct lake_record *record, struct buf *out)
{
    buf_append_format(out, "{\"format\":%d,\"version\":%" PRId64, FORMAT, record->version);
    json_append_key(out, "txnId");
    json_append_text(out, record->txn_id);
    append_position(out, "position", record->position);
    append_position(out, "complete", record->complete);
    json_append_key(out, "epoch");
    buf_append_format(out, "%" PRIu64, record->epoch);
    json_append_key(out, "phase");
    json_append_text(out, record->phase == PHASE_LOADING ? "loading" : "streaming");
    json_append_key(out, "loadId");
    json_append_text(out, record->load_id);
    json_append_key(out, "source");
    json_append_text(out, record->source);
    buf_append_char(out, '}');
}

static bool read_text(const json_t *o, const char *key, char *out, size_t size, struct error *err)
{
    const json_t *value = json_object_get(o, key);
    size_t length = json_string_length(value);
    if (!json_is_string(value) || length >= size || strlen(json_string_value(value)) != length) {
        return error_set(err, ERROR_DATA, "field \"%s\" of the position record is wrong", key);
    }
    memcpy(out, json_string_value(value), length + 1);
    return true;
}

static bool read_position(const json_t *o, const char *key, struct position *out, struct error *err)
{
    char text[64];
    return read_text(o, key, text, sizeof(text), err) && position_parse(str_from(text), out, err);
}

static bool read_phase(const json_t *o, enum barrier_phase *out, struct error *err)
{
    char text[16];
    if (!read_text(o, "phase", text, sizeof(text), err)) {
        return false;
    }
    bool loading = strcmp(text, "loading") == 0;
    *out = loading ? PHASE_LOADING : PHASE_STREAMING;
    return loading || strcmp(text, "streaming") == 0 ||
           error_set(err, ERROR_DATA, "the position record has the phase \"%s\"", text);
}

bool delta_record_parse(const char *text, struct lake_record *out, struct error *err)
{
    owned(json_free) json_t *o = text ? field_parse(str_from(text), err) : NULL;
    int64_t format = 0;
    int64_t epoch = 0;
    if (!o || !field_int64(o, "format", &format, NULL, err)) {
        return error_set(err, ERROR_DATA, "the position record is not JSON");
    }
    if (format > FORMAT) {
        return error_set(err, ERROR_CONFIG,
                         "the position record has format %" PRId64 ": a newer leat wrote it",
                         format);
    }
    struct lake_record r = {0};
    bool has_version = false;
    if (!field_int64(o, "version", &r.version, &has_version, err) ||
        !field_int64(o, "epoch", &epoch, NULL, err) ||
        !read_text(o, "txnId", r.txn_id, sizeof(r.txn_id), err) ||
        !read_position(o, "position", &r.position, err) ||
        !read_position(o, "complete", &r.complete, err) || !read_phase(o, &r.phase, err) ||
        !read_text(o, "loadId", r.load_id, sizeof(r.load_id), err) ||
        !read_text(o, "source", r.source, sizeof(r.source), err)) {
        return false;
    }
    if (!has_version || epoch < 0) {
        return error_set(err, ERROR_DATA, "the position record has no version");
    }
    r.epoch = (uint64_t)epoch;
    *out = r;
    return true;
}
