/* The optional metadata of a table map: fields of a number, a size and a value. Most lists have one
 * entry for each column of a group of types, without saying which columns these are: a wrong count
 * means that we group otherwise than the server and is malformed. */
#include "source/mysql/event_parts.h"
#include "source/mysql/table_map_parts.h"

enum optional_field {
    FIELD_SIGNEDNESS = 1,
    FIELD_DEFAULT_CHARSET = 2,
    FIELD_COLUMN_CHARSET = 3,
    FIELD_COLUMN_NAME = 4,
    FIELD_SET_LABELS = 5,
    FIELD_ENUM_LABELS = 6,
    FIELD_GEOMETRY_TYPE = 7,
    FIELD_PRIMARY_KEY = 8,
    FIELD_PRIMARY_KEY_PREFIXES = 9,
    FIELD_LABELS_DEFAULT_CHARSET = 10,
    FIELD_LABELS_COLUMN_CHARSET = 11,
    FIELD_VISIBILITY = 12,
    FIELD_VECTOR_DIMENSIONS = 13,
};

typedef bool (*column_group)(const struct table_map_column *c);

static bool is_number(const struct table_map_column *c)
{
    return table_map_type_of(c->type)->is_number;
}

static bool is_text(const struct table_map_column *c)
{
    return table_map_type_of(c->type)->is_text;
}

static bool has_labels(const struct table_map_column *c)
{
    return c->type == MY_ENUM || c->type == MY_SET;
}

static bool is_set(const struct table_map_column *c)
{
    return c->type == MY_SET;
}

static bool is_enum(const struct table_map_column *c)
{
    return c->type == MY_ENUM;
}

static bool is_geometry(const struct table_map_column *c)
{
    return c->type == MY_GEOMETRY;
}

static bool is_vector(const struct table_map_column *c)
{
    return c->type == MY_VECTOR;
}

static bool is_any(const struct table_map_column *c)
{
    (void)c;
    return true;
}

/* The next column of a group from `*at` on; `*at` moves past it. NULL: there is none. */
static struct table_map_column *next_column(struct table_map *map, column_group in_group,
                                            uint32_t *at)
{
    while (*at < map->column_count) {
        struct table_map_column *c = &map->columns[(*at)++];
        if (in_group(c)) {
            return c;
        }
    }
    return NULL;
}

/* One bit for each column of the group, the first in the highest bit. */
static void read_bits(struct reader *r, struct table_map *map, column_group in_group,
                      void (*set)(struct table_map_column *c, bool bit))
{
    uint32_t at = 0;
    unsigned bits = 0;
    uint32_t i = 0;
    for (struct table_map_column *c = next_column(map, in_group, &at); c;
         c = next_column(map, in_group, &at)) {
        bits = i % 8 == 0 ? reader_u8(r) : bits << 1;
        set(c, bits & 0x80);
        i++;
    }
}

static void set_sign(struct table_map_column *c, bool bit)
{
    c->has_sign = true;
    c->is_unsigned = bit;
}

static void set_visible(struct table_map_column *c, bool bit)
{
    c->is_invisible = !bit;
}

static uint32_t read_collation(struct reader *r)
{
    uint64_t collation = binlog_packed(r);
    r->failed |= collation > UINT32_MAX;
    return (uint32_t)collation;
}

static void read_column_charsets(struct reader *r, struct table_map *map, column_group in_group)
{
    uint32_t at = 0;
    for (struct table_map_column *c = next_column(map, in_group, &at); c;
         c = next_column(map, in_group, &at)) {
        c->collation = read_collation(r);
    }
}

/* One for all, then pairs: which of the group has another one. The pairs ascend. */
static void read_default_charset(struct reader *r, struct table_map *map, column_group in_group)
{
    uint32_t collation = read_collation(r);
    uint64_t exception = reader_left(r) > 0 ? binlog_packed(r) : UINT64_MAX;
    uint32_t at = 0;
    uint32_t i = 0;
    for (struct table_map_column *c = next_column(map, in_group, &at); c;
         c = next_column(map, in_group, &at)) {
        c->collation = collation;
        if (i++ == exception) {
            c->collation = read_collation(r);
            exception = reader_left(r) > 0 ? binlog_packed(r) : UINT64_MAX;
        }
    }
    r->failed |= exception != UINT64_MAX;
}

