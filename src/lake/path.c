#include "lake/lake.h"

/* A file name has at most 255 bytes. */
enum { NAME_SIZE_MAX = 100 };

/* Directories are for people: the table's metadata has the value. So whatever would have to be
 * encoded in a path or a URL becomes '_' instead of Hive's escape: some readers decode paths once
 * too often or not at all, and a name that needs no encoding is read by all of them. Files have
 * unique names of their own. */
static void append_plain(const char *text, struct buf *out)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size && i < NAME_SIZE_MAX; i++) {
        bool plain = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z') ||
                     (text[i] >= '0' && text[i] <= '9') || strchr("-._", text[i]);
        buf_append_text(out, plain ? (char[]){text[i], '\0'} : "_");
    }
}

static char *make_path(struct arena *a, const char *directory, const char *name,
                       const struct lake_partition_field *fields, uint32_t field_count,
                       const char *const *partition)
{
    owned(buf_release) struct buf out = {0};
    buf_append_text(&out, directory);
    for (uint32_t i = 0; i < field_count; i++) {
        append_plain(fields[i].name, &out);
        buf_append_char(&out, '=');
        append_plain(partition[i] ? partition[i] : "__HIVE_DEFAULT_PARTITION__", &out);
        buf_append_char(&out, '/');
    }
    char id[UUID_TEXT_SIZE];
    random_uuid(id);
    buf_append_format(&out, "%s-%s.zstd.parquet", name, id);
    return arena_string(a, out.data, out.size);
}

char *lake_data_path(struct arena *a, const char *directory,
                     const struct lake_partition_field *fields, uint32_t field_count,
                     const char *const *partition)
{
    return make_path(a, directory, "part", fields, field_count, partition);
}

char *lake_change_path(struct arena *a, const struct lake_partition_field *fields,
                       uint32_t field_count, const char *const *partition)
{
    return make_path(a, "_change_data/", "cdc", fields, field_count, partition);
}
