/* What a value must look like beyond its type. Private to config/.
 *
 * Each returns NULL for a good value, else what is wrong, without the value: "must contain
 * {table}". */
#pragma once

#include "base/error.h"
#include "config/config.h"
#include "config/yaml.h"

const char *check_not_blank(const char *text);
const char *check_pipeline_name(const char *text);
const char *check_database_url(const char *text);
const char *check_slot(const char *text);
const char *check_identifier(const char *text);
const char *check_table_name(const char *text);    /* schema.table */
const char *check_table_pattern(const char *text); /* schema.table or schema.* */
const char *check_location(const char *text);
const char *check_braces(const char *text);
const char *check_http_url(const char *text);
const char *check_listen(const char *text);

/* What no single value shows: ERROR_CONFIG with the place in `root`, the tree `c` was made from. */
must_check bool check_together(const struct config *c, const char *file, const struct node *root,
                               struct error *err);
