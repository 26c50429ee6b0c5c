/* Tables of a lake as sources: `delta` and `iceberg`. A position is the number by which versions
 * follow each other: Delta's version, Iceberg's sequence number. One version is one transaction.
 * Nothing is kept at the table: how long its versions stay is its owner's decision. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "catalog/catalog.h"
#include "delta/delta.h"
#include "iceberg/iceberg.h"
#include "lake/changes.h"
#include "lake/view.h"
#include "observe/metrics.h"
#include "source/lake/change_batch.h"
#include "source/source.h"
#include "source/types.h"

enum { ENGINE_MEMORY_BYTES = 128 << 20, READY_MAX = 8 };

struct lake_source {
    struct source base;
    struct arena arena;
    const struct source_config *config; /* borrowed */
    const char *pipeline;
    const struct lake_type *lake;
    const struct lake_history_type *history_type;
    struct iceberg_catalog *catalog; /* owned; NULL: Delta */
    struct lake_options options;     /* where the table is */
    struct source_table table;
    struct engine *engine;
    struct engine_connection *connection;
    struct lake_table *loaded; /* the version that a load reads; as long as the engine */
    struct schema *schema;     /* owned; as last announced */
    struct position at;        /* everything up to here was handed over */
    bool has_version;          /* `at` is one of the table's versions */
    int64_t version;           /* its id */
    int64_t polled_ms;

    struct lake_history *history; /* of the changes that are being read */
    struct lake_changes *changes; /* NULL: none are */
    struct lake_changes_stats counted;
    struct change_batch building;
    size_t building_version; /* index in the history */
    struct event ready[READY_MAX];
    uint32_t ready_first;
    uint32_t ready_count;
};

static struct lake_source *source_of(struct source *s)
{
    return (struct lake_source *)s;
}

static void drop_ready(struct lake_source *s)
{
    for (; s->ready_count > 0; s->ready_count--) {
        event_release(&s->ready[s->ready_first++ % READY_MAX]);
    }
}

static void lake_source_free(struct source *base)
{
    struct lake_source *s = source_of(base);
    drop_ready(s);
    change_batch_release(&s->building);
    lake_changes_free(&s->changes);
    lake_history_free(&s->history);
    schema_release(s->schema);
    engine_disconnect(&s->connection);
    engine_free(&s->engine);
    if (s->loaded) {
        s->loaded->type->free(s->loaded);
    }
    iceberg_catalog_free(&s->catalog);
    arena_release(&s->arena);
    free(s);
}

static void free_source(struct lake_source **s)
{
    if (*s) {
        lake_source_free(&take(*s)->base);
    }
}

/* ---- opening ---- */

/* "schema.table" as the two names. */
static struct table_name split_name(struct lake_source *s, const char *text)
{
    const char *dot = strchr(text, '.');
    assert(dot); /* the configuration was checked */
    return (struct table_name){.schema = arena_string(&s->arena, text, (size_t)(dot - text)),
                               .table = dot + 1};
}

static void split_namespace(struct lake_source *s, const char *text)
{
    const char **levels = arena_array(&s->arena, strlen(text) + 1, sizeof(*levels));
    for (const char *p = text;; p++) {
        size_t size = strcspn(p, ".");
        levels[s->options.level_count++] = arena_string(&s->arena, p, size);
        p += size;
        if (*p == '\0') {
            break;
        }
    }
    s->options.namespace = levels;
}

static bool locate(struct lake_source *s, struct error *err)
{
    const struct source_config *c = s->config;
    s->options = (struct lake_options){.location = c->location, .table = c->table};
    if (s->lake == &delta_lake) {
        return true;
    }
    s->catalog = c->location    ? catalog_open_location(c->location, err)
                 : c->warehouse ? catalog_open_filesystem(c->warehouse, err)
                                : catalog_open(&c->catalog, err);
    s->options.catalog = s->catalog;
    if (c->namespace) {
        split_namespace(s, c->namespace);
    }
    return s->catalog != NULL;
}

static bool open_engine(struct lake_source *s, const struct source_open *open, struct error *err)
{
    const char *temp = NULL;
    if (open->state_dir) {
        temp = arena_format(&s->arena, "%s/tmp/%s.source%s%s", open->state_dir, open->pipeline,
                            open->aside ? "." : "", open->aside ? open->aside : "");
        if (!file_remove_tree(temp, err) || !file_make_directories(temp, err)) {
            return false;
        }
    }
    s->engine = engine_open(&(struct engine_options){.kind = ENGINE_FILE,
                                                     .memory_bytes = ENGINE_MEMORY_BYTES,
                                                     .temp_directory = temp},
                            err);
    s->connection = s->engine ? engine_connect(s->engine, err) : NULL;
    s->options.engine = s->connection;
    return s->connection != NULL;
}

