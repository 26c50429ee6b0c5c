#include "delta/protocol.h"

#include <inttypes.h>
#include <stdlib.h>

#include "delta/mapping.h"

static const char *const readable[] = {"deletionVectors", "timestampNtz",  "vacuumProtocolCheck",
                                       "v2Checkpoint",    "columnMapping", NULL};

static const char *const writable[] = {"appendOnly",       "invariants",
                                       "checkConstraints", "generatedColumns",
                                       "identityColumns",  "allowColumnDefaults",
                                       "changeDataFeed",   "columnMapping",
                                       "deletionVectors",  "timestampNtz",
                                       "domainMetadata",   "vacuumProtocolCheck",
                                       "v2Checkpoint",     NULL};

static bool contains(const char *const *list, const char *name)
{
    while (*list && strcmp(*list, name) != 0) {
        list++;
    }
    return *list;
}

bool delta_protocol_writes(const struct delta_protocol *p, const char *feature)
{
    for (uint32_t i = 0; i < p->writer_features.count; i++) {
        if (strcmp(p->writer_features.items[i], feature) == 0) {
            return true;
        }
    }
    return false;
}

bool delta_property_is_true(const struct delta_metadata *m, const char *name)
{
    const char *value = pairs_get(&m->configuration, name);
    return value && strcasecmp(value, "true") == 0;
}

bool delta_protocol_check_reader(const struct delta_state *s, struct error *err)
{
    const struct delta_protocol *p = &s->protocol;
    if (!s->has_protocol || !s->has_metadata) {
        return error_set(err, ERROR_DATA, "the log has no %s",
                         s->has_protocol ? "metaData" : "protocol");
    }
    if (p->reader_version < 1 || p->reader_version > 3) {
        return error_set(err, ERROR_CONFIG,
                         "the table needs reader version %" PRId64 "; versions 1 to 3 are read",
                         p->reader_version);
    }
    for (uint32_t i = 0; i < p->reader_features.count; i++) {
        if (!contains(readable, p->reader_features.items[i])) {
            return error_set(err, ERROR_CONFIG,
                             "the table needs the reader feature \"%s\", which is not supported",
                             p->reader_features.items[i]);
        }
    }
    if (s->metadata.provider && strcmp(s->metadata.provider, "parquet") != 0) {
        return error_set(err, ERROR_CONFIG, "the table's files are %s, not Parquet",
                         s->metadata.provider);
    }
    return true;
}

/* Field metadata keys with which a column asks its writers to compute or to check something. */
static bool check_columns(const char *schema, struct error *err)
{
    static const char *const keys[] = {"\"delta.generationExpression\"", "\"delta.identity.start\"",
                                       "\"delta.invariants\"", "\"CURRENT_DEFAULT\""};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strstr(schema, keys[i])) {
            return error_set(err, ERROR_CONFIG,
                             "a column of the table has %s, which writing does not support",
                             keys[i]);
        }
    }
    return true;
}

static bool check_properties(const struct delta_metadata *m, struct error *err)
{
    static const char constraint[] = "delta.constraints.";
    for (uint32_t i = 0; i < m->configuration.count; i++) {
        const char *key = m->configuration.items[i].key;
        if (strncmp(key, constraint, sizeof(constraint) - 1) == 0) {
            return error_set(err, ERROR_CONFIG,
                             "the table has the check constraint \"%s\", which writing does not "
                             "support",
                             key + sizeof(constraint) - 1);
        }
    }
    static const char *const refused[] = {
        "delta.enableRowTracking", "delta.enableInCommitTimestamps", "delta.enableIcebergCompatV1",
        "delta.enableIcebergCompatV2", "delta.enableTypeWidening"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (delta_property_is_true(m, refused[i])) {
            return error_set(err, ERROR_CONFIG,
                             "the table has %s = true, which writing does not support", refused[i]);
        }
    }
    if (delta_mapping_is_on(m)) {
        return error_set(err, ERROR_CONFIG,
                         "the table maps its columns (delta.columnMapping.mode = %s), which "
                         "writing does not support",
                         pairs_get(&m->configuration, "delta.columnMapping.mode"));
    }
    const char *policy = pairs_get(&m->configuration, "delta.checkpointPolicy");
    return !policy || strcmp(policy, "classic") == 0 ||
           error_set(err, ERROR_CONFIG,
                     "the table has delta.checkpointPolicy = %s; only classic is written", policy);
}

bool delta_protocol_check_writer(const struct delta_state *s, struct error *err)
{
    const struct delta_protocol *p = &s->protocol;
    if (p->writer_version < 1 || p->writer_version > 7) {
        return error_set(err, ERROR_CONFIG,
                         "the table needs writer version %" PRId64 "; versions 1 to 7 are written",
                         p->writer_version);
    }
    for (uint32_t i = 0; i < p->writer_features.count; i++) {
        if (!contains(writable, p->writer_features.items[i])) {
            return error_set(err, ERROR_CONFIG,
                             "the table needs the writer feature \"%s\", which is not supported",
                             p->writer_features.items[i]);
        }
    }
    if (!delta_protocol_writes(p, "domainMetadata")) {
        return error_set(
            err, ERROR_CONFIG,
            "the table lacks the writer feature \"domainMetadata\", where the position "
            "is kept: it was not made by leat; choose another location");
    }
    return check_columns(s->metadata.schema, err) && check_properties(&s->metadata, err);
}

int64_t delta_property_interval_ms(const struct delta_metadata *m, const char *name,
                                   int64_t otherwise)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"week", 604800000}, {"day", 86400000}, {"hour", 3600000},
                 {"minute", 60000},   {"second", 1000},  {"millisecond", 1}};
    const char *text = pairs_get(&m->configuration, name);
    if (!text) {
        return otherwise;
    }
    if (strncasecmp(text, "interval ", 9) == 0) {
        text += 9;
    }
    char *end = NULL;
    long long n = strtoll(text, &end, 10);
    if (end == text || *end != ' ' || n < 0 || n > INT64_C(1000000000)) {
        return otherwise;
    }
    end++;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t size = strlen(units[i].unit);
        if (strncasecmp(end, units[i].unit, size) == 0 &&
            (end[size] == '\0' || strcasecmp(end + size, "s") == 0)) {
            return (int64_t)n * units[i].ms;
        }
    }
    return otherwise;
}

struct delta_protocol delta_protocol_new(bool vectors, bool feed)
{
    /* Every subset in its order: the features of append only tables follow those of vectors. */
    static const char *const reader[] = {"deletionVectors"};
    static const char *const writer[] = {"deletionVectors", "appendOnly", "invariants",
                                         "domainMetadata", "changeDataFeed"};
    uint32_t skipped = vectors ? 0 : 1;
    return (struct delta_protocol){
        .reader_version = vectors ? 3 : 1,
        .writer_version = 7,
        .reader_features = {.items = reader, .count = vectors ? 1 : 0, .present = vectors},
        .writer_features = {
            .items = writer + skipped, .count = (feed ? 5 : 4) - skipped, .present = true}};
}

struct delta_pairs delta_properties_new(bool vectors, bool feed)
{
    static const struct delta_pair properties[] = {
        {"delta.enableDeletionVectors", "true"},
        {"delta.checkpointInterval", "50"},
        {"delta.deletedFileRetentionDuration", "interval 1 days"},
        {"delta.enableChangeDataFeed", "true"},
    };
    uint32_t skipped = vectors ? 0 : 1;
    return (struct delta_pairs){.items = properties + skipped, .count = (feed ? 4 : 3) - skipped};
}
