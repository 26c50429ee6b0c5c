/* The table's schema follows the source's: new columns are appended, dropped ones stay and are null
 * from then on, wider types widen the table's. Columns are known by name only. */
#include <string.h>
#include <strings.h>

#include "table/convert.h"
#include "table/state.h"

const char *const append_column_names[APPEND_COLUMN_COUNT] = {
    "_op", "_position", "_sequence", "_commit_time", "_unchanged",
};

static const enum type_kind append_column_types[APPEND_COLUMN_COUNT] = {
    TYPE_STRING, TYPE_INT64, TYPE_INT64, TYPE_TIMESTAMPTZ, TYPE_STRING,
};

static bool is_append_column(const char *name)
{
    for (unsigned i = 0; i < APPEND_COLUMN_COUNT; i++) {
        if (strcasecmp(name, append_column_names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool check_name(const struct table *t, const char *name, struct error *err)
{
    static const char *const reserved[] = {"_change_type", "_commit_version", "_commit_timestamp"};
    for (unsigned i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (strcasecmp(name, reserved[i]) == 0) {
            return error_set(err, ERROR_CONFIG,
                             "table %s: column \"%s\": the change feed uses this name; rename it "
                             "in a transform",
                             t->name, name);
        }
    }
    if (t->mode == TABLE_APPEND && is_append_column(name)) {
        return error_set(err, ERROR_CONFIG,
                         "table %s: column \"%s\": mode append adds a column of this name; rename "
                         "it in a transform",
                         t->name, name);
    }
    return true;
}

/* What the table keeps of its columns, or would have if it existed. */
static uint32_t base_count(const struct table *t)
{
    const struct schema *s = t->schema ? t->schema : t->lake->snapshot.schema;
    return t->schema || t->lake->snapshot.exists ? s->column_count : 0;
}

static bool refuse_types(const struct table *t, const char *name, struct type from, struct type to,
                         struct error *err)
{
    owned(buf_release) struct buf types = {0};
    buf_append_text(&types, "the table has ");
    type_format(from, &types);
    buf_append_text(&types, ", the source now ");
    type_format(to, &types);
    return error_set(err, ERROR_CONFIG,
                     "table %s: column \"%s\": %s, which does not hold all of its values; write to "
                     "another location, or remove the table and run \"leat reload\"",
                     t->name, name, buf_text(&types));
}

/* The type of a column that both have. */
static bool merge_type(const struct table *t, const struct schema_column *column,
                       const struct schema_column *source, struct type *out, struct error *err)
{
    struct type stored = t->lake->type->stored_type(source->type);
    if (convert_can(source->type, column->type)) {
        *out = column->type;
        return true;
    }
    if (type_widens(column->type, stored)) {
        *out = stored;
        return true;
    }
    return refuse_types(t, column->name, column->type, stored, err);
}

/* A column that was dropped and comes back: rows that were not touched in between still hold the
 * values from before, which nobody can tell from the new ones. */
static bool check_returned(const struct table *t, const struct schema_column *column,
                           struct error *err)
{
    if (t->source && schema_find(t->source, str_from(column->name)) < 0) {
        return error_set(err, ERROR_LOST,
                         "table %s: column \"%s\" was dropped and added again; rows that did not "
                         "change in between still hold its old values: run \"leat reload\"",
                         t->name, column->name);
    }
    return true;
}

/* What happened to columns since the table was last written, known by the source's numbers. In a
 * run the source tells of it; here it is seen after a stop. A load compares all rows and mends it,
 * so at the start the finding waits until the table is to go on without one. */
static bool lose(struct table *t, const char *column, const char *what, struct error *err)
{
    struct error *out = t->source ? err : &t->found_at_start;
    (void)error_set(out, ERROR_LOST, "table %s: column \"%s\" %s", t->name, column, what);
    return !t->source;
}

static bool check_kept(struct table *t, const struct schema_column *column,
                       const struct schema_column *source, struct error *err)
{
    if (t->mode == TABLE_APPEND || column->source_number == 0 || source->source_number == 0 ||
        column->source_number == source->source_number) {
        return true;
    }
    return lose(t, column->name, "was dropped and added again: old rows still hold its old values",
                err);
}

static bool check_added(struct table *t, const struct schema *base,
                        const struct schema_column *column, const struct schema *source,
                        struct error *err)
{
    if (t->mode == TABLE_APPEND) {
        return true; /* the log keeps what was said at the time */
    }
    for (uint32_t i = 0; i < base->column_count; i++) {
        const struct schema_column *old = &base->columns[i];
        if (column->source_number != 0 && old->source_number == column->source_number &&
            schema_find(source, str_from(old->name)) < 0) {
            return lose(t, old->name, "was renamed: old rows have no values under its new name",
                        err);
        }
    }
    return !column->fills_old_rows ||
           lose(t, column->name, "is new and has a default, which old rows may show", err);
}

static void copy_column(struct schema *s, uint32_t at, const struct schema_column *column,
                        struct type type)
{
    s->columns[at] = (struct schema_column){
        .name = schema_name(s, str_from(column->name)),
        .type = type,
        .nullable = true, /* a column that is dropped one day becomes null */
        .is_key = false,
        .source_type = column->source_type ? schema_name(s, str_from(column->source_type)) : NULL,
        .source_number = column->source_number,
    };
}

static bool keep_columns(struct table *t, struct schema *out, uint32_t count,
                         const struct schema *source, struct error *err)
{
    const struct schema *base = t->schema ? t->schema : t->lake->snapshot.schema;
    for (uint32_t i = 0; i < count; i++) {
        const struct schema_column *column = &base->columns[i];
        struct type type = column->type;
        int at = schema_find(source, str_from(column->name));
        if (at >= 0 &&
            (!check_returned(t, column, err) || !check_kept(t, column, &source->columns[at], err) ||
             !merge_type(t, column, &source->columns[at], &type, err))) {
            return false;
        }
        copy_column(out, i, column, type);
        if (at >= 0) {
            out->columns[i].is_key = source->columns[at].is_key;
            out->columns[i].source_number = source->columns[at].source_number;
        }
    }
    return true;
}

static uint32_t count_new(const struct table *t, uint32_t count, const struct schema *source)
{
    const struct schema *base = t->schema ? t->schema : t->lake->snapshot.schema;
    uint32_t added = 0;
    for (uint32_t i = 0; i < source->column_count; i++) {
        added += count == 0 || schema_find(base, str_from(source->columns[i].name)) < 0;
    }
    bool starts_log = t->mode == TABLE_APPEND && count == 0;
    return added + (starts_log ? APPEND_COLUMN_COUNT : 0);
}

static bool add_columns(struct table *t, struct schema *out, uint32_t count,
                        const struct schema *source, struct error *err)
{
    const struct schema *base = t->schema ? t->schema : t->lake->snapshot.schema;
    uint32_t at = count;
    for (uint32_t i = 0; i < source->column_count; i++) {
        const struct schema_column *column = &source->columns[i];
        if (!check_name(t, column->name, err)) {
            return false;
        }
        if (count == 0 || schema_find(base, str_from(column->name)) < 0) {
            if (count > 0 && !check_added(t, base, column, source, err)) {
                return false;
            }
            copy_column(out, at, column, t->lake->type->stored_type(column->type));
            out->columns[at++].is_key = column->is_key;
        }
    }
    for (unsigned i = 0; t->mode == TABLE_APPEND && count == 0 && i < APPEND_COLUMN_COUNT; i++) {
        out->columns[at++] = (struct schema_column){.name = append_column_names[i],
                                                    .type = {.kind = append_column_types[i]},
                                                    .nullable = true};
    }
    return true;
}

static bool check_duplicates(const struct table *t, const struct schema *s, struct error *err)
{
    for (uint32_t i = 0; i < s->column_count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (strcasecmp(s->columns[i].name, s->columns[k].name) == 0) {
                return error_set(err, ERROR_CONFIG,
                                 "table %s: columns \"%s\" and \"%s\" differ only in case, and "
                                 "table formats know columns without it; rename one in a transform",
                                 t->name, s->columns[k].name, s->columns[i].name);
            }
        }
    }
    return true;
}

static bool check_append_columns(const struct table *t, const struct schema *s, struct error *err)
{
    for (unsigned i = 0; t->mode == TABLE_APPEND && i < APPEND_COLUMN_COUNT; i++) {
        int at = schema_find(s, str_from(append_column_names[i]));
        if (at < 0 || s->columns[at].type.kind != append_column_types[i]) {
            return error_set(err, ERROR_CONFIG,
                             "table %s: it was not made with mode: append (column \"%s\" is "
                             "missing); write to another location",
                             t->name, append_column_names[i]);
        }
    }
    return true;
}

static bool check_key(const struct table *t, const struct schema *s, const struct schema *source,
                      struct error *err)
{
    if (t->mode == TABLE_APPEND) {
        return true;
    }
    if (source->key_count == 0) {
        return error_set(err, ERROR_CONFIG,
                         "table %s has no key, so rows cannot be updated: set \"mode: append\" for "
                         "it, or at the source ALTER TABLE %s ADD PRIMARY KEY (...); in "
                         "PostgreSQL also ALTER TABLE %s REPLICA IDENTITY USING INDEX ...",
                         t->name, t->name, t->name);
    }
    if (!t->schema) {
        return true;
    }
    for (uint32_t i = 0; i < s->column_count; i++) {
        bool was_key = i < t->schema->column_count && t->schema->columns[i].is_key;
        if (s->columns[i].is_key != was_key) {
            return error_set(err, ERROR_LOST,
                             "table %s: the columns of its key changed (column \"%s\"); rows "
                             "cannot be followed from one key to the other: run \"leat reload\"",
                             t->name, s->columns[i].name);
        }
    }
    return true;
}

static bool is_same_field(const struct lake_partition_field *a,
                          const struct lake_partition_field *b)
{
    return a->column == b->column && a->transform.kind == b->transform.kind &&
           a->transform.parameter == b->transform.parameter;
}

/* One field of partition_by, as a field of the table with these columns. */
static bool find_partition(struct table *t, const struct schema *s, const char *text,
                           struct arena *a, struct lake_partition_field *out, struct error *err)
{
    const char *column = NULL;
    if (!lake_partition_parse(text, a, &out->transform, &column, err)) {
        return error_wrap(err, "table %s: partition_by", t->name);
    }
    int at = schema_find(s, str_from(column));
    if (at < 0) {
        return error_set(err, ERROR_CONFIG, "table %s: partition_by: no column \"%s\"", t->name,
                         column);
    }
    struct type result;
    bool takes = lake_transform_result(out->transform, s->columns[at].type, &result);
    if (!takes || (out->transform.kind != LAKE_IDENTITY && !t->lake->type->has_transforms)) {
        return error_set(err, ERROR_CONFIG, "table %s: partition_by: %s: %s", t->name, text,
                         takes ? "this table format divides by whole columns only"
                               : "the column's type cannot be divided like this");
    }
    out->column = (uint32_t)at;
    out->name = lake_partition_name(out->transform, column, a);
    return true;
}

/* What partitions the table: the fields of the options, which must be the existing table's. */
static bool find_partitions(struct table *t, const struct schema *s, struct arena *a,
                            struct lake_partition_field *fields, struct error *err)
{
    const struct lake_snapshot *snapshot = &t->lake->snapshot;
    bool same = !snapshot->exists || snapshot->partition_count == t->partition_count;
    for (uint32_t i = 0; i < t->partition_count; i++) {
        if (!find_partition(t, s, t->partition_by[i], a, &fields[i], err)) {
            return false;
        }
        same = same && (!snapshot->exists || is_same_field(&snapshot->partition[i], &fields[i]));
    }
    if (!same) {
        return error_set(err, ERROR_CONFIG,
                         "table %s: partition_by differs from how the existing table is "
                         "partitioned; write to another location",
                         t->name);
    }
    if (!t->lake->type->files_hold_partition && t->partition_count > 0 &&
        t->partition_count >= s->column_count) {
        return error_set(err, ERROR_CONFIG,
                         "table %s: partition_by names every column; one at least must stay",
                         t->name);
    }
    return true;
}

static bool is_same_columns(const struct schema *a, const struct schema *b)
{
    if (a->column_count != b->column_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->column_count; i++) {
        if (strcmp(a->columns[i].name, b->columns[i].name) != 0 ||
            !type_equal(a->columns[i].type, b->columns[i].type) ||
            a->columns[i].source_number != b->columns[i].source_number) {
            return false;
        }
    }
    return true;
}

/* The new schema becomes the table's. */
static void adopt(struct table *t, struct schema *s, const struct lake_partition_field *partition,
                  const struct schema *source)
{
    const struct schema *base = t->schema ? t->schema : t->lake->snapshot.schema;
    bool is_new = base_count(t) == 0;
    t->schema_changed = t->schema_changed || (!is_new && !is_same_columns(base, s));

    arena_release(&t->schema_arena);
    uint32_t *columns = arena_array(&t->schema_arena, s->column_count, sizeof(*columns));
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->column_count; i++) {
        if (s->columns[i].is_key) {
            columns[count++] = i;
        }
    }
    struct lake_partition_field *fields =
        arena_copy(&t->schema_arena, partition, t->partition_count * sizeof(*partition));
    for (uint32_t i = 0; i < t->partition_count; i++) {
        fields[i].name =
            arena_string(&t->schema_arena, partition[i].name, strlen(partition[i].name));
    }
    t->partition = fields;
    struct schema *old = t->schema;
    t->schema = s;
    t->key = (struct key){.schema = s, .columns = columns, .column_count = count, .seed = t->seed};
    schema_release(old);
    struct schema *old_source = t->source;
    t->source = schema_reference(source);
    schema_release(old_source);
}

/* Images of the epoch are kept in the newest columns, so that whoever reads them sees one schema.
 */
static bool convert_images(struct table *t, struct error *err)
{
    for (uint32_t i = 0; i < t->net.batch_count; i++) {
        struct batch *b = convert_batch(t->net.batches[i], t->schema, err);
        if (!b) {
            return error_wrap(err, "table %s", t->name);
        }
        batch_release(t->net.batches[i]);
        t->net.batches[i] = b;
    }
    return true;
}

bool follow_schema(struct table *t, const struct schema *source, struct error *err)
{
    uint32_t count = base_count(t);
    owned(schema_free) struct schema *s = schema_new(count + count_new(t, count, source));
    owned(arena_release) struct arena scratch = {0};
    struct lake_partition_field *partition =
        arena_zalloc(&scratch, ((size_t)t->partition_count + 1) * sizeof(*partition));
    if (!keep_columns(t, s, count, source, err) || !add_columns(t, s, count, source, err)) {
        return false;
    }
    schema_seal(s);
    if (!check_duplicates(t, s, err) || !check_append_columns(t, s, err) ||
        !check_key(t, s, source, err) || !find_partitions(t, s, &scratch, partition, err)) {
        return false;
    }
    bool same = t->schema && is_same_columns(t->schema, s);
    adopt(t, take(s), partition, source);
    return same || convert_images(t, err);
}

bool follow_check(const struct table *t, struct error *err)
{
    const struct schema *held = t->lake->snapshot.schema;
    if (t->schema_changed || is_same_columns(held, t->schema)) {
        return true;
    }
    return error_set(err, ERROR_LOST,
                     "table %s: its columns were changed by another writer; write to another "
                     "location, or restore them and run \"leat reload\"",
                     t->name);
}
