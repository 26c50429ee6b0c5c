#include "base/str.h"
#include "source/mysql/connection.h"
#include "test.h"

struct parsed {
    struct arena arena;
    struct my_url url;
    struct error err;
    bool ok;
};

static struct parsed parse(const char *url)
{
    struct parsed p = {0};
    p.ok = my_url_parse(url, &p.arena, &p.url, &p.err);
    return p;
}

static void the_parts_of_a_url_are_found(void **state)
{
    (void)state;
    struct parsed p = parse("mysql://alice:secret@db.example.com:3307/shop");
    assert_true(p.ok);
    assert_string_equal(p.url.user, "alice");
    assert_string_equal(p.url.password, "secret");
    assert_string_equal(p.url.host, "db.example.com");
    assert_int_equal(p.url.port, 3307);
    assert_string_equal(p.url.database, "shop");
    assert_null(p.url.socket);
    assert_int_equal(p.url.ssl_mode, MY_SSL_PREFERRED);
    arena_release(&p.arena);
}

static void what_is_not_said_has_a_default(void **state)
{
    (void)state;
    static const char *const urls[] = {"mariadb://alice@h", "mysql://alice@h/", "mysql://alice@h?",
                                       "mysql://alice@h/?&"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct parsed p = parse(urls[i]);
        assert_true(p.ok);
        assert_null(p.url.password);
        assert_null(p.url.database);
        assert_string_equal(p.url.host, "h");
        assert_int_equal(p.url.port, 3306);
        arena_release(&p.arena);
    }
}

static void an_empty_password_is_not_an_absent_one(void **state)
{
    (void)state;
    struct parsed p = parse("mysql://alice:@h");
    assert_true(p.ok);
    assert_string_equal(p.url.password, "");
    arena_release(&p.arena);
}

static void percent_encoding_is_undone_once(void **state)
{
    (void)state;
    struct parsed p = parse("mysql://a%40b:p%2Fw%3A%3f%25%32%35+%C3%BC@h/d%2fb");
    assert_true(p.ok);
    assert_string_equal(p.url.user, "a@b");
    assert_string_equal(p.url.password, "p/w:?%25+\xC3\xBC");
    assert_string_equal(p.url.database, "d/b");
    arena_release(&p.arena);
}

static void a_colon_in_the_password_belongs_to_it(void **state)
{
    (void)state;
    struct parsed p = parse("mysql://alice:a:b:c@h:1");
    assert_true(p.ok);
    assert_string_equal(p.url.password, "a:b:c");
    assert_int_equal(p.url.port, 1);
    arena_release(&p.arena);
}

static void an_ipv6_address_stands_in_brackets(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *host;
        unsigned port;
    } cases[] = {
        {"mysql://u@[::1]", "::1", 3306},
        {"mysql://u@[2001:db8::7]:3307/shop", "2001:db8::7", 3307},
        {"mysql://u@[fe80::1%eth0]:65535", "fe80::1%eth0", 65535},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parsed p = parse(cases[i].url);
        assert_true(p.ok);
        assert_string_equal(p.url.host, cases[i].host);
        assert_int_equal(p.url.port, cases[i].port);
        arena_release(&p.arena);
    }
}

static void a_socket_takes_the_place_of_the_host(void **state)
{
    (void)state;
    static const char *const urls[] = {"mysql://u@/?socket=/run/my%20sql.sock",
                                       "mysql://u@localhost/shop?socket=/run/my%20sql.sock"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct parsed p = parse(urls[i]);
        assert_true(p.ok);
        assert_null(p.url.host);
        assert_string_equal(p.url.socket, "/run/my sql.sock");
        arena_release(&p.arena);
    }
}

static void the_mode_of_tls_follows_what_is_given(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        enum my_ssl_mode mode;
    } cases[] = {
        {"mysql://u@h?ssl-mode=disabled", MY_SSL_DISABLED},
        {"mysql://u@h?ssl-mode=PREFERRED", MY_SSL_PREFERRED},
        {"mysql://u@h?ssl-mode=Required", MY_SSL_REQUIRED},
        {"mysql://u@h?ssl-mode=verify_ca&ssl-ca=/ca.pem", MY_SSL_VERIFY_CA},
        {"mysql://u@h?ssl-mode=verify_identity", MY_SSL_VERIFY_IDENTITY},
        {"mysql://u@h?ssl-ca=/ca.pem&ssl-mode=VERIFY_IDENTITY", MY_SSL_VERIFY_IDENTITY},
        /* an authority is there to be asked */
        {"mysql://u@h?ssl-ca=/ca.pem", MY_SSL_VERIFY_CA},
        {"mysql://u@h?ssl-ca=/ca.pem&ssl-mode=required", MY_SSL_VERIFY_CA},
        {"mysql://u@h?ssl-mode=required&ssl-cert=/c.pem&ssl-key=/k.pem", MY_SSL_REQUIRED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parsed p = parse(cases[i].url);
        assert_true(p.ok);
        assert_int_equal(p.url.ssl_mode, cases[i].mode);
        arena_release(&p.arena);
    }
}

