/* Rows into files: gathered into columns, split by partition, written by the engine. String bytes
 * are not copied: they stay in the epoch's batches. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/map.h"
#include "table/state.h"

enum { FILE_ROWS_MAX = 1 << 20, ENGINE_SLOT = 0 };

/* Some of a plan's rows. */
struct chosen {
    const struct plan_rows *rows;
    const uint32_t *order; /* numbers of rows; NULL: as they are */
    uint32_t count;
};

/* Rows of one file to be. */
struct file_rows {
    const char **partition;
    struct chosen chosen;
};

/* ---- columns ---- */

static bool refuse_incomplete(const struct table *t, const struct plan_row *row, uint32_t column,
                              struct error *err)
{
    owned(buf_release) struct buf key = {0};
    const struct net_image *im = &t->net.images[row->image];
    key_describe(&t->key, t->net.batches[im->batch]->columns, im->row, &key);
    return error_set(
        err, ERROR_DATA,
        "table %s: the source did not send column \"%s\" of %s, and the table does not "
        "hold that row: ALTER TABLE %s REPLICA IDENTITY FULL makes the source send "
        "whole rows",
        t->name, t->schema->columns[column].name, buf_text(&key), t->name);
}

static void set_null(struct column *c, uint32_t row, uint32_t row_count, struct arena *a)
{
    if (!c->valid) {
        size_t size = ((size_t)row_count + 63) / 64 * sizeof(*c->valid);
        c->valid = memset(arena_alloc(a, size), 0xFF, size);
    }
    bit_clear(c->valid, row);
}

static inline void copy_value(void *to, uint32_t row, const void *from, uint32_t at, size_t width)
{
    switch (width) {
    case 1:
        ((uint8_t *)to)[row] = ((const uint8_t *)from)[at];
        break;
    case 2:
        ((uint16_t *)to)[row] = ((const uint16_t *)from)[at];
        break;
    case 4:
        ((uint32_t *)to)[row] = ((const uint32_t *)from)[at];
        break;
    case 8:
        ((uint64_t *)to)[row] = ((const uint64_t *)from)[at];
        break;
    default:
        memcpy((char *)to + (size_t)row * 16, (const char *)from + (size_t)at * 16, 16);
        break;
    }
}

/* One column of the rows, in their order. */
static bool gather(const struct table *t, const struct chosen *chosen, uint32_t column,
                   struct arena *a, struct column *out, struct error *err)
{
    size_t width = type_width(t->schema->columns[column].type);
    *out = (struct column){.type = t->schema->columns[column].type,
                           .values = arena_array(a, chosen->count, width)};
    for (uint32_t i = 0; i < chosen->count; i++) {
        const struct plan_row *row = &chosen->rows->items[chosen->order ? chosen->order[i] : i];
        uint32_t at = 0;
        const struct column *from = net_value(&t->net, row->image, row->fallback, column, &at);
        if (!from) {
            return refuse_incomplete(t, row, column, err);
        }
        if (!column_is_valid(from, at)) {
            memset((char *)out->values + i * width, 0, width);
            set_null(out, i, chosen->count, a);
        } else {
            copy_value(out->values, i, from->values, at, width);
        }
    }
    return true;
}

static void gather_changes(const struct chosen *chosen, struct arena *a, struct column *out)
{
    static const char *const names[] = {"insert", "update_preimage", "update_postimage", "delete"};
    struct view *views = arena_array(a, chosen->count, sizeof(*views));
    for (uint32_t i = 0; i < chosen->count; i++) {
        const char *name = names[chosen->rows->items[chosen->order[i]].change];
        views[i] = view_from(name, strlen(name));
    }
    *out = (struct column){.type = {.kind = TYPE_STRING}, .values = views};
}

/* ---- partitions ---- */

/* The rows' partition values as texts, one array a row. */
static bool partition_texts(const struct table *t, const struct plan_rows *rows, struct arena *a,
                            const char **texts, struct error *err)
{
    for (uint32_t i = 0; i < t->partition_count; i++) {
        struct column c = {0};
        struct chosen all = {.rows = rows, .count = rows->count};
        const struct lake_partition_field *field = &t->partition[i];
        if (!gather(t, &all, field->column, a, &c, err)) {
            return false;
        }
        for (uint32_t row = 0; row < rows->count; row++) {
            if (!lake_transform_text(field->transform, &c, row, a,
                                     &texts[(size_t)row * t->partition_count + i], err)) {
                return error_wrap(err, "table %s: column \"%s\"", t->name,
                                  t->schema->columns[field->column].name);
            }
        }
    }
    return true;
}

struct partition {
    const char **texts;
    uint32_t count;
    uint32_t start; /* in the order of rows */
};

