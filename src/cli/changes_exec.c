#include "cli/changes_exec.h"

#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/command_pipe.h"
#include "format/arrow.h"
#include "format/json.h"

enum { BATCH_ROWS_DEFAULT = 10000, BATCH_ROWS_MAX = 100000000 };
static const size_t no_version = SIZE_MAX;

struct delivery {
    struct changes_request *request;
    const struct schema *schema; /* borrowed */
    const char *command;
    bool as_arrow;
    uint32_t batch_rows;
    struct batch *batch;     /* rows that are not delivered yet */
    uint32_t version_start;  /* in the batch, the first row of the version that is being read */
    size_t first_version;    /* of the batch */
    size_t version;          /* that is being read */
    size_t complete_version; /* all rows of it and those before have been read; what the batch ends
                                with if it is cut at version_start */
};

/* --- one batch --- */

static bool encode_arrow(const struct delivery *d, uint32_t row_count, struct buf *out,
                         struct error *err)
{
    arrow_write_schema(d->schema, out);
    for (uint32_t next = 0; next < row_count;) {
        if (!arrow_write_batch(d->schema, d->batch->columns, row_count, &next, 0, out, err)) {
            return false;
        }
    }
    arrow_write_end(out);
    return true;
}

static bool encode(const struct delivery *d, uint32_t row_count, struct buf *out, struct error *err)
{
    if (d->as_arrow && !encode_arrow(d, row_count, out, err)) {
        return false;
    }
    for (uint32_t row = 0; !d->as_arrow && row < row_count; row++) {
        json_write_row(d->schema, d->batch->columns, row, false, out);
        buf_append_char(out, '\n');
    }
    return !out->failed || error_set(err, ERROR_DATA,
                                     "a batch of %" PRIu32 " rows has more than 1 GiB: give a "
                                     "smaller --batch-rows",
                                     row_count);
}

static bool check_status(const struct delivery *d, int status, int64_t from, int64_t to,
                         struct error *err)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return true;
    }
    return error_set(err, ERROR_FATAL,
                     "\"%s\" %s %d: the changes of versions %" PRId64 " to %" PRId64
                     " were not accepted%s",
                     d->command, WIFEXITED(status) ? "exited with" : "was ended by signal",
                     WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), from, to,
                     d->request->has_bookmark ? ", and are given again next time" : "");
}

/* Gives the first rows of the batch to the command; the last of them is of version `last`. */
static bool deliver(struct delivery *d, uint32_t row_count, size_t last, struct error *err)
{
    struct arena arena = {0};
    owned(buf_release) struct buf input = {0};
    int64_t from = changes_request_id(d->request, d->first_version);
    int64_t to = changes_request_id(d->request, last);
    const char *const variables[] = {arena_format(&arena, "LEAT_TABLE=%s", d->request->table.word),
                                     arena_format(&arena, "LEAT_FROM=%" PRId64, from),
                                     arena_format(&arena, "LEAT_TO=%" PRId64, to), NULL};
    int status = 0;
    bool done = encode(d, row_count, &input, err) &&
                command_pipe(d->command, variables, buf_str(&input), &status, err) &&
                check_status(d, status, from, to, err);
    arena_release(&arena);
    return done;
}

/* --- where batches are cut --- */

/* Keeps the rows behind the first `row_count`. */
static void drop_rows(struct delivery *d, uint32_t row_count)
{
    owned(batch_free) struct batch *old = take(d->batch);
    d->batch = batch_new(d->schema, 0, 0);
    batch_append(d->batch, old->columns, row_count, old->row_count - row_count);
}

/* Delivers what is complete, or, if the version that is being read fills the batch alone, a part of
 * it. */
static bool make_room(struct delivery *d, struct error *err)
{
    if (d->version_start == 0) {
        bool done = deliver(d, d->batch->row_count, d->version, err);
        drop_rows(d, d->batch->row_count);
        return done;
    }
    if (!deliver(d, d->version_start, d->complete_version, err) ||
        !changes_request_consumed(d->request, d->complete_version, err)) {
        return false;
    }
    drop_rows(d, d->version_start);
    d->version_start = 0;
    d->first_version = d->version;
    return true;
}

static bool begin_version(struct delivery *d, size_t version, struct error *err)
{
    if (version == d->version) {
        return true;
    }
    bool is_first = d->version == no_version;
    d->complete_version = version - 1; /* those between have no rows */
    d->version_start = d->batch->row_count;
    d->version = version;
    if (d->version_start > 0) {
        return true;
    }
    /* The one before was given in parts, the last of which it filled. */
    d->first_version = version;
    return is_first || changes_request_consumed(d->request, d->complete_version, err);
}

static bool add_rows(struct delivery *d, const struct column *columns, uint32_t row_count,
                     struct error *err)
{
    for (uint32_t row = 0; row < row_count;) {
        if (d->batch->row_count == d->batch_rows && !make_room(d, err)) {
            return false;
        }
        uint32_t room = d->batch_rows - d->batch->row_count;
        uint32_t count = row_count - row < room ? row_count - row : room;
        batch_append(d->batch, columns, row, count);
        row += count;
    }
    return true;
}

static bool deliver_all(struct delivery *d, struct lake_changes *changes, struct error *err)
{
    for (int64_t left = d->request->limit; left > 0;) {
        const struct column *columns = NULL;
        uint32_t row_count = 0;
        size_t version = 0;
        if (!lake_changes_next(changes, &columns, &row_count, &version, err)) {
            return false;
        }
        if (row_count == 0) {
            break;
        }
        row_count = row_count < left ? row_count : (uint32_t)left;
        left -= row_count;
        if (!begin_version(d, version, err) || !add_rows(d, columns, row_count, err)) {
            return false;
        }
    }
    return d->batch->row_count == 0 || deliver(d, d->batch->row_count, d->version, err);
}

static bool read_options(struct delivery *d, struct error *err)
{
    struct arguments *a = d->request->arguments;
    const char *format = argument_text(a, "format");
    int64_t batch_rows = BATCH_ROWS_DEFAULT;
    d->command = argument_text(a, "exec");
    d->as_arrow = format && strcmp(format, "arrow") == 0;
    if (format && !d->as_arrow && strcmp(format, "json") != 0) {
        return argument_misuse(a, err, "--format \"%s\": with --exec json or arrow", format);
    }
    if (!argument_integer(a, "batch-rows", 1, BATCH_ROWS_MAX, &batch_rows, err)) {
        return false;
    }
    d->batch_rows = (uint32_t)batch_rows;
    return true;
}

bool changes_exec(struct changes_request *r, struct error *err)
{
    struct delivery d = {.request = r, .version = no_version};
    if (!read_options(&d, err)) {
        return false;
    }
    if (r->is_empty) {
        return true;
    }
    owned(lake_changes_free) struct lake_changes *changes = lake_changes_open(&r->options, err);
    if (!changes) {
        return false;
    }
    d.schema = lake_changes_schema(changes);
    d.batch = batch_new(d.schema, 0, 0);
    bool done = deliver_all(&d, changes, err);
    batch_free(&d.batch);
    return done && changes_request_consumed(r, r->options.last, err);
}
