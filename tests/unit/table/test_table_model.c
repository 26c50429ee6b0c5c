/* Random changes against a plain model, over the fake lake and over Delta: after each epoch the
 * table equals the model, and at the end the feed of all versions makes the table. */
#include "fixture.h"

enum { IDS = 40, EPOCHS = 20, NOTE_SIZE = 40 };

static const struct type int64_type = {.kind = TYPE_INT64};
static const struct type int32_type = {.kind = TYPE_INT32};
static const struct type text_type = {.kind = TYPE_STRING};
static const char *const partition_by_place[] = {"place"};

struct model_row {
    bool present;
    bool has_note;
    bool has_more;
    int64_t v;
    char place[8];
    char note[NOTE_SIZE];
    char more[8];
};

struct model {
    struct fixture f;
    struct model_row rows[IDS];
    uint64_t random;
    bool partitioned;
    bool whole_before; /* the source sends whole old rows */
    bool has_more;     /* the column was added */
    bool has_note;     /* it was not dropped */
    bool wide;
    uint32_t number; /* makes values unique */
};

static uint32_t below(struct model *m, uint32_t bound)
{
    m->random = m->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((m->random >> 33) % bound);
}

static struct schema *model_schema(const struct model *m)
{
    struct column_spec specs[5] = {{"id", int64_type, true},
                                   {"place", text_type, false},
                                   {"v", m->wide ? int64_type : int32_type, false}};
    uint32_t count = 3;
    if (m->has_note) {
        specs[count++] = (struct column_spec){"note", text_type, false};
    }
    if (m->has_more) {
        specs[count++] = (struct column_spec){"more", text_type, false};
    }
    return schema_of(specs, count);
}

static void put_row(struct model *m, enum row_kind kind, uint32_t id, const struct model_row *r)
{
    struct fixture *f = &m->f;
    uint32_t row = add(f, kind, IMAGE_WHOLE);
    set_int(f, "id", row, id);
    set_text(f, "place", row, r->place);
    set_int(f, "v", row, r->v);
    set_text(f, "note", row, r->has_note ? r->note : NULL);
    set_text(f, "more", row, r->has_more ? r->more : NULL);
}

static void put_before(struct model *m, enum row_kind kind, uint32_t id)
{
    if (m->whole_before) {
        put_row(m, kind, id, &m->rows[id]);
        return;
    }
    uint32_t row = add(&m->f, kind, IMAGE_KEY);
    set_int(&m->f, "id", row, id);
    only_key(&m->f, row);
}

static void change_values(struct model *m, struct model_row *r)
{
    r->present = true;
    r->v = m->number++ + (m->wide ? INT64_C(1) << 40 : 0);
    (void)snprintf(r->place, sizeof(r->place), "p%u", below(m, 3));
    r->has_more = m->has_more && below(m, 3) > 0;
    (void)snprintf(r->more, sizeof(r->more), "m%u", below(m, 100));
}

static void change_note(struct model *m, struct model_row *r)
{
    r->has_note = m->has_note && below(m, 4) > 0;
    (void)snprintf(r->note, sizeof(r->note), "%s-%u", below(m, 2) ? "n" : "a note of many letters",
                   m->number++);
}

static void insert_row(struct model *m, uint32_t id)
{
    struct model_row *r = &m->rows[id];
    change_values(m, r);
    change_note(m, r);
    put_row(m, ROW_INSERT, id, r);
}

static void delete_row(struct model *m, uint32_t id)
{
    put_before(m, ROW_DELETE, id);
    m->rows[id] = (struct model_row){0};
}

/* Changes a row, perhaps its key, perhaps without sending its note. */
static void update_row(struct model *m, uint32_t from, uint32_t to)
{
    struct fixture *f = &m->f;
    bool unsent = m->has_note && below(m, 2) > 0;
    if (m->whole_before || from != to) {
        put_before(m, ROW_UPDATE_BEFORE, from);
    }
    struct model_row r = m->rows[from];
    m->rows[from] = (struct model_row){0};
    if (below(m, 5) > 0) {
        change_values(m, &r);
    }
    r.has_more = r.has_more && m->has_more;
    if (!unsent) {
        change_note(m, &r);
    }
    m->rows[to] = r;
    put_row(m, ROW_UPDATE_AFTER, to, &r);
    if (unsent) {
        struct batch *b = rows(f);
        uint32_t column = (uint32_t)column_named(f, "note");
        uint32_t row = b->row_count - 1;
        ((struct view *)b->columns[column].values)[row] = (struct view){0};
        batch_set_unchanged(b, column, row);
    }
}

static int find_row(struct model *m, bool present)
{
    uint32_t start = below(m, IDS);
    for (uint32_t i = 0; i < IDS; i++) {
        uint32_t id = (start + i) % IDS;
        if (m->rows[id].present == present) {
            return (int)id;
        }
    }
    return -1;
}

static void change_something(struct model *m)
{
    int there = find_row(m, true);
    int absent = find_row(m, false);
    int other = find_row(m, true);
    uint32_t dice = below(m, 100);
    if (there < 0 || (dice < 35 && absent >= 0)) {
        insert_row(m, (uint32_t)absent);
    } else if (dice < 65 || absent < 0) {
        update_row(m, (uint32_t)there, (uint32_t)there);
    } else if (dice < 85) {
        delete_row(m, (uint32_t)there);
    } else if (dice < 93 || other == there) {
        update_row(m, (uint32_t)there, (uint32_t)absent);
    } else { /* two rows swap their keys through a third */
        update_row(m, (uint32_t)there, (uint32_t)absent);
        update_row(m, (uint32_t)other, (uint32_t)there);
        update_row(m, (uint32_t)absent, (uint32_t)other);
    }
}

