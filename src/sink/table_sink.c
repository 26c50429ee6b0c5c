#include "sink/table_sink.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/file.h"
#include "engine/engine.h"
#include "observe/metrics.h"
#include "sink/progress_file.h"
#include "table/table.h"

struct sink_entry {
    const char *name;        /* schema.table */
    const char *place;       /* as messages and the progress file name it */
    struct lake_table *lake; /* owned by `table` */
    struct table *table;
    struct lake_expectation expectation; /* as read at open */
    struct table_counts counted;         /* already in the metrics */
    int64_t version;                     /* that the progress file knows */
};

struct table_sink {
    struct sink sink;
    struct table_sink_format format;
    struct arena arena;
    const struct sink_config *config; /* borrowed */
    const char *pipeline;
    const char *label; /* in metrics: "delta-0" */
    const char *source_identity;
    const char *progress_path;
    struct progress_entries entries; /* as written next */
    struct engine *engine;
    struct engine_connection *connection;
    struct sink_entry *tables;
    uint32_t table_count;
    struct position complete; /* all tables are durable up to here */
};

void table_sink_free(struct sink *sink)
{
    struct table_sink *s = (struct table_sink *)sink;
    for (uint32_t i = 0; i < s->table_count; i++) {
        table_free(&s->tables[i].table);
    }
    engine_disconnect(&s->connection);
    engine_free(&s->engine);
    if (s->format.free) {
        s->format.free(s->format.arg);
    }
    arena_release(&s->arena);
    free(s);
}

static void free_sink(struct table_sink **s)
{
    if (*s) {
        table_sink_free(&take(*s)->sink);
    }
}

/* ---- opening ---- */

char *table_sink_expand(const char *template, const struct table_name *name, const char *pipeline,
                        struct arena *a, struct error *err)
{
    const struct {
        const char *word;
        const char *value;
    } places[] = {{"{schema}", name->schema}, {"{table}", name->table}, {"{pipeline}", pipeline}};

    owned(buf_release) struct buf text = {0};
    for (const char *p = template; *p;) {
        size_t i = 0;
        while (i < 3 && strncmp(p, places[i].word, strlen(places[i].word)) != 0) {
            i++;
        }
        if (i == 3) {
            buf_append_char(&text, *p++);
            continue;
        }
        /* A name is one step of the path, whatever is in it. */
        if (strchr(places[i].value, '/') || strcmp(places[i].value, "..") == 0) {
            (void)error_set(err, ERROR_CONFIG,
                            "table %s.%s: the name cannot be a directory of its location",
                            name->schema, name->table);
            return NULL;
        }
        buf_append_text(&text, places[i].value);
        p += strlen(places[i].word);
    }
    return arena_string(a, buf_text(&text), text.size);
}

static const struct sink_table_config *overrides_of(const struct table_sink *s, const char *name)
{
    for (uint32_t i = 0; i < s->config->table_count; i++) {
        if (strcmp(s->config->tables[i].table, name) == 0) {
            return &s->config->tables[i];
        }
    }
    return NULL;
}

static bool check_overrides(const struct table_sink *s, struct error *err)
{
    for (uint32_t i = 0; i < s->config->table_count; i++) {
        bool found = false;
        for (uint32_t t = 0; t < s->table_count; t++) {
            found = found || strcmp(s->tables[t].name, s->config->tables[i].table) == 0;
        }
        if (!found) {
            return error_set(err, ERROR_CONFIG,
                             "the sink has settings for table \"%s\", which the source does not "
                             "capture",
                             s->config->tables[i].table);
        }
    }
    return true;
}

