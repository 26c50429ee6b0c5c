/* `leat changes`: the row changes of a table between two versions. */
#include "lake/changes.h"

#include <string.h>

#include "cli/changes_debezium.h"
#include "cli/changes_exec.h"
#include "cli/changes_request.h"
#include "cli/changes_summary.h"
#include "cli/output.h"

enum { ENVELOPES_AT_ONCE = 64 };
static const char debezium[] = "debezium";

/* Returns false when nothing more can be written, or is wanted. */
static bool write_envelopes(struct changes_debezium *d, struct output *o,
                            const struct column *columns, uint32_t row_count)
{
    owned(buf_release) struct buf text = {0};
    bool goes_on = true;
    for (uint32_t first = 0; first < row_count && goes_on; first += ENVELOPES_AT_ONCE) {
        uint32_t end =
            row_count - first < ENVELOPES_AT_ONCE ? row_count : first + ENVELOPES_AT_ONCE;
        buf_clear(&text);
        goes_on = changes_debezium_rows(d, columns, first, end, &text);
        goes_on = output_text(o, &text) && goes_on;
    }
    return goes_on;
}

static bool print_envelopes(struct changes_request *r, struct lake_changes *changes,
                            struct output *output, struct error *err)
{
    owned(changes_debezium_release) struct changes_debezium d = {0};
    owned(buf_release) struct buf end = {0};
    if (!changes_debezium_open(&d, r, lake_changes_schema(changes), err)) {
        return false;
    }
    for (;;) {
        const struct column *columns = NULL;
        uint32_t row_count = 0;
        if (!lake_changes_next(changes, &columns, &row_count, NULL, err)) {
            return false;
        }
        if (row_count == 0 || !write_envelopes(&d, output, columns, row_count)) {
            break;
        }
    }
    changes_debezium_end(&d, &end);
    (void)output_text(output, &end);
    return true;
}

static bool print_rows(struct changes_request *r, struct lake_changes *changes,
                       struct output *output, struct error *err)
{
    for (int64_t left = r->limit; left > 0;) {
        const struct column *columns = NULL;
        uint32_t row_count = 0;
        if (!lake_changes_next(changes, &columns, &row_count, NULL, err)) {
            return false;
        }
        row_count = row_count < left ? row_count : (uint32_t)left;
        if (row_count == 0 || !output_rows(output, columns, row_count)) {
            break;
        }
        left -= row_count;
    }
    return true;
}

static bool print_from(struct changes_request *r, const struct lake_changes_options *options,
                       struct error *err)
{
    owned(output_release) struct output output = {0};
    owned(lake_changes_free) struct lake_changes *changes = lake_changes_open(options, err);
    if (!changes ||
        !output_open_with(&output, r->arguments, lake_changes_schema(changes), debezium, err)) {
        return false;
    }
    bool done =
        r->is_empty || (output.format == OUTPUT_OWN ? print_envelopes(r, changes, &output, err)
                                                    : print_rows(r, changes, &output, err));
    return done && output_close(&output, err);
}

/* The columns of changes that cannot be opened, for there are none. */
static struct schema *make_schema(const struct changes_request *r)
{
    static const struct schema_column last[] = {
        {.name = "_change_type", .type = {.kind = TYPE_STRING}},
        {.name = "_commit_version", .type = {.kind = TYPE_INT64}},
        {.name = "_commit_timestamp", .type = {.kind = TYPE_TIMESTAMPTZ}},
    };
    enum { LAST = sizeof(last) / sizeof(last[0]) };
    const struct schema *table = r->history->schema;
    const struct lake_changes_options *o = &r->options;
    uint32_t count = o->columns ? o->column_count : table->column_count;
    struct schema *s = schema_new(count + LAST);
    for (uint32_t i = 0; i < count; i++) {
        int from = o->columns ? schema_find(table, str_from(o->columns[i])) : (int)i;
        s->columns[i] = table->columns[from];
        s->columns[i].name = schema_name(s, str_from(table->columns[from].name));
        s->columns[i].source_type = NULL;
    }
    memcpy(s->columns + count, last, sizeof(last));
    if (strcmp(r->table.type->name, "iceberg") == 0) {
        s->columns[count + 1].name = "_commit_snapshot_id";
    }
    schema_seal(s);
    return s;
}

