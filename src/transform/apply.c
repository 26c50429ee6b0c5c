/* One batch through a bound transform.
 *
 * Plain outputs never go through the engine: they are the input's own arrays, which the new batch
 * keeps alive. The engine computes the rest for the rows that have all their values; a row that
 * does not come back has failed WHERE. */
#include <inttypes.h>
#include <stdlib.h>

#include "transform/bound.h"

/* One call of transform_apply(). All arrays have room for as many rows as the input has. */
struct application {
    struct transform *transform;
    struct batch *input;
    struct batch *output;
    struct arena scratch;
    struct column
        *computed;  /* by output, rows as in the input; in the output's arena; plain ones unused */
    bool *passed;   /* by row of the input: the query gave it back */
    uint32_t *from; /* by row of the output: row of the input */
    bool moved;     /* rows were left out or changed: not all of the input's, as they were */
};

static void application_release(struct application *a)
{
    arena_release(&a->scratch);
    batch_free(&a->output);
}

static bool is_old(const struct batch *b, uint32_t row)
{
    return b->kinds[row] == ROW_UPDATE_BEFORE || b->kinds[row] == ROW_DELETE;
}

static void release_batch(void *arg)
{
    batch_release(arg);
}

static struct column operations(struct application *a)
{
    static const char *const names[] = {
        [ROW_INSERT] = "insert",
        [ROW_UPDATE_BEFORE] = "update",
        [ROW_UPDATE_AFTER] = "update",
        [ROW_DELETE] = "delete",
    };
    const struct batch *b = a->input;
    struct view *values = arena_array(&a->scratch, b->row_count, sizeof(*values));
    for (uint32_t row = 0; row < b->row_count; row++) {
        const char *name = b->loading ? "read" : names[b->kinds[row]];
        values[row] = view_from(name, strlen(name));
    }
    return (struct column){.values = values};
}

/* While nothing is known of the commit its time is null, not 1970. */
static struct column commit_times(struct application *a)
{
    const struct batch *b = a->input;
    struct column c = {.values = b->commit_times_us};
    for (uint32_t row = 0; row < b->row_count; row++) {
        if (b->commit_times_us[row] == 0) {
            if (!c.valid) {
                size_t size = ((size_t)b->row_count + 63) / 64 * sizeof(*c.valid);
                c.valid = memset(arena_alloc(&a->scratch, size), 0xFF, size);
            }
            bit_clear(c.valid, row);
        }
    }
    return c;
}

static struct column row_numbers(struct application *a)
{
    int64_t *values = arena_array(&a->scratch, a->input->row_count, sizeof(*values));
    for (uint32_t row = 0; row < a->input->row_count; row++) {
        values[row] = row;
    }
    return (struct column){.values = values};
}

static struct column wholes(struct application *a)
{
    uint8_t *values = arena_array(&a->scratch, a->input->row_count, 1);
    for (uint32_t row = 0; row < a->input->row_count; row++) {
        values[row] = a->input->images[row] == IMAGE_WHOLE;
    }
    return (struct column){.values = values};
}

/* Puts the batch and its metadata into the slot that the query reads. */
static void bind_input(struct application *a)
{
    const struct batch *b = a->input;
    uint32_t own = b->schema->column_count;
    uint32_t count = own + METADATA_COUNT;
    struct column *columns = arena_array(&a->scratch, count, sizeof(*columns));
    memcpy(columns, b->columns, own * sizeof(*columns));
    columns[own + METADATA_OPERATION] = operations(a);
    columns[own + METADATA_POSITION] = (struct column){.values = b->positions};
    columns[own + METADATA_COMMIT_TIME] = commit_times(a);
    columns[own + METADATA_TRANSACTION] = (struct column){.values = b->transactions};
    columns[own + METADATA_SEQUENCE] = (struct column){.values = b->sequences};
    columns[own + METADATA_ROW] = row_numbers(a);
    columns[own + METADATA_WHOLE] = wholes(a);
    for (uint32_t i = 0; i < METADATA_COUNT; i++) {
        columns[own + i].type = metadata_types[i];
    }
    engine_bind(a->transform->connection, SLOT_CHANGES,
                &(struct engine_input){.names = a->transform->names,
                                       .columns = columns,
                                       .column_count = count,
                                       .row_count = b->row_count});
}

static void mark_null(struct application *a, struct column *c, uint32_t row)
{
    if (!c->valid) {
        size_t size = (size_t)a->input->row_capacity / 64 * sizeof(*c->valid);
        c->valid = memset(arena_alloc(&a->output->arena, size), 0xFF, size);
    }
    bit_clear(c->valid, row);
}

