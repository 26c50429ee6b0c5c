/* The parts of value.c that are subjects of their own; not for others. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "model/type.h"
#include "source/postgres/value.h"

/* Numerics as unscaled integers of `type`, exactly. Forms: numeric.c, numeric_send() and
 * numeric_out(). */
must_check bool numeric_from_binary(struct str data, struct type type, __int128 *out,
                                    struct error *err);
must_check bool numeric_from_text(struct str data, struct type type, __int128 *out,
                                  struct error *err);

/* Dates in days, times and timestamps in microseconds, since midnight or 1970-01-01; years 1 to
 * 9999. */
must_check bool time_from_binary(uint32_t type_id, struct str data, int64_t *out,
                                 struct error *err);
must_check bool time_from_text(uint32_t type_id, struct str data, int64_t *out, struct error *err);

/* Fills `err` for a value that has the wrong form for its type. */
bool value_malformed(const char *type_name, enum value_form form, struct str data,
                     struct error *err);

/* Microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL's times begin. */
#define POSTGRES_EPOCH_US ((int64_t)946684800 * 1000000)
