/* What the catalog prints as text: lists of labels and defaults. */
#include <stdlib.h>
#include <string.h>

#include "source/mysql/catalog_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_default(const char *text, const char *data_type, bool is_mariadb,
                         struct arena *arena)
{
    struct my_catalog_column c = {.data_type = data_type, .nullable = true};
    my_catalog_read_default(&c, is_mariadb, arena, text, "");
    if (c.has_default == c.default_is_expression) { /* it is one of them */
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct error err = {0};
    const char *text = arena_string(&arena, (const char *)data, size);
    struct my_catalog_column c = {0};
    if (my_catalog_labels(text, &arena, &c, &err)) {
        if (c.label_count == 0) {
            abort();
        }
        size_t bytes = 0;
        for (uint32_t i = 0; i < c.label_count; i++) {
            bytes += strlen(c.labels[i]);
        }
        if (bytes > size) {
            abort();
        }
    }
    static const char *const types[] = {"varchar", "bit", "timestamp", "varbinary"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        read_default(text, types[i], true, &arena);
        read_default(text, types[i], false, &arena);
    }
    arena_release(&arena);
    return 0;
}
