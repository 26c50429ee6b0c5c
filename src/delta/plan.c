#include "delta/plan.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "delta/path.h"
#include "delta/protocol.h"
#include "delta/schema.h"
#include "delta/stats.h"
#include "delta/vector.h"
#include "lake/record.h"

static int64_t now_ms(void)
{
    return clock_wall_us() / 1000;
}

static void begin(struct delta_plan *plan, const struct lake_record *record)
{
    *plan = (struct delta_plan){.record = *record};
    plan->actions.arena = &plan->arena;
    random_uuid(plan->record.txn_id);
}

void delta_plan_release(struct delta_plan *plan)
{
    arena_release(&plan->arena);
}

static const char *position_text(struct position p, struct arena *a)
{
    owned(buf_release) struct buf text = {0};
    position_format(p, &text);
    return arena_string(a, buf_text(&text), text.size);
}

static void add_parameter(struct delta_pair *pairs, uint32_t *n, const char *key, const char *value)
{
    pairs[(*n)++] = (struct delta_pair){key, value};
}

/* commitInfo repeats the record for people; it is never read back. */
static struct delta_pairs parameters(struct delta_plan *plan, const struct delta_table *t,
                                     int64_t source_time_us)
{
    struct arena *a = &plan->arena;
    struct delta_pair *pairs = arena_array(a, 5, sizeof(*pairs));
    uint32_t n = 0;
    add_parameter(pairs, &n, "pipeline", arena_string(a, t->domain + 5, strlen(t->domain) - 5));
    add_parameter(pairs, &n, "position", position_text(plan->record.position, a));
    add_parameter(pairs, &n, "epoch", arena_format(a, "%" PRIu64, plan->record.epoch));
    add_parameter(pairs, &n, "phase",
                  plan->record.phase == PHASE_LOADING ? "loading" : "streaming");
    if (source_time_us != 0) {
        add_parameter(pairs, &n, "sourceTimeMs",
                      arena_format(a, "%" PRId64, source_time_us / 1000));
    }
    return (struct delta_pairs){.items = pairs, .count = n};
}

static struct delta_info *add_info(struct delta_plan *plan, const struct delta_table *t,
                                   const char *operation, int64_t source_time_us)
{
    struct delta_info *info = &delta_actions_add(&plan->actions, DELTA_INFO)->info;
    *info = (struct delta_info){.timestamp_ms = now_ms(),
                                .operation = operation,
                                .engine = "leat/" LEAT_VERSION,
                                .txn_id = plan->record.txn_id,
                                .parameters = parameters(plan, t, source_time_us)};
    return info;
}

static void add_record(struct delta_plan *plan, const struct delta_table *t)
{
    const struct lake_record *r = &plan->record;
    if (r->position.kind != POSITION_NONE) {
        /* One integer is all that a transaction's version can be (rule 2). */
        bool is_integer = r->position.kind == POSITION_INTEGER;
        uint64_t version = is_integer ? r->position.integer : r->epoch;
        assert(version <= INT64_MAX);
        delta_actions_add(&plan->actions, DELTA_TXN)->txn =
            (struct delta_txn){.app_id = t->domain,
                               .version = (int64_t)version,
                               .updated_ms = now_ms(),
                               .has_updated = true};
    }
    plan->domain = plan->actions.count;
    delta_actions_add(&plan->actions, DELTA_DOMAIN)->domain =
        (struct delta_domain){.domain = t->domain};
}

void delta_plan_encode(struct delta_plan *plan, int64_t version, struct buf *out)
{
    owned(buf_release) struct buf record = {0};
    plan->record.version = version;
    lake_record_format(&plan->record, &record);
    plan->actions.items[plan->domain].domain.configuration =
        arena_string(&plan->arena, record.data, record.size);
    for (size_t i = 0; i < plan->actions.count; i++) {
        delta_action_encode(&plan->actions.items[i], out);
    }
}

/* --- create --- */

