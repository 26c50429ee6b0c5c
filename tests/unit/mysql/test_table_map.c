#include <stdlib.h>
#include <string.h>

#include "binlog_build.h"
#include "binlog_file.h"
#include "source/mysql/table_map.h"

#define HEAD "\1\2\0\0\0\0\1\0\4shop\0\1t\0"

struct mapped {
    struct arena arena;
    struct table_map map;
    struct error err;
    bool ok;
};

/* From an exact copy that is gone afterwards: what is decoded must not point there. */
static struct mapped decode(struct str data)
{
    struct mapped m = {0};
    char *copy = malloc(data.size ? data.size : 1);
    assert_non_null(copy);
    memcpy(copy, data.data, data.size);
    m.ok =
        table_map_decode((struct str){.data = copy, .size = data.size}, &m.arena, &m.map, &m.err);
    free(copy);
    return m;
}

static void assert_map_refused(struct str data, enum error_kind kind, const char *text)
{
    struct mapped m = decode(data);
    assert_false(m.ok);
    assert_int_equal(m.err.kind, kind);
    if (!strstr(m.err.message, text)) {
        fail_msg("\"%s\" does not say \"%s\"", m.err.message, text);
    }
    arena_release(&m.arena);
}

static void assert_type(const struct table_map_column *c, enum my_type type, unsigned metadata,
                        const char *text)
{
    assert_int_equal(c->type, type);
    assert_int_equal(c->metadata, metadata);
    struct buf b = {0};
    table_map_format_type(c, &b);
    assert_string_equal(buf_text(&b), text);
    buf_release(&b);
}

static void columns_have_types_metadata_and_nullability(void **state)
{
    (void)state;
    struct mapped m = decode(bytes(HEAD "\11"
                                        "\3\17\376\376\376\366\20\22\214"
                                        "\17"
                                        "\54\1"    /* varchar of 300 bytes */
                                        "\316\374" /* char of 1020 bytes */
                                        "\367\2"   /* enum of 2 bytes */
                                        "\370\10"  /* set of 8 bytes */
                                        "\101\36"  /* decimal(65,30) */
                                        "\1\1"     /* bit(9) */
                                        "\6"       /* datetime(6) */
                                        "\3"       /* medium blob, compressed */
                                        "\2\1"));
    assert_false(m.ok); /* the metadata has a byte more than the columns need */
    arena_release(&m.arena);

    m = decode(bytes(HEAD "\11\3\17\376\376\376\366\20\22\214\16"
                          "\54\1\316\374\367\2\370\10\101\36\1\1\6\3\2\1"));
    assert_true(m.ok);
    assert_int_equal(m.map.table_id, 0x201);
    assert_str(m.map.database, "shop");
    assert_str(m.map.table, "t");
    assert_int_equal(m.map.column_count, 9);
    assert_false(m.map.has_names || m.map.has_key);
    const struct table_map_column *c = m.map.columns;
    assert_type(&c[0], MY_LONG, 0, "int");
    assert_type(&c[1], MY_VARCHAR, 300, "varchar");
    assert_type(&c[2], MY_STRING, 1020, "char");
    assert_type(&c[3], MY_ENUM, 2, "enum");
    assert_type(&c[4], MY_SET, 8, "set");
    assert_type(&c[5], MY_NEWDECIMAL, 65 << 8 | 30, "decimal(65,30)");
    assert_type(&c[6], MY_BIT, 1 << 8 | 1, "bit(9)");
    assert_type(&c[7], MY_DATETIME2, 6, "datetime(6)");
    assert_type(&c[8], MY_BLOB_COMPRESSED, 3, "mediumblob compressed");
    for (unsigned i = 0; i < 9; i++) {
        assert_int_equal(c[i].nullable, i == 1 || i == 8);
        assert_false(c[i].has_sign);
        assert_int_equal(c[i].name.size, 0);
    }
    arena_release(&m.arena);
}

/* tinyint, year, text, int, char, enum, set. */
#define COLUMNS HEAD "\7\1\15\374\3\376\376\376\7\2\376\50\367\1\370\1\0"

static void signs_count_year_among_the_numbers(void **state)
{
    (void)state;
    /* tinyint unsigned, year, int: bits from the highest on. */
    struct mapped m = decode(bytes(COLUMNS "\1\1\200"));
    assert_true(m.ok);
    const struct table_map_column *c = m.map.columns;
    assert_true(c[0].has_sign && c[0].is_unsigned);
    assert_true(c[1].has_sign && !c[1].is_unsigned);
    assert_true(c[3].has_sign && !c[3].is_unsigned);
    assert_false(c[2].has_sign || c[4].has_sign || c[5].has_sign);
    assert_type(&c[0], MY_TINY, 0, "tinyint unsigned");
    arena_release(&m.arena);

    m = decode(bytes(COLUMNS "\1\1\140"));
    assert_true(m.ok);
    c = m.map.columns;
    assert_false(c[0].is_unsigned);
    assert_true(c[1].is_unsigned && c[3].is_unsigned);
    assert_type(&c[1], MY_YEAR, 0, "year");
    arena_release(&m.arena);
}