static void mark_unchanged(struct application *a, struct column *c, uint32_t row)
{
    if (!c->unchanged) {
        c->unchanged = arena_zalloc(&a->output->arena,
                                    (size_t)a->input->row_capacity / 64 * sizeof(*c->unchanged));
    }
    bit_set(c->unchanged, row);
    mark_null(a, c, row);
    size_t width = type_width(c->type);
    memset((char *)c->values + row * width, 0, width);
}

static void copy_value(struct application *a, struct column *to, uint32_t row,
                       const struct column *from, uint32_t from_row)
{
    if (!column_is_valid(from, from_row)) {
        mark_null(a, to, row);
        return;
    }
    size_t width = type_width(to->type);
    memcpy((char *)to->values + row * width, (const char *)from->values + from_row * width, width);
    if (type_is_text_or_binary(to->type)) {
        struct view *view = &((struct view *)to->values)[row];
        if (view->size > VIEW_INLINE_MAX) {
            view->data = arena_copy(&a->output->arena, view->data, view->size);
        }
    }
}

static bool take_rows(struct application *a, const struct column *columns, uint32_t count,
                      int64_t *last, struct error *err)
{
    const struct outputs *o = &a->transform->outputs;
    const int64_t *numbers = columns[o->result_count].values;
    for (uint32_t i = 0; i < count; i++) {
        if (numbers[i] <= *last || numbers[i] >= a->input->row_count) {
            return error_set(err, ERROR_CONFIG,
                             "the transform gives row %" PRId64 " of a batch out of turn: it must "
                             "give each row once",
                             numbers[i]);
        }
        *last = numbers[i];
        a->passed[*last] = true;
    }
    for (uint32_t j = 0; j < o->count; j++) {
        if (o->list[j].source >= 0) {
            continue;
        }
        for (uint32_t i = 0; i < count; i++) {
            copy_value(a, &a->computed[j], (uint32_t)numbers[i], &columns[o->list[j].result], i);
        }
    }
    return true;
}

static bool run_query(struct application *a, struct error *err)
{
    bind_input(a);
    owned(engine_rows_free) struct engine_rows *rows = engine_run(a->transform->query, err);
    if (!rows) {
        return false;
    }
    const struct outputs *o = &a->transform->outputs;
    for (uint32_t i = 0; i < o->count; i++) {
        if (o->list[i].source < 0) {
            struct type type = a->transform->output->columns[i].type;
            if (!type_equal(type, engine_rows_type(rows, o->list[i].result))) {
                return error_set(err, ERROR_FATAL, "column \"%s\": the engine changed its type",
                                 o->list[i].name);
            }
            a->computed[i] =
                (struct column){.type = type,
                                .values = arena_zalloc(&a->output->arena,
                                                       a->input->row_capacity * type_width(type))};
        }
    }
    const struct column *columns = NULL;
    int64_t last = -1;
    for (uint32_t count = 1; count > 0;) {
        if (!engine_rows_next(rows, &columns, &count, err) ||
            !take_rows(a, columns, count, &last, err)) {
            return false;
        }
    }
    return true;
}

/* The first column among those read that is unchanged in the row (or that is sent, for `unchanged`
 * false, the key's apart); -1: none. */
static int find_read(const struct application *a, const struct reads *reads, uint32_t row,
                     bool unchanged)
{
    const struct schema *schema = a->input->schema;
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (reads->columns[i] && !schema->columns[i].is_key &&
            column_is_unchanged(&a->input->columns[i], row) == unchanged) {
            return (int)i;
        }
    }
    return -1;
}

static bool may_be_unchanged(const struct application *a, const struct reads *reads)
{
    for (uint32_t i = 0; i < a->input->schema->column_count; i++) {
        if (reads->columns[i] && a->input->columns[i].unchanged) {
            return true;
        }
    }
    return false;
}

static bool reads_metadata(const struct reads *reads)
{
    for (uint32_t i = 0; i < METADATA_COUNT; i++) {
        if (reads->metadata[i]) {
            return true;
        }
    }
    return false;
}

static bool key_changed(const struct batch *b, uint32_t row)
{
    return row > 0 && b->kinds[row] == ROW_UPDATE_AFTER && b->kinds[row - 1] == ROW_UPDATE_BEFORE;
}

