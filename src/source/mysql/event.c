#include "source/mysql/event.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "source/mysql/event_parts.h"

enum {
    FLAG_IN_USE = 0x01, /* of a format description whose file is still being written */
    FLAG_IGNORABLE = 0x80,

    TYPE_FORMAT = 15,
    TYPE_PAYLOAD = 40,
    TYPE_QUERY_COMPRESSED = 165,

    CHECKSUM_NONE = 0,
    CHECKSUM_CRC32 = 1,
};

static bool read_nothing(struct binlog_reading *g)
{
    (void)reader_bytes(&g->body, reader_left(&g->body));
    return true;
}

static bool read_rotate(struct binlog_reading *g)
{
    struct reader *r = &g->body;
    g->out->rotate.offset = reader_u64_le(r);
    g->out->rotate.file = reader_str(r, reader_left(r));
    r->failed |= g->out->rotate.file.size == 0;
    return true;
}

static bool read_xid(struct binlog_reading *g)
{
    g->out->xid = reader_u64_le(&g->body);
    return true;
}

/* XA COMMIT ... ONE PHASE is written as this event too. */
static bool read_xa_prepare(struct binlog_reading *g)
{
    struct reader *r = &g->body;
    bool is_commit = reader_u8(r) != 0;
    struct binlog_xa xa = {.format = reader_u32_le(r)};
    uint32_t gtrid_size = reader_u32_le(r);
    uint32_t bqual_size = reader_u32_le(r);
    r->failed |= gtrid_size > 64 || bqual_size > 64;
    xa.gtrid = reader_str(r, gtrid_size);
    xa.bqual = reader_str(r, bqual_size);
    if (is_commit) {
        g->out->kind = BINLOG_XID;
        g->out->xid = 0;
    } else {
        g->out->xa = xa;
    }
    return true;
}

enum query_variable {
    QUERY_FLAGS = 0,
    QUERY_SQL_MODE = 1,
    QUERY_CATALOG_OLD = 2,
    QUERY_AUTO_INCREMENT = 3,
    QUERY_CHARSET = 4,
    QUERY_CATALOG = 6,
};

/* Each has a number and a size that only its number tells. Both servers write them by ascending
 * age, so that what we look for comes before what we do not know. */
static void read_query_variables(struct reader r, struct binlog_query *out)
{
    while (reader_left(&r) > 0) {
        switch (reader_u8(&r)) {
        case QUERY_FLAGS:
            (void)reader_u32_le(&r);
            break;
        case QUERY_SQL_MODE:
            out->sql_mode = reader_u64_le(&r);
            break;
        case QUERY_CATALOG_OLD:
            (void)reader_bytes(&r, reader_u8(&r) + 1U);
            break;
        case QUERY_AUTO_INCREMENT:
            (void)reader_u32_le(&r);
            break;
        case QUERY_CATALOG:
            (void)reader_bytes(&r, reader_u8(&r));
            break;
        case QUERY_CHARSET: /* of the client, of the connection, of the server */
            out->collation = reader_u16_le(&r);
            return;
        default:
            return;
        }
    }
}

static bool read_query(struct binlog_reading *g)
{
    struct reader *r = &g->body;
    struct binlog_query *out = &g->out->query;
    *out = (struct binlog_query){0};
    (void)reader_u32_le(r); /* thread */
    (void)reader_u32_le(r); /* seconds it took */
    uint8_t database_size = reader_u8(r);
    out->error = reader_u16_le(r);
    uint16_t variables_size = reader_u16_le(r);
    struct str variables = reader_str(r, variables_size);
    out->database = reader_str(r, database_size);
    r->failed |= reader_u8(r) != 0;
    if (r->failed) {
        return true;
    }
    read_query_variables(reader_from(variables.data, variables.size), out);
    if (g->out->header.type == TYPE_QUERY_COMPRESSED) {
        return binlog_expand(g, &out->text);
    }
    out->text = reader_str(r, reader_left(r));
    return true;
}

/* What stands in front of each event's own data has had these sizes since MySQL 5.6 and in every
 * MariaDB; another one would be read wrongly. 0: the server does not write the event. */