static void collations_are_listed_or_given_with_exceptions(void **state)
{
    (void)state;
    /* All texts 45 but the second of them 63; of enum and set a list. */
    struct mapped m = decode(bytes(COLUMNS "\2\3\55\1\77\13\4\10\374\377\0"));
    assert_true(m.ok);
    const struct table_map_column *c = m.map.columns;
    assert_int_equal(c[2].collation, 45);
    assert_int_equal(c[4].collation, 63);
    assert_int_equal(c[5].collation, 8);
    assert_int_equal(c[6].collation, 255);
    assert_int_equal(c[0].collation, 0);
    assert_type(&c[2], MY_BLOB, 2, "text");
    assert_type(&c[4], MY_STRING, 40, "binary(40)");
    arena_release(&m.arena);

    /* The other way around; a collation of MariaDB above 2048. */
    m = decode(bytes(COLUMNS "\3\4\77\374\0\11\12\3\10\0\41"));
    assert_true(m.ok);
    c = m.map.columns;
    assert_int_equal(c[2].collation, 63);
    assert_int_equal(c[4].collation, 0x900);
    assert_int_equal(c[5].collation, 33);
    assert_int_equal(c[6].collation, 8);
    assert_type(&c[2], MY_BLOB, 2, "blob");
    arena_release(&m.arena);
}

static void names_labels_keys_and_visibility_are_read(void **state)
{
    (void)state;
    struct mapped m = decode(bytes(COLUMNS "\4\16\1a\1b\1c\1d\1e\1f\1g"
                                           "\5\5\2\1x\1y"   /* set */
                                           "\6\5\2\0\2no"   /* enum */
                                           "\11\4\3\0\2\12" /* key: column 3, and 10 of 2 */
                                           "\14\1\374"      /* the last one is hidden */
                                           "\176\3abc"));   /* of a newer server */
    assert_true(m.ok);
    assert_true(m.map.has_names && m.map.has_key);
    assert_int_equal(m.map.key_count, 2);
    assert_int_equal(m.map.key[0], 3);
    assert_int_equal(m.map.key[1], 2);
    const struct table_map_column *c = m.map.columns;
    for (unsigned i = 0; i < 7; i++) {
        const char name[] = {(char)('a' + i), '\0'};
        assert_str(c[i].name, name);
        assert_int_equal(c[i].is_invisible, i == 6);
    }
    assert_int_equal(c[5].label_count, 2);
    assert_str(c[5].labels[0], "");
    assert_str(c[5].labels[1], "no");
    assert_int_equal(c[6].label_count, 2);
    assert_str(c[6].labels[1], "y");
    arena_release(&m.arena);
}

static void names_without_a_key_say_that_there_is_none(void **state)
{
    (void)state;
    struct mapped m = decode(bytes(HEAD "\1\3\0\0\4\2\1a"));
    assert_true(m.ok);
    assert_true(m.map.has_key);
    assert_int_equal(m.map.key_count, 0);
    arena_release(&m.arena);
    m = decode(bytes(HEAD "\1\3\0\0\10\1\0"));
    assert_true(m.ok);
    assert_true(m.map.has_key);
    assert_false(m.map.has_names);
    assert_int_equal(m.map.key_count, 1);
    arena_release(&m.arena);
}

static void lists_of_another_length_are_refused(void **state)
{
    (void)state;
    static const struct str wrong[] = {
        bytes(COLUMNS "\1\0"),                      /* no signs for three numbers */
        bytes(COLUMNS "\1\2\0\0"),                  /* signs for nine and more */
        bytes(COLUMNS "\3\1\77"),                   /* one collation for two */
        bytes(COLUMNS "\3\3\77\77\77"),             /* three */
        bytes(COLUMNS "\2\3\55\2\77"),              /* an exception for a third */
        bytes(COLUMNS "\2\5\55\1\77\0\77"),         /* exceptions that descend */
        bytes(COLUMNS "\2\2\55\1"),                 /* an exception without collation */
        bytes(COLUMNS "\4\2\1a"),                   /* one name for seven */
        bytes(COLUMNS "\4\15\0\1b\1c\1d\1e\1f\1g"), /* an empty name */
        bytes(COLUMNS "\5\6\1\1x\2\1y"),            /* labels of two sets */
        bytes(COLUMNS "\5\2\377\1"),                /* no number */
        bytes(COLUMNS "\6\4\374\377\377\1"),        /* labels that are not there */
        bytes(COLUMNS "\10\1\7"),                   /* a key of an eighth column */
        bytes(COLUMNS "\10\0"),                     /* a key of no column */
        bytes(COLUMNS "\10\1\0\10\1\1"),            /* two keys */
        bytes(COLUMNS "\11\1\0"),                   /* a prefix that is missing */
        bytes(COLUMNS "\14\2\0\0"),                 /* more columns than seven */
        bytes(COLUMNS "\15\1\3"),                   /* dimensions of no vector */
        bytes(COLUMNS "\7\1\1"),                    /* a kind of no geometry */
        bytes(COLUMNS "\176\4abc"),                 /* longer than what is left */
        bytes(COLUMNS "\176"),
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_map_refused(wrong[i], ERROR_FATAL, "malformed table map");
    }
}

