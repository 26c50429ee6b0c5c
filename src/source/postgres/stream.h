/* From replication messages to events: rows into batches, batches and boundaries into the order in
 * which they are handed out. Pure: bytes in, events out, no connection.
 *
 * Positions. A transaction's commit record starts at one LSN and ends at another; only its start is
 * known when its rows arrive. A row's position is the byte after that start: less than the end of
 * its own record, which is where boundaries stand, and greater than the end of every earlier one,
 * which may be the very start of its own. So a table that stands at a boundary covers exactly the
 * rows before it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "model/event.h"
#include "source/postgres/pgoutput.h"
#include "source/postgres/relation.h"

struct stream;

/* Asks the catalog about a table that the server describes (`message` is of kind relation). */
typedef bool stream_lookup_fn(void *arg, const struct pgoutput_message *message,
                              struct relation_facts *out, struct error *err);

struct stream_options {
    struct relation *relations; /* borrowed; outlive the stream */
    uint32_t relation_count;
    struct relation_options relation_options;
    bool is_binary; /* values come in binary form: a column that needs text cannot be read */
    stream_lookup_fn *lookup;
    void *lookup_arg;
    uint64_t position; /* where the stream starts */
};

struct stream *stream_new(const struct stream_options *options);
void stream_free(struct stream **s);

/* Applies one message. Events may have become ready. */
must_check bool stream_apply(struct stream *s, const void *message, size_t size, struct error *err);

/* The server has nothing more to send up to `end_lsn`: between transactions this is a place to
 * stand. */
void stream_keepalive(struct stream *s, uint64_t end_lsn);

/* Moves the oldest ready event out; false: there is none. */
bool stream_take(struct stream *s, struct event *out);

/* True between transactions when rows or a newer position wait to be handed out. */
bool stream_can_rest(const struct stream *s);

/* Makes everything pending ready and a boundary (EVENT_IDLE) after it; between transactions only.
 */
void stream_rest(struct stream *s);
