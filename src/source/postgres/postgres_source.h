/* PostgreSQL (13 and newer) by logical replication: one publication, one slot, the plugin pgoutput.
 */
#pragma once

#include "source/source.h"

extern const struct source_type postgres_source;
