/* Which values a column has: from the catalog, which knows it as it is now, and from a table map,
 * which knows it as it was. */
#include <string.h>

#include "source/mysql/value_parts.h"

enum { BITS_MAX = 64, LABELS_OF_SET_MAX = 64 };

static struct my_value_rule unsupported(const char *reason, const char **why)
{
    *why = reason;
    return (struct my_value_rule){.kind = MY_VALUE_UNSUPPORTED};
}

/* The smallest type that holds every value. */
static struct type integer_type(unsigned bytes, bool is_unsigned)
{
    unsigned bits = bytes * 8 - !is_unsigned;
    return bits < 16   ? (struct type){.kind = TYPE_INT16}
           : bits < 32 ? (struct type){.kind = TYPE_INT32}
           : bits < 64 ? (struct type){.kind = TYPE_INT64}
                       : (struct type){TYPE_DECIMAL, 20, 0};
}

static struct type bit_type(uint32_t bits)
{
    return bits == 1         ? (struct type){.kind = TYPE_BOOL}
           : bits < BITS_MAX ? (struct type){.kind = TYPE_INT64}
                             : (struct type){TYPE_DECIMAL, 20, 0};
}

/* The type of kinds that have but one. */
static enum type_kind type_of_kind(enum my_value_kind kind)
{
    static const uint8_t types[] = {
        [MY_VALUE_FLOAT] = TYPE_FLOAT32,      [MY_VALUE_DOUBLE] = TYPE_FLOAT64,
        [MY_VALUE_DATE] = TYPE_DATE,          [MY_VALUE_TIME] = TYPE_TIME,
        [MY_VALUE_DATETIME] = TYPE_TIMESTAMP, [MY_VALUE_TIMESTAMP] = TYPE_TIMESTAMPTZ,
        [MY_VALUE_TEXT] = TYPE_STRING,        [MY_VALUE_BYTES] = TYPE_BINARY,
        [MY_VALUE_ENUM] = TYPE_STRING,        [MY_VALUE_SET] = TYPE_STRING,
        [MY_VALUE_JSON] = TYPE_JSON,          [MY_VALUE_UUID] = TYPE_UUID,
        [MY_VALUE_INET4] = TYPE_STRING,       [MY_VALUE_INET6] = TYPE_STRING,
        [MY_VALUE_UNSUPPORTED] = TYPE_STRING,
    };
    return (enum type_kind)types[kind];
}

/* Sets the type of a rule whose other members are set. `bytes`: of integers. */
static struct my_value_rule finish(struct my_value_rule r, unsigned bytes, const char **why)
{
    switch ((int)r.kind) {
    case MY_VALUE_INTEGER:
        r.type = integer_type(bytes, r.is_unsigned);
        break;
    case MY_VALUE_BIT:
        if (r.length < 1 || r.length > BITS_MAX) {
            return unsupported("bits of that number do not exist", why);
        }
        r.type = bit_type(r.length);
        break;
    case MY_VALUE_DECIMAL:
        if (my_decimal_bytes(r.precision, r.scale) == 0) {
            return unsupported("decimals of those digits do not exist", why);
        }
        if (r.precision > DECIMAL_PRECISION_MAX && !r.as_text) {
            return unsupported("decimals of more than 38 digits are supported only as_text", why);
        }
        r.type = (struct type){TYPE_DECIMAL, r.precision, r.scale};
        break;
    default:
        r.type = (struct type){.kind = type_of_kind(r.kind)};
    }
    if (r.as_text) {
        r.type = (struct type){.kind = TYPE_STRING};
    }
    *why = NULL;
    return r;
}

/* --- From the catalog --- */

struct named_type {
    const char *name; /* DATA_TYPE */
    enum my_value_kind kind;
    uint8_t bytes; /* of integers */
};

