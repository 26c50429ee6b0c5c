#include "source/mysql/connection.h"

#include <errmsg.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The settings of a session. A mode that quotes differently, a limit on rows, an idle time: nothing
 * that an administrator chose for others may change what is read. */
static const char session_sql[] =
    "SET NAMES utf8mb4, SESSION sql_mode = '', SESSION time_zone = '+00:00', SESSION autocommit = 1, "
    "SESSION sql_select_limit = 18446744073709551615, SESSION sql_big_selects = 1, "
    "SESSION sql_auto_is_null = 0, SESSION net_write_timeout = 31536000, "
    "SESSION net_read_timeout = 31536000, SESSION wait_timeout = 31536000";
static const char mariadb_sql[] = "SET SESSION max_statement_time = 0, SESSION old_mode = '', "
                                  "SESSION idle_transaction_timeout = 0, "
                                  "SESSION idle_readonly_transaction_timeout = 0";
/* Estimates are asked of the engine, not of what it said yesterday. */
static const char mysql_sql[] =
    "SET SESSION max_execution_time = 0, SESSION information_schema_stats_expiry = 0";
/* A primary key that the server made, which is in the rows of the log, is shown in the catalog. */
static const char mysql_key_sql[] =
    "SET SESSION show_gipk_in_create_table_and_information_schema = ON";

enum {
    PACKET_MAX = 1 << 30,
    MYSQL_SQL_VERSION = 80000, /* the first MySQL that knows mysql_sql */
    MYSQL_KEY_SQL_VERSION = 80030,
    LOCK_WAIT_TIMEOUT = 1205,
};

enum error_kind my_connection_error_kind(unsigned number)
{
    /* Numbers of mysqld_ername.h and errmsg.h; those from 1900 to 1999 and from 4000 on differ
     * between the servers. */
    static const struct {
        uint16_t first;
        uint16_t last;
        enum error_kind kind;
    } kinds[] = {
        {0, 0, ERROR_RETRY},        /* the connection broke without a word */
        {1021, 1021, ERROR_RETRY},  /* disk full */
        {1030, 1030, ERROR_RETRY},  /* the storage engine's own trouble */
        {1037, 1043, ERROR_RETRY},  /* memory, connections, handshake */
        {1044, 1045, ERROR_CONFIG}, /* access denied */
        {1047, 1047, ERROR_RETRY},  /* a node of a cluster that is not ready */
        {1049, 1049, ERROR_CONFIG}, /* unknown database */
        {1053, 1053, ERROR_RETRY},  /* shutdown */
        {1077, 1080, ERROR_RETRY},  /* shutdown */
        {1129, 1130, ERROR_CONFIG}, /* host blocked, host not allowed */
        {1142, 1143, ERROR_CONFIG}, /* no privilege for table or column */
        {1146, 1146, ERROR_CONFIG}, /* no such table */
        {1152, 1152, ERROR_RETRY},  /* aborted connection */
        {1158, 1161, ERROR_RETRY},  /* network */
        {1184, 1184, ERROR_RETRY},  /* aborted connection */
        {1193, 1193, ERROR_CONFIG}, /* unknown variable: an older server than we know */
        {1203, 1203, ERROR_RETRY},  /* too many connections of the user */
        {1205, 1206, ERROR_RETRY},  /* lock wait timeout, lock table full */
        {1213, 1213, ERROR_RETRY},  /* deadlock */
        {1226, 1226, ERROR_RETRY},  /* the user's share of a resource is used up */
        {1227, 1227, ERROR_CONFIG}, /* privilege missing */
        {1236, 1236, ERROR_LOST},   /* the log cannot be read from there */
        {1251, 1251, ERROR_CONFIG}, /* login that we do not know */
        {1275, 1275, ERROR_CONFIG}, /* the same */
        {1290, 1290, ERROR_CONFIG}, /* forbidden by an option of the server */
        {1317, 1317, ERROR_RETRY},  /* query interrupted: killed or shutdown */
        {1370, 1370, ERROR_CONFIG}, /* no privilege for a routine */
        {1381, 1381, ERROR_CONFIG}, /* no binary log */
        {1412, 1412, ERROR_RETRY},  /* the table was altered since the snapshot */
        {1524, 1524, ERROR_CONFIG}, /* login whose plugin is missing */
        {1698, 1698, ERROR_CONFIG}, /* access denied */
        {1789, 1789, ERROR_LOST},   /* GTIDs that were purged */
        {1820, 1820, ERROR_CONFIG}, /* password must be changed */
        {1862, 1862, ERROR_CONFIG}, /* password expired */
        {1927, 1927, ERROR_RETRY},  /* connection killed */
        {1969, 1969, ERROR_RETRY},  /* statement time */
        {2002, 2006, ERROR_RETRY},  /* cannot connect, unknown host, gone */
        {2012, 2013, ERROR_RETRY},  /* lost in the handshake or later */
        {2026, 2026, ERROR_RETRY},  /* TLS: connection_open() knows the lasting ones */
        {2049, 2049, ERROR_CONFIG}, /* login of before 4.1 */
        {2055, 2055, ERROR_RETRY},  /* lost */
        {2059, 2061, ERROR_CONFIG}, /* login whose plugin cannot be loaded or failed */
        {3024, 3024, ERROR_RETRY},  /* statement time */
        {3118, 3118, ERROR_CONFIG}, /* account locked */
        {3159, 3159, ERROR_CONFIG}, /* secure transport demanded */
        {3169, 3169, ERROR_RETRY},  /* session killed */
        {3572, 3572, ERROR_RETRY},  /* lock */
        {4031, 4031, ERROR_RETRY},  /* thrown out while idle */
        {4151, 4151, ERROR_CONFIG}, /* account locked */
        {5004, 5005, ERROR_CONFIG}, /* a file of keys cannot be read */
        {5010, 5010, ERROR_CONFIG}, /* login that we refuse */
        {5012, 5012, ERROR_CONFIG}, /* plugin */
        {5013, 5014, ERROR_RETRY},  /* network */
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (number >= kinds[i].first && number <= kinds[i].last) {
            return kinds[i].kind;
        }
    }
    return ERROR_FATAL;
}

