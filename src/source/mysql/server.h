/* What a server says of itself: family, version, identity, how it logs. */
#pragma once

#include <mysql.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "model/position.h"

struct my_server {
    bool is_mariadb;
    uint32_t version;         /* 100 * (100 * major + minor) + patch: 101119, 80400, 90704 */
    const char *version_text; /* as the server prints it */
    const char *uuid;         /* MySQL: server_uuid. MariaDB: server_uid, "" where it has none */
    uint32_t server_id;
    bool has_log;                 /* log_bin */
    bool has_gtid;                /* MariaDB: always. MySQL: gtid_mode is ON */
    bool names_lower_case;        /* lower_case_table_names is not 0: names compare without case */
    const char *binlog_format;    /* ROW, STATEMENT, MIXED */
    const char *binlog_row_image; /* FULL, MINIMAL, NOBLOB */
    const char *binlog_row_metadata; /* FULL, MINIMAL, NO_LOG; "" where it does not exist */
    bool has_partial_json;           /* MySQL: binlog_row_value_options has PARTIAL_JSON */
    int64_t retention_s;             /* 0: logs are kept until they are purged by hand */
    const char *user;                /* current_user(), as GRANT takes it: 'leat'@'%' */
};

/* A place in the log, as files count: for servers without GTIDs, and for messages. */
struct my_log_place {
    char file[256]; /* "binlog.000012" */
    uint64_t offset;
};

/* Everything in `out` lies in the arena. Needs no right. */
must_check bool my_server_read(MYSQL *c, struct arena *arena, struct my_server *out,
                               struct error *err);

/* Where the log ends now: its GTIDs (MySQL: gtid_executed, MariaDB: gtid_binlog_pos; the empty set
 * where there are none yet) and its file. `*gtids` is NONE without has_gtid. ERROR_CONFIG: no
 * binary log, or no right to see it (the message names the grant). */
must_check bool my_server_log_end(MYSQL *c, const struct my_server *server, struct position *gtids,
                                  struct my_log_place *place, struct error *err);

/* A place as an integer position: the number in the file's name (31 bits), 32 bits of offset. The
 * part before the number is the server's; false: the name has no number, or one of them is too
 * large. */
must_check bool my_log_place_pack(const struct my_log_place *place, uint64_t *out);

/* The way back. `file_of_server` is any log file of the server, for the part before the number;
 * false: it has no number. */
must_check bool my_log_place_unpack(uint64_t packed, const char *file_of_server,
                                    struct my_log_place *out);

/* "8.4.2", "9.7.4-commercial", "5.5.5-10.11.19-MariaDB-log" as struct my_server has it; 0: not
 * understood. */
uint32_t my_server_version_parse(const char *text);
