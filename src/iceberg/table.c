#include "iceberg/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "iceberg/constant.h"
#include "iceberg/iceberg.h"
#include "iceberg/location.h"

static struct iceberg_table *table_of(struct lake_table *t)
{
    return (struct iceberg_table *)t;
}

/* ---- what the snapshot shows ---- */

static int column_of(const struct iceberg_schema *s, int32_t id)
{
    for (uint32_t i = 0; i < s->field_count; i++) {
        if (s->fields[i].id == id) {
            return (int)i;
        }
    }
    return -1;
}

static void show_partition(struct iceberg_table *t)
{
    struct lake_snapshot *snapshot = &t->base.snapshot;
    const struct iceberg_spec *spec = t->metadata->spec;
    struct lake_partition_field *fields =
        arena_zalloc(&t->show_arena, ((size_t)spec->field_count + 1) * sizeof(*fields));
    uint32_t count = 0;
    for (uint32_t i = 0; i < spec->field_count; i++) {
        int column = column_of(t->metadata->schema, spec->fields[i].source_id);
        if (column >= 0) { /* else it was dropped, and the field is void */
            fields[count++] = (struct lake_partition_field){.name = spec->fields[i].name,
                                                            .column = (uint32_t)column,
                                                            .transform = spec->fields[i].transform};
        }
    }
    snapshot->partition = fields;
    snapshot->partition_count = count;
}

static bool show_schema(struct iceberg_table *t, const struct iceberg_schema *s, struct error *err)
{
    struct lake_snapshot *snapshot = &t->base.snapshot;
    struct schema *schema = iceberg_schema_model(s, err);
    if (!schema) {
        return false;
    }
    schema_release(snapshot->schema);
    snapshot->schema = schema;
    int32_t *ids = arena_zalloc(&t->show_arena, ((size_t)s->field_count + 1) * sizeof(*ids));
    const char **defaults =
        arena_zalloc(&t->show_arena, ((size_t)s->field_count + 1) * sizeof(*defaults));
    for (uint32_t i = 0; i < s->field_count; i++) {
        ids[i] = s->fields[i].id;
        if (!iceberg_default_text(&s->fields[i], &t->show_arena, &defaults[i], err)) {
            return false;
        }
    }
    snapshot->column_ids = ids;
    snapshot->column_defaults = defaults;
    return true;
}

bool iceberg_show(struct iceberg_table *t, struct error *err)
{
    struct lake_snapshot *snapshot = &t->base.snapshot;
    snapshot->exists = t->metadata != NULL;
    snapshot->version = t->snapshot ? t->snapshot->id : (t->metadata ? 0 : -1);
    if (!t->metadata) {
        return true;
    }
    struct arena old = t->show_arena;
    t->show_arena = (struct arena){0};
    const struct iceberg_schema *s = t->metadata->schema;
    if (t->at.kind != LAKE_NEWEST && t->snapshot && t->snapshot->schema_id >= 0) {
        s = iceberg_metadata_schema(t->metadata, t->snapshot->schema_id);
    }
    bool ok = s ? show_schema(t, s, err)
                : error_set(err, ERROR_DATA, "the snapshot's schema is not in the metadata");
    if (ok) {
        snapshot->table_id =
            arena_string(&t->show_arena, t->metadata->uuid, strlen(t->metadata->uuid));
        show_partition(t);
        ok = !t->property || iceberg_record_read(t->metadata, t->property, &snapshot->record,
                                                 &snapshot->has_record, err);
    }
    arena_release(&old);
    return ok;
}

/* ---- loading ---- */

static bool choose_snapshot(struct iceberg_table *t, struct error *err)
{
    const struct iceberg_metadata *m = t->metadata;
    t->snapshot = m ? m->current : NULL;
    if (!m || t->at.kind == LAKE_NEWEST) {
        return true;
    }
    t->snapshot = NULL;
    if (t->at.kind == LAKE_AT_VERSION) {
        t->snapshot = iceberg_metadata_snapshot(m, t->at.version);
        return t->snapshot ||
               error_set(err, ERROR_CONFIG, "there is no snapshot %" PRId64, t->at.version);
    }
    const struct iceberg_snapshot *s = m->current;
    for (uint32_t i = 0; s && i <= m->snapshot_count; i++) {
        if (s->timestamp_ms <= t->at.time_us / 1000) {
            t->snapshot = s;
            return true;
        }
        s = iceberg_metadata_snapshot(m, s->parent_id);
    }
    return error_set(err, ERROR_CONFIG, "the table has no snapshot that is as old as that");
}

void iceberg_adopt(struct iceberg_table *t, struct iceberg_metadata *m, char *location)
{
    iceberg_metadata_free(&t->metadata);
    free(t->metadata_location);
    t->metadata = m;
    t->metadata_location = location;
    t->snapshot = m->current;
}