static bool is_lost(unsigned number)
{
    return number == 0 || number == CR_SERVER_GONE_ERROR || number == CR_SERVER_LOST ||
           number == CR_SERVER_LOST_EXTENDED || number == CR_SSL_CONNECTION_ERROR;
}

bool my_connection_error(MYSQL *c, struct error *err)
{
    unsigned number = mysql_errno(c);
    const char *text = mysql_error(c);
    enum error_kind kind = my_connection_error_kind(number);
    /* Another reader has our server id: MySQL has no number for that, MariaDB one of its own. */
    if (strstr(text, "same server_")) {
        kind = ERROR_CONFIG;
    }
    return error_set(err, kind, "%s%s (error %u)%s",
                     is_lost(number) ? "connection to the server lost: " : "",
                     text[0] ? text : "no answer", number,
                     number == LOCK_WAIT_TIMEOUT ? "; a statement or an open transaction holds it "
                                                   "(SHOW PROCESSLIST)"
                                                 : "");
}

/* Options whose failure could only be a lack of memory. */
static void set_options(MYSQL *c, const struct my_connection_options *options)
{
    char program[64];
    (void)snprintf(program, sizeof(program), "leat %s", options->pipeline);
    unsigned connect_timeout_s = (unsigned)((options->connect_timeout_ms + 999) / 1000);
    unsigned read_timeout_s = (unsigned)((options->read_timeout_ms + 999) / 1000);
    size_t packet_max = PACKET_MAX;
    my_bool no = 0;
    unsigned none = 0; /* a server could ask for any of our files */
    (void)mysql_options(c, MYSQL_OPT_LOCAL_INFILE, &none);
    (void)mysql_options(c, MYSQL_OPT_RECONNECT, &no);
    (void)mysql_options(c, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    (void)mysql_options(c, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout_s);
    if (read_timeout_s > 0) {
        (void)mysql_options(c, MYSQL_OPT_READ_TIMEOUT, &read_timeout_s);
    }
    (void)mysql_options(c, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet_max);
    (void)mysql_options4(c, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", program);
}

/* How one attempt to connect deals with TLS. */
enum tls_use { TLS_OFF, TLS_ON };

/* With TLS on, a server that does not offer it is refused before the login: the library's plugins
 * would send a password in clear to it, and whoever sits between could make any server look like
 * that. The library looks whether a fingerprint is demanded, and an empty one is checked against
 * nothing (send_client_reply_packet() and ma_pvio_start_ssl() of Connector/C 3.3). */
static void set_tls(MYSQL *c, const struct my_url *url, enum tls_use use)
{
    my_bool on = (my_bool)(use == TLS_ON);
    my_bool verify_host = (my_bool)(on && url->ssl_mode == MY_SSL_VERIFY_IDENTITY);
    (void)mysql_options(c, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify_host);
    (void)mysql_options(c, MYSQL_OPT_SSL_ENFORCE, &on);
    /* Logins that do not show the password. Others only where nobody else can listen. */
    (void)mysql_options(c, MARIADB_OPT_RESTRICTED_AUTH,
                        use == TLS_ON && url->ssl_mode >= MY_SSL_REQUIRED
                            ? "mysql_native_password,caching_sha2_password,sha256_password,"
                              "client_ed25519,parsec,mysql_clear_password"
                            : "mysql_native_password,caching_sha2_password,sha256_password,"
                              "client_ed25519,parsec");
    if (use == TLS_OFF) {
        return;
    }
    (void)mysql_options(c, MARIADB_OPT_TLS_PEER_FP, "");
    if (url->ssl_ca) {
        (void)mysql_options(c, MYSQL_OPT_SSL_CA, url->ssl_ca);
    }
    if (url->ssl_cert) {
        (void)mysql_options(c, MYSQL_OPT_SSL_CERT, url->ssl_cert);
    }
    if (url->ssl_key) {
        (void)mysql_options(c, MYSQL_OPT_SSL_KEY, url->ssl_key);
    }
}

/* "localhost" is a host like any other: a socket is used only where the url names it. */
static bool connect_once(MYSQL *c, const struct my_url *url)
{
    unsigned protocol = url->socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    (void)mysql_options(c, MYSQL_OPT_PROTOCOL, &protocol);
    return mysql_real_connect(c, url->host, url->user, url->password ? url->password : "",
                              url->database, url->port, url->socket, 0) != NULL;
}

/* TLS fails for a passing reason (the peer died) or a lasting one; only the words tell. What is not
 * known is tried again, which ends too. */
static bool tls_failure_lasts(const char *text)
{
    static const char *const words[] = {
        "certificate", "self-signed", "self signed",  "verif",         "required",
        "Validation",  "hostname",    "No such file", "no start line", "unsupported",
        "alert",       "mismatch",    "PEM",          "version",       "does not support",
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strstr(text, words[i])) {
            return true;
        }
    }
    return false;
}

static void format_place(const struct my_url *url, char *out, size_t size)
{
    if (url->socket) {
        (void)snprintf(out, size, "socket %s", url->socket);
    } else {
        (void)snprintf(out, size, "%s port %u", url->host, url->port);
    }
}

static bool connect_failed(MYSQL *c, const struct my_url *url, enum tls_use use, struct error *err)
{
    unsigned number = mysql_errno(c);
    const char *text = mysql_error(c);
    enum error_kind kind = my_connection_error_kind(number);
    const char *hint = "";
    if (number == CR_SSL_CONNECTION_ERROR && tls_failure_lasts(text)) {
        kind = ERROR_CONFIG;
    }
    /* A server says no more than this to a user who was made with REQUIRE SSL. */
    if ((number == 1045 || number == 1698) && use == TLS_OFF && !url->socket) {
        hint =
            "; a user made with REQUIRE SSL is refused like this where the connection has no TLS, "
            "as here";
    }
    char place[300];
    format_place(url, place, sizeof(place));
    return error_set(err, kind, "cannot connect to %s: %s (error %u)%s", place,
                     text[0] ? text : "no answer", number, hint);
}

/* A dead peer is noticed within about a minute, also where a statement may take for ever. */
static void watch_peer(MYSQL *c)
{
    static const struct {
        int level;
        int name;
        int value;
    } options[] = {
        {SOL_SOCKET, SO_KEEPALIVE, 1},    {IPPROTO_TCP, TCP_KEEPIDLE, 30},
        {IPPROTO_TCP, TCP_KEEPINTVL, 10}, {IPPROTO_TCP, TCP_KEEPCNT, 3},
        {IPPROTO_TCP, TCP_NODELAY, 1},
    };
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        (void)setsockopt(mysql_get_socket(c), options[i].level, options[i].name, &options[i].value,
                         sizeof(options[i].value));
    }
}

