/* One commit of a Delta log: decoded, replayed twice, written and decoded again; what it says of
 * schemas, statistics, records and inline vectors is read too. */
#include <stdlib.h>

#include "delta/path.h"
#include "delta/protocol.h"
#include "delta/schema.h"
#include "delta/state.h"
#include "delta/stats.h"
#include "delta/vector.h"
#include "lake/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at_file(const struct delta_file *file)
{
    struct error err = {0};
    struct buf key = {0};
    struct arena arena = {0};
    uint64_t rows = 0;
    (void)!delta_path_key(file->path, &key, &err);
    (void)!delta_stats_row_count(file->stats, &rows);
    (void)delta_stats_loosen(file->stats, rows, &arena);
    if (file->vector && strcmp(file->vector->storage, "i") == 0) {
        err = (struct error){0};
        roaring_bitmap_t *bitmap = delta_vector_read(NULL, file->vector, rows, &err);
        if (bitmap) {
            if (roaring_bitmap_get_cardinality(bitmap) != (uint64_t)file->vector->cardinality) {
                abort();
            }
            roaring_bitmap_free(bitmap);
        }
    }
    buf_release(&key);
    arena_release(&arena);
}

static void look_at(const struct delta_action *action)
{
    struct error err = {0};
    if (action->kind == DELTA_METADATA) {
        struct schema *schema = delta_schema_parse(action->metadata.schema, &err);
        struct buf text = {0};
        err = (struct error){0};
        if (schema && delta_schema_check(schema, &err) &&
            !delta_schema_format(schema, action->metadata.schema, &text, &err)) {
            abort();
        }
        schema_release(schema);
        buf_release(&text);
    } else if (action->kind == DELTA_DOMAIN) {
        struct lake_record record;
        (void)!lake_record_parse(action->domain.configuration, &record, &err);
    } else if (action->kind == DELTA_ADD || action->kind == DELTA_REMOVE) {
        look_at_file(&action->file);
    }
}

/* What is written reads back as as many actions. */
static void write_again(const struct delta_actions *actions)
{
    struct arena arena = {0};
    struct delta_actions again = {.arena = &arena};
    struct buf text = {0};
    struct error err = {0};
    size_t count = 0;
    for (size_t i = 0; i < actions->count; i++) {
        delta_action_encode(&actions->items[i], &text);
        count += actions->items[i].kind != DELTA_SIDECAR;
    }
    if (!delta_actions_decode(buf_str(&text), &again, &err) || again.count != count) {
        abort();
    }
    buf_release(&text);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct delta_actions actions = {.arena = &arena};
    struct delta_state state;
    struct error err = {0};
    delta_state_init(&state);
    bool ok = delta_actions_decode((struct str){(const char *)data, size}, &actions, &err);
    for (size_t i = 0; i < actions.count && ok; i++) {
        look_at(&actions.items[i]);
    }
    if (ok) {
        write_again(&actions);
        ok = delta_state_apply(&state, 0, actions.items, actions.count, &err) &&
             delta_state_apply(&state, 1, actions.items, actions.count, &err);
    }
    if (ok && state.has_protocol && state.has_metadata) {
        (void)(delta_protocol_check_reader(&state, &err) &&
               delta_protocol_check_writer(&state, &err));
        struct delta_actions list = {.arena = &arena};
        delta_state_list(&state, &list);
    }
    delta_state_release(&state);
    arena_release(&arena);
    return 0;
}
