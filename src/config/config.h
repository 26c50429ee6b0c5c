/* The configuration as the program sees it. One key table (keys.c) makes the parser, the checks,
 * `leat config show` and docs/reference/configuration.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"

struct config_strings {
    const char **items;
    uint32_t count;
};

enum snapshot_mode { SNAPSHOT_INITIAL, SNAPSHOT_NEVER, SNAPSHOT_ALWAYS, SNAPSHOT_ONLY };

struct source_config {
    const char *type;
    const char *url;               /* holds secrets: never print it, use config_redacted_url() */
    struct config_strings tables;  /* schema.table, or schema.* */
    enum snapshot_mode snapshot;
    const char *slot;              /* default leat_<pipeline> */
    const char *publication;       /* default leat_<pipeline> */
    struct config_strings as_text; /* type names or schema.table.column that go through as text */
    int64_t connect_timeout_ms;
};

struct transform_config {
    const char *sql;
    struct config_strings tables; /* empty: all */
};

enum sink_mode { SINK_MODE_UPSERT, SINK_MODE_APPEND };

struct sink_table_config {
    const char *table; /* schema.table */
    bool has_mode;
    enum sink_mode mode;
    struct config_strings partition_by;
};

struct commit_config {
    int64_t interval_ms;
    uint64_t rows;
    uint64_t bytes;
};

struct sink_config {
    const char *type;
    const char *location; /* with {schema} and {table} */
    enum sink_mode mode;
    bool change_feed;
    struct commit_config commit;
    struct sink_table_config *tables;
    uint32_t table_count;
};

struct retry_config {
    uint32_t attempts;
    int64_t delay_ms;     /* first; doubles, with jitter */
    int64_t delay_max_ms;
};

struct pipeline_config {
    const char *name;
    struct source_config source;
    struct transform_config *transforms;
    uint32_t transform_count;
    struct sink_config *sinks;
    uint32_t sink_count;
    const char *state_dir;
    uint64_t memory_bytes;
    int64_t heartbeat_ms;
    struct retry_config retry;
};

struct observe_config {
    const char *metrics; /* listen address "host:port" or ":port"; "off" */
    const char *health;
};

struct log_config {
    const char *level; /* error, warn, info, debug */
    const char *format; /* auto, text, json */
};

struct config {
    struct arena arena; /* owns everything */
    struct observe_config observe;
    struct log_config log;
    struct pipeline_config *pipelines;
    uint32_t pipeline_count;
};

/* Reads a YAML file. Every error is ERROR_CONFIG with file:line:column; an unknown key names the nearest
 * known one. ${env:NAME} and ${file:PATH} are replaced in every scalar. */
struct config *config_load(const char *path, struct error *err);
void config_free(struct config **c);

/* The pipeline of that name, or NULL. */
const struct pipeline_config *config_pipeline(const struct config *c, const char *name);

/* The effective configuration as YAML with the origin of each value; secrets redacted. */
void config_show(const struct config *c, FILE *out);

/* The reference page, Markdown, from the key table. */
void config_docs(FILE *out);

/* A URL without its password, in the arena. */
char *config_redacted_url(struct arena *a, const char *url);