/* Where the table lies: a table that was moved as a whole is read where it is now. */
static const char *find_root(const struct iceberg_table *t, struct arena *a)
{
    const char *file = t->metadata_location ? strrchr(t->metadata_location, '/') : NULL;
    if (t->property || !t->catalog->type->is_location || !file) {
        return t->metadata->location;
    }
    struct str directory = {t->metadata_location, (size_t)(file - t->metadata_location)};
    static const char folder[] = "/metadata";
    size_t size = sizeof(folder) - 1;
    if (directory.size > size &&
        memcmp(directory.data + directory.size - size, folder, size) == 0) {
        directory.size -= size;
    }
    return arena_string(a, directory.data, directory.size);
}

static bool open_store(struct iceberg_table *t, struct error *err)
{
    owned(arena_release) struct arena a = {0};
    if (t->base.store) {
        return true;
    }
    const char *root = find_root(t, &a);
    const char *path = iceberg_location_path(root);
    if (!path) {
        return error_set(err, ERROR_CONFIG, "location \"%s\" is not on a local disk", root);
    }
    t->base.store = store_open(path, err);
    return t->base.store != NULL;
}

/* Asks the catalog; to->metadata is NULL when there is no table. */
static bool load_metadata(struct iceberg_table *t, struct iceberg_state *to, struct error *err)
{
    owned(arena_release) struct arena a = {0};
    const char *location = NULL;
    *to = (struct iceberg_state){0};
    if (!t->catalog->type->load(t->catalog, &t->name, &to->metadata, &a, &location, err)) {
        return false;
    }
    to->location = location ? strdup(location) : NULL;
    return true;
}

static bool check_version(const struct iceberg_table *t, struct error *err)
{
    if (t->property && t->metadata->format_version != 2) {
        return error_set(err, ERROR_CONFIG,
                         "the table has format version %" PRId32 "; only version 2 is written",
                         t->metadata->format_version);
    }
    return true;
}

static bool load(struct iceberg_table *t, struct iceberg_state *state, bool *changed,
                 struct error *err)
{
    if (!state->metadata) {
        return iceberg_show(t, err);
    }
    iceberg_adopt(t, take(state->metadata), take(state->location));
    return choose_snapshot(t, err) && check_version(t, err) && open_store(t, err) &&
           iceberg_files_load(t, changed, err) && iceberg_show(t, err);
}

static void iceberg_free(struct lake_table *base)
{
    struct iceberg_table *t = table_of(base);
    iceberg_files_release(t);
    schema_release(base->snapshot.schema);
    iceberg_metadata_free(&t->metadata);
    store_free(&base->store);
    arena_release(&t->show_arena);
    free(t->metadata_location);
    free(t->property);
    free(t->label);
    free(t);
}

static void free_table(struct iceberg_table **t)
{
    if (*t) {
        iceberg_free(&take(*t)->base);
    }
}

static char *make_label(const struct lake_options *options)
{
    struct buf text = {0};
    for (uint32_t i = 0; i < options->level_count; i++) {
        buf_append_format(&text, "%s.", options->namespace[i]);
    }
    buf_append_text(&text, options->table ? options->table : "");
    if (text.size == 0) {
        buf_append_text(&text, options->location ? options->location : "");
    }
    return text.data;
}

static struct iceberg_table *new_table(const struct lake_options *options)
{
    struct iceberg_table *t = calloc(1, sizeof(*t));
    if (!t) {
        abort();
    }
    t->base.type = &iceberg_lake;
    t->base.snapshot.version = -1;
    t->catalog = options->catalog;
    t->name = (struct iceberg_name){.namespace = options->namespace,
                                    .level_count = options->level_count,
                                    .table = options->table};
    t->location_wanted = options->location;
    t->engine = options->engine;
    t->at = options->at;
    t->accept_foreign = options->accept_foreign;
    t->label = make_label(options);
    t->property = options->pipeline ? lake_record_name(options->pipeline) : NULL;
    return t;
}

static struct lake_table *iceberg_open(const struct lake_options *options, struct error *err)
{
    owned(free_table) struct iceberg_table *t = new_table(options);
    struct iceberg_state state = {0};
    bool changed = false;
    if (!load_metadata(t, &state, err) || !load(t, &state, &changed, err)) {
        (void)error_wrap(err, "table \"%s\"", t->label);
        return NULL;
    }
    return &take(t)->base;
}

bool iceberg_open_metadata(const struct lake_options *options, struct iceberg_table **out,
                           struct error *err)
{
    struct lake_options reading = *options;
    reading.pipeline = NULL;
    owned(free_table) struct iceberg_table *t = new_table(&reading);
    struct iceberg_state state = {0};
    if (!load_metadata(t, &state, err)) {
        return error_wrap(err, "table \"%s\"", t->label);
    }
    if (!state.metadata) {
        return error_set(err, ERROR_CONFIG, "there is no Iceberg table \"%s\"", t->label);
    }
    iceberg_adopt(t, state.metadata, state.location);
    if (!open_store(t, err)) {
        return error_wrap(err, "table \"%s\"", t->label);
    }
    *out = take(t);
    return true;
}

