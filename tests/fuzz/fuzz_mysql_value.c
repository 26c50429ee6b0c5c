/* Any column and any image: no crash, and a batch that may be published. The first bytes are flags,
 * type, metadata (2), collation (2) and the number of labels; the rest is the image, and then, as
 * another value, text of SELECT. */
#include <assert.h>
#include <stdlib.h>

#include "source/mysql/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER = 7, LABELS_MAX = 70 };

enum { FLAG_AS_TEXT = 1, FLAG_NULL = 2, FLAG_MARIADB = 4, FLAG_UNSIGNED = 8, FLAG_NETWORK = 16 };

static struct batch *new_batch(const struct my_value_rule *rule)
{
    struct schema *s = schema_new(1);
    s->columns[0] = (struct schema_column){.name = "c", .type = rule->type, .nullable = true};
    schema_seal(s);
    struct batch *b = batch_new(s, 0, 1);
    schema_release(s);
    (void)batch_add_row(b, ROW_INSERT, IMAGE_WHOLE);
    return b;
}

static void check(struct batch *b, bool stored, const struct error *err)
{
    struct error broken = {0};
    assert(stored == (err->kind == ERROR_NONE));
    if (!batch_check(b, &broken)) {
        abort();
    }
    batch_release(b);
}

static void decode(const struct my_value_rule *rule, const struct table_map_column *column,
                   struct str bytes)
{
    struct error err = {0};
    struct reader image = reader_from(bytes.data, bytes.size);
    struct reader moved = image;
    struct batch *b = new_batch(rule);
    bool stored = my_value_from_image(rule, column, &image, b, 0, 0, &err);
    check(b, stored, &err);
    struct error moved_err = {0};
    bool done = my_value_from_image(rule, column, &moved, NULL, 0, 0, &moved_err);
    assert(done || !stored);
    assert(image.failed == moved.failed && (image.failed || image.offset == moved.offset));
    (void)done;

    struct error text_err = {0};
    b = new_batch(rule);
    stored = my_value_from_text(rule, bytes, b, 0, 0, &text_err);
    check(b, stored, &text_err);
}

/* MariaDB's types that the log does not tell from binary(n). */
static struct my_value_rule network_rule(struct table_map_column *column, bool as_text,
                                         enum unrepresentable_mode mode, const char **why)
{
    static const char *const types[] = {"uuid", "inet4", "inet6"};
    struct my_catalog_column known = {.name = "c", .data_type = types[column->metadata % 3]};
    *column = (struct table_map_column){.type = MY_STRING,
                                        .metadata = column->metadata % 3 == 1 ? 4 : 16};
    known.type = known.data_type;
    return my_value_rule(&known, as_text, mode, why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEADER) {
        return 0;
    }
    struct str labels[LABELS_MAX];
    for (size_t i = 0; i < LABELS_MAX; i++) {
        labels[i] = (struct str){(const char *)"label", i % 6};
    }
    struct table_map_column column = {
        .type = (enum my_type)data[1],
        .metadata = (uint16_t)(data[2] << 8 | data[3]),
        .has_sign = true,
        .is_unsigned = (data[0] & FLAG_UNSIGNED) != 0,
        .collation = (uint32_t)data[4] << 8 | data[5],
        .labels = labels,
        .label_count = data[6] % LABELS_MAX,
    };
    bool as_text = (data[0] & FLAG_AS_TEXT) != 0;
    enum unrepresentable_mode mode =
        data[0] & FLAG_NULL ? UNREPRESENTABLE_NULL : UNREPRESENTABLE_FAIL;
    struct arena arena = {0};
    const char *why = NULL;
    struct my_value_rule rule =
        data[0] & FLAG_NETWORK
            ? network_rule(&column, as_text, mode, &why)
            : my_value_rule_of_map(&column, data[0] & FLAG_MARIADB, as_text, mode, &arena, &why);
    assert((rule.kind == MY_VALUE_UNSUPPORTED) == (why != NULL));
    if (!why) {
        decode(&rule, &column, (struct str){(const char *)data + HEADER, size - HEADER});
    }
    arena_release(&arena);
    return 0;
}
