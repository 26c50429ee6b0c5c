/* GTID events: MySQL's two (libs/mysql/binlog/event/control_events.h; the tagged one in the format
 * of libs/mysql/serialization/readme.md) and MariaDB's (Gtid_log_event in sql/log_event.h). */
#include <string.h>

#include "source/mysql/event_parts.h"

enum {
    TYPE_GTID = 33,
    LOGICAL_CLOCK = 2, /* type code of two 8-byte numbers, 5.7.5 and newer */
    TAG_SIZE_MAX = 32,
};

/* The highest number is never given. */
static bool number_valid(uint64_t number)
{
    return number >= 1 && number < INT64_MAX;
}

/* 8.0: the commit on the server whose log this is, and before it, on the first one where that is
 * another. The high bit of the seven bytes says that both follow. */
static int64_t read_commit_time(struct reader *r)
{
    const uint64_t both = UINT64_C(1) << 55;
    uint64_t immediate = reader_u56_le(r);
    uint64_t original = immediate & both ? reader_u56_le(r) : immediate;
    return (int64_t)original;
}

bool binlog_read_gtid(struct binlog_reading *g)
{
    struct reader *r = &g->body;
    struct binlog_gtid *out = &g->out->gtid;
    *out = (struct binlog_gtid){.is_anonymous = g->out->header.type != TYPE_GTID};
    (void)reader_u8(r); /* flags: statements may be in it */
    const uint8_t *uuid = reader_bytes(r, sizeof(out->uuid));
    if (uuid) {
        memcpy(out->uuid, uuid, sizeof(out->uuid));
    }
    out->number = reader_u64_le(r);
    r->failed |= out->is_anonymous ? out->number != 0 : !number_valid(out->number);

    if (reader_left(r) > 0 && reader_u8(r) == LOGICAL_CLOCK) {
        (void)reader_bytes(r, 16);
        if (reader_left(r) >= 7) {
            out->commit_time_us = read_commit_time(r);
        }
    }
    (void)reader_bytes(r, reader_left(r)); /* sizes and versions; newer servers append to them */
    return true;
}

/* As many bytes as the first one has low bits set, and one more; the value follows the first zero
 * bit. With eight of them set the value has all eight bytes that follow. */
static uint64_t read_varlen(struct reader *r)
{
    uint8_t first = reader_u8(r);
    unsigned more = (unsigned)__builtin_ctz(~(unsigned)first);
    uint64_t rest = reader_uint_le(r, more);
    if (more >= 7) {
        return rest;
    }
    return (rest << (7 - more)) | (uint64_t)(first >> (more + 1));
}

/* The sign is the lowest bit; negative numbers are stored as -(n + 1). */
static int64_t read_varlen_signed(struct reader *r)
{
    uint64_t v = read_varlen(r);
    return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

/* An array of bytes is an array of numbers. */
static void read_varlen_uuid(struct reader *r, uint8_t *uuid)
{
    for (unsigned i = 0; i < 16; i++) {
        uint64_t v = read_varlen(r);
        r->failed |= v > UINT8_MAX;
        uuid[i] = (uint8_t)v;
    }
}

enum tagged_field {
    FIELD_FLAGS,
    FIELD_UUID,
    FIELD_NUMBER,
    FIELD_TAG,
    FIELD_LAST_COMMITTED,
    FIELD_SEQUENCE,
    FIELD_IMMEDIATE_COMMIT,
    FIELD_ORIGINAL_COMMIT, /* absent: as the immediate one */
    FIELD_TRANSACTION_SIZE,
    FIELD_IMMEDIATE_VERSION,
    FIELD_ORIGINAL_VERSION,
    FIELD_TICKET,
    FIELD_COUNT,
};

static void read_tagged_field(struct reader *r, uint64_t field, struct binlog_gtid *out)
{
    switch (field) {
    case FIELD_UUID:
        read_varlen_uuid(r, out->uuid);
        break;
    case FIELD_NUMBER: {
        int64_t number = read_varlen_signed(r);
        out->number = number < 0 ? 0 : (uint64_t)number;
        break;
    }
    case FIELD_TAG:
        out->tag = reader_str(r, read_varlen(r));
        r->failed |= out->tag.size > TAG_SIZE_MAX;
        break;
    case FIELD_IMMEDIATE_COMMIT:
    case FIELD_ORIGINAL_COMMIT:
        out->commit_time_us = (int64_t)read_varlen(r);
        r->failed |= out->commit_time_us < 0;
        break;
    default: /* numbers that nobody asks for */
        (void)read_varlen(r);
        break;
    }
}

bool binlog_read_gtid_tagged(struct binlog_reading *g)
{
    struct reader *r = &g->body;
    struct binlog_gtid *out = &g->out->gtid;
    *out = (struct binlog_gtid){0};
    uint64_t version = read_varlen(r);
    uint64_t size = read_varlen(r); /* of all, from the version on */
    uint64_t last_needed = read_varlen(r);
    if (!r->failed && (version != 1 || last_needed > FIELD_COUNT)) {
        return error_set(g->err, ERROR_FATAL,
                         "this version does not know all fields of a tagged GTID event");
    }
    r->failed |= size != r->size;

    /* Ascending, some absent; unknown ones are last and have no size. */
    int64_t last = -1;
    while (reader_left(r) > 0) {
        uint64_t field = read_varlen(r);
        if (field >= FIELD_COUNT) {
            (void)reader_bytes(r, reader_left(r));
            break;
        }
        r->failed |= (int64_t)field <= last;
        last = (int64_t)field;
        read_tagged_field(r, field, out);
    }
    r->failed |= !number_valid(out->number);
    return true;
}

enum mariadb_flags {
    MARIADB_STANDALONE = 1,
    MARIADB_GROUP_COMMIT = 2,
    MARIADB_TRANSACTIONAL = 4,
    MARIADB_XA_PREPARED = 64,
    MARIADB_XA_COMPLETED = 128,
};

enum mariadb_extra_flags {
    MARIADB_MULTI_ENGINE = 1,
    MARIADB_ALTER_STARTS = 2,
    MARIADB_ALTER_COMMITS = 4,
    MARIADB_ALTER_ROLLS_BACK = 8,
};

/* Parts that the flags announce. Short events are padded with zero bytes, so that no extra flag is
 * set there; what newer servers append is not read. */
bool binlog_read_gtid_mariadb(struct binlog_reading *g)
{
    struct reader *r = &g->body;
    struct binlog_gtid *out = &g->out->gtid;
    *out = (struct binlog_gtid){.is_mariadb = true, .server = g->out->header.server_id};
    out->number = reader_u64_le(r);
    out->domain = reader_u32_le(r);
    uint8_t flags = reader_u8(r);
    out->is_standalone = flags & MARIADB_STANDALONE;
    out->is_transactional = flags & MARIADB_TRANSACTIONAL;
    out->is_xa = flags & (MARIADB_XA_PREPARED | MARIADB_XA_COMPLETED);
    if (flags & MARIADB_GROUP_COMMIT) {
        (void)reader_u64_le(r);
    }
    if (out->is_xa) {
        (void)reader_u32_le(r);
        size_t size = reader_u8(r);
        size += reader_u8(r);
        (void)reader_bytes(r, size);
    }
    uint8_t extra = reader_left(r) > 0 ? reader_u8(r) : 0;
    out->is_alter_open = extra & (MARIADB_ALTER_STARTS | MARIADB_ALTER_ROLLS_BACK);
    (void)reader_bytes(r, reader_left(r));
    r->failed |= out->number == 0;
    return true;
}