bool delta_plan_create(struct delta_plan *plan, const struct delta_table *t,
                       const struct lake_create *create, struct error *err)
{
    begin(plan, &create->record);
    owned(buf_release) struct buf schema = {0};
    if (!delta_schema_check(create->schema, err) ||
        !delta_schema_format(create->schema, NULL, &schema, err)) {
        return false;
    }
    const char **columns = arena_array(&plan->arena, create->partition_count, sizeof(*columns));
    for (uint32_t i = 0; i < create->partition_count; i++) {
        const struct schema_column *c = &create->schema->columns[create->partition[i].column];
        if (c->type.kind == TYPE_FLOAT32 || c->type.kind == TYPE_FLOAT64 ||
            c->type.kind == TYPE_BINARY) {
            return error_set(err, ERROR_CONFIG,
                             "column \"%s\": a float or binary column cannot partition a table",
                             c->name);
        }
        columns[i] = c->name;
    }
    (void)add_info(plan, t, "CREATE TABLE", 0);
    delta_actions_add(&plan->actions, DELTA_PROTOCOL)->protocol =
        delta_protocol_new(create->vectors, create->feed);
    char *id = arena_alloc(&plan->arena, UUID_TEXT_SIZE);
    random_uuid(id);
    delta_actions_add(&plan->actions, DELTA_METADATA)->metadata = (struct delta_metadata){
        .id = id,
        .provider = "parquet",
        .schema = arena_string(&plan->arena, schema.data, schema.size),
        .partition_columns = {.items = columns, .count = create->partition_count, .present = true},
        .configuration = delta_properties_new(create->vectors, create->feed),
        .created_ms = now_ms(),
        .has_created = true};
    add_record(plan, t);
    return true;
}

/* --- commit --- */

static bool add_metadata(struct delta_plan *plan, const struct delta_table *t,
                         const struct schema *next, struct error *err)
{
    const struct delta_metadata *old = &t->state.metadata;
    owned(buf_release) struct buf schema = {0};
    if (!delta_schema_check_change(t->base.snapshot.schema, next, err) ||
        !delta_schema_format(next, old->schema, &schema, err)) {
        return false;
    }
    for (uint32_t i = 0; i < next->column_count; i++) {
        if (next->columns[i].type.kind == TYPE_TIMESTAMP &&
            !delta_protocol_writes(&t->state.protocol, "timestampNtz")) {
            return error_set(err, ERROR_CONFIG,
                             "column \"%s\": the table lacks the feature timestampNtz",
                             next->columns[i].name);
        }
    }
    /* The state's texts may move before this commit is done. */
    struct delta_metadata *m = &delta_actions_add(&plan->actions, DELTA_METADATA)->metadata;
    delta_metadata_copy(old, &plan->arena, m);
    m->schema = arena_string(&plan->arena, schema.data, schema.size);
    return true;
}

static const struct schema *schema_of(const struct delta_table *t, const struct lake_commit *commit)
{
    return commit->schema ? commit->schema : t->base.snapshot.schema;
}

/* Path, size and partition of a new file. */
static struct delta_file new_file(struct delta_plan *plan, const struct delta_table *t,
                                  const struct lake_new_file *file)
{
    struct arena *a = &plan->arena;
    const struct delta_strings *columns = &t->state.metadata.partition_columns;
    struct delta_pair *partition = arena_array(a, columns->count, sizeof(*partition));
    for (uint32_t i = 0; i < columns->count; i++) {
        partition[i].key = arena_string(a, columns->items[i], strlen(columns->items[i]));
        partition[i].value = file->partition[i];
    }
    owned(buf_release) struct buf path = {0};
    delta_path_encode(file->path, &path);
    return (struct delta_file){.path = arena_string(a, path.data, path.size),
                               .partition = {.items = partition, .count = columns->count},
                               .size = (int64_t)file->size,
                               .has_size = true};
}

static void add_files(struct delta_plan *plan, const struct delta_table *t,
                      const struct lake_commit *commit)
{
    const struct schema *schema = schema_of(t, commit);
    bool *is_partition = arena_zalloc(&plan->arena, schema->column_count + 1);
    const struct delta_strings *columns = &t->state.metadata.partition_columns;
    for (uint32_t i = 0; i < columns->count; i++) {
        is_partition[schema_find(schema, str_from(columns->items[i]))] = true;
    }
    for (uint32_t i = 0; i < commit->file_count; i++) {
        const struct lake_new_file *f = &commit->files[i];
        struct delta_file *file = &delta_actions_add(&plan->actions, DELTA_ADD)->file;
        *file = new_file(plan, t, f);
        file->data_change = true;
        file->modified_ms = now_ms();
        file->stats =
            delta_stats_format(schema, is_partition, f->row_count, f->statistics, &plan->arena);
    }
    for (uint32_t i = 0; i < commit->change_file_count; i++) {
        delta_actions_add(&plan->actions, DELTA_CDC)->file =
            new_file(plan, t, &commit->change_files[i]);
    }
}

