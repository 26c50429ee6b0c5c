#include "config/keys.h"

#include <string.h>

#include "config/check.h"

/* Where a member lies, and how wide it is. */
#define MEMBER(type, member) .offset = offsetof(type, member), .width = sizeof(((type *)0)->member)
#define ARRAY(type, member, count) \
    .offset = offsetof(type, member), .count_offset = offsetof(type, count)

bool key_applies(const struct key *k, const char *type)
{
    if (!k->for_type || !type) {
        return !k->for_type;
    }
    size_t size = strlen(type);
    for (const char *p = k->for_type; *p; p += strspn(p, " ")) {
        size_t word = strcspn(p, " ");
        if (word == size && strncmp(p, type, size) == 0) {
            return true;
        }
        p += word;
    }
    return false;
}

static const char *const unrepresentable_modes[] = {"fail", "null", NULL};
static const char *const source_types[] = {"postgres", "mysql", "delta", "iceberg", NULL};
static const char *const snapshot_modes[] = {"initial", "never", "always", "only", NULL};
static const char *const sink_types[] = {"delta", "iceberg", "stdout", NULL};
static const char *const catalog_types[] = {"filesystem", "rest", NULL};
static const char *const foreign_words[] = {"refuse", "accept", NULL};
static const char *const sink_modes[] = {"upsert", "append", NULL};
static const char *const sink_failure_modes[] = {"detach", "stop", NULL};
static const char *const log_levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const log_formats[] = {"auto", "text", "json", NULL};

static const struct key catalog_keys[] = {
    {"type", KEY_STRING, MEMBER(struct catalog_config, type), .words = catalog_types,
     .help = "`filesystem`: the tables' directories say it themselves (one writer, a local disk). "
             "`rest`: a server with Iceberg's REST interface."},
    {"uri", KEY_STRING, MEMBER(struct catalog_config, uri), .required = true,
     .check = check_http_url, .for_type = "rest",
     .help = "Where the server is, up to and without `/v1`: `https://host:port/path`."},
    {"warehouse", KEY_STRING, MEMBER(struct catalog_config, warehouse), .check = check_not_blank,
     .help = "`filesystem`: the directory of the tables. `rest`: what the server calls it, if it "
             "has several."},
    {"prefix", KEY_STRING, MEMBER(struct catalog_config, prefix), .check = check_not_blank,
     .for_type = "rest", .help = "Part of the paths behind `/v1`; the server says it when absent."},
    {"token", KEY_STRING, MEMBER(struct catalog_config, token), .secret = true, .hidden = true,
     .for_type = "rest", .help = "Bearer token; take it from `${env:NAME}` or `${file:PATH}`."},
    {"credential", KEY_STRING, MEMBER(struct catalog_config, credential), .secret = true,
     .hidden = true, .for_type = "rest",
     .help = "OAuth2 client as `id:secret`, for which tokens are fetched; take it from "
             "`${env:NAME}` or `${file:PATH}`."},
    {"oauth2_uri", KEY_STRING, MEMBER(struct catalog_config, oauth2_uri), .check = check_http_url,
     .for_type = "rest", .help = "Where tokens are fetched; `<uri>/v1/oauth/tokens` when absent."},
    {"scope", KEY_STRING, MEMBER(struct catalog_config, scope), .default_text = "catalog",
     .for_type = "rest", .help = "OAuth2 scope that is asked for."},
    {"ca_file", KEY_STRING, MEMBER(struct catalog_config, ca_file), .check = check_not_blank,
     .for_type = "rest",
     .help = "PEM file of authorities that the server's certificate may come from; the system's "
             "when absent."},
    {"timeout", KEY_DURATION, MEMBER(struct catalog_config, timeout_ms), .default_text = "60s",
     .min = "100ms", .max = "1h", .for_type = "rest", .help = "How long a request may take."},
    {0},
};

static const struct section catalog_section = {
    .title = "catalog",
    .size = sizeof(struct catalog_config),
    .keys = catalog_keys,
    .help = "Where Iceberg tables are registered.",
};

