#include "source/mysql/ahead.h"

#include <string.h>

#include "source/mysql/ddl.h"
#include "source/mysql/event.h"
#include "source/mysql/stream.h"

enum { WAIT_MS = 60000 };

struct scan {
    const struct ahead_options *options;
    uint32_t *counts;
    struct binlog_decoder decoder;
    bool is_alter_open; /* the statement that follows only begins an ALTER */
};

static void count_statement(struct scan *s, const struct binlog_query *q)
{
    owned(arena_release) struct arena arena = {0};
    struct ddl ddl = {0};
    owned(buf_release) struct buf converted = {0};
    ddl_read(my_stream_text(q, s->decoder.is_mariadb, &converted), q->database, &arena, &ddl);
    for (uint32_t i = 0; i < s->options->relation_count; i++) {
        s->counts[i] += my_stream_reshapes(&ddl, &s->options->relations[i],
                                           s->options->dump.server->names_lower_case);
    }
}

/* Statements inside of a compressed transaction are BEGIN and COMMIT, and of MariaDB's CREATE TABLE
 * ... SELECT: none that alters. */
static bool look(struct scan *s, struct str bytes, struct error *err)
{
    struct binlog_event event;
    if (!binlog_decode(&s->decoder, bytes.data, bytes.size, &event, err)) {
        return false;
    }
    if (event.kind == BINLOG_GTID) {
        s->is_alter_open = event.gtid.is_alter_open;
    } else if (event.kind == BINLOG_QUERY && !s->is_alter_open) {
        count_statement(s, &event.query);
    }
    return true;
}

bool ahead_count(const struct ahead_options *options, uint32_t *counts, struct error *err)
{
    struct dump_options dump_options = options->dump;
    dump_options.server_id = 0;
    dump_options.until_end = true;
    owned(dump_free) struct dump *d = dump_open(&dump_options, err);
    if (!d) {
        return false;
    }
    memset(counts, 0, options->relation_count * sizeof(*counts));
    struct scan s = {
        .options = options,
        .counts = counts,
        .decoder = {.is_mariadb = options->dump.server->is_mariadb,
                    .has_checksum = dump_has_checksum(d)},
    };
    struct str event = {0};
    bool ended = false;
    bool done = true;
    while (done && !ended) {
        done = dump_next(d, WAIT_MS, &event, &ended, err);
        if (done && event.size > 0) {
            done = look(&s, event, err);
        }
    }
    binlog_decoder_release(&s.decoder);
    return done || error_wrap(err, "reading the log ahead");
}
