/* A table with a partition field of every type, as the metadata would say it. */
#pragma once

#include <stdlib.h>

#include "iceberg/manifest.h"

enum { FIXTURE_SPEC_ID = 5, FIXTURE_SCHEMA_ID = 3, FIXTURE_FIELDS = 18 };

static const char fixture_json[] =
    "{\"format-version\":2,\"current-schema-id\":3,\"schemas\":["
    "{\"type\":\"struct\",\"schema-id\":2,\"fields\":[]},"
    "{\"type\":\"struct\",\"schema-id\":3,\"fields\":["
    "{\"id\":1,\"name\":\"flag\",\"required\":false,\"type\":\"boolean\"},"
    "{\"id\":2,\"name\":\"small\",\"required\":false,\"type\":\"int\"},"
    "{\"id\":3,\"name\":\"large\",\"required\":true,\"type\":\"long\"},"
    "{\"id\":4,\"name\":\"single\",\"required\":false,\"type\":\"float\"},"
    "{\"id\":5,\"name\":\"double\",\"required\":false,\"type\":\"double\"},"
    "{\"id\":6,\"name\":\"price\",\"required\":false,\"type\":\"decimal(9, 2)\"},"
    "{\"id\":7,\"name\":\"huge\",\"required\":false,\"type\":\"decimal(38, 10)\"},"
    "{\"id\":8,\"name\":\"text\",\"required\":false,\"type\":\"string\"},"
    "{\"id\":9,\"name\":\"blob\",\"required\":false,\"type\":\"binary\"},"
    "{\"id\":10,\"name\":\"day\",\"required\":false,\"type\":\"date\"},"
    "{\"id\":11,\"name\":\"clock\",\"required\":false,\"type\":\"time\"},"
    "{\"id\":12,\"name\":\"wall\",\"required\":false,\"type\":\"timestamp\"},"
    "{\"id\":13,\"name\":\"instant\",\"required\":false,\"type\":\"timestamptz\"},"
    "{\"id\":14,\"name\":\"name\",\"required\":false,\"type\":\"uuid\"},"
    "{\"id\":15,\"name\":\"four\",\"required\":false,\"type\":\"fixed[4]\"}]}],"
    "\"partition-specs\":[{\"spec-id\":0,\"fields\":[]},{\"spec-id\":5,\"fields\":["
    "{\"source-id\":1,\"field-id\":1000,\"name\":\"flag\",\"transform\":\"identity\"},"
    "{\"source-id\":2,\"field-id\":1001,\"name\":\"small\",\"transform\":\"identity\"},"
    "{\"source-id\":3,\"field-id\":1002,\"name\":\"large\",\"transform\":\"identity\"},"
    "{\"source-id\":4,\"field-id\":1003,\"name\":\"single\",\"transform\":\"identity\"},"
    "{\"source-id\":5,\"field-id\":1004,\"name\":\"double\",\"transform\":\"identity\"},"
    "{\"source-id\":6,\"field-id\":1005,\"name\":\"price\",\"transform\":\"identity\"},"
    "{\"source-id\":7,\"field-id\":1006,\"name\":\"huge\",\"transform\":\"identity\"},"
    "{\"source-id\":8,\"field-id\":1007,\"name\":\"text\",\"transform\":\"identity\"},"
    "{\"source-id\":9,\"field-id\":1008,\"name\":\"blob\",\"transform\":\"identity\"},"
    "{\"source-id\":10,\"field-id\":1009,\"name\":\"day\",\"transform\":\"identity\"},"
    "{\"source-id\":11,\"field-id\":1010,\"name\":\"clock\",\"transform\":\"identity\"},"
    "{\"source-id\":12,\"field-id\":1011,\"name\":\"wall\",\"transform\":\"identity\"},"
    "{\"source-id\":13,\"field-id\":1012,\"name\":\"instant\",\"transform\":\"identity\"},"
    "{\"source-id\":14,\"field-id\":1013,\"name\":\"name\",\"transform\":\"identity\"},"
    "{\"source-id\":15,\"field-id\":1014,\"name\":\"four\",\"transform\":\"identity\"},"
    "{\"source-id\":8,\"field-id\":1015,\"name\":\"text bucket\",\"transform\":\"bucket[16]\"},"
    "{\"source-id\":13,\"field-id\":1016,\"name\":\"instant_day\",\"transform\":\"day\"},"
    "{\"source-id\":6,\"field-id\":1017,\"name\":\"1st-\xc3\xa9\",\"transform\":\"truncate[100]\"}"
    "]}]}";

