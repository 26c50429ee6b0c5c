/* From events of the log to events of a change stream: transactions, table maps, rows, statements.
 * Pure: bytes in, events out; what it must ask the server goes through callbacks.
 *
 * Positions. With GTIDs a boundary is the set of transactions that are complete, and a row knows
 * its transaction by number. Without, a boundary is file and offset of the end of a transaction,
 * and a row's position is the byte after its transaction's start: above the boundary before it, not
 * above its own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/event.h"
#include "source/mysql/event.h"
#include "source/mysql/relation.h"
#include "source/mysql/server.h"

struct my_stream;

/* Asks the catalog about a table that the log alters. With `proves_names`: also makes sure that the
 * log, up to where it ends now, alters the table only once after `position`, so that the catalog
 * describes the rows that follow; else ERROR_LOST. */
typedef bool my_stream_lookup_fn(void *arg, const struct my_relation *r,
                                 const struct position *position, bool proves_names,
                                 struct my_relation_facts *out, struct error *err);

struct my_stream_options {
    struct my_relation *relations; /* borrowed; outlive the stream */
    uint32_t relation_count;
    struct my_relation_options relation_options;
    bool is_mariadb;
    bool has_gtid;
    bool has_checksum;
    bool is_loaded; /* the tables were loaded at `position`, in this run */
    bool has_names; /* the server writes column names into the log now (binlog_row_metadata) */
    bool names_lower_case;
    struct position position; /* where the stream starts */
    struct position opened;   /* the end of the log when the catalog was read first */
    my_stream_lookup_fn *lookup;
    void *lookup_arg;
};

struct my_stream *my_stream_new(const struct my_stream_options *options);
void my_stream_free(struct my_stream **s);

/* Applies one event of the log, from its header on. Events of the change stream may have become
 * ready. ERROR_LOST names the table and the way back. */
must_check bool my_stream_apply(struct my_stream *s, const void *event, size_t size,
                                struct error *err);

/* Moves the oldest ready event out; false: there is none. */
bool my_stream_take(struct my_stream *s, struct event *out);

/* True between transactions when rows or a newer position wait to be handed out. */
bool my_stream_can_rest(const struct my_stream *s);

/* Makes everything pending ready and a boundary (EVENT_IDLE) after it; between transactions only.
 */
void my_stream_rest(struct my_stream *s);

/* A statement as UTF-8: it stands in the log as its session wrote it. Lies in the event or in
 * `converted`. What cannot be converted is read as it is; then only names that are not ASCII are
 * not found. */
struct str my_stream_text(const struct binlog_query *q, bool is_mariadb, struct buf *converted);

/* True when a statement of the log alters the table in a way that changes which columns it has;
 * false for all others. For reading ahead. */
bool my_stream_reshapes(const struct ddl *ddl, const struct my_relation *r, bool names_lower_case);