static bool refuse_unchanged(const struct application *a, int column, const char *reader,
                             struct error *err)
{
    return error_set(
        err, ERROR_DATA,
        "%s needs column \"%s\", which the source did not send because it is unchanged: "
        "set REPLICA IDENTITY FULL on the table",
        reader, a->input->schema->columns[column].name);
}

/* WHERE decides only on values that are there. */
static bool check_where(const struct application *a, struct error *err)
{
    const struct reads *where = &a->transform->outputs.where;
    if (!may_be_unchanged(a, where)) {
        return true;
    }
    for (uint32_t row = 0; row < a->input->row_count; row++) {
        int column = a->input->images[row] == IMAGE_WHOLE ? find_read(a, where, row, true) : -1;
        if (column >= 0) {
            return refuse_unchanged(a, column, "WHERE", err);
        }
    }
    return true;
}

/* Marks the values of a computed output that stay as they are in the table: those whose inputs are
 * all unchanged, and in old images those that depend on when they were computed. */
static bool settle_unchanged(struct application *a, uint32_t index, struct error *err)
{
    const struct output *output = &a->transform->outputs.list[index];
    const struct reads *reads = &output->reads;
    bool timely = reads->varies || reads_metadata(reads);
    bool unchanged = may_be_unchanged(a, reads);
    for (uint32_t row = 0; row < a->input->row_count; row++) {
        bool whole = a->input->images[row] == IMAGE_WHOLE;
        if (whole && !a->passed[row]) {
            continue;
        }
        int missing = unchanged && whole ? find_read(a, reads, row, true) : -1;
        if (!whole || (timely && is_old(a->input, row))) {
            mark_unchanged(a, &a->computed[index], row);
        } else if (missing >= 0) {
            if (find_read(a, reads, row, false) >= 0 || reads_metadata(reads) ||
                (reads->key && key_changed(a->input, row))) {
                return refuse_unchanged(a, missing, output->name, err);
            }
            mark_unchanged(a, &a->computed[index], row);
        }
    }
    return true;
}

static void add_row(struct application *a, uint32_t row, enum row_kind kind, enum row_image image)
{
    struct batch *out = a->output;
    a->moved = a->moved || out->row_count != row || a->input->kinds[row] != kind ||
               a->input->images[row] != image;
    a->from[out->row_count] = row;
    out->kinds[out->row_count] = (uint8_t)kind;
    out->images[out->row_count] = (uint8_t)image;
    out->row_count++;
}

/* An update whose row is not (or no longer) in the table after it: what was there goes. */
static void add_delete(struct application *a, uint32_t row, enum row_image image)
{
    if (image == IMAGE_WHOLE || a->output->schema->key_count > 0) {
        add_row(a, row, ROW_DELETE, image);
    }
}

/* A row that failed WHERE has no place in the table. An insert of it is no change at all; an update
 * or delete deletes the row if it is there. Its values were never in the table: only the key is
 * kept. */
static void choose_rows(struct application *a)
{
    const struct batch *in = a->input;
    for (uint32_t row = 0; row < in->row_count; row++) {
        enum row_kind kind = in->kinds[row];
        enum row_image image = in->images[row];
        bool fails = image == IMAGE_WHOLE && !a->passed[row];
        bool next_fails =
            row + 1 < in->row_count && in->images[row + 1] == IMAGE_WHOLE && !a->passed[row + 1];
        if (kind == ROW_UPDATE_BEFORE && next_fails) {
            add_delete(a, row, fails ? IMAGE_KEY : image);
            row++; /* the after image: it is not in the table under its own key either */
        } else if (!fails) {
            add_row(a, row, kind, image);
        } else if (kind == ROW_UPDATE_BEFORE && a->output->schema->key_count == 0) {
            add_row(a, ++row, ROW_INSERT, IMAGE_WHOLE);
        } else if (kind == ROW_UPDATE_BEFORE) {
            add_row(a, row, kind, IMAGE_KEY);
        } else if (kind != ROW_INSERT) {
            add_delete(a, row, IMAGE_KEY);
        }
    }
    a->moved = a->moved || a->output->row_count != in->row_count;
}

static const struct column *source_of(const struct application *a, uint32_t index)
{
    int source = a->transform->outputs.list[index].source;
    return source >= 0 ? &a->input->columns[source] : &a->computed[index];
}

