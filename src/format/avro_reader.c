#include <inttypes.h>
#include <stdlib.h>

#include "base/reader.h"
#include "format/avro.h"
#include "format/avro_codec.h"
#include "format/avro_schema.h"

enum {
    SYNC_SIZE = 16,
    RECORD_VALUES_MAX = 1 << 22, /* what one record may make of few bytes */
    VALUES_PER_BYTE = 16, /* records and nulls take no bytes, but hang on something that does */
};

struct avro_reader {
    struct reader file;
    struct arena arena; /* metadata and schema */
    struct avro_metadata *metadata;
    uint32_t metadata_count;
    const struct avro_schema *schema;
    enum avro_codec codec;
    const uint8_t *sync;
    struct buf uncompressed;
    struct reader block;
    int64_t records_left; /* in the block */
    size_t values_left;   /* that the block may still make */
};

/* Makes values of one record. */
struct decoder {
    struct reader *r;
    struct arena *arena;
    size_t values_left;
};

static bool read_value(struct decoder *d, const struct avro_schema *s, uint32_t depth,
                       struct avro_value *out);

/* --- values [Avro 1.11, Binary Encoding] --- */

/* At most ten bytes. Bits above the 64th are dropped, as the reference implementation does: there
 * are writers of snapshot ids that have them. */
static int64_t read_long(struct reader *r)
{
    uint64_t v = 0;
    for (uint32_t shift = 0; shift < 64; shift += 7) {
        uint8_t b = reader_u8(r);
        v |= (uint64_t)(b & 0x7F) << shift;
        if (!(b & 0x80)) {
            return (int64_t)(v >> 1 ^ -(v & 1));
        }
    }
    r->failed = true;
    return 0;
}

static struct str read_bytes(struct reader *r)
{
    int64_t size = read_long(r);
    if (size < 0) {
        r->failed = true;
    }
    const uint8_t *bytes = r->failed ? NULL : reader_bytes(r, (size_t)size);
    return (struct str){(const char *)bytes, bytes ? (size_t)size : 0};
}

/* The number of items of the next block of an array or a map, 0 at the end; a negative one is
 * followed by the block's size, for those who skip. */
static uint64_t read_block_count(struct reader *r)
{
    int64_t count = read_long(r);
    if (count < 0) {
        (void)read_long(r);
    }
    return r->failed ? 0 : count < 0 ? -(uint64_t)count : (uint64_t)count;
}

static bool copy_bytes(struct decoder *d, struct str bytes, struct avro_value *out)
{
    if (!bytes.data) {
        return false;
    }
    *out = (struct avro_value){
        .kind = AVRO_BYTES, .bytes = {arena_string(d->arena, bytes.data, bytes.size), bytes.size}};
    return true;
}

static bool read_integer(struct decoder *d, int64_t min, int64_t max, struct avro_value *out)
{
    *out = (struct avro_value){.kind = AVRO_LONG, .integer = read_long(d->r)};
    return out->integer >= min && out->integer <= max;
}

static bool read_union(struct decoder *d, const struct avro_schema *s, uint32_t depth,
                       struct avro_value *out)
{
    int64_t branch = read_long(d->r);
    return branch >= 0 && branch < s->count && read_value(d, s->branches[branch], depth + 1, out);
}

static bool read_record(struct decoder *d, const struct avro_schema *s, uint32_t depth,
                        struct avro_value *out)
{
    if (s->count > d->values_left) {
        return false;
    }
    d->values_left -= s->count; /* before they are read: records may nest */
    struct avro_field *fields = arena_array(d->arena, s->count, sizeof(*fields));
    struct avro_value *values = arena_array(d->arena, s->count, sizeof(*values));
    for (uint32_t i = 0; i < s->count; i++) {
        fields[i] = (struct avro_field){s->fields[i].name, s->fields[i].id, &values[i]};
        if (!read_value(d, s->fields[i].schema, depth + 1, &values[i])) {
            return false;
        }
    }
    *out = (struct avro_value){.kind = AVRO_RECORD, .record = {fields, s->count}};
    return true;
}

/* A pair of Avro's own maps, as the record that Iceberg writes for its maps. */
static bool read_pair(struct decoder *d, const struct avro_schema *s, uint32_t depth,
                      struct avro_value *out)
{
    struct avro_field *fields = arena_array(d->arena, 2, sizeof(*fields));
    struct avro_value *values = arena_array(d->arena, 2, sizeof(*values));
    fields[0] = (struct avro_field){"key", -1, &values[0]};
    fields[1] = (struct avro_field){"value", -1, &values[1]};
    *out = (struct avro_value){.kind = AVRO_RECORD, .record = {fields, 2}};
    return copy_bytes(d, read_bytes(d->r), &values[0]) &&
           read_value(d, s->item, depth + 1, &values[1]);
}