/* The table's schema with the key of the configuration, else the table's own. */
static struct schema *make_schema(const struct lake_source *s, const struct lake_history *h,
                                  struct error *err)
{
    const struct schema *from = h->schema;
    const struct config_strings *key = &s->config->key;
    owned(schema_free) struct schema *out = schema_new(from->column_count);
    for (uint32_t i = 0; i < from->column_count; i++) {
        out->columns[i] = from->columns[i];
        out->columns[i].name = schema_name(out, str_from(from->columns[i].name));
        out->columns[i].source_type = NULL;
        out->columns[i].source_number = h->column_ids ? h->column_ids[i] : 0;
        out->columns[i].is_key = key->count == 0 && from->columns[i].is_key;
    }
    for (uint32_t i = 0; i < key->count; i++) {
        int at = schema_find(from, str_from(key->items[i]));
        if (at < 0) {
            (void)error_set(err, ERROR_CONFIG, "key: the table has no column \"%s\"",
                            key->items[i]);
            return NULL;
        }
        out->columns[at].is_key = true;
    }
    out->version = s->schema ? s->schema->version + 1 : 0;
    schema_seal(out);
    return take(out);
}

/* Of its versions only those from `since` on, and the newest, are wanted. */
static struct lake_history *open_history(struct lake_source *s, int64_t since, struct error *err)
{
    return s->history_type->open(&(struct lake_history_options){.table = &s->options,
                                                                .engine = s->connection,
                                                                .to = -1,
                                                                .since = since < 0 ? 0 : since,
                                                                .limit = since < 0 ? 1 : 0},
                                 err);
}

/* Without sequence numbers there is nothing to resume from. */
static bool check_sequence(const struct lake_history *h, struct error *err)
{
    bool numbered = h->version_count == 0 || h->type->from_is_inclusive ||
                    h->versions[h->version_count - 1].sequence > 0;
    return numbered || error_set(err, ERROR_CONFIG,
                                 "the table has format version 1, whose snapshots have no sequence "
                                 "numbers: upgrade it to version 2");
}

static bool open_table(struct lake_source *s, struct error *err)
{
    owned(lake_history_free) struct lake_history *h = open_history(s, -1, err);
    if (!h || !check_sequence(h, err)) {
        return false;
    }
    s->schema = make_schema(s, h, err);
    if (!s->schema) {
        return false;
    }
    s->table = (struct source_table){.name = split_name(s, s->config->tables.items[0]),
                                     .schema = s->schema,
                                     .whole_before = true};
    s->base.tables = &s->table;
    s->base.table_count = 1;
    s->base.position_kind = POSITION_INTEGER;
    int size =
        snprintf(s->base.identity, sizeof(s->base.identity), "%s %s", s->lake->name, h->table_id);
    return size < (int)sizeof(s->base.identity) ||
           error_set(err, ERROR_DATA, "the table's id is too long");
}

static struct source *open_lake(const struct source_type *type, const struct lake_type *lake,
                                const struct lake_history_type *history,
                                const struct source_open *open, struct error *err)
{
    owned(free_source) struct lake_source *s = calloc(1, sizeof(*s));
    if (!s) {
        abort();
    }
    s->base.type = type;
    s->config = open->config;
    s->pipeline = open->pipeline;
    s->lake = lake;
    s->history_type = history;
    if (!locate(s, err) || !open_engine(s, open, err) || !open_table(s, err)) {
        return NULL;
    }
    return &take(s)->base;
}

/* ---- starting ---- */

static void stand_at(struct lake_source *s, const struct lake_version *v)
{
    s->has_version = true;
    s->version = v->id;
    s->at = position_integer(v->sequence);
}

static bool begin_anew(struct lake_source *s, struct error *err)
{
    owned(lake_history_free) struct lake_history *h = open_history(s, -1, err);
    if (!h) {
        return false;
    }
    s->at = position_integer(0);
    if (h->version_count > 0) {
        stand_at(s, &h->versions[h->version_count - 1]);
    }
    return true;
}

static bool lost(const struct lake_source *s, const char *what, struct error *err)
{
    return error_set(err, ERROR_LOST,
                     "table %s.%s: %s: what was changed between is no longer known",
                     s->table.name.schema, s->table.name.table, what);
}

/* The index of the first version after where we stand. A table that was rolled back, or whose
 * versions were cleaned, has no line from there. */
static bool find_next(struct lake_source *s, const struct lake_history *h, size_t *next,
                      struct error *err)
{
    uint64_t at = s->at.integer;
    size_t i = 0;
    while (i < h->version_count && h->versions[i].sequence <= at) {
        i++;
    }
    *next = i;
    if (i > 0) {
        const struct lake_version *v = &h->versions[i - 1];
        return v->sequence == at || at == 0 ||
               lost(s, "the version up to which it was read is no longer in its history", err);
    }
    if (h->version_count == 0) {
        return at == 0 || lost(s, "it has no versions any more", err);
    }
    bool follows = h->type->from_is_inclusive ? h->versions[0].sequence == at + 1
                                              : at == 0 && h->versions[0].parent_id == -1;
    return follows || lost(s, "versions were cleaned before they were read", err);
}

