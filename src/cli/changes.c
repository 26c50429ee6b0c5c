/* `leat changes`: the change feed of a table. */
#include "lake/changes.h"

#include <string.h>

#include "cli/output.h"
#include "delta/delta.h"
#include "model/batch.h"

/* Which kinds of rows are wanted: "insert,delete". */
static bool read_types(struct arguments *a, struct lake_changes_options *out, struct error *err)
{
    const char *text = argument_text(a, "type");
    if (!text) {
        out->inserts = out->updates = out->deletes = true;
        return true;
    }
    for (const char *p = text;; p++) {
        size_t size = strcspn(p, ",");
        struct str name = {p, size};
        bool insert = str_equal(name, str_from("insert"));
        bool update = str_equal(name, str_from("update"));
        bool delete = str_equal(name, str_from("delete"));
        if (!insert && !update && !delete) {
            return argument_misuse(a, err, "--type \"%s\": insert, update, delete", text);
        }
        out->inserts |= insert;
        out->updates |= update;
        out->deletes |= delete;
        p += size;
        if (*p == '\0') {
            return true;
        }
    }
}

static bool print_rows(struct lake_changes *changes, struct arguments *a, int64_t limit,
                       struct error *err)
{
    owned(output_release) struct output output = {0};
    if (!output_open(&output, a, lake_changes_schema(changes), err)) {
        return false;
    }
    for (int64_t left = limit; left > 0;) {
        const struct column *columns = NULL;
        uint32_t row_count = 0;
        if (!lake_changes_next(changes, &columns, &row_count, NULL, err)) {
            return false;
        }
        if (row_count == 0) {
            break;
        }
        row_count = row_count < left ? row_count : (uint32_t)left;
        output_rows(&output, columns, row_count);
        left -= row_count;
    }
    return output_close(&output, err);
}

/* --- --stats --- */

enum { STATS_COLUMNS = 4, CHUNK_ROWS = 256 };

static struct schema *stats_schema(void)
{
    static const struct schema_column columns[STATS_COLUMNS] = {
        {.name = "version", .type = {.kind = TYPE_INT64}},
        {.name = "inserts", .type = {.kind = TYPE_INT64}},
        {.name = "updates", .type = {.kind = TYPE_INT64}},
        {.name = "deletes", .type = {.kind = TYPE_INT64}},
    };
    struct schema *s = schema_new(STATS_COLUMNS);
    memcpy(s->columns, columns, sizeof(columns));
    schema_seal(s);
    return s;
}

/* Counts rows into the batch, one row of it a version; the feed comes in the order of versions. */
static void count_rows(struct batch *b, const struct column *columns, uint32_t row_count)
{
    for (uint32_t i = 0; i < row_count; i++) {
        int64_t version = ((const int64_t *)columns[1].values)[i];
        int64_t *versions = b->columns[0].values;
        if (b->row_count == 0 || versions[b->row_count - 1] != version) {
            if (b->row_count == b->row_capacity) {
                batch_grow(b);
            }
            uint32_t row = batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
            ((int64_t *)b->columns[0].values)[row] = version;
        }
        struct str type = view_str(&((const struct view *)columns[0].values)[i]);
        uint32_t column = str_equal(type, str_from("insert"))             ? 1
                          : str_equal(type, str_from("update_postimage")) ? 2
                          : str_equal(type, str_from("delete"))           ? 3
                                                                          : 0;
        if (column > 0) { /* an update is counted once */
            ((int64_t *)b->columns[column].values)[b->row_count - 1]++;
        }
    }
}

static bool print_stats(struct lake_changes *changes, struct arguments *a, int64_t limit,
                        struct error *err)
{
    owned(schema_free) struct schema *schema = stats_schema();
    owned(output_release) struct output output = {0};
    owned(batch_free) struct batch *b = batch_new(schema, 0, CHUNK_ROWS);
    if (!output_open(&output, a, schema, err)) {
        return false;
    }
    for (;;) {
        const struct column *columns = NULL;
        uint32_t row_count = 0;
        if (!lake_changes_next(changes, &columns, &row_count, NULL, err)) {
            return false;
        }
        if (row_count == 0) {
            break;
        }
        count_rows(b, columns, row_count);
    }
    output_rows(&output, b->columns, b->row_count < limit ? b->row_count : (uint32_t)limit);
    return output_close(&output, err);
}

/* The versions from..to of a table; -1: the oldest, the newest. */
static bool find_versions(const struct lake_history *h, int64_t from, int64_t to,
                          struct lake_changes_options *out, struct error *err)
{
    out->first = 0;
    out->last = h->version_count - 1;
    return (from < 0 || lake_history_find(h, from, &out->first, err)) &&
           (to < 0 || lake_history_find(h, to, &out->last, err));
}

static bool run(struct arguments *a, enum exit_code *exit, struct error *err)
{
    (void)exit;
    static const char *const no_columns[] = {NULL};
    int64_t limit = INT64_MAX;
    int64_t from = -1;
    int64_t to = -1;
    bool stats = argument_given(a, "stats");
    struct lake_changes_options options = {.columns = stats ? no_columns : NULL};
    if (!argument_integer(a, "from", 0, INT64_MAX, &from, err) ||
        !argument_integer(a, "to", 0, INT64_MAX, &to, err) ||
        !argument_integer(a, "limit", 1, INT64_MAX, &limit, err) || !read_types(a, &options, err)) {
        return false;
    }
    struct engine_options engine_options = {.kind = ENGINE_FILE};
    owned(engine_free) struct engine *engine = engine_open(&engine_options, err);
    owned(engine_disconnect) struct engine_connection *connection =
        engine ? engine_connect(engine, err) : NULL;
    if (!connection) {
        return false;
    }
    struct lake_options table = {.location = a->operands[0]};
    owned(lake_history_free) struct lake_history *history = delta_history.open(
        &(struct lake_history_options){.table = &table, .engine = connection, .to = to}, err);
    options.history = history;
    options.engine = connection;
    if (!history || !find_versions(history, from, to, &options, err)) {
        return false;
    }
    owned(lake_changes_free) struct lake_changes *changes = lake_changes_open(&options, err);
    if (!changes) {
        return false;
    }
    return stats ? print_stats(changes, a, limit, err) : print_rows(changes, a, limit, err);
}

static const struct option_spec option_specs[] = {
    {.name = "from", .value = "V", .help = "first version; the oldest in the log"},
    {.name = "to", .value = "V", .help = "last version; the newest"},
    {.name = "type", .value = "LIST", .help = "insert, update, delete, separated by commas; all"},
    OUTPUT_OPTION,
    {.name = "limit", .value = "N", .help = "stop after N lines", .letter = 'n'},
    {.name = "stats", .help = "count changes by version instead of printing them"},
    {0},
};

const struct command command_changes = {
    .name = "changes",
    .summary = "print the row changes of a table between two versions",
    .operands = "TABLE",
    .help = "TABLE is the directory of a Delta table. Each row has the\n"
            "columns of the table as they are in the last version, and _change_type (insert,\n"
            "update_preimage, update_postimage, delete), _commit_version and\n"
            "_commit_timestamp. A version shows the net change of each row.",
    .operands_min = 1,
    .operands_max = 1,
    .options = option_specs,
    .run = run,
};
