/* Values of partition tuples: in memory as Appendix D serializes them, in manifests as values of
 * Avro. [Iceberg spec, Appendix A, Avro; Appendix D, Binary single-value serialization] */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "format/avro.h"
#include "iceberg/metadata.h"

/* What the values of a partition field are. */
struct partition_type {
    struct type type;    /* of the transform's result */
    uint32_t fixed_size; /* bytes, where Iceberg's type is fixed(n); 0: it is not */
    bool is_nanoseconds; /* Iceberg's type is timestamp_ns or timestamptz_ns */
    bool is_unknown;     /* of an unknown transform: values are what Avro says they are */
};

struct partition_type partition_type_of(const struct iceberg_metadata *m,
                                        const struct iceberg_spec_field *field);

/* Appends the type as Avro's JSON. Types that must be named are named after the field. */
void partition_type_append(struct partition_type t, int32_t field_id, struct buf *out);

/* Appends the field's name as one that Avro allows: as the reference implementation changes it. */
void partition_name_append(const char *name, struct buf *out);

/* The serialized value (in the arena) of one that Avro decoded; integers and floats are widened to
 * the type. ERROR_DATA. */
must_check bool partition_value_decode(struct partition_type t, const struct avro_value *v,
                                       struct arena *a, struct str *out, struct error *err);

/* Appends a serialized value as Avro's. ERROR_DATA: its bytes cannot be of the type. */
must_check bool partition_value_encode(struct partition_type t, struct str value, struct buf *out,
                                       struct error *err);

/* Orders serialized values of a type, of lengths that partition_value_encode() accepted; -0.0 is
 * less than 0.0. */
int partition_value_compare(struct partition_type t, struct str a, struct str b);
bool partition_value_is_nan(struct partition_type t, struct str value);
