/* `leat demo`: a private PostgreSQL or MariaDB, sample tables, a workload, Delta and Iceberg
 * tables, and the proof that they are equal in the end. */
#include "cli/demo.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/database.h"
#include "cli/private_server.h"
#include "cli/service.h"
#include "cli/workload.h"

enum {
    POLL_MS = 20,
    STUCK_MS = 60000, /* without progress for that long, something is wrong */
    TRANSACTION_MAX = 200,
    SEED = 42,
};

static const char config_head[] = "# Written by leat demo";

struct demo {
    struct arena arena;
    int64_t row_count;
    int64_t seconds;
    int64_t changes_per_second;
    bool keep_server;
    const char *directory; /* as the user named it */
    const char *root;      /* the same, absolute */
    const char *config_path;
    const char *source; /* type of it */
    struct private_server *server;
    struct database *database;
    struct config *config;
    struct pipeline *pipeline;
    struct workload *workload;
    const struct sample_table *tables[DEMO_TABLES];
    struct demo_progress progress;
    uint64_t changes_made;
};

static void demo_release(struct demo *d)
{
    pipeline_free(&d->pipeline);
    config_free(&d->config);
    workload_free(&d->workload);
    database_close(&d->database);
    private_server_free(&d->server);
    arena_release(&d->arena);
}

static void free_buf(struct buf *b)
{
    buf_release(b);
}

/* Waits a little. False: somebody wants us to end. */
static bool tick(int64_t ms, struct error *err)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    return sigtimedwait(&set, NULL, &wait) < 0 || error_set(err, ERROR_CANCELLED, "interrupted");
}

/* The directory: empty, new, or of an earlier demonstration. */

static bool clear_directory(struct demo *d, struct error *err)
{
    static const char *const ours[] = {"lake", "state"};
    struct file_names names = {0};
    owned(free_buf) struct buf config = {0};
    if (!file_list(d->directory, &names, err)) {
        return false;
    }
    size_t name_count = names.count;
    file_names_release(&names);
    d->config_path = arena_format(&d->arena, "%s/leat.yaml", d->directory);
    if (file_exists(d->config_path) && !file_read(d->config_path, 1 << 20, &config, err)) {
        return false;
    }
    if (name_count > 0 && strncmp(buf_text(&config), config_head, strlen(config_head)) != 0) {
        return error_set(err, ERROR_CONFIG,
                         "\"%s\" holds other files than those of an earlier demonstration; name "
                         "another directory with --dir",
                         d->directory);
    }
    for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
        if (!file_remove_tree(arena_format(&d->arena, "%s/%s", d->directory, ours[i]), err)) {
            return false;
        }
    }
    if (!file_make_directories(d->directory, err)) {
        return false;
    }
    char *root = realpath(d->directory, NULL);
    if (!root) {
        return error_errno(err, ERROR_FATAL, "cannot find \"%s\"", d->directory);
    }
    d->root = arena_format(&d->arena, "%s", root);
    free(root);
    return true;
}

static void append_scalar(struct buf *out, const char *key, const char *value)
{
    buf_append_format(out, "%s: ", key);
    buf_append_literal(out, value); /* YAML's single quotes are doubled as SQL's are */
    buf_append_char(out, '\n');
}

static bool write_config(struct demo *d, struct error *err)
{
    owned(free_buf) struct buf text = {0};
    const char *schema = private_server_schema(d->server);
    buf_append_format(&text, "%s, which replaces it. Its %s %s\n", config_head,
                      private_server_product(d->server),
                      d->keep_server ? "still runs." : "is gone; the tables below lake/ are not.");
    buf_append_format(&text, "pipelines:\n  demo:\n    source:\n      type: %s\n", d->source);
    append_scalar(&text, "      url", private_server_url(d->server));
    buf_append_format(&text, "      tables: [%s.customers, %s.orders]\n", schema, schema);
    append_scalar(&text, "    state_dir", arena_format(&d->arena, "%s/state", d->root));
    buf_append_text(&text, "    sinks:\n      - type: delta\n");
    append_scalar(&text, "        location",
                  arena_format(&d->arena, "%s/lake/delta/{schema}/{table}", d->root));
    buf_append_text(&text, "        commit: { interval: 500ms }\n      - type: iceberg\n");
    append_scalar(&text, "        warehouse", arena_format(&d->arena, "%s/lake/iceberg", d->root));
    buf_append_text(&text, "        namespace: '{schema}'\n        commit: { interval: 500ms }\n");
    return file_write(d->config_path, text.data, text.size, err);
}

/* The source. */