static void read_names(struct reader *r, struct arena *arena, struct table_map *map)
{
    for (uint32_t i = 0; i < map->column_count && !r->failed; i++) {
        struct str name = binlog_packed_str(r);
        r->failed |= name.size == 0;
        map->columns[i].name =
            (struct str){.data = arena_string(arena, name.data, name.size), .size = name.size};
    }
    map->has_names = true;
}

static void read_labels_of(struct reader *r, struct arena *arena, struct table_map_column *c)
{
    uint64_t count = binlog_packed(r);
    r->failed |= count > UINT16_MAX || count > reader_left(r);
    if (r->failed) {
        return;
    }
    struct str *labels = arena_array(arena, count, sizeof(*labels));
    for (uint64_t i = 0; i < count; i++) {
        struct str label = binlog_packed_str(r);
        labels[i] =
            (struct str){.data = arena_string(arena, label.data, label.size), .size = label.size};
    }
    c->labels = labels;
    c->label_count = (uint32_t)count;
}

static void read_labels(struct reader *r, struct arena *arena, struct table_map *map,
                        column_group in_group)
{
    uint32_t at = 0;
    for (struct table_map_column *c = next_column(map, in_group, &at); c && !r->failed;
         c = next_column(map, in_group, &at)) {
        read_labels_of(r, arena, c);
    }
}

static void read_numbers(struct reader *r, struct table_map *map, column_group in_group)
{
    uint32_t at = 0;
    while (next_column(map, in_group, &at)) {
        (void)binlog_packed(r);
    }
}

static void read_key(struct reader *r, struct arena *arena, struct table_map *map,
                     bool has_prefixes)
{
    uint32_t *key = arena_array(arena, map->column_count, sizeof(*key));
    uint32_t count = 0;
    while (reader_left(r) > 0 && count < map->column_count) {
        uint64_t column = binlog_packed(r);
        r->failed |= column >= map->column_count;
        if (has_prefixes) {
            (void)binlog_packed(r); /* characters; 0: all */
        }
        key[count++] = (uint32_t)column;
    }
    r->failed |= count == 0 || map->has_key;
    map->key = key;
    map->key_count = count;
    map->has_key = true;
}

static void read_field(struct reader *r, uint8_t field, struct arena *arena, struct table_map *map)
{
    switch (field) {
    case FIELD_SIGNEDNESS:
        read_bits(r, map, is_number, set_sign);
        break;
    case FIELD_DEFAULT_CHARSET:
        read_default_charset(r, map, is_text);
        break;
    case FIELD_COLUMN_CHARSET:
        read_column_charsets(r, map, is_text);
        break;
    case FIELD_COLUMN_NAME:
        read_names(r, arena, map);
        break;
    case FIELD_SET_LABELS:
        read_labels(r, arena, map, is_set);
        break;
    case FIELD_ENUM_LABELS:
        read_labels(r, arena, map, is_enum);
        break;
    case FIELD_GEOMETRY_TYPE:
        read_numbers(r, map, is_geometry);
        break;
    case FIELD_PRIMARY_KEY:
    case FIELD_PRIMARY_KEY_PREFIXES:
        read_key(r, arena, map, field == FIELD_PRIMARY_KEY_PREFIXES);
        break;
    case FIELD_LABELS_DEFAULT_CHARSET:
        read_default_charset(r, map, has_labels);
        break;
    case FIELD_LABELS_COLUMN_CHARSET:
        read_column_charsets(r, map, has_labels);
        break;
    case FIELD_VISIBILITY:
        read_bits(r, map, is_any, set_visible);
        break;
    case FIELD_VECTOR_DIMENSIONS:
        read_numbers(r, map, is_vector);
        break;
    default:
        (void)reader_bytes(r, reader_left(r));
        break;
    }
}

void table_map_read_optional(struct reader *r, struct arena *arena, struct table_map *out)
{
    while (reader_left(r) > 0) {
        uint8_t field = reader_u8(r);
        struct str bytes = binlog_packed_str(r);
        struct reader value = reader_from(bytes.data, bytes.size);
        if (r->failed) {
            return;
        }
        read_field(&value, field, arena, out);
        r->failed |= !reader_ok(&value);
    }
    out->has_key |= out->has_names;
}
