#include "cli/output_parquet.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"

enum { SLOT = 0 };

static bool create_table(struct output_parquet *p, struct error *err)
{
    owned(buf_release) struct buf sql = {0};
    buf_append_text(&sql, "CREATE TABLE collected (");
    for (uint32_t i = 0; i < p->schema->column_count; i++) {
        buf_append_text(&sql, i > 0 ? ", " : "");
        buf_append_identifier(&sql, p->schema->columns[i].name);
        buf_append_char(&sql, ' ');
        engine_append_type(p->schema->columns[i].type, &sql);
    }
    buf_append_char(&sql, ')');
    return engine_execute(p->connection, buf_text(&sql), err);
}

bool output_parquet_open(struct output_parquet *p, const char *path, const struct schema *schema,
                         struct error *err)
{
    owned(buf_release) struct buf directory = {0};
    *p = (struct output_parquet){.schema = schema};
    buf_append_format(&directory, "%s.d", path); /* the engine makes it when it needs it */
    p->directory = strdup(buf_text(&directory));
    if (!p->directory) {
        abort();
    }
    struct engine_options options = {.kind = ENGINE_FILE, .temp_directory = p->directory};
    p->engine = engine_open(&options, err);
    p->connection = p->engine ? engine_connect(p->engine, err) : NULL;
    return p->connection && create_table(p, err);
}

bool output_parquet_rows(struct output_parquet *p, const struct batch *b, struct error *err)
{
    struct arena arena = {0};
    owned(buf_release) struct buf sql = {0};
    const char **names = arena_array(&arena, p->schema->column_count, sizeof(*names));
    for (uint32_t i = 0; i < p->schema->column_count; i++) {
        names[i] = p->schema->columns[i].name;
    }
    engine_bind(p->connection, SLOT,
                &(struct engine_input){.names = names,
                                       .columns = b->columns,
                                       .column_count = p->schema->column_count,
                                       .row_count = b->row_count});
    buf_append_text(&sql, "INSERT INTO collected SELECT * FROM ");
    engine_append_slot(p->connection, SLOT, &sql);
    bool done = engine_execute(p->connection, buf_text(&sql), err);
    arena_release(&arena);
    return done;
}

bool output_parquet_close(struct output_parquet *p, const char *path, struct error *err)
{
    struct engine_parquet options = {.path = path};
    return engine_write_parquet(p->connection, "SELECT * FROM collected", &options, NULL, NULL,
                                err);
}

void output_parquet_release(struct output_parquet *p)
{
    struct error ignored = {0};
    engine_disconnect(&p->connection);
    engine_free(&p->engine);
    if (p->directory) {
        bool removed = file_remove_tree(p->directory, &ignored);
        (void)removed; /* the output is what it is */
        free(take(p->directory));
    }
}