static bool fill_source(struct demo *d, struct error *err)
{
    struct sample sample = {
        .seed = SEED, .locale = sample_locale_find("en_US"), .row_count = (uint64_t)d->row_count};
    const char *schema = private_server_schema(d->server);
    int64_t start_ms = clock_monotonic_ms();
    d->tables[0] = sample_table_find("customers");
    d->tables[1] = sample_table_find("orders");
    for (uint32_t i = 0; i < DEMO_TABLES; i++) {
        uint64_t rows = (uint64_t)d->row_count * (i + 1); /* two orders a customer */
        if (!sample_table_create(d->database, d->tables[i], schema, false, err) ||
            !sample_table_load(d->database, d->tables[i], schema, &sample, rows, err)) {
            return false;
        }
    }
    (void)fprintf(stderr,
                  "filled %s.customers with %" PRId64 " rows and %s.orders with %" PRId64
                  " in %.1f s\n",
                  schema, d->row_count, schema, d->row_count * 2,
                  (double)(clock_monotonic_ms() - start_ms) / 1000.0);
    d->workload =
        workload_new(&(struct workload_options){.sample = sample,
                                                .tables = d->tables,
                                                .table_count = DEMO_TABLES,
                                                .schema = schema,
                                                .is_mysql = database_is_mysql(d->database)});
    return workload_read_keys(d->workload, d->database, err);
}

static bool start_source(struct demo *d, struct error *err)
{
    bool is_postgres = strcmp(d->source, "postgres") == 0;
    d->server = is_postgres ? private_postgres_start(d->keep_server, err)
                            : private_mariadb_start(d->keep_server, err);
    if (!d->server) {
        return false;
    }
    (void)fprintf(stderr, "started a private %s %s in %s\n", private_server_product(d->server),
                  private_server_version(d->server), private_server_directory(d->server));
    d->database = database_connect(private_server_url(d->server), err);
    return d->database && fill_source(d, err);
}

/* The pipeline. */

static bool still_runs(struct demo *d, struct error *err)
{
    if (!pipeline_has_ended(d->pipeline)) {
        return true;
    }
    return pipeline_wait(d->pipeline, err) ? error_set(err, ERROR_FATAL, "the pipeline ended early")
                                           : error_wrap(err, "pipeline demo");
}

typedef bool is_done_fn(const struct pipeline_status *s, const struct position *position);

/* Shows progress while `is_done` is not; fails when nothing moves any more. */
static bool wait_for(struct demo *d, is_done_fn *is_done, const struct position *position,
                     const char *what, struct error *err)
{
    struct pipeline_status last = pipeline_status(d->pipeline);
    int64_t moved_ms = clock_monotonic_ms();
    for (struct pipeline_status now = last; !is_done(&now, position);
         now = pipeline_status(d->pipeline)) {
        demo_progress_show(&d->progress, d->pipeline, 0, d->changes_made);
        if (!still_runs(d, err) || !tick(POLL_MS, err)) {
            return false;
        }
        if (now.rows_received != last.rows_received || !position_equal(now.durable, last.durable) ||
            !position_equal(now.acknowledged, last.acknowledged)) {
            last = now;
            moved_ms = clock_monotonic_ms();
        } else if (clock_monotonic_ms() - moved_ms > STUCK_MS) {
            return error_set(err, ERROR_FATAL, "the pipeline does not move on: %s", what);
        }
    }
    return true;
}

static bool is_streaming(const struct pipeline_status *s, const struct position *position)
{
    (void)position;
    return s->state == PIPELINE_STREAMING;
}

static bool is_acknowledged(const struct pipeline_status *s, const struct position *position)
{
    return position_covers(s->acknowledged, *position);
}

static bool start_pipeline(struct demo *d, struct error *err)
{
    if (!write_config(d, err)) {
        return false;
    }
    d->config = config_load(d->config_path, err);
    if (!d->config) {
        return false;
    }
    d->pipeline = pipeline_start(&d->config->pipelines[0], &(struct pipeline_options){0});
    (void)fprintf(stderr, "started the pipeline of %s: loading\n", d->config_path);
    int64_t start_ms = clock_monotonic_ms();
    if (!wait_for(d, is_streaming, NULL, "the load has not ended", err)) {
        return false;
    }
    demo_progress_end(&d->progress);
    (void)fprintf(stderr, "loaded %" PRIu64 " rows into the lake in %.1f s\n",
                  pipeline_status(d->pipeline).rows_loaded,
                  (double)(clock_monotonic_ms() - start_ms) / 1000.0);
    return true;
}

/* Changes rows for some seconds, in transactions of all sizes. */
static bool stream(struct demo *d, struct error *err)
{
    (void)fprintf(stderr, "changing rows for %" PRId64 " s, in transactions of 1 to %d changes\n",
                  d->seconds, TRANSACTION_MAX);
    struct sample_random random = {.state = SEED};
    int64_t start_ms = clock_monotonic_ms();
    for (;;) {
        int64_t elapsed_ms = clock_monotonic_ms() - start_ms;
        if (elapsed_ms >= d->seconds * 1000) {
            break;
        }
        demo_progress_show(&d->progress, d->pipeline, d->seconds - elapsed_ms / 1000,
                           d->changes_made);
        if (!still_runs(d, err)) {
            return false;
        }
        int64_t due_ms = (int64_t)d->changes_made * 1000 / d->changes_per_second;
        if (!tick(due_ms > elapsed_ms ? due_ms - elapsed_ms : 0, err)) {
            return false;
        }
        uint64_t size = 1 + sample_random_below(&random, TRANSACTION_MAX);
        if (!workload_transaction(d->workload, d->database, size, err)) {
            return false;
        }
        d->changes_made += size;
    }
    return true;
}

