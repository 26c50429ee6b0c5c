#include "format/debezium.h"

#include <inttypes.h>

#include "format/json.h"
#include "format/value.h"

void debezium_write_value(const struct column *c, uint32_t row, struct buf *out)
{
    if (!column_is_valid(c, row)) {
        buf_append_text(out, "null");
        return;
    }
    switch (c->type.kind) {
    case TYPE_DECIMAL:
        buf_append_char(out, '"');
        value_format(c, row, out);
        buf_append_char(out, '"');
        return;
    case TYPE_DATE:
        buf_append_format(out, "%" PRId32, ((const int32_t *)c->values)[row]);
        return;
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
        buf_append_format(out, "%" PRId64, ((const int64_t *)c->values)[row]);
        return;
    case TYPE_JSON:
        json_write_string(view_str(&((const struct view *)c->values)[row]), out);
        return;
    case TYPE_BOOL:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_FLOAT32:
    case TYPE_FLOAT64:
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_TIMESTAMPTZ:
    case TYPE_UUID:
        json_write_value(c, row, out);
        return;
    }
}

void debezium_write_row(const struct schema *schema, const struct column *columns,
                        uint32_t column_count, uint32_t row, struct buf *out)
{
    buf_append_char(out, '{');
    for (uint32_t i = 0; i < column_count; i++) {
        buf_append_text(out, i > 0 ? "," : "");
        json_write_string(str_from(schema->columns[i].name), out);
        buf_append_char(out, ':');
        debezium_write_value(&columns[i], row, out);
    }
    buf_append_char(out, '}');
}

static void append_image(const char *name, struct str image, struct buf *out)
{
    buf_append_text(out, name);
    if (image.size > 0) {
        buf_append(out, image.data, image.size);
    } else {
        buf_append_text(out, "null");
    }
}

static void append_pair(const char *name, const char *value, struct buf *out)
{
    json_write_string(str_from(name), out);
    buf_append_char(out, ':');
    json_write_string(str_from(value), out);
    buf_append_char(out, ',');
}

static int64_t milliseconds(int64_t us)
{
    return us / 1000 - (us % 1000 < 0);
}

void debezium_write_change(const struct debezium_source *source,
                           const struct debezium_change *change, struct buf *out)
{
    append_image("{\"before\":", change->before, out);
    append_image(",\"after\":", change->after, out);
    buf_append_text(out, ",\"source\":{");
    append_pair("version", LEAT_VERSION, out);
    append_pair("connector", source->connector, out);
    append_pair("name", source->name, out);
    append_pair("table", source->table, out);
    buf_append_format(out, "\"ts_ms\":%" PRId64 ",\"%s\":%" PRId64 "}",
                      milliseconds(change->source_time_us), source->id_name, change->id);
    buf_append_format(out, ",\"op\":\"%c\",\"ts_ms\":%" PRId64 "}\n", change->op,
                      milliseconds(change->time_us));
}