bool my_connection_set_lock_timeout(MYSQL *c, int64_t timeout_ms, struct error *err)
{
    char sql[64];
    (void)snprintf(sql, sizeof(sql), "SET SESSION lock_wait_timeout = %lld",
                   (long long)((timeout_ms + 999) / 1000));
    return my_connection_execute(c, sql, err);
}

static bool set_session(MYSQL *c, const struct my_connection_options *options, struct error *err)
{
    if (!my_connection_execute(c, session_sql, err) ||
        (options->lock_timeout_ms > 0 &&
         !my_connection_set_lock_timeout(c, options->lock_timeout_ms, err))) {
        return false;
    }
    if (strstr(mysql_get_server_info(c), "MariaDB")) {
        return my_connection_execute(c, mariadb_sql, err);
    }
    unsigned long version = mysql_get_server_version(c);
    return (version < MYSQL_SQL_VERSION || my_connection_execute(c, mysql_sql, err)) &&
           (version < MYSQL_KEY_SQL_VERSION || my_connection_execute(c, mysql_key_sql, err));
}

static void begin_library(void)
{
    (void)mysql_library_init(0, NULL, NULL); /* not for several threads at once */
}

static MYSQL *new_handle(const struct my_connection_options *options, const struct my_url *url,
                         enum tls_use use)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, begin_library);
    MYSQL *c = mysql_init(NULL);
    if (!c) {
        abort();
    }
    set_options(c, options);
    set_tls(c, url, use);
    return c;
}

