/* Delta Lake as a table format. Specification: PROTOCOL.md of delta-io/delta. */
#pragma once

#include "lake/lake.h"

extern const struct lake_type delta_lake;
