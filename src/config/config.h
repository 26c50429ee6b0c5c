/* The configuration as the program sees it. One key table (keys.c) makes the parser, the checks,
 * `leat config show` and docs/reference/configuration.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/log.h"
#include "base/str.h"

struct config_strings {
    const char **items;
    uint32_t count;
};

/* Where Iceberg tables are registered. */
struct catalog_config {
    const char *type; /* "filesystem", "rest"; NULL: the section is absent */
    const char *uri;  /* rest: http(s)://host:port/path, before /v1 */
    const char
        *warehouse;     /* filesystem: a directory; rest: what the server calls it, may be NULL */
    const char *prefix; /* rest: NULL: the server says */
    const char *token;  /* rest: bearer token; secret; NULL: none */
    const char *credential; /* rest: OAuth2 client "id:secret"; secret; NULL: none */
    const char *oauth2_uri; /* rest: token endpoint; NULL: <uri>/v1/oauth/tokens */
    const char *scope;      /* rest: OAuth2 scope */
    const char *ca_file;    /* rest: PEM */
    int64_t timeout_ms;
};

/* What is done with a value that the type of its column cannot hold. */
enum unrepresentable_mode { UNREPRESENTABLE_FAIL, UNREPRESENTABLE_NULL };

enum snapshot_mode { SNAPSHOT_INITIAL, SNAPSHOT_NEVER, SNAPSHOT_ALWAYS, SNAPSHOT_ONLY };

struct source_config {
    const char *type;
    const char *url;              /* holds secrets: never print it, use config_redacted_url() */
    struct config_strings tables; /* schema.table, or schema.* */
    enum snapshot_mode snapshot;
    const char *slot;              /* default leat_<pipeline> */
    const char *publication;       /* default leat_<pipeline> */
    struct config_strings as_text; /* type names or schema.table.column that go through as text */
    int64_t connect_timeout_ms;
    uint32_t server_id; /* MySQL; 0: made from names */
    uint32_t load_connections;
    int64_t lock_timeout_ms;
    enum unrepresentable_mode unrepresentable;
    const char *location; /* lakes: the table's directory */
    struct catalog_config catalog;
    const char *warehouse; /* Iceberg: as in struct sink_config */
    const char *namespace;
    const char *table;
    struct config_strings key; /* lakes: columns that identify a row */
    int64_t poll_interval_ms;
};

struct transform_config {
    const char *sql;
    struct config_strings tables; /* empty: all */
};

enum sink_mode { SINK_MODE_UPSERT, SINK_MODE_APPEND };

/* What is done when another program changed rows. */
enum foreign_changes { FOREIGN_REFUSE, FOREIGN_ACCEPT };

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
    const char *location; /* Delta: with {schema} and {table} */
    struct catalog_config catalog;
    const char *warehouse; /* Iceberg: short for catalog: {type: filesystem, warehouse: ...} */
    const char *namespace; /* Iceberg: levels separated by dots; with {schema} */
    const char *table;     /* Iceberg: name, with {schema} and {table} */
    enum foreign_changes foreign_changes;
    enum sink_mode mode;
    bool change_feed;
    struct commit_config commit;
    struct sink_table_config *tables;
    uint32_t table_count;
};

struct retry_config {
    uint32_t attempts;
    int64_t delay_ms; /* first; doubles, with jitter */
    int64_t delay_max_ms;
};

/* What becomes of a pipeline when one of its sinks fails or holds the others up. */
enum sink_failure_mode {
    SINK_FAILURE_DETACH, /* the others go on without it */
    SINK_FAILURE_STOP,   /* they wait for it, and stop with it */
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
    enum sink_failure_mode on_sink_failure;
    int64_t detach_after_ms;
    struct retry_config retry;
};

struct observe_config {
    const char *metrics; /* listen address "host:port" or ":port"; "off" */
    const char *health;
};

enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log_config {
    enum log_level level;
    enum log_format format; /* auto: text on a terminal, else JSON */
};

struct node;

struct config {
    struct arena arena; /* owns everything */
    struct observe_config observe;
    struct log_config log;
    struct pipeline_config *pipelines;
    uint32_t pipeline_count;
    const char *file;        /* where it was read */
    const struct node *tree; /* as it was written, for config_show() */
};

/* Reads a YAML file of at most 1 MiB. Every error is ERROR_CONFIG, with file:line:column where
 * there is one; an unknown key names the nearest known one. ${env:NAME} and ${file:PATH} are
 * replaced in every scalar. */
must_check struct config *config_load(const char *path, struct error *err);

/* As config_load() for a text; `file` is what messages call it. */
must_check struct config *config_parse(const char *file, struct str text, struct error *err);
void config_free(struct config **c);

/* The pipeline of that name, or NULL. */
const struct pipeline_config *config_pipeline(const struct config *c, const char *name);

/* The effective configuration as YAML with the origin of each value; secrets redacted. */
void config_show(const struct config *c, FILE *out);

/* The reference page, Markdown, from the key table. */
void config_docs(FILE *out);

/* A URL for people: whatever may be a password in it is replaced by ***. In the arena. */
char *config_redacted_url(struct arena *a, const char *url);
