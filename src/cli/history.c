/* `leat history`: what each version of a table did. */
#include <string.h>

#include "cli/output.h"
#include "delta/delta.h"
#include "model/batch.h"

enum { COLUMN_COUNT = 11 };

static struct schema *make_schema(void)
{
    static const struct schema_column columns[COLUMN_COUNT] = {
        {.name = "version", .type = {.kind = TYPE_INT64}},
        {.name = "time", .type = {.kind = TYPE_TIMESTAMPTZ}},
        {.name = "operation", .type = {.kind = TYPE_STRING}},
        {.name = "rows_inserted", .type = {.kind = TYPE_INT64}},
        {.name = "rows_updated", .type = {.kind = TYPE_INT64}},
        {.name = "rows_deleted", .type = {.kind = TYPE_INT64}},
        {.name = "files_added", .type = {.kind = TYPE_INT64}},
        {.name = "files_changed", .type = {.kind = TYPE_INT64}},
        {.name = "files_removed", .type = {.kind = TYPE_INT64}},
        {.name = "position", .type = {.kind = TYPE_STRING}},
        {.name = "engine", .type = {.kind = TYPE_STRING}},
    };
    struct schema *s = schema_new(COLUMN_COUNT);
    memcpy(s->columns, columns, sizeof(columns));
    schema_seal(s);
    return s;
}

/* -1 is null. */
static void set_number(struct batch *b, uint32_t column, uint32_t row, int64_t value)
{
    ((int64_t *)b->columns[column].values)[row] = value;
    if (value < 0) {
        batch_set_null(b, column, row);
    }
}

static void set_text(struct batch *b, uint32_t column, uint32_t row, const char *text)
{
    if (text) {
        batch_set_bytes(b, column, row, text, strlen(text));
    } else {
        batch_set_null(b, column, row);
    }
}

static struct batch *make_batch(const struct schema *schema, const struct lake_version *versions,
                                size_t count)
{
    struct batch *b = batch_new(schema, 0, (uint32_t)count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct lake_version *v = &versions[count - 1 - i];
        uint32_t row = batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
        ((int64_t *)b->columns[0].values)[row] = v->id;
        ((int64_t *)b->columns[1].values)[row] = v->time_us;
        set_text(b, 2, row, v->operation);
        set_number(b, 3, row, v->rows_inserted);
        set_number(b, 4, row, v->rows_updated);
        set_number(b, 5, row, v->rows_deleted);
        set_number(b, 6, row, v->files_added);
        set_number(b, 7, row, v->files_changed);
        set_number(b, 8, row, v->files_removed);
        set_text(b, 9, row, v->position);
        set_text(b, 10, row, v->engine);
    }
    return b;
}

static bool run(struct arguments *a, enum exit_code *exit, struct error *err)
{
    (void)exit;
    int64_t limit = 0;
    owned(schema_free) struct schema *schema = make_schema();
    owned(output_release) struct output output = {0};
    if (!argument_integer(a, "limit", 1, INT32_MAX, &limit, err)) {
        return false;
    }
    struct lake_options table = {.location = a->operands[0]};
    owned(lake_history_free) struct lake_history *history = delta_history.open(
        &(struct lake_history_options){
            .table = &table, .to = -1, .versions_only = true, .limit = (size_t)limit},
        err);
    if (!history) {
        return false;
    }
    if (!output_open(&output, a, schema, err)) {
        return false;
    }
    owned(batch_free) struct batch *batch =
        make_batch(schema, history->versions, history->version_count);
    output_rows(&output, batch->columns, batch->row_count);
    return output_close(&output, err);
}

static const struct option_spec options[] = {
    OUTPUT_OPTION,
    {.name = "limit", .value = "N", .help = "only the newest N versions", .letter = 'n'},
    {0},
};

const struct command command_history = {
    .name = "history",
    .summary = "list the versions of a table and what each did",
    .operands = "TABLE",
    .help = "TABLE is the directory of a Delta table. The newest version comes first. Rows and\n"
            "files are what the commit says of itself; empty where it says nothing. A changed\n"
            "file is one of which other rows are deleted. Versions that were cleaned from the\n"
            "log are not listed.",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .run = run,
};
