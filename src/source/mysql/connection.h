/* Connections to MySQL and MariaDB servers: opened with the session settings that the decoders rely
 * on, and errors by what to do next. No message holds a secret. */
#pragma once

#include <mysql.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/* The parts of mysql://user:password@host:port/database?ssl-mode=...&ssl-ca=FILE. Also mariadb://.
 * Percent-encoding is undone. The socket comes as ?socket=/path. */
struct my_url {
    const char *user;
    const char *password; /* secret; NULL: none */
    const char *host;     /* NULL with a socket */
    unsigned port;        /* 3306 when the url has none */
    const char *socket;
    const char *database; /* NULL: none */
    enum my_ssl_mode {
        MY_SSL_DISABLED,
        MY_SSL_PREFERRED, /* the default */
        MY_SSL_REQUIRED,
        MY_SSL_VERIFY_CA,
        MY_SSL_VERIFY_IDENTITY,
    } ssl_mode;
    const char *ssl_ca; /* PEM files */
    const char *ssl_cert;
    const char *ssl_key;
};

/* Everything in `out` lies in the arena. ERROR_CONFIG names what is wrong, never the password. */
must_check bool my_url_parse(const char *url, struct arena *arena, struct my_url *out,
                             struct error *err);

struct my_connection_options {
    const char *url;      /* holds secrets */
    const char *pipeline; /* names the session at the server (connection attribute program_name) */
    int64_t connect_timeout_ms;
    int64_t read_timeout_ms; /* 0: a statement may take as long as it wants */
    int64_t lock_timeout_ms; /* how long one waits for a table; 0: as long as the server lets it */
};

/* Connects and sets the session up: utf8mb4, time_zone '+00:00', a sql_mode without ANSI_QUOTES,
 * PAD_CHAR_TO_FULL_LENGTH and other surprises, READ COMMITTED left alone. Free with
 * my_connection_free(). Wrong user, password, TLS set-up or url: ERROR_CONFIG; refused, timed out,
 * starting, too many connections: ERROR_RETRY. */
must_check MYSQL *my_connection_open(const struct my_connection_options *options,
                                     struct error *err);
void my_connection_free(MYSQL **c);
void my_result_free(MYSQL_RES **r);

/* Runs one statement and holds its rows; NULL unless it gave rows. */
must_check MYSQL_RES *my_connection_query(MYSQL *c, const char *sql, struct error *err);

/* Runs a statement without a result. */
must_check bool my_connection_execute(MYSQL *c, const char *sql, struct error *err);

/* How long the session's statements wait for a table, in whole seconds. */
must_check bool my_connection_set_lock_timeout(MYSQL *c, int64_t timeout_ms, struct error *err);

/* Fills `err` from the connection's last error, by what to do next. Returns false. */
bool my_connection_error(MYSQL *c, struct error *err);

/* What a server's or client's error number asks for. */
enum error_kind my_connection_error_kind(unsigned number);

/* False, with an error that does not repeat it, unless the url can be parsed. For the check of the
 * configuration. */
must_check bool my_connection_check_url(const char *url, struct error *err);

/* Appends `name` in back quotes; 'text' as a literal, for a session set up as above. */
void my_append_identifier(struct buf *out, const char *name);
void my_append_literal(struct buf *out, const char *text);