static bool check_sizes(struct str sizes, struct error *err)
{
    static const struct {
        uint8_t type;
        uint8_t size;
    } known[] = {{2, 13},  {4, 8},   {19, 8},   {23, 8},   {24, 8},   {25, 8},
                 {30, 10}, {31, 10}, {32, 10},  {162, 19}, {165, 13}, {166, 8},
                 {167, 8}, {168, 8}, {169, 10}, {170, 10}, {171, 10}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t at = known[i].type - 1U;
        uint8_t size = at < sizes.size ? (uint8_t)sizes.data[at] : 0;
        if (size != 0 && size != known[i].size) {
            return error_set(err, ERROR_FATAL,
                             "the server's binlog events of type %u have a header of %u bytes, and "
                             "this version reads %u",
                             known[i].type, size, known[i].size);
        }
    }
    return true;
}

/* The last byte says how what follows is checked. */
static bool read_format(struct binlog_reading *g)
{
    struct reader *r = &g->body;
    uint16_t version = reader_u16_le(r);
    (void)reader_bytes(r, 50); /* the server's version */
    (void)reader_u32_le(r);    /* when it was started */
    uint8_t header_size = reader_u8(r);
    struct str sizes = reader_str(r, reader_left(r) > 0 ? reader_left(r) - 1 : 0);
    uint8_t checksum = reader_u8(r);
    if (r->failed) {
        return true;
    }
    if (version != 4 || header_size != BINLOG_HEADER_SIZE) {
        return error_set(g->err, ERROR_FATAL,
                         "binlog of version %u with event headers of %u bytes; this version reads "
                         "version 4 with %d",
                         version, header_size, BINLOG_HEADER_SIZE);
    }
    if (checksum > CHECKSUM_CRC32) {
        return error_set(g->err, ERROR_FATAL, "binlog with unknown checksum algorithm %u",
                         checksum);
    }
    g->decoder->has_checksum = checksum == CHECKSUM_CRC32;
    return check_sizes(sizes, g->err);
}

struct event_type {
    const char *name;
    enum binlog_event_kind kind;
    bool (*read)(struct binlog_reading *g);
};