static bool open_lake(struct table_sink *s, struct sink_entry *t, const struct sink_open *open,
                      const struct table_name *name, struct error *err)
{
    struct lake_options options = {.pipeline = s->pipeline,
                                   .engine = s->connection,
                                   .accept_foreign = s->config->foreign_changes == FOREIGN_ACCEPT};
    if (!s->format.locate(s->format.arg, open, name, &s->arena, &options, &t->place, err)) {
        return false;
    }
    for (struct sink_entry *other = s->tables; other < t; other++) {
        if (strcmp(other->place, t->place) == 0) {
            return error_set(err, ERROR_CONFIG,
                             "tables %s and %s would both be at \"%s\": put {schema} and {table} "
                             "into where the sink's tables lie",
                             other->name, t->name, t->place);
        }
    }
    t->lake = s->format.lake->open(&options, err);
    return t->lake || error_wrap(err, "table %s", t->name);
}

static bool open_table(struct table_sink *s, struct sink_entry *t, const struct sink_open *open,
                       const struct sink_table *from, struct error *err)
{
    if (!open_lake(s, t, open, &from->name, err)) {
        return false;
    }
    const struct sink_table_config *overrides = overrides_of(s, t->name);
    enum sink_mode mode = overrides && overrides->has_mode ? overrides->mode : s->config->mode;
    t->table = table_new(&(struct table_options){
        .name = t->name,
        .mode = mode == SINK_MODE_APPEND ? TABLE_APPEND : TABLE_UPSERT,
        /* What others insert and delete makes absent and present keys ordinary. */
        .filtered = from->filtered || s->config->foreign_changes == FOREIGN_ACCEPT,
        .lake = t->lake,
        .engine = s->connection,
        .partition_by = overrides ? overrides->partition_by.items : NULL,
        .partition_count = overrides ? overrides->partition_by.count : 0,
        .feed = s->config->change_feed});
    const struct progress_entry *entry = progress_entry_find(&s->entries, t->name, t->place);
    if (entry) {
        t->expectation = entry->expectation;
    }
    return table_set_schema(t->table, from->schema, err);
}

static bool open_engine(struct table_sink *s, const struct sink_open *open, struct error *err)
{
    const char *temp =
        arena_format(&s->arena, "%s/tmp/%s.%u", open->state_dir, open->pipeline, open->index);
    if (!file_remove_tree(temp, err) || !file_make_directories(temp, err)) {
        return false; /* what an earlier run spilled is of no use to this one */
    }
    s->engine = engine_open(&(struct engine_options){.kind = ENGINE_FILE,
                                                     .memory_bytes = open->memory_bytes / 2,
                                                     .temp_directory = temp},
                            err);
    s->connection = s->engine ? engine_connect(s->engine, err) : NULL;
    return s->connection != NULL;
}

struct sink *table_sink_open(const struct sink_type *type, const struct table_sink_format *format,
                             const struct sink_open *open, struct error *err)
{
    owned(free_sink) struct table_sink *s = calloc(1, sizeof(*s));
    if (!s) {
        abort();
    }
    s->sink.type = type;
    s->format = *format;
    s->config = open->config;
    s->pipeline = open->pipeline;
    s->label = arena_format(&s->arena, "%s-%u", type->name, open->index);
    s->source_identity = open->source_identity;
    s->progress_path = arena_format(&s->arena, "%s/%s.%u.progress.json", open->state_dir,
                                    open->pipeline, open->index);
    s->tables = arena_zalloc(&s->arena, (open->table_count + 1) * sizeof(*s->tables));
    if (!open_engine(s, open, err) ||
        !progress_file_read(s->progress_path, &s->arena, &s->entries, err)) {
        return NULL;
    }
    for (uint32_t i = 0; i < open->table_count; i++) {
        const struct table_name *name = &open->tables[i].name;
        struct sink_entry *t = &s->tables[i];
        t->name = arena_format(&s->arena, "%s.%s", name->schema, name->table);
        t->version = -1;
        s->table_count++;
        if (!open_table(s, t, open, &open->tables[i], err)) {
            return NULL;
        }
    }
    return check_overrides(s, err) ? &take(s)->sink : NULL;
}

