/* What a commit demands of the metadata that it finds. [REST catalog API, TableRequirement] */
#pragma once

#include <jansson.h>

#include "base/attr.h"
#include "base/error.h"
#include "iceberg/metadata.h"

/* ERROR_CONFLICT: one of them does not hold. ERROR_FATAL: one is not known. */
must_check bool iceberg_requirements_check(const struct iceberg_metadata *m,
                                           const json_t *requirements, struct error *err);
