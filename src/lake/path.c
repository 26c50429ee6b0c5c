#include <inttypes.h>

#include "base/hash.h"
#include "lake/lake.h"
#include "store/uri.h"

/* A file name has at most 255 bytes; the name of the directory is for people, the table's metadata
 * has the value. */
enum { VALUE_SIZE_MAX = 100 };

/* Hive's form: what is not plain in a path or a URL is percent-encoded, in the name itself. */
static void append_value(const char *value, struct buf *out)
{
    if (!value) {
        buf_append_text(out, "__HIVE_DEFAULT_PARTITION__");
        return;
    }
    owned(buf_release) struct buf encoded = {0};
    uri_encode(str_from(value), "", &encoded);
    if (encoded.size <= VALUE_SIZE_MAX) {
        buf_append(out, encoded.data, encoded.size);
        return;
    }
    size_t size = VALUE_SIZE_MAX;
    while (encoded.data[size - 1] == '%' || encoded.data[size - 2] == '%') {
        size--; /* an escape stays whole */
    }
    buf_append(out, encoded.data, size);
    buf_append_format(out, "-%016" PRIx64, hash_bytes(value, strlen(value)));
}

static char *make_path(struct arena *a, const char *directory, const char *name,
                       const struct schema *schema, const uint32_t *partition_columns,
                       uint32_t partition_count, const char *const *partition)
{
    owned(buf_release) struct buf out = {0};
    buf_append_text(&out, directory);
    for (uint32_t i = 0; i < partition_count; i++) {
        uri_encode(str_from(schema->columns[partition_columns[i]].name), "", &out);
        buf_append_char(&out, '=');
        append_value(partition[i], &out);
        buf_append_char(&out, '/');
    }
    char id[UUID_TEXT_SIZE];
    random_uuid(id);
    buf_append_format(&out, "%s-%s.zstd.parquet", name, id);
    return arena_string(a, out.data, out.size);
}

char *lake_data_path(struct arena *a, const struct schema *schema,
                     const uint32_t *partition_columns, uint32_t partition_count,
                     const char *const *partition)
{
    return make_path(a, "", "part", schema, partition_columns, partition_count, partition);
}

char *lake_change_path(struct arena *a, const struct schema *schema,
                       const uint32_t *partition_columns, uint32_t partition_count,
                       const char *const *partition)
{
    return make_path(a, "_change_data/", "cdc", schema, partition_columns, partition_count,
                     partition);
}
