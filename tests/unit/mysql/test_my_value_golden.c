/* Values captured from real servers (tests/golden/mysql_values): what a row's image gives and what
 * SELECT gives is the same, for every type and its extremes. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "source/mysql/value.h"
#include "test.h"

enum { COLUMNS_MAX = 256 };

struct captured {
    struct arena arena;
    bool is_mariadb;
    const char *table;
    struct my_catalog_column columns[COLUMNS_MAX];
    struct table_map_column map[COLUMNS_MAX];
    const char *selected[COLUMNS_MAX];
    uint32_t count;
    struct str image;
    struct str exact[COLUMNS_MAX]; /* of the statement that my_value_append_select() makes */
    struct str plain[COLUMNS_MAX]; /* of SELECT * */
};

/* Cuts the text up; at least one word. */
static char **split(struct arena *arena, char *text, char separator, int *count)
{
    size_t capacity = 1;
    for (const char *p = text; *p; p++) {
        capacity += *p == separator;
    }
    char **words = arena_array(arena, capacity, sizeof(*words));
    *count = 0;
    for (char *p = text; p;) {
        words[(*count)++] = p;
        p = strchr(p, separator);
        if (p) {
            *p++ = '\0';
        }
    }
    return words;
}

static void append_hex(const char *hex, struct buf *out)
{
    assert_int_equal(strlen(hex) % 2, 0);
    for (; *hex; hex += 2) {
        const char pair[3] = {hex[0], hex[1]};
        char *end = NULL;
        buf_append_char(out, (char)strtoul(pair, &end, 16));
        assert_ptr_equal(end, pair + 2);
    }
}

/* Pieces of digits with _ between them; 61*300 is a byte 300 times; - is nothing. */
static struct str bytes_of(struct captured *c, const char *word)
{
    struct buf out = {0};
    char *copy = arena_string(&c->arena, word, strlen(word));
    int count = 0;
    char **pieces = split(&c->arena, copy, '_', &count);
    for (int i = 0; i < count && strcmp(word, "-") != 0; i++) {
        char *times = strchr(pieces[i], '*');
        if (times) {
            *times++ = '\0';
        }
        for (unsigned long n = times ? strtoul(times, NULL, 10) : 1; n > 0; n--) {
            append_hex(pieces[i], &out);
        }
    }
    struct str bytes = {arena_string(&c->arena, buf_text(&out), out.size), out.size};
    buf_release(&out);
    return bytes;
}

static void read_labels(struct captured *c, char *word, struct my_catalog_column *column)
{
    int count = 0;
    char **words = split(&c->arena, word, ',', &count);
    const char **labels = arena_array(&c->arena, (size_t)count, sizeof(*labels));
    for (int i = 0; i < count; i++) {
        labels[i] = strcmp(words[i], ".") == 0 ? "" : bytes_of(c, words[i]).data;
    }
    column->labels = labels;
    column->label_count = (uint32_t)count;
}

static uint32_t number(const char *word)
{
    return (uint32_t)strtoul(word, NULL, 10);
}

static const char *word_of(struct captured *c, const char *word)
{
    return arena_string(&c->arena, word, strlen(word));
}

static void read_column(struct captured *c, char **w, int count)
{
    assert_int_equal(count, 16);
    assert_true(c->count < COLUMNS_MAX);
    struct my_catalog_column *column = &c->columns[c->count];
    struct table_map_column *map = &c->map[c->count];
    *column = (struct my_catalog_column){
        .name = word_of(c, w[1]),
        .data_type = word_of(c, w[2]),
        .charset = strcmp(w[3], "-") == 0 ? NULL : word_of(c, w[3]),
        .type = bytes_of(c, w[14]).data,
        .precision = (uint8_t)number(w[4]),
        .scale = (uint8_t)number(w[5]),
        .fraction = (uint8_t)number(w[6]),
        .length = number(w[7]),
        .is_json = number(w[8]) != 0,
    };
    column->is_unsigned = strstr(column->type, "unsigned") != NULL;
    *map = (struct table_map_column){
        .type = (enum my_type)number(w[9]),
        .metadata = (uint16_t)number(w[10]),
        .collation = number(w[11]),
        .is_unsigned = number(w[12]) != 0,
        .has_sign = true,
    };
    c->selected[c->count++] = word_of(c, w[13]);
    if (strcmp(w[15], "-") != 0) {
        read_labels(c, w[15], column);
    }
}

