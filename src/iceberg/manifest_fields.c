#include "iceberg/manifest_fields.h"

#include <inttypes.h>

static void fail(struct manifest_fields *f, int32_t id, const char *name, const char *what)
{
    f->failed = true;
    (void)error_set(f->err, ERROR_DATA, "manifest field %" PRId32 " \"%s\" %s", id, name, what);
}

/* The value if it is of that kind, or NULL. */
static const struct avro_value *get(struct manifest_fields *f, int32_t id, const char *name,
                                    enum avro_kind kind)
{
    const struct avro_value *v = f->failed ? NULL : avro_get(f->record, id);
    if (v && v->kind != kind) {
        fail(f, id, name, "is of another type than it must be");
        return NULL;
    }
    return v;
}

int64_t manifest_integer(struct manifest_fields *f, int32_t id, const char *name, int64_t absent)
{
    const struct avro_value *v = get(f, id, name, AVRO_LONG);
    if (v) {
        return v->integer;
    }
    if (absent == MANIFEST_REQUIRED) {
        fail(f, id, name, "is missing");
        return 0;
    }
    return absent;
}

int64_t manifest_natural(struct manifest_fields *f, int32_t id, const char *name, int64_t max,
                         int64_t absent)
{
    int64_t v = manifest_integer(f, id, name, absent);
    if (!f->failed && v != absent && (v < 0 || v > max)) {
        fail(f, id, name, "is out of range");
        return 0;
    }
    return v;
}

bool manifest_boolean(struct manifest_fields *f, int32_t id, const char *name, bool absent)
{
    const struct avro_value *v = get(f, id, name, AVRO_BOOLEAN);
    return v ? v->boolean : absent;
}

struct str manifest_bytes(struct manifest_fields *f, int32_t id, const char *name)
{
    const struct avro_value *v = get(f, id, name, AVRO_BYTES);
    return v ? (struct str){arena_string(f->arena, v->bytes.data, v->bytes.size), v->bytes.size}
             : (struct str){0};
}

const char *manifest_text(struct manifest_fields *f, int32_t id, const char *name)
{
    struct str bytes = manifest_bytes(f, id, name);
    if (bytes.data &&
        (memchr(bytes.data, '\0', bytes.size) || !utf8_valid(bytes.data, bytes.size))) {
        fail(f, id, name, "is not text");
        return NULL;
    }
    return bytes.data;
}

const char *manifest_required_text(struct manifest_fields *f, int32_t id, const char *name)
{
    const char *text = manifest_text(f, id, name);
    if (!text) {
        fail(f, id, name, "is missing");
        return "";
    }
    return text;
}

const struct avro_value *manifest_array(struct manifest_fields *f, int32_t id, const char *name)
{
    return get(f, id, name, AVRO_ARRAY);
}

struct manifest_fields manifest_record(struct manifest_fields *f, int32_t id, const char *name)
{
    const struct avro_value *v = get(f, id, name, AVRO_RECORD);
    if (!v) {
        fail(f, id, name, "is missing");
    }
    return (struct manifest_fields){
        .record = v, .arena = f->arena, .err = f->err, .failed = f->failed};
}
