/* A catalog behind the Iceberg REST protocol. [REST catalog API] */
#pragma once

#include "base/attr.h"
#include "base/error.h"
#include "config/config.h"
#include "iceberg/catalog.h"

/* Asks the server for its settings (GET /v1/config), so the first connection and the first token
 * are made here. ERROR_CONFIG: the settings do not fit, or the server refuses them or whom we are.
 * ERROR_RETRY: it cannot be reached, or not now.
 *
 * A request that may have changed something is never sent again here: a commit or a create whose
 * answer did not come, or came from somebody who cannot know (5xx), is ERROR_UNKNOWN. What the
 * server refused for certain is told by kind: 409 ERROR_CONFLICT; 419 and 429 ERROR_RETRY; other
 * 4xx and a redirect ERROR_CONFIG with its words. A refused token (401) is renewed once. A new
 * table's field ids are the server's: read them from the metadata that create gives. `config` may
 * go afterwards. */
must_check struct iceberg_catalog *rest_catalog_open(const struct catalog_config *config,
                                                     struct error *err);
