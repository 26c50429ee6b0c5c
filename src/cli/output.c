#include "cli/output.h"

#include <string.h>
#include <unistd.h>

#include "format/csv.h"
#include "format/json.h"
#include "format/value.h"

enum { TABLE_ROWS = 500 };

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

static void print(const struct buf *text)
{
    (void)fwrite(buf_text(text), 1, text->size, stdout);
}

static void end_table(struct output *o)
{
    owned(buf_release) struct buf text = {0};
    text_table_format(&o->table, &text);
    text_table_release(&o->table);
    o->begun = false;
    print(&text);
}

bool output_open(struct output *o, struct arguments *a, const struct schema *schema,
                 struct error *err)
{
    static const char *const names[] = {"table", "json", "csv"};
    const char *name = argument_text(a, "format");
    *o = (struct output){.schema = schema,
                         .format = isatty(STDOUT_FILENO) ? OUTPUT_TABLE : OUTPUT_JSON};
    bool known = name == NULL;
    for (size_t i = 0; !known && i < sizeof(names) / sizeof(names[0]); i++) {
        known = strcmp(name, names[i]) == 0;
        o->format = (enum output_format)i;
    }
    if (!known) {
        return argument_misuse(a, err, "--format \"%s\": table, json or csv", name);
    }
    if (o->format == OUTPUT_TABLE) {
        begin_table(o);
    } else if (o->format == OUTPUT_CSV) {
        struct arena arena = {0};
        owned(buf_release) struct buf line = {0};
        csv_write_header(column_names(schema, &arena), schema->column_count, &line);
        arena_release(&arena);
        print(&line);
    }
    return true;
}

static void add_to_table(struct output *o, const struct column *columns, uint32_t row)
{
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
    if (++o->table_rows == TABLE_ROWS) {
        end_table(o);
    }
}

void output_rows(struct output *o, const struct column *columns, uint32_t row_count)
{
    owned(buf_release) struct buf text = {0};
    for (uint32_t row = 0; row < row_count; row++) {
        if (o->format == OUTPUT_TABLE) {
            if (!o->begun) {
                begin_table(o);
            }
            add_to_table(o, columns, row);
        } else if (o->format == OUTPUT_JSON) {
            json_write_row(o->schema, columns, row, false, &text);
            buf_append_char(&text, '\n');
        } else {
            csv_write_row(columns, o->schema->column_count, row, &text);
        }
    }
    print(&text);
}

bool output_close(struct output *o, struct error *err)
{
    if (o->begun) {
        end_table(o);
    }
    return (fflush(stdout) == 0 && !ferror(stdout)) ||
           error_errno(err, ERROR_FATAL, "cannot write to stdout");
}

void output_release(struct output *o)
{
    if (o->begun) {
        text_table_release(&o->table);
        o->begun = false;
    }
}
