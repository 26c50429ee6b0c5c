#include <string.h>

#include "base/hash.h"
#include "cli/sample_tables.h"
#include "test.h"

/* The hash of the first 1000 rows of a table as COPY sends them. */
static uint64_t rows_hash(const char *table, const char *locale, uint64_t seed)
{
    struct sample s = {.seed = seed, .locale = sample_locale_find(locale), .row_count = 1000};
    struct sample_row row = {0};
    struct buf text = {0};
    assert_non_null(s.locale);
    for (uint64_t key = 1; key <= 1000; key++) {
        sample_table_find(table)->fill(&s, key, 0, &row);
        sample_row_append_copy(&row, &text);
    }
    uint64_t hash = hash_bytes(text.data, text.size);
    sample_row_release(&row);
    buf_release(&text);
    return hash;
}

/* The numbers change only with the rows: then also what people keep as their fixtures. */
static void the_same_seed_gives_the_same_bytes_for_ever(void **state)
{
    (void)state;
    assert_int_equal(rows_hash("customers", "en_US", 42), 0xa6e30912715570bfu);
    assert_int_equal(rows_hash("orders", "en_US", 42), 0xb9e3c3cf556a8cc1u);
    assert_int_equal(rows_hash("products", "en_US", 42), 0x75c2256374092bbdu);
    assert_int_equal(rows_hash("inventory", "en_US", 42), 0x5278649daafdf561u);
    assert_int_equal(rows_hash("users", "en_US", 42), 0xe7203a8ec876e1cbu);
    assert_int_equal(rows_hash("customers", "de_DE", 42), 0x6cd0dd4a3be146f3u);
    assert_int_equal(rows_hash("customers", "fr_FR", 42), 0x7f59ca1a1e999147u);
    assert_int_equal(rows_hash("customers", "ja_JP", 42), 0x1185d7018552a2a2u);
}

static void another_seed_gives_other_rows(void **state)
{
    (void)state;
    assert_int_not_equal(rows_hash("customers", "en_US", 42), rows_hash("customers", "en_US", 43));
}

static void each_row_fits_its_table(void **state)
{
    (void)state;
    static const char *const locales[] = {"en_US", "de_DE", "fr_FR", "ja_JP"};
    for (size_t l = 0; l < sizeof(locales) / sizeof(*locales); l++) {
        struct sample s = {.seed = 7, .locale = sample_locale_find(locales[l]), .row_count = 100};
        for (uint32_t t = 0; t < SAMPLE_TABLE_COUNT; t++) {
            struct sample_row row = {0};
            for (uint64_t key = 1; key <= 500; key++) {
                sample_tables[t].fill(&s, key, 0, &row);
                assert_int_equal(row.field_count, sample_tables[t].column_count);
                assert_true(utf8_valid(row.text.data, row.text.size));
            }
            sample_row_release(&row);
        }
    }
}

static void a_revision_keeps_the_key_and_changes_the_row(void **state)
{
    (void)state;
    struct sample s = {.seed = 7, .locale = sample_locale_find("en_US"), .row_count = 100};
    for (uint32_t t = 0; t < SAMPLE_TABLE_COUNT; t++) {
        struct sample_row before = {0};
        struct sample_row after = {0};
        uint32_t last = sample_tables[t].column_count - 1;
        sample_tables[t].fill(&s, 5, 0, &before);
        sample_tables[t].fill(&s, 5, 1, &after);
        assert_string_equal(sample_row_field(&before, 0), sample_row_field(&after, 0));
        assert_int_not_equal(hash_bytes(before.text.data, before.text.size),
                             hash_bytes(after.text.data, after.text.size));
        if (strcmp(sample_tables[t].name, "customers") != 0) { /* there it is not the last */
            assert_true(strcmp(sample_row_field(&before, last), sample_row_field(&after, last)) <
                        0);
        }
        sample_row_release(&before);
        sample_row_release(&after);
    }
}

static void mail_addresses_are_unique_and_plain(void **state)
{
    (void)state;
    struct buf folded = {0};
    sample_append_folded(&folded, "Jörg Groß-O'Neill François");
    assert_string_equal(buf_text(&folded), "joerggrossoneillfrancois");
    buf_release(&folded);

    struct sample s = {.seed = 1, .locale = sample_locale_find("ja_JP"), .row_count = 100};
    struct sample_row row = {0};
    sample_fill_customer(&s, 77, 0, &row);
    const char *email = sample_row_field(&row, 1);
    assert_non_null(strstr(email, "77@example."));
    for (const char *p = email; *p; p++) {
        assert_true((unsigned char)*p < 128);
    }
    sample_row_release(&row);
}

static void copy_text_escapes_what_copy_reads_otherwise(void **state)
{
    (void)state;
    struct sample_row row = {
        .field_count = 3, .forms = {SAMPLE_PLAIN, SAMPLE_NULL}, .offsets = {0, 0, 7}};
    buf_append(&row.text, "a\tb\\\nc\0d'e", 11);
    struct buf out = {0};
    sample_row_append_copy(&row, &out);
    assert_string_equal(buf_text(&out), "a\\\tb\\\\\\\nc\t\\N\td'e\n");
    buf_clear(&out);
    sample_row_append_literal(&row, 2, false, &out);
    sample_row_append_literal(&row, 1, false, &out);
    assert_string_equal(buf_text(&out), "'d''e'NULL");
    buf_release(&out);
    sample_row_release(&row);
}

static void mysql_reads_truth_and_times_in_another_form(void **state)
{
    (void)state;
    struct sample_row row = {.field_count = 4,
                             .forms = {SAMPLE_BOOL, SAMPLE_BOOL, SAMPLE_UTC, SAMPLE_NULL},
                             .offsets = {0, 2, 4}};
    static const char fields[] = "t\0f\0002024-01-02 03:04:05.678+00";
    buf_append(&row.text, fields, sizeof(fields));
    struct buf out = {0};
    for (uint32_t i = 0; i < row.field_count; i++) {
        sample_row_append_literal(&row, i, true, &out);
        buf_append_char(&out, ' ');
    }
    assert_string_equal(buf_text(&out), "TRUE FALSE '2024-01-02 03:04:05.678' NULL ");
    buf_clear(&out);
    sample_row_append_literal(&row, 2, false, &out);
    assert_string_equal(buf_text(&out), "'2024-01-02 03:04:05.678+00'");
    buf_release(&out);
    sample_row_release(&row);
}

static void random_numbers_are_those_of_the_published_generator(void **state)
{
    (void)state;
    /* The first values of SplitMix64 with seed 1234567, as its authors' program prints them. */
    struct sample_random r = {.state = 1234567};
    assert_true(sample_random_next(&r) == 6457827717110365317u);
    assert_true(sample_random_next(&r) == 3203168211198807973u);
    assert_true(sample_random_next(&r) == 9817491932198370423u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_bytes_for_ever),
        cmocka_unit_test(another_seed_gives_other_rows),
        cmocka_unit_test(each_row_fits_its_table),
        cmocka_unit_test(a_revision_keeps_the_key_and_changes_the_row),
        cmocka_unit_test(mail_addresses_are_unique_and_plain),
        cmocka_unit_test(copy_text_escapes_what_copy_reads_otherwise),
        cmocka_unit_test(mysql_reads_truth_and_times_in_another_form),
        cmocka_unit_test(random_numbers_are_those_of_the_published_generator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