static const struct key source_keys[] = {
    {"type", KEY_STRING, MEMBER(struct source_config, type), .words = source_types,
     .required = true, .help = "A database, or tables of a lake whose changes are followed."},
    {"url", KEY_STRING, MEMBER(struct source_config, url), .required = true, .secret = true,
     .check = check_database_url, .for_type = "postgres mysql",
     .help =
         "Where and as whom to connect: `postgresql://user:password@host:port/database`, with "
         "libpq's parameters after `?`; or `mysql://user:password@host:port`, also for MariaDB, "
         "with `ssl-mode`, `ssl-ca`, `ssl-cert`, `ssl-key` or `socket` after `?`. Special "
         "characters in the password are percent-encoded. Take the password from `${env:NAME}` "
         "or `${file:PATH}`, or leave it to libpq's password file."},
    {"tables", KEY_STRINGS, MEMBER(struct source_config, tables), .required = true,
     .check = check_table_pattern,
     .help =
         "The tables to follow, as `schema.table`, or `schema.*` for all of a schema (of MySQL: "
         "of a database). Of a lake: what the one table is called in this pipeline."},
    {"location", KEY_STRING, MEMBER(struct source_config, location), .check = check_not_blank,
     .for_type = "delta iceberg",
     .help = "Directory of the table. Iceberg: or `warehouse` or `catalog`, `namespace` and "
             "`table`."},
    {"catalog", KEY_SECTION, MEMBER(struct source_config, catalog), .section = &catalog_section,
     .for_type = "iceberg", .help = "Where the table is registered."},
    {"warehouse", KEY_STRING, MEMBER(struct source_config, warehouse), .check = check_not_blank,
     .for_type = "iceberg", .help = "Directory of a filesystem catalog."},
    {"namespace", KEY_STRING, MEMBER(struct source_config, namespace), .check = check_not_blank,
     .for_type = "iceberg", .help = "Namespace of the table; levels are separated by dots."},
    {"table", KEY_STRING, MEMBER(struct source_config, table), .check = check_not_blank,
     .for_type = "iceberg", .help = "Name of the table in its catalog."},
    {"key", KEY_STRINGS, MEMBER(struct source_config, key), .check = check_not_blank,
     .for_type = "delta iceberg",
     .help = "Columns that identify a row. Without them Iceberg's identifier fields are taken; a "
             "table that has none can only be followed into `mode: append`."},
    {"poll_interval", KEY_DURATION, MEMBER(struct source_config, poll_interval_ms),
     .default_text = "1s", .min = "10ms", .max = "1h", .for_type = "delta iceberg",
     .help = "How often the table is asked for new versions."},
    {"snapshot", KEY_ENUM, MEMBER(struct source_config, snapshot), .words = snapshot_modes,
     .default_text = "initial",
     .help = "Which rows are loaded before changes are streamed. `initial`: all, when the pipeline "
             "begins. `never`: none, only changes. `always`: all, at each start. `only`: all, and "
             "then the pipeline ends."},
    {"slot", KEY_STRING, MEMBER(struct source_config, slot), .default_text = "leat_<pipeline>",
     .check = check_slot, .for_type = "postgres",
     .help = "Name of the replication slot; made when it does not exist."},
    {"publication", KEY_STRING, MEMBER(struct source_config, publication),
     .default_text = "leat_<pipeline>", .check = check_identifier, .for_type = "postgres",
     .help = "Name of the publication; made when it does not exist and the user may."},
    {"server_id", KEY_INTEGER, MEMBER(struct source_config, server_id), .default_text = "0",
     .min = "0", .max = "4294967295", .for_type = "mysql",
     .help =
         "The number under which the log is read, as a replica would: no other reader of the "
         "server may have it. `0`: one is made from the names of host, directory and pipeline."},
    {"load_connections", KEY_INTEGER, MEMBER(struct source_config, load_connections),
     .default_text = "4", .min = "1", .max = "16", .for_type = "mysql",
     .help = "How many connections read a table at once while it is loaded."},
    {"lock_timeout", KEY_DURATION, MEMBER(struct source_config, lock_timeout_ms),
     .default_text = "10s", .min = "1s", .max = "1h", .for_type = "mysql",
     .help = "How long a load waits for the instant in which it holds all writers; statements that "
             "come meanwhile wait behind it. Also how long a table that others hold is waited for "
             "when it is looked at. Then it tries again."},
    {"unrepresentable", KEY_ENUM, MEMBER(struct source_config, unrepresentable),
     .words = unrepresentable_modes, .default_text = "fail", .for_type = "mysql",
     .help =
         "What becomes of a value that its type in the lake cannot hold: the dates 0000-00-00 and "
         "2024-00-15, years below 1, times outside a day. `fail`: the pipeline stops and names it. "
         "`null`: it becomes null. `as_text` keeps it as it is."},
    {"as_text", KEY_STRINGS, MEMBER(struct source_config, as_text), .check = check_not_blank,
     .for_type = "postgres mysql",
     .help = "What has no type of its own and goes through as the text that the source prints: "
             "names of types (`inet`), or columns as `schema.table.column`."},
    {"connect_timeout", KEY_DURATION, MEMBER(struct source_config, connect_timeout_ms),
     .default_text = "10s", .min = "100ms", .max = "10m", .for_type = "postgres mysql",
     .help = "How long connecting may take."},
    {0},
};

