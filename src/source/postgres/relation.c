#include "source/postgres/relation.h"

#include <assert.h>
#include <stdlib.h>

#include "source/postgres/value.h"

void relation_facts_release(struct relation_facts *facts)
{
    arena_release(&facts->arena);
}

void relation_release(struct relation *r)
{
    schema_release(take(r->schema));
    arena_release(&r->schema_arena);
    arena_release(&r->known_arena);
    arena_release(&r->column_arena);
}

/* A column of the schema in the making. */
struct plan_column {
    struct str name;
    struct type type;
    bool nullable;
    bool is_key;
    const char *source_type;
    int32_t source_number;
    bool fills_old_rows;
    struct relation_origin origin;
};

static void adopt_schema(struct relation *r, const struct plan_column *plan, uint32_t count)
{
    struct schema *s = schema_new(count);
    s->version = r->schema ? r->schema->version + 1 : 1;
    struct arena arena = {0};
    r->origins = arena_array(&arena, count, sizeof(*r->origins));
    for (uint32_t i = 0; i < count; i++) {
        s->columns[i] = (struct schema_column){
            .name = schema_name(s, plan[i].name),
            .type = plan[i].type,
            .nullable = plan[i].nullable,
            .is_key = plan[i].is_key,
            .source_type = schema_name(s, str_from(plan[i].source_type)),
            .source_number = plan[i].source_number,
            .fills_old_rows = plan[i].fills_old_rows,
        };
        r->origins[i] = plan[i].origin;
    }
    schema_seal(s);
    /* Only now: the plan borrows names from the schema that goes. */
    schema_release(r->schema);
    arena_release(&r->schema_arena);
    r->schema = s;
    r->schema_arena = arena;
}

static bool listed(const struct config_strings *list, const char *text)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], text) == 0) {
            return true;
        }
    }
    return false;
}

/* The column itself or its exact type asks for text; other names of a type only where it has no
 * native form, so that "numeric" does not take numeric(10,2) along. */
static bool wants_text(const struct relation *r, struct str column, const struct catalog_type *type,
                       bool has_native, const struct config_strings *as_text)
{
    owned(buf_release) struct buf full = {0};
    buf_append_format(&full, "%s.%s.%.*s", r->name.schema, r->name.table, str_arg(column));
    return listed(as_text, buf_text(&full)) || listed(as_text, type->name) ||
           (!has_native && (listed(as_text, type->bare_name) || listed(as_text, type->short_name)));
}

/* Fills type, source_type and origin. */
static bool resolve_type(const struct relation *r, struct plan_column *plan,
                         const struct catalog_type *type, const struct relation_options *options,
                         struct error *err)
{
    if (!type->name) {
        return error_set(
            err, ERROR_LOST,
            "table %s.%s, column \"%.*s\": its type does not exist any more; load again with "
            "leat reload %s",
            r->name.schema, r->name.table, str_arg(plan->name), options->pipeline);
    }
    struct type native = {0};
    bool has_native = value_native_type(type->base_id, type->base_typmod, &native);
    /* An array of a numeric without precision is text like any other array. */
    bool array_of_known = type->is_array && (has_native || type->base_id == VALUE_NUMERIC);
    bool text = wants_text(r, plan->name, type, has_native || array_of_known, options->as_text);
    if (!text && !array_of_known && (type->is_array || !has_native)) {
        return error_set(
            err, ERROR_CONFIG,
            "table %s.%s, column \"%.*s\": type %s is not supported%s; as_text: [\"%s\"] or "
            "as_text: [\"%s.%s.%.*s\"] lets it through as text",
            r->name.schema, r->name.table, str_arg(plan->name), type->name,
            type->base_id == VALUE_NUMERIC ? " without a precision of at most 38 digits" : "",
            type->name, r->name.schema, r->name.table, str_arg(plan->name));
    }
    bool is_text = text || type->is_array;
    plan->type = is_text ? (struct type){.kind = TYPE_STRING} : native;
    plan->source_type = type->name;
    plan->origin = (struct relation_origin){
        .base_id = type->base_id,
        .base_typmod = type->base_typmod,
        .is_array = type->is_array,
        .value_id = is_text ? VALUE_AS_TEXT : type->base_id,
    };
    return true;
}