/* Room is made for what was read, not for what a count claims. */
static bool read_array(struct decoder *d, const struct avro_schema *s, uint32_t depth,
                       struct avro_value *out)
{
    struct avro_value *items = NULL;
    uint32_t count = 0;
    uint32_t capacity = 0;
    for (uint64_t left = read_block_count(d->r); left > 0; left = read_block_count(d->r)) {
        for (; left > 0; left--) {
            if (count == capacity) {
                capacity = capacity ? capacity * 2 : left < 16 ? (uint32_t)left : 16;
                struct avro_value *more = arena_array(d->arena, capacity, sizeof(*more));
                if (count > 0) {
                    memcpy(more, items, count * sizeof(*more));
                }
                items = more;
            }
            bool ok = s->type == AVRO_TYPE_MAP ? read_pair(d, s, depth, &items[count])
                                               : read_value(d, s->item, depth + 1, &items[count]);
            if (!ok) {
                return false;
            }
            count++;
        }
    }
    *out = (struct avro_value){.kind = AVRO_ARRAY, .array = {items, count}};
    return true;
}

static bool read_primitive(struct decoder *d, const struct avro_schema *s, struct avro_value *out)
{
    uint32_t bits32 = 0;
    uint64_t bits64 = 0;
    *out = (struct avro_value){.kind = AVRO_NULL};
    switch (s->type) {
    case AVRO_TYPE_NULL:
        return true;
    case AVRO_TYPE_BOOLEAN:
        out->kind = AVRO_BOOLEAN;
        out->boolean = reader_u8(d->r) != 0;
        return true;
    case AVRO_TYPE_INT:
        return read_integer(d, INT32_MIN, INT32_MAX, out);
    case AVRO_TYPE_LONG:
        return read_integer(d, INT64_MIN, INT64_MAX, out);
    case AVRO_TYPE_ENUM:
        return read_integer(d, 0, (int64_t)s->count - 1, out);
    case AVRO_TYPE_FLOAT:
        out->kind = AVRO_FLOAT;
        bits32 = reader_u32_le(d->r);
        memcpy(&out->number32, &bits32, sizeof(bits32));
        return true;
    case AVRO_TYPE_DOUBLE:
        out->kind = AVRO_DOUBLE;
        bits64 = reader_u64_le(d->r);
        memcpy(&out->number, &bits64, sizeof(bits64));
        return true;
    case AVRO_TYPE_BYTES:
    case AVRO_TYPE_STRING:
        return copy_bytes(d, read_bytes(d->r), out);
    case AVRO_TYPE_FIXED:
        return copy_bytes(d, (struct str){(const char *)reader_bytes(d->r, s->size), s->size}, out);
    case AVRO_TYPE_ARRAY:
    case AVRO_TYPE_MAP:
    case AVRO_TYPE_UNION:
    case AVRO_TYPE_RECORD:
        break;
    }
    return false;
}

static bool read_value(struct decoder *d, const struct avro_schema *s, uint32_t depth,
                       struct avro_value *out)
{
    if (depth > AVRO_DEPTH_MAX || d->values_left == 0) {
        return false;
    }
    d->values_left--;
    bool ok = false;
    if (s->type == AVRO_TYPE_RECORD) {
        ok = read_record(d, s, depth, out);
    } else if (s->type == AVRO_TYPE_UNION) {
        ok = read_union(d, s, depth, out);
    } else if (s->type == AVRO_TYPE_ARRAY || s->type == AVRO_TYPE_MAP) {
        ok = read_array(d, s, depth, out);
    } else {
        ok = read_primitive(d, s, out);
    }
    return ok && !d->r->failed;
}

/* --- header --- */

static bool corrupt(const struct avro_reader *r, const char *what, struct error *err)
{
    return error_set(err, ERROR_DATA, "Avro file of %zu bytes: %s before byte %zu", r->file.size,
                     what, r->file.offset);
}