static void metadata_that_no_column_has_is_refused(void **state)
{
    (void)state;
    static const struct str wrong[] = {
        bytes(HEAD "\1\4\1\3\0"),                /* a float of three bytes */
        bytes(HEAD "\1\5\1\4\0"),                /* a double of four */
        bytes(HEAD "\1\374\1\5\0"),              /* a blob with a length of five bytes */
        bytes(HEAD "\1\374\1\0\0"),              /* of none */
        bytes(HEAD "\1\22\1\7\0"),               /* datetime(7) */
        bytes(HEAD "\1\20\2\1\10\0"),            /* bit(65) */
        bytes(HEAD "\1\20\2\10\0\0"),            /* bits that make a byte */
        bytes(HEAD "\1\20\2\0\0\0"),             /* bit(0) */
        bytes(HEAD "\1\366\2\102\0\0"),          /* decimal(66,0) */
        bytes(HEAD "\1\366\2\5\6\0"),            /* decimal(5,6) */
        bytes(HEAD "\1\366\2\0\0\0"),            /* decimal(0,0) */
        bytes(HEAD "\1\376\2\367\3\0"),          /* an enum of three bytes */
        bytes(HEAD "\1\376\2\370\11\0"),         /* a set of nine */
        bytes(HEAD "\1\376\2\307\1\0"),          /* an enum with the bits of a length */
        bytes(HEAD "\1\376\2\374\1\0"),          /* a blob in a char */
        bytes(HEAD "\1\3\1\0\0"),                /* metadata of an int */
        bytes(HEAD "\1\17\1\1\0"),               /* half of it */
        bytes(HEAD "\1\3\0"),                    /* no nullability */
        bytes(HEAD "\11\3\3\3\3\3\3\3\3\3\0\0"), /* half of it */
        bytes(HEAD "\374\1\20\3"),               /* 4097 columns */
        bytes(HEAD "\376\0\0\0\0\1\0\0\0\3"),
        bytes(HEAD "\373\3"),
        bytes("\1\2\0\0\0\0\1\0\4shopX\1t\0\1\3\0\0"), /* a name without its end */
        bytes("\1\2\0\0\0\0\1\0\374"),
        bytes(""),
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_map_refused(wrong[i], ERROR_FATAL, "malformed table map");
    }
}

static void an_unknown_type_is_named_with_table_and_column(void **state)
{
    (void)state;
    assert_map_refused(bytes(HEAD "\2\3\24\1\3\0"), ERROR_DATA,
                       "shop.t: column 2 has type 20, which this version does not know");
    assert_map_refused(bytes(HEAD "\1\365\0\0"), ERROR_FATAL, "malformed table map");
}

static void cut_off(struct str map)
{
    size_t whole = 0;
    for (size_t size = 0; size <= map.size; size++) {
        struct mapped m = decode((struct str){.data = map.data, .size = size});
        assert_true(m.ok || m.err.kind == ERROR_FATAL);
        whole += m.ok; /* between two fields of the optional metadata */
        assert_true(m.ok || size < map.size);
        arena_release(&m.arena);
    }
    assert_true(whole < 16);
}

static void cut_maps_off(const char *file)
{
    struct arena a = {0};
    struct binlog_decoder decoder = {0};
    struct reader r = binlog_file_read(&a, file);
    struct str bytes_of_event = {0};
    while (binlog_file_next(&r, &bytes_of_event)) {
        struct binlog_event e = {0};
        struct error err = {0};
        assert_true(binlog_decode(&decoder, bytes_of_event.data, bytes_of_event.size, &e, &err));
        if (e.kind == BINLOG_TABLE_MAP) {
            cut_off(e.table_map.bytes);
        }
    }
    binlog_decoder_release(&decoder);
    arena_release(&a);
}

static void a_map_that_is_cut_off_anywhere_stays_in_bounds(void **state)
{
    (void)state;
    binlog_files(cut_maps_off);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_have_types_metadata_and_nullability),
        cmocka_unit_test(signs_count_year_among_the_numbers),
        cmocka_unit_test(collations_are_listed_or_given_with_exceptions),
        cmocka_unit_test(names_labels_keys_and_visibility_are_read),
        cmocka_unit_test(names_without_a_key_say_that_there_is_none),
        cmocka_unit_test(lists_of_another_length_are_refused),
        cmocka_unit_test(metadata_that_no_column_has_is_refused),
        cmocka_unit_test(an_unknown_type_is_named_with_table_and_column),
        cmocka_unit_test(a_map_that_is_cut_off_anywhere_stays_in_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