static void read_texts(struct captured *c, char **words, int count, struct str *out)
{
    assert_int_equal((uint32_t)count - 1, c->count);
    for (uint32_t i = 0; i < c->count; i++) {
        out[i] = strcmp(words[i + 1], "=") == 0 ? c->exact[i] : bytes_of(c, words[i + 1]);
    }
}

/* Calls `check` with each row of the file. */
static void for_each_row(const char *server, void (*check)(struct captured *c))
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/mysql_values/%s.txt", getenv("GOLDEN"), server);
    struct buf text = {0};
    struct error err = {0};
    if (!file_read(path, 16 << 20, &text, &err)) {
        fail_msg("%s", err.message);
    }
    struct captured c = {.is_mariadb = strcmp(server, "mariadb") == 0, .table = ""};
    int rows = 0;
    for (char *line = text.data; *line;) {
        char *end = strchr(line, '\n');
        *end = '\0';
        int count = 0;
        char **words = split(&c.arena, line, ' ', &count);
        if (strcmp(words[0], "table") == 0) {
            c.table = word_of(&c, words[1]);
            c.count = 0;
        } else if (strcmp(words[0], "column") == 0) {
            read_column(&c, words, count);
        } else if (strcmp(words[0], "row") == 0) {
            c.image = bytes_of(&c, words[1]);
        } else if (strcmp(words[0], "exact") == 0) {
            read_texts(&c, words, count, c.exact);
        } else if (strcmp(words[0], "plain") == 0) {
            read_texts(&c, words, count, c.plain);
            check(&c);
            rows++;
        }
        line = end + 1;
    }
    assert_true(rows > 50);
    arena_release(&c.arena);
    buf_release(&text);
}

/* --- Cells --- */

struct cell {
    struct batch *batch;
    bool stored;
    struct error err;
};

static struct cell cell_new(const struct my_value_rule *rule)
{
    struct schema *s = schema_new(1);
    s->columns[0] = (struct schema_column){.name = "c", .type = rule->type, .nullable = true};
    schema_seal(s);
    struct cell cell = {.batch = batch_new(s, 0, 1)};
    schema_release(s);
    (void)batch_add_row(cell.batch, ROW_INSERT, IMAGE_WHOLE);
    return cell;
}

static void cell_check(const struct cell *cell)
{
    struct error err = {0};
    if (!batch_check(cell->batch, &err)) {
        fail_msg("%s", err.message);
    }
}

static struct cell from_image(const struct my_value_rule *rule, const struct table_map_column *map,
                              struct reader *image)
{
    struct cell cell = cell_new(rule);
    cell.stored = my_value_from_image(rule, map, image, cell.batch, 0, 0, &cell.err);
    cell_check(&cell);
    return cell;
}

static struct cell from_text(const struct my_value_rule *rule, struct str text)
{
    struct cell cell = cell_new(rule);
    cell.stored = my_value_from_text(rule, text, cell.batch, 0, 0, &cell.err);
    cell_check(&cell);
    return cell;
}

static struct str cell_bytes(const struct cell *cell)
{
    const struct column *c = &cell->batch->columns[0];
    return type_is_text_or_binary(c->type)
               ? view_str((const struct view *)c->values)
               : (struct str){(const char *)c->values, type_width(c->type)};
}

static bool cells_equal(const struct cell *a, const struct cell *b)
{
    if (a->stored != b->stored || strcmp(a->err.message, b->err.message) != 0) {
        return false;
    }
    return column_is_valid(&a->batch->columns[0], 0) == column_is_valid(&b->batch->columns[0], 0) &&
           str_equal(cell_bytes(a), cell_bytes(b));
}

static void assert_same(const struct captured *c, uint32_t i, const struct cell *image,
                        const struct cell *text)
{
    if (!cells_equal(image, text)) {
        struct str a = cell_bytes(image);
        struct str b = cell_bytes(text);
        fail_msg("%s.%s of \"%.*s\": the image gives \"%.*s\" (%s), SELECT \"%.*s\" (%s)", c->table,
                 c->columns[i].name, str_arg(c->plain[i]), str_arg(a), image->err.message,
                 str_arg(b), text->err.message);
    }
}

