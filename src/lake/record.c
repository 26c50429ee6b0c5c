#include "lake/record.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT = 1, TEXT_SIZE_MAX = 64 << 20 };

static void json_free(json_t **j)
{
    json_decref(*j);
}

char *lake_record_name(const char *pipeline)
{
    struct buf name = {0};
    buf_append_format(&name, "leat.%s", pipeline);
    return name.data;
}

static void set_position(json_t *o, const char *key, struct position p)
{
    owned(buf_release) struct buf text = {0};
    position_format(p, &text);
    (void)json_object_set_new(o, key, json_string(buf_text(&text)));
}

void lake_record_format(const struct lake_record *record, struct buf *out)
{
    owned(json_free) json_t *o = json_object();
    (void)json_object_set_new(o, "format", json_integer(FORMAT));
    (void)json_object_set_new(o, "version", json_integer(record->version));
    (void)json_object_set_new(o, "txnId", json_string(record->txn_id));
    set_position(o, "position", record->position);
    set_position(o, "complete", record->complete);
    (void)json_object_set_new(o, "epoch", json_integer((json_int_t)record->epoch));
    (void)json_object_set_new(
        o, "phase", json_string(record->phase == PHASE_LOADING ? "loading" : "streaming"));
    (void)json_object_set_new(o, "loadId", json_string(record->load_id));
    (void)json_object_set_new(o, "source", json_string(record->source));
    char *text = json_dumps(o, JSON_COMPACT);
    if (!text) {
        abort();
    }
    buf_append_text(out, text);
    free(text);
}

static bool read_integer(const json_t *o, const char *key, int64_t *out, struct error *err)
{
    const json_t *value = json_object_get(o, key);
    *out = json_integer_value(value);
    return json_is_integer(value) ||
           error_set(err, ERROR_DATA, "field \"%s\" of the position record is wrong", key);
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
    const json_t *value = json_object_get(o, key);
    if (!json_is_string(value)) {
        return error_set(err, ERROR_DATA, "field \"%s\" of the position record is wrong", key);
    }
    struct str text = {json_string_value(value), json_string_length(value)};
    return position_parse(text, out, err) ||
           error_wrap(err, "field \"%s\" of the position record", key);
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

bool lake_record_parse(const char *text, struct lake_record *out, struct error *err)
{
    size_t size = text ? strnlen(text, TEXT_SIZE_MAX) : 0;
    owned(json_free) json_t *o = text ? json_loadb(text, size, 0, NULL) : NULL;
    int64_t format = 0;
    int64_t epoch = 0;
    if (!json_is_object(o)) {
        return error_set(err, ERROR_DATA, "the position record is not JSON");
    }
    if (!read_integer(o, "format", &format, err)) {
        return false;
    }
    if (format > FORMAT) {
        return error_set(err, ERROR_CONFIG,
                         "the position record has format %" PRId64 ": a newer leat wrote it",
                         format);
    }
    struct lake_record r = {0};
    if (!read_integer(o, "version", &r.version, err) || !read_integer(o, "epoch", &epoch, err) ||
        !read_text(o, "txnId", r.txn_id, sizeof(r.txn_id), err) ||
        !read_position(o, "position", &r.position, err) ||
        !read_position(o, "complete", &r.complete, err) || !read_phase(o, &r.phase, err) ||
        !read_text(o, "loadId", r.load_id, sizeof(r.load_id), err) ||
        !read_text(o, "source", r.source, sizeof(r.source), err)) {
        return false;
    }
    if (epoch < 0) {
        return error_set(err, ERROR_DATA, "the position record has a negative epoch");
    }
    r.epoch = (uint64_t)epoch;
    *out = r;
    return true;
}

bool lake_commit_check(const struct lake_snapshot *snapshot, const struct lake_commit *commit,
                       const char *label, bool is_writable, struct error *err)
{
    if (!is_writable) {
        return error_set(err, ERROR_CONFIG, "table \"%s\" was opened for reading", label);
    }
    if (!snapshot->exists) {
        return error_set(err, ERROR_LOST, "table \"%s\" does not exist", label);
    }
    bool streaming = snapshot->has_record && snapshot->record.phase == PHASE_STREAMING &&
                     commit->record.phase == PHASE_STREAMING;
    if (!streaming || position_equal(snapshot->record.position, commit->from)) {
        return true;
    }
    owned(buf_release) struct buf held = {0};
    owned(buf_release) struct buf from = {0};
    position_format(snapshot->record.position, &held);
    position_format(commit->from, &from);
    return error_set(err, ERROR_LOST,
                     "table \"%s\" is at position %s, not at %s where this commit starts: "
                     "another instance of this pipeline moved it; restart this one",
                     label, buf_text(&held), buf_text(&from));
}