static const struct section source_section = {
    .title = "source",
    .size = sizeof(struct source_config),
    .keys = source_keys,
    .help = "Where row changes come from.",
};

static const struct key transform_keys[] = {
    {"sql", KEY_STRING, MEMBER(struct transform_config, sql), .required = true,
     .check = check_not_blank,
     .help = "One `SELECT ... FROM changes`, row by row: what each row becomes. No aggregates, "
             "joins, `DISTINCT`, `LIMIT` or window functions."},
    {"tables", KEY_STRINGS, MEMBER(struct transform_config, tables), .check = check_table_pattern,
     .help = "The source's tables it applies to; all when absent."},
    {0},
};

static const struct section transform_section = {
    .title = "transform",
    .size = sizeof(struct transform_config),
    .keys = transform_keys,
    .help = "What happens to rows on their way, in this order.",
};

static const struct key commit_keys[] = {
    {"interval", KEY_DURATION, MEMBER(struct commit_config, interval_ms), .default_text = "1s",
     .min = "10ms", .max = "1h",
     .help = "Longest time that changes wait for a commit. Changes that come after a quiet "
             "interval are committed at once."},
    {"rows", KEY_INTEGER, MEMBER(struct commit_config, rows), .default_text = "100000", .min = "1",
     .max = "100000000", .help = "Changed rows after which a commit does not wait any longer."},
    {"bytes", KEY_SIZE, MEMBER(struct commit_config, bytes), .default_text = "32MiB",
     .min = "64KiB", .max = "4GiB",
     .help = "Memory held by changes after which a commit does not wait any longer."},
    {0},
};

static const struct section commit_section = {
    .title = "commit",
    .size = sizeof(struct commit_config),
    .keys = commit_keys,
    .help = "When changes become a commit, which is always at the end of a source transaction: "
            "whichever comes first.",
};

static const struct key sink_table_keys[] = {
    {"mode", KEY_ENUM, MEMBER(struct sink_table_config, mode), .words = sink_modes,
     .given_offset = offsetof(struct sink_table_config, has_mode),
     .help = "As the sink's `mode`, for this table; the sink's when absent."},
    {"partition_by", KEY_STRINGS, MEMBER(struct sink_table_config, partition_by),
     .check = check_not_blank,
     .help = "What divides the table into partitions: columns, and in Iceberg also "
             "`day(created_at)` (or `year`, `month`, `hour`), `bucket(16, id)`, "
             "`truncate(4, code)`; nothing when absent."},
    {0},
};

static const struct section sink_table_section = {
    .title = "table of a sink",
    .size = sizeof(struct sink_table_config),
    .keys = sink_table_keys,
    .check_name = check_table_name,
    .help = "What is different for one table, by its name at the source (`schema.table`).",
};

