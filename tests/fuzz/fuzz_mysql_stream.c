/* A log file as a stream of a few tables: of MySQL with GTIDs and without, and of MariaDB. Whatever
 * it holds, batches are well formed, and boundaries come between transactions and only go forward.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/reader.h"
#include "source/mysql/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COLUMN(column, kind, full, set, ...)                                                 \
    {                                                                                        \
        .name = (column), .data_type = (kind), .type = (full), .charset = (set), __VA_ARGS__ \
    }
#define KEY(column) COLUMN(column, "int", "int(11)", NULL, .is_key = true)
#define INT(column) COLUMN(column, "int", "int(11)", NULL, .nullable = true, .has_default = true)
#define TEXT(column) \
    COLUMN(column, "text", "text", "utf8mb4", .nullable = true, .has_default = true)
#define VARCHAR(column) \
    COLUMN(column, "varchar", "varchar(50)", "utf8mb4", .nullable = true, .length = 50)

static const char *const labels[] = {"a", "b", "c"};

static struct my_catalog_column customers[] = {KEY("id"), VARCHAR("name"), VARCHAR("city")};
static struct my_catalog_column parts[] = {KEY("id"), KEY("k"), TEXT("v")};
static struct my_catalog_column three[] = {KEY("id"), INT("a"), TEXT("b")};
static struct my_catalog_column images[] = {
    KEY("id"),
    COLUMN("a", "int", "int(10) unsigned", NULL, .nullable = true, .is_unsigned = true),
    COLUMN("b", "varchar", "varchar(20)", "latin1", .nullable = true, .length = 20),
    TEXT("c"),
    COLUMN("d", "int", "int(11)", NULL, .has_default = true, .default_text = "3"),
};
static struct my_catalog_column many[] = {
    KEY("id"),
    COLUMN("n", "decimal", "decimal(20,4)", NULL, .precision = 20, .scale = 4),
    COLUMN("t", "datetime", "datetime(3)", NULL, .fraction = 3),
    COLUMN("e", "enum", "enum('a','b','c')", "utf8mb4", .labels = labels, .label_count = 3),
    COLUMN("j", "json", "json", NULL, .nullable = true, .is_json = true),
    COLUMN("x", "varbinary", "varbinary(20)", NULL, .nullable = true, .length = 20),
};

#define TABLE(database, name_, list, keys)                                    \
    {                                                                         \
        .name = {.schema = (database), .table = (name_)}, .engine = "InnoDB", \
        .is_transactional = true, .columns = (list),                          \
        .column_count = sizeof(list) / sizeof((list)[0]), .key_count = (keys) \
    }

static const struct my_catalog_table tables[] = {
    TABLE("shop", "customers", customers, 1),
    TABLE("shop", "parts", parts, 2),
    TABLE("images", "t", images, 1),
    TABLE("compressed", "t", three, 1),
    TABLE("tagged", "t", three, 1),
    TABLE("unchecked", "t", three, 1),
    TABLE("anonymous", "t", three, 1),
    TABLE("altered", "t", three, 1),
    TABLE("xa", "t", three, 1),
    TABLE("shop", "many", many, 1),
};
enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

static bool lookup(void *arg, const struct my_relation *r, const struct position *position,
                   bool proves_names, struct my_relation_facts *out, struct error *err)
{
    (void)arg;
    (void)position;
    (void)proves_names;
    (void)err;
    out->now = tables[r->table];
    return true;
}

struct run {
    struct my_stream *stream;
    struct position newest;
    bool has_newest;
};

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void take_events(struct run *r)
{
    struct event e = {0};
    struct error err = {0};
    while (my_stream_take(r->stream, &e)) {
        if (e.kind == EVENT_BATCH) {
            check(batch_check(e.batch, &err) && e.table < TABLES && e.batch->row_count > 0);
        } else if (e.kind == EVENT_IDLE) {
            check(!r->has_newest || e.position.kind == POSITION_INTEGER ||
                  position_covers(e.position, r->newest));
            r->newest = e.position;
            r->has_newest = true;
        }
        event_release(&e);
    }
}

/* The last four bytes of an event are its checksum. */
static void repair(uint8_t *event, size_t size, bool has_checksum)
{
    bool is_format = size > 24 && event[4] == 15;
    if (size < 23 || (!is_format && !has_checksum)) {
        return;
    }
    if (is_format) {
        event[17] &= 0xFE;
    }
    uLong crc = crc32(0, event, (uInt)(size - 4));
    for (int i = 0; i < 4; i++) {
        event[size - 4 + (size_t)i] = (uint8_t)(crc >> (8 * i));
    }
}

/* False: the stream ended with an error. */
static bool apply(struct run *r, uint8_t *event, size_t size, bool has_checksum)
{
    struct error err = {0};
    repair(event, size, has_checksum);
    if (!my_stream_apply(r->stream, event, size, &err)) {
        check(err.kind == ERROR_FATAL || err.kind == ERROR_DATA || err.kind == ERROR_LOST ||
              err.kind == ERROR_CONFIG);
        return false;
    }
    if (my_stream_can_rest(r->stream)) {
        my_stream_rest(r->stream);
    }
    take_events(r);
    return true;
}

static void apply_file(struct run *r, const uint8_t *data, size_t size, bool has_checksum)
{
    struct reader in = reader_from(data, size);
    (void)reader_u32(&in); /* the mark of a log file */
    bool more = true;
    while (more && reader_left(&in) >= 19) {
        struct reader header = in;
        (void)reader_bytes(&header, 9);
        size_t event_size = reader_u32_le(&header);
        if (event_size > reader_left(&in) || event_size == 0) {
            event_size = reader_left(&in);
        }
        /* An exact copy on the heap, so that the sanitizer sees a read past the end. */
        uint8_t *copy = malloc(event_size);
        check(copy != NULL);
        memcpy(copy, reader_bytes(&in, event_size), event_size);
        more = apply(r, copy, event_size, has_checksum);
        free(copy);
    }
}

static void run_file(const uint8_t *data, size_t size, bool is_mariadb, bool has_gtid,
                     bool has_checksum)
{
    static const struct config_strings no_text = {0};
    static struct my_relation relations[TABLES];
    struct position start =
        has_gtid ? position_empty_set() : position_integer((UINT64_C(1) << 32) + 4);
    struct my_stream_options options = {
        .relations = relations,
        .relation_count = TABLES,
        .relation_options = {.as_text = &no_text, .is_mariadb = is_mariadb, .pipeline = "p"},
        .is_mariadb = is_mariadb,
        .has_gtid = has_gtid,
        .has_checksum = has_checksum,
        .has_names = has_checksum,
        .position = start,
        .opened = start,
        .lookup = lookup,
    };
    struct error err = {0};
    for (uint32_t i = 0; i < TABLES; i++) {
        check(my_relation_init(&relations[i], &tables[i], i, &options.relation_options, &err));
    }
    struct run r = {.stream = my_stream_new(&options)};
    apply_file(&r, data, size, has_checksum);
    my_stream_free(&r.stream);
    for (uint32_t i = 0; i < TABLES; i++) {
        my_relation_release(&relations[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run_file(data, size, false, true, true);
    run_file(data, size, false, false, true);
    run_file(data, size, true, true, true);
    run_file(data, size, true, true, false);
    return 0;
}