static bool continue_after(struct lake_source *s, struct position resume, struct error *err)
{
    size_t next = 0;
    s->at = resume;
    owned(lake_history_free) struct lake_history *h = open_history(s, (int64_t)resume.integer, err);
    return h && find_next(s, h, &next, err);
}

static bool lake_source_start(struct source *base, const struct position *resume,
                              struct position *at, struct error *err)
{
    struct lake_source *s = source_of(base);
    bool done = resume ? continue_after(s, *resume, err) : begin_anew(s, err);
    *at = s->at;
    return done;
}

/* ---- loading ---- */

static bool hand_over_rows(struct lake_source *s, struct engine_rows *rows, source_rows_fn *fn,
                           void *arg, struct error *err)
{
    for (;;) {
        const struct column *columns = NULL;
        uint32_t row_count = 0;
        if (!engine_rows_next(rows, &columns, &row_count, err)) {
            return false;
        }
        if (row_count == 0) {
            return true;
        }
        if (!fn(arg, change_batch_load(s->schema, columns, row_count), err)) {
            return false;
        }
    }
}

static bool lake_source_read_rows(struct source *base, const struct source_range *range,
                                  source_rows_fn *fn, void *arg, struct error *err)
{
    struct lake_source *s = source_of(base);
    (void)range; /* one table, read whole */
    if (!s->has_version) {
        return true; /* an Iceberg table without snapshots */
    }
    assert(!s->loaded);
    struct lake_options options = s->options;
    options.at = (struct lake_at){.kind = LAKE_AT_VERSION, .version = s->version};
    s->loaded = s->lake->open(&options, err);
    if (!s->loaded || !lake_view_create(s->loaded, s->connection, "loaded", "rows", err)) {
        return false;
    }
    owned(engine_rows_free) struct engine_rows *rows =
        engine_query(s->connection, "SELECT * FROM loaded.rows", err);
    return rows && hand_over_rows(s, rows, fn, arg, err);
}

/* ---- following ---- */

static void push(struct lake_source *s, struct event event)
{
    assert(s->ready_count < READY_MAX);
    s->ready[(s->ready_first + s->ready_count++) % READY_MAX] = event;
}

static void push_batch(struct lake_source *s)
{
    struct batch *b = change_batch_finish(&s->building);
    if (b) {
        push(s, (struct event){.kind = EVENT_BATCH, .batch = b});
    }
}

/* Everything of a version was handed over: an epoch may end here. */
static void end_version(struct lake_source *s, const struct lake_version *v)
{
    push_batch(s);
    stand_at(s, v);
    push(s, (struct event){.kind = EVENT_IDLE, .position = s->at, .commit_time_us = v->time_us});
}

static void measure(struct lake_source *s)
{
    struct lake_changes_stats now = lake_changes_stats(s->changes);
    struct metric_labels labels = {.pipeline = s->pipeline};
    metric_add(METRIC_LAKE_VERSIONS, &labels, (double)(now.versions - s->counted.versions));
    metric_add(METRIC_LAKE_FILES, &labels, (double)(now.files - s->counted.files));
    metric_add(METRIC_LAKE_FILE_BYTES, &labels, (double)(now.file_bytes - s->counted.file_bytes));
    s->counted = now;
}

/* The next rows of the versions that are being read, or their end. */
static bool read_changes(struct lake_source *s, struct error *err)
{
    const struct column *columns = NULL;
    uint32_t row_count = 0;
    size_t version = 0;
    if (!lake_changes_next(s->changes, &columns, &row_count, &version, err)) {
        return false;
    }
    measure(s);
    assert(s->history); /* the changes are read from it */
    const struct lake_version *versions = s->history->versions;
    if (row_count == 0) {
        end_version(s, &versions[s->history->version_count - 1]);
        lake_changes_free(&s->changes);
        lake_history_free(&s->history);
        return true;
    }
    if (change_batch_is_open(&s->building) && version != s->building_version) {
        end_version(s, &versions[s->building_version]);
    }
    s->building_version = version;
    change_batch_add(&s->building, s->schema,
                     &(struct change_rows){.columns = columns,
                                           .row_count = row_count,
                                           .position = versions[version].sequence,
                                           .time_us = versions[version].time_us});
    if (change_batch_is_full(&s->building)) {
        push_batch(s);
    }
    return true;
}