/* Both servers number alike up to 26; MySQL uses 27-159, MariaDB what is above. */
static const struct event_type TYPES[] = {
    [0] = {"Unknown", BINLOG_UNSUPPORTED, read_nothing},
    [1] = {"Start_v3", BINLOG_UNSUPPORTED, read_nothing},
    [2] = {"Query", BINLOG_QUERY, read_query},
    [3] = {"Stop", BINLOG_OTHER, read_nothing},
    [4] = {"Rotate", BINLOG_ROTATE, read_rotate},
    [5] = {"Intvar", BINLOG_OTHER, read_nothing},
    [6] = {"Load", BINLOG_UNSUPPORTED, read_nothing},
    [7] = {"Slave", BINLOG_UNSUPPORTED, read_nothing},
    [8] = {"Create_file", BINLOG_UNSUPPORTED, read_nothing},
    [9] = {"Append_block", BINLOG_UNSUPPORTED, read_nothing},
    [10] = {"Exec_load", BINLOG_UNSUPPORTED, read_nothing},
    [11] = {"Delete_file", BINLOG_UNSUPPORTED, read_nothing},
    [12] = {"New_load", BINLOG_UNSUPPORTED, read_nothing},
    [13] = {"Rand", BINLOG_OTHER, read_nothing},
    [14] = {"User_var", BINLOG_OTHER, read_nothing},
    [15] = {"Format_desc", BINLOG_FORMAT, read_format},
    [16] = {"Xid", BINLOG_XID, read_xid},
    [17] = {"Begin_load_query", BINLOG_UNSUPPORTED, read_nothing},
    [18] = {"Execute_load_query", BINLOG_UNSUPPORTED, read_nothing},
    [19] = {"Table_map", BINLOG_TABLE_MAP, binlog_read_table_map},
    [20] = {"Write_rows_old", BINLOG_UNSUPPORTED, read_nothing},
    [21] = {"Update_rows_old", BINLOG_UNSUPPORTED, read_nothing},
    [22] = {"Delete_rows_old", BINLOG_UNSUPPORTED, read_nothing},
    [23] = {"Write_rows_v1", BINLOG_WRITE_ROWS, binlog_read_rows},
    [24] = {"Update_rows_v1", BINLOG_UPDATE_ROWS, binlog_read_rows},
    [25] = {"Delete_rows_v1", BINLOG_DELETE_ROWS, binlog_read_rows},
    [26] = {"Incident", BINLOG_UNSUPPORTED, read_nothing},
    [27] = {"Heartbeat", BINLOG_HEARTBEAT, read_nothing},
    [28] = {"Ignorable", BINLOG_OTHER, read_nothing},
    [29] = {"Rows_query", BINLOG_OTHER, read_nothing},
    [30] = {"Write_rows", BINLOG_WRITE_ROWS, binlog_read_rows},
    [31] = {"Update_rows", BINLOG_UPDATE_ROWS, binlog_read_rows},
    [32] = {"Delete_rows", BINLOG_DELETE_ROWS, binlog_read_rows},
    [33] = {"Gtid", BINLOG_GTID, binlog_read_gtid},
    [34] = {"Anonymous_gtid", BINLOG_GTID, binlog_read_gtid},
    [35] = {"Previous_gtids", BINLOG_OTHER, read_nothing},
    [36] = {"Transaction_context", BINLOG_OTHER, read_nothing},
    [37] = {"View_change", BINLOG_OTHER, read_nothing},
    [38] = {"Xa_prepare", BINLOG_XA_PREPARE, read_xa_prepare},
    [39] = {"Partial_update_rows", BINLOG_UNSUPPORTED, read_nothing},
    [40] = {"Transaction_payload", BINLOG_PAYLOAD, binlog_read_payload},
    [41] = {"Heartbeat_v2", BINLOG_HEARTBEAT, read_nothing},
    [42] = {"Gtid_tagged", BINLOG_GTID, binlog_read_gtid_tagged},
    [160] = {"Annotate_rows", BINLOG_OTHER, read_nothing},
    [161] = {"Binlog_checkpoint", BINLOG_OTHER, read_nothing},
    [162] = {"Gtid", BINLOG_GTID, binlog_read_gtid_mariadb},
    [163] = {"Gtid_list", BINLOG_OTHER, read_nothing},
    [164] = {"Start_encryption", BINLOG_OTHER, read_nothing}, /* a dump sends plain events */
    [165] = {"Query_compressed", BINLOG_QUERY, read_query},
    [166] = {"Write_rows_compressed_v1", BINLOG_WRITE_ROWS, binlog_read_rows},
    [167] = {"Update_rows_compressed_v1", BINLOG_UPDATE_ROWS, binlog_read_rows},
    [168] = {"Delete_rows_compressed_v1", BINLOG_DELETE_ROWS, binlog_read_rows},
    [169] = {"Write_rows_compressed", BINLOG_WRITE_ROWS, binlog_read_rows},
    [170] = {"Update_rows_compressed", BINLOG_UPDATE_ROWS, binlog_read_rows},
    [171] = {"Delete_rows_compressed", BINLOG_DELETE_ROWS, binlog_read_rows},
    [172] = {"Partial_row_data", BINLOG_UNSUPPORTED, read_nothing},
};

/* A type that no server had when this was written. */
static struct event_type unknown_type(struct binlog_decoder *d, const struct binlog_header *header)
{
    (void)snprintf(d->unknown, sizeof(d->unknown), "event type %u", header->type);
    return (struct event_type){
        .name = d->unknown,
        .kind = header->flags & FLAG_IGNORABLE ? BINLOG_OTHER : BINLOG_UNSUPPORTED,
        .read = read_nothing,
    };
}

static struct event_type type_of(struct binlog_decoder *d, const struct binlog_header *header)
{
    bool known = header->type < sizeof(TYPES) / sizeof(TYPES[0]) && TYPES[header->type].name;
    return known ? TYPES[header->type] : unknown_type(d, header);
}

/* False: these are not the bytes of exactly one event. */
static bool read_header(const void *data, size_t size, struct binlog_header *out, struct error *err)
{
    struct reader r = reader_from(data, size);
    out->timestamp = reader_u32_le(&r);
    out->type = reader_u8(&r);
    out->server_id = reader_u32_le(&r);
    out->size = reader_u32_le(&r);
    out->next = reader_u32_le(&r);
    out->flags = reader_u16_le(&r);
    if (r.failed || out->size != size) {
        return error_set(err, ERROR_FATAL, "malformed binlog event of %zu bytes", size);
    }
    return true;
}