static void a_bad_url_is_refused_without_being_repeated(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *says;
    } cases[] = {
        {"", "mysql://"},
        {"postgresql://u:geheim@h", "mysql://"},
        {"MYSQL://u:geheim@h", "mysql://"},
        {"mysql:/u:geheim@h", "mysql://"},
        {"mysql://", "no user"},
        {"mysql://h/geheim", "no user"},
        {"mysql://:geheim@h", "no user"},
        {"mysql://u:geheim@", "no host"},
        {"mysql://u:geheim@:3306", "no host"},
        {"mysql://u:geheim@h:", "port"},
        {"mysql://u:geheim@h:0", "port"},
        {"mysql://u:geheim@h:65536", "port"},
        {"mysql://u:geheim@h:99999999999999999999", "port"},
        {"mysql://u:geheim@h:-1", "port"},
        {"mysql://u:geheim@h:33o6", "port"},
        {"mysql://u:geheim@h: 3306", "port"},
        {"mysql://u:p@geheim@h", "%40"},
        {"mysql://u:p/geheim@h", "no user"},
        {"mysql://u:geheim@h/a/geheim", "%2F"},
        {"mysql://u:p?geheim@h", "no user"},
        {"mysql://u:p#geheim@h,i", "host"},
        {"mysql://u:geheim%@h", "%25"},
        {"mysql://u:geheim%4@h", "%25"},
        {"mysql://u:geheim%zz@h", "%25"},
        {"mysql://u:geheim%00@h", "%25"},
        {"mysql://u:geheim@h%2e", "host"},
        {"mysql://u:geheim@-h", "host"},
        {"mysql://u:geheim@[::1", "brackets"},
        {"mysql://u:geheim@[::1]3306", "brackets"},
        {"mysql://u:geheim@[]", "host"},
        {"mysql://u:geheim@[::1]:", "port"},
        {"mysql://u:geheim@::1", "port"},
        {"mysql://u:geheim@h?geheim=1", "unknown parameter"},
        {"mysql://u:geheim@h?geheim", "unknown parameter"},
        {"mysql://u:geheim@h?ssl-mode", "empty"},
        {"mysql://u:geheim@h?ssl-mode=", "empty"},
        {"mysql://u:geheim@h?ssl-mode=geheim", "ssl-mode must be"},
        {"mysql://u:geheim@h?ssl-mode=required&ssl-mode=disabled", "twice"},
        {"mysql://u:geheim@h?ssl-mode=verify_ca", "ssl-ca"},
        {"mysql://u:geheim@h?ssl-mode=disabled&ssl-ca=/geheim", "mean nothing"},
        {"mysql://u:geheim@h?ssl-key=/geheim", "mean nothing"},
        {"mysql://u:geheim@h?socket=/geheim", "both"},
        {"mysql://u:geheim@?socket=/s&ssl-mode=verify_identity", "no host that"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parsed p = parse(cases[i].url);
        assert_false(p.ok);
        assert_int_equal(p.err.kind, ERROR_CONFIG);
        assert_non_null(strstr(p.err.message, cases[i].says));
        assert_null(strstr(p.err.message, "geheim"));
        arena_release(&p.arena);

        struct error err = {0};
        assert_false(my_connection_check_url(cases[i].url, &err));
        assert_string_equal(err.message, p.err.message);
    }
}

static void names_and_texts_are_quoted(void **state)
{
    (void)state;
    struct buf b = {0};
    my_append_identifier(&b, "a`b\\c'");
    assert_string_equal(buf_text(&b), "`a``b\\c'`");
    buf_clear(&b);
    my_append_literal(&b, "it's \\ `x` \"y\"");
    assert_string_equal(buf_text(&b), "'it''s \\\\ `x` \"y\"'");
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_of_a_url_are_found),
        cmocka_unit_test(what_is_not_said_has_a_default),
        cmocka_unit_test(an_empty_password_is_not_an_absent_one),
        cmocka_unit_test(percent_encoding_is_undone_once),
        cmocka_unit_test(a_colon_in_the_password_belongs_to_it),
        cmocka_unit_test(an_ipv6_address_stands_in_brackets),
        cmocka_unit_test(a_socket_takes_the_place_of_the_host),
        cmocka_unit_test(the_mode_of_tls_follows_what_is_given),
        cmocka_unit_test(a_bad_url_is_refused_without_being_repeated),
        cmocka_unit_test(names_and_texts_are_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