static void add_remove(struct delta_plan *plan, const struct delta_live *live, bool data_change)
{
    struct delta_file *file = &delta_actions_add(&plan->actions, DELTA_REMOVE)->file;
    delta_file_copy(&live->file, &plan->arena, file);
    file->data_change = data_change;
    file->deleted_ms = now_ms();
    file->has_deleted = true;
    file->extended = true;
}

static struct delta_live *live_at(const struct delta_table *t, uint32_t slot, struct error *err)
{
    struct lake_file *file = lake_table_file(&t->base, slot);
    if (!file) {
        (void)error_set(err, ERROR_CONFLICT, "file %" PRIu32 " is no longer in the table", slot);
        return NULL;
    }
    return delta_live_of(file);
}

/* Files whose rows are all deleted go without a change of rows. */
static void add_spent(struct delta_plan *plan, const struct delta_table *t)
{
    struct str key;
    void *value = NULL;
    for (size_t i = 0; t->spent_count > 0 && map_next(&t->state.files, &i, &key, &value);) {
        if (delta_live_is_spent(value)) {
            add_remove(plan, value, false);
        }
    }
}

static bool add_removes(struct delta_plan *plan, const struct delta_table *t,
                        const struct lake_commit *commit, struct error *err)
{
    add_spent(plan, t);
    for (uint32_t i = 0; commit->truncate && i < t->state.slot_count; i++) {
        const struct delta_live *live = t->state.slots[i] ? delta_live_of(t->state.slots[i]) : NULL;
        if (live && !live->file.vector) {
            add_remove(plan, live, true);
        }
    }
    for (uint32_t i = 0; i < commit->removed_count; i++) {
        const struct delta_live *live = live_at(t, commit->removed[i], err);
        if (!live) {
            return false;
        }
        add_remove(plan, live, true);
    }
    return true;
}

static void add_vector(struct delta_plan *plan, struct delta_vector_file *file,
                       const struct delta_live *live, const roaring_bitmap_t *deleted)
{
    add_remove(plan, live, true);
    struct delta_file *add = &delta_actions_add(&plan->actions, DELTA_ADD)->file;
    delta_file_copy(&live->file, &plan->arena, add);
    add->data_change = true;
    add->vector = delta_vector_file_add(file, deleted, &plan->arena);
    add->stats = delta_stats_loosen(add->stats, live->lake.row_count, &plan->arena);
}

/* A truncate removes files, and readers of the feed derive the deletes. Of a file with a vector one
 * of them (delta-rs) takes the vector's rows for the deleted ones: such a file gets a vector of all
 * its rows instead, from which everybody derives the same, and is removed by the next commit. */
static void add_full_vectors(struct delta_plan *plan, const struct delta_table *t,
                             struct delta_vector_file *file)
{
    for (uint32_t i = 0; i < t->state.slot_count; i++) {
        const struct delta_live *live = t->state.slots[i] ? delta_live_of(t->state.slots[i]) : NULL;
        if (live && live->file.vector) {
            roaring_bitmap_t *all = roaring_bitmap_from_range(0, live->lake.row_count, 1);
            if (!all) {
                abort();
            }
            add_vector(plan, file, live, all);
            roaring_bitmap_free(all);
        }
    }
}

/* All vectors of a commit lie in one file, which is durable before the log names it. */
static bool add_vectors(struct delta_plan *plan, struct delta_table *t,
                        const struct lake_commit *commit, struct error *err)
{
    if (commit->vector_count == 0 && !commit->truncate) {
        return true;
    }
    if (commit->vector_count > 0 && !delta_protocol_writes(&t->state.protocol, "deletionVectors")) {
        return error_set(err, ERROR_CONFIG,
                         "the table lacks the feature deletionVectors: it was made to append only");
    }
    struct delta_vector_file file;
    delta_vector_file_begin(&file);
    bool ok = true;
    for (uint32_t i = 0; ok && i < commit->vector_count; i++) {
        const struct lake_new_vector *v = &commit->vectors[i];
        const struct delta_live *live = live_at(t, v->slot, err);
        ok = live != NULL;
        if (ok) {
            assert(roaring_bitmap_get_cardinality(v->deleted) == v->deleted_count);
            assert(v->deleted_count <= live->lake.row_count);
            add_vector(plan, &file, live, v->deleted);
        }
    }
    if (commit->truncate) {
        add_full_vectors(plan, t, &file);
    }
    const char *key = delta_vector_file_key(&file, &plan->arena);
    ok = ok && (!file.bytes.failed ||
                error_set(err, ERROR_DATA, "the deletion vectors of a commit exceed 1 GiB"));
    if (ok && file.bytes.size > 1) {
        const char **written = arena_alloc(&plan->arena, sizeof(*written));
        written[0] = key; /* even if it fails: part of it may be there */
        plan->written = written;
        plan->written_count = 1;
        ok = store_put(t->base.store, key, buf_str(&file.bytes), err);
    }
    delta_vector_file_release(&file);
    return ok;
}