/* Columns that came since are announced before the rows that have them. */
static bool announce(struct lake_source *s, struct error *err)
{
    struct schema *schema = make_schema(s, s->history, err);
    if (!schema) {
        return false;
    }
    if (schema_equal(schema, s->schema)) {
        schema_release(schema);
        return true;
    }
    schema_release(s->schema);
    s->schema = schema;
    s->table.schema = schema;
    push(s, (struct event){.kind = EVENT_SCHEMA, .schema = schema_reference(schema)});
    return true;
}

static bool open_changes(struct lake_source *s, size_t first, struct error *err)
{
    struct lake_changes_options options = {.history = s->history,
                                           .engine = s->connection,
                                           .first = first,
                                           .last = s->history->version_count - 1,
                                           .inserts = true,
                                           .updates = true,
                                           .deletes = true,
                                           .key = s->config->key.items,
                                           .key_count = s->config->key.count,
                                           .ordered = true};
    s->changes = lake_changes_open(&options, err);
    s->counted = (struct lake_changes_stats){0};
    return s->changes != NULL;
}

/* Looks for new versions, when it is time to. */
static bool poll(struct lake_source *s, int timeout_ms, struct error *err)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t wait_ms = s->polled_ms + s->config->poll_interval_ms - now_ms;
    if (s->polled_ms > 0 && wait_ms > 0) {
        wait_ms = wait_ms < timeout_ms ? wait_ms : timeout_ms;
        struct timespec wait = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000};
        (void)nanosleep(&wait, NULL);
        return true;
    }
    s->polled_ms = now_ms;
    s->history = open_history(s, (int64_t)s->at.integer, err);
    size_t first = 0;
    bool ok = s->history && find_next(s, s->history, &first, err);
    if (ok && first < s->history->version_count) {
        return announce(s, err) && open_changes(s, first, err);
    }
    lake_history_free(&s->history);
    return ok;
}

static bool lake_source_next(struct source *base, int timeout_ms, struct event *out,
                             struct error *err)
{
    struct lake_source *s = source_of(base);
    *out = (struct event){0};
    while (s->ready_count == 0 && s->changes) {
        if (!read_changes(s, err)) {
            return false;
        }
    }
    if (s->ready_count == 0 && !poll(s, timeout_ms, err)) {
        return false;
    }
    if (s->ready_count > 0) {
        *out = s->ready[s->ready_first++ % READY_MAX];
        s->ready_count--;
    }
    return true;
}

static bool lake_source_acknowledge(struct source *base, struct position position,
                                    struct error *err)
{
    (void)base; /* a table forgets by its own rules */
    (void)position;
    (void)err;
    return true;
}

/* ---- checking ---- */

static void check(const struct source_type *type, const struct source_config *config,
                  const char *pipeline, source_finding_fn *fn, void *arg)
{
    struct error err = {0};
    struct source *source =
        type->open(&(struct source_open){.config = config, .pipeline = pipeline}, &err);
    if (!source) {
        fn(arg,
           &(struct source_finding){.level = FINDING_ERROR, .kind = err.kind, .text = err.message});
        return;
    }
    const struct schema *schema = source->tables[0].schema;
    fn(arg, &(struct source_finding){.level = FINDING_OK, .text = source->identity});
    if (schema->key_count == 0) {
        fn(arg, &(struct source_finding){
                    .level = FINDING_WARNING,
                    .text = "the table has no key: set \"key\", or follow it into mode: append"});
    }
    source_free(&source);
}

static struct source *delta_source_open(const struct source_open *open, struct error *err)
{
    return open_lake(&delta_source, &delta_lake, &delta_history, open, err);
}

static void delta_source_check(const struct source_config *config, const char *pipeline,
                               source_finding_fn *fn, void *arg)
{
    check(&delta_source, config, pipeline, fn, arg);
}

static struct source *iceberg_source_open(const struct source_open *open, struct error *err)
{
    return open_lake(&iceberg_source, &iceberg_lake, &iceberg_history, open, err);
}

static void iceberg_source_check(const struct source_config *config, const char *pipeline,
                                 source_finding_fn *fn, void *arg)
{
    check(&iceberg_source, config, pipeline, fn, arg);
}

const struct source_type delta_source = {
    .name = "delta",
    .summary = "a Delta table: its change feed, or what its files mean",
    .open = delta_source_open,
    .start = lake_source_start,
    .read_rows = lake_source_read_rows,
    .next = lake_source_next,
    .acknowledge = lake_source_acknowledge,
    .check = delta_source_check,
    .free = lake_source_free,
};

const struct source_type iceberg_source = {
    .name = "iceberg",
    .summary = "an Iceberg table: what changed from snapshot to snapshot",
    .open = iceberg_source_open,
    .start = lake_source_start,
    .read_rows = lake_source_read_rows,
    .next = lake_source_next,
    .acknowledge = lake_source_acknowledge,
    .check = iceberg_source_check,
    .free = lake_source_free,
};
