/* What a REST catalog's server says of itself: GET /v1/config. [REST catalog API, getConfig] */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "config/config.h"

struct rest_settings {
    const char *uri;            /* without a slash at its end */
    const char *prefix;         /* as it stands in paths, "" or "a/b/" */
    const char *separator;      /* of namespace levels in paths: "%1F" */
    const char *separator_text; /* the same, decoded */
};

/* What holds before the server is asked: no prefix. ERROR_CONFIG: no uri, or one with a user, a
 * query or a fragment in it, so that messages may show it. */
must_check bool rest_settings_initial(const struct catalog_config *config, struct arena *a,
                                      struct rest_settings *out, struct error *err);

/* Reads the answer. Its defaults yield to our configuration, its overrides do not. An address that
 * is another server's is not followed: credentials stay where they were meant to go. ERROR_CONFIG
 * names a setting that cannot be used. `out` is the initial ones. */
must_check bool rest_settings_read(const json_t *answer, const struct catalog_config *config,
                                   struct arena *a, struct rest_settings *out, struct error *err);
