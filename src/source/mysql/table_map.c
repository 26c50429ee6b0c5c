/* libs/mysql/binlog/event/rows_event.h, Table_map_event; MariaDB's is the same with two types more
 * (sql/log_event.h). */
#include "source/mysql/table_map.h"

#include <inttypes.h>

#include "base/reader.h"
#include "source/mysql/event_parts.h"
#include "source/mysql/table_map_parts.h"

static const size_t TABLE_MAP_SIZE_MAX = (size_t)64 << 20;

static struct str copy_str(struct arena *arena, struct str s)
{
    return (struct str){.data = arena_string(arena, s.data, s.size), .size = s.size};
}

static struct str read_name(struct reader *r, struct arena *arena)
{
    struct str name = binlog_packed_str(r);
    r->failed |= reader_u8(r) != 0;
    return copy_str(arena, name);
}

/* CHAR, ENUM and SET come as STRING. The first byte is the real type; the highest two bits of a
 * length above 255 stand inverted in bits 4 and 5 of it. */
static void read_string_type(struct reader *r, struct table_map_column *c)
{
    uint8_t type = reader_u8(r);
    uint8_t low = reader_u8(r);
    c->type = (enum my_type)(type | 0x30);
    c->metadata = low;
    if (c->type == MY_STRING) {
        c->metadata |= (uint16_t)((~type & 0x30) << 4);
    } else {
        r->failed |= (c->type != MY_ENUM && c->type != MY_SET) || (type & 0x30) != 0x30;
    }
}

/* False: the type is not known. */
static bool read_type(struct reader *r, struct table_map_column *c)
{
    switch (c->type) {
    case MY_DECIMAL_OLD:
    case MY_TINY:
    case MY_SHORT:
    case MY_LONG:
    case MY_NULL:
    case MY_TIMESTAMP:
    case MY_LONGLONG:
    case MY_INT24:
    case MY_DATE:
    case MY_TIME:
    case MY_DATETIME:
    case MY_YEAR:
    case MY_NEWDATE:
        return true;
    case MY_FLOAT:
    case MY_DOUBLE:
    case MY_TIMESTAMP2:
    case MY_DATETIME2:
    case MY_TIME2:
    case MY_BLOB:
    case MY_BLOB_COMPRESSED:
    case MY_JSON:
    case MY_GEOMETRY:
    case MY_VECTOR:
        c->metadata = reader_u8(r);
        return true;
    case MY_VARCHAR:
    case MY_VARCHAR_COMPRESSED:
    case MY_BIT:
        c->metadata = reader_u16_le(r);
        return true;
    case MY_NEWDECIMAL:
        c->metadata = reader_u16(r);
        return true;
    case MY_STRING:
    case MY_ENUM:
    case MY_SET:
        read_string_type(r, c);
        return true;
    default:
        return false;
    }
}

/* What the value decoder relies on. */
static bool metadata_valid(const struct table_map_column *c)
{
    unsigned m = c->metadata;
    switch (c->type) {
    case MY_FLOAT:
        return m == 4;
    case MY_DOUBLE:
        return m == 8;
    case MY_TIMESTAMP2:
    case MY_DATETIME2:
    case MY_TIME2:
        return m <= 6;
    case MY_BLOB:
    case MY_BLOB_COMPRESSED:
    case MY_JSON:
    case MY_GEOMETRY:
    case MY_VECTOR:
        return m >= 1 && m <= 4;
    case MY_BIT:
        return (m & 0xFF) < 8 && 8 * (m >> 8) + (m & 0xFF) <= 64 && m > 0;
    case MY_NEWDECIMAL:
        return m >> 8 >= 1 && m >> 8 <= 65 && (m & 0xFF) <= 38 && (m & 0xFF) <= m >> 8;
    case MY_ENUM:
        return m == 1 || m == 2;
    case MY_SET:
        return m >= 1 && m <= 8;
    default:
        return true;
    }
}

static bool read_types(struct reader *r, struct str types, struct table_map *out, struct error *err)
{
    for (uint32_t i = 0; i < out->column_count; i++) {
        struct table_map_column *c = &out->columns[i];
        c->type = (enum my_type)(uint8_t)types.data[i];
        if (!read_type(r, c)) {
            return error_set(err, ERROR_DATA,
                             "%.*s.%.*s: column %" PRIu32 " has type %u, which this version does "
                             "not know",
                             str_arg(out->database), str_arg(out->table), i + 1, c->type);
        }
        r->failed |= !metadata_valid(c);
    }
    return true;
}

static void read_nullable(struct reader *r, struct table_map *out)
{
    const uint8_t *bits = reader_bytes(r, (out->column_count + 7U) / 8);
    for (uint32_t i = 0; bits && i < out->column_count; i++) {
        out->columns[i].nullable = bits[i / 8] >> (i % 8) & 1;
    }
}

