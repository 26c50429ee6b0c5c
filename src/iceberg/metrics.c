#include "iceberg/metrics.h"

#include <string.h>

enum { COLUMNS_MAX = 100, TEXT_CHARACTERS_MAX = 16 };

static struct str copy_bytes(const void *data, size_t size, struct arena *a)
{
    return (struct str){arena_string(a, data, size), size};
}

/* Two's complement, big-endian, as few bytes as can be. */
static struct str decimal_bytes(__int128 v, struct arena *a)
{
    uint8_t bytes[16];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[15 - i] = (uint8_t)((unsigned __int128)v >> (8 * i));
    }
    size_t skip = 0;
    while (skip < 15 && ((bytes[skip] == 0x00 && bytes[skip + 1] < 0x80) ||
                         (bytes[skip] == 0xFF && bytes[skip + 1] >= 0x80))) {
        skip++;
    }
    return copy_bytes(bytes + skip, sizeof(bytes) - skip, a);
}

/* All integers are little-endian here as on the machine. */
static struct str integer_bytes(int64_t v, size_t width, struct arena *a)
{
    return copy_bytes(&v, width, a);
}

static struct str bound(struct type type, const union lake_value *v, bool is_upper, struct arena *a)
{
    struct str text = v->text;
    float narrow = (float)v->number;
    switch (type.kind) {
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_DATE:
        return integer_bytes(v->integer, 4, a);
    case TYPE_INT64:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return integer_bytes(v->integer, 8, a);
    case TYPE_FLOAT32:
        return copy_bytes(&narrow, sizeof(narrow), a);
    case TYPE_FLOAT64:
        return copy_bytes(&v->number, sizeof(v->number), a);
    case TYPE_DECIMAL:
        return decimal_bytes(v->decimal, a);
    case TYPE_STRING:
        return lake_statistics_cut(&text, TEXT_CHARACTERS_MAX, is_upper, a)
                   ? copy_bytes(text.data, text.size, a)
                   : (struct str){0};
    case TYPE_BOOL:
    case TYPE_BINARY:
    case TYPE_UUID:
    case TYPE_JSON:
        break; /* none are collected */
    }
    return (struct str){0};
}

void iceberg_metrics_make(const struct schema *schema, const int32_t *ids,
                          const struct lake_statistics *statistics, uint64_t row_count,
                          struct arena *a, struct iceberg_file *out)
{
    uint32_t count = schema->column_count < COLUMNS_MAX ? schema->column_count : COLUMNS_MAX;
    out->metrics_count = statistics ? count : 0;
    out->metrics = arena_zalloc(a, ((size_t)count + 1) * sizeof(*out->metrics));
    for (uint32_t i = 0; i < out->metrics_count; i++) {
        const struct lake_statistics *s = &statistics[i];
        struct type type = schema->columns[i].type;
        out->metrics[i] = (struct iceberg_metrics){
            .field_id = ids[i],
            .size = -1,
            .value_count = (int64_t)row_count,
            .null_count = (int64_t)s->null_count,
            .nan_count = -1,
            .lower = s->has_min ? bound(type, &s->min, false, a) : (struct str){0},
            .upper = s->has_max ? bound(type, &s->max, true, a) : (struct str){0},
        };
    }
}
