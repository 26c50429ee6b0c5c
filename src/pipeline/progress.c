#include "pipeline/progress.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/attr.h"

struct sink_progress {
    struct position staged;
    struct position durable;
};

struct progress {
    pthread_mutex_t lock;
    struct position received;
    struct position acknowledged;
    uint32_t sink_count;
    struct sink_progress sinks[];
};

struct progress *progress_new(uint32_t sink_count, struct position start)
{
    struct progress *p = calloc(1, sizeof(*p) + sink_count * sizeof(p->sinks[0]));
    if (!p) {
        abort();
    }
    pthread_mutex_init(&p->lock, NULL);
    p->received = start;
    p->acknowledged = start;
    p->sink_count = sink_count;
    for (uint32_t i = 0; i < sink_count; i++) {
        p->sinks[i] = (struct sink_progress){.staged = start, .durable = start};
    }
    return p;
}

void progress_free(struct progress **p)
{
    struct progress *old = take(*p);
    if (old) {
        pthread_mutex_destroy(&old->lock);
        free(old);
    }
}

static void find_durable_of_all(const struct progress *p, struct position *out)
{
    *out = p->received;
    for (uint32_t i = 0; i < p->sink_count; i++) {
        if (!position_has(&p->sinks[i].durable, out)) {
            *out = position_meet(*out, p->sinks[i].durable);
        }
    }
}

/* A wrong position must crash, not acknowledge. */
static void assert_law(const struct progress *p)
{
    for (uint32_t i = 0; i < p->sink_count; i++) {
        assert(position_has(&p->received, &p->sinks[i].staged));
        assert(position_has(&p->sinks[i].staged, &p->sinks[i].durable));
        assert(position_has(&p->sinks[i].durable, &p->acknowledged));
    }
}

void progress_hold(struct progress *p, uint32_t sink, struct position position)
{
    struct position durable;
    pthread_mutex_lock(&p->lock);
    find_durable_of_all(p, &durable);
    assert(sink < p->sink_count && position_equal(p->acknowledged, durable));
    position = position_meet(position, p->received);
    p->sinks[sink] = (struct sink_progress){.staged = position, .durable = position};
    p->acknowledged = position_meet(p->acknowledged, position);
    assert_law(p);
    pthread_mutex_unlock(&p->lock);
}

void progress_follow(struct progress *p, uint32_t sink, struct position position)
{
    pthread_mutex_lock(&p->lock);
    assert(sink < p->sink_count);
    struct sink_progress *s = &p->sinks[sink];
    s->durable = position_join(s->durable, position_meet(position, p->received));
    s->staged = position_join(s->staged, s->durable);
    assert_law(p);
    pthread_mutex_unlock(&p->lock);
}

void progress_received(struct progress *p, struct position position)
{
    pthread_mutex_lock(&p->lock);
    assert(position_has(&position, &p->received)); /* never back */
    p->received = position;
    assert_law(p);
    pthread_mutex_unlock(&p->lock);
}

void progress_staged(struct progress *p, uint32_t sink, struct position position)
{
    pthread_mutex_lock(&p->lock);
    assert(sink < p->sink_count && position_has(&position, &p->sinks[sink].staged));
    p->sinks[sink].staged = position;
    assert_law(p);
    pthread_mutex_unlock(&p->lock);
}

void progress_durable(struct progress *p, uint32_t sink, struct position position)
{
    pthread_mutex_lock(&p->lock);
    assert(sink < p->sink_count && position_has(&position, &p->sinks[sink].durable));
    p->sinks[sink].durable = position;
    assert_law(p);
    pthread_mutex_unlock(&p->lock);
}

struct position progress_of(struct progress *p, uint32_t sink)
{
    pthread_mutex_lock(&p->lock);
    assert(sink < p->sink_count);
    struct position durable = p->sinks[sink].durable;
    pthread_mutex_unlock(&p->lock);
    return durable;
}

struct position progress_acknowledge(struct progress *p)
{
    pthread_mutex_lock(&p->lock);
    find_durable_of_all(p, &p->acknowledged);
    assert_law(p);
    struct position acknowledged = p->acknowledged;
    pthread_mutex_unlock(&p->lock);
    return acknowledged;
}

struct progress_view progress_view(struct progress *p)
{
    pthread_mutex_lock(&p->lock);
    struct progress_view view = {.received = p->received, .acknowledged = p->acknowledged};
    find_durable_of_all(p, &view.durable);
    pthread_mutex_unlock(&p->lock);
    return view;
}