static const struct named_type named_types[] = {
    {"tinyint", MY_VALUE_INTEGER, 1},
    {"smallint", MY_VALUE_INTEGER, 2},
    {"mediumint", MY_VALUE_INTEGER, 3},
    {"int", MY_VALUE_INTEGER, 4},
    {"integer", MY_VALUE_INTEGER, 4},
    {"bigint", MY_VALUE_INTEGER, 8},
    {"year", MY_VALUE_INTEGER, 1},
    {"decimal", MY_VALUE_DECIMAL, 0},
    {"numeric", MY_VALUE_DECIMAL, 0},
    {"float", MY_VALUE_FLOAT, 0},
    {"double", MY_VALUE_DOUBLE, 0},
    {"real", MY_VALUE_DOUBLE, 0},
    {"bit", MY_VALUE_BIT, 0},
    {"date", MY_VALUE_DATE, 0},
    {"time", MY_VALUE_TIME, 0},
    {"datetime", MY_VALUE_DATETIME, 0},
    {"timestamp", MY_VALUE_TIMESTAMP, 0},
    {"char", MY_VALUE_TEXT, 0},
    {"varchar", MY_VALUE_TEXT, 0},
    {"tinytext", MY_VALUE_TEXT, 0},
    {"text", MY_VALUE_TEXT, 0},
    {"mediumtext", MY_VALUE_TEXT, 0},
    {"longtext", MY_VALUE_TEXT, 0},
    {"binary", MY_VALUE_BYTES, 0},
    {"varbinary", MY_VALUE_BYTES, 0},
    {"tinyblob", MY_VALUE_BYTES, 0},
    {"blob", MY_VALUE_BYTES, 0},
    {"mediumblob", MY_VALUE_BYTES, 0},
    {"longblob", MY_VALUE_BYTES, 0},
    {"enum", MY_VALUE_ENUM, 0},
    {"set", MY_VALUE_SET, 0},
    {"json", MY_VALUE_JSON, 0},
    {"uuid", MY_VALUE_UUID, 0},
    {"inet4", MY_VALUE_INET4, 0},
    {"inet6", MY_VALUE_INET6, 0},
};

static const char *why_not(const char *data_type)
{
    static const struct {
        const char *name;
        const char *why;
    } reasons[] = {
        {"geometry", "type geometry is not supported"},
        {"point", "type point is not supported"},
        {"linestring", "type linestring is not supported"},
        {"polygon", "type polygon is not supported"},
        {"multipoint", "type multipoint is not supported"},
        {"multilinestring", "type multilinestring is not supported"},
        {"multipolygon", "type multipolygon is not supported"},
        {"geomcollection", "type geomcollection is not supported"},
        {"geometrycollection", "type geometrycollection is not supported"},
        {"vector", "type vector is not supported"},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (strcmp(reasons[i].name, data_type) == 0) {
            return reasons[i].why;
        }
    }
    return "the type is not known";
}

static const struct named_type *find_type(const char *data_type)
{
    for (size_t i = 0; i < sizeof(named_types) / sizeof(named_types[0]); i++) {
        if (strcmp(named_types[i].name, data_type) == 0) {
            return &named_types[i];
        }
    }
    return NULL;
}

/* Digits that a year is printed with; 0: it is no year. */
static uint32_t year_digits(const struct my_catalog_column *column)
{
    if (strcmp(column->data_type, "year") != 0) {
        return 0;
    }
    return column->type && strncmp(column->type, "year(2)", 7) == 0 ? 2 : 4;
}

/* Such columns were made with mysql56_temporal_format=OFF; the log does not say how long their
 * values are. */
static bool has_old_fraction(const struct my_catalog_column *column)
{
    return column->fraction > 0 && column->type && strstr(column->type, "/* mariadb-5.3 */");
}

struct my_value_rule my_value_rule(const struct my_catalog_column *column, bool as_text,
                                   enum unrepresentable_mode unrepresentable, const char **why)
{
    const struct named_type *type = find_type(column->data_type);
    if (!type) {
        return unsupported(why_not(column->data_type), why);
    }
    struct my_value_rule r = {.kind = type->kind,
                              .as_text = as_text,
                              .unrepresentable = unrepresentable,
                              .is_unsigned = column->is_unsigned,
                              .fraction = column->fraction,
                              .precision = column->precision,
                              .scale = column->scale,
                              .labels = column->labels,
                              .label_count = column->label_count};
    if (has_old_fraction(column)) {
        return unsupported("fractions in the format of MariaDB 5.3 are not supported (ALTER TABLE "
                           "... FORCE converts them)",
                           why);
    }
    if (r.kind == MY_VALUE_INTEGER) {
        r.length = year_digits(column);
        if (r.length == 2 && !as_text) {
            return unsupported("type year(2) does not tell its century: it is supported only "
                               "as_text",
                               why);
        }
    } else if (r.kind == MY_VALUE_BIT || strcmp(column->data_type, "binary") == 0) {
        r.length = column->length;
    } else if (r.kind == MY_VALUE_TEXT) {
        r.charset =
            column->charset ? my_charset_find(str_from(column->charset)) : MY_CHARSET_UNKNOWN;
        if (r.charset == MY_CHARSET_UNKNOWN) {
            return unsupported("its character set is not known", why);
        }
    }
    r = finish(r, type->bytes, why);
    if (column->is_json && r.kind == MY_VALUE_TEXT && !as_text) {
        r.type = (struct type){.kind = TYPE_JSON}; /* MariaDB: text that was checked */
    }
    return r;
}