/* Waits until the source may forget all that was changed: then it is in the tables. */
static bool catch_up(struct demo *d, struct error *err)
{
    int64_t start_ms = clock_monotonic_ms();
    struct position end;
    if (!database_mark(d->database, &end, err)) {
        return false;
    }
    if (!wait_for(d, is_acknowledged, &end, "the last changes do not arrive", err)) {
        return false;
    }
    demo_progress_end(&d->progress);
    const uint64_t *n = workload_counts(d->workload);
    (void)fprintf(stderr,
                  "made %" PRIu64 " inserts, %" PRIu64 " updates, %" PRIu64 " key changes, %" PRIu64
                  " deletes; all of them arrived %.1f s after the last one\n",
                  n[WORKLOAD_INSERT], n[WORKLOAD_UPDATE], n[WORKLOAD_KEY_CHANGE],
                  n[WORKLOAD_DELETE], (double)(clock_monotonic_ms() - start_ms) / 1000.0);
    pipeline_stop(d->pipeline);
    return pipeline_wait(d->pipeline, err) || error_wrap(err, "pipeline demo");
}

static void leave_server(struct demo *d)
{
    const char *url = private_server_url(d->server);
    (void)fprintf(stderr,
                  "the %s stays: %s\n"
                  "  go on:  %s generate --url '%s' --tables customers,orders --workload 1000\n"
                  "          %s run --config %s\n"
                  "  end it: kill -QUIT %d; sleep 2; rm -r %s\n",
                  private_server_product(d->server), url, program_invocation_name, url,
                  program_invocation_name, d->config_path, (int)private_server_pid(d->server),
                  private_server_directory(d->server));
    private_server_abandon(d->server);
}

static bool run_demo(struct demo *d, bool *equal, struct error *err)
{
    struct demo_copy copies[DEMO_COPIES] = {0};
    if (!clear_directory(d, err) || !start_source(d, err) || !start_pipeline(d, err) ||
        !stream(d, err) || !catch_up(d, err) ||
        !demo_compare(d->database, private_server_schema(d->server), d->tables, d->directory,
                      &d->arena, copies, err)) {
        demo_progress_end(&d->progress);
        return false;
    }
    *equal = demo_report_print(copies, d->directory, d->progress.rss_anon_peak_kb, stdout);
    if (d->keep_server) {
        leave_server(d);
    }
    return true;
}

static bool run(struct arguments *a, enum exit_code *exit, struct error *err)
{
    owned(demo_release) struct demo d = {.row_count = 10000,
                                         .seconds = 8,
                                         .changes_per_second = 5000,
                                         .keep_server = argument_given(a, "keep-server"),
                                         .directory = argument_text(a, "dir"),
                                         .source = argument_text(a, "source"),
                                         .progress = {.is_terminal = isatty(STDERR_FILENO) == 1}};
    if (!d.directory) {
        d.directory = "leat-demo";
    }
    if (!d.source) {
        d.source = "postgres";
    }
    if (strcmp(d.source, "postgres") != 0 && strcmp(d.source, "mysql") != 0) {
        return argument_misuse(a, err, "--source \"%s\": postgres or mysql", d.source);
    }
    if (!argument_integer(a, "rows", 1, 100000000, &d.row_count, err) ||
        !argument_integer(a, "seconds", 1, 86400, &d.seconds, err) ||
        !argument_integer(a, "rate", 1, 1000000, &d.changes_per_second, err)) {
        return false;
    }
    service_block_signals(); /* we look at them when it is safe to end */
    log_configure(LOG_LEVEL_WARN, false);
    bool equal = false;
    if (!run_demo(&d, &equal, err)) {
        return false;
    }
    *exit = equal ? EXIT_DONE : EXIT_DIFFERENT;
    return true;
}

static const struct option_spec options[] = {
    {.name = "source", .value = "TYPE", .help = "postgres (default) or mysql, with a MariaDB"},
    {.name = "rows", .value = "N", .help = "customers to begin with (10000); twice as many orders"},
    {.name = "seconds", .value = "N", .help = "how long rows are changed (8)"},
    {.name = "rate", .value = "N", .help = "changes a second, at most (5000)"},
    {.name = "dir", .value = "DIR", .help = "where the tables go (leat-demo)"},
    {.name = "keep-server", .help = "leave the server running"},
    {0},
};

const struct command command_demo = {
    .name = "demo",
    .summary = "show it all with a private server, and compare",
    .operands = "",
    .help = "Starts a PostgreSQL or MariaDB of its own (a new data directory below /tmp, no TCP\n"
            "port), fills it with sample tables, streams them into Delta and Iceberg tables\n"
            "while rows are changed, and then compares source and tables by row count and\n"
            "checksum. The server goes away at the end, the tables stay and say how to look\n"
            "at them.\n"
            "\n"
            "The last line is \"result: equal\" (exit code 0) or \"result: different\" (3).",
    .options = options,
    .run = run,
};