static const char *count_text(uint64_t n, struct arena *a)
{
    return arena_format(a, "%" PRIu64, n);
}

static struct delta_pairs metrics(const struct lake_commit *commit, uint64_t removed,
                                  struct arena *a)
{
    uint64_t output = 0;
    for (uint32_t i = 0; i < commit->file_count; i++) {
        output += commit->files[i].row_count;
    }
    struct delta_pair *m = arena_array(a, 8, sizeof(*m));
    uint32_t n = 0;
    add_parameter(m, &n, "numOutputRows", count_text(output, a));
    add_parameter(m, &n, "numInsertedRows", count_text(commit->rows_inserted, a));
    add_parameter(m, &n, "numUpdatedRows", count_text(commit->rows_updated, a));
    add_parameter(m, &n, "numDeletedRows", count_text(commit->rows_deleted, a));
    add_parameter(m, &n, "numAddedFiles", count_text(commit->file_count, a));
    add_parameter(m, &n, "numRemovedFiles", count_text(removed, a));
    add_parameter(m, &n, "numAddedChangeFiles", count_text(commit->change_file_count, a));
    add_parameter(m, &n, "numDeletionVectorsAdded", count_text(commit->vector_count, a));
    return (struct delta_pairs){.items = m, .count = n};
}

bool delta_plan_commit(struct delta_plan *plan, struct delta_table *t,
                       const struct lake_commit *commit, struct error *err)
{
    assert(!commit->truncate || (commit->vector_count == 0 && commit->removed_count == 0 &&
                                 commit->change_file_count == 0));

    begin(plan, &commit->record);
    bool removes = commit->truncate || commit->removed_count > 0 || commit->vector_count > 0;
    if (removes && delta_property_is_true(&t->state.metadata, "delta.appendOnly")) {
        return error_set(err, ERROR_CONFIG,
                         "the table has delta.appendOnly = true: rows cannot be deleted");
    }
    struct delta_info *info = add_info(plan, t, commit->operation, commit->source_time_us);
    info->blind_append = !removes;
    if (commit->schema && !add_metadata(plan, t, commit->schema, err)) {
        return false;
    }
    add_record(plan, t);
    size_t before = plan->actions.count;
    if (!add_removes(plan, t, commit, err)) {
        return false;
    }
    uint64_t removed = plan->actions.count - before;
    add_files(plan, t, commit);
    plan->actions.items[0].info.metrics = metrics(commit, removed, &plan->arena);
    return add_vectors(plan, t, commit, err);
}

/* --- wider types --- */

/* Reads a file with the wider types, every row of it in its order; what else it has (_change_type)
 * goes along. *any false: the file has none of these columns in a narrower type. */
static bool select_widened(struct delta_table *t, const struct schema *schema, const char *path,
                           struct buf *sql, bool *any, struct error *err)
{
    const struct schema *old = t->base.snapshot.schema;
    owned(buf_release) struct buf file = {0};
    buf_append_text(&file, "read_parquet(");
    engine_append_path(path, &file);
    buf_append_text(&file, ", hive_partitioning = false)");
    buf_append_text(sql, "SELECT * REPLACE (");
    *any = false;
    for (uint32_t i = 0; i < old->column_count; i++) {
        const struct schema_column *c = &old->columns[i];
        const struct schema_column *next = &schema->columns[schema_find(schema, str_from(c->name))];
        if (type_equal(c->type, next->type)) {
            continue;
        }
        owned(buf_release) struct buf query = {0};
        int64_t count = 0;
        buf_append_format(&query, "SELECT count(*) FROM (DESCRIBE SELECT * FROM %s) ",
                          buf_text(&file));
        buf_append_text(&query, "WHERE column_name = ");
        buf_append_literal(&query, c->name);
        if (!engine_query_int64(t->engine, buf_text(&query), &count, err)) {
            return false;
        }
        if (count > 0) {
            buf_append_text(sql, *any ? ", CAST(" : "CAST(");
            buf_append_identifier(sql, c->name);
            buf_append_text(sql, " AS ");
            engine_append_type(next->type, sql);
            buf_append_text(sql, ") AS ");
            buf_append_identifier(sql, c->name);
            *any = true;
        }
    }
    buf_append_format(sql, ") FROM %s", buf_text(&file));
    return true;
}

