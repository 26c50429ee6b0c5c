/* The table of the tests, how it is opened, and its rows. */
#pragma once

#include "fixture.h"

fake_unused static const struct type int64_type = {.kind = TYPE_INT64};
fake_unused static const struct type int32_type = {.kind = TYPE_INT32};
fake_unused static const struct type text_type = {.kind = TYPE_STRING};
fake_unused static const char *const partition_by_id[] = {"id"};
fake_unused static const char *const partition_by_note[] = {"note"};
fake_unused static const char *const partition_by_v[] = {"v"};

fake_unused static struct schema *plain_schema(void)
{
    return schema_of((const struct column_spec[]){{"id", int64_type, true},
                                                  {"v", int32_type, false},
                                                  {"note", text_type, false}},
                     3);
}

fake_unused static int open_upsert(void **state)
{
    struct fixture *f = malloc(sizeof(*f));
    assert_non_null(f);
    fixture_open(f, TABLE_UPSERT);
    *state = f;
    return 0;
}

fake_unused static int open_append(void **state)
{
    struct fixture *f = malloc(sizeof(*f));
    assert_non_null(f);
    fixture_open(f, TABLE_APPEND);
    *state = f;
    return 0;
}

fake_unused static int close_fixture(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    free(f);
    return 0;
}

fake_unused static uint32_t whole(struct fixture *f, enum row_kind kind, int64_t id, int64_t v,
                                  const char *note)
{
    uint32_t row = add(f, kind, IMAGE_WHOLE);
    set_int(f, "id", row, id);
    set_int(f, "v", row, v);
    set_text(f, "note", row, note);
    return row;
}

fake_unused static uint32_t key_only(struct fixture *f, enum row_kind kind, int64_t id)
{
    uint32_t row = add(f, kind, IMAGE_KEY);
    set_int(f, "id", row, id);
    only_key(f, row);
    return row;
}

/* An update that leaves the note alone. */
fake_unused static void update_v(struct fixture *f, int64_t id, int64_t v)
{
    uint32_t row = whole(f, ROW_UPDATE_AFTER, id, v, "");
    batch_set_unchanged(rows(f), (uint32_t)column_named(f, "note"), row);
}

/* A streaming table with rows (1, 10, a), (2, 20, b), (3, 30, null). */
fake_unused static void start(struct fixture *f)
{
    new_table(f);
    set_schema(f, plain_schema());
    begin_load(f);
    whole(f, ROW_INSERT, 1, 10, "a");
    whole(f, ROW_INSERT, 2, 20, "b");
    whole(f, ROW_INSERT, 3, 30, NULL);
    commit(f, PHASE_LOADING);
    commit(f, PHASE_STREAMING);
    assert_rows(f, "|1|10|a |2|20|b |3|30|~");
}

fake_unused static void assert_fails(bool done, const struct error *err, enum error_kind kind,
                                     const char *message)
{
    assert_false(done);
    if (err->kind != kind || !strstr(err->message, message)) {
        fail_msg("%s: %s", error_kind_name(err->kind), err->message);
    }
}
