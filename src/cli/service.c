#include "cli/service.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "observe/health.h"
#include "observe/metrics.h"
#include "observe/observe.h"
#include "store/faulty.h"

enum { POLL_MS = 100, METRICS_INTERVAL_MS = 500 };

struct running {
    const struct pipeline_config *config;
    struct pipeline *pipeline;
};

struct service {
    struct running *items;
    uint32_t count;
    struct health *health;
    struct observe *observe;
    int signals; /* received */
};

static sigset_t service_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    return set;
}

void service_block_signals(void)
{
    sigset_t set = service_signals();
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

static void service_release(struct service *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        pipeline_free(&s->items[i].pipeline);
    }
    observe_stop(&s->observe);
    health_free(&s->health);
}

static bool select_pipelines(struct arguments *a, struct service *s, struct error *err)
{
    uint32_t most = a->config->pipeline_count + (uint32_t)a->operand_count;
    s->items = arena_zalloc(&a->arena, most * sizeof(*s->items));
    for (uint32_t i = 0; a->operand_count == 0 && i < a->config->pipeline_count; i++) {
        s->items[s->count++].config = &a->config->pipelines[i];
    }
    for (int i = 0; i < a->operand_count; i++) {
        const struct pipeline_config *p = config_pipeline(a->config, a->operands[i]);
        if (!p) {
            return argument_misuse(a, err, "\"%s\" has no pipeline \"%s\"", a->config_path,
                                   a->operands[i]);
        }
        s->items[s->count++].config = p;
    }
    return true;
}

static void set_position(const struct metric_labels *of, const char *kind, struct position position)
{
    struct metric_labels labels = *of;
    labels.kind = kind;
    metric_set(METRIC_POSITION, &labels, (double)position_number(position));
}

/* How each sink stands. False, and which: one has failed while the others go on. */
static bool measure_sinks(const struct running *r, char *failed, size_t size)
{
    bool done = true;
    for (uint32_t i = 0; i < r->config->sink_count; i++) {
        struct sink_status status = pipeline_sink_status(r->pipeline, i);
        struct metric_labels labels = {.pipeline = r->config->name, .sink = status.label};
        metric_set(METRIC_SINK_DETACHED, &labels, status.state == SINK_DETACHED);
        metric_set(METRIC_SINK_FAILED, &labels, status.state == SINK_FAILED);
        metric_set(METRIC_SINK_LAG, &labels, (double)status.lag_ms / 1000.0);
        metric_set(METRIC_SINK_POSITION, &labels, (double)position_number(status.durable));
        if (status.state == SINK_FAILED && done) {
            (void)snprintf(failed, size, "sink %s failed", status.label);
            done = false;
        }
    }
    return done;
}

static void measure(const struct service *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        struct metric_labels labels = {.pipeline = s->items[i].config->name};
        struct pipeline_status status = pipeline_status(s->items[i].pipeline);
        metric_set(METRIC_LAG, &labels, (double)status.lag_ms / 1000.0);
        set_position(&labels, "received", status.received);
        set_position(&labels, "durable", status.durable);
        set_position(&labels, "acknowledged", status.acknowledged);
        char failed[128];
        bool well = measure_sinks(&s->items[i], failed, sizeof(failed));
        health_set(s->health, labels.pipeline, well && status.state == PIPELINE_STREAMING,
                   well ? pipeline_state_name(status.state) : failed);
    }
}

static bool all_ended(const struct service *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (!pipeline_has_ended(s->items[i].pipeline)) {
            return false;
        }
    }
    return true;
}

static void pass_on(struct service *s, int signal)
{
    s->signals++;
    log_info("stopping", log_str("signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"),
             log_str("how", s->signals == 1 ? "after committing what was read" : "at once"));
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->signals == 1) {
            pipeline_stop(s->items[i].pipeline);
        } else {
            pipeline_abandon(s->items[i].pipeline);
        }
    }
}

static void wait_for_end(struct service *s)
{
    sigset_t set = service_signals();
    struct timespec step = {.tv_nsec = POLL_MS * 1000000L};
    int64_t measured_ms = 0;
    while (!all_ended(s)) {
        int signal = sigtimedwait(&set, NULL, &step);
        if (signal > 0) {
            pass_on(s, signal);
        }
        if (clock_monotonic_ms() - measured_ms >= METRICS_INTERVAL_MS) {
            measured_ms = clock_monotonic_ms();
            measure(s);
        }
    }
}

bool service_run(struct arguments *a, const struct pipeline_options *options, struct error *err)
{
    owned(service_release) struct service s = {0};
    faulty_install_from_environment();
    if (!select_pipelines(a, &s, err)) {
        return false;
    }
    service_block_signals();
    s.health = health_new();
    for (uint32_t i = 0; i < s.count; i++) {
        health_set(s.health, s.items[i].config->name, false, "starting");
    }
    s.observe = observe_start(&a->config->observe, s.health, err);
    if (!s.observe) {
        return false;
    }
    for (uint32_t i = 0; i < s.count; i++) {
        s.items[i].pipeline = pipeline_start(s.items[i].config, options);
    }
    wait_for_end(&s);

    bool done = true;
    for (uint32_t i = 0; i < s.count; i++) {
        struct error failure = {0};
        if (!pipeline_wait(s.items[i].pipeline, &failure) && done) {
            *err = failure;
            done = error_wrap(err, "pipeline %s", s.items[i].config->name);
        }
    }
    return done;
}
