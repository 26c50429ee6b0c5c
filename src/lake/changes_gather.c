/* A version as a whole: which of its rows are updates, and the order of its changes. */
#include <inttypes.h>

#include "lake/changes_state.h"

void changes_drop_gathered(struct lake_changes *c)
{
    static const char *const tables[] = {"", "_prints", "_wanted", "_pairs"};
    owned(buf_release) struct buf sql = {0};
    struct error ignored = {0};
    if (!c->is_open) {
        return;
    }
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        buf_append_format(&sql, "DROP TABLE IF EXISTS %s%s; ", c->gathered, tables[i]);
    }
    (void)!engine_execute(c->options.engine, buf_text(&sql), &ignored);
    c->is_open = false;
}

bool changes_bucket_count(const struct lake_changes *c, const char *table, int64_t *out,
                          struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_format(&sql, "SELECT count(*) // %d + 1 FROM %s", BUCKET_ROWS, table);
    return engine_query_int64(c->options.engine, buf_text(&sql), out, err);
}

static bool begin(struct lake_changes *c, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_format(&sql, "CREATE TEMP TABLE %s (", c->gathered);
    for (uint32_t i = 0; i < c->needed_count; i++) {
        buf_append_format(&sql, "c%u ", c->needed[i]);
        engine_append_type(c->table->columns[c->needed[i]].type, &sql);
        buf_append_text(&sql, ", ");
    }
    buf_append_format(&sql,
                      "change VARCHAR); CREATE TEMP TABLE %s_pairs (place BIGINT, pair BIGINT)",
                      c->gathered);
    c->is_open = true;
    return engine_execute(c->options.engine, buf_text(&sql), err);
}

static bool gather(struct lake_changes *c, struct error *err)
{
    for (uint32_t i = 0; i < c->pieces.count; i++) {
        owned(buf_release) struct buf sql = {0};
        buf_append_format(&sql, "INSERT INTO %s SELECT * EXCLUDE (place) FROM (", c->gathered);
        if (!changes_append_piece(c, &c->pieces.items[i], c->needed, c->needed_count, &sql, err)) {
            return false;
        }
        buf_append_text(&sql, ")");
        if (!engine_execute(c->options.engine, buf_text(&sql), err)) {
            return false;
        }
    }
    return true;
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

/* The n-th row that went and the n-th that came with the same key are a pair, known by the place of
 * its first row. In a change file the two images say themselves what they are. */
static bool pair(struct lake_changes *c, struct error *err)
{
    owned(buf_release) struct buf key = {0};
    int64_t bucket_count = 0;
    if (!changes_bucket_count(c, c->gathered, &bucket_count, err)) {
        return false;
    }
    changes_append_columns(c->key, c->key_count, "", &key);
    for (int64_t bucket = 0; bucket < bucket_count; bucket++) {
        owned(buf_release) struct buf sql = {0};
        buf_append_format(
            &sql,
            "INSERT INTO %s_pairs SELECT place, pair FROM (SELECT place, count(*) OVER same AS "
            "size, min(place) OVER same AS pair FROM (SELECT rowid AS place, %s, row_number() OVER "
            "(PARTITION BY change, %s ORDER BY rowid) AS n FROM %s WHERE hash(%s) %% %" PRId64
            " = %" PRId64 "%s) WINDOW same AS (PARTITION BY %s, n)) WHERE size = 2",
            c->gathered, buf_text(&key), buf_text(&key), c->gathered, buf_text(&key), bucket_count,
            bucket,
            has_feed(&c->pieces) ? " AND change IN ('update_preimage', 'update_postimage')" : "",
            buf_text(&key));
        if (!engine_execute(c->options.engine, buf_text(&sql), err)) {
            return false;
        }
    }
    return true;
}

static void append_in_order(const struct lake_changes *c, struct buf *sql)
{
    static const char old[] = "rows.change IN ('delete', 'update_preimage')";
    buf_append_text(sql, "SELECT ");
    changes_append_columns(c->needed, c->needed_count, "rows.", sql);
    buf_append_format(sql,
                      "%sCASE WHEN pair IS NULL THEN change WHEN %s THEN 'update_preimage' "
                      "ELSE 'update_postimage' END AS change FROM %s AS rows LEFT JOIN %s_pairs AS "
                      "pairs ON rows.rowid = pairs.place ORDER BY CASE WHEN pair IS NOT NULL THEN "
                      "1 WHEN %s THEN 0 ELSE 2 END, pair, NOT %s, rows.rowid",
                      c->needed_count > 0 ? ", " : "", old, c->gathered, c->gathered, old, old);
}

bool changes_append_gathered(struct lake_changes *c, struct buf *sql, struct error *err)
{
    if (!begin(c, err) || !(c->pieces.carries_over ? changes_cancel(c, err) : gather(c, err)) ||
        (c->key_count > 0 && !pair(c, err))) {
        return false;
    }
    append_in_order(c, sql);
    return true;
}
