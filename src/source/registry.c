#include <string.h>

#include "source/types.h"

const struct source_type *const source_types[] = {&postgres_source, &mysql_source, &delta_source,
                                                  &iceberg_source, NULL};

const struct source_type *source_type_find(const char *name)
{
    for (size_t i = 0; source_types[i]; i++) {
        if (strcmp(source_types[i]->name, name) == 0) {
            return source_types[i];
        }
    }
    return NULL;
}