static const struct iceberg_spec_field fixture_fields[FIXTURE_FIELDS] = {
    {1, 1000, "flag", {LAKE_IDENTITY, 0}, {TYPE_BOOL, 0, 0}},
    {2, 1001, "small", {LAKE_IDENTITY, 0}, {TYPE_INT32, 0, 0}},
    {3, 1002, "large", {LAKE_IDENTITY, 0}, {TYPE_INT64, 0, 0}},
    {4, 1003, "single", {LAKE_IDENTITY, 0}, {TYPE_FLOAT32, 0, 0}},
    {5, 1004, "double", {LAKE_IDENTITY, 0}, {TYPE_FLOAT64, 0, 0}},
    {6, 1005, "price", {LAKE_IDENTITY, 0}, {TYPE_DECIMAL, 9, 2}},
    {7, 1006, "huge", {LAKE_IDENTITY, 0}, {TYPE_DECIMAL, 38, 10}},
    {8, 1007, "text", {LAKE_IDENTITY, 0}, {TYPE_STRING, 0, 0}},
    {9, 1008, "blob", {LAKE_IDENTITY, 0}, {TYPE_BINARY, 0, 0}},
    {10, 1009, "day", {LAKE_IDENTITY, 0}, {TYPE_DATE, 0, 0}},
    {11, 1010, "clock", {LAKE_IDENTITY, 0}, {TYPE_TIME, 0, 0}},
    {12, 1011, "wall", {LAKE_IDENTITY, 0}, {TYPE_TIMESTAMP, 0, 0}},
    {13, 1012, "instant", {LAKE_IDENTITY, 0}, {TYPE_TIMESTAMPTZ, 0, 0}},
    {14, 1013, "name", {LAKE_IDENTITY, 0}, {TYPE_UUID, 0, 0}},
    {15, 1014, "four", {LAKE_IDENTITY, 0}, {TYPE_BINARY, 0, 0}},
    {8, 1015, "text bucket", {LAKE_BUCKET, 16}, {TYPE_INT32, 0, 0}},
    {13, 1016, "instant_day", {LAKE_DAY, 0}, {TYPE_DATE, 0, 0}},
    {6, 1017, "1st-\xc3\xa9", {LAKE_TRUNCATE, 100}, {TYPE_DECIMAL, 9, 2}},
};

#define FIXTURE_VALUE(text)    \
    {                          \
        text, sizeof(text) - 1 \
    }

/* Appendix D of: true, -2, 2^40, 1.5, -0.25, -12.34, 1.0000000000, "café", 00 ff, 2024-01-02,
 * 03:04:05, 2024-01-02T03:04:05, the same in UTC, a UUID, "abcd", 7, 2024-01-02, 13.00 */
