/* mysql://user:password@host:port/database?parameter=value: the parts, with percent-encoding
 * undone. No message repeats a piece of the url: what looks like a port may be a piece of the
 * password. */
#include <string.h>
#include <strings.h>

#include "source/mysql/connection.h"

enum {
    PORT_DEFAULT = 3306,
    URL_SIZE_MAX = 1 << 16,
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes percent-encoding. `part` names the text in the message. */
static const char *decode(struct str text, const char *part, struct arena *arena, struct error *err)
{
    char *out = arena_alloc(arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '%') {
            int high = i + 2 < text.size ? hex_digit(text.data[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(text.data[i + 2]) : -1;
            if (low < 0 || (high == 0 && low == 0)) {
                error_set(err, ERROR_CONFIG,
                          "source url: the %s holds a '%%' that is not followed by two hexadecimal "
                          "digits of a character; write it as %%25",
                          part);
                return NULL;
            }
            c = (char)(high * 16 + low);
            i += 2;
        }
        out[size++] = c;
    }
    out[size] = '\0';
    return out;
}

/* The text before the first `stop`; `*rest` is what follows it, or empty. */
static struct str cut(struct str text, char stop, struct str *rest)
{
    const char *at = text.size ? memchr(text.data, stop, text.size) : NULL;
    size_t size = at ? (size_t)(at - text.data) : text.size;
    *rest =
        at ? (struct str){at + 1, text.size - size - 1} : (struct str){text.data + text.size, 0};
    return (struct str){text.data, size};
}

static bool read_user(struct str text, struct arena *arena, struct my_url *out, struct error *err)
{
    struct str password;
    struct str user = cut(text, ':', &password);
    if (user.size == 0) {
        return error_set(err, ERROR_CONFIG,
                         "source url has no user (mysql://user:password@host:port)");
    }
    out->user = decode(user, "user", arena, err);
    if (out->user && user.size < text.size) {
        out->password = decode(password, "password", arena, err);
        return out->password != NULL;
    }
    return out->user != NULL;
}

static bool read_port(struct str text, struct my_url *out, struct error *err)
{
    unsigned port = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned)((unsigned char)text.data[i] - '0');
        port = digit > 9 || port > 65535 ? 65536 : port * 10 + digit;
    }
    if (port == 0 || port > 65535) {
        return error_set(err, ERROR_CONFIG,
                         "source url: the port is not a number from 1 to 65535 (special characters "
                         "in user and password must be percent-encoded)");
    }
    out->port = port;
    return true;
}

/* A name or IPv4 address, or what stood in brackets. Nothing else gets through: the client library
 * has meanings of its own for commas and slashes. */
static bool host_is_good(struct str host, bool in_brackets)
{
    for (size_t i = 0; i < host.size; i++) {
        char c = host.data[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '.' || c == '-' || c == '_';
        if (!word && !(in_brackets && (c == ':' || c == '%'))) {
            return false;
        }
    }
    return host.size > 0 && host.size < 256 && host.data[0] != '-';
}

/* host, host:port, [::1], [fe80::1%eth0]:port; or nothing, with a socket. */
static bool read_host(struct str text, struct arena *arena, struct my_url *out, struct error *err)
{
    struct str host;
    struct str port = {0};
    bool has_port = false;
    bool in_brackets = text.size > 0 && text.data[0] == '[';
    if (in_brackets) {
        struct str rest;
        host = cut((struct str){text.data + 1, text.size - 1}, ']', &rest);
        if (host.size + 1 == text.size || (rest.size > 0 && rest.data[0] != ':')) {
            return error_set(err, ERROR_CONFIG, "source url: the host's brackets are not closed");
        }
        has_port = rest.size > 0;
        port = has_port ? (struct str){rest.data + 1, rest.size - 1} : rest;
    } else {
        host = cut(text, ':', &port);
        has_port = host.size < text.size;
    }
    if (has_port && !read_port(port, out, err)) {
        return false;
    }
    if (host.size == 0 && !in_brackets) {
        return true;
    }
    if (!host_is_good(host, in_brackets)) {
        return error_set(err, ERROR_CONFIG,
                         "source url: the host is neither a name nor an address (special "
                         "characters in user and password must be percent-encoded)");
    }
    out->host = arena_string(arena, host.data, host.size);
    return true;
}

static bool read_ssl_mode(const char *word, struct my_url *out, struct error *err)
{
    static const char *const words[] = {
        [MY_SSL_DISABLED] = "disabled",
        [MY_SSL_PREFERRED] = "preferred",
        [MY_SSL_REQUIRED] = "required",
        [MY_SSL_VERIFY_CA] = "verify_ca",
        [MY_SSL_VERIFY_IDENTITY] = "verify_identity",
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(word, words[i]) == 0) {
            out->ssl_mode = (enum my_ssl_mode)i;
            return true;
        }
    }
    return error_set(err, ERROR_CONFIG,
                     "source url: ssl-mode must be disabled, preferred, required, verify_ca or "
                     "verify_identity");
}

