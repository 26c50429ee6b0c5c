#include "source/mysql/rows.h"

/* One event's images. */
struct images {
    struct collector *collector;
    struct my_relation *relation;
    struct batch *batch;
    struct reader in;
    const uint8_t *present;       /* columns of the (before) image */
    const uint8_t *present_after; /* of the after image, or NULL */
};

static bool has_bit(const uint8_t *bits, uint32_t i)
{
    return (bits[i / 8] >> (i % 8)) & 1;
}

static uint32_t count_bits(const uint8_t *bits, uint32_t count)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        n += has_bit(bits, i);
    }
    return n;
}

static bool cut_off(const struct my_relation *r, struct error *err)
{
    return error_set(err, ERROR_FATAL, "table %s.%s: a row in the log is cut off", r->name.schema,
                     r->name.table);
}

/* A null where the schema allows none: the log is still before the NOT NULL that the catalog shows.
 */
static bool store_null(struct images *m, uint32_t column, uint32_t row, struct error *err)
{
    const struct my_relation *r = m->relation;
    if (r->schema->columns[column].is_key) {
        return error_set(err, ERROR_DATA, "table %s.%s, column \"%s\" of the key is null",
                         r->name.schema, r->name.table, r->schema->columns[column].name);
    }
    batch_set_null(m->batch, column, row);
    return true;
}

/* Reads one image into a row; `row` UINT32_MAX: only moves past it. */
static bool read_image(struct images *m, const uint8_t *present, uint32_t row, struct error *err)
{
    const struct my_relation *r = m->relation;
    uint32_t count = r->map.column_count;
    const uint8_t *nulls = reader_bytes(&m->in, (count_bits(present, count) + 7) / 8);
    if (!nulls) {
        return cut_off(r, err);
    }
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!has_bit(present, i)) {
            continue;
        }
        int32_t target = r->columns[i].target;
        bool is_wanted = target >= 0 && row != UINT32_MAX;
        if (has_bit(nulls, at++)) {
            if (is_wanted && !store_null(m, (uint32_t)target, row, err)) {
                return false;
            }
            continue;
        }
        if (!my_value_from_image(&r->columns[i].rule, &r->map.columns[i], &m->in,
                                 is_wanted ? m->batch : NULL, (uint32_t)(target < 0 ? 0 : target),
                                 row, err)) {
            return error_wrap(err, "table %s.%s, column \"%s\"", r->name.schema, r->name.table,
                              target >= 0 ? r->schema->columns[target].name : "dropped since");
        }
    }
    return true;
}

static void set_absent_null(struct images *m, uint32_t row)
{
    for (uint32_t i = 0; i < m->relation->absent_count; i++) {
        batch_set_null(m->batch, m->relation->absent[i], row);
    }
}

static bool is_whole(const struct images *m, const uint8_t *present)
{
    return count_bits(present, m->relation->map.column_count) == m->relation->map.column_count;
}

/* A row of an image that lacks columns holds the key; the rest was not sent. */
static bool mark_key_image(struct images *m, const uint8_t *present, uint32_t row,
                           struct error *err)
{
    const struct my_relation *r = m->relation;
    for (uint32_t i = 0; i < r->map.column_count; i++) {
        int32_t target = r->columns[i].target;
        if (target < 0) {
            continue;
        }
        bool is_key = r->schema->columns[target].is_key;
        if (is_key && !has_bit(present, i)) {
            return error_set(err, ERROR_FATAL, "table %s.%s: a row in the log without its key",
                             r->name.schema, r->name.table);
        }
        if (!is_key) {
            batch_set_unchanged(m->batch, (uint32_t)target, row);
        }
    }
    for (uint32_t i = 0; i < r->absent_count; i++) {
        batch_set_unchanged(m->batch, r->absent[i], row);
    }
    return true;
}

/* The old row of an update or a delete. */
static bool add_before(struct images *m, enum row_kind kind, uint32_t *row, struct error *err)
{
    bool whole = is_whole(m, m->present);
    *row =
        collector_add_row(m->collector, m->relation->table, kind, whole ? IMAGE_WHOLE : IMAGE_KEY);
    if (!read_image(m, m->present, *row, err)) {
        return false;
    }
    if (!whole) {
        return mark_key_image(m, m->present, *row, err);
    }
    set_absent_null(m, *row);
    return true;
}

/* A column that an INSERT did not name under a MINIMAL image: the constant that it takes. */
static bool store_default(struct images *m, uint32_t column, uint32_t row, struct error *err)
{
    const struct my_relation *r = m->relation;
    const struct my_catalog_column *c = &r->known.columns[column];
    if (c->default_is_expression || (!c->has_default && !c->nullable)) {
        return error_set(err, ERROR_DATA,
                         "table %s.%s, column \"%s\": an insert in the log does not say its value "
                         "(binlog_row_image)",
                         r->name.schema, r->name.table, c->name);
    }
    if (!c->default_text) {
        return store_null(m, column, row, err);
    }
    return my_value_from_text(&r->rules[column], str_from(c->default_text), m->batch, column, row,
                              err) ||
           error_wrap(err, "table %s.%s, the default of column \"%s\"", r->name.schema,
                      r->name.table, c->name);
}