/* A table that has no version yet. */
static bool print_nothing(struct changes_request *r, struct error *err)
{
    owned(schema_free) struct schema *schema = make_schema(r);
    owned(output_release) struct output output = {0};
    return output_open_with(&output, r->arguments, schema, debezium, err) &&
           output_close(&output, err);
}

/* The bookmark moves when everything has been written. */
static bool print_changes(struct changes_request *r, struct error *err)
{
    const char *format = argument_text(r->arguments, "format");
    struct lake_changes_options options = r->options;
    options.ordered = format && strcmp(format, debezium) == 0;
    if (r->history->version_count == 0) {
        return print_nothing(r, err);
    }
    if (r->is_empty) { /* what is printed still has columns */
        options.first = options.last = r->history->version_count - 1;
    }
    return print_from(r, &options, err) &&
           (r->is_empty || changes_request_consumed(r, r->options.last, err));
}

static bool run(struct arguments *a, enum exit_code *exit, struct error *err)
{
    (void)exit;
    owned(changes_request_release) struct changes_request r = {0};
    if (!changes_request_open(&r, a, err)) {
        return false;
    }
    if (argument_given(a, "stats")) {
        return changes_print_stats(&r, err);
    }
    if (argument_given(a, "explain")) {
        return changes_print_files(&r, err);
    }
    return argument_given(a, "exec") ? changes_exec(&r, err) : print_changes(&r, err);
}

static const struct option_spec option_specs[] = {
    {.name = "from",
     .value = "V",
     .help = "first version (Delta, inclusive), or the snapshot\n"
             "behind which to begin (Iceberg); the oldest there is"},
    {.name = "to", .value = "V", .help = "last version or snapshot; the newest"},
    {.name = "since",
     .value = "TIME",
     .help = "changes committed at TIME or later: 2026-11-21,\n"
             "2026-11-21T14:05Z, or how long ago, 90s, 15m, 2h, 7d"},
    {.name = "until", .value = "TIME", .help = "changes committed at TIME or before"},
    {.name = "type", .value = "LIST", .help = "insert, update, delete, separated by commas; all"},
    {.name = "columns", .value = "LIST", .help = "columns of the table, in this order; all"},
    {.name = "where", .value = "SQL", .help = "only rows for which the condition holds"},
    {.name = "key",
     .value = "LIST",
     .help = "columns that identify a row, so that a delete and an\n"
             "insert are an update; what the table says of itself"},
    OUTPUT_OPTIONS(", debezium"),
    {.name = "limit", .value = "N", .help = "stop after N rows", .letter = 'n'},
    {.name = "stats", .help = "count versions, files and changes instead"},
    {.name = "explain", .help = "list the files that are opened instead"},
    {.name = "bookmark",
     .value = "NAME",
     .help = "go on behind what the last run with NAME has read;\n"
             "--from and --since say where the first one begins"},
    {.name = "state-dir", .value = "DIR", .help = "where bookmarks are kept; ./state"},
    {.name = "reset", .help = "forget what the bookmark says"},
    {.name = "exec",
     .value = "CMD",
     .help = "give the rows to sh -c CMD on its stdin, in batches,\n"
             "as json (default) or arrow"},
    {.name = "batch-rows", .value = "N", .help = "most rows of a batch for --exec; 10000"},
    {0},
};

const struct command command_changes = {
    .name = "changes",
    .summary = "print the row changes of a table between two versions",
    .operands = "TABLE",
    .help = TABLE_ARGUMENT_HELP
    "\n"
    "Each row has the columns of the table as they are in the last version, and\n"
    "_change_type (insert, update_preimage, update_postimage, delete),\n"
    "_commit_version (Iceberg: _commit_snapshot_id) and _commit_timestamp. A version\n"
    "shows the net change of each row. Where it kept no change feed, changes are what\n"
    "the files that it added and removed mean.\n"
    "\n"
    "A bookmark moves when everything was written, with --exec whenever CMD exited\n"
    "with 0: what was not accepted is given again by the next run. A version is cut\n"
    "into several batches only if it does not fit into one; the bookmark stands at\n"
    "ends of versions, so all of its batches are given again if one is refused. CMD\n"
    "has LEAT_TABLE, LEAT_FROM and LEAT_TO (versions) in its environment. --stats and\n"
    "--explain show what a bookmark has before it, and do not move it.",
    .operands_min = 1,
    .operands_max = 1,
    .options = option_specs,
    .run = run,
};
