#include "cli/output.h"

#include <string.h>
#include <unistd.h>

#include "format/arrow.h"
#include "format/csv.h"
#include "format/json.h"
#include "format/value.h"

enum { TABLE_ROWS = 500, TEXT_BYTES = 1 << 20, BATCH_ROWS = 61440, BATCH_BYTES = 16 << 20 };

static const struct {
    const char *name;
    const char *ending; /* of files */
} formats[] = {
    [OUTPUT_TABLE] = {"table", ".txt"},    [OUTPUT_JSON] = {"json", ".json"},
    [OUTPUT_CSV] = {"csv", ".csv"},        [OUTPUT_PARQUET] = {"parquet", ".parquet"},
    [OUTPUT_ARROW] = {"arrow", ".arrows"},
};
enum { FORMAT_COUNT = sizeof(formats) / sizeof(formats[0]) };

/* --- which form --- */

static bool ends_with(const char *text, const char *ending)
{
    size_t size = strlen(text);
    size_t ending_size = strlen(ending);
    return size >= ending_size && strcmp(text + size - ending_size, ending) == 0;
}

static enum output_format default_format(const char *path)
{
    if (path && ends_with(path, ".arrow")) { /* by custom the other file format of Arrow */
        return OUTPUT_ARROW;
    }
    for (unsigned i = 0; path && i < FORMAT_COUNT; i++) {
        if (ends_with(path, formats[i].ending)) {
            return (enum output_format)i;
        }
    }
    return !path && isatty(STDOUT_FILENO) ? OUTPUT_TABLE : OUTPUT_JSON;
}

static bool choose_format(struct output *o, struct arguments *a, const char *path, const char *own,
                          struct error *err)
{
    const char *name = argument_text(a, "format");
    if (!name) {
        o->format = default_format(path);
        return true;
    }
    for (unsigned i = 0; i < FORMAT_COUNT; i++) {
        if (strcmp(name, formats[i].name) == 0) {
            o->format = (enum output_format)i;
            return true;
        }
    }
    o->format = OUTPUT_OWN;
    return (own && strcmp(name, own) == 0) ||
           argument_misuse(a, err, "--format \"%s\": table, json, csv, parquet%s%s%s", name,
                           own ? ", arrow" : "", " or ", own ? own : "arrow");
}

static bool check_place(const struct output *o, struct arguments *a, const char *path,
                        struct error *err)
{
    if (o->format == OUTPUT_PARQUET && !path) {
        return argument_misuse(a, err, "--format parquet needs --output FILE");
    }
    if (o->format == OUTPUT_ARROW && !path && isatty(STDOUT_FILENO)) {
        return argument_misuse(a, err,
                               "--format arrow is not for a terminal: use --output FILE or a pipe");
    }
    return true;
}

/* --- table --- */

static const char **column_names(const struct schema *schema, struct arena *a)
{
    const char **names = arena_array(a, schema->column_count, sizeof(*names));
    for (uint32_t i = 0; i < schema->column_count; i++) {
        names[i] = schema->columns[i].name;
    }
    return names;
}

static bool is_number(enum type_kind kind)
{
    return kind == TYPE_INT16 || kind == TYPE_INT32 || kind == TYPE_INT64 || kind == TYPE_FLOAT32 ||
           kind == TYPE_FLOAT64 || kind == TYPE_DECIMAL;
}

static void begin_table(struct output *o)
{
    struct arena arena = {0};
    text_table_init(&o->table, column_names(o->schema, &arena), o->schema->column_count, 0);
    arena_release(&arena);
    for (uint32_t i = 0; i < o->schema->column_count; i++) {
        o->table.right[i] = is_number(o->schema->columns[i].type.kind);
    }
    o->table_rows = 0;
    o->begun = true;
}

static bool write_text(struct output *o, const struct buf *text)
{
    return text->failed ? error_set(&o->failure, ERROR_DATA, "a row has more than 1 GiB of text")
                        : output_file_write(&o->file, buf_text(text), text->size);
}

static bool flush(struct output *o, struct buf *text)
{
    bool done = write_text(o, text);
    buf_clear(text);
    return done;
}

static bool end_table(struct output *o)
{
    owned(buf_release) struct buf text = {0};
    text_table_format(&o->table, &text);
    text_table_release(&o->table);
    o->begun = false;
    return flush(o, &text);
}

static bool add_to_table(struct output *o, const struct column *columns, uint32_t row)
{
    if (!o->begun) {
        begin_table(o);
    }
    struct arena arena = {0};
    struct str *cells = arena_array(&arena, o->schema->column_count, sizeof(*cells));
    for (uint32_t i = 0; i < o->schema->column_count; i++) {
        owned(buf_release) struct buf text = {0};
        if (column_is_valid(&columns[i], row)) {
            value_format(&columns[i], row, &text);
        }
        cells[i] = (struct str){arena_string(&arena, buf_text(&text), text.size), text.size};
    }
    text_table_add(&o->table, cells);
    arena_release(&arena);
    return ++o->table_rows < TABLE_ROWS || end_table(o);
}

/* --- json, csv --- */

