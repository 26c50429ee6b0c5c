/* Decoder of pgoutput, the server's logical replication plugin, protocol versions 1 and 2 without
 * streaming. Pure: bytes in, messages out, no connection. Source: PostgreSQL documentation,
 * "Logical Replication Message Formats". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/reader.h"
#include "base/str.h"

enum pgoutput_kind {
    PGOUTPUT_BEGIN,
    PGOUTPUT_COMMIT,
    PGOUTPUT_RELATION,
    PGOUTPUT_INSERT,
    PGOUTPUT_UPDATE,
    PGOUTPUT_DELETE,
    PGOUTPUT_TRUNCATE,
    PGOUTPUT_OTHER, /* type, origin, message: checked, and of no use here */
};

/* What follows the tuple's letter in the protocol. */
enum pgoutput_old {
    PGOUTPUT_OLD_NONE,
    PGOUTPUT_OLD_KEY,   /* 'K': the columns of the replica identity, null elsewhere */
    PGOUTPUT_OLD_WHOLE, /* 'O': the whole row, replica identity full */
};

struct pgoutput_value {
    char kind;       /* n: null, u: unchanged TOAST, t: text, b: binary */
    struct str data; /* borrowed from the message */
};

enum { PGOUTPUT_COLUMNS_MAX = 1664 }; /* MaxTupleAttributeNumber */

struct pgoutput_tuple {
    uint32_t count;
    struct pgoutput_value values[PGOUTPUT_COLUMNS_MAX];
};

struct pgoutput_column {
    bool is_key; /* part of the replica identity; set for all columns under replica identity full */
    struct str name; /* borrowed from the message */
    uint32_t type_id;
    int32_t typmod;
};

struct pgoutput_relation {
    struct str schema; /* borrowed; empty stands for pg_catalog */
    struct str table;
    char replica_identity; /* as pg_class.relreplident: d, n, f, i */
    uint32_t column_count;
    struct pgoutput_column columns[PGOUTPUT_COLUMNS_MAX];
};

/* One decoded message: large, so it is made once and used again. Only the parts of its kind are
 * set. */
struct pgoutput_message {
    enum pgoutput_kind kind;
    uint32_t relation_id; /* relation, insert, update, delete */

    uint64_t commit_lsn;    /* begin, commit: where the commit record starts */
    uint64_t end_lsn;       /* commit: where it ends */
    int64_t commit_time_us; /* begin, commit: since 1970 UTC */
    uint32_t transaction;   /* begin */

    enum pgoutput_old old;        /* update, delete */
    struct pgoutput_tuple before; /* update, delete: unless `old` is none */
    struct pgoutput_tuple after;  /* insert, update */
    struct pgoutput_relation relation;

    uint32_t truncate_count;
    struct reader truncate_ids; /* truncate: read `truncate_count` times with reader_u32() */
};

/* Decodes one message (the payload of one CopyData 'w', after its header). ERROR_FATAL: truncated,
 * with something left over, or of an unknown kind. Borrowed parts live as long as `data`. */
must_check bool pgoutput_decode(const void *data, size_t size, struct pgoutput_message *out,
                                struct error *err);