static const struct str fixture_values[FIXTURE_FIELDS] = {
    FIXTURE_VALUE("\x01"),
    FIXTURE_VALUE("\xfe\xff\xff\xff"),
    FIXTURE_VALUE("\x00\x00\x00\x00\x00\x01\x00\x00"),
    FIXTURE_VALUE("\x00\x00\xc0\x3f"),
    FIXTURE_VALUE("\x00\x00\x00\x00\x00\x00\xd0\xbf"),
    FIXTURE_VALUE("\xfb\x2e"),
    FIXTURE_VALUE("\x02\x54\x0b\xe4\x00"),
    FIXTURE_VALUE("caf\xc3\xa9"),
    FIXTURE_VALUE("\x00\xff"),
    FIXTURE_VALUE("\x0c\x4d\x00\x00"),
    FIXTURE_VALUE("\x40\x53\x55\x92\x02\x00\x00\x00"),
    FIXTURE_VALUE("\x40\xd3\x4d\xc0\xed\x0d\x06\x00"),
    FIXTURE_VALUE("\x40\xd3\x4d\xc0\xed\x0d\x06\x00"),
    FIXTURE_VALUE("\xf7\x9c\x3e\x09\x67\x7c\x4b\xbd\xa4\x79\x3f\x34\x9c\xb7\x85\xe7"),
    FIXTURE_VALUE("abcd"),
    FIXTURE_VALUE("\x07\x00\x00\x00"),
    FIXTURE_VALUE("\x0c\x4d\x00\x00"),
    FIXTURE_VALUE("\x05\x14"),
};

/* What partition_type_of() looks for: the one column whose type the model does not say. */
static const struct iceberg_field fixture_columns[] = {
    {.id = 9, .name = "blob", .type = {TYPE_BINARY, 0, 0}, .text = "binary"},
    {.id = 15, .name = "four", .type = {TYPE_BINARY, 0, 0}, .text = "fixed[4]"},
};

struct fixture {
    struct iceberg_spec specs[2]; /* 0, without fields, and FIXTURE_SPEC_ID */
    struct iceberg_schema schemas[1];
    struct iceberg_metadata metadata;
};

static inline void fixture_init(struct fixture *f)
{
    json_error_t where;
    *f = (struct fixture){0};
    f->specs[1] = (struct iceberg_spec){
        .id = FIXTURE_SPEC_ID,
        .fields = (struct iceberg_spec_field *)(uintptr_t)fixture_fields,
        .field_count = FIXTURE_FIELDS,
    };
    f->schemas[0] = (struct iceberg_schema){
        .id = FIXTURE_SCHEMA_ID,
        .fields = (struct iceberg_field *)(uintptr_t)fixture_columns,
        .field_count = sizeof(fixture_columns) / sizeof(fixture_columns[0]),
    };
    f->metadata = (struct iceberg_metadata){
        .json = json_loads(fixture_json, 0, &where),
        .format_version = 2,
        .specs = f->specs,
        .spec_count = 2,
        .schemas = f->schemas,
        .schema_count = 1,
        .schema = &f->schemas[0],
    };
    if (!f->metadata.json) {
        abort();
    }
}

/* Frees what fixture_init() made. */
static inline void fixture_release(struct fixture *f)
{
    json_decref(f->metadata.json);
}

/* A data file of the spec with all fields. */
static inline struct iceberg_entry fixture_entry(const char *path)
{
    static struct iceberg_metrics metrics[] = {
        {2, 100, 10, 1, -1, FIXTURE_VALUE("\xfe\xff\xff\xff"), FIXTURE_VALUE("\x07\x00\x00\x00")},
        {4, 40, 10, 0, 3, FIXTURE_VALUE("\x00\x00\xc0\x3f"), FIXTURE_VALUE("\x00\x00\xc0\x3f")},
        {8, -1, -1, 10, -1, {NULL, 0}, {NULL, 0}},
        {9, 7, 10, 0, -1, FIXTURE_VALUE(""), {NULL, 0}},
    };
    static int64_t split_offsets[] = {4, 100000};
    return (struct iceberg_entry){
        .status = ICEBERG_ADDED,
        .snapshot_id = -1,
        .sequence_number = -1,
        .file_sequence_number = -1,
        .spec_id = FIXTURE_SPEC_ID,
        .file = {.path = path,
                 .format = "PARQUET",
                 .partition = (struct str *)(uintptr_t)fixture_values,
                 .partition_count = FIXTURE_FIELDS,
                 .record_count = 10,
                 .size = 4321,
                 .metrics = metrics,
                 .metrics_count = 4,
                 .split_offsets = split_offsets,
                 .split_offset_count = 2,
                 .sort_order_id = 0,
                 .content_offset = -1,
                 .content_size = -1,
                 .first_row_id = -1},
    };
}
