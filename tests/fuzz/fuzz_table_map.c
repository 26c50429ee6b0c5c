/* The body of a table map event. */
#include <stdlib.h>

#include "base/arena.h"
#include "source/mysql/table_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile char sink;

static void touch(struct str s)
{
    for (size_t i = 0; i < s.size; i++) {
        sink ^= s.data[i];
    }
}

static void check_column(const struct table_map_column *c)
{
    struct buf text = {0};
    table_map_format_type(c, &text);
    if (text.size == 0 || text.failed) {
        abort();
    }
    buf_release(&text);
    touch(c->name);
    for (uint32_t i = 0; i < c->label_count; i++) {
        touch(c->labels[i]);
    }
}

static void check(const struct table_map *map)
{
    touch(map->database);
    touch(map->table);
    for (uint32_t i = 0; i < map->column_count; i++) {
        check_column(&map->columns[i]);
    }
    for (uint32_t i = 0; i < map->key_count; i++) {
        if (map->key[i] >= map->column_count) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct table_map map = {0};
    struct error err = {0};
    if (table_map_decode((struct str){.data = (const char *)data, .size = size}, &arena, &map,
                         &err)) {
        check(&map);
    } else if (err.kind != ERROR_FATAL && err.kind != ERROR_DATA) {
        abort();
    }
    /* Memory follows what was given, not what it claims. */
    if (arena.bytes > (1 << 20) + 64 * size) {
        abort();
    }
    arena_release(&arena);
    return 0;
}