static struct my_value_rule rule_of(const struct captured *c, uint32_t i, bool as_text,
                                    enum unrepresentable_mode unrepresentable)
{
    const char *why = NULL;
    struct my_value_rule rule = my_value_rule(&c->columns[i], as_text, unrepresentable, &why);
    if (rule.kind != MY_VALUE_UNSUPPORTED && !my_value_rule_fits(&rule, &c->map[i])) {
        fail_msg("%s.%s does not fit its map", c->table, c->columns[i].name);
    }
    return rule;
}

/* --- Tests --- */

static void check_native(struct captured *c)
{
    struct reader image = reader_from(c->image.data, c->image.size);
    for (uint32_t i = 0; i < c->count; i++) {
        struct my_value_rule rule = rule_of(c, i, false, UNREPRESENTABLE_FAIL);
        if (rule.kind == MY_VALUE_UNSUPPORTED) {
            assert_true(c->columns[i].precision > 38);
            struct error err = {0};
            assert_true(my_value_from_image(&rule, &c->map[i], &image, NULL, 0, 0, &err));
            continue;
        }
        struct cell a = from_image(&rule, &c->map[i], &image);
        struct cell b = from_text(&rule, c->exact[i]);
        assert_same(c, i, &a, &b);
        if (!a.stored) {
            char quoted[64];
            (void)snprintf(quoted, sizeof(quoted), "'%.*s'", str_arg(c->plain[i]));
            assert_int_equal(a.err.kind, ERROR_DATA);
            assert_non_null(strstr(a.err.message, quoted));
        }
        batch_release(a.batch);
        batch_release(b.batch);
    }
    assert_true(reader_ok(&image));
}

static void image_and_select_give_the_same_value(void **state)
{
    (void)state;
    for_each_row("mariadb", check_native);
    for_each_row("mysql", check_native);
}

static void check_null(struct captured *c)
{
    struct reader image = reader_from(c->image.data, c->image.size);
    for (uint32_t i = 0; i < c->count; i++) {
        struct my_value_rule fail = rule_of(c, i, false, UNREPRESENTABLE_FAIL);
        struct my_value_rule rule = rule_of(c, i, false, UNREPRESENTABLE_NULL);
        struct error err = {0};
        if (rule.kind == MY_VALUE_UNSUPPORTED) {
            assert_true(my_value_from_image(&rule, &c->map[i], &image, NULL, 0, 0, &err));
            continue;
        }
        struct cell a = from_image(&rule, &c->map[i], &image);
        struct cell b = from_text(&rule, c->exact[i]);
        struct cell refused = from_text(&fail, c->exact[i]);
        assert_true(a.stored);
        assert_same(c, i, &a, &b);
        assert_int_equal(column_is_valid(&a.batch->columns[0], 0), refused.stored);
        batch_release(a.batch);
        batch_release(b.batch);
        batch_release(refused.batch);
    }
}

static void what_has_no_representation_becomes_null_where_that_is_asked_for(void **state)
{
    (void)state;
    for_each_row("mariadb", check_null);
    for_each_row("mysql", check_null);
}

/* Without the zeroes of ZEROFILL. */
static struct str printed(const struct captured *c, uint32_t i)
{
    struct str text = c->exact[i];
    while (strstr(c->columns[i].type, "zerofill") && text.size > 1 && text.data[0] == '0' &&
           text.data[1] != '.') {
        text.data++;
        text.size--;
    }
    return text;
}

static bool is_bytes(const struct my_catalog_column *column)
{
    return strstr(column->data_type, "binary") != NULL || strstr(column->data_type, "blob") != NULL;
}

static void check_as_text(struct captured *c)
{
    struct reader image = reader_from(c->image.data, c->image.size);
    for (uint32_t i = 0; i < c->count; i++) {
        struct my_value_rule rule = rule_of(c, i, true, UNREPRESENTABLE_FAIL);
        assert_int_equal(rule.type.kind, TYPE_STRING);
        struct cell a = from_image(&rule, &c->map[i], &image);
        struct cell b = from_text(&rule, c->exact[i]);
        assert_same(c, i, &a, &b);
        if (is_bytes(&c->columns[i])) {
            assert_int_equal(a.stored, utf8_valid(c->plain[i].data, c->plain[i].size));
        } else {
            struct str stored = cell_bytes(&a);
            assert_true(a.stored);
            if (!str_equal(stored, printed(c, i))) {
                fail_msg("%s.%s is \"%.*s\", not \"%.*s\"", c->table, c->columns[i].name,
                         str_arg(stored), str_arg(c->exact[i]));
            }
        }
        batch_release(a.batch);
        batch_release(b.batch);
    }
}

