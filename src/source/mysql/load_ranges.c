/* Ranges of a key for several connections. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "source/mysql/load_parts.h"

enum {
    RANGES_EACH = 8, /* so that nobody waits long for the last one */
    RANGE_ROWS_MIN = 20000,
    SHARE_MIN = 2 * RANGE_ROWS_MIN,
};

static uint32_t wanted_ranges(uint64_t row_estimate, uint32_t count)
{
    uint64_t most = (uint64_t)count * RANGES_EACH;
    uint64_t filled = row_estimate / RANGE_ROWS_MIN;
    uint64_t wanted = filled < most ? filled : most;
    wanted = wanted > MY_LOAD_RANGES_MAX ? MY_LOAD_RANGES_MAX : wanted;
    return wanted < 1 ? 1 : (uint32_t)wanted;
}

uint32_t my_load_ranges(__int128 from, __int128 to, uint64_t row_estimate, uint32_t count,
                        __int128 *bounds)
{
    assert(from <= to);
    __int128 width = to - from + 1;
    uint32_t ranges = wanted_ranges(row_estimate, count);
    if (ranges > width) {
        ranges = width > 1 ? (uint32_t)width : 1;
    }
    for (uint32_t i = 0; i <= ranges; i++) {
        bounds[i] = from + width * i / ranges; /* keys have 64 bits: no overflow */
    }
    return ranges;
}

static bool parse_key(const char *text, __int128 *out)
{
    bool negative = text[0] == '-';
    size_t digits = strspn(text + negative, "0123456789");
    if (digits == 0 || digits > 20 || text[negative + digits] != '\0') {
        return false;
    }
    __int128 value = 0;
    for (const char *p = text + negative; *p; p++) {
        value = value * 10 + (*p - '0');
    }
    *out = negative ? -value : value;
    return true;
}

static void append_key(struct buf *sql, __int128 value)
{
    unsigned __int128 left = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    char digits[40];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + (int)(left % 10));
        left /= 10;
    } while (left > 0);
    if (value < 0) {
        digits[--at] = '-';
    }
    buf_append(sql, digits + at, sizeof(digits) - at);
}

static void append_between(struct buf *sql, const char *key, __int128 from, __int128 to)
{
    buf_append_text(sql, " WHERE ");
    my_append_identifier(sql, key);
    buf_append_text(sql, " BETWEEN ");
    append_key(sql, from);
    buf_append_text(sql, " AND ");
    append_key(sql, to);
}

void my_load_append_range(struct buf *sql, const struct my_load_plan *plan, uint32_t range)
{
    if (plan->key) {
        append_between(sql, plan->key, plan->bounds[range], plan->bounds[range + 1] - 1);
    }
}

/* The name of the primary key's only column, if it is an integer. */
static const char *integer_key(const struct my_catalog_table *t)
{
    static const char *const types[] = {"tinyint", "smallint", "mediumint", "int", "bigint"};
    const struct my_catalog_column *key = NULL;
    for (uint32_t i = 0; t->key_count == 1 && i < t->column_count; i++) {
        key = t->columns[i].is_key ? &t->columns[i] : key;
    }
    for (size_t i = 0; key && i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(key->data_type, types[i]) == 0) {
            return key->name;
        }
    }
    return NULL;
}

static bool read_ends(MYSQL *c, struct table_name name, struct my_load_plan *plan, __int128 *from,
                      __int128 *to, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "SELECT HIGH_PRIORITY MIN(");
    my_append_identifier(&sql, plan->key);
    buf_append_text(&sql, "), MAX(");
    my_append_identifier(&sql, plan->key);
    buf_append_text(&sql, ") FROM ");
    my_load_append_name(&sql, name);
    owned(my_result_free) MYSQL_RES *r = my_connection_query(c, buf_text(&sql), err);
    if (!r) {
        return false;
    }
    MYSQL_ROW row = mysql_fetch_row(r);
    plan->is_empty = row && !row[0];
    if (plan->is_empty) {
        return true;
    }
    if (!row || !row[1] || !parse_key(row[0], from) || !parse_key(row[1], to) || *from > *to) {
        return error_set(err, ERROR_FATAL,
                         "table %s.%s: the ends of its key \"%s\" are no integers", name.schema,
                         name.table, plan->key);
    }
    return true;
}

