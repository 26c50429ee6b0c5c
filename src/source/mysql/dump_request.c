/* How the log is asked for: COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID, and the session variables that
 * stand for options (rpl_source.cc; MariaDB: sql_repl.cc). */
#include <string.h>

#include "source/mysql/dump_parts.h"

enum {
    COMMAND_BINLOG_DUMP = 18,
    COMMAND_BINLOG_DUMP_GTID = 30,
    FLAG_NON_BLOCK = 1,
    FLAG_THROUGH_GTID = 4,
    HEADER_SIZE = 4, /* of a log file: its magic */
};

static void append_le(struct buf *out, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        buf_append_char(out, (char)(v >> (8 * i)));
    }
}

static bool same_source(const struct position_interval *a, const struct position_interval *b)
{
    return a->source == b->source;
}

/* One source's intervals are written behind their count, which is known at the end. */
struct encoder {
    struct buf *out;
    struct position_interval last;
    size_t count_at;
    uint64_t intervals;
    uint64_t sources;
    bool has_tags;
};

static void end_source(struct encoder *e)
{
    for (unsigned i = 0; i < 8 && e->sources > 0; i++) {
        e->out->data[e->count_at + i] = (char)(e->intervals >> (8 * i));
    }
}

static bool count_source(void *arg, const struct position_interval *i)
{
    struct encoder *e = arg;
    e->sources += e->sources == 0 || !same_source(&e->last, i);
    e->has_tags |= position_source_parts(i->source).tag[0] != '\0';
    e->last = *i;
    return true;
}

static bool encode_interval(void *arg, const struct position_interval *i)
{
    struct encoder *e = arg;
    if (e->sources == 0 || !same_source(&e->last, i)) {
        end_source(e);
        struct position_source_parts parts = position_source_parts(i->source);
        buf_append(e->out, parts.uuid, sizeof(parts.uuid));
        if (e->has_tags) { /* a variable-length integer of the serialization library, in one byte */
            append_le(e->out, strlen(parts.tag) << 1, 1);
            buf_append_text(e->out, parts.tag);
        }
        e->count_at = e->out->size;
        append_le(e->out, 0, 8);
        e->intervals = 0;
        e->sources++;
    }
    append_le(e->out, i->first, 8);
    append_le(e->out, i->last + 1, 8);
    e->intervals++;
    e->last = *i;
    return true;
}

void dump_append_gtids(const struct position *gtids, struct buf *out)
{
    struct encoder counter = {0};
    (void)position_each(gtids, count_source, &counter);
    append_le(out,
              counter.has_tags ? ((uint64_t)1 << 56) | (counter.sources << 8) | 1 : counter.sources,
              8);
    struct encoder e = {.out = out, .has_tags = counter.has_tags};
    (void)position_each(gtids, encode_interval, &e);
    end_source(&e);
}

static void append_by_place(const struct dump_options *o, struct buf *out)
{
    append_le(out, o->place.offset ? o->place.offset : HEADER_SIZE, 4);
    append_le(out, o->until_end ? FLAG_NON_BLOCK : 0, 2);
    append_le(out, o->server_id, 4);
    buf_append_text(out, o->place.file);
}

static void append_by_gtids(const struct dump_options *o, struct buf *out)
{
    owned(buf_release) struct buf set = {0};
    dump_append_gtids(&o->gtids, &set);
    append_le(out, (uint64_t)FLAG_THROUGH_GTID | (o->until_end ? FLAG_NON_BLOCK : 0), 2);
    append_le(out, o->server_id, 4);
    append_le(out, 0, 4); /* no file name */
    append_le(out, HEADER_SIZE, 8);
    append_le(out, set.size, 4);
    buf_append(out, set.data, set.size);
}

/* MySQL takes both names of its variables, old servers only the first. A heartbeat tells an idle
 * log from a dead server. */
static bool set_session(MYSQL *c, const struct dump_options *o, struct error *err)
{
    static const char common[] = "SET @master_binlog_checksum = @@global.binlog_checksum, "
                                 "@source_binlog_checksum = @@global.binlog_checksum, "
                                 "@master_heartbeat_period = 1000000000, "
                                 "@source_heartbeat_period = 1000000000";
    if (!my_connection_execute(c, common, err) ||
        !my_connection_execute(c, "SET SESSION net_write_timeout = 86400", err)) {
        return false;
    }
    if (!o->server->is_mariadb) {
        return true;
    }
    if (!my_connection_execute(c, "SET @mariadb_slave_capability = 4", err)) {
        return false;
    }
    if (o->gtids.kind != POSITION_SET) {
        return true;
    }
    owned(buf_release) struct buf state = {0};
    owned(buf_release) struct buf sql = {0};
    if (!position_equal(o->gtids, position_empty_set())) {
        position_format(o->gtids, &state);
    }
    buf_append_text(&sql, "SET @slave_connect_state = ");
    my_append_literal(&sql, buf_text(&state));
    buf_append_text(&sql, ", @slave_gtid_strict_mode = 1, @slave_gtid_ignore_duplicates = 0");
    return my_connection_execute(c, buf_text(&sql), err);
}

bool dump_request(MYSQL *c, const struct dump_options *o, struct error *err)
{
    if (!set_session(c, o, err)) {
        return false;
    }
    owned(buf_release) struct buf request = {0};
    bool by_gtids = o->gtids.kind == POSITION_SET && !o->server->is_mariadb;
    if (by_gtids) {
        append_by_gtids(o, &request);
    } else {
        append_by_place(o, &request);
    }
    int command = by_gtids ? COMMAND_BINLOG_DUMP_GTID : COMMAND_BINLOG_DUMP;
    return c->methods->db_command(c, (enum enum_server_command)command, request.data, request.size,
                                  1, NULL) == 0 ||
           my_connection_error(c, err);
}