static const struct key sink_keys[] = {
    {"type", KEY_STRING, MEMBER(struct sink_config, type), .words = sink_types, .required = true,
     .help = "What kind of destination it is. `stdout` prints changes as JSON lines."},
    {"location", KEY_STRING, MEMBER(struct sink_config, location), .required = true,
     .check = check_location, .for_type = "delta",
     .help = "Path of each table's directory, with `{table}` and, as needed, `{schema}` in it."},
    {"catalog", KEY_SECTION, MEMBER(struct sink_config, catalog), .section = &catalog_section,
     .for_type = "iceberg", .help = "Where the tables are registered."},
    {"warehouse", KEY_STRING, MEMBER(struct sink_config, warehouse), .check = check_not_blank,
     .for_type = "iceberg",
     .help = "Short for a filesystem catalog in this directory: tables lie at "
             "`<warehouse>/<namespace>/<table>`."},
    {"namespace", KEY_STRING, MEMBER(struct sink_config, namespace), .required = true,
     .check = check_braces, .for_type = "iceberg",
     .help = "Namespace of the tables, perhaps with `{schema}`; levels are separated by dots."},
    {"table", KEY_STRING, MEMBER(struct sink_config, table), .default_text = "{table}",
     .check = check_location, .for_type = "iceberg",
     .help = "Name of each table, with `{table}` and, as needed, `{schema}` in it."},
    {"foreign_changes", KEY_ENUM, MEMBER(struct sink_config, foreign_changes),
     .words = foreign_words, .default_text = "refuse", .for_type = "iceberg",
     .help = "What happens when another program changes rows of the tables. `refuse`: the pipeline "
             "stops, because they are no longer a copy of the source. `accept`: it goes on from "
             "what the tables hold then."},
    {"mode", KEY_ENUM, MEMBER(struct sink_config, mode), .words = sink_modes,
     .default_text = "upsert", .for_type = "delta iceberg",
     .help = "`upsert`: the table mirrors the source. `append`: the table is the log, each change "
             "a row with its operation."},
    {"change_feed", KEY_BOOL, MEMBER(struct sink_config, change_feed), .default_text = "true",
     .for_type = "delta", .help = "Whether tables keep a Change Data Feed."},
    {"commit", KEY_SECTION, MEMBER(struct sink_config, commit), .section = &commit_section,
     .help = "When changes become a commit."},
    {"tables", KEY_MAP, ARRAY(struct sink_config, tables, table_count),
     .section = &sink_table_section, .for_type = "delta iceberg",
     .help = "What is different for single tables."},
    {0},
};

static const struct section sink_section = {
    .title = "sink",
    .size = sizeof(struct sink_config),
    .keys = sink_keys,
    .help = "Where rows go. Each sink gets every change.",
};

static const struct key retry_keys[] = {
    {"attempts", KEY_INTEGER, MEMBER(struct retry_config, attempts), .default_text = "10",
     .min = "0", .max = "1000000",
     .help = "How often a step that failed for a passing reason is repeated before the pipeline "
             "fails. Progress starts the count anew."},
    {"delay", KEY_DURATION, MEMBER(struct retry_config, delay_ms), .default_text = "200ms",
     .min = "1ms", .max = "1h",
     .help = "Wait before the first repetition; it doubles each time, with jitter."},
    {"max_delay", KEY_DURATION, MEMBER(struct retry_config, delay_max_ms), .default_text = "30s",
     .min = "1ms", .max = "1d", .help = "Longest wait; not below `delay`."},
    {0},
};

static const struct section retry_section = {
    .title = "retry",
    .size = sizeof(struct retry_config),
    .keys = retry_keys,
    .help = "What happens after a failure that may pass: a lost connection, a full disk.",
};

