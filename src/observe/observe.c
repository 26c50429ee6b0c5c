#include "observe/observe.h"

#include <stdlib.h>
#include <string.h>

#include "observe/http.h"
#include "observe/metrics.h"

struct observe {
    struct http *servers[2];
};

static void answer_metrics(void *arg, struct http_reply *reply)
{
    (void)arg;
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_write(&reply->body);
}

static bool start(struct http **server, const char *listen, const struct http_page *pages,
                  size_t count, struct error *err)
{
    if (strcmp(listen, "off") == 0) {
        return true;
    }
    *server = http_start(listen, pages, count, err);
    return *server != NULL;
}

struct observe *observe_start(const struct observe_config *config, struct health *health,
                              struct error *err)
{
    const struct http_page pages[] = {
        {.path = "/metrics", .answer = answer_metrics},
        {.path = "/health", .answer = health_answer_live, .arg = health},
        {.path = "/ready", .answer = health_answer_ready, .arg = health},
    };
    owned(observe_stop) struct observe *o = calloc(1, sizeof(*o));
    if (!o) {
        abort();
    }
    bool shared = strcmp(config->metrics, config->health) == 0;
    if (!start(&o->servers[0], config->metrics, pages, shared ? 3 : 1, err)) {
        return NULL;
    }
    if (!shared && !start(&o->servers[1], config->health, pages + 1, 2, err)) {
        return NULL;
    }
    return take(o);
}

void observe_stop(struct observe **o)
{
    if (*o) {
        struct observe *taken = take(*o);
        http_stop(&taken->servers[0]);
        http_stop(&taken->servers[1]);
        free(taken);
    }
}