/* Writes one file anew; *key stays NULL when it can stay as it is. */
static bool rewrite(struct delta_plan *plan, struct delta_table *t, const struct schema *schema,
                    const struct lake_file *file, const char **key, uint64_t *size,
                    struct error *err)
{
    owned(buf_release) struct buf from = {0};
    owned(buf_release) struct buf to = {0};
    owned(buf_release) struct buf sql = {0};
    bool any = false;
    if (!store_fetch(t->base.store, file->path, &from, err)) {
        return error_recast(err, ERROR_LOST);
    }
    if (!select_widened(t, schema, buf_text(&from), &sql, &any, err) || !any) {
        return err->kind == ERROR_NONE;
    }
    const struct lake_snapshot *s = &t->base.snapshot;
    const char *next = lake_data_path(&plan->arena, t->base.type->data_directory, s->partition,
                                      s->partition_count, file->partition);
    uint64_t row_count = 0;
    if (!store_stage(t->base.store, next, &to, err)) {
        return false;
    }
    struct engine_parquet parquet = {.path = buf_text(&to)};
    if (!engine_write_parquet(t->engine, buf_text(&sql), &parquet, &row_count, size, err)) {
        return false;
    }
    *key = next;
    return row_count == file->row_count ||
           error_set(err, ERROR_DATA,
                     "file \"%s\" has %" PRIu64 " rows, not the %" PRIu64 " that the log says",
                     file->path, row_count, file->row_count);
}

static void add_moved(struct delta_plan *plan, const struct delta_live *live, const char *key,
                      uint64_t size, struct delta_moves *moves)
{
    owned(buf_release) struct buf path = {0};
    delta_path_encode(key, &path);
    add_remove(plan, live, false);
    struct delta_file *add = &delta_actions_add(&plan->actions, DELTA_ADD)->file;
    delta_file_copy(&live->file, &plan->arena, add);
    moves->items[moves->count++] = (struct delta_move){
        .from = add->path, .to = arena_string(&plan->arena, path.data, path.size)};
    add->path = moves->items[moves->count - 1].to;
    add->size = (int64_t)size;
    add->modified_ms = now_ms();
    add->data_change = false;
}

bool delta_plan_widen(struct delta_plan *plan, struct delta_table *t, const struct schema *schema,
                      struct delta_moves *moves, struct error *err)
{
    begin(plan, &t->base.snapshot.record);
    struct delta_info *info = add_info(plan, t, "CHANGE COLUMN", 0);
    info->metrics = (struct delta_pairs){0};
    if (!add_metadata(plan, t, schema, err)) {
        return false;
    }
    if (!t->engine) {
        return error_set(err, ERROR_CONFIG, "widening a column needs the engine");
    }
    add_record(plan, t);
    add_spent(plan, t);
    const char **written = arena_array(&plan->arena, t->state.files.count, sizeof(*written));
    moves->items = arena_array(&plan->arena, t->state.files.count, sizeof(*moves->items));
    plan->written = written;
    for (uint32_t i = 0; i < t->state.slot_count; i++) {
        const char *key = NULL;
        uint64_t size = 0;
        if (!t->state.slots[i]) {
            continue;
        }
        bool ok = rewrite(plan, t, schema, t->state.slots[i], &key, &size, err);
        if (key) {
            written[plan->written_count++] = key;
            add_moved(plan, delta_live_of(t->state.slots[i]), key, size, moves);
        }
        if (!ok) {
            return false;
        }
    }
    return plan->written_count == 0 ||
           store_publish(t->base.store, plan->written, plan->written_count, err);
}
