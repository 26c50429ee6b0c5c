/* A transform bound to one schema, as transform.c makes it and apply.c runs it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "model/schema.h"
#include "transform/outputs.h"
#include "transform/statement.h"
#include "transform/transform.h"

enum { SLOT_CHANGES = 0 };

struct transform {
    struct engine_connection *connection; /* borrowed */
    struct statement *statement;
    struct schema *input; /* NULL: not bound */
    struct schema *output;
    struct outputs outputs;
    struct engine_statement *query; /* NULL: every output is plain and nothing is filtered */
    const char **names;             /* of slot 0: the input's and the metadata, in outputs' arena */
};
