/* The url of a MySQL source: nothing of it that could be the password is in a message, and a host
 * has no characters that mean something else to the client library. */
#include <stdlib.h>
#include <string.h>

#include "source/mysql/connection.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_parts(const struct my_url *u)
{
    if (!u->user || !*u->user || (u->host == NULL) == (u->socket == NULL) || u->port == 0 ||
        u->port > 65535 || (u->host && (!*u->host || strpbrk(u->host, ",/ ;=@?&#")))) {
        abort();
    }
    if ((u->ssl_mode == MY_SSL_VERIFY_CA && !u->ssl_ca) ||
        (u->ssl_mode < MY_SSL_REQUIRED && (u->ssl_ca || u->ssl_cert || u->ssl_key))) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct error err = {0};
    struct my_url url;
    const char *text = arena_string(&arena, (const char *)data, size);
    if (my_url_parse(text, &arena, &url, &err)) {
        check_parts(&url);
    } else {
        /* Messages are of our own words: the first byte that is not ASCII would be the url's. */
        if (err.kind != ERROR_CONFIG || !err.message[0]) {
            abort();
        }
        for (const char *p = err.message; *p; p++) {
            if (*p < ' ' || *p > '~') {
                abort();
            }
        }
    }
    arena_release(&arena);
    return 0;
}