static bool read_parameter(struct str text, const char **ssl_mode, struct arena *arena,
                           struct my_url *out, struct error *err)
{
    const struct {
        const char *name;
        const char **place;
    } known[] = {
        {"ssl-mode", ssl_mode},     {"ssl-ca", &out->ssl_ca}, {"ssl-cert", &out->ssl_cert},
        {"ssl-key", &out->ssl_key}, {"socket", &out->socket},
    };
    struct str value;
    struct str name = cut(text, '=', &value);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!str_equal(name, str_from(known[i].name))) {
            continue;
        }
        if (*known[i].place || value.size == 0) {
            return error_set(err, ERROR_CONFIG, "source url: %s is %s", known[i].name,
                             *known[i].place ? "given twice" : "empty");
        }
        *known[i].place = decode(value, known[i].name, arena, err);
        return *known[i].place != NULL;
    }
    return error_set(err, ERROR_CONFIG,
                     "source url: an unknown parameter; there are ssl-mode, ssl-ca, ssl-cert, "
                     "ssl-key and socket");
}

static bool read_parameters(struct str text, struct arena *arena, struct my_url *out,
                            struct error *err)
{
    const char *ssl_mode = NULL;
    while (text.size > 0) {
        struct str parameter = cut(text, '&', &text);
        if (parameter.size > 0 && !read_parameter(parameter, &ssl_mode, arena, out, err)) {
            return false;
        }
    }
    if (!ssl_mode) { /* who names an authority wants it to be asked, as the servers' own clients */
        out->ssl_mode = out->ssl_ca ? MY_SSL_VERIFY_CA : MY_SSL_PREFERRED;
        return true;
    }
    return read_ssl_mode(ssl_mode, out, err);
}

/* What each part alone does not show. */
static bool check_whole(struct my_url *out, struct error *err)
{
    if (out->socket && out->host && strcasecmp(out->host, "localhost") != 0) {
        return error_set(err, ERROR_CONFIG, "source url: it has both a host and a socket");
    }
    if (out->socket) {
        out->host = NULL;
    } else if (!out->host) {
        return error_set(err, ERROR_CONFIG,
                         "source url has no host (mysql://user:password@host:port)");
    }
    if (out->ssl_mode == MY_SSL_REQUIRED && out->ssl_ca) {
        out->ssl_mode = MY_SSL_VERIFY_CA;
    }
    if (out->ssl_mode < MY_SSL_REQUIRED && (out->ssl_ca || out->ssl_cert || out->ssl_key)) {
        return error_set(err, ERROR_CONFIG,
                         "source url: ssl-ca, ssl-cert and ssl-key mean nothing without ssl-mode "
                         "required, verify_ca or verify_identity");
    }
    if (out->ssl_mode == MY_SSL_VERIFY_CA && !out->ssl_ca) {
        return error_set(err, ERROR_CONFIG, "source url: ssl-mode verify_ca needs ssl-ca");
    }
    if (out->ssl_mode == MY_SSL_VERIFY_IDENTITY && out->socket) {
        return error_set(err, ERROR_CONFIG,
                         "source url: with a socket there is no host that ssl-mode verify_identity "
                         "could check");
    }
    return true;
}

/* The authority: user:password@host:port. */
static bool read_authority(struct str text, struct arena *arena, struct my_url *out,
                           struct error *err)
{
    struct str host;
    struct str user = cut(text, '@', &host);
    if (user.size == text.size) {
        return error_set(err, ERROR_CONFIG,
                         "source url has no user (mysql://user:password@host:port)");
    }
    if (host.size > 0 && memchr(host.data, '@', host.size)) {
        return error_set(err, ERROR_CONFIG,
                         "source url: user or password holds '@'; write it as %%40");
    }
    return read_user(user, arena, out, err) && read_host(host, arena, out, err);
}

static bool read_database(struct str text, struct arena *arena, struct my_url *out,
                          struct error *err)
{
    if (text.size == 0) {
        return true;
    }
    if (memchr(text.data, '/', text.size) || memchr(text.data, '@', text.size)) {
        return error_set(err, ERROR_CONFIG,
                         "source url: user or password holds '/', or the database does; write it "
                         "as %%2F");
    }
    out->database = decode(text, "database", arena, err);
    return out->database != NULL;
}

bool my_url_parse(const char *url, struct arena *arena, struct my_url *out, struct error *err)
{
    *out = (struct my_url){.port = PORT_DEFAULT};
    struct str rest = str_from(url);
    if (strncmp(url, "mysql://", 8) == 0) {
        rest = (struct str){url + 8, rest.size - 8};
    } else if (strncmp(url, "mariadb://", 10) == 0) {
        rest = (struct str){url + 10, rest.size - 10};
    } else {
        return error_set(err, ERROR_CONFIG,
                         "source url does not begin with mysql:// or mariadb://");
    }
    if (rest.size > URL_SIZE_MAX) {
        return error_set(err, ERROR_CONFIG, "source url is longer than %d bytes", URL_SIZE_MAX);
    }
    struct str parameters;
    struct str database;
    struct str authority = cut(cut(rest, '?', &parameters), '/', &database);
    return read_authority(authority, arena, out, err) && read_database(database, arena, out, err) &&
           read_parameters(parameters, arena, out, err) && check_whole(out, err);
}

bool my_connection_check_url(const char *url, struct error *err)
{
    owned(arena_release) struct arena arena = {0};
    struct my_url parts;
    return my_url_parse(url, &arena, &parts, err);
}