/* `body_size` loses the checksum. */
static bool check_checksum(const uint8_t *data, const struct binlog_header *header, bool is_checked,
                           size_t *body_size, struct error *err)
{
    if (*body_size < BINLOG_CHECKSUM_SIZE) {
        return error_set(err, ERROR_FATAL, "binlog event of %" PRIu32 " bytes is cut off",
                         header->size);
    }
    *body_size -= BINLOG_CHECKSUM_SIZE;
    if (!is_checked) {
        return true;
    }
    size_t covered = header->size - BINLOG_CHECKSUM_SIZE;
    struct reader stored = reader_from(data + covered, BINLOG_CHECKSUM_SIZE);
    uint32_t crc = 0;
    if (header->type == TYPE_FORMAT && header->flags & FLAG_IN_USE) {
        /* The flag is set and cleared in the file without a new checksum. */
        const uint8_t flags[] = {(uint8_t)(header->flags & ~FLAG_IN_USE),
                                 (uint8_t)(header->flags >> 8)};
        crc = hash_crc32(data, BINLOG_HEADER_SIZE - 2);
        crc = hash_crc32_more(crc, flags, 2);
        data += BINLOG_HEADER_SIZE;
        covered -= BINLOG_HEADER_SIZE;
    }
    crc = hash_crc32_more(crc, data, covered);
    uint32_t expected = reader_u32_le(&stored);
    if (crc != expected) {
        return error_set(err, ERROR_FATAL,
                         "binlog event of type %u before offset %" PRIu32 ": checksum %08" PRIx32
                         " instead "
                         "of %08" PRIx32,
                         header->type, header->next, crc, expected);
    }
    return true;
}

/* A format description always has room for a checksum, and what it says of them holds for itself
 * too: servers change it on its way without a new checksum where there shall be none. */
static bool strip_checksum(const struct binlog_decoder *d, const uint8_t *data,
                           const struct binlog_header *header, size_t *body_size, struct error *err)
{
    if (header->type == TYPE_FORMAT) {
        size_t at = header->size - BINLOG_CHECKSUM_SIZE - 1;
        bool is_checked = *body_size > BINLOG_CHECKSUM_SIZE && data[at] == CHECKSUM_CRC32;
        return check_checksum(data, header, is_checked, body_size, err);
    }
    return !d->has_checksum || check_checksum(data, header, true, body_size, err);
}

static bool decode_body(struct binlog_decoder *d, const uint8_t *data, size_t body_size,
                        struct binlog_event *out, struct error *err)
{
    struct event_type type = type_of(d, &out->header);
    out->kind = type.kind;
    out->what = type.name;
    out->body = (struct str){.data = (const char *)data + BINLOG_HEADER_SIZE, .size = body_size};
    struct binlog_reading g = {
        .body = reader_from(out->body.data, body_size), .decoder = d, .out = out, .err = err};
    if (!type.read(&g)) {
        return false;
    }
    if (!reader_ok(&g.body)) {
        return error_set(err, ERROR_FATAL,
                         "malformed binlog event %s of %" PRIu32 " bytes before offset %" PRIu32,
                         out->what, out->header.size, out->header.next);
    }
    return true;
}

bool binlog_decode(struct binlog_decoder *d, const void *data, size_t size,
                   struct binlog_event *out, struct error *err)
{
    *out = (struct binlog_event){0};
    if (!read_header(data, size, &out->header, err)) {
        return false;
    }
    size_t body_size = size - BINLOG_HEADER_SIZE;
    return strip_checksum(d, data, &out->header, &body_size, err) &&
           decode_body(d, data, body_size, out, err);
}

bool binlog_decode_inner(struct binlog_decoder *d, const void *data, size_t size,
                         struct binlog_event *out, struct error *err)
{
    *out = (struct binlog_event){0};
    if (!read_header(data, size, &out->header, err)) {
        return false;
    }
    if (out->header.type == TYPE_FORMAT || out->header.type == TYPE_PAYLOAD) {
        return error_set(err, ERROR_FATAL, "malformed transaction payload: it holds event type %u",
                         out->header.type);
    }
    return decode_body(d, data, size - BINLOG_HEADER_SIZE, out, err);
}

void binlog_decoder_release(struct binlog_decoder *d)
{
    buf_release(&d->expanded);
}
