#include "observe/health.h"

#include <assert.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "observe/metrics.h"

struct health {
    pthread_mutex_t lock;
    json_t *pipelines; /* name -> {ready, reason} */
};

struct health *health_new(void)
{
    struct health *h = calloc(1, sizeof(*h));
    if (!h) {
        abort();
    }
    (void)pthread_mutex_init(&h->lock, NULL);
    h->pipelines = json_object();
    return h;
}

void health_free(struct health **h)
{
    if (*h) {
        struct health *taken = take(*h);
        json_decref(taken->pipelines);
        (void)pthread_mutex_destroy(&taken->lock);
        free(taken);
    }
}

void health_set(struct health *h, const char *pipeline, bool ready, const char *reason)
{
    json_t *entry = ready ? json_pack("{s:b}", "ready", 1)
                          : json_pack("{s:b, s:s%}", "ready", 0, "reason", reason, strlen(reason));
    if (!entry) { /* a reason that is not UTF-8: jansson refuses it */
        entry = json_pack("{s:b, s:s}", "ready", 0, "reason", "unknown");
    }
    (void)pthread_mutex_lock(&h->lock);
    int failed = json_object_set_new(h->pipelines, pipeline, entry);
    (void)pthread_mutex_unlock(&h->lock);
    assert(!failed); /* pipeline names are ASCII */
    metric_set(METRIC_READY, &(struct metric_labels){.pipeline = pipeline}, ready);
}

void health_answer_live(void *arg, struct http_reply *reply)
{
    (void)arg;
    reply->content_type = "application/json";
    buf_append_text(&reply->body, "{\"status\":\"alive\"}\n");
}

static int append_json(const char *data, size_t size, void *arg)
{
    buf_append(arg, data, size);
    return 0;
}

void health_answer_ready(void *arg, struct http_reply *reply)
{
    struct health *h = arg;
    (void)pthread_mutex_lock(&h->lock);
    bool ready = json_object_size(h->pipelines) > 0;
    const char *name = NULL;
    json_t *entry = NULL;
    json_object_foreach(h->pipelines, name, entry)
    {
        ready = ready && json_is_true(json_object_get(entry, "ready"));
    }
    json_t *page =
        json_pack("{s:s, s:O}", "status", ready ? "ready" : "not ready", "pipelines", h->pipelines);
    int failed = json_dump_callback(page, append_json, &reply->body, JSON_COMPACT);
    json_decref(page);
    (void)pthread_mutex_unlock(&h->lock);

    assert(!failed);
    buf_append_char(&reply->body, '\n');
    reply->content_type = "application/json";
    reply->status = ready ? 200 : 503;
}
