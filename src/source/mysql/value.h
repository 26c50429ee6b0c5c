/* Values of MySQL types into columns of a batch: from row images of the binlog, and from the text
 * that SELECT gives. Both give the same value. Nothing is rounded; what the column cannot hold is
 * ERROR_DATA or, by policy, null. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/reader.h"
#include "base/str.h"
#include "config/config.h"
#include "model/batch.h"
#include "model/type.h"
#include "source/mysql/catalog.h"
#include "source/mysql/charset.h"
#include "source/mysql/table_map.h"

/* How one column's values are read. Everything is borrowed. */
enum my_value_kind {
    MY_VALUE_INTEGER, /* tiny .. longlong, year; unsigned bigint into decimal(20,0) */
    MY_VALUE_DECIMAL,
    MY_VALUE_FLOAT,
    MY_VALUE_DOUBLE,
    MY_VALUE_BIT, /* bit(1) into bool, wider ones into int64, bit(64) into decimal(20,0) */
    MY_VALUE_DATE,
    MY_VALUE_TIME,
    MY_VALUE_DATETIME,
    MY_VALUE_TIMESTAMP, /* UTC */
    MY_VALUE_TEXT,      /* in `charset` in the binlog, UTF-8 in SELECT */
    MY_VALUE_BYTES,     /* binary(n) is padded with zero bytes to `length` */
    MY_VALUE_ENUM,      /* the label; index 0 (the invalid value) is '' as the server prints it */
    MY_VALUE_SET,       /* labels joined by commas */
    MY_VALUE_JSON,      /* MySQL's binary form in the binlog */
    MY_VALUE_UUID,      /* MariaDB */
    MY_VALUE_INET4,     /* MariaDB; as text */
    MY_VALUE_INET6,
    MY_VALUE_UNSUPPORTED, /* geometry, vector, decimals above 38 digits ... */
};

struct my_value_rule {
    enum my_value_kind kind;
    struct type type; /* of the column in the batch */
    bool as_text;     /* type is TYPE_STRING: the value as the statement of
                         my_value_append_select() prints it, without the zeroes of ZEROFILL */
    bool is_unsigned;
    uint8_t fraction;  /* of times: digits printed as text */
    uint8_t precision; /* of decimal */
    uint8_t scale;
    uint32_t length;           /* of binary(n), to which it is padded; bits of bit(n); digits of a
                                  year, which no other integer has; else 0 */
    enum my_charset charset;   /* of text in the binlog */
    const char *const *labels; /* of enum and set, UTF-8 */
    uint32_t label_count;
    enum unrepresentable_mode unrepresentable;
};

/* The rule for a column of the catalog. kind UNSUPPORTED (as_text is then false): there is none;
 * `why` says so, and is NULL otherwise ("type geometry is not supported"). Types that have a text
 * of their own (decimal(65,30), time, dates) take as_text. */
struct my_value_rule my_value_rule(const struct my_catalog_column *column, bool as_text,
                                   enum unrepresentable_mode unrepresentable, const char **why);

/* The rule for a column that only the table map knows (it was dropped since): labels and names are
 * needed there. `arena` keeps converted labels. */
struct my_value_rule my_value_rule_of_map(const struct table_map_column *column, bool is_mariadb,
                                          bool as_text, enum unrepresentable_mode unrepresentable,
                                          struct arena *arena, const char **why);

/* True when values of the map's column are read by the rule: storage type, length, sign, character
 * set and labels (where sent). Integers may be smaller than the rule's. What does not fit means
 * that the catalog describes another version of the table, or has an enum's label that
 * information_schema cannot show: it has '?' for characters beyond U+FFFF. */
bool my_value_rule_fits(const struct my_value_rule *rule, const struct table_map_column *column);

/* Moves `image` past one value and stores it; batch NULL: only moves. The value is not null.
 * ERROR_FATAL: the image is cut off or malformed; ERROR_DATA: the value has no representation and
 * `unrepresentable` says to fail. */
must_check bool my_value_from_image(const struct my_value_rule *rule,
                                    const struct table_map_column *column, struct reader *image,
                                    struct batch *b, uint32_t at, uint32_t row, struct error *err);

/* Stores a value from the text of SELECT; the statement was made with my_value_append_select(), in
 * a session with character set utf8mb4, time zone +00:00 and no PAD_CHAR_TO_FULL_LENGTH. */
must_check bool my_value_from_text(const struct my_value_rule *rule, struct str text,
                                   struct batch *b, uint32_t at, uint32_t row, struct error *err);

/* Appends the expression that reads a column so that its text is exact: float as double, bit as a
 * number ... */
void my_value_append_select(const struct my_value_rule *rule, const char *column, struct buf *out);
