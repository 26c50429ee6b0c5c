/* Requests to a REST catalog: paths, tokens, JSON both ways. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "catalog/rest_answer.h"
#include "catalog/rest_auth.h"
#include "catalog/rest_settings.h"
#include "config/config.h"
#include "iceberg/catalog.h"
#include "net/http.h"

struct rest_client {
    struct arena arena;
    struct http_client *http;
    struct rest_auth *auth;
    struct rest_settings settings;
};

/* Fills `c` and asks the server for its settings. After a failure, too, it has to be released. */
must_check bool rest_client_open(struct rest_client *c, const struct catalog_config *config,
                                 struct error *err);
void rest_client_release(struct rest_client *c);

/* Sends `body` (borrowed; NULL: a GET) to a path below .../v1/[prefix/]. True: an answer came, of
 * any status; 401 is among them only where another token did not help. ERROR_UNKNOWN: a POST was
 * sent and not answered; a GET never gives it. */
must_check bool rest_client_send(struct rest_client *c, const char *path, const json_t *body,
                                 struct rest_answer *answer, struct error *err);

/* Sets the error that an answer is; false. */
bool rest_client_refuse(const struct rest_client *c, const struct rest_answer *answer,
                        struct error *err);

/* Appends "namespaces/a%1Fb" of the first `level_count` levels of a name, or
 * "namespaces/a%1Fb/tables/t" of all of it. ERROR_CONFIG: a part that cannot stand in a path, or a
 * level that the server would take for two. */
must_check bool rest_client_append_namespace(const struct rest_client *c,
                                             const struct iceberg_name *name, uint32_t level_count,
                                             struct buf *path, struct error *err);
must_check bool rest_client_append_table(const struct rest_client *c,
                                         const struct iceberg_name *name, struct buf *path,
                                         struct error *err);
