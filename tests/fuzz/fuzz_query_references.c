/* The text of queries: any text is read or refused; what is taken out of it leaves every byte at
 * its place; tables lie in it one after the other, and the query with other names in their place
 * has the same tables. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/query_references.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct engine_connection *connect_once(void)
{
    static struct engine *engine;
    static struct engine_connection *connection;
    struct error err = {0};
    if (!connection) {
        engine = engine_open(&(struct engine_options){.kind = ENGINE_USER}, &err);
        connection = engine ? engine_connect(engine, &err) : NULL;
    }
    if (!connection) {
        abort();
    }
    return connection;
}

static void check(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void check_words(const char *sql, const struct query_text *t)
{
    size_t end = 0;
    check(t->size == strlen(sql) && strlen(t->sql) == t->size, "the text has another size");
    for (size_t i = 0; i < t->word_count; i++) {
        const struct query_word *w = &t->words[i];
        check(w->start >= end && w->size > 0 && w->start + w->size <= t->size, "a word's place");
        end = w->start + w->size;
    }
    for (size_t i = 0; i < t->size; i++) {
        check(t->sql[i] == sql[i] || t->sql[i] == ' ', "another byte than a space came in");
    }
}

static void check_references(const struct query_text *t, const struct query_references *r)
{
    size_t end = 0;
    for (size_t i = 0; i < r->count; i++) {
        check(r->items[i].start >= end && r->items[i].size > 0 &&
                  r->items[i].table < r->table_count,
              "a table's place");
        end = r->items[i].start + r->items[i].size;
    }
    check(end <= t->size, "a table behind the end");
}

/* With quoted names in the place of tables the query is one of as many tables. */
static void check_replaced(const struct query_text *t, const struct query_references *r,
                           struct arena *a)
{
    struct query_text text;
    struct query_references again;
    struct error err = {0};
    struct buf sql = {0};
    const char **names = arena_array(a, (size_t)r->table_count + 1, sizeof(*names));
    for (uint32_t i = 0; i < r->table_count; i++) {
        names[i] = arena_format(a, "\"leat_%u\".\"a \"\"table\"", i);
    }
    query_references_append(r, t, names, &sql);
    bool done = query_text_read(buf_text(&sql), 0, a, &text, &err) &&
                query_references_find(&text, connect_once(), a, &again, &err);
    if (!done) {
        (void)fprintf(stderr, "%s\n%s\n", buf_text(&sql), err.message);
    }
    check(done, "the query with other names is none");
    check(again.count == r->count && again.table_count == r->table_count,
          "the query with other names has other tables");
    buf_release(&sql);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct error err = {0};
    struct query_text text;
    struct query_references found;
    char *sql = arena_string(&a, (const char *)data, size);
    if (query_text_read(sql, 0, &a, &text, &err)) {
        check_words(sql, &text);
        if (query_references_find(&text, connect_once(), &a, &found, &err)) {
            check_references(&text, &found);
            check_replaced(&text, &found, &a);
        }
    }
    check(err.kind == ERROR_NONE || err.kind == ERROR_CONFIG, err.message);
    arena_release(&a);
    return 0;
}