/* --- From a table map --- */

/* The collation numbers of both servers never mean different character sets. */
static enum my_charset charset_of(const struct table_map_column *column)
{
    enum my_charset charset = my_charset_of_collation(column->collation, false);
    return charset != MY_CHARSET_UNKNOWN ? charset
                                         : my_charset_of_collation(column->collation, true);
}

static uint32_t bit_count(const struct table_map_column *column)
{
    return (uint32_t)(column->metadata >> 8) * 8 + (column->metadata & 0xFF);
}

static unsigned integer_bytes(enum my_type type)
{
    switch ((int)type) {
    case MY_TINY:
    case MY_YEAR:
        return 1;
    case MY_SHORT:
        return 2;
    case MY_INT24:
        return 3;
    case MY_LONG:
        return 4;
    default:
        return 8;
    }
}

static enum my_value_kind kind_of_map(const struct table_map_column *column)
{
    bool is_binary = charset_of(column) == MY_CHARSET_BINARY;
    switch (column->type) {
    case MY_TINY:
    case MY_SHORT:
    case MY_INT24:
    case MY_LONG:
    case MY_LONGLONG:
    case MY_YEAR:
        return MY_VALUE_INTEGER;
    case MY_NEWDECIMAL:
        return MY_VALUE_DECIMAL;
    case MY_FLOAT:
        return MY_VALUE_FLOAT;
    case MY_DOUBLE:
        return MY_VALUE_DOUBLE;
    case MY_BIT:
        return MY_VALUE_BIT;
    case MY_DATE:
    case MY_NEWDATE:
        return MY_VALUE_DATE;
    case MY_TIME:
    case MY_TIME2:
        return MY_VALUE_TIME;
    case MY_DATETIME:
    case MY_DATETIME2:
        return MY_VALUE_DATETIME;
    case MY_TIMESTAMP:
    case MY_TIMESTAMP2:
        return MY_VALUE_TIMESTAMP;
    case MY_STRING:
    case MY_VARCHAR:
    case MY_BLOB:
    case MY_VARCHAR_COMPRESSED:
    case MY_BLOB_COMPRESSED:
        return is_binary ? MY_VALUE_BYTES : MY_VALUE_TEXT;
    case MY_ENUM:
        return MY_VALUE_ENUM;
    case MY_SET:
        return MY_VALUE_SET;
    case MY_JSON:
        return MY_VALUE_JSON;
    case MY_DECIMAL_OLD:
    case MY_NULL:
    case MY_GEOMETRY:
    case MY_VECTOR:
    default:
        return MY_VALUE_UNSUPPORTED;
    }
}

static const char *why_not_map(enum my_type type)
{
    return type == MY_GEOMETRY ? "type geometry is not supported"
           : type == MY_VECTOR ? "type vector is not supported"
                               : "the type is not known";
}

static bool is_fractional(enum my_type type)
{
    return type == MY_TIME2 || type == MY_DATETIME2 || type == MY_TIMESTAMP2;
}

/* Labels in UTF-8. */
static bool labels_of_map(const struct table_map_column *column, enum my_charset charset,
                          struct arena *arena, struct my_value_rule *r)
{
    const char **labels = arena_array(arena, column->label_count, sizeof(*labels));
    for (uint32_t i = 0; i < column->label_count; i++) {
        owned(buf_release) struct buf text = {0};
        struct error ignored = {0};
        if (!my_charset_to_utf8(charset, column->labels[i], &text, &ignored)) {
            return false;
        }
        labels[i] = arena_string(arena, buf_text(&text), text.size);
    }
    r->labels = labels;
    r->label_count = column->label_count;
    return true;
}

static bool has_labels(enum my_value_kind kind)
{
    return kind == MY_VALUE_ENUM || kind == MY_VALUE_SET;
}

