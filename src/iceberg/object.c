#include "iceberg/object.h"

#include <inttypes.h>
#include <strings.h>

#include "format/bitmap.h"
#include "iceberg/location.h"

enum { OBJECT_SIZE_MAX = 1 << 30, FILE_PATH_ID = 2147483546 };

bool iceberg_object_get(const struct iceberg_objects *o, const char *uri, struct buf *out,
                        struct error *err)
{
    owned(buf_release) struct buf key = {0};
    if (!iceberg_location_key(o->location, uri, &key, err)) {
        return false;
    }
    if (!store_get(o->store, buf_text(&key), OBJECT_SIZE_MAX, out, err)) {
        if (err->kind == ERROR_CONFLICT) {
            (void)error_recast(err, ERROR_LOST);
        }
        return error_wrap(err, "file \"%s\"", uri);
    }
    return true;
}

/* ---- manifests ---- */

static void list_inline(const struct iceberg_snapshot *s, struct arena *a,
                        struct iceberg_manifests *out)
{
    size_t count = json_array_size(s->manifests);
    out->items = arena_zalloc(a, (count + 1) * sizeof(*out->items));
    out->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        const char *path = json_string_value(json_array_get(s->manifests, i));
        out->items[i] = (struct iceberg_manifest){.path = path ? path : "",
                                                  .snapshot_id = s->id,
                                                  .added_files = -1,
                                                  .existing_files = -1,
                                                  .deleted_files = -1};
    }
}

bool iceberg_list_read(const struct iceberg_objects *o, const struct iceberg_snapshot *s,
                       struct arena *a, struct iceberg_manifests *out, struct error *err)
{
    owned(buf_release) struct buf data = {0};
    if (!s->manifest_list) {
        list_inline(s, a, out);
        return true;
    }
    return iceberg_object_get(o, s->manifest_list, &data, err) &&
           (iceberg_manifest_list_decode(buf_str(&data), a, out, err) ||
            error_wrap(err, "manifest list \"%s\"", s->manifest_list));
}

bool iceberg_manifest_read(const struct iceberg_objects *o, const struct iceberg_metadata *metadata,
                           const struct iceberg_manifest *m, struct arena *a,
                           struct iceberg_entries *out, struct error *err)
{
    owned(buf_release) struct buf data = {0};
    return iceberg_object_get(o, m->path, &data, err) &&
           (iceberg_manifest_decode(buf_str(&data), m, metadata, a, out, err) ||
            error_wrap(err, "manifest \"%s\"", m->path));
}

/* ---- deletes ---- */

static bool is_vector(const struct iceberg_file *file)
{
    return file->content == ICEBERG_POSITION_DELETES && strcasecmp(file->format, "puffin") == 0;
}

const char *iceberg_deletes_name(const struct iceberg_file *file, struct arena *a)
{
    return is_vector(file) ? arena_format(a, "%s@%" PRId64, file->path, file->content_offset)
                           : file->path;
}

bool iceberg_deletes_check(const struct iceberg_file *file, struct error *err)
{
    if (file->content == ICEBERG_EQUALITY_DELETES) {
        return error_set(err, ERROR_CONFIG,
                         "the table has equality deletes (file \"%s\"), which are not supported; "
                         "rewrite its data files first",
                         file->path);
    }
    return strcasecmp(file->format, "parquet") == 0 || is_vector(file) ||
           error_set(err, ERROR_CONFIG,
                     "the table has deletes in %s files (\"%s\"), which are not supported",
                     file->format, file->path);
}

struct str iceberg_deletes_referenced(const struct iceberg_file *file)
{
    if (file->referenced_file) {
        return str_from(file->referenced_file);
    }
    for (uint32_t i = 0; i < file->metrics_count; i++) {
        const struct iceberg_metrics *m = &file->metrics[i];
        if (m->field_id == FILE_PATH_ID && m->lower.data && m->upper.data &&
            str_equal(m->lower, m->upper)) {
            return m->lower;
        }
    }
    return (struct str){0};
}

