/* Binlog events as both servers write them (MySQL: binlog_event.h, rows_event.h, control_events.h;
 * MariaDB: log_event.h). Bounded decoding of bytes, no connection. What is decoded borrows from the
 * bytes unless it says otherwise. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/reader.h"
#include "base/str.h"

enum binlog_event_kind {
    BINLOG_OTHER,  /* may be skipped: heartbeat, previous GTIDs, annotate, rows query, stop ... */
    BINLOG_FORMAT, /* format description: the checksum of what follows */
    BINLOG_ROTATE, /* what follows is of another file */
    BINLOG_GTID,   /* a transaction begins */
    BINLOG_QUERY,  /* a statement: BEGIN, COMMIT, DDL */
    BINLOG_XID,    /* the transaction is committed */
    BINLOG_XA_PREPARE, /* a transaction ends without being committed: `xa` names it */
    BINLOG_TABLE_MAP,
    BINLOG_WRITE_ROWS,
    BINLOG_UPDATE_ROWS,
    BINLOG_DELETE_ROWS,
    BINLOG_PAYLOAD,     /* a compressed transaction: events inside */
    BINLOG_HEARTBEAT,   /* nothing new; `next` of the header is where the server is */
    BINLOG_UNSUPPORTED, /* holds changes that we cannot read: `what` names it */
};

struct binlog_header {
    uint32_t timestamp; /* seconds since 1970: when the statement began */
    uint8_t type;       /* the server's number */
    uint32_t server_id;
    uint32_t size;
    uint32_t next;  /* offset of the next event in the file; 0: artificial, or inside a payload */
    uint16_t flags; /* 0x20: artificial; 0x80: may be ignored when unknown */
};

/* MySQL numbers transactions of a UUID (and tag), MariaDB of a domain and a server. */
struct binlog_gtid {
    bool is_mariadb;
    bool is_anonymous; /* MySQL with gtid_mode OFF: no number */
    uint8_t uuid[16];
    struct str tag; /* MySQL 8.3 and newer; size 0: none */
    uint32_t domain;
    uint32_t server;
    uint64_t number;
    bool is_standalone;     /* MariaDB: a single event follows, without COMMIT (DDL) */
    bool is_transactional;  /* MariaDB: may be rolled back */
    bool is_xa;             /* MariaDB: prepares or completes an XA transaction */
    bool is_alter_open;     /* MariaDB: the ALTER that follows only starts, or was given up: the
                               statement takes no effect here, its completion has another number */
    int64_t commit_time_us; /* MySQL 8: original commit; 0: the header's timestamp has to do */
};

/* The name of an XA transaction: XA COMMIT X'gtrid',X'bqual',format completes it. */
struct binlog_xa {
    uint32_t format;
    struct str gtrid;
    struct str bqual;
};

struct binlog_query {
    struct str database;
    struct str text; /* in the bytes, or in `expanded` of the decoder */
    uint16_t error;  /* the statement failed with it */
    uint64_t
        sql_mode; /* the session's; 4: "..." quotes names (ANSI_QUOTES); 0: none, or not sent */
    uint16_t collation; /* of the text; 0: not sent */
};

struct binlog_rows {
    uint64_t table_id;
    uint16_t flags; /* 1: end of the statement */
    uint32_t column_count;
    const uint8_t
        *present; /* bit per column: it is in the (before) image; delete, insert: only this */
    const uint8_t *present_after; /* updates: it is in the after image; else NULL */
    struct str rows; /* the images, one after another; in `expanded` where it was compressed */
};

struct binlog_event {
    struct binlog_header header;
    enum binlog_event_kind kind;
    const char *what; /* name of the event type, for messages: "Partial_update_rows" */
    struct str body;  /* after the header, without checksum */
    union {
        struct {
            struct str file;
            uint64_t offset;
        } rotate;
        struct binlog_gtid gtid;
        struct binlog_query query;
        uint64_t xid; /* 0: XA COMMIT ... ONE PHASE */
        struct binlog_xa xa;
        struct {
            uint64_t table_id;
            struct str database;
            struct str table;
            struct str bytes; /* for table_map_decode(); equal bytes are an equal map */
        } table_map;
        struct binlog_rows rows;
        struct {
            uint32_t compression; /* 0: zstd, 255: none */
            uint64_t size;        /* uncompressed, as it claims */
            struct str compressed;
        } payload;
    };
};

/* What stays from event to event. */
struct binlog_decoder {
    bool is_mariadb;
    bool has_checksum;   /* CRC-32 behind each event; until the first format description: as the
                            session asked */
    struct buf expanded; /* of a MariaDB compressed event; lives until the next one */
    char unknown[24];    /* `what` of an event type without a name; lives until the next one */
};
void binlog_decoder_release(struct binlog_decoder *d);

/* Decodes one event: `data` begins with its header (19 bytes) and holds nothing else. Format
 * descriptions change the decoder. ERROR_FATAL: malformed, or the checksum does not match;
 * ERROR_DATA: an expanded size above the bound (1 GiB). */
must_check bool binlog_decode(struct binlog_decoder *d, const void *data, size_t size,
                              struct binlog_event *out, struct error *err);

/* The events of a payload, decompressed piece by piece (zstd): call until `*more` is false. Inner
 * events have no checksum; each borrows from the reader until the next call. One reader serves any
 * number of payloads, one after another; the payload's bytes stay while it is read. ERROR_FATAL:
 * malformed; ERROR_DATA: an inner event above 1 GiB. */
struct binlog_payload;
struct binlog_payload *binlog_payload_new(void);
void binlog_payload_free(struct binlog_payload **p);
must_check bool binlog_payload_begin(struct binlog_payload *p, const struct binlog_event *payload,
                                     struct error *err);
must_check bool binlog_payload_next(struct binlog_payload *p, struct binlog_decoder *d,
                                    struct binlog_event *out, bool *more, struct error *err);
