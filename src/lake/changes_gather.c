/* A version as a whole: its rows are gathered in a temporary table of the engine, which spills. */
#include <stdio.h>

#include "lake/changes_state.h"

void changes_drop_gathered(struct lake_changes *c)
{
    owned(buf_release) struct buf sql = {0};
    struct error ignored = {0};
    if (c->is_open) {
        buf_append_format(&sql, "DROP TABLE IF EXISTS %s; DROP TABLE IF EXISTS %s_net", c->gathered,
                          c->gathered);
        (void)!engine_execute(c->options.engine, buf_text(&sql), &ignored);
        c->is_open = false;
    }
}

static bool begin(struct lake_changes *c, const uint32_t *columns, uint32_t column_count,
                  struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_format(&sql, "CREATE TEMP TABLE %s (", c->gathered);
    for (uint32_t i = 0; i < column_count; i++) {
        buf_append_format(&sql, "c%u ", columns[i]);
        engine_append_type(c->table->columns[columns[i]].type, &sql);
        buf_append_text(&sql, ", ");
    }
    buf_append_text(&sql, "change VARCHAR)");
    c->is_open = true;
    return engine_execute(c->options.engine, buf_text(&sql), err);
}

static bool gather(struct lake_changes *c, const uint32_t *columns, uint32_t column_count,
                   struct error *err)
{
    for (uint32_t i = 0; i < c->pieces.count; i++) {
        owned(buf_release) struct buf sql = {0};
        buf_append_format(&sql, "INSERT INTO %s ", c->gathered);
        if (!changes_append_piece(c, &c->pieces.items[i], columns, column_count, &sql, err) ||
            !engine_execute(c->options.engine, buf_text(&sql), err)) {
            return false;
        }
    }
    return true;
}

/* What is left when equal rows that went and came cancel each other, as often as there are of them.
 * Groups hold nulls equal, and NaN; 0.0 and -0.0 too, as the engine's = does. */
static bool cancel(struct lake_changes *c, struct error *err)
{
    owned(buf_release) struct buf columns = {0};
    owned(buf_release) struct buf sql = {0};
    changes_append_columns(c->all, c->table->column_count, "", &columns);
    buf_append_format(&sql, "CREATE TEMP TABLE %s_net AS SELECT %s, change FROM (SELECT %s, ",
                      c->gathered, buf_text(&columns), buf_text(&columns));
    buf_append_format(
        &sql,
        "CASE WHEN balance > 0 THEN 'insert' ELSE 'delete' END AS change, place, "
        "unnest(range(abs(balance))) FROM (SELECT %s, min(rowid) AS place, sum(CASE change WHEN "
        "'insert' THEN 1 ELSE -1 END)::BIGINT AS balance FROM %s GROUP BY %s)) ORDER BY place; "
        "DROP TABLE %s; ALTER TABLE %s_net RENAME TO %s",
        buf_text(&columns), c->gathered, buf_text(&columns), c->gathered, c->gathered, c->gathered);
    return engine_execute(c->options.engine, buf_text(&sql), err);
}

static bool has_feed(const struct lake_pieces *pieces)
{
    for (uint32_t i = 0; i < pieces->count; i++) {
        if (pieces->items[i].kind == LAKE_FEED) {
            return true;
        }
    }
    return false;
}

/* The n-th row that went and the n-th that came with the same key are a pair; `pair` is the place
 * of its first row. In a change file the two images say themselves what they are. */
static void append_pairs(const struct lake_changes *c, struct buf *sql)
{
    owned(buf_release) struct buf key = {0};
    changes_append_columns(c->key, c->key_count, "", &key);
    buf_append_format(sql,
                      "(SELECT place, pair FROM (SELECT place, count(*) OVER same AS size, "
                      "min(place) OVER same AS pair FROM (SELECT rowid AS place, %s, row_number() "
                      "OVER (PARTITION BY change, %s ORDER BY rowid) AS n FROM %s",
                      buf_text(&key), buf_text(&key), c->gathered);
    if (has_feed(&c->pieces)) {
        buf_append_text(sql, " WHERE change IN ('update_preimage', 'update_postimage')");
    }
    buf_append_format(sql, ") WINDOW same AS (PARTITION BY %s, n)) WHERE size = 2) AS pairs",
                      buf_text(&key));
}

static void append_in_order(const struct lake_changes *c, struct buf *sql)
{
    static const char old[] = "rows.change IN ('delete', 'update_preimage')";
    buf_append_text(sql, "SELECT ");
    changes_append_columns(c->needed, c->needed_count, "rows.", sql);
    buf_append_text(sql, c->needed_count > 0 ? ", " : "");
    if (c->key_count == 0) {
        buf_append_format(sql, "change FROM %s AS rows ORDER BY NOT %s, rowid", c->gathered, old);
        return;
    }
    buf_append_format(sql,
                      "CASE WHEN pair IS NULL THEN change WHEN %s THEN 'update_preimage' "
                      "ELSE 'update_postimage' END AS change FROM %s AS rows LEFT JOIN ",
                      old, c->gathered);
    append_pairs(c, sql);
    buf_append_format(sql,
                      " ON rows.rowid = pairs.place ORDER BY CASE WHEN pair IS NOT NULL THEN 1 "
                      "WHEN %s THEN 0 ELSE 2 END, pair, NOT %s, rows.rowid",
                      old, old);
}

bool changes_append_gathered(struct lake_changes *c, struct buf *sql, struct error *err)
{
    bool whole = c->pieces.carries_over;
    const uint32_t *columns = whole ? c->all : c->needed;
    uint32_t column_count = whole ? c->table->column_count : c->needed_count;
    if (!begin(c, columns, column_count, err) || !gather(c, columns, column_count, err) ||
        (whole && !cancel(c, err))) {
        return false;
    }
    append_in_order(c, sql);
    return true;
}
