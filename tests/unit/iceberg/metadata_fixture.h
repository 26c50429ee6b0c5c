/* Metadata of a table of two columns, and commits to it. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "iceberg/metadata.h"
#include "test.h"

/* A copy that is freed with json_decref(); `text` may have single quotes for double ones. */
static inline json_t *json_of(const char *text)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    for (char *p = copy; *p; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    json_error_t reason;
    json_t *value = json_loads(copy, JSON_DECODE_ANY, &reason);
    if (!value) {
        fail_msg("%s: %s", reason.text, copy);
    }
    free(copy);
    return value;
}

static inline json_t *fixture_schema(void)
{
    return json_of("{'type':'struct','schema-id':0,'identifier-field-ids':[1],'fields':["
                   "{'id':1,'name':'id','required':true,'type':'long'},"
                   "{'id':2,'name':'day','required':false,'type':'date'}]}");
}

/* A new table without snapshots. */
static inline struct iceberg_metadata *fixture_table(void)
{
    struct error err = {0};
    json_t *schema = fixture_schema();
    json_t *properties = json_of("{'owner':'me'}");
    struct iceberg_create create = {
        .location = "file:///lake/t", .schema = schema, .properties = properties};
    struct iceberg_metadata *m = iceberg_metadata_from(iceberg_metadata_make(&create), &err);
    if (!m) {
        fail_msg("%s", err.message);
    }
    json_decref(schema);
    json_decref(properties);
    return m;
}

/* The metadata after the updates; NULL and *err when they are refused. */
static inline struct iceberg_metadata *fixture_apply(const struct iceberg_metadata *m,
                                                     const char *requirements, const char *updates,
                                                     struct error *err)
{
    json_t *r = json_of(requirements);
    json_t *u = json_of(updates);
    char *before = json_dumps(m->json, JSON_COMPACT);
    json_t *json =
        iceberg_metadata_apply(m, r, u, "file:///lake/t/metadata/v1.metadata.json", NULL, err);
    struct iceberg_metadata *after = json ? iceberg_metadata_from(json, err) : NULL;
    char *unchanged = json_dumps(m->json, JSON_COMPACT);
    assert_string_equal(before, unchanged); /* whatever it does, the old object stays */
    free(before);
    free(unchanged);
    json_decref(r);
    json_decref(u);
    return after;
}

/* Applies to *m, replacing it. */
static inline void fixture_advance(struct iceberg_metadata **m, const char *updates)
{
    struct error err = {0};
    struct iceberg_metadata *after = fixture_apply(*m, "[]", updates, &err);
    if (!after) {
        fail_msg("%s", err.message);
    }
    iceberg_metadata_free(m);
    *m = after;
}

/* Adds a snapshot and moves main to it. */
static inline void fixture_snapshot(struct iceberg_metadata **m, int64_t id, int64_t time_ms)
{
    char updates[600];
    int64_t sequence = (*m)->last_sequence_number + 1;
    (void)snprintf(updates, sizeof(updates),
                   "[{'action':'add-snapshot','snapshot':{'snapshot-id':%lld,"
                   "'sequence-number':%lld,'timestamp-ms':%lld,'manifest-list':'s3://x/m.avro',"
                   "'summary':{'operation':'append'},'schema-id':0}},"
                   "{'action':'set-snapshot-ref','ref-name':'main','type':'branch',"
                   "'snapshot-id':%lld}]",
                   (long long)id, (long long)sequence, (long long)time_ms, (long long)id);
    fixture_advance(m, updates);
}

static inline void assert_member(const struct iceberg_metadata *m, const char *key,
                                 const char *expected)
{
    char *text = json_dumps(json_object_get(m->json, key), JSON_COMPACT | JSON_ENCODE_ANY);
    json_t *wanted = json_of(expected);
    char *wanted_text = json_dumps(wanted, JSON_COMPACT | JSON_ENCODE_ANY);
    assert_non_null(text);
    assert_string_equal(text, wanted_text);
    free(text);
    free(wanted_text);
    json_decref(wanted);
}