static void text_is_what_the_server_prints(void **state)
{
    (void)state;
    for_each_row("mariadb", check_as_text);
    for_each_row("mysql", check_as_text);
}

/* Labels and unsigned years apart, which the capture does not have. */
static void check_map_rule(struct captured *c)
{
    struct reader image = reader_from(c->image.data, c->image.size);
    struct reader again = image;
    for (uint32_t i = 0; i < c->count; i++) {
        struct arena arena = {0};
        const char *why = NULL;
        struct my_value_rule known = rule_of(c, i, false, UNREPRESENTABLE_NULL);
        struct my_value_rule rule = my_value_rule_of_map(&c->map[i], c->is_mariadb, false,
                                                         UNREPRESENTABLE_NULL, &arena, &why);
        struct error err = {0};
        if (rule.kind != known.kind || rule.kind == MY_VALUE_UNSUPPORTED ||
            !type_equal(rule.type, known.type)) {
            const char *type = c->columns[i].data_type;
            bool is_other = c->columns[i].label_count > 0 || strcmp(type, "uuid") == 0 ||
                            strncmp(type, "inet", 4) == 0 || c->columns[i].is_json ||
                            c->columns[i].precision > 38;
            if (!is_other) {
                fail_msg("%s.%s: %s", c->table, c->columns[i].name, why ? why : "another type");
            }
            assert_true(my_value_from_image(&rule, &c->map[i], &image, NULL, 0, 0, &err));
            assert_true(my_value_from_image(&rule, &c->map[i], &again, NULL, 0, 0, &err));
        } else {
            assert_true(my_value_rule_fits(&rule, &c->map[i]));
            struct cell a = from_image(&rule, &c->map[i], &image);
            struct cell b = from_image(&known, &c->map[i], &again);
            assert_same(c, i, &a, &b);
            batch_release(a.batch);
            batch_release(b.batch);
        }
        arena_release(&arena);
    }
}

static void the_table_map_alone_gives_the_same_value(void **state)
{
    (void)state;
    for_each_row("mariadb", check_map_rule);
    for_each_row("mysql", check_map_rule);
}

static void check_expression(struct captured *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        struct my_value_rule rule = rule_of(c, i, true, UNREPRESENTABLE_FAIL);
        struct buf expression = {0};
        my_value_append_select(&rule, c->columns[i].name, &expression);
        assert_string_equal(buf_text(&expression), c->selected[i]);
        buf_release(&expression);
    }
}

static void the_captured_statement_is_the_one_that_is_made(void **state)
{
    (void)state;
    for_each_row("mariadb", check_expression);
    for_each_row("mysql", check_expression);
}

static void check_cut_off(struct captured *c)
{
    if (strcmp(c->table, "charsets") == 0) {
        return; /* long, and of the same types as the others */
    }
    for (size_t size = 0; size < c->image.size && size < 600; size++) {
        char *copy = malloc(size ? size : 1); /* so that the sanitizer sees a read past the end */
        assert_non_null(copy);
        memcpy(copy, c->image.data, size);
        struct reader image = reader_from(copy, size);
        bool done = true;
        for (uint32_t i = 0; i < c->count && done; i++) {
            struct my_value_rule rule = rule_of(c, i, true, UNREPRESENTABLE_NULL);
            struct cell cell = from_image(&rule, &c->map[i], &image);
            done = !image.failed;
            if (!done) {
                assert_false(cell.stored);
                assert_int_equal(cell.err.kind, ERROR_FATAL);
            }
            batch_release(cell.batch);
        }
        assert_false(done);
        free(copy);
    }
}

static void an_image_that_is_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    for_each_row("mariadb", check_cut_off);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image_and_select_give_the_same_value),
        cmocka_unit_test(what_has_no_representation_becomes_null_where_that_is_asked_for),
        cmocka_unit_test(text_is_what_the_server_prints),
        cmocka_unit_test(the_table_map_alone_gives_the_same_value),
        cmocka_unit_test(the_captured_statement_is_the_one_that_is_made),
        cmocka_unit_test(an_image_that_is_cut_off_anywhere_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