static bool add_insert(struct images *m, struct error *err)
{
    const struct my_relation *r = m->relation;
    uint32_t row = collector_add_row(m->collector, r->table, ROW_INSERT, IMAGE_WHOLE);
    if (!read_image(m, m->present, row, err)) {
        return false;
    }
    set_absent_null(m, row);
    if (is_whole(m, m->present)) {
        return true;
    }
    for (uint32_t i = 0; i < r->map.column_count; i++) {
        if (!has_bit(m->present, i) && r->columns[i].target >= 0 &&
            !store_default(m, (uint32_t)r->columns[i].target, row, err)) {
            return false;
        }
    }
    return true;
}

/* The new row. What it lacks did not change: it is taken from the old row where that was sent. */
static bool add_update(struct images *m, struct error *err)
{
    const struct my_relation *r = m->relation;
    struct batch *b = m->batch;
    uint32_t before = 0;
    if (!add_before(m, ROW_UPDATE_BEFORE, &before, err)) {
        return false;
    }
    uint32_t row = collector_add_row(m->collector, r->table, ROW_UPDATE_AFTER, IMAGE_WHOLE);
    if (!read_image(m, m->present_after, row, err)) {
        return false;
    }
    set_absent_null(m, row);
    for (uint32_t i = 0; i < r->map.column_count; i++) {
        int32_t target = r->columns[i].target;
        if (target < 0 || has_bit(m->present_after, i)) {
            continue;
        }
        const struct column *c = &b->columns[target];
        if (column_is_unchanged(c, before)) {
            batch_set_unchanged(b, (uint32_t)target, row);
        } else if (!column_is_valid(c, before)) {
            batch_set_null(b, (uint32_t)target, row);
        } else {
            batch_copy_value(b, (uint32_t)target, row, c, before);
        }
    }
    return true;
}

/* True when an image holds a null in a column that the schema says has none. Images are read twice
 * only while such columns exist that are not of the key. */
static bool find_null(struct images *m, const uint8_t *present, uint32_t *column)
{
    const struct my_relation *r = m->relation;
    uint32_t count = r->map.column_count;
    const uint8_t *nulls = reader_bytes(&m->in, (count_bits(present, count) + 7) / 8);
    uint32_t at = 0;
    struct error ignored = {0}; /* it comes again when the image is read */
    for (uint32_t i = 0; nulls && i < count; i++) {
        if (!has_bit(present, i)) {
            continue;
        }
        int32_t target = r->columns[i].target;
        if (has_bit(nulls, at++)) {
            if (target >= 0 && !r->schema->columns[target].nullable &&
                !r->schema->columns[target].is_key) {
                *column = (uint32_t)target;
                return true;
            }
        } else if (!my_value_from_image(&r->columns[i].rule, &r->map.columns[i], &m->in, NULL, 0, 0,
                                        &ignored)) {
            return false;
        }
    }
    return false;
}

/* Map columns that the catalog has as NOT NULL and the log as nullable: only then may a null come
 * where the schema allows none. */
static bool may_hold_nulls(const struct my_relation *r)
{
    for (uint32_t i = 0; i < r->map.column_count; i++) {
        int32_t target = r->columns[i].target;
        if (target >= 0 && r->map.columns[i].nullable && !r->schema->columns[target].nullable &&
            !r->schema->columns[target].is_key) {
            return true;
        }
    }
    return false;
}

static void loosen(struct images *m, const struct binlog_rows *rows)
{
    struct my_relation *r = m->relation;
    m->in = reader_from(rows->rows.data, rows->rows.size);
    while (reader_left(&m->in) > 0) {
        size_t offset = m->in.offset;
        uint32_t column = 0;
        bool found = find_null(m, m->present, &column) ||
                     (m->present_after && find_null(m, m->present_after, &column));
        if (found) {
            collector_flush(m->collector, r->table);
            my_relation_loosen(r, column);
            collector_push_schema(m->collector, r->table, r->schema);
            m->in.offset = offset; /* the row may hold another */
        } else if (m->in.offset == offset) {
            return;
        }
    }
}

static bool add_change(struct images *m, enum binlog_event_kind kind, struct error *err)
{
    if (kind == BINLOG_WRITE_ROWS) {
        return add_insert(m, err);
    }
    uint32_t row = 0;
    return kind == BINLOG_UPDATE_ROWS ? add_update(m, err) : add_before(m, ROW_DELETE, &row, err);
}

bool my_rows_add(struct collector *c, struct my_relation *r, const struct binlog_event *event,
                 struct error *err)
{
    const struct binlog_rows *rows = &event->rows;
    if (rows->column_count != r->map.column_count ||
        (event->kind == BINLOG_UPDATE_ROWS) != (rows->present_after != NULL)) {
        return error_set(err, ERROR_FATAL, "table %s.%s: rows of %u columns where %u are described",
                         r->name.schema, r->name.table, rows->column_count, r->map.column_count);
    }
    struct images m = {.collector = c,
                       .relation = r,
                       .present = rows->present,
                       .present_after = rows->present_after};
    if (may_hold_nulls(r)) {
        loosen(&m, rows);
    }
    m.in = reader_from(rows->rows.data, rows->rows.size);
    while (reader_left(&m.in) > 0) {
        size_t offset = m.in.offset;
        m.batch = collector_batch(c, r->table, r->schema);
        if (!add_change(&m, event->kind, err)) {
            return false;
        }
        if (m.in.offset == offset) { /* an image without columns takes no bytes */
            return cut_off(r, err);
        }
        collector_look(c, r->table);
    }
    return true;
}
