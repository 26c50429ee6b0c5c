/* Apache Iceberg tables. */
#pragma once

#include "lake/history.h"
#include "lake/lake.h"

extern const struct lake_type iceberg_lake;
extern const struct lake_history_type iceberg_history;