struct my_value_rule my_value_rule_of_map(const struct table_map_column *column, bool is_mariadb,
                                          bool as_text, enum unrepresentable_mode unrepresentable,
                                          struct arena *arena, const char **why)
{
    struct my_value_rule r = {.kind = kind_of_map(column),
                              .as_text = as_text,
                              .unrepresentable = unrepresentable,
                              .is_unsigned = column->is_unsigned,
                              .precision = (uint8_t)(column->metadata >> 8),
                              .scale = (uint8_t)column->metadata};
    enum my_charset charset = my_charset_of_collation(column->collation, is_mariadb);
    if (r.kind == MY_VALUE_UNSUPPORTED) {
        return unsupported(why_not_map(column->type), why);
    }
    if (r.kind == MY_VALUE_INTEGER) {
        r.length = column->type == MY_YEAR ? 4 : 0;
        if (r.length == 0 && !column->has_sign) {
            return unsupported("the log does not say whether it is unsigned", why);
        }
        r.is_unsigned &= r.length == 0;
    }
    if ((r.kind == MY_VALUE_TEXT || has_labels(r.kind)) && charset == MY_CHARSET_UNKNOWN) {
        return unsupported("the log does not name a character set that is known", why);
    }
    if (has_labels(r.kind) && (!column->labels || !labels_of_map(column, charset, arena, &r))) {
        return unsupported("the log does not have its labels", why);
    }
    if (r.kind == MY_VALUE_TEXT) {
        r.charset = charset;
    }
    if (is_fractional(column->type)) {
        r.fraction = (uint8_t)column->metadata;
    }
    if (r.kind == MY_VALUE_BIT) {
        r.length = bit_count(column);
    } else if (r.kind == MY_VALUE_BYTES && column->type == MY_STRING) {
        r.length = column->metadata;
    }
    return finish(r, integer_bytes(column->type), why);
}

/* --- Do they agree? --- */

static bool integer_fits(const struct my_value_rule *rule, const struct table_map_column *column)
{
    bool is_year = rule->length > 0;
    if (is_year || column->type == MY_YEAR) {
        return is_year == (column->type == MY_YEAR);
    }
    if (column->has_sign && column->is_unsigned != rule->is_unsigned) {
        return false;
    }
    return rule->as_text ||
           type_widens(integer_type(integer_bytes(column->type), rule->is_unsigned), rule->type);
}

static bool labels_fit(const struct my_value_rule *rule, const struct table_map_column *column)
{
    if (!column->labels) {
        return true;
    }
    if (column->label_count != rule->label_count) {
        return false;
    }
    enum my_charset charset = charset_of(column);
    for (uint32_t i = 0; i < rule->label_count && charset != MY_CHARSET_UNKNOWN; i++) {
        owned(buf_release) struct buf text = {0};
        struct error ignored = {0};
        if (!my_charset_to_utf8(charset, column->labels[i], &text, &ignored) ||
            !str_equal(buf_str(&text), str_from(rule->labels[i]))) {
            return false;
        }
    }
    return true;
}

/* A rule for text may meet a map without character sets. */
static bool string_fits(const struct my_value_rule *rule, const struct table_map_column *column)
{
    enum my_charset expected = rule->kind == MY_VALUE_TEXT ? rule->charset : MY_CHARSET_BINARY;
    if (column->collation != 0 && charset_of(column) != expected) {
        return false;
    }
    switch ((int)rule->kind) {
    case MY_VALUE_UUID:
    case MY_VALUE_INET6:
        return column->type == MY_STRING && column->metadata == 16;
    case MY_VALUE_INET4:
        return column->type == MY_STRING && column->metadata == 4;
    case MY_VALUE_BYTES:
        return rule->length == (column->type == MY_STRING ? column->metadata : 0);
    default:
        return true;
    }
}

bool my_value_rule_fits(const struct my_value_rule *rule, const struct table_map_column *column)
{
    enum my_value_kind kind = kind_of_map(column);
    switch (rule->kind) {
    case MY_VALUE_INTEGER:
        return kind == rule->kind && integer_fits(rule, column);
    case MY_VALUE_DECIMAL:
        return kind == rule->kind && rule->precision == column->metadata >> 8 &&
               rule->scale == (column->metadata & 0xFF);
    case MY_VALUE_BIT:
        return kind == rule->kind && rule->length == bit_count(column);
    case MY_VALUE_TIME:
    case MY_VALUE_DATETIME:
    case MY_VALUE_TIMESTAMP:
        return kind == rule->kind &&
               rule->fraction == (is_fractional(column->type) ? column->metadata : 0);
    case MY_VALUE_ENUM:
    case MY_VALUE_SET:
        return kind == rule->kind && labels_fit(rule, column);
    case MY_VALUE_TEXT:
    case MY_VALUE_BYTES:
    case MY_VALUE_UUID:
    case MY_VALUE_INET4:
    case MY_VALUE_INET6:
        return (kind == MY_VALUE_TEXT || kind == MY_VALUE_BYTES) && string_fits(rule, column);
    case MY_VALUE_FLOAT:
    case MY_VALUE_DOUBLE:
    case MY_VALUE_DATE:
    case MY_VALUE_JSON:
        return kind == rule->kind;
    case MY_VALUE_UNSUPPORTED:
    default:
        return false;
    }
}
