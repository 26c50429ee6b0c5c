/* A manifest and a manifest list; what is read is written, and read again. */
#include <stdlib.h>

#include "../unit/iceberg/manifest_fixture.h"
#include "iceberg/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As many entries with the same paths, of which the list knows the number. */
static void compare(const struct iceberg_entries *before, const struct iceberg_entries *after,
                    const struct iceberg_manifest *m)
{
    if (before->count != after->count ||
        m->added_files + m->existing_files + m->deleted_files != before->count) {
        abort();
    }
    for (uint32_t i = 0; i < before->count; i++) {
        const struct iceberg_file *a = &before->items[i].file;
        const struct iceberg_file *b = &after->items[i].file;
        if (strcmp(a->path, b->path) != 0 || a->record_count != b->record_count ||
            a->metrics_count < b->metrics_count) {
            abort();
        }
        for (uint32_t k = 0; k < a->partition_count; k++) {
            if (!str_equal(a->partition[k], b->partition[k])) {
                abort();
            }
        }
    }
}

static void look_at_manifest(struct str data, const struct fixture *f, struct arena *a)
{
    struct error err = {0};
    struct iceberg_manifest m = {
        .path = "m", .spec_id = FIXTURE_SPEC_ID, .snapshot_id = 9, .sequence_number = 3};
    struct iceberg_entries entries = {0};
    if (!iceberg_manifest_decode(data, &m, &f->metadata, a, &entries, &err)) {
        return;
    }
    int32_t spec_id = entries.count > 0 ? entries.items[0].spec_id : 0;
    struct iceberg_manifest_write write = {
        .metadata = &f->metadata,
        .spec = &f->specs[spec_id == FIXTURE_SPEC_ID],
        .is_deletes = entries.count > 0 && entries.items[0].file.content != ICEBERG_DATA,
        .snapshot_id = 10,
        .sequence_number = 4,
    };
    struct buf out = {0};
    struct iceberg_entries again = {0};
    if (iceberg_manifest_encode(&entries, &write, a, &out, &m, &err)) {
        if (!iceberg_manifest_decode(buf_str(&out), &m, &f->metadata, a, &again, &err)) {
            abort();
        }
        compare(&entries, &again, &m);
    }
    buf_release(&out);
}

static void look_at_list(struct str data, struct arena *a)
{
    struct error err = {0};
    struct iceberg_manifests list = {0};
    struct iceberg_manifests again = {0};
    struct buf out = {0};
    if (iceberg_manifest_list_decode(data, a, &list, &err) &&
        iceberg_manifest_list_encode(&list, 1, -1, 5, &out, &err) &&
        (!iceberg_manifest_list_decode(buf_str(&out), a, &again, &err) ||
         list.count != again.count)) {
        abort();
    }
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture f; /* made once: its JSON takes longer than an input */
    struct arena a = {0};
    if (!f.metadata.json) {
        fixture_init(&f);
    }
    look_at_manifest((struct str){(const char *)data, size}, &f, &a);
    look_at_list((struct str){(const char *)data, size}, &a);
    arena_release(&a);
    return 0;
}
