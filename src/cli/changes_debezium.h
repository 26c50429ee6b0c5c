/* The changes of a table as Debezium's envelopes: an old image and the new one of the same key that
 * follows it are one update; an old one alone is a delete, a new one alone a create, which is what
 * Debezium makes of an update that changes the key. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/changes_request.h"
#include "format/debezium.h"

struct changes_debezium {
    struct debezium_source source;
    const struct schema *schema; /* borrowed: lake_changes_schema() */
    uint32_t column_count;       /* of the table, the first ones of the schema */
    const uint32_t *key;         /* places of the key's columns; in the request's arena */
    uint32_t key_count;          /* 0: no key is known, nothing is an update */
    int64_t left;                /* how many may still be written */
    bool holds_before;           /* an old image that waits for its new one */
    struct buf before;
    struct buf before_key;
    struct debezium_change waiting; /* its id and time */
};

/* ERROR_CONFIG when a column of the key is not among the chosen ones. */
must_check bool changes_debezium_open(struct changes_debezium *d, const struct changes_request *r,
                                      const struct schema *schema, struct error *err);

/* Appends what is complete after rows first..end-1. False: as many as the user wants have been
 * written. */
bool changes_debezium_rows(struct changes_debezium *d, const struct column *columns, uint32_t first,
                           uint32_t end, struct buf *out);

/* Appends what still waits. */
void changes_debezium_end(struct changes_debezium *d, struct buf *out);
void changes_debezium_release(struct changes_debezium *d);
