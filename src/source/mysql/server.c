#include "source/mysql/server.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/mysql/connection.h"

/* The servers' variables that matter here; not each server has each. */
static const char variables_sql[] =
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'server_uuid', 'server_uid', "
    "'server_id', 'log_bin', 'gtid_mode', 'lower_case_table_names', 'binlog_format', "
    "'binlog_row_image', 'binlog_row_metadata', 'binlog_row_value_options', "
    "'binlog_expire_logs_seconds', 'binlog_expire_logs_auto_purge', 'expire_logs_days')";

/* The value of a variable in the rows of SHOW VARIABLES; "" where the server has none. */
static const char *variable(MYSQL_RES *r, const char *name)
{
    mysql_data_seek(r, 0);
    for (MYSQL_ROW row = mysql_fetch_row(r); row; row = mysql_fetch_row(r)) {
        if (row[0] && row[1] && strcmp(row[0], name) == 0) {
            return row[1];
        }
    }
    return "";
}

static bool is_on(const char *value)
{
    return strcmp(value, "ON") == 0 || strcmp(value, "1") == 0;
}

/* "8.4.2", "9.7.4-commercial", "10.11.19-MariaDB-log", and "5.5.5-10.11.19-MariaDB" as older
 * MariaDB servers greet. 0: no version. */
uint32_t my_server_version_parse(const char *text)
{
    if (strncmp(text, "5.5.5-", 6) == 0 && isdigit((unsigned char)text[6])) {
        text += 6;
    }
    uint32_t parts[3] = {0};
    for (int i = 0; i < 3; i++) {
        size_t digits = strspn(text, "0123456789");
        if (digits == 0 || digits > 2) {
            return 0;
        }
        parts[i] = (uint32_t)strtoul(text, NULL, 10);
        text += digits;
        if (i < 2 && *text++ != '.') {
            return 0;
        }
    }
    return 100 * (100 * parts[0] + parts[1]) + parts[2];
}

/* Both servers: seconds, which count where they are not 0, and days, with a fraction on MariaDB. */
static int64_t retention_s(MYSQL_RES *r)
{
    const char *purge = variable(r, "binlog_expire_logs_auto_purge");
    if (purge[0] && !is_on(purge)) {
        return 0;
    }
    int64_t seconds = strtoll(variable(r, "binlog_expire_logs_seconds"), NULL, 10);
    double days = strtod(variable(r, "expire_logs_days"), NULL);
    return seconds > 0 ? seconds : (int64_t)(days * 86400);
}

static const char *copy(struct arena *arena, const char *text)
{
    return arena_string(arena, text, strlen(text));
}

/* leat@% as 'leat'@'%'. */
static const char *account_of(struct arena *arena, const char *user)
{
    owned(buf_release) struct buf account = {0};
    const char *at = strrchr(user, '@');
    my_append_literal(&account, at ? arena_string(arena, user, (size_t)(at - user)) : user);
    buf_append_char(&account, '@');
    my_append_literal(&account, at ? at + 1 : "%");
    return copy(arena, buf_text(&account));
}

bool my_server_read(MYSQL *c, struct arena *arena, struct my_server *out, struct error *err)
{
    owned(my_result_free) MYSQL_RES *r = my_connection_query(c, variables_sql, err);
    owned(my_result_free) MYSQL_RES *user =
        r ? my_connection_query(c, "SELECT CURRENT_USER()", err) : NULL;
    if (!user) {
        return error_wrap(err, "cannot read the server's settings");
    }
    MYSQL_ROW row = mysql_fetch_row(user);
    const char *version = variable(r, "version");
    bool is_mariadb = strstr(version, "MariaDB") || strstr(mysql_get_server_info(c), "MariaDB");
    *out = (struct my_server){
        .is_mariadb = is_mariadb,
        .version = my_server_version_parse(version),
        .version_text = copy(arena, version),
        .uuid = copy(arena, variable(r, is_mariadb ? "server_uid" : "server_uuid")),
        .server_id = (uint32_t)strtoul(variable(r, "server_id"), NULL, 10),
        .has_log = is_on(variable(r, "log_bin")),
        .has_gtid = is_mariadb || strcmp(variable(r, "gtid_mode"), "ON") == 0,
        .names_lower_case = strcmp(variable(r, "lower_case_table_names"), "0") != 0,
        .binlog_format = copy(arena, variable(r, "binlog_format")),
        .binlog_row_image = copy(arena, variable(r, "binlog_row_image")),
        .binlog_row_metadata = copy(arena, variable(r, "binlog_row_metadata")),
        .has_partial_json = strstr(variable(r, "binlog_row_value_options"), "PARTIAL_JSON") != NULL,
        .retention_s = retention_s(r),
        .user = account_of(arena, row && row[0] ? row[0] : ""),
    };
    if (out->version == 0) {
        return error_set(err, ERROR_FATAL, "the server's version \"%.64s\" is not understood",
                         version);
    }
    return true;
}