static void flush(struct model *m)
{
    struct error err = {0};
    assert_done(flush_rows(&m->f, false, &err), &err);
}

static void change_schema(struct model *m)
{
    uint32_t dice = below(m, 3);
    flush(m);
    if (dice == 0 && !m->has_more) {
        m->has_more = true;
    } else if (dice == 1 && !m->wide) {
        m->wide = true;
    } else if (dice == 2 && m->has_note && below(m, 3) == 0) {
        m->has_note = false;
    } else {
        return;
    }
    set_schema(&m->f, model_schema(m));
}

static void empty(struct model *m)
{
    flush(m);
    truncate_rows(&m->f);
    memset(m->rows, 0, sizeof(m->rows));
}

static void fail_sometimes(struct model *m)
{
    static const enum error_kind kinds[] = {ERROR_CONFLICT, ERROR_UNKNOWN, ERROR_UNKNOWN};
    if (below(m, 4) == 0) {
        uint32_t which = below(m, 3);
        m->f.lake->fail = kinds[which];
        m->f.lake->fail_applies = which == 2;
        m->f.lake->fail_count = 1;
    }
}

static const char *or_null(bool has, const char *text)
{
    return has ? text : "~";
}

/* A dropped column keeps its values in rows that did not change since. The model's rows do the
 * same. */
static void compare(const struct model *m)
{
    struct texts expected = {0};
    bool table_has_more = schema_find(m->f.held->snapshot.schema, str_from("more")) >= 0;
    for (uint32_t id = 0; id < IDS; id++) {
        const struct model_row *r = &m->rows[id];
        if (r->present) {
            char text[128];
            int size =
                snprintf(text, sizeof(text), "|%u|%s|%lld|%s%s%s", id, r->place, (long long)r->v,
                         or_null(r->has_note, r->note), table_has_more ? "|" : "",
                         table_has_more ? or_null(r->has_more, r->more) : "");
            add_text(&expected, (struct str){text, (size_t)size});
        }
    }
    if (expected.count > 0) {
        qsort(expected.items, expected.count, sizeof(*expected.items), compare_texts);
    }
    owned(buf_release) struct buf all = {0};
    join_texts(&expected, &all);
    assert_rows(&m->f, buf_text(&all));
}

static void run_epoch(struct model *m)
{
    uint32_t changes = 1 + below(m, 30);
    for (uint32_t i = 0; i < changes; i++) {
        change_something(m);
        uint32_t dice = below(m, 60);
        if (dice == 0) {
            empty(m);
        } else if (dice == 1) {
            change_schema(m);
        } else if (dice < 8) {
            flush(m);
        }
    }
    fail_sometimes(m);
    commit(&m->f, PHASE_STREAMING);
    m->f.lake->fail_count = 0;
    compare(m);
    struct error err = {0};
    assert_done(m->f.held->type->maintain(m->f.held, &err), &err);
    struct table_counts c = table_counts(m->f.table);
    assert_int_equal(c.unexpected_inserts + c.unexpected_updates + c.unexpected_deletes, 0);
    if (below(m, 6) == 0) {
        restart(&m->f);
    }
}

/* The load of what the model holds now; the table may hold something else. */
static void load(struct model *m)
{
    struct error err = {0};
    begin_load(&m->f);
    for (uint32_t id = 0; id < IDS; id++) {
        if (m->rows[id].present) {
            m->rows[id].has_note = m->rows[id].has_note && m->has_note;
            put_row(m, ROW_INSERT, id, &m->rows[id]);
        }
        if (id == IDS / 2) {
            commit(&m->f, PHASE_LOADING);
        }
    }
    assert_done(flush_rows(&m->f, true, &err), &err);
    commit(&m->f, PHASE_STREAMING);
    compare(m);
}

static void run(uint64_t seed, bool delta, bool by_gtids)
{
    struct model m = {.random = seed * 7919 + 13,
                      .has_note = true,
                      .partitioned = seed % 3 == 1,
                      .whole_before = seed % 4 == 2};
    fixture_open(&m.f, TABLE_UPSERT);
    if (delta) {
        use_delta(&m.f);
    }
    if (by_gtids) {
        use_gtids(&m.f);
    }
    if (m.partitioned) {
        m.f.options.partition_by = partition_by_place;
        m.f.options.partition_count = 1;
    }
    new_table(&m.f);
    set_schema(&m.f, model_schema(&m));
    load(&m);
    for (uint32_t i = 0; i < EPOCHS; i++) {
        run_epoch(&m);
        if (i ==
            EPOCHS / 2) { /* changes that the table does not hear of, and a load that mends it */
            for (uint32_t k = 0; k < 10; k++) {
                change_something(&m);
            }
            batch_release(take(m.f.batch));
            load(&m);
        }
    }
    assert_feed_makes_table(&m.f);
    fixture_close(&m.f);
}

static void a_table_follows_random_changes(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 3; seed++) {
        run(seed, false, false);
    }
}

static void a_delta_table_follows_random_changes(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 103; seed++) {
        run(seed, true, false);
    }
}

static void a_table_follows_random_changes_by_gtids(void **state)
{
    (void)state;
    run(200, false, true);
    run(201, true, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_follows_random_changes),
        cmocka_unit_test(a_delta_table_follows_random_changes),
        cmocka_unit_test(a_table_follows_random_changes_by_gtids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
