/* The parts of value.h's functions that are subjects of their own; not for others. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "model/batch.h"
#include "source/mysql/value.h"

/* Larger values are refused. */
enum { MY_VALUE_SIZE_MAX = 256 << 20 };

/* Where a value goes, and how. Everything is borrowed. */
struct my_place {
    const struct my_value_rule *rule;
    struct batch *b;
    uint32_t at;
    uint32_t row;
};

/* --- value_store.c: values of C types into the column --- */

/* An integer or the unscaled value of a decimal. ERROR_DATA: it does not fit the column. */
must_check bool my_store_integer(const struct my_place *p, __int128 v, struct error *err);
void my_store_double(const struct my_place *p, double v);

/* UTF-8 (checked), and bytes. ERROR_DATA: not UTF-8, or too large. */
must_check bool my_store_text(const struct my_place *p, struct str text, struct error *err);
must_check bool my_store_bytes(const struct my_place *p, struct str bytes, struct error *err);

/* By the rule: null, or ERROR_DATA with the message of `why`: bytes that are no text. */
must_check bool my_store_no_text(const struct my_place *p, const struct error *why,
                                 struct error *err);

/* By the rule: null, or ERROR_DATA that quotes the value as the server prints it. */
must_check bool my_store_unrepresentable(const struct my_place *p, const char *text,
                                         struct error *err);

/* Fills `err` for text of SELECT that is not a value of the rule's kind. Returns false. */
bool my_text_malformed(const struct my_place *p, struct str text, struct error *err);

/* The kind as the servers name the type: "decimal", "datetime". */
const char *my_value_kind_name(enum my_value_kind kind);

/* --- value_decimal.c --- */

enum { MY_DECIMAL_DIGITS_MAX = 65, MY_DECIMAL_SCALE_MAX = 38 };

/* Bytes of a decimal in its binary form (decimal2bin()); 0: there is no such decimal. */
size_t my_decimal_bytes(unsigned precision, unsigned scale);

/* The unscaled value; precision is at most 38. False: malformed. `bytes` has
 * my_decimal_bytes(). */
must_check bool my_decimal_value(const uint8_t *bytes, unsigned precision, unsigned scale,
                                 __int128 *out);

/* Appends the text that the server prints. False: malformed. */
must_check bool my_decimal_append(const uint8_t *bytes, unsigned precision, unsigned scale,
                                  struct buf *out);

/* The unscaled value of text with at most `scale` digits behind its point and at most 38 in all. */
must_check bool my_decimal_parse(struct str text, unsigned scale, __int128 *out);

/* --- value_number.c --- */

/* Appends a finite double as the servers print it: the shortest digits that read back as it. */
void my_double_append(double v, struct buf *out);

/* Reads such text. */
must_check bool my_double_parse(struct str text, double *out);

/* --- value_time.c --- */

/* Dates and times part by part, as nothing else holds 0000-00-00 and -838:59:59. */
struct my_time {
    bool negative; /* times only */
    uint32_t year;
    uint32_t month;
    uint32_t day;
    uint32_t hour; /* of times: up to 838 */
    uint32_t minute;
    uint32_t second;
    uint32_t micros;
};

/* The binary forms of columns: `bytes` as long as my_time_bytes() says. */
enum my_type;
size_t my_time_bytes(enum my_type type, unsigned fraction); /* 0: no such type */
must_check bool my_time_from_image(enum my_type type, unsigned fraction, const uint8_t *bytes,
                                   struct my_time *out);

/* From the packed form of my_time.h (TIME_from_longlong_*_packed), as in JSON documents. */
struct my_time my_time_from_packed(int64_t packed, bool is_time);

/* As the server prints it. `kind` is one of MY_VALUE_DATE, TIME, DATETIME, TIMESTAMP. */
void my_time_append(const struct my_time *t, enum my_value_kind kind, unsigned fraction,
                    struct buf *out);
must_check bool my_time_parse(struct str text, enum my_value_kind kind, struct my_time *out);

/* Stores a date or time by the rule. */
must_check bool my_store_time(const struct my_place *p, const struct my_time *t, struct error *err);

/* --- value_network.c: UUIDs and addresses of MariaDB --- */

void my_uuid_append(const struct uuid *v, struct buf *out);
must_check bool my_uuid_parse(struct str text, struct uuid *out);
void my_inet4_append(const uint8_t bytes[4], struct buf *out);
void my_inet6_append(const uint8_t bytes[16], struct buf *out);

/* --- value_compressed.c --- */

/* The plain bytes of a compressed column's value (MariaDB, sql/field_comp.cc). Either a part of
 * `bytes`, or a buffer put into *to_free for free(). */
must_check bool my_value_uncompress(struct str bytes, struct str *out, char **to_free,
                                    struct error *err);
