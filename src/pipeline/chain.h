/* The transforms of a pipeline, in the configuration's order, for each of its tables. Reader thread
 * only.
 *
 * They run once, before the sinks; a pipeline without SQL opens no engine. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "config/config.h"
#include "model/event.h"
#include "source/source.h"

struct chain;

/* Binds every transform to the tables it names (none named: all). A name that the source does not
 * have is ERROR_CONFIG. */
struct chain *chain_new(const struct pipeline_config *config, const struct source *source,
                        struct error *err);
void chain_free(struct chain **c);

/* The schema in which a table's batches come out now. Borrowed until the table's schema changes. */
const struct schema *chain_schema(const struct chain *c, uint32_t table);

/* True when a transform may drop rows of the table. */
bool chain_filters(const struct chain *c, uint32_t table);

/* Replaces the event's batch or schema by its transformed one; other events pass as they are. */
must_check bool chain_apply(struct chain *c, struct event *event, struct error *err);
