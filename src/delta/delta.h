/* Delta Lake as a table format. Specification: PROTOCOL.md of delta-io/delta. */
#pragma once

#include "lake/history.h"
#include "lake/lake.h"

extern const struct lake_type delta_lake;
extern const struct lake_history_type delta_history;
