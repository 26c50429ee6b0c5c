/* The summary of a snapshot. Totals are counted, not carried on from the parent's.
 * [Iceberg spec, Appendix F: Snapshot summary] */
#include <inttypes.h>
#include <stdlib.h>

#include "iceberg/plan.h"

static void set(json_t *o, const char *key, int64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    (void)json_object_set_new(o, key, json_string(text));
}

/* Counters of what a snapshot did are left out where it did nothing of the kind. */
static void set_some(json_t *o, const char *key, int64_t value)
{
    if (value > 0) {
        set(o, key, value);
    }
}

struct counts {
    int64_t files;
    int64_t rows; /* or positions */
    int64_t bytes;
};

static void add(struct counts *c, int64_t rows, int64_t bytes)
{
    c->files++;
    c->rows += rows;
    c->bytes += bytes;
}

struct tally {
    struct counts added, removed;                 /* data files */
    struct counts added_deletes, removed_deletes; /* delete files */
    struct counts data, deletes;                  /* after the commit */
};

static struct tally count(const struct iceberg_plan *plan)
{
    struct tally c = {0};
    const struct iceberg_table *t = plan->table;
    for (uint32_t i = 0; i < plan->commit->file_count; i++) {
        add(&c.added, plan->added[i].file.record_count, plan->added[i].file.size);
    }
    for (uint32_t i = 0; i < plan->removed_count; i++) {
        const struct lake_file *f = &plan->removed[i]->lake;
        add(&c.removed, (int64_t)f->row_count, (int64_t)f->size);
    }
    for (uint32_t i = 0; i < plan->redelete_count; i++) {
        const struct iceberg_file *f = &plan->redeletes[i].entry.file;
        add(&c.added_deletes, f->record_count, f->size);
    }
    for (uint32_t i = 0; i < plan->dropped_count; i++) {
        add(&c.removed_deletes, plan->dropped[i]->record_count, plan->dropped[i]->size);
    }
    for (uint32_t i = 0; i < t->slot_count; i++) {
        const struct lake_file *f = lake_table_file(&t->base, i);
        if (f) {
            add(&c.data, (int64_t)f->row_count, (int64_t)f->size);
        }
    }
    struct str uri;
    void *value = NULL;
    size_t at = 0;
    while (map_next(&t->deletes, &at, &uri, &value)) {
        const struct iceberg_delete *d = value;
        add(&c.deletes, d->record_count, d->size);
    }
    return c;
}

static const char *operation(const struct tally *c)
{
    bool adds = c->added.files > 0;
    bool removes = c->removed.files > 0 || c->added_deletes.files > 0;
    return !removes ? "append" : adds ? "overwrite" : "delete";
}

/* Partitions in which files came or went; one when the table is not partitioned. */
static int64_t changed_partitions(const struct iceberg_plan *plan)
{
    struct map seen = {0};
    owned(buf_release) struct buf name = {0};
    uint32_t total = plan->commit->file_count + plan->removed_count + plan->redelete_count;
    for (uint32_t i = 0; i < total; i++) {
        uint32_t k = i;
        const struct str *values = NULL;
        uint32_t value_count = plan->table->metadata->spec->field_count;
        if (k < plan->commit->file_count) {
            values = plan->added[k].file.partition;
        } else if ((k -= plan->commit->file_count) < plan->removed_count) {
            values = plan->removed[k]->partition;
        } else {
            values = plan->redeletes[k - plan->removed_count].live->partition;
        }
        buf_clear(&name);
        for (uint32_t v = 0; v < value_count; v++) {
            buf_append_format(&name, "%zu:", values[v].data ? values[v].size + 1 : 0);
            buf_append(&name, values[v].data, values[v].size);
        }
        (void)map_put(&seen, buf_str(&name), &seen);
    }
    int64_t result = (int64_t)seen.count;
    map_release(&seen, NULL);
    return result;
}

json_t *iceberg_summary_make(const struct iceberg_plan *plan)
{
    struct tally c = count(plan);
    json_t *o = json_object();
    owned(buf_release) struct buf record = {0};
    (void)json_object_set_new(o, "operation", json_string(operation(&c)));
    set_some(o, "added-data-files", c.added.files);
    set_some(o, "deleted-data-files", c.removed.files);
    set_some(o, "added-delete-files", c.added_deletes.files);
    set_some(o, "added-position-delete-files", c.added_deletes.files);
    set_some(o, "removed-delete-files", c.removed_deletes.files);
    set_some(o, "removed-position-delete-files", c.removed_deletes.files);
    set_some(o, "added-records", c.added.rows);
    set_some(o, "deleted-records", c.removed.rows);
    set_some(o, "added-files-size", c.added.bytes + c.added_deletes.bytes);
    set_some(o, "removed-files-size", c.removed.bytes + c.removed_deletes.bytes);
    set_some(o, "added-position-deletes", c.added_deletes.rows);
    set_some(o, "removed-position-deletes", c.removed_deletes.rows);
    set(o, "changed-partition-count", changed_partitions(plan));
    set(o, "total-records", c.data.rows + c.added.rows - c.removed.rows);
    set(o, "total-files-size",
        c.data.bytes + c.added.bytes - c.removed.bytes + c.deletes.bytes + c.added_deletes.bytes -
            c.removed_deletes.bytes);
    set(o, "total-data-files", c.data.files + c.added.files - c.removed.files);
    set(o, "total-delete-files", c.deletes.files + c.added_deletes.files - c.removed_deletes.files);
    set(o, "total-position-deletes",
        c.deletes.rows + c.added_deletes.rows - c.removed_deletes.rows);
    set(o, "total-equality-deletes", 0);
    (void)json_object_set_new(o, "engine-name", json_string("leat"));
    (void)json_object_set_new(o, "engine-version", json_string(LEAT_VERSION));
    (void)json_object_set_new(o, "leat.operation", json_string(plan->commit->operation));
    set_some(o, "leat.rows-inserted", (int64_t)plan->commit->rows_inserted);
    set_some(o, "leat.rows-updated", (int64_t)plan->commit->rows_updated);
    set_some(o, "leat.rows-deleted", (int64_t)plan->commit->rows_deleted);
    lake_record_format(&plan->record, &record);
    (void)json_object_set_new(o, plan->table->property, json_string(buf_text(&record)));
    return o;
}
