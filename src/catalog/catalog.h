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

/* A filesystem catalog whose tables lie at <warehouse>/<namespace>/<table>. */
must_check struct iceberg_catalog *catalog_open_filesystem(const char *warehouse,
                                                           struct error *err);

/* A catalog of the one table at a location (its directory, or one of its metadata files, which is
 * then taken as the current one and cannot be committed to), whatever name it is asked for. */
must_check struct iceberg_catalog *catalog_open_location(const char *location, struct error *err);