/* ---- what others did ---- */

static bool gone(const struct iceberg_table *t, const char *what, struct error *err)
{
    return error_set(err, ERROR_LOST,
                     "table \"%s\" %s; reload the table, or compare it with the source first",
                     t->label, what);
}

/* A commit under our name that is not ours. */
static bool check_owner(const struct iceberg_table *t, const struct iceberg_metadata *m,
                        struct error *err)
{
    const struct lake_snapshot *snapshot = &t->base.snapshot;
    struct lake_record record = {0};
    bool found = false;
    if (!snapshot->has_record || !iceberg_record_read(m, t->property, &record, &found, err)) {
        return !snapshot->has_record;
    }
    if (!found) {
        return gone(t, "has lost the record of its position", err);
    }
    bool same = strcmp(record.txn_id, snapshot->record.txn_id) == 0;
    bool ours = t->unresolved[0] != '\0' && strcmp(record.txn_id, t->unresolved) == 0;
    return same || ours ||
           error_set(err, ERROR_LOST,
                     "table \"%s\": another instance of this pipeline committed snapshot %" PRId64
                     "; stop it and restart this one",
                     t->label, record.version);
}

/* Whether the table is still the one we had, and nobody else changed its rows. */
static bool check_newer(const struct iceberg_table *t, const struct iceberg_metadata *m,
                        struct error *err)
{
    const struct lake_snapshot *had = &t->base.snapshot;
    if (!had->exists) {
        return true;
    }
    if (!m) {
        return gone(t, "is gone", err);
    }
    if (strcmp(m->uuid, had->table_id) != 0) {
        return gone(t, "is another table than we had: it was dropped and made anew", err);
    }
    return !t->property ||
           (check_owner(t, m, err) &&
            (!had->has_record || iceberg_check_since(t, m, had->record.version, err)));
}

static bool take_newer(struct iceberg_table *t, struct iceberg_state *state, bool *files_changed,
                       struct error *err)
{
    bool same = t->metadata && t->metadata->current && state->metadata->current &&
                t->metadata->current->id == state->metadata->current->id;
    if (!same) {
        return load(t, state, files_changed, err);
    }
    /* Nothing but properties can have changed. */
    iceberg_adopt(t, take(state->metadata), take(state->location));
    return choose_snapshot(t, err) && iceberg_show(t, err);
}

static bool iceberg_refresh(struct lake_table *base, bool *files_changed, struct error *err)
{
    struct iceberg_table *t = table_of(base);
    struct iceberg_state state = {0};
    *files_changed = false;
    if (!load_metadata(t, &state, err)) {
        return error_wrap(err, "table \"%s\"", t->label);
    }
    bool ok = check_newer(t, state.metadata, err) &&
              (!state.metadata || take_newer(t, &state, files_changed, err));
    iceberg_metadata_free(&state.metadata);
    free(state.location);
    if (!ok) {
        return error_wrap(err, "table \"%s\"", t->label);
    }
    t->unresolved[0] = '\0';
    return true;
}

static bool iceberg_check(struct lake_table *base, const struct lake_expectation *expected,
                          struct error *err)
{
    struct iceberg_table *t = table_of(base);
    const struct lake_snapshot *snapshot = &base->snapshot;
    if (expected->table_id) {
        if (!snapshot->exists) {
            return gone(t, "is gone", err);
        }
        if (strcmp(snapshot->table_id, expected->table_id) != 0) {
            return gone(t, "is another table than we left: it was dropped and made anew", err);
        }
        if (!snapshot->has_record) {
            return gone(t, "has lost the record of its position", err);
        }
        /* Ours may be one commit ahead of what we remember: then the older one is behind it. */
        bool same = strcmp(snapshot->record.txn_id, expected->txn_id) == 0;
        if (!same && !iceberg_check_since(t, t->metadata, expected->version, err)) {
            return false;
        }
    }
    return !snapshot->has_record ||
           iceberg_check_since(t, t->metadata, snapshot->record.version, err);
}

static bool iceberg_maintain(struct lake_table *base, struct error *err)
{
    (void)base; /* manifests are merged and snapshots expired by the commits themselves */
    (void)err;
    return true;
}

const struct lake_type iceberg_lake = {
    .name = "iceberg",
    .data_directory = "data/",
    .has_transforms = true,
    .files_hold_partition = true,
    .stored_type = iceberg_stored_type,
    .open = iceberg_open,
    .create = iceberg_create_table,
    .refresh = iceberg_refresh,
    .column_ids = iceberg_column_ids,
    .check = iceberg_check,
    .commit = iceberg_commit,
    .maintain = iceberg_maintain,
    .free = iceberg_free,
};
