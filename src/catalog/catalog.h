/* Opens the catalog that a configuration names. */
#pragma once

#include "base/attr.h"
#include "base/error.h"
#include "config/config.h"
#include "iceberg/catalog.h"

/* ERROR_CONFIG when the settings do not fit; a REST catalog is asked for its own settings (GET
 * /v1/config), which may be ERROR_RETRY. */
must_check struct iceberg_catalog *catalog_open(const struct catalog_config *config,
                                                struct error *err);

/* A filesystem catalog whose tables lie at <warehouse>/<namespace levels>/<table>. A warehouse is a
 * path or a URI; tables are made with absolute URIs. Only programs that make metadata files as this
 * one does (never over an existing one) may write to the same tables. */
must_check struct iceberg_catalog *catalog_open_filesystem(const char *warehouse,
                                                           struct error *err);

/* A catalog of the one table at a location (its directory, or one of its metadata files, which is
 * then taken as the current one and cannot be committed to), whatever name it is asked for (NULL is
 * fine). A table whose metadata files are named as catalogs with a pointer elsewhere do it is read
 * from the one of the highest number, and committing is ERROR_CONFIG. */
must_check struct iceberg_catalog *catalog_open_location(const char *location, struct error *err);
