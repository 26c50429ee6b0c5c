/* Who we are for a REST catalog: nobody, a fixed bearer token, or an OAuth2 client that gets tokens
 * and renews them before they end. [RFC 6749, 4.4; REST catalog API, getToken] */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "config/config.h"
#include "net/http.h"

struct rest_auth;

/* ERROR_CONFIG: the settings do not fit together. */
must_check struct rest_auth *rest_auth_new(const struct catalog_config *config, struct error *err);
void rest_auth_free(struct rest_auth **a);

/* The header to send, borrowed until the next call; *header NULL: none. May ask the token endpoint:
 * ERROR_RETRY, not to be had now; ERROR_CONFIG, refused. */
must_check bool rest_auth_header(struct rest_auth *a, struct http_client *http, const char **header,
                                 struct error *err);

/* The server refused the token. False: another cannot be had. */
bool rest_auth_renew(struct rest_auth *a);

/* Whether a text for people holds the token or the client's secret, as servers that quote the
 * request have it. */
bool rest_auth_is_quoted(const struct rest_auth *a, const char *text);

struct rest_token {
    char *text;          /* owned */
    int64_t lifetime_ms; /* -1: not said */
};

/* Reads the answer of a token endpoint. ERROR_CONFIG: there is no bearer token in it. */
must_check bool rest_token_read(struct str body, struct rest_token *out, struct error *err);
