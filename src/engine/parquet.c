/* Parquet files. */
#include <inttypes.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "engine/duckdb_internal.h"

enum { ROW_GROUP_SIZE_DEFAULT = 61440 };

void engine_append_path(const char *path, struct buf *sql)
{
    owned(buf_release) struct buf escaped = {0};
    for (const char *p = path; *p; p++) {
        bool special = *p == '*' || *p == '?' || *p == '[';
        buf_append_format(&escaped, special ? "[%c]" : "%c", *p);
    }
    buf_append_literal(sql, buf_text(&escaped));
}

/* COPY would write a HUGEINT as a double, silently: whatever the model cannot hold is refused
 * first. */
static bool check_types(struct engine_connection *c, const char *select, struct error *err)
{
    struct engine_statement *statement = engine_prepare(c, select, err);
    bool done = statement && statement_check_types(statement, err);
    engine_statement_free(&statement);
    return done;
}

static void append_field_ids(const struct engine_parquet *options, struct buf *sql)
{
    for (uint32_t i = 0; options->field_ids && i < options->column_count; i++) {
        buf_append_text(sql, i == 0 ? ", FIELD_IDS {" : ", ");
        buf_append_identifier(sql, options->names[i]);
        buf_append_format(sql, ": %" PRId32, options->field_ids[i]);
    }
    buf_append_text(sql, options->field_ids ? "}" : "");
}

static void append_copy(const char *select, const struct engine_parquet *options, struct buf *sql)
{
    const char *codec = options->codec ? options->codec : "zstd";
    uint32_t row_group_size =
        options->row_group_size ? options->row_group_size : ROW_GROUP_SIZE_DEFAULT;
    buf_append_text(sql, "COPY (");
    buf_append_text(sql, select);
    buf_append_text(sql, "\n) TO "); /* the line ends a comment that the SELECT may end with */
    buf_append_literal(sql, options->path);
    buf_append_text(sql, " (FORMAT parquet, COMPRESSION ");
    buf_append_literal(sql, codec);
    if (strcasecmp(codec, "zstd") == 0) {
        buf_append_text(sql,
                        ", COMPRESSION_LEVEL 1"); /* faster and smaller than the default of 3 */
    }
    append_field_ids(options, sql);
    buf_append_format(sql, ", ROW_GROUP_SIZE %" PRIu32 ", USE_TMP_FILE false, RETURN_STATS)",
                      row_group_size);
}

/* RETURN_STATS: filename, count UBIGINT, file_size_bytes UBIGINT, ... one row a file. */
static bool read_statistics(duckdb_result *result, uint64_t *row_count, uint64_t *size,
                            struct error *err)
{
    duckdb_data_chunk chunk = duckdb_fetch_chunk(*result);
    bool expected = chunk && duckdb_data_chunk_get_size(chunk) == 1 &&
                    duckdb_column_count(result) > 2 &&
                    duckdb_column_type(result, 1) == DUCKDB_TYPE_UBIGINT &&
                    duckdb_column_type(result, 2) == DUCKDB_TYPE_UBIGINT;
    if (expected && row_count) {
        *row_count =
            *(const uint64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 1));
    }
    if (expected && size) {
        *size = *(const uint64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 2));
    }
    duckdb_destroy_data_chunk(&chunk);
    return expected ||
           error_set(err, ERROR_FATAL, "the engine does not say what it wrote to the Parquet file");
}

static bool copy(struct engine_connection *c, const char *sql, uint64_t *row_count, uint64_t *size,
                 struct error *err)
{
    duckdb_result result = {0};
    bool done = duckdb_run(c, sql, &result, err) && read_statistics(&result, row_count, size, err);
    duckdb_destroy_result(&result);
    return done;
}

bool engine_write_parquet(struct engine_connection *c, const char *select,
                          const struct engine_parquet *options, uint64_t *row_count, uint64_t *size,
                          struct error *err)
{
    if (file_exists(options->path)) {
        return error_set(err, ERROR_FATAL, "\"%s\" exists already", options->path);
    }
    if (!check_types(c, select, err)) {
        return error_wrap(err, "writing \"%s\"", options->path);
    }
    owned(buf_release) struct buf sql = {0};
    append_copy(select, options, &sql);
    if (!copy(c, buf_text(&sql), row_count, size, err)) {
        /* A COPY that fails leaves what it has written so far. */
        (void)unlink(options->path);
        return error_wrap(err, "writing \"%s\"", options->path);
    }
    return true;
}