bool relation_init(struct relation *r, const struct catalog_table *known, uint32_t table,
                   const struct relation_options *options, struct error *err)
{
    *r = (struct relation){.name = known->name, .table = table, .id = known->id, .known = *known};

    struct arena scratch = {0};
    struct plan_column *plan = arena_array(&scratch, known->column_count, sizeof(*plan));
    r->columns = arena_array(&r->column_arena, known->column_count, sizeof(*r->columns));
    bool done = true;
    for (uint32_t i = 0; i < known->column_count && done; i++) {
        const struct catalog_column *c = &known->columns[i];
        if (c->is_generated) {
            continue;
        }
        plan[r->column_count] = (struct plan_column){
            .name = str_from(c->name),
            .nullable = !c->not_null,
            .is_key = c->is_key,
            .source_number = c->number,
            /* Whether the column came with its default or got it later, nobody saw. */
            .fills_old_rows = c->has_missing || c->has_default};
        done = resolve_type(r, &plan[r->column_count], &c->type, options, err);
        plan[r->column_count].origin.is_ahead = true;
        r->columns[r->column_count] = (struct relation_column){
            .target = (int32_t)r->column_count, .value_id = plan[r->column_count].origin.value_id};
        r->column_count++;
    }
    if (done && r->column_count == 0) {
        done = error_set(err, ERROR_CONFIG, "table %s.%s has no columns", r->name.schema,
                         r->name.table);
    }
    if (done) {
        adopt_schema(r, plan, r->column_count);
    }
    arena_release(&scratch);
    return done;
}

bool relation_is_binary(const struct relation *r)
{
    for (uint32_t i = 0; i < r->schema->column_count; i++) {
        if (r->origins[i].value_id == VALUE_AS_TEXT) {
            return false;
        }
    }
    return true;
}

static bool lost(const struct relation *r, struct str column, const char *what,
                 const struct relation_options *options, struct error *err)
{
    return error_set(err, ERROR_LOST,
                     "table %s.%s, column \"%.*s\" %s; load again with leat reload %s",
                     r->name.schema, r->name.table, str_arg(column), what, options->pipeline);
}

/* What the catalog shows to have happened to the table since it last agreed with the stream. */
struct history {
    const struct catalog_table *now;
    bool rewritten;
    bool explained; /* by a TRUNCATE or by a column that changed its type: values need not differ */
};

static bool check_added(const struct relation *r, const struct catalog_column *c,
                        const struct history *h, const struct relation_options *options,
                        struct error *err)
{
    if (c->has_missing || (h->rewritten && c->has_default)) {
        return lost(r, str_from(c->name),
                    "was added with a default, which old rows show without a change event", options,
                    err);
    }
    if (h->rewritten && !h->explained) {
        return lost(r, str_from(c->name),
                    "was added and the table was rewritten: old rows may hold values in it",
                    options, err);
    }
    return true;
}

/* An ALTER COLUMN that left the type alone, and a rewrite: the USING clause may have changed
 * values. */
static bool check_altered(const struct relation *r, const struct catalog_column *old,
                          const struct catalog_column *c, const struct history *h,
                          const struct relation_options *options, struct error *err)
{
    bool same_type = old->type_id == c->type_id && old->typmod == c->typmod;
    bool other_reason = old->not_null != c->not_null || old->has_default != c->has_default;
    if (h->rewritten && same_type && !other_reason && old->changed_by != c->changed_by) {
        return lost(r, str_from(c->name),
                    "was altered and the table was rewritten: old rows may hold other values",
                    options, err);
    }
    return true;
}

/* Rows that changed without a row event: a default for old rows, a rewrite, a column dropped and
 * added again under its name. */
static bool check_column(const struct relation *r, struct str name, bool sent,
                         const struct history *h, const struct relation_options *options,
                         struct error *err)
{
    const struct catalog_column *c = catalog_find_column(h->now, name);
    const struct catalog_column *old = catalog_find_column(&r->known, name);
    int column = schema_find(r->schema, name);
    bool in_schema = column >= 0;
    if (!c || c->is_generated) {
        return true; /* dropped since, or not captured */
    }
    if (old && old->number != c->number) {
        return lost(r, name, "was dropped and added again", options, err);
    }
    if (in_schema && !sent && !r->origins[column].is_ahead) {
        return lost(r, name, "is not sent any more: the publication has a column list", options,
                    err);
    }
    if (in_schema && !sent && c->has_missing) { /* the stream is before the ALTER that added it */
        return check_added(r, c, h, options, err);
    }
    return (in_schema || check_added(r, c, h, options, err)) &&
           (!old || check_altered(r, old, c, h, options, err));
}

