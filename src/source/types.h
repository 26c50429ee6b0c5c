/* The sources that exist. */
#pragma once

#include "source/source.h"

extern const struct source_type postgres_source; /* PostgreSQL 13 and newer, logical replication */
extern const struct source_type mysql_source;    /* MySQL and MariaDB, their binary log */
extern const struct source_type delta_source;    /* a Delta table */
extern const struct source_type iceberg_source;  /* an Iceberg table */