static bool write_lines(struct output *o, const struct column *columns, uint32_t row_count)
{
    owned(buf_release) struct buf text = {0};
    for (uint32_t row = 0; row < row_count; row++) {
        if (o->format == OUTPUT_JSON) {
            json_write_row(o->schema, columns, row, false, &text);
            buf_append_char(&text, '\n');
        } else {
            csv_write_row(columns, o->schema->column_count, row, &text);
        }
        if (text.size > TEXT_BYTES && !flush(o, &text)) {
            return false;
        }
    }
    return flush(o, &text);
}

/* --- arrow, parquet: rows are collected, because those of a small file are few --- */

static bool write_arrow(struct output *o)
{
    owned(buf_release) struct buf bytes = {0};
    for (uint32_t next = 0; next < o->batch->row_count;) {
        buf_clear(&bytes);
        if (!arrow_write_batch(o->schema, o->batch->columns, o->batch->row_count, &next, 0, &bytes,
                               &o->failure) ||
            !flush(o, &bytes)) {
            return false;
        }
    }
    return true;
}

static bool write_batch(struct output *o)
{
    bool done =
        o->batch->row_count == 0 ||
        (o->format == OUTPUT_ARROW ? write_arrow(o)
                                   : output_parquet_rows(&o->parquet, o->batch, &o->failure));
    batch_free(&o->batch);
    o->batch = batch_new(o->schema, 0, 0);
    return done;
}

static bool collect(struct output *o, const struct column *columns, uint32_t row_count)
{
    batch_append(o->batch, columns, 0, row_count);
    return (o->batch->row_count < BATCH_ROWS && batch_bytes(o->batch) < BATCH_BYTES) ||
           write_batch(o);
}

/* --- the whole --- */

static bool begin(struct output *o, struct error *err)
{
    struct arena arena = {0};
    owned(buf_release) struct buf text = {0};
    switch (o->format) {
    case OUTPUT_TABLE:
        begin_table(o);
        return true;
    case OUTPUT_CSV:
        csv_write_header(column_names(o->schema, &arena), o->schema->column_count, &text);
        arena_release(&arena);
        break;
    case OUTPUT_ARROW:
        o->batch = batch_new(o->schema, 0, 0);
        arrow_write_schema(o->schema, &text);
        break;
    case OUTPUT_PARQUET:
        o->batch = batch_new(o->schema, 0, 0);
        return output_parquet_open(&o->parquet, o->file.temporary, o->schema, err);
    case OUTPUT_JSON:
    case OUTPUT_OWN:
        return true;
    }
    (void)flush(o, &text);
    return true;
}

bool output_open_with(struct output *o, struct arguments *a, const struct schema *schema,
                      const char *own, struct error *err)
{
    const char *path = argument_text(a, "output");
    *o = (struct output){.schema = schema};
    return choose_format(o, a, path, own, err) && check_place(o, a, path, err) &&
           output_file_open(&o->file, path, o->format != OUTPUT_PARQUET, err) && begin(o, err);
}

bool output_open(struct output *o, struct arguments *a, const struct schema *schema,
                 struct error *err)
{
    return output_open_with(o, a, schema, NULL, err);
}

static bool good(const struct output *o)
{
    return o->failure.kind == ERROR_NONE && o->file.failure == 0;
}

bool output_rows(struct output *o, const struct column *columns, uint32_t row_count)
{
    switch (o->format) {
    case OUTPUT_TABLE:
        for (uint32_t row = 0; row < row_count && good(o); row++) {
            (void)add_to_table(o, columns, row);
        }
        return good(o);
    case OUTPUT_JSON:
    case OUTPUT_CSV:
        return good(o) && write_lines(o, columns, row_count);
    case OUTPUT_ARROW:
    case OUTPUT_PARQUET:
        return good(o) && collect(o, columns, row_count);
    case OUTPUT_OWN:
        break;
    }
    return good(o);
}

bool output_text(struct output *o, const struct buf *text)
{
    return good(o) && write_text(o, text);
}

static bool finish(struct output *o)
{
    owned(buf_release) struct buf end = {0};
    if (!good(o)) {
        return false;
    }
    switch (o->format) {
    case OUTPUT_TABLE:
        return !o->begun || end_table(o);
    case OUTPUT_ARROW:
        arrow_write_end(&end);
        return write_batch(o) && flush(o, &end);
    case OUTPUT_PARQUET:
        return write_batch(o) && output_parquet_close(&o->parquet, o->file.temporary, &o->failure);
    case OUTPUT_JSON:
    case OUTPUT_CSV:
    case OUTPUT_OWN:
        break;
    }
    return true;
}

bool output_close(struct output *o, struct error *err)
{
    if (!finish(o) && o->failure.kind != ERROR_NONE) {
        return error_set(err, o->failure.kind, "%s", o->failure.message);
    }
    return output_file_close(&o->file, err);
}

void output_release(struct output *o)
{
    if (o->begun) {
        text_table_release(&o->table);
        o->begun = false;
    }
    batch_free(&o->batch);
    output_parquet_release(&o->parquet);
    output_file_release(&o->file);
}
