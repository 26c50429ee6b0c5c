/* A stream of inserts, updates and deletes on sample tables, in transactions over several tables.
 * Which change comes next is a function of the seed and of the keys the tables held at the start.
 * Besides the plain ones there are changes of the key, several changes of one row in a transaction,
 * and keys that come back. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/sample_tables.h"

enum workload_kind { WORKLOAD_INSERT, WORKLOAD_UPDATE, WORKLOAD_KEY_CHANGE, WORKLOAD_DELETE };
enum { WORKLOAD_KIND_COUNT = 4 };

struct workload_change {
    enum workload_kind kind;
    uint32_t table; /* index into the options' tables */
    uint64_t key;
    uint64_t new_key;  /* key change only */
    uint64_t revision; /* counts the changes, from 1 */
    uint32_t columns;  /* update: bit i for each column that changes */
};

struct workload_options {
    struct sample sample;
    const struct sample_table *const *tables; /* borrowed */
    uint32_t table_count;
    const char *schema;      /* borrowed */
    bool is_mysql;           /* statements are for MySQL or MariaDB */
    uint32_t insert_percent; /* both 0: 60 inserts, 30 updates, the rest deletes */
    uint32_t update_percent;
};

struct workload;

struct workload *workload_new(const struct workload_options *options);
void workload_free(struct workload **w);

/* Says that a row is there. Keys of a table come in ascending order, before the first change. */
void workload_add_key(struct workload *w, uint32_t table, uint64_t key);

/* workload_add_key() for all rows of all tables, read from the database. */
must_check bool workload_read_keys(struct workload *w, struct database *db, struct error *err);

/* Decides on the next change and counts it as done. */
void workload_next(struct workload *w, struct workload_change *out);

/* Appends the statement that makes the change, with a semicolon. */
void workload_append_sql(struct workload *w, const struct workload_change *change, struct buf *out);

/* Makes the next `change_count` changes in one transaction. */
must_check bool workload_transaction(struct workload *w, struct database *db, uint64_t change_count,
                                     struct error *err);

/* Sets the sequences behind the keys in use, for those who insert afterwards. */
must_check bool workload_set_sequences(struct workload *w, struct database *db, struct error *err);

/* Changes so far, by enum workload_kind. */
const uint64_t *workload_counts(const struct workload *w);
