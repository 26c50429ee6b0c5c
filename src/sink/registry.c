#include <string.h>

#include "sink/types.h"

const struct sink_type *const sink_types[] = {
    &delta_sink,
    &iceberg_sink,
    &stdout_sink,
    NULL,
};

const struct sink_type *sink_type_find(const char *name)
{
    for (size_t i = 0; sink_types[i]; i++) {
        if (strcmp(sink_types[i]->name, name) == 0) {
            return sink_types[i];
        }
    }
    return NULL;
}