/* A set of GTIDs as the server prints it; nothing printed is the set without transactions. */
static bool parse_gtids(const char *text, struct position *out, struct error *err)
{
    *out = position_empty_set();
    if (text[strspn(text, " \t\r\n")] == '\0') {
        return true;
    }
    if (!position_parse(str_from(text), out, err)) {
        error_recast(err, ERROR_FATAL);
        return error_wrap(err, "the server's GTIDs");
    }
    return true;
}

/* One value of one row, as GTIDs. */
static bool read_gtids(MYSQL *c, const char *sql, struct position *out, struct error *err)
{
    owned(my_result_free) MYSQL_RES *r = my_connection_query(c, sql, err);
    if (!r) {
        return error_wrap(err, "cannot read the server's GTIDs");
    }
    MYSQL_ROW row = mysql_fetch_row(r);
    return parse_gtids(row && row[0] ? row[0] : "", out, err);
}

static bool set_place(struct my_log_place *place, const char *file, uint64_t offset,
                      struct error *err)
{
    size_t size = strlen(file);
    if (size == 0 || size >= sizeof(place->file)) {
        return error_set(err, ERROR_FATAL, "the server's log file has the name \"%.300s\"", file);
    }
    *place = (struct my_log_place){.offset = offset};
    memcpy(place->file, file, size + 1);
    return true;
}

/* MySQL has had the new form since 8.2, and since 8.4 only that; MariaDB knows the old one. */
static const char *status_sql(const struct my_server *server)
{
    return !server->is_mariadb && server->version >= 80200 ? "SHOW BINARY LOG STATUS"
                                                           : "SHOW MASTER STATUS";
}

/* Names the right that reading the log's state needs (MariaDB also calls it BINLOG MONITOR). */
static bool wrap_log_right(const struct my_server *server, struct error *err)
{
    bool is_right = err->kind == ERROR_CONFIG;
    return error_wrap(err, "cannot read the state of the binary log%s%s",
                      is_right ? ": GRANT REPLICATION CLIENT ON *.* TO " : "",
                      is_right ? server->user : "");
}

bool my_server_log_end(MYSQL *c, const struct my_server *server, struct position *gtids,
                       struct my_log_place *place, struct error *err)
{
    enum { COLUMN_FILE, COLUMN_OFFSET, COLUMN_GTIDS = 4 };
    owned(my_result_free) MYSQL_RES *r = my_connection_query(c, status_sql(server), err);
    if (!r) {
        return wrap_log_right(server, err);
    }
    MYSQL_ROW row = mysql_fetch_row(r);
    if (!row || mysql_num_fields(r) <= COLUMN_OFFSET || !row[COLUMN_FILE] || !row[COLUMN_OFFSET]) {
        return error_set(err, ERROR_CONFIG, "the server writes no binary log: set log_bin");
    }
    if (!set_place(place, row[COLUMN_FILE], strtoull(row[COLUMN_OFFSET], NULL, 10), err)) {
        return false;
    }
    *gtids = (struct position){0};
    if (!server->has_gtid) {
        return true;
    }
    if (server->is_mariadb) {
        return read_gtids(c, "SELECT @@GLOBAL.gtid_binlog_pos", gtids, err);
    }
    if (mysql_num_fields(r) <= COLUMN_GTIDS) {
        return error_set(err, ERROR_FATAL, "the server's log status has no column of GTIDs");
    }
    return parse_gtids(row[COLUMN_GTIDS] ? row[COLUMN_GTIDS] : "", gtids, err);
}

/* The digits behind the last dot of a log file's name; NULL: there are none. */
static const char *number_of(const char *file)
{
    const char *dot = strrchr(file, '.');
    return dot && dot[1] && dot[1 + strspn(dot + 1, "0123456789")] == '\0' ? dot + 1 : NULL;
}

bool my_log_place_pack(const struct my_log_place *place, uint64_t *out)
{
    const char *digits = number_of(place->file);
    if (!digits || strlen(digits) > 10 || place->offset > UINT32_MAX) {
        return false;
    }
    uint64_t number = strtoull(digits, NULL, 10);
    if (number > INT32_MAX) { /* positions are signed where tables keep them */
        return false;
    }
    *out = number << 32 | place->offset;
    return true;
}

bool my_log_place_unpack(uint64_t packed, const char *file_of_server, struct my_log_place *out)
{
    const char *digits = number_of(file_of_server);
    size_t base = digits ? (size_t)(digits - file_of_server) : 0;
    if (!digits || base + 11 > sizeof(out->file)) {
        return false;
    }
    *out = (struct my_log_place){.offset = packed & UINT32_MAX};
    (void)snprintf(out->file, sizeof(out->file), "%.*s%06u", (int)base, file_of_server,
                   (unsigned)(packed >> 32));
    return true;
}
