/* An answer of a REST catalog, and what it means. No I/O. [REST catalog API, ErrorModel; RFC 6749,
 * 5.2] */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct rest_answer {
    int status;
    json_t *json; /* owned; NULL: the body is not a JSON object */
    int64_t retry_after_ms;
    bool is_write; /* it answers a request that changes something */
};

void rest_answer_release(struct rest_answer *a);

enum { REST_WORDS_SIZE = 400 };

/* The object in a body, or NULL. New reference. */
json_t *rest_answer_parse(struct str body);

/* The error in an answer for people, on one line and cut: "NoSuchTableException: ..."; "" when it
 * has none. `answer` may be NULL. */
void rest_answer_words(const json_t *answer, char words[REST_WORDS_SIZE]);

/* Whether the answer has an error as the catalog writes it, and not as something on the way to it
 * would. */
bool rest_answer_is_from_catalog(const json_t *answer);

/* What a status that is not the wanted one means. `is_write`: the request changes something, and a
 * server error does not tell whether it has. */
enum error_kind rest_answer_kind(int status, bool is_write);