static bool same_name(const struct pgoutput_relation *m, uint32_t i, const char *name)
{
    return str_equal(m->columns[i].name, str_from(name));
}

static bool is_sent(const struct pgoutput_relation *m, const char *name)
{
    for (uint32_t i = 0; i < m->column_count; i++) {
        if (same_name(m, i, name)) {
            return true;
        }
    }
    return false;
}

static bool changed_type(const struct relation *r, const struct pgoutput_relation *m,
                         const struct catalog_column *c)
{
    const struct catalog_column *old = catalog_find_column(&r->known, str_from(c->name));
    if (old && (old->type_id != c->type_id || old->typmod != c->typmod)) {
        return true;
    }
    for (uint32_t i = 0; i < m->column_count; i++) {
        if (same_name(m, i, c->name) &&
            (m->columns[i].type_id != c->type_id || m->columns[i].typmod != c->typmod)) {
            return true;
        }
    }
    return false;
}

static struct history history_of(const struct relation *r, const struct pgoutput_relation *m,
                                 const struct catalog_table *now)
{
    struct history h = {.now = now,
                        .rewritten = now->file_node != r->known.file_node,
                        .explained = r->is_truncated};
    for (uint32_t i = 0; i < now->column_count && !h.explained; i++) {
        h.explained = changed_type(r, m, &now->columns[i]);
    }
    return h;
}

