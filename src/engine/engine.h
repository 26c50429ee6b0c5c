/* DuckDB behind one folder: batches in, rows out, Parquet files, SQL. Nothing else includes
 * duckdb.h.
 *
 * Two kinds of instance. ENGINE_FILE runs our own statements on local files. ENGINE_USER runs SQL
 * that users wrote: no external access, configuration locked. An ENGINE_FILE instance becomes fit
 * for users' SQL over some files by engine_confine(). All: UTC, explicit temporary directory, no
 * extension loading. Failures of the instance itself (DuckDB types FATAL,
 * INTERNAL) are ERROR_FATAL; out of disk or memory is ERROR_RETRY; bad SQL or values are
 * ERROR_DATA. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "model/batch.h"

struct engine;
struct engine_connection;
struct engine_statement;
struct engine_rows;

enum engine_kind { ENGINE_FILE, ENGINE_USER };

struct engine_options {
    enum engine_kind kind;
    uint64_t memory_bytes;      /* DuckDB's memory_limit; 0: 256 MiB */
    const char *temp_directory; /* where it may spill; NULL: it may not */
    uint32_t threads;           /* 0: 1 */
};

struct engine *engine_open(const struct engine_options *options, struct error *err);
void engine_free(struct engine **e);

/* A connection is used by one thread at a time and must not outlive its engine. */
struct engine_connection *engine_connect(struct engine *e, struct error *err);
void engine_disconnect(struct engine_connection **c);

/* Closes an ENGINE_FILE instance for SQL that users wrote, for good: it reads these local files and
 * its temporary directory, nothing else, and its configuration is locked. What was made before,
 * such as views over the files, stays. It does not keep a statement from writing to those files:
 * let users SELECT only. */
must_check bool engine_confine(struct engine_connection *c, const char *const *paths, size_t count,
                               struct error *err);

/* Columns handed to SQL without copying string bytes. Everything is borrowed and must stay as it is
 * until the statements that read it are done. Text must be valid UTF-8: checked by whoever made it.
 */
struct engine_input {
    const char *const *names;
    const struct column *columns;
    uint32_t column_count;
    uint32_t row_count;
};

enum { ENGINE_SLOTS = 4 };

/* Puts an input into one of the connection's slots (0..ENGINE_SLOTS-1), replacing what was there. A
 * prepared statement over the slot sees the new rows, if names and types are those it was prepared
 * with. */
void engine_bind(struct engine_connection *c, uint32_t slot, const struct engine_input *input);

/* Appends the table expression by which SQL reads a slot. */
void engine_append_slot(struct engine_connection *c, uint32_t slot, struct buf *sql);

/* Decides a condition for `count` pairs of numbers; called from any of the engine's threads. What a
 * pair means is not checked before: users may write the function too. */
typedef void engine_condition_fn(const void *arg, const int64_t *a, const int64_t *b, size_t count,
                                 bool *out);

/* Makes the condition the SQL function name(BIGINT, BIGINT) of the instance. `arg` is the engine's
 * from now on, also on failure: it calls `free_arg` when it goes. */
must_check bool engine_add_condition(struct engine_connection *c, const char *name,
                                     engine_condition_fn *fn, void *arg,
                                     void (*free_arg)(void *arg), struct error *err);

/* Appends SQL's name of a type, and a local path as the literal that read_parquet() takes for this
 * one file: to the engine paths are patterns. */
void engine_append_type(struct type type, struct buf *sql);
void engine_append_path(const char *path, struct buf *sql);

/* Runs statements whose rows nobody wants. */
must_check bool engine_execute(struct engine_connection *c, const char *sql, struct error *err);

/* Runs one query. The rows must be freed before the connection is used again. */
must_check struct engine_rows *engine_query(struct engine_connection *c, const char *sql,
                                            struct error *err);

struct engine_statement *engine_prepare(struct engine_connection *c, const char *sql,
                                        struct error *err);
must_check struct engine_rows *engine_run(struct engine_statement *s, struct error *err);
void engine_statement_free(struct engine_statement **s);

/* Names and types of the result. A type that has no counterpart in the model fails the query as
 * ERROR_DATA naming the column and what to cast it to (HUGEINT: "cast to decimal(38,0) or bigint").
 */
uint32_t engine_rows_column_count(const struct engine_rows *r);
const char *engine_rows_name(const struct engine_rows *r, uint32_t column);
struct type engine_rows_type(const struct engine_rows *r, uint32_t column);

/* Appends a query with the rows of `sql`, in their order, whose columns have types of the model and
 * names that differ: nested values become JSON text, integers that the model is too narrow for
 * decimals (of 38 digits: larger ones are an error when they are met), and what else it lacks text.
 * A name that was there before gets a number ("id_1"). ERROR_DATA: the query is wrong. */
must_check bool engine_append_readable(struct engine_connection *c, const char *sql,
                                       struct buf *out, struct error *err);

/* The next rows: `*columns` (one struct column per result column, layout of the model) and
 * `*row_count`, borrowed until the next call; *row_count 0 is the end. */
must_check bool engine_rows_next(struct engine_rows *r, const struct column **columns,
                                 uint32_t *row_count, struct error *err);
void engine_rows_free(struct engine_rows **r);

/* Reads a query's single value as an integer or as text; ERROR_DATA when it is not one row and
 * column. */
must_check bool engine_query_int64(struct engine_connection *c, const char *sql, int64_t *out,
                                   struct error *err);
must_check bool engine_query_text(struct engine_connection *c, const char *sql, struct buf *out,
                                  struct error *err);

struct engine_parquet {
    const char *path;         /* local; must not exist; nothing is left there on failure */
    uint32_t row_group_size;  /* rows; 0: 61440 */
    const char *codec;        /* NULL: zstd */
    const int32_t *field_ids; /* one for each of `names`, all columns of the SELECT; NULL: none */
    const char *const *names;
    uint32_t column_count;
};

/* Writes the rows of a SELECT as one Parquet file (zstd level 1, every column OPTIONAL). Not
 * synced: the store does that. `*row_count` and `*size` (bytes) may be NULL. */
must_check bool engine_write_parquet(struct engine_connection *c, const char *select,
                                     const struct engine_parquet *options, uint64_t *row_count,
                                     uint64_t *size, struct error *err);
