/* An HTTP client: one request at a time, bounded answers, deadlines. [RFC 9110]
 *
 * What it does not do: send a request twice (only the caller knows what may be repeated; a GET or
 * HEAD on a kept connection that turns out to be dead goes out on a new one, though), follow
 * redirects (they are answers like others, and credentials stay with the host they are for), use
 * proxies that the environment names, keep cookies, read ~/.netrc. HTTP/1.1 only.
 *
 * Connections are kept between requests. One client belongs to one thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

struct http_client;

struct http_options {
    int64_t connect_timeout_ms; /* 0: 10 s */
    int64_t timeout_ms;         /* of a whole request; 0: 60 s */
    uint64_t answer_size_max;   /* bytes; 0: 64 MiB */
    const char *ca_file;        /* PEM; NULL: the system's */
    bool insecure;              /* certificates are not checked */
    bool accept_gzip;           /* answers may come compressed and are unpacked */
};

struct http_client *http_client_new(const struct http_options *options);
void http_client_free(struct http_client **c);

struct http_request {
    const char *method;         /* "GET" ... */
    const char *url;            /* http:// or https://, without user and password */
    const char *const *headers; /* "Name: value", ends with NULL; may be NULL */
    struct str body;            /* data NULL: none; borrowed */
};

struct http_answer {
    int status;
    struct buf body;
    char content_type[128];
    int64_t retry_after_ms; /* of the header, at most a day; -1: none */
};

/* True when an answer came, whatever its status. Otherwise: ERROR_RETRY, nothing was sent (no
 * connection, TLS failed for a passing reason); ERROR_CONFIG, nothing was sent and it will not get
 * better (bad URL or header, certificate refused, unknown host); ERROR_UNKNOWN, the request was
 * sent, at least in part, and the answer did not come whole, or is larger than answer_size_max. The
 * message has host and path, never query, headers or bodies. `answer` is overwritten; it is empty
 * after a failure. */
must_check bool http_send(struct http_client *c, const struct http_request *request,
                          struct http_answer *answer, struct error *err);
void http_answer_release(struct http_answer *a);

/* Appends text percent-encoded: everything but A-Z a-z 0-9 - . _ ~ */
void http_append_encoded(struct str text, struct buf *out);
