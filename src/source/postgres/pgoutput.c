#include "source/postgres/pgoutput.h"

#include <inttypes.h>

#include "source/postgres/value_parts.h"

/* Server times count microseconds from 2000-01-01; what overflows was never a time. */
static int64_t read_time(struct reader *r)
{
    int64_t us = (int64_t)reader_u64(r);
    r->failed |= __builtin_add_overflow(us, POSTGRES_EPOCH_US, &us);
    return us;
}

static void read_begin(struct reader *r, struct pgoutput_message *out)
{
    out->commit_lsn = reader_u64(r);
    out->commit_time_us = read_time(r);
    out->transaction = reader_u32(r);
}

static void read_commit(struct reader *r, struct pgoutput_message *out)
{
    (void)reader_u8(r); /* flags: none are defined */
    out->commit_lsn = reader_u64(r);
    out->end_lsn = reader_u64(r);
    out->commit_time_us = read_time(r);
}

static void read_relation(struct reader *r, struct pgoutput_message *out)
{
    out->relation_id = reader_u32(r);
    struct pgoutput_relation *relation = &out->relation;
    relation->schema = reader_cstring(r);
    relation->table = reader_cstring(r);
    relation->replica_identity = (char)reader_u8(r);
    relation->column_count = reader_u16(r);
    if (relation->column_count > PGOUTPUT_COLUMNS_MAX) {
        r->failed = true;
        return;
    }
    for (uint32_t i = 0; i < relation->column_count && !r->failed; i++) {
        struct pgoutput_column *c = &relation->columns[i];
        c->is_key = reader_u8(r) & 1;
        c->name = reader_cstring(r);
        c->type_id = reader_u32(r);
        c->typmod = (int32_t)reader_u32(r);
    }
}

static void read_tuple(struct reader *r, struct pgoutput_tuple *out)
{
    out->count = reader_u16(r);
    if (out->count > PGOUTPUT_COLUMNS_MAX) {
        r->failed = true;
        return;
    }
    for (uint32_t i = 0; i < out->count && !r->failed; i++) {
        struct pgoutput_value *v = &out->values[i];
        *v = (struct pgoutput_value){.kind = (char)reader_u8(r)};
        if (v->kind == 't' || v->kind == 'b') {
            v->data.size = reader_u32(r);
            v->data.data = (const char *)reader_bytes(r, v->data.size);
        } else if (v->kind != 'n' && v->kind != 'u') {
            r->failed = true;
        }
    }
}

static void read_insert(struct reader *r, struct pgoutput_message *out)
{
    out->relation_id = reader_u32(r);
    r->failed |= reader_u8(r) != 'N';
    read_tuple(r, &out->after);
}

/* The letter before an old tuple; false: it is another one. */
static bool read_old(struct reader *r, char letter, struct pgoutput_message *out)
{
    out->old = letter == 'K'   ? PGOUTPUT_OLD_KEY
               : letter == 'O' ? PGOUTPUT_OLD_WHOLE
                               : PGOUTPUT_OLD_NONE;
    if (out->old == PGOUTPUT_OLD_NONE) {
        return false;
    }
    read_tuple(r, &out->before);
    return true;
}

static void read_update(struct reader *r, struct pgoutput_message *out)
{
    out->relation_id = reader_u32(r);
    char letter = (char)reader_u8(r);
    if (read_old(r, letter, out)) {
        letter = (char)reader_u8(r);
    }
    r->failed |= letter != 'N';
    read_tuple(r, &out->after);
}

static void read_delete(struct reader *r, struct pgoutput_message *out)
{
    out->relation_id = reader_u32(r);
    r->failed |= !read_old(r, (char)reader_u8(r), out);
}

static void read_truncate(struct reader *r, struct pgoutput_message *out)
{
    out->truncate_count = reader_u32(r);
    (void)reader_u8(r); /* cascade, restart identity: the list names the tables */
    if (out->truncate_count > reader_left(r) / 4) {
        r->failed = true;
        return;
    }
    size_t size = (size_t)out->truncate_count * 4;
    out->truncate_ids = reader_from(reader_bytes(r, size), size);
}

static void read_other(struct reader *r, char letter)
{
    if (letter == 'Y') {
        (void)reader_u32(r);
        (void)reader_cstring(r);
        (void)reader_cstring(r);
    } else if (letter == 'O') {
        (void)reader_u64(r);
        (void)reader_cstring(r);
    } else { /* M */
        (void)reader_u8(r);
        (void)reader_u64(r);
        (void)reader_cstring(r);
        (void)reader_bytes(r, reader_u32(r));
    }
}

bool pgoutput_decode(const void *data, size_t size, struct pgoutput_message *out, struct error *err)
{
    struct reader r = reader_from(data, size);
    char letter = (char)reader_u8(&r);
    switch (letter) {
    case 'B':
        out->kind = PGOUTPUT_BEGIN;
        read_begin(&r, out);
        break;
    case 'C':
        out->kind = PGOUTPUT_COMMIT;
        read_commit(&r, out);
        break;
    case 'R':
        out->kind = PGOUTPUT_RELATION;
        read_relation(&r, out);
        break;
    case 'I':
        out->kind = PGOUTPUT_INSERT;
        read_insert(&r, out);
        break;
    case 'U':
        out->kind = PGOUTPUT_UPDATE;
        read_update(&r, out);
        break;
    case 'D':
        out->kind = PGOUTPUT_DELETE;
        read_delete(&r, out);
        break;
    case 'T':
        out->kind = PGOUTPUT_TRUNCATE;
        read_truncate(&r, out);
        break;
    case 'Y':
    case 'O':
    case 'M':
        out->kind = PGOUTPUT_OTHER;
        read_other(&r, letter);
        break;
    default:
        return error_set(err, ERROR_FATAL,
                         "unknown replication message, first byte 0x%02x of %zu bytes",
                         (unsigned char)letter, size);
    }
    if (!reader_ok(&r)) {
        return error_set(err, ERROR_FATAL, "malformed replication message '%c' of %zu bytes",
                         letter, size);
    }
    return true;
}