/* The input's arrays as they are: both batches are immutable, and ours keeps the input. */
static void share_rows(struct application *a)
{
    struct batch *out = a->output;
    const struct batch *in = a->input;
    for (uint32_t i = 0; i < out->schema->column_count; i++) {
        out->columns[i] = *source_of(a, i);
    }
    out->kinds = in->kinds;
    out->images = in->images;
    out->positions = in->positions;
    out->commit_times_us = in->commit_times_us;
    out->transactions = in->transactions;
    out->sequences = in->sequences;
}

static void *gather(struct application *a, const void *from, size_t width)
{
    uint8_t *to = arena_zalloc(&a->output->arena, a->input->row_capacity * width);
    for (uint32_t i = 0; i < a->output->row_count; i++) {
        memcpy(to + i * width, (const uint8_t *)from + a->from[i] * width, width);
    }
    return to;
}

static uint64_t *gather_bits(struct application *a, const uint64_t *from, int fill)
{
    if (!from) {
        return NULL;
    }
    size_t size = (size_t)a->input->row_capacity / 64 * sizeof(*from);
    uint64_t *to = memset(arena_alloc(&a->output->arena, size), fill, size);
    for (uint32_t i = 0; i < a->output->row_count; i++) {
        if (bit_get(from, a->from[i])) {
            bit_set(to, i);
        } else {
            bit_clear(to, i);
        }
    }
    return to;
}

static void gather_rows(struct application *a)
{
    struct batch *out = a->output;
    const struct batch *in = a->input;
    for (uint32_t i = 0; i < out->schema->column_count; i++) {
        const struct column *from = source_of(a, i);
        out->columns[i].values = gather(a, from->values, type_width(from->type));
        out->columns[i].valid = gather_bits(a, from->valid, 0xFF);
        out->columns[i].unchanged = gather_bits(a, from->unchanged, 0);
    }
    out->positions = gather(a, in->positions, sizeof(*in->positions));
    out->commit_times_us = gather(a, in->commit_times_us, sizeof(*in->commit_times_us));
    out->transactions = gather(a, in->transactions, sizeof(*in->transactions));
    out->sequences = gather(a, in->sequences, sizeof(*in->sequences));
    for (uint32_t row = 0; row < out->row_count; row++) {
        bool reduced = out->images[row] == IMAGE_KEY && in->images[a->from[row]] == IMAGE_WHOLE;
        for (uint32_t i = 0; i < out->schema->column_count && reduced; i++) {
            if (!out->schema->columns[i].is_key) {
                mark_unchanged(a, &out->columns[i], row);
            }
        }
    }
}

static bool compute(struct application *a, struct error *err)
{
    const struct outputs *o = &a->transform->outputs;
    if (!check_where(a, err) || !run_query(a, err)) {
        return false;
    }
    for (uint32_t row = 0; row < a->input->row_count; row++) {
        if (!transform_filters(a->transform) && !a->passed[row] &&
            a->input->images[row] == IMAGE_WHOLE) {
            return error_set(err, ERROR_CONFIG,
                             "the transform leaves out rows, but it has no WHERE");
        }
    }
    for (uint32_t i = 0; i < o->count; i++) {
        if (o->list[i].source < 0 && !settle_unchanged(a, i, err)) {
            return false;
        }
    }
    return true;
}

struct batch *transform_apply(struct transform *t, struct batch *input, struct error *err)
{
    if (!t->input || !schema_equal(input->schema, t->input)) {
        error_set(err, ERROR_FATAL, "the transform is not bound to the schema of its batch");
        return NULL;
    }
    owned(application_release) struct application a = {.transform = t, .input = input};
    a.output = batch_new(t->output, input->table, 0);
    a.output->loading = input->loading;
    a.output->source = input->source;
    a.output->received_us = input->received_us;
    a.output->row_capacity = input->row_capacity;
    arena_defer(&a.output->arena, release_batch, batch_reference(input));

    uint32_t capacity = input->row_capacity;
    a.computed = arena_zalloc(&a.scratch, t->outputs.count * sizeof(*a.computed));
    a.passed = memset(arena_alloc(&a.scratch, capacity), t->query == NULL, capacity);
    a.from = arena_array(&a.scratch, capacity, sizeof(*a.from));
    a.output->kinds = arena_zalloc(&a.output->arena, capacity);
    a.output->images = arena_zalloc(&a.output->arena, capacity);
    if (t->query && !compute(&a, err)) {
        return NULL;
    }
    choose_rows(&a);
    if (a.moved) {
        gather_rows(&a);
    } else {
        share_rows(&a);
    }
    a.output->arena.bytes += input->arena.bytes; /* kept alive: it counts where memory is bounded */
    return take(a.output);
}
