/* A catalog made from what the stream says, for tests and fuzzing without a server. */
#pragma once

#include "source/postgres/catalog.h"
#include "source/postgres/pgoutput.h"
#include "source/postgres/relation.h"
#include "source/postgres/value.h"

/* Types without a native form are called "other"; text[] is the one array; a column called domain_
 * has a domain over numeric(12,3). */
static inline struct catalog_type fake_type(struct str column, uint32_t id, int32_t typmod)
{
    if (str_equal(column, str_from("domain_"))) {
        id = VALUE_NUMERIC;
        typmod = (12 << 16 | 3) + 4;
    }
    struct type native = {0};
    bool known = value_native_type(id, typmod, &native);
    bool is_array = id == 1009;
    const char *name = is_array ? "text[]" : known ? "known" : "other";
    return (struct catalog_type){
        .name = name,
        .bare_name = name,
        .short_name = name,
        .base_id = is_array ? VALUE_TEXT : id,
        .base_typmod = typmod,
        .is_array = is_array,
    };
}

/* A column keeps its number under its name, whatever stands before it. */
static inline int32_t fake_number(struct str name)
{
    uint32_t number = 0;
    for (size_t i = 0; i < name.size; i++) {
        number = number * 31 + (uint8_t)name.data[i];
    }
    return (int32_t)number;
}

static inline struct catalog_table fake_table(const struct pgoutput_message *m, struct arena *arena)
{
    const struct pgoutput_relation *r = &m->relation;
    struct catalog_table t = {
        .name = {.schema = arena_string(arena, r->schema.data, r->schema.size),
                 .table = arena_string(arena, r->table.data, r->table.size)},
        .id = m->relation_id,
        .file_node = m->relation_id,
        .kind = 'r',
        .persistence = 'p',
        .replica_identity = r->replica_identity,
        .column_count = r->column_count,
        .columns = arena_array(arena, r->column_count, sizeof(*t.columns)),
    };
    for (uint32_t i = 0; i < r->column_count; i++) {
        const struct pgoutput_column *c = &r->columns[i];
        t.columns[i] = (struct catalog_column){
            .name = arena_string(arena, c->name.data, c->name.size),
            .number = fake_number(c->name),
            .type_id = c->type_id,
            .typmod = c->typmod,
            .is_key = c->is_key && r->replica_identity != 'f',
            .type = fake_type(c->name, c->type_id, c->typmod),
        };
    }
    return t;
}

/* A stream_lookup_fn: the catalog is where the stream is. */
static inline bool fake_lookup(void *arg, const struct pgoutput_message *m,
                               struct relation_facts *out, struct error *err)
{
    (void)arg;
    (void)err;
    out->now = fake_table(m, &out->arena);
    out->types = arena_array(&out->arena, out->now.column_count, sizeof(*out->types));
    for (uint32_t i = 0; i < out->now.column_count; i++) {
        out->types[i] = out->now.columns[i].type;
    }
    return true;
}
