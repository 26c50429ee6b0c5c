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

/* What the value decoder relies on. */
static bool metadata_valid(const struct table_map_column *c)
{
    unsigned m = c->metadata;
    unsigned low = m & 0xFF;
    switch (table_map_type_of(c->type)->metadata) {
    case METADATA_SIZE:
        return m == (c->type == MY_FLOAT ? 4 : 8);
    case METADATA_FRACTION:
        return m <= 6;
    case METADATA_LENGTH_BYTES:
        return m >= 1 && m <= 4;
    case METADATA_BIT:
        return low < 8 && m > 0 && 8 * (m >> 8) + low <= 64;
    case METADATA_DECIMAL:
        return m >> 8 >= 1 && m >> 8 <= 65 && low <= 38 && low <= m >> 8;
    case METADATA_STRING:
        return c->type == MY_STRING || (m >= 1 && m <= (c->type == MY_ENUM ? 2 : 8));
    case METADATA_UNKNOWN:
    case METADATA_NONE:
    case METADATA_LENGTH:
        break;
    }
    return true;
}

/* False: the type is not known. */
static bool read_metadata(struct reader *r, struct table_map_column *c)
{
    switch (table_map_type_of(c->type)->metadata) {
    case METADATA_UNKNOWN:
        return false;
    case METADATA_NONE:
        break;
    case METADATA_SIZE:
    case METADATA_FRACTION:
    case METADATA_LENGTH_BYTES:
        c->metadata = reader_u8(r);
        break;
    case METADATA_LENGTH:
    case METADATA_BIT:
        c->metadata = reader_u16_le(r);
        break;
    case METADATA_DECIMAL:
        c->metadata = reader_u16(r);
        break;
    case METADATA_STRING:
        read_string_type(r, c);
        break;
    }
    r->failed |= !metadata_valid(c);
    return true;
}

static bool read_types(struct reader *r, struct str types, struct table_map *out, struct error *err)
{
    for (uint32_t i = 0; i < out->column_count; i++) {
        struct table_map_column *c = &out->columns[i];
        c->type = (enum my_type)(uint8_t)types.data[i];
        if (!read_metadata(r, c)) {
            return error_set(err, ERROR_DATA,
                             "%.*s.%.*s: column %" PRIu32 " has type %u, which this version does "
                             "not know",
                             str_arg(out->database), str_arg(out->table), i + 1, c->type);
        }
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