static bool check_history(const struct relation *r, const struct pgoutput_relation *m,
                          const struct catalog_table *now, const struct relation_options *options,
                          struct error *err)
{
    if (now->id == 0) {
        return true; /* dropped since: nothing is left to differ from */
    }
    struct history h = history_of(r, m, now);
    for (uint32_t i = 0; i < m->column_count; i++) {
        if (!check_column(r, m->columns[i].name, true, &h, options, err)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < r->schema->column_count; i++) {
        const char *name = r->schema->columns[i].name;
        if (!is_sent(m, name) && !check_column(r, str_from(name), false, &h, options, err)) {
            return false;
        }
    }
    return true;
}

/* True when changing a column from `a` to `b` leaves every value what it was. */
static bool preserves_values(const struct relation_origin *a, const struct relation_origin *b)
{
    if (a->is_array != b->is_array ||
        (a->value_id == VALUE_AS_TEXT) != (b->value_id == VALUE_AS_TEXT)) {
        return false;
    }
    if (a->base_id == b->base_id && a->base_typmod == b->base_typmod) {
        return true;
    }
    if (a->value_id == VALUE_AS_TEXT) {
        return false;
    }
    bool is_text = (a->base_id == VALUE_TEXT || a->base_id == VALUE_VARCHAR) &&
                   (b->base_id == VALUE_TEXT || b->base_id == VALUE_VARCHAR);
    bool has_fraction =
        a->base_id == b->base_id && (a->base_id == VALUE_TIME || a->base_id == VALUE_TIMESTAMP ||
                                     a->base_id == VALUE_TIMESTAMPTZ);
    if (is_text || has_fraction) {
        return b->base_typmod < 0 || (a->base_typmod >= 0 && a->base_typmod <= b->base_typmod);
    }
    struct type from = {0};
    struct type to = {0};
    return value_native_type(a->base_id, a->base_typmod, &from) &&
           value_native_type(b->base_id, b->base_typmod, &to) && type_widens(from, to) &&
           (!type_equal(from, to) || from.kind == TYPE_DECIMAL);
}

/* The type of a column that the schema has already: follows a widening, and stays the wider one
 * when the stream is still behind the catalog. */
static bool merge_type(const struct relation *r, struct plan_column *plan, uint32_t column,
                       const struct relation_options *options, struct error *err)
{
    const struct relation_origin *current = &r->origins[column];
    if (preserves_values(current, &plan->origin)) {
        return true;
    }
    if (current->is_ahead && preserves_values(&plan->origin, current)) {
        plan->type = r->schema->columns[column].type;
        plan->source_type = r->schema->columns[column].source_type;
        plan->origin = *current;
        return true;
    }
    return error_set(
        err, ERROR_LOST,
        "table %s.%s, column \"%.*s\" changed its type from %s to %s, which old rows follow without a "
        "change event; load again with leat reload %s",
        r->name.schema, r->name.table, str_arg(plan->name), r->schema->columns[column].source_type,
        plan->source_type, options->pipeline);
}

static bool check_key(const struct relation *r, const struct pgoutput_relation *m,
                      const struct catalog_table *now, const struct relation_options *options,
                      struct error *err)
{
    bool is_full = m->replica_identity == 'f';
    for (uint32_t i = 0; i < m->column_count; i++) {
        int column = schema_find(r->schema, m->columns[i].name);
        bool was = column >= 0 && r->schema->columns[column].is_key;
        const struct catalog_column *c = catalog_find_column(now, m->columns[i].name);
        /* Under replica identity full all columns are marked: the catalog tells, while it is of
         * that kind. */
        bool is = !is_full                            ? m->columns[i].is_key
                  : now->replica_identity == 'f' && c ? c->is_key
                                                      : was;
        if (was != is) {
            return lost(r, m->columns[i].name,
                        is ? "is new in the key" : "is not in the key any more", options, err);
        }
    }
    for (uint32_t i = 0; i < r->schema->column_count; i++) {
        if (r->schema->columns[i].is_key && !is_sent(m, r->schema->columns[i].name)) {
            return lost(r, str_from(r->schema->columns[i].name), "of the key is gone", options,
                        err);
        }
    }
    return true;
}

/* The schema that the description and the present one make: the description's columns, then those
 * of the present one that the catalog still has: the stream is behind the ALTER that added them. */
struct plan {
    struct plan_column *columns;
    uint32_t count;
    struct relation_column *sent; /* one per column of the description */
    uint32_t *absent;
    uint32_t absent_count;
};

static bool plan_sent(const struct relation *r, const struct pgoutput_relation *m,
                      const struct relation_facts *facts, const struct relation_options *options,
                      struct plan *plan, struct error *err)
{
    for (uint32_t i = 0; i < m->column_count; i++) {
        const struct catalog_column *c = catalog_find_column(&facts->now, m->columns[i].name);
        int column = schema_find(r->schema, m->columns[i].name);
        if (c && c->is_generated) {
            plan->sent[i] = (struct relation_column){.target = -1};
            continue;
        }
        struct plan_column *p = &plan->columns[plan->count];
        *p = (struct plan_column){
            .name = m->columns[i].name,
            .nullable = true,
            .source_type = "",
            .source_number = c             ? c->number
                             : column >= 0 ? r->schema->columns[column].source_number
                                           : 0,
        };
        struct error unsupported = {0};
        if (!resolve_type(r, p, &facts->types[i], options, &unsupported)) {
            if (!c && column < 0 && facts->now.id != 0) { /* dropped since, and never captured */
                plan->sent[i] = (struct relation_column){.target = -1};
                continue;
            }
            *err = unsupported;
            return false;
        }
        plan->sent[i] = (struct relation_column){.target = (int32_t)plan->count,
                                                 .value_id = p->origin.value_id};
        plan->count++;
        if (column >= 0) {
            p->is_key = r->schema->columns[column].is_key;
            p->nullable = r->schema->columns[column].nullable || (c && !c->not_null);
            if (!merge_type(r, p, (uint32_t)column, options, err)) {
                return false;
            }
        }
    }
    return true;
}

static void plan_absent(const struct relation *r, const struct pgoutput_relation *m,
                        const struct catalog_table *now, struct plan *plan)
{
    for (uint32_t i = 0; i < r->schema->column_count; i++) {
        const struct schema_column *s = &r->schema->columns[i];
        if (is_sent(m, s->name) || !catalog_find_column(now, str_from(s->name))) {
            continue;
        }
        plan->absent[plan->absent_count++] = plan->count;
        plan->columns[plan->count++] = (struct plan_column){
            .name = str_from(s->name),
            .type = s->type,
            .nullable = true,
            .source_type = s->source_type,
            .source_number = s->source_number,
            .origin = r->origins[i],
        };
    }
}

static bool same_schema(const struct relation *r, const struct plan *plan)
{
    if (r->schema->column_count != plan->count) {
        return false;
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct plan_column *p = &plan->columns[i];
        const struct schema_column *s = &r->schema->columns[i];
        if (!str_equal(p->name, str_from(s->name)) || !type_equal(p->type, s->type) ||
            p->nullable != s->nullable || p->is_key != s->is_key) {
            return false;
        }
    }
    return true;
}

/* True when the catalog describes the table exactly as the stream does. */
static bool agrees(const struct pgoutput_relation *m, const struct catalog_table *now)
{
    uint32_t matched = 0;
    for (uint32_t i = 0; i < now->column_count; i++) {
        const struct catalog_column *c = &now->columns[i];
        if (c->is_generated) {
            continue;
        }
        if (matched == m->column_count || !same_name(m, matched, c->name) ||
            m->columns[matched].type_id != c->type_id || m->columns[matched].typmod != c->typmod) {
            return false;
        }
        matched++;
    }
    return matched == m->column_count;
}

static void adopt_plan(struct relation *r, const struct pgoutput_relation *m,
                       const struct plan *plan, bool *changed)
{
    *changed = !same_schema(r, plan);
    if (*changed) {
        adopt_schema(r, plan->columns, plan->count);
    } else {
        for (uint32_t i = 0; i < plan->count; i++) {
            r->origins[i] = plan->columns[i].origin; /* varchar(10) became varchar(20) */
        }
    }
    struct arena arena = {0};
    r->columns = arena_array(&arena, m->column_count, sizeof(*r->columns));
    r->column_count = m->column_count;
    memcpy(r->columns, plan->sent, m->column_count * sizeof(*r->columns));
    r->absent = arena_array(&arena, plan->absent_count, sizeof(*r->absent));
    r->absent_count = plan->absent_count;
    memcpy(r->absent, plan->absent, plan->absent_count * sizeof(*r->absent));
    arena_release(&r->column_arena);
    r->column_arena = arena;
    r->is_described = true;
}

bool relation_describe(struct relation *r, const struct pgoutput_message *message,
                       struct relation_facts *facts, const struct relation_options *options,
                       bool *changed, struct error *err)
{
    const struct pgoutput_relation *m = &message->relation;
    if (message->relation_id != r->id) {
        return error_set(err, ERROR_LOST,
                         "table %s.%s was dropped and made again; load again with leat reload %s",
                         r->name.schema, r->name.table, options->pipeline);
    }
    uint32_t columns_max = m->column_count + r->schema->column_count;
    struct plan plan = {
        .columns = arena_array(&facts->arena, columns_max, sizeof(*plan.columns)),
        .sent = arena_array(&facts->arena, m->column_count, sizeof(*plan.sent)),
        .absent = arena_array(&facts->arena, r->schema->column_count, sizeof(*plan.absent)),
    };
    if (!check_history(r, m, &facts->now, options, err) ||
        !check_key(r, m, &facts->now, options, err) ||
        !plan_sent(r, m, facts, options, &plan, err)) {
        return false;
    }
    plan_absent(r, m, &facts->now, &plan);
    if (plan.count == 0) {
        return error_set(err, ERROR_LOST, "table %s.%s has no columns any more", r->name.schema,
                         r->name.table);
    }
    adopt_plan(r, m, &plan, changed);
    if (agrees(m, &facts->now)) {
        arena_release(&r->known_arena);
        r->known_arena = facts->arena;
        r->known = facts->now;
        r->is_truncated = false;
        facts->arena = (struct arena){0};
    }
    return true;
}

void relation_loosen(struct relation *r, uint32_t column)
{
    struct arena scratch = {0};
    struct plan_column *plan = arena_array(&scratch, r->schema->column_count, sizeof(*plan));
    for (uint32_t i = 0; i < r->schema->column_count; i++) {
        const struct schema_column *s = &r->schema->columns[i];
        plan[i] = (struct plan_column){
            .name = str_from(s->name),
            .type = s->type,
            .nullable = s->nullable || i == column,
            .is_key = s->is_key,
            .source_type = s->source_type,
            .source_number = s->source_number,
            .origin = r->origins[i],
        };
    }
    adopt_schema(r, plan, r->schema->column_count);
    arena_release(&scratch);
}
