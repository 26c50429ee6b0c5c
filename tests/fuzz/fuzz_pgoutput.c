/* Replication messages, each after its size in four bytes: decoded, applied to a stream whose
 * catalog believes what they say, and every batch checked. */
#include <stdlib.h>

#include "../unit/postgres/fake_catalog.h"
#include "model/batch.h"
#include "source/postgres/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TABLES_MAX = 4 };

struct tables {
    struct relation relations[TABLES_MAX];
    uint32_t count;
    struct arena arena;
};

static struct str next_message(struct reader *r)
{
    struct str m = {.size = reader_u32(r)};
    m.data = (const char *)reader_bytes(r, m.size);
    return m;
}

/* The tables that are captured: the first ones that the input describes. */
static void find_tables(struct reader in, struct tables *t, const struct relation_options *options,
                        struct pgoutput_message *message)
{
    while (reader_left(&in) > 0 && t->count < TABLES_MAX) {
        struct str m = next_message(&in);
        struct error err = {0};
        if (in.failed || !pgoutput_decode(m.data, m.size, message, &err) ||
            message->kind != PGOUTPUT_RELATION) {
            continue;
        }
        struct catalog_table table = fake_table(message, &t->arena);
        bool done = relation_init(&t->relations[t->count], &table, t->count, options, &err);
        t->count += done;
        if (!done) {
            relation_release(&t->relations[t->count]);
        }
    }
}

static void take_events(struct stream *s)
{
    struct event e = {0};
    while (stream_take(s, &e)) {
        struct error err = {0};
        if (e.batch && !batch_check(e.batch, &err)) {
            abort();
        }
        event_release(&e);
    }
}

static void apply_all(struct reader in, struct stream *s)
{
    while (reader_left(&in) > 0) {
        struct str m = next_message(&in);
        struct error err = {0};
        if (in.failed || !stream_apply(s, m.data, m.size, &err)) {
            return;
        }
        if (stream_can_rest(s)) {
            stream_rest(s);
        }
        take_events(s);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *as_text[] = {"other"};
    struct config_strings list = {.items = as_text, .count = 1};
    struct relation_options options = {.as_text = &list, .pipeline = "fuzz"};
    struct pgoutput_message *message = calloc(1, sizeof(*message));
    struct tables tables = {0};
    if (!message) {
        abort();
    }
    find_tables(reader_from(data, size), &tables, &options, message);
    struct stream *s = stream_new(&(struct stream_options){.relations = tables.relations,
                                                           .relation_count = tables.count,
                                                           .relation_options = options,
                                                           .lookup = fake_lookup});
    apply_all(reader_from(data, size), s);
    stream_free(&s);
    for (uint32_t i = 0; i < tables.count; i++) {
        relation_release(&tables.relations[i]);
    }
    arena_release(&tables.arena);
    free(message);
    return 0;
}