static bool take_positions(const struct column *columns, uint32_t row_count,
                           iceberg_position_fn *fn, void *arg, struct error *err)
{
    const struct view *paths = columns[0].values;
    const int64_t *positions = columns[1].values;
    for (uint32_t i = 0; i < row_count; i++) {
        /* Whatever cannot be read as a delete is never "no delete". */
        if (!column_is_valid(&columns[0], i) || !column_is_valid(&columns[1], i) ||
            positions[i] < 0 || positions[i] > UINT32_MAX) {
            return error_set(err, ERROR_DATA, "row %u has no path or no valid position", i);
        }
        if (!fn(arg, view_str(&paths[i]), (uint32_t)positions[i], err)) {
            return false;
        }
    }
    return true;
}

static bool read_positions(const struct iceberg_objects *o, const struct iceberg_file *file,
                           iceberg_position_fn *fn, void *arg, struct error *err)
{
    owned(buf_release) struct buf key = {0};
    owned(buf_release) struct buf path = {0};
    owned(buf_release) struct buf sql = {0};
    if (!iceberg_location_key(o->location, file->path, &key, err)) {
        return false;
    }
    if (!store_fetch(o->store, buf_text(&key), &path, err)) {
        return err->kind == ERROR_CONFLICT ? error_recast(err, ERROR_LOST) : false;
    }
    buf_append_text(&sql, "SELECT file_path::VARCHAR, pos::BIGINT FROM read_parquet(");
    engine_append_path(buf_text(&path), &sql);
    buf_append_text(&sql, ", hive_partitioning = false)");
    owned(engine_rows_free) struct engine_rows *rows = engine_query(o->engine, buf_text(&sql), err);
    const struct column *columns = NULL;
    uint32_t row_count = 0;
    do {
        if (!rows || !engine_rows_next(rows, &columns, &row_count, err) ||
            !take_positions(columns, row_count, fn, arg, err)) {
            return false;
        }
    } while (row_count > 0);
    return true;
}

static bool hand_over(const struct iceberg_file *file, const roaring_bitmap_t *rows,
                      iceberg_position_fn *fn, void *arg, struct error *err)
{
    roaring_uint32_iterator_t i;
    roaring_init_iterator(rows, &i);
    for (; i.has_value; roaring_advance_uint32_iterator(&i)) {
        if (!fn(arg, str_from(file->referenced_file), i.current_value, err)) {
            return false;
        }
    }
    return true;
}

/* A vector is a blob in a Puffin file; the manifest says where. [Puffin spec, deletion-vector-v1]
 */
static bool read_vector(const struct iceberg_objects *o, const struct iceberg_file *file,
                        iceberg_position_fn *fn, void *arg, struct error *err)
{
    owned(buf_release) struct buf data = {0};
    struct str bytes;
    if (!iceberg_object_get(o, file->path, &data, err)) {
        return false;
    }
    if (!file->referenced_file || file->content_offset < 0 || file->content_size < 0 ||
        (uint64_t)file->content_offset > data.size ||
        (uint64_t)file->content_size > data.size - (uint64_t)file->content_offset) {
        return error_set(err, ERROR_DATA, "the manifest does not say where its vector is");
    }
    struct reader r = reader_from(data.data + file->content_offset, (size_t)file->content_size);
    if (!bitmap_cut(&r, &bytes, err)) {
        return false;
    }
    roaring_bitmap_t *rows = bitmap_decode(bytes, err);
    if (!rows) {
        return false;
    }
    bool done = hand_over(file, rows, fn, arg, err);
    roaring_bitmap_free(rows);
    return done;
}

bool iceberg_positions_read(const struct iceberg_objects *o, const struct iceberg_file *file,
                            iceberg_position_fn *fn, void *arg, struct error *err)
{
    if (!o->engine) {
        return error_set(err, ERROR_FATAL, "deletes cannot be read without an engine");
    }
    return (is_vector(file) ? read_vector : read_positions)(o, file, fn, arg, err) ||
           error_wrap(err, "delete file \"%s\"", file->path);
}
