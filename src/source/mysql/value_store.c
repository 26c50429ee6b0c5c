/* Values into columns of a batch. */
#include <assert.h>
#include <limits.h>

#include "source/mysql/value_parts.h"

const char *my_value_kind_name(enum my_value_kind kind)
{
    static const char *const names[] = {
        [MY_VALUE_INTEGER] = "integer",
        [MY_VALUE_DECIMAL] = "decimal",
        [MY_VALUE_FLOAT] = "float",
        [MY_VALUE_DOUBLE] = "double",
        [MY_VALUE_BIT] = "bit",
        [MY_VALUE_DATE] = "date",
        [MY_VALUE_TIME] = "time",
        [MY_VALUE_DATETIME] = "datetime",
        [MY_VALUE_TIMESTAMP] = "timestamp",
        [MY_VALUE_TEXT] = "text",
        [MY_VALUE_BYTES] = "binary",
        [MY_VALUE_ENUM] = "enum",
        [MY_VALUE_SET] = "set",
        [MY_VALUE_JSON] = "json",
        [MY_VALUE_UUID] = "uuid",
        [MY_VALUE_INET4] = "inet4",
        [MY_VALUE_INET6] = "inet6",
        [MY_VALUE_UNSUPPORTED] = "unsupported",
    };
    return names[kind];
}

static bool out_of_range(const struct my_place *p, __int128 v, struct error *err)
{
    owned(buf_release) struct buf type = {0};
    type_format(p->b->columns[p->at].type, &type);
    if (v < LLONG_MIN || v > LLONG_MAX) {
        return error_set(err, ERROR_DATA, "a number of %s type is outside the column's type %s",
                         my_value_kind_name(p->rule->kind), buf_text(&type));
    }
    return error_set(err, ERROR_DATA, "%lld is outside the column's type %s", (long long)v,
                     buf_text(&type));
}

static __int128 decimal_limit(unsigned precision)
{
    static const int64_t powers[] = {
        1,
        10,
        100,
        1000,
        10000,
        100000,
        1000000,
        10000000,
        100000000,
        1000000000,
        10000000000,
        100000000000,
        1000000000000,
        10000000000000,
        100000000000000,
        1000000000000000,
        10000000000000000,
        100000000000000000,
        1000000000000000000,
    };
    unsigned known = sizeof(powers) / sizeof(powers[0]) - 1;
    __int128 limit = powers[precision < known ? precision : known];
    for (unsigned i = known; i < precision; i++) {
        limit *= 10;
    }
    return limit;
}

static bool integer_fits(struct type type, __int128 v)
{
    if (type.kind == TYPE_BOOL) {
        return v == 0 || v == 1;
    }
    if (type.kind == TYPE_DECIMAL) {
        __int128 limit = decimal_limit(type.precision);
        return v > -limit && v < limit;
    }
    __int128 max = (((__int128)1) << (8 * type_width(type) - 1)) - 1;
    return v >= -max - 1 && v <= max;
}

bool my_store_integer(const struct my_place *p, __int128 v, struct error *err)
{
    struct column *c = &p->b->columns[p->at];
    if (!integer_fits(c->type, v)) {
        return out_of_range(p, v, err);
    }
    switch (type_width(c->type)) {
    case 1:
        ((uint8_t *)c->values)[p->row] = (uint8_t)v;
        return true;
    case 2:
        ((int16_t *)c->values)[p->row] = (int16_t)v;
        return true;
    case 4:
        ((int32_t *)c->values)[p->row] = (int32_t)v;
        return true;
    case 8:
        ((int64_t *)c->values)[p->row] = (int64_t)v;
        return true;
    default:
        ((__int128 *)c->values)[p->row] = v;
        return true;
    }
}

void my_store_double(const struct my_place *p, double v)
{
    struct column *c = &p->b->columns[p->at];
    if (c->type.kind == TYPE_FLOAT32) {
        ((float *)c->values)[p->row] = (float)v;
    } else {
        assert(c->type.kind == TYPE_FLOAT64);
        ((double *)c->values)[p->row] = v;
    }
}

bool my_store_bytes(const struct my_place *p, struct str bytes, struct error *err)
{
    if (bytes.size > MY_VALUE_SIZE_MAX) {
        return error_set(err, ERROR_DATA, "a value of %zu bytes is larger than %d MiB", bytes.size,
                         MY_VALUE_SIZE_MAX >> 20);
    }
    batch_set_bytes(p->b, p->at, p->row, bytes.data, bytes.size);
    return true;
}

bool my_store_no_text(const struct my_place *p, const struct error *why, struct error *err)
{
    if (p->rule->unrepresentable == UNREPRESENTABLE_NULL) {
        batch_set_null(p->b, p->at, p->row);
        return true;
    }
    return error_set(err, ERROR_DATA, "%s", why->message);
}

bool my_store_text(const struct my_place *p, struct str text, struct error *err)
{
    if (!utf8_valid(text.data, text.size)) {
        struct error why = {0};
        (void)error_set(&why, ERROR_DATA, "a text of %zu bytes is not valid UTF-8", text.size);
        return my_store_no_text(p, &why, err);
    }
    return my_store_bytes(p, text, err);
}

bool my_store_unrepresentable(const struct my_place *p, const char *text, struct error *err)
{
    if (p->rule->unrepresentable == UNREPRESENTABLE_NULL) {
        batch_set_null(p->b, p->at, p->row);
        return true;
    }
    return error_set(err, ERROR_DATA,
                     "%s value '%s' has no representation; as_text lets the column through as "
                     "text, unrepresentable: null makes such values null",
                     my_value_kind_name(p->rule->kind), text);
}

bool my_text_malformed(const struct my_place *p, struct str text, struct error *err)
{
    const char *name = my_value_kind_name(p->rule->kind);
    if (utf8_valid(text.data, text.size)) {
        return error_set(err, ERROR_DATA, "'%.*s' is not a value of type %s",
                         (int)utf8_prefix(text.data, text.size, 64), text.data, name);
    }
    return error_set(err, ERROR_DATA, "%zu bytes are not a value of type %s", text.size, name);
}