/* ---- where the tables stand ---- */

bool table_sink_last(struct sink *sink, uint32_t table, struct lake_snapshot *out, bool *known,
                     struct error *err)
{
    (void)err;
    const struct table_sink *s = (const struct table_sink *)sink;
    assert(table < s->table_count);
    *out = *table_snapshot(s->tables[table].table);
    *known = s->tables[table].expectation.table_id != NULL;
    return true;
}

bool table_sink_resume(struct sink *sink, bool *proof_missing, struct error *err)
{
    struct table_sink *s = (struct table_sink *)sink;
    *proof_missing = false;
    for (uint32_t i = 0; i < s->table_count; i++) {
        struct sink_entry *t = &s->tables[i];
        if (!t->lake->type->check(t->lake, &t->expectation, err)) {
            return error_wrap(err, "table %s", t->name);
        }
        if (!table_resume(t->table, err)) {
            return false;
        }
        *proof_missing = *proof_missing || !t->expectation.table_id;
        s->complete = position_join(s->complete, table_snapshot(t->table)->record.complete);
    }
    return true;
}

bool table_sink_begin_load(struct sink *sink, const char *load_id, struct error *err)
{
    struct table_sink *s = (struct table_sink *)sink;
    struct lake_record record = {.phase = PHASE_LOADING};
    (void)strncpy(record.load_id, load_id, sizeof(record.load_id) - 1);
    (void)strncpy(record.source, s->source_identity, sizeof(record.source) - 1);
    s->complete = (struct position){0}; /* a load begins with nothing proven */
    for (uint32_t i = 0; i < s->table_count; i++) {
        if (!table_begin_load(s->tables[i].table, &record, err)) {
            return false;
        }
    }
    return true;
}

/* ---- writing ---- */

static void measure_kind(enum metric metric, struct metric_labels labels, const char *kind,
                         uint64_t now, uint64_t before)
{
    labels.kind = kind;
    if (now > before) {
        metric_add(metric, &labels, (double)(now - before));
    }
}

static void measure(const struct table_sink *s, struct sink_entry *t)
{
    struct table_counts now = table_counts(t->table);
    const struct table_counts *before = &t->counted;
    struct metric_labels labels = {.pipeline = s->pipeline, .sink = s->label, .table = t->name};
    metric_add(METRIC_COMMITS, &labels, (double)(now.commits - before->commits));
    metric_set(METRIC_TABLE_KEYS, &labels, (double)now.keys);
    measure_kind(METRIC_ROWS_WRITTEN, labels, "insert", now.rows_inserted, before->rows_inserted);
    measure_kind(METRIC_ROWS_WRITTEN, labels, "update", now.rows_updated, before->rows_updated);
    measure_kind(METRIC_ROWS_WRITTEN, labels, "delete", now.rows_deleted, before->rows_deleted);
    measure_kind(METRIC_UNEXPECTED, labels, "insert", now.unexpected_inserts,
                 before->unexpected_inserts);
    measure_kind(METRIC_UNEXPECTED, labels, "update", now.unexpected_updates,
                 before->unexpected_updates);
    measure_kind(METRIC_UNEXPECTED, labels, "delete", now.unexpected_deletes,
                 before->unexpected_deletes);
    t->counted = now;
}

static bool write_event(struct table *table, const struct event *event, struct error *err)
{
    switch (event->kind) {
    case EVENT_BATCH:
        return table_apply(table, event->batch, err);
    case EVENT_TRUNCATE:
        return table_truncate(table, event->position, event->log_position, err);
    case EVENT_SCHEMA:
        return table_set_schema(table, event->schema, err);
    case EVENT_NONE:
    case EVENT_BARRIER:
    case EVENT_IDLE:
        break;
    }
    return true;
}