static enum tls_use first_try(const struct my_url *url)
{
    bool off = url->ssl_mode == MY_SSL_DISABLED ||
               (url->ssl_mode == MY_SSL_PREFERRED && url->socket); /* nobody listens to a socket */
    return off ? TLS_OFF : TLS_ON;
}

MYSQL *my_connection_open(const struct my_connection_options *options, struct error *err)
{
    owned(arena_release) struct arena arena = {0};
    struct my_url url;
    if (!my_url_parse(options->url, &arena, &url, err)) {
        return NULL;
    }
    enum tls_use use = first_try(&url);
    owned(my_connection_free) MYSQL *c = new_handle(options, &url, use);
    bool connected = connect_once(c, &url);
    if (!connected && url.ssl_mode == MY_SSL_PREFERRED && use == TLS_ON &&
        mysql_errno(c) == CR_SSL_CONNECTION_ERROR && !(c->server_capabilities & CLIENT_SSL)) {
        use = TLS_OFF; /* the server said that it has none */
        my_connection_free(&c);
        c = new_handle(options, &url, use);
        connected = connect_once(c, &url);
    }
    if (!connected) {
        connect_failed(c, &url, use, err);
        return NULL;
    }
    if (use == TLS_ON && !mysql_get_ssl_cipher(c)) {
        error_set(err, ERROR_CONFIG, "cannot connect: the server offers no TLS");
        return NULL;
    }
    watch_peer(c);
    if (!set_session(c, options, err)) {
        error_wrap(err, "cannot set up the session");
        return NULL;
    }
    return take(c);
}

void my_connection_free(MYSQL **c)
{
    if (*c) {
        mysql_close(take(*c));
    }
}

void my_result_free(MYSQL_RES **r)
{
    mysql_free_result(take(*r));
}

MYSQL_RES *my_connection_query(MYSQL *c, const char *sql, struct error *err)
{
    if (mysql_real_query(c, sql, strlen(sql)) != 0) {
        my_connection_error(c, err);
        return NULL;
    }
    MYSQL_RES *r = mysql_store_result(c);
    if (!r && mysql_errno(c) == 0) {
        error_set(err, ERROR_FATAL, "the server gave no rows for a query");
    } else if (!r) {
        my_connection_error(c, err);
    }
    return r;
}

bool my_connection_execute(MYSQL *c, const char *sql, struct error *err)
{
    if (mysql_real_query(c, sql, strlen(sql)) != 0) {
        return my_connection_error(c, err);
    }
    mysql_free_result(mysql_store_result(c)); /* there is one where a statement gave rows */
    return mysql_errno(c) == 0 || my_connection_error(c, err);
}

void my_append_identifier(struct buf *out, const char *name)
{
    buf_append_char(out, '`');
    for (; *name; name++) {
        if (*name == '`') {
            buf_append_char(out, '`');
        }
        buf_append_char(out, *name);
    }
    buf_append_char(out, '`');
}

void my_append_literal(struct buf *out, const char *text)
{
    buf_append_char(out, '\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\') {
            buf_append_char(out, *text);
        }
        buf_append_char(out, *text);
    }
    buf_append_char(out, '\'');
}
