#include "iceberg/requirement.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "iceberg/member.h"

/* -1: the branch or tag is not there. A table may have no refs but a current snapshot. */
static int64_t ref_snapshot(const struct iceberg_metadata *m, const char *name)
{
    const json_t *ref = json_object_get(member_get(m->json, "refs"), name);
    const json_t *id = json_object_get(ref, "snapshot-id");
    if (json_is_integer(id)) {
        return json_integer_value(id);
    }
    return m->current && strcmp(name, "main") == 0 ? m->current->id : -1;
}

static bool check_uuid(const struct iceberg_metadata *m, const json_t *r, struct error *err)
{
    const char *uuid = json_string_value(json_object_get(r, "uuid"));
    if (!uuid) {
        return error_set(err, ERROR_FATAL, "assert-table-uuid has no uuid");
    }
    return strcasecmp(uuid, m->uuid) == 0 ||
           error_set(err, ERROR_CONFLICT, "the table is %s, not %s", m->uuid, uuid);
}

static bool check_ref(const struct iceberg_metadata *m, const json_t *r, struct error *err)
{
    const char *name = json_string_value(json_object_get(r, "ref"));
    const json_t *id = member_get(r, "snapshot-id");
    if (!name || (id && !json_is_integer(id))) {
        return error_set(err, ERROR_FATAL, "assert-ref-snapshot-id has no ref and snapshot-id");
    }
    int64_t wanted = id ? json_integer_value(id) : -1;
    int64_t found = ref_snapshot(m, name);
    if (found == wanted) {
        return true;
    }
    if (found == -1) {
        return error_set(err, ERROR_CONFLICT, "%s has no snapshot, not %" PRId64, name, wanted);
    }
    return wanted == -1
               ? error_set(err, ERROR_CONFLICT, "%s is at snapshot %" PRId64 ", not at none", name,
                           found)
               : error_set(err, ERROR_CONFLICT, "%s is at snapshot %" PRId64 ", not %" PRId64, name,
                           found, wanted);
}

/* Requirements that name one number; *known is false for others. */
static bool check_number(const struct iceberg_metadata *m, const char *type, const json_t *r,
                         bool *known, struct error *err)
{
    const struct {
        const char *type;
        const char *member;
        int64_t found;
    } numbers[] = {
        {"assert-last-assigned-field-id", "last-assigned-field-id", m->last_column_id},
        {"assert-last-assigned-partition-id", "last-assigned-partition-id", m->last_partition_id},
        {"assert-current-schema-id", "current-schema-id", m->schema->id},
        {"assert-default-spec-id", "default-spec-id", m->spec->id},
        {"assert-default-sort-order-id", "default-sort-order-id",
         json_integer_value(json_object_get(m->json, "default-sort-order-id"))},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(type, numbers[i].type) != 0) {
            continue;
        }
        const json_t *wanted = json_object_get(r, numbers[i].member);
        *known = true;
        if (!json_is_integer(wanted)) {
            return error_set(err, ERROR_FATAL, "%s has no %s", type, numbers[i].member);
        }
        return json_integer_value(wanted) == numbers[i].found ||
               error_set(err, ERROR_CONFLICT, "%s is %" PRId64 ", not %" PRId64, numbers[i].member,
                         numbers[i].found, (int64_t)json_integer_value(wanted));
    }
    *known = false;
    return true;
}

static bool check(const struct iceberg_metadata *m, const json_t *r, struct error *err)
{
    const char *type = json_string_value(json_object_get(r, "type"));
    if (!type) {
        return error_set(err, ERROR_FATAL, "a requirement has no type");
    }
    if (strcmp(type, "assert-create") == 0) {
        return error_set(err, ERROR_CONFLICT, "the table exists");
    }
    if (strcmp(type, "assert-table-uuid") == 0) {
        return check_uuid(m, r, err);
    }
    if (strcmp(type, "assert-ref-snapshot-id") == 0) {
        return check_ref(m, r, err);
    }
    bool known = false;
    return check_number(m, type, r, &known, err) &&
           (known || error_set(err, ERROR_FATAL, "requirement \"%s\" is not known", type));
}

bool iceberg_requirements_check(const struct iceberg_metadata *m, const json_t *requirements,
                                struct error *err)
{
    for (size_t i = 0; i < json_array_size(requirements); i++) {
        if (!check(m, json_array_get(requirements, i), err)) {
            return false;
        }
    }
    return true;
}
