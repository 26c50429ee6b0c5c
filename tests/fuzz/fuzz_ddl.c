/* A statement of the log: every name of its outline is looked at. */
#include <stdlib.h>
#include <string.h>

#include "source/mysql/ddl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile size_t seen; /* so that nothing is optimized away */

static void look_at(const char *name)
{
    size_t length = strlen(name);
    if (length > 256) {
        abort();
    }
    seen += length;
}

static bool has_name(const struct ddl_change *c)
{
    return c->kind == DDL_ADD_COLUMN || c->kind == DDL_DROP_COLUMN ||
           c->kind == DDL_RENAME_COLUMN || c->kind == DDL_MODIFY_COLUMN;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct ddl d;
    ddl_read((struct str){.data = (const char *)data, .size = size}, str_from("shop"), &arena, &d);
    for (uint32_t i = 0; i < d.table_count; i++) {
        look_at(d.tables[i].schema);
        look_at(d.tables[i].table);
    }
    for (uint32_t i = 0; i < d.change_count; i++) {
        const struct ddl_change *c = &d.changes[i];
        if (has_name(c)) {
            look_at(c->name);
        }
        if (c->kind == DDL_RENAME_COLUMN || c->kind == DDL_RENAME_TABLE) {
            look_at(c->new_name);
        }
        if (c->kind == DDL_RENAME_TABLE) {
            look_at(c->new_schema);
        }
    }
    if (d.kind == DDL_ALTER && d.table_count == 0) {
        abort();
    }
    arena_release(&arena);
    return 0;
}
