/* The server's log as it comes over a connection: a thread of its own receives packets into a
 * bounded buffer, so that the server is not held up by decoding nor decoding by the network. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/position.h"
#include "source/mysql/connection.h"
#include "source/mysql/server.h"

struct dump;

struct dump_options {
    struct my_connection_options connection;
    const struct my_server *server;
    uint32_t server_id;    /* ours; 0: not a replica, for reads that end (`until_end`) */
    struct position gtids; /* begins after these; NONE: at `place` */
    struct my_log_place place;
    bool until_end; /* the stream ends where the log ends, instead of waiting */
};

/* Connects and asks for the log. ERROR_LOST: the server has purged what is asked for. */
must_check struct dump *dump_open(const struct dump_options *options, struct error *err);
void dump_free(struct dump **d);

/* The next event, from its header on; borrowed until the next call. size 0: nothing came within
 * `timeout_ms`, or, with `*ended`, the log ends here (`until_end`). ERROR_RETRY: the connection
 * broke; ERROR_LOST: the log was purged. */
must_check bool dump_next(struct dump *d, int timeout_ms, struct str *event, bool *ended,
                          struct error *err);

/* True when an event is there already: the server is ahead of us. */
bool dump_has_more(struct dump *d);

/* True when events of the log carry a checksum. */
bool dump_has_checksum(const struct dump *d);

/* The request of COM_BINLOG_DUMP_GTID (MySQL: rpl_gtid_set.cc, encode()). */
void dump_append_gtids(const struct position *gtids, struct buf *out);