static const struct key pipeline_keys[] = {
    {"source", KEY_SECTION, MEMBER(struct pipeline_config, source), .section = &source_section,
     .required = true, .help = "Where row changes come from."},
    {"transforms", KEY_LIST, ARRAY(struct pipeline_config, transforms, transform_count),
     .section = &transform_section, .help = "What happens to rows on their way."},
    {"sinks", KEY_LIST, ARRAY(struct pipeline_config, sinks, sink_count), .section = &sink_section,
     .required = true, .help = "Where rows go."},
    {"state_dir", KEY_STRING, MEMBER(struct pipeline_config, state_dir), .default_text = "./state",
     .check = check_not_blank,
     .help = "Directory for what makes leat fast: key index, spilled changes, progress. Losing it "
             "costs time and the proof against roll-backs, never data."},
    {"memory", KEY_SIZE, MEMBER(struct pipeline_config, memory_bytes), .default_text = "192MiB",
     .min = "64MiB", .max = "1TiB",
     .help = "Memory that the pipeline divides among queues, commits, engine, index and caches."},
    {"heartbeat", KEY_DURATION, MEMBER(struct pipeline_config, heartbeat_ms), .default_text = "15m",
     .min = "100ms", .max = "1d",
     .help = "How old the position recorded in the tables may grow while they do not change; then "
             "one empty commit renews it. Must be below the time for which the source keeps its "
             "log."},
    {"on_sink_failure", KEY_ENUM, MEMBER(struct pipeline_config, on_sink_failure),
     .words = sink_failure_modes, .default_text = "detach",
     .help =
         "What becomes of the other sinks when one fails or holds them up. `detach`: they go on; "
         "where the failure may pass, the sink is caught up by a reader of its own and joins "
         "them again, and where it cannot, it stays stopped. `stop`: they wait for it, and stop "
         "with it. The source keeps its log for a sink that is detached or stopped. A pipeline "
         "of one sink, and one that is still loading, always stops."},
    {"detach_after", KEY_DURATION, MEMBER(struct pipeline_config, detach_after_ms),
     .default_text = "60s", .min = "100ms", .max = "1d",
     .help = "How long a sink may keep the others waiting, or fail for a passing reason, before it "
             "is detached. Failing `retry.attempts` times detaches it, too."},
    {"retry", KEY_SECTION, MEMBER(struct pipeline_config, retry), .section = &retry_section,
     .help = "What happens after a failure that may pass."},
    {0},
};

static const struct section pipeline_section = {
    .title = "pipeline",
    .size = sizeof(struct pipeline_config),
    .keys = pipeline_keys,
    .check_name = check_pipeline_name,
    .help = "A pipeline: one source, any transforms, one or more sinks. Its name consists of "
            "`a-z`, `0-9` and `_`, at most 58 of them.",
};

static const struct key observe_keys[] = {
    {"metrics", KEY_STRING, MEMBER(struct observe_config, metrics), .default_text = ":8000",
     .check = check_listen,
     .help = "Address where `/metrics` answers in Prometheus text: `host:port`, or `:port` for "
             "all interfaces, or `off`."},
    {"health", KEY_STRING, MEMBER(struct observe_config, health), .default_text = ":8001",
     .check = check_listen,
     .help = "Address where `/health` (the process lives) and `/ready` (all pipelines stream) "
             "answer; as `metrics`."},
    {0},
};

static const struct section observe_section = {
    .title = "observe",
    .size = sizeof(struct observe_config),
    .keys = observe_keys,
    .help = "Where `leat run` tells how it is doing.",
};

static const struct key log_keys[] = {
    {"level", KEY_ENUM, MEMBER(struct log_config, level), .words = log_levels,
     .default_text = "info", .help = "The least important messages that are written."},
    {"format", KEY_ENUM, MEMBER(struct log_config, format), .words = log_formats,
     .default_text = "auto",
     .help = "`text`, `json` (one object a line), or `auto`: text on a terminal, else JSON."},
    {0},
};

static const struct section log_section = {
    .title = "log",
    .size = sizeof(struct log_config),
    .keys = log_keys,
    .help = "What is written to standard error.",
};

static const struct key top_keys[] = {
    {"pipelines", KEY_MAP, ARRAY(struct config, pipelines, pipeline_count),
     .section = &pipeline_section, .required = true, .help = "The pipelines, by name."},
    {"observe", KEY_SECTION, MEMBER(struct config, observe), .section = &observe_section,
     .help = "Metrics and health."},
    {"log", KEY_SECTION, MEMBER(struct config, log), .section = &log_section, .help = "The log."},
    {0},
};

const struct section config_section = {
    .title = "configuration",
    .size = sizeof(struct config),
    .keys = top_keys,
    .help = "",
};
