#include "model/schema.h"

#include <assert.h>
#include <stdlib.h>

struct schema *schema_new(uint32_t column_count)
{
    struct schema *s = calloc(1, sizeof(*s));
    if (!s) {
        abort();
    }
    s->references = 1;
    s->column_count = column_count;
    s->columns = arena_array(&s->arena, column_count, sizeof(*s->columns));
    memset(s->columns, 0, column_count * sizeof(*s->columns));
    return s;
}

void schema_seal(struct schema *s)
{
    s->key_count = 0;
    for (uint32_t i = 0; i < s->column_count; i++) {
        assert(s->columns[i].name);
        s->key_count += s->columns[i].is_key;
    }
}

const char *schema_name(struct schema *s, struct str name)
{
    return arena_string(&s->arena, name.data, name.size);
}

struct schema *schema_reference(const struct schema *s)
{
    struct schema *shared = (struct schema *)(uintptr_t)s; /* only the count is written */
    __atomic_add_fetch(&shared->references, 1, __ATOMIC_RELAXED);
    return shared;
}

void schema_release(struct schema *s)
{
    if (s && __atomic_sub_fetch(&s->references, 1, __ATOMIC_ACQ_REL) == 0) {
        arena_release(&s->arena);
        free(s);
    }
}

void schema_free(struct schema **s)
{
    schema_release(take(*s));
}

int schema_find(const struct schema *s, struct str name)
{
    for (uint32_t i = 0; i < s->column_count; i++) {
        if (str_equal(str_from(s->columns[i].name), name)) {
            return (int)i;
        }
    }
    return -1;
}

bool schema_equal(const struct schema *a, const struct schema *b)
{
    if (a->column_count != b->column_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->column_count; i++) {
        const struct schema_column *x = &a->columns[i];
        const struct schema_column *y = &b->columns[i];
        if (strcmp(x->name, y->name) != 0 || !type_equal(x->type, y->type) ||
            x->nullable != y->nullable || x->is_key != y->is_key) {
            return false;
        }
    }
    return true;
}