bool table_sink_write(struct sink *sink, const struct event *event, struct error *err)
{
    struct table_sink *s = (struct table_sink *)sink;
    assert(event->table < s->table_count);
    struct sink_entry *t = &s->tables[event->table];
    if (!write_event(t->table, event, err)) {
        measure(s, t); /* divergence shows in the metrics, too */
        return false;
    }
    return true;
}

/* Writes what each table holds now, unless the file says so already. Before the acknowledgement: a
 * table that is older than this was rolled back. */
static bool remember(struct table_sink *s, struct error *err)
{
    bool changed = false;
    struct progress_entry *items = calloc(s->table_count + 1, sizeof(*items));
    if (!items) {
        abort();
    }
    for (uint32_t i = 0; i < s->table_count; i++) {
        struct sink_entry *t = &s->tables[i];
        const struct lake_snapshot *snapshot = table_snapshot(t->table);
        changed = changed || snapshot->record.version != t->version;
        items[i] = (struct progress_entry){.name = t->name,
                                           .location = t->place,
                                           .expectation = {.table_id = snapshot->table_id,
                                                           .version = snapshot->record.version,
                                                           .txn_id = snapshot->record.txn_id}};
    }
    bool done = true;
    if (changed) {
        struct progress_entries entries = {.items = items, .count = s->table_count};
        failpoint("progress_before_write");
        done = progress_file_write(s->progress_path, &entries, err);
        failpoint("progress_after_write");
    }
    for (uint32_t i = 0; done && i < s->table_count; i++) {
        s->tables[i].version = items[i].expectation.version;
    }
    free(items);
    return done;
}

static enum sink_result result_of(enum error_kind kind)
{
    return kind == ERROR_CONFLICT || kind == ERROR_RETRY ? SINK_CONFLICT
           : kind == ERROR_UNKNOWN                       ? SINK_UNKNOWN
                                                         : SINK_SUSPENDED;
}

/* Up to where the sink is complete once this table has committed: the last one of an epoch
 * completes it. So the tables themselves say what nobody needs any more, also of a source that
 * remembers nothing. */
static struct position complete_after(const struct table_sink *s, uint32_t table,
                                      const struct barrier *barrier)
{
    for (uint32_t i = table + 1; i < s->table_count; i++) {
        if (table_is_pending(s->tables[i].table, barrier)) {
            return s->complete;
        }
    }
    return barrier->phase == PHASE_STREAMING ? barrier->position : s->complete;
}

bool table_sink_commit(struct sink *sink, const struct barrier *barrier, bool heartbeat,
                       enum sink_result *results, struct error *err)
{
    struct table_sink *s = (struct table_sink *)sink;
    bool done = true;
    for (uint32_t i = 0; i < s->table_count; i++) {
        struct sink_entry *t = &s->tables[i];
        struct error failure = {0};
        results[i] = SINK_DONE;
        struct position complete = done ? complete_after(s, i, barrier) : s->complete;
        if (!table_commit(t->table, barrier, complete, heartbeat && i == 0, &failure)) {
            results[i] = result_of(failure.kind); /* the other tables still commit */
            if (done) {
                *err = failure;
            }
            done = false;
        }
        measure(s, t);
    }
    if (!done) {
        return false;
    }
    failpoint("sink_after_tables");
    if (barrier->phase == PHASE_LOADING) {
        return true; /* nothing is acknowledged of a load that is under way */
    }
    if (!remember(s, err)) {
        return false;
    }
    s->complete = barrier->position;
    for (uint32_t i = 0; i < s->table_count; i++) {
        /* The commit stands whatever becomes of its checkpoint; the next commit tries again. */
        struct error ignored = {0};
        struct lake_table *lake = s->tables[i].lake;
        if (!lake->type->maintain(lake, &ignored)) {
            metric_add(METRIC_MAINTENANCE_FAILURES,
                       &(struct metric_labels){
                           .pipeline = s->pipeline, .sink = s->label, .table = s->tables[i].name},
                       1);
        }
    }
    return true;
}