static bool read_map(struct reader *r, struct arena *arena, struct table_map *out,
                     struct error *err)
{
    out->table_id = reader_u48_le(r);
    (void)reader_u16_le(r); /* flags */
    out->database = read_name(r, arena);
    out->table = read_name(r, arena);
    out->column_count = binlog_column_count(r);
    struct str types = reader_str(r, out->column_count);
    struct str metadata = binlog_packed_str(r);
    if (r->failed) {
        return true;
    }
    out->columns = arena_zalloc(arena, out->column_count * sizeof(*out->columns));
    struct reader m = reader_from(metadata.data, metadata.size);
    if (!read_types(&m, types, out, err)) {
        return false;
    }
    r->failed |= !reader_ok(&m);
    read_nullable(r, out);
    table_map_read_optional(r, arena, out);
    return true;
}

bool table_map_decode(struct str bytes, struct arena *arena, struct table_map *out,
                      struct error *err)
{
    *out = (struct table_map){0};
    struct reader r = reader_from(bytes.data, bytes.size);
    r.failed = bytes.size > TABLE_MAP_SIZE_MAX;
    if (!read_map(&r, arena, out, err)) {
        return false;
    }
    if (!reader_ok(&r)) {
        return error_set(err, ERROR_FATAL, "malformed table map of %zu bytes for %.*s.%.*s",
                         bytes.size, str_arg(out->database), str_arg(out->table));
    }
    return true;
}

static const char *integer_name(enum my_type type)
{
    return type == MY_TINY    ? "tinyint"
           : type == MY_SHORT ? "smallint"
           : type == MY_INT24 ? "mediumint"
           : type == MY_LONG  ? "int"
                              : "bigint";
}

/* BINARY, VARBINARY and BLOB are text of this collation. */
enum { COLLATION_BINARY = 63 };

static void format_blob(const struct table_map_column *c, struct buf *out)
{
    static const char *const sizes[] = {"", "tiny", "", "medium", "long"};
    bool is_text = c->collation != 0 && c->collation != COLLATION_BINARY;
    buf_append_format(out, "%s%s", sizes[c->metadata <= 4 ? c->metadata : 0],
                      is_text ? "text" : "blob");
}

/* The length is in bytes, which is what binary types are declared in. */
static void format_string(const struct table_map_column *c, const char *text, const char *binary,
                          struct buf *out)
{
    if (c->collation == COLLATION_BINARY) {
        buf_append_format(out, "%s(%u)", binary, c->metadata);
    } else {
        buf_append_text(out, text);
    }
}

static void format_fraction(const char *name, const struct table_map_column *c, struct buf *out)
{
    buf_append_text(out, name);
    if (c->metadata > 0) {
        buf_append_format(out, "(%u)", c->metadata);
    }
}

static const char *plain_name(enum my_type type)
{
    switch (type) {
    case MY_DECIMAL_OLD:
        return "decimal of MySQL 4";
    case MY_FLOAT:
        return "float";
    case MY_DOUBLE:
        return "double";
    case MY_NULL:
        return "null";
    case MY_DATE:
    case MY_NEWDATE:
        return "date";
    case MY_YEAR:
        return "year";
    case MY_JSON:
        return "json";
    case MY_VECTOR:
        return "vector";
    case MY_ENUM:
        return "enum";
    case MY_SET:
        return "set";
    case MY_GEOMETRY:
        return "geometry";
    default:
        return NULL;
    }
}

void table_map_format_type(const struct table_map_column *c, struct buf *out)
{
    switch (c->type) {
    case MY_TINY:
    case MY_SHORT:
    case MY_INT24:
    case MY_LONG:
    case MY_LONGLONG:
        buf_append_text(out, integer_name(c->type));
        break;
    case MY_NEWDECIMAL:
        buf_append_format(out, "decimal(%u,%u)", c->metadata >> 8, c->metadata & 0xFFU);
        break;
    case MY_BIT:
        buf_append_format(out, "bit(%u)", 8U * (c->metadata >> 8) + (c->metadata & 0xFFU));
        break;
    case MY_TIMESTAMP:
    case MY_TIMESTAMP2:
        format_fraction("timestamp", c, out);
        break;
    case MY_DATETIME:
    case MY_DATETIME2:
        format_fraction("datetime", c, out);
        break;
    case MY_TIME:
    case MY_TIME2:
        format_fraction("time", c, out);
        break;
    case MY_VARCHAR:
    case MY_VARCHAR_COMPRESSED:
        format_string(c, "varchar", "varbinary", out);
        break;
    case MY_STRING:
        format_string(c, "char", "binary", out);
        break;
    case MY_BLOB:
    case MY_BLOB_COMPRESSED:
        format_blob(c, out);
        break;
    default:
        buf_append_text(out, plain_name(c->type) ? plain_name(c->type) : "unknown type");
        break;
    }
    if (c->has_sign && c->is_unsigned && c->type != MY_YEAR) {
        buf_append_text(out, " unsigned");
    }
    if (c->type == MY_VARCHAR_COMPRESSED || c->type == MY_BLOB_COMPRESSED) {
        buf_append_text(out, " compressed");
    }
}
