/* Rows that were only carried over from a replaced file to its successor. Every row of the version
 * is read for its print, by which it is equal to others; then only those that are left are read
 * again. */
#include <inttypes.h>

#include "lake/changes_state.h"

/* The MD5 of all values: two rows have one print only if each column has the same value in both,
 * nulls and NaN included, and 0.0 is not -0.0. Texts are told apart by their sizes, other values
 * have no comma; nobody gains by making two rows that share a print. */
static void append_print(const struct lake_changes *c, struct buf *sql)
{
    buf_append_text(sql, "md5_number(concat(");
    for (uint32_t i = 0; i < c->table->column_count; i++) {
        bool sized = type_is_text_or_binary(c->table->columns[i].type);
        buf_append_text(sql, i > 0 ? ", ',', " : "");
        if (sized) {
            buf_append_format(sql, "coalesce(strlen(c%u::VARCHAR) || ':' || c%u::VARCHAR, '-')", i,
                              i);
        } else {
            buf_append_format(sql, "coalesce(c%u::VARCHAR, '-')", i);
        }
    }
    buf_append_text(sql, "))");
}

static bool print_piece(struct lake_changes *c, uint32_t index, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_format(&sql, "INSERT INTO %s_prints SELECT %u, place, ", c->gathered, index);
    append_print(c, &sql);
    buf_append_text(&sql, ", CASE change WHEN 'insert' THEN 1 ELSE -1 END FROM (");
    if (!changes_append_piece(c, &c->pieces.items[index], c->all, c->table->column_count, &sql,
                              err)) {
        return false;
    }
    buf_append_text(&sql, ")");
    return engine_execute(c->options.engine, buf_text(&sql), err);
}

static bool make_prints(struct lake_changes *c, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_format(&sql,
                      "CREATE TEMP TABLE %s_prints (piece INTEGER, place BIGINT, print UHUGEINT, "
                      "side INTEGER); CREATE TEMP TABLE %s_wanted (piece INTEGER, place BIGINT)",
                      c->gathered, c->gathered);
    if (!engine_execute(c->options.engine, buf_text(&sql), err)) {
        return false;
    }
    for (uint32_t i = 0; i < c->pieces.count; i++) {
        if (!print_piece(c, i, err)) {
            return false;
        }
    }
    return true;
}

/* Of the rows with one print, the first so many of the side that has more. */
static bool want(struct lake_changes *c, struct error *err)
{
    owned(buf_release) struct buf prints = {0};
    int64_t bucket_count = 0;
    buf_append_format(&prints, "%s_prints", c->gathered);
    if (!changes_bucket_count(c, buf_text(&prints), &bucket_count, err)) {
        return false;
    }
    for (int64_t bucket = 0; bucket < bucket_count; bucket++) {
        owned(buf_release) struct buf sql = {0};
        buf_append_format(
            &sql,
            "INSERT INTO %s_wanted SELECT piece, place FROM (SELECT piece, place, balance, "
            "row_number() OVER (PARTITION BY p.print ORDER BY p.rowid) AS n FROM %s AS p JOIN "
            "(SELECT print, sum(side)::BIGINT AS balance FROM %s WHERE print %% %" PRId64
            " = %" PRId64 " GROUP BY print HAVING sum(side) <> 0) AS left_over ON p.print = "
            "left_over.print AND sign(balance) = side) WHERE n <= abs(balance)",
            c->gathered, buf_text(&prints), buf_text(&prints), bucket_count, bucket);
        if (!engine_execute(c->options.engine, buf_text(&sql), err)) {
            return false;
        }
    }
    return true;
}

static bool gather_wanted(struct lake_changes *c, uint32_t index, struct error *err)
{
    owned(buf_release) struct buf places = {0};
    owned(buf_release) struct buf sql = {0};
    int64_t count = 0;
    buf_append_format(&sql, "SELECT count(*) FROM %s_wanted WHERE piece = %u", c->gathered, index);
    if (!engine_query_int64(c->options.engine, buf_text(&sql), &count, err)) {
        return false;
    }
    if (count == 0) {
        return true;
    }
    buf_clear(&sql);
    buf_append_format(&places, "SELECT place FROM %s_wanted WHERE piece = %u", c->gathered, index);
    buf_append_format(&sql, "INSERT INTO %s SELECT * EXCLUDE (place) FROM (", c->gathered);
    if (!changes_append_again(c, &c->pieces.items[index], buf_text(&places), &sql, err)) {
        return false;
    }
    buf_append_text(&sql, ")");
    return engine_execute(c->options.engine, buf_text(&sql), err);
}

bool changes_cancel(struct lake_changes *c, struct error *err)
{
    if (!make_prints(c, err) || !want(c, err)) {
        return false;
    }
    for (uint32_t i = 0; i < c->pieces.count; i++) {
        if (!gather_wanted(c, i, err)) {
            return false;
        }
    }
    return true;
}