static bool read_metadata(struct avro_reader *r, struct error *err)
{
    uint32_t capacity = 0;
    for (uint64_t left = read_block_count(&r->file); left > 0; left = read_block_count(&r->file)) {
        for (; left > 0 && !r->file.failed; left--) {
            if (r->metadata_count == capacity) {
                capacity = capacity ? capacity * 2 : 8;
                struct avro_metadata *more = arena_array(&r->arena, capacity, sizeof(*more));
                if (r->metadata_count > 0) {
                    memcpy(more, r->metadata, r->metadata_count * sizeof(*more));
                }
                r->metadata = more;
            }
            struct str key = read_bytes(&r->file);
            struct str value = read_bytes(&r->file);
            r->metadata[r->metadata_count++] = (struct avro_metadata){
                arena_string(&r->arena, key.data, key.size),
                {arena_string(&r->arena, value.data, value.size), value.size}};
        }
    }
    return !r->file.failed || corrupt(r, "the header is cut off", err);
}

static bool read_header(struct avro_reader *r, struct error *err)
{
    const uint8_t *magic = reader_bytes(&r->file, 4);
    if (!magic || memcmp(magic, "Obj\1", 4) != 0) {
        return corrupt(r, "no magic number", err);
    }
    if (!read_metadata(r, err)) {
        return false;
    }
    r->sync = reader_bytes(&r->file, SYNC_SIZE);
    if (!r->sync) {
        return corrupt(r, "no sync marker", err);
    }
    struct str schema = avro_reader_metadata(r, "avro.schema");
    if (!schema.data) {
        return corrupt(r, "no avro.schema", err);
    }
    r->schema = avro_schema_parse(schema, &r->arena, err);
    return r->schema && avro_codec_find(avro_reader_metadata(r, "avro.codec"), &r->codec, err);
}

struct avro_reader *avro_reader_new(struct str data, struct error *err)
{
    struct avro_reader *r = calloc(1, sizeof(*r));
    if (!r) {
        abort();
    }
    r->file = reader_from(data.data, data.size);
    if (!read_header(r, err)) {
        avro_reader_free(&r);
    }
    return r;
}

void avro_reader_free(struct avro_reader **r)
{
    if (*r) {
        buf_release(&(*r)->uncompressed);
        arena_release(&(*r)->arena);
        free(take(*r));
    }
}

struct str avro_reader_metadata(const struct avro_reader *r, const char *key)
{
    for (uint32_t i = 0; i < r->metadata_count; i++) {
        if (strcmp(r->metadata[i].key, key) == 0) {
            return r->metadata[i].value;
        }
    }
    return (struct str){0};
}

/* --- blocks --- */

static bool read_block(struct avro_reader *r, struct error *err)
{
    r->records_left = read_long(&r->file);
    struct str data = read_bytes(&r->file);
    const uint8_t *sync = reader_bytes(&r->file, SYNC_SIZE);
    if (!sync || r->records_left < 0) {
        return corrupt(r, "a block is cut off", err);
    }
    if (memcmp(sync, r->sync, SYNC_SIZE) != 0) {
        return corrupt(r, "no sync marker", err);
    }
    if (r->codec != AVRO_CODEC_NULL) {
        buf_clear(&r->uncompressed);
        if (!avro_block_uncompress(r->codec, data, &r->uncompressed, err)) {
            return error_wrap(err, "Avro block that ends at byte %zu", r->file.offset);
        }
        data = buf_str(&r->uncompressed);
    }
    if ((uint64_t)r->records_left > data.size) {
        return corrupt(r, "more records than bytes", err);
    }
    r->block = reader_from(data.data, data.size);
    r->values_left = data.size * VALUES_PER_BYTE;
    return true;
}

bool avro_reader_next(struct avro_reader *r, struct arena *a, const struct avro_value **record,
                      struct error *err)
{
    while (r->records_left == 0) {
        if (!reader_ok(&r->block)) {
            return corrupt(r, "bytes are left over in a block", err);
        }
        if (reader_ok(&r->file)) {
            *record = NULL;
            return true;
        }
        if (!read_block(r, err)) {
            return false;
        }
    }
    size_t values = r->values_left < RECORD_VALUES_MAX ? r->values_left : RECORD_VALUES_MAX;
    struct decoder d = {.r = &r->block, .arena = a, .values_left = values};
    struct avro_value *out = arena_alloc(a, sizeof(*out));
    if (!read_value(&d, r->schema, 0, out)) {
        r->block.failed = true; /* the next call fails too */
        return corrupt(r, "a record is not as the schema says", err);
    }
    r->values_left -= values - d.values_left;
    r->records_left--;
    *record = out;
    return true;
}

const struct avro_value *avro_get(const struct avro_value *record, int32_t id)
{
    for (uint32_t i = 0; record->kind == AVRO_RECORD && i < record->record.count; i++) {
        const struct avro_field *f = &record->record.fields[i];
        if (f->id == id) {
            return f->value->kind == AVRO_NULL ? NULL : f->value;
        }
    }
    return NULL;
}