/* The number of each row's partition, in order of first appearance. */
static uint32_t number_partitions(const struct table *t, const char **texts, uint32_t row_count,
                                  uint32_t *numbers, struct partition *partitions)
{
    struct map map = {0};
    owned(buf_release) struct buf name = {0};
    uint32_t count = 0;
    if (t->partition_count == 0) {
        memset(numbers, 0, row_count * sizeof(*numbers));
        partitions[0] = (struct partition){.texts = texts, .count = row_count};
        return 1;
    }
    for (uint32_t row = 0; row < row_count; row++) {
        const char **own = texts + (size_t)row * t->partition_count;
        buf_clear(&name);
        for (uint32_t i = 0; i < t->partition_count; i++) {
            buf_append_char(&name, own[i] ? 'v' : 'n');
            buf_append(&name, own[i] ? own[i] : "", own[i] ? strlen(own[i]) + 1 : 1);
        }
        struct partition *p = map_get(&map, buf_str(&name));
        if (!p) {
            p = &partitions[count++];
            *p = (struct partition){.texts = own};
            (void)map_put(&map, buf_str(&name), p);
        }
        p->count++;
        numbers[row] = (uint32_t)(p - partitions);
    }
    map_release(&map, NULL);
    return count;
}

/* Splits rows into files: by partition, none larger than FILE_ROWS_MAX, in order within each. */
static bool split(const struct table *t, const struct plan_rows *rows, struct arena *a,
                  struct file_rows **out, uint32_t *out_count, struct error *err)
{
    const char **texts =
        arena_zalloc(a, ((size_t)rows->count * t->partition_count + 1) * sizeof(*texts));
    if (!partition_texts(t, rows, a, texts, err)) {
        return false;
    }
    uint32_t *numbers = arena_array(a, rows->count, sizeof(*numbers));
    struct partition *partitions = arena_array(a, rows->count, sizeof(*partitions));
    uint32_t count = number_partitions(t, texts, rows->count, numbers, partitions);

    uint32_t start = 0;
    size_t file_max = 0;
    for (uint32_t i = 0; i < count; i++) {
        partitions[i].start = start;
        start += partitions[i].count;
        file_max += partitions[i].count / FILE_ROWS_MAX + 1;
    }
    uint32_t *order = arena_array(a, rows->count, sizeof(*order));
    for (uint32_t row = 0; row < rows->count; row++) {
        order[partitions[numbers[row]].start++] = row; /* start ends where the next begins */
    }
    struct file_rows *files = arena_array(a, file_max, sizeof(*files));
    uint32_t file_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t done = 0; done < partitions[i].count;) {
            uint32_t left = partitions[i].count - done;
            uint32_t size = left < FILE_ROWS_MAX ? left : FILE_ROWS_MAX;
            files[file_count++] = (struct file_rows){
                .partition = partitions[i].texts,
                .chosen = {.rows = rows,
                           .order = order + partitions[i].start - partitions[i].count + done,
                           .count = size}};
            done += size;
        }
    }
    *out = files;
    *out_count = file_count;
    return true;
}

/* ---- files ---- */

/* True for a column that only the table's metadata holds. */
static bool is_in_metadata(const struct table *t, uint32_t column)
{
    for (uint32_t i = 0; !t->lake->type->files_hold_partition && i < t->partition_count; i++) {
        if (t->partition[i].column == column) {
            return true;
        }
    }
    return false;
}

/* The engine holds a row group of a column at a time, when it writes and when it reads: rows with
 * long values come in smaller groups. */
static uint32_t row_group_size(const struct engine_input *input)
{
    enum { GROUP_BYTES = 8 << 20, GROUP_ROWS_MIN = 2048, GROUP_ROWS_MAX = 61440 };
    uint64_t bytes = 1;
    for (uint32_t i = 0; i < input->column_count; i++) {
        const struct column *c = &input->columns[i];
        bytes += (uint64_t)input->row_count * type_width(c->type);
        const struct view *views = c->values;
        for (uint32_t row = 0; type_is_text_or_binary(c->type) && row < input->row_count; row++) {
            bytes += views[row].size > VIEW_INLINE_MAX ? views[row].size : 0;
        }
    }
    uint64_t rows = GROUP_BYTES * (uint64_t)input->row_count / bytes;
    return rows < GROUP_ROWS_MIN   ? GROUP_ROWS_MIN
           : rows > GROUP_ROWS_MAX ? GROUP_ROWS_MAX
                                   : (uint32_t)rows;
}

/* Writes gathered columns to the file's staged place. */
static bool write_columns(struct table *t, const struct engine_input *input, const int32_t *ids,
                          struct lake_new_file *file, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    owned(buf_release) struct buf path = {0};
    engine_bind(t->engine, ENGINE_SLOT, input);
    for (uint32_t i = 0; i < input->column_count; i++) {
        buf_append_text(&sql, i > 0 ? ", " : "SELECT ");
        buf_append_identifier(&sql, input->names[i]);
    }
    buf_append_text(&sql, " FROM ");
    engine_append_slot(t->engine, ENGINE_SLOT, &sql);
    if (!store_stage(t->lake->store, file->path, &path, err)) {
        return false;
    }
    struct engine_parquet parquet = {.path = buf_text(&path),
                                     .row_group_size = row_group_size(input),
                                     .names = input->names,
                                     .field_ids = ids,
                                     .column_count = input->column_count};
    if (!engine_write_parquet(t->engine, buf_text(&sql), &parquet, &file->row_count, &file->size,
                              err)) {
        return false;
    }
    assert(file->row_count == input->row_count);
    return true;
}