/* How many rows the server expects between two keys. It looks into the index for that, unless it is
 * forced to use it (MySQL). */
static bool estimate(MYSQL *c, struct table_name name, const char *key, __int128 from, __int128 to,
                     uint64_t *out, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "EXPLAIN FORMAT=TRADITIONAL SELECT HIGH_PRIORITY * FROM ");
    my_load_append_name(&sql, name);
    buf_append_text(&sql, " USE INDEX (PRIMARY)");
    append_between(&sql, key, from, to);
    owned(my_result_free) MYSQL_RES *r = my_connection_query(c, buf_text(&sql), err);
    if (!r) {
        return false;
    }
    MYSQL_ROW row = mysql_fetch_row(r);
    *out = 0;
    for (unsigned i = 0; row && i < mysql_num_fields(r); i++) {
        if (strcmp(mysql_fetch_field_direct(r, i)->name, "rows") == 0 && row[i]) {
            *out = strtoull(row[i], NULL, 10);
        }
    }
    return true;
}

/* The range with most rows that can still be halved. */
static uint32_t largest(const struct my_load_plan *plan, const uint64_t *rows)
{
    uint32_t found = 0;
    for (uint32_t i = 1; i < plan->range_count; i++) {
        bool can = plan->bounds[i + 1] - plan->bounds[i] > 1;
        found = can && rows[i] > rows[found] ? i : found;
    }
    return found;
}

static void insert_bound(struct my_load_plan *plan, uint64_t *rows, uint32_t at, __int128 bound)
{
    uint32_t behind = plan->range_count - at;
    memmove(&plan->bounds[at + 2], &plan->bounds[at + 1], behind * sizeof(plan->bounds[0]));
    memmove(&rows[at + 1], &rows[at], behind * sizeof(rows[0]));
    plan->bounds[at + 1] = bound;
    plan->range_count++;
}

/* Keys are seldom spread evenly, and one of the far end is enough to put all others into a single
 * range: ranges that hold far more than their share are halved. */
static bool even_out(MYSQL *c, struct table_name name, struct my_load_plan *plan, struct error *err)
{
    uint64_t rows[MY_LOAD_RANGES_MAX] = {0};
    uint64_t all = 0;
    for (uint32_t i = 0; i < plan->range_count; i++) {
        if (!estimate(c, name, plan->key, plan->bounds[i], plan->bounds[i + 1] - 1, &rows[i],
                      err)) {
            return false;
        }
        all += rows[i];
    }
    uint64_t share = 2 * all / plan->range_count;
    share = share > SHARE_MIN ? share : SHARE_MIN;
    while (plan->range_count < MY_LOAD_RANGES_MAX) {
        uint32_t i = largest(plan, rows);
        __int128 from = plan->bounds[i];
        __int128 to = plan->bounds[i + 1] - 1;
        __int128 middle = from + (to - from + 1) / 2;
        if (rows[i] <= share || from == to) {
            break;
        }
        insert_bound(plan, rows, i, middle);
        if (!estimate(c, name, plan->key, from, middle - 1, &rows[i], err) ||
            !estimate(c, name, plan->key, middle, to, &rows[i + 1], err)) {
            return false;
        }
    }
    return true;
}

bool my_load_plan_ranges(MYSQL *c, const struct my_load *l, uint32_t table,
                         struct my_load_plan *out, struct error *err)
{
    const struct my_relation *r = &l->options.relations[table];
    *out = (struct my_load_plan){.key = integer_key(&r->known), .range_count = 1};
    __int128 from = 0;
    __int128 to = 0;
    if (!out->key) {
        return true;
    }
    if (!read_ends(c, r->name, out, &from, &to, err) || out->is_empty) {
        return out->is_empty;
    }
    uint64_t row_estimate = 0;
    if (!estimate(c, r->name, out->key, from, to, &row_estimate, err)) {
        return false;
    }
    out->range_count =
        my_load_ranges(from, to, row_estimate, l->options.connection_count, out->bounds);
    return out->range_count <= 1 || even_out(c, r->name, out, err);
}
