/* The replication connection while it streams: messages in, status updates out. Source: PostgreSQL
 * documentation, "Streaming Replication Protocol".
 *
 * The server keeps everything after the flush position of the last status update: only what was
 * acknowledged is ever sent there. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct replication {
    PGconn *connection; /* owned */
    bool is_streaming;
    bool skipped_publication; /* the server warned that it leaves changes out */
    uint64_t received;        /* newest LSN seen */
    uint64_t acknowledged;    /* never goes back */
    uint64_t sent;            /* the acknowledged one of the last status update */
    int64_t sent_ms;          /* when that was; 0: never */
    bool reply_requested;
    bool had_data; /* since the last wait: the server is likely to send on */
    char *message; /* libpq's buffer of the last received message */
};

struct replication_start {
    const char *slot;
    const char *publication;
    uint64_t position;     /* first LSN that is still wanted */
    uint64_t acknowledged; /* what the slot has as confirmed: a lower one would move it back */
    bool is_binary;
};

must_check bool replication_start(struct replication *r, const struct replication_start *start,
                                  struct error *err);

enum replication_received {
    RECEIVED_NOTHING,   /* right now */
    RECEIVED_DATA,      /* a message of the output plugin */
    RECEIVED_KEEPALIVE, /* the server has sent everything up to `end_lsn` */
};

struct replication_message {
    enum replication_received kind;
    const void *data; /* borrowed until the next call */
    size_t size;
    uint64_t end_lsn;
};

/* The next message that is there, without waiting. ERROR_RETRY: the connection ended. */
must_check bool replication_receive(struct replication *r, struct replication_message *out,
                                    struct error *err);

/* Waits until there may be something to receive, for at most `timeout_ms`. */
must_check bool replication_wait(struct replication *r, int timeout_ms, struct error *err);

void replication_acknowledge(struct replication *r, uint64_t lsn);

/* Sends a status update when one is due: at once when asked for, each second while the acknowledged
 * position moves, every ten seconds anyway. */
must_check bool replication_report(struct replication *r, struct error *err);

/* Milliseconds until replication_report() has something to do. */
int replication_report_due_ms(const struct replication *r);

/* Tells the server what was acknowledged last, if it can still be told, and closes. */
void replication_close(struct replication *r);
