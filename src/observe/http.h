/* A small HTTP server that answers GET and HEAD for a fixed set of pages, in a thread of its own.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

struct http;

struct http_reply {
    unsigned status;          /* 200 unless changed */
    const char *content_type; /* static text; "text/plain; charset=utf-8" unless changed */
    struct buf body;
};

/* One page. `answer` runs in the server's thread and must be quick. */
struct http_page {
    const char *path; /* "/metrics"; static text */
    void (*answer)(void *arg, struct http_reply *reply);
    void *arg; /* must outlive the server */
};

/* Listens at "host:port" or ":port" (all interfaces, IPv6 and IPv4); port 0 takes any free one. The
 * pages are copied. An address that cannot be had is ERROR_CONFIG naming it. */
must_check struct http *http_start(const char *listen, const struct http_page *pages, size_t count,
                                   struct error *err);

/* The port it listens at. */
uint16_t http_port(const struct http *h);

/* Ends the server; open requests are cut. NULL is fine. */
void http_stop(struct http **h);
