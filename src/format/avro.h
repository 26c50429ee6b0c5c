/* Avro object container files (Avro 1.11, "Object Container Files"), as Iceberg's manifests need
 * them: any header metadata, schemas with attributes of their own (field-id ...), values found by
 * field id.
 *
 * Reading is bounded: lengths are checked before anything is allocated, nesting is limited, codecs
 * are null, deflate, snappy and zstandard. Everything bad is ERROR_DATA. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/* ---- writing ---- */

struct avro_metadata {
    const char *key;
    struct str value;
};

struct avro_writer;

/* `schema` is the JSON text that the header shows. avro.schema and avro.codec are added. Blocks are
 * compressed with raw deflate. */
struct avro_writer *avro_writer_new(const char *schema, const struct avro_metadata *metadata,
                                    uint32_t count);

/* Adds one record, already encoded by the avro_put_ functions in the order of the schema. */
void avro_writer_add(struct avro_writer *w, struct str record);

/* Appends the whole file and frees the writer. */
void avro_writer_finish(struct avro_writer **w, struct buf *out);
void avro_writer_free(struct avro_writer **w);

void avro_put_boolean(bool v, struct buf *out);
void avro_put_long(int64_t v, struct buf *out); /* int, long, enum, union branch, block count */
void avro_put_float(float v, struct buf *out);
void avro_put_double(double v, struct buf *out);
void avro_put_bytes(struct str v, struct buf *out); /* bytes and string; fixed is appended raw */

/* ---- reading ---- */

enum avro_kind {
    AVRO_NULL,
    AVRO_BOOLEAN,
    AVRO_LONG, /* int, long, enum */
    AVRO_FLOAT,
    AVRO_DOUBLE,
    AVRO_BYTES, /* bytes, string, fixed */
    AVRO_ARRAY, /* and Avro's own maps: records of key and value */
    AVRO_RECORD,
};

struct avro_value;

struct avro_field {
    const char *name;
    int32_t id; /* "field-id" of the schema; -1: none */
    const struct avro_value *value;
};

/* A union is the value of its branch. Lives in the reader's arena. */
struct avro_value {
    enum avro_kind kind;
    union {
        bool boolean;
        int64_t integer;
        float number32;
        double number;
        struct str bytes;
        struct {
            const struct avro_value *items;
            uint32_t count;
        } array;
        struct {
            const struct avro_field *fields;
            uint32_t count;
        } record;
    };
};

struct avro_reader;

/* Reads a whole file in memory; `data` is borrowed until the reader is freed. */
struct avro_reader *avro_reader_new(struct str data, struct error *err);
void avro_reader_free(struct avro_reader **r);

/* Header metadata; data NULL when there is no such key. */
struct str avro_reader_metadata(const struct avro_reader *r, const char *key);

/* The next record in the arena; NULL record is the end. */
must_check bool avro_reader_next(struct avro_reader *r, struct arena *a,
                                 const struct avro_value **record, struct error *err);

/* The value of the field with that id, or NULL: absent, or null. */
const struct avro_value *avro_get(const struct avro_value *record, int32_t id);