static bool write_file(struct table *t, struct plan *p, const struct file_rows *f, bool is_change,
                       struct lake_new_file *out, struct error *err)
{
    uint32_t column_count = t->schema->column_count;
    owned(arena_release) struct arena a = {0};
    struct column *columns = arena_array(&a, column_count + 1, sizeof(*columns));
    const char **names = arena_array(&a, column_count + 1, sizeof(*names));
    struct lake_statistics *statistics =
        is_change ? NULL : arena_zalloc(&p->arena, column_count * sizeof(*statistics));
    int32_t *ids = arena_zalloc(&a, ((size_t)column_count + 1) * sizeof(*ids));
    bool has_ids = t->lake->type->column_ids != NULL;
    if (has_ids && !t->lake->type->column_ids(t->lake, t->schema, ids, err)) {
        return error_wrap(err, "table %s", t->name);
    }
    uint32_t used = 0;
    for (uint32_t i = 0; i < column_count; i++) {
        if (!gather(t, &f->chosen, i, &a, &columns[used], err)) {
            return false;
        }
        if (statistics) {
            lake_statistics_collect(&columns[used], f->chosen.count, &p->arena, &statistics[i]);
        }
        if (!is_in_metadata(t, i)) {
            ids[used] = ids[i]; /* `used` is never ahead of i */
            names[used++] = t->schema->columns[i].name;
        }
    }
    if (is_change) {
        gather_changes(&f->chosen, &a, &columns[used]);
        names[used++] = "_change_type";
    }
    const char **partition = arena_array(&p->arena, t->partition_count + 1, sizeof(*partition));
    for (uint32_t i = 0; i < t->partition_count; i++) {
        const char *text = f->partition[i];
        partition[i] = text ? arena_string(&p->arena, text, strlen(text)) : NULL;
    }
    *out = (struct lake_new_file){.partition = partition, .statistics = statistics};
    out->path = is_change ? lake_change_path(&p->arena, t->partition, t->partition_count, partition)
                          : lake_data_path(&p->arena, t->lake->type->data_directory, t->partition,
                                           t->partition_count, partition);
    return write_columns(t, &(struct engine_input){names, columns, used, f->chosen.count},
                         has_ids ? ids : NULL, out, err);
}

static bool write_rows(struct table *t, struct plan *p, const struct plan_rows *rows,
                       bool is_change, struct error *err)
{
    if (rows->count == 0) {
        return true;
    }
    owned(arena_release) struct arena a = {0};
    struct file_rows *split_files = NULL;
    uint32_t count = 0;
    if (!split(t, rows, &a, &split_files, &count, err)) {
        return false;
    }
    struct lake_new_file *files = arena_array(&p->arena, count, sizeof(*files));
    if (is_change) {
        p->change_files = files;
    } else {
        p->files = files;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!write_file(t, p, &split_files[i], is_change, &files[i], err)) {
            return false;
        }
        /* Counted one by one, so that a failure removes what there is. */
        if (is_change) {
            p->change_file_count++;
            continue;
        }
        p->file_count++;
        for (uint32_t row = 0; row < split_files[i].chosen.count; row++) {
            p->places[split_files[i].chosen.order[row]] = place_make(i, row);
        }
    }
    return true;
}

static const char **all_paths(struct plan *p)
{
    const char **paths =
        arena_array(&p->arena, (size_t)p->file_count + p->change_file_count, sizeof(*paths));
    for (uint32_t i = 0; i < p->file_count; i++) {
        paths[i] = p->files[i].path;
    }
    for (uint32_t i = 0; i < p->change_file_count; i++) {
        paths[p->file_count + i] = p->change_files[i].path;
    }
    return paths;
}

bool write_files(struct table *t, struct plan *p, struct error *err)
{
    failpoint("table_before_write");
    if (!write_rows(t, p, &p->data, false, err) || !write_rows(t, p, &p->changes, true, err)) {
        return false;
    }
    failpoint("table_after_write");
    size_t count = (size_t)p->file_count + p->change_file_count;
    if (count > 0 && !store_publish(t->lake->store, all_paths(p), count, err)) {
        return error_wrap(err, "table %s", t->name);
    }
    failpoint("table_after_publish");
    return true;
}

void write_undo(struct table *t, struct plan *p)
{
    const char **paths = all_paths(p);
    for (size_t i = 0; i < (size_t)p->file_count + p->change_file_count; i++) {
        struct error ignored = {0}; /* an orphan file harms nobody; vacuum finds it */
        (void)!store_remove(t->lake->store, paths[i], &ignored);
    }
}
