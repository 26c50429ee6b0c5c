#include "delta/stats.h"

#include <inttypes.h>
#include <math.h>

#include "delta/field.h"
#include "format/json.h"
#include "format/value.h"

/* As other writers do; every column more costs each reader and each checkpoint. */
enum { INDEXED_COLUMNS_MAX = 32, EXACT_DECIMAL_DIGITS = 15 };

static bool append_date(int64_t days, struct buf *out)
{
    if (days < -719162 || days > 2932896) {
        return false; /* years outside 1 to 9999 */
    }
    int32_t value = (int32_t)days;
    struct column c = {.type = {.kind = TYPE_DATE}, .values = &value};
    buf_append_char(out, '"');
    value_format(&c, 0, out);
    buf_append_char(out, '"');
    return true;
}

/* Milliseconds; rounded away from the values, because not every reader widens a bound by itself. */
static bool append_timestamp(int64_t us, enum type_kind kind, bool is_max, struct buf *out)
{
    int64_t ms = us / 1000 - (us % 1000 < 0);
    ms += is_max && us % 1000 != 0;
    int64_t days = ms / 86400000 - (ms % 86400000 < 0);
    if (days < -719162 || days > 2932896) {
        return false;
    }
    int64_t rest = ms - days * 86400000;
    (void)append_date(days, out);
    out->size--; /* the closing quote */
    buf_append_format(out, "T%02d:%02d:%02d.%03d%s\"", (int)(rest / 3600000),
                      (int)(rest / 60000 % 60), (int)(rest / 1000 % 60), (int)(rest % 1000),
                      kind == TYPE_TIMESTAMPTZ ? "Z" : "");
    return true;
}

/* Some readers take numbers through a double: more digits than it has are left out. */
static bool append_decimal(__int128 unscaled, struct type type, struct buf *out)
{
    __int128 limit = 1;
    for (int i = 0; i < EXACT_DECIMAL_DIGITS; i++) {
        limit *= 10;
    }
    if (unscaled >= limit || unscaled <= -limit) {
        return false;
    }
    int64_t value = (int64_t)unscaled;
    struct column c = {.type = {TYPE_DECIMAL, 18, type.scale}, .values = &value};
    __int128 wide = unscaled;
    if (type.scale > 18) {
        c = (struct column){.type = {TYPE_DECIMAL, 38, type.scale}, .values = &wide};
    }
    value_format(&c, 0, out);
    return true;
}

static bool append_bound(struct type type, const union lake_value *v, bool is_max, struct buf *out)
{
    switch (type.kind) {
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
        buf_append_format(out, "%" PRId64, v->integer);
        return true;
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
        if (!isfinite(v->number)) {
            return false;
        }
        buf_append_format(out, "%.17g", v->number);
        if (out->data[out->size - 1] != '.' && v->number == floor(v->number) &&
            fabs(v->number) < 1e15) {
            buf_append_text(out, ".0");
        }
        return true;
    case TYPE_DECIMAL:
        return append_decimal(v->decimal, type, out);
    case TYPE_STRING:
        json_write_string(v->text, out);
        return true;
    case TYPE_DATE:
        return append_date(v->integer, out);
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return append_timestamp(v->integer, type.kind, is_max, out);
    case TYPE_BOOL:
    case TYPE_BINARY:
    case TYPE_TIME:
    case TYPE_UUID:
    case TYPE_JSON:
        return false;
    }
    return false;
}

static void append_bounds(const struct schema *schema, const bool *is_partition,
                          const struct lake_statistics *statistics, bool is_max, struct buf *out)
{
    json_append_key(out, is_max ? "maxValues" : "minValues");
    buf_append_char(out, '{');
    for (uint32_t i = 0; i < schema->column_count && i < INDEXED_COLUMNS_MAX; i++) {
        const struct lake_statistics *s = &statistics[i];
        if (is_partition[i] || !(is_max ? s->has_max : s->has_min)) {
            continue;
        }
        size_t before = out->size;
        json_append_key(out, schema->columns[i].name);
        if (!append_bound(schema->columns[i].type, is_max ? &s->max : &s->min, is_max, out)) {
            out->size = before;
        }
    }
    buf_append_char(out, '}');
}

char *delta_stats_format(const struct schema *schema, const bool *is_partition, uint64_t row_count,
                         const struct lake_statistics *statistics, struct arena *a)
{
    owned(buf_release) struct buf out = {0};
    buf_append_format(&out, "{\"numRecords\":%" PRIu64, row_count);
    if (statistics) {
        append_bounds(schema, is_partition, statistics, false, &out);
        append_bounds(schema, is_partition, statistics, true, &out);
        json_append_key(&out, "nullCount");
        buf_append_char(&out, '{');
        for (uint32_t i = 0; i < schema->column_count && i < INDEXED_COLUMNS_MAX; i++) {
            if (!is_partition[i]) {
                json_append_key(&out, schema->columns[i].name);
                buf_append_format(&out, "%" PRIu64, statistics[i].null_count);
            }
        }
        buf_append_char(&out, '}');
    }
    buf_append_char(&out, '}');
    return arena_string(a, out.data, out.size);
}

/* Bounds may be numbers that no integer holds; only the counts matter here. */
static json_t *parse(const char *stats)
{
    return stats ? json_loads(stats, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL) : NULL;
}

bool delta_stats_row_count(const char *stats, uint64_t *row_count)
{
    owned(json_free) json_t *object = parse(stats);
    const json_t *count = json_object_get(object, "numRecords");
    double value = json_number_value(count);
    if (!json_is_number(count) || value < 0 || value > 9007199254740992.0 ||
        value != floor(value)) {
        return false;
    }
    *row_count = (uint64_t)value;
    return true;
}

char *delta_stats_loosen(const char *stats, uint64_t row_count, struct arena *a)
{
    static const char loose[] = "{\"tightBounds\":false,";
    owned(json_free) json_t *object = parse(stats);
    const json_t *tight = json_object_get(object, "tightBounds");
    if (tight && !json_is_true(tight)) {
        return arena_string(a, stats, strlen(stats));
    }
    if (json_is_object(object) && !tight && json_object_get(object, "numRecords") &&
        stats[0] == '{') {
        /* By text: numbers would not all survive being parsed and written. */
        return arena_format(a, "%s%s", loose, stats + 1);
    }
    return arena_format(a, "%s\"numRecords\":%" PRIu64 "}", loose, row_count);
}
