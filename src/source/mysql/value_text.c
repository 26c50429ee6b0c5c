/* Values from the text of SELECT, in a session with UTF-8 and the time zone +00:00. */
#include <float.h>
#include <math.h>

#include "source/mysql/value_parts.h"

static void append_quoted(struct buf *out, const char *name)
{
    buf_append_char(out, '`');
    for (const char *p = name; *p; p++) {
        buf_append_text(out, *p == '`' ? "``" : (char[]){*p, '\0'});
    }
    buf_append_char(out, '`');
}

void my_value_append_select(const struct my_value_rule *rule, const char *column, struct buf *out)
{
    append_quoted(out, column);
    if (rule->kind == MY_VALUE_FLOAT || rule->kind == MY_VALUE_DOUBLE) {
        buf_append_text(out, "*1e0"); /* all digits; + 0e0 would turn -0 into 0 */
    } else if (rule->kind == MY_VALUE_BIT) {
        buf_append_text(out, "+0");
    }
}

/* ZEROFILL is printed, but is no part of the value. */
static struct str without_zerofill(struct str text)
{
    while (text.size > 1 && text.data[0] == '0' && text.data[1] >= '0' && text.data[1] <= '9') {
        text.data++;
        text.size--;
    }
    return text;
}

static bool store_decimal(const struct my_place *p, struct str text, unsigned scale,
                          struct error *err)
{
    if (p->rule->as_text) {
        bool is_year = p->rule->kind == MY_VALUE_INTEGER && p->rule->length > 0;
        return my_store_text(p, is_year ? text : without_zerofill(text), err);
    }
    __int128 v = 0;
    return my_decimal_parse(text, scale, &v) ? my_store_integer(p, v, err)
                                             : my_text_malformed(p, text, err);
}

static bool store_float(const struct my_place *p, struct str text, struct error *err)
{
    double v = 0;
    double max = p->rule->kind == MY_VALUE_FLOAT ? (double)FLT_MAX : DBL_MAX;
    if (!my_double_parse(text, &v) || fabs(v) > max) {
        return my_text_malformed(p, text, err);
    }
    if (p->rule->as_text) {
        owned(buf_release) struct buf again = {0};
        my_double_append(v, &again);
        return my_store_text(p, buf_str(&again), err);
    }
    my_store_double(p, v);
    return true;
}

static bool store_time(const struct my_place *p, struct str text, struct error *err)
{
    struct my_time t = {0};
    return my_time_parse(text, p->rule->kind, &t) ? my_store_time(p, &t, err)
                                                  : my_text_malformed(p, text, err);
}

static bool store_uuid(const struct my_place *p, struct str text, struct error *err)
{
    struct uuid v = {0};
    if (!my_uuid_parse(text, &v)) {
        return my_text_malformed(p, text, err);
    }
    if (p->rule->as_text) {
        return my_store_text(p, text, err);
    }
    ((struct uuid *)p->b->columns[p->at].values)[p->row] = v;
    return true;
}

bool my_value_from_text(const struct my_value_rule *rule, struct str text, struct batch *b,
                        uint32_t at, uint32_t row, struct error *err)
{
    struct my_place p = {rule, b, at, row};
    switch (rule->kind) {
    case MY_VALUE_INTEGER:
    case MY_VALUE_BIT:
        return store_decimal(&p, text, 0, err);
    case MY_VALUE_DECIMAL:
        return store_decimal(&p, text, rule->scale, err);
    case MY_VALUE_FLOAT:
    case MY_VALUE_DOUBLE:
        return store_float(&p, text, err);
    case MY_VALUE_DATE:
    case MY_VALUE_TIME:
    case MY_VALUE_DATETIME:
    case MY_VALUE_TIMESTAMP:
        return store_time(&p, text, err);
    case MY_VALUE_BYTES:
        return rule->as_text ? my_store_text(&p, text, err) : my_store_bytes(&p, text, err);
    case MY_VALUE_UUID:
        return store_uuid(&p, text, err);
    case MY_VALUE_TEXT:
    case MY_VALUE_ENUM:
    case MY_VALUE_SET:
    case MY_VALUE_JSON:
    case MY_VALUE_INET4:
    case MY_VALUE_INET6:
        return my_store_text(&p, text, err);
    case MY_VALUE_UNSUPPORTED:
    default:
        return error_set(err, ERROR_DATA, "values of this type are not supported");
    }
}
