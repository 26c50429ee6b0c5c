/* What the files of the stream share. Nobody else includes this. */
#pragma once

#include "base/map.h"
#include "source/collector.h"
#include "source/mysql/stream.h"

/* A group of events that is applied as one: a transaction, or a statement of its own. */
struct group {
    bool is_open;
    bool has_begun; /* it ends with a COMMIT or an Xid, not with its first statement */
    bool has_rows;  /* of captured tables */
    bool is_xa;
    struct binlog_gtid gtid;
    const struct position_source *source; /* NULL: without GTID */
    uint64_t start;                       /* of its first event, as an integer position */
};

struct my_stream {
    struct my_stream_options options;
    struct collector *collector;
    struct binlog_decoder decoder;
    struct binlog_payload *payload;
    struct binlog_event event;
    struct map by_name; /* "database.table" -> struct my_relation */
    struct map by_id;   /* table id -> struct my_relation or `ignored`, within a group */
    char ignored;       /* stands for tables that are not captured */

    struct group group;
    struct map prepared;      /* XA transactions without rows of ours, by name -> anything */
    uint64_t file;            /* number of the file that is read, 32 bits up; 0: not known yet */
    uint64_t offset;          /* end of the newest event */
    struct position position; /* newest place between transactions */
    bool has_moved;           /* since the newest boundary was handed out */
};

/* The captured table of that name, or NULL. */
struct my_relation *my_stream_find(const struct my_stream *s, struct str database,
                                   struct str table);

/* The group that is open is complete. */
must_check bool my_stream_end_group(struct my_stream *s, struct error *err);

/* Applies the event, which prepares an XA transaction. */
must_check bool my_stream_xa_prepare(struct my_stream *s, struct error *err);

/* Applies the event, a query. */
must_check bool my_stream_query(struct my_stream *s, struct error *err);

/* ERROR_LOST for changes of captured tables within `what` ("an XA transaction"). Returns false. */
bool my_stream_refuse_rows(const struct my_stream *s, const char *what, struct error *err);

/* ERROR_FATAL for a log that does not make sense. Returns false. */
bool my_stream_fail(const char *what, struct error *err);

/* Appends the name by which tables are looked up. */
void my_stream_append_name(struct buf *out, struct str database, struct str table, bool lower);
