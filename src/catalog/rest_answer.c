#include "catalog/rest_answer.h"

#include <stdio.h>

enum { MESSAGE_SIZE_MAX = 256, TYPE_SIZE_MAX = 96 };

void rest_answer_release(struct rest_answer *a)
{
    json_decref(a->json);
    *a = (struct rest_answer){0};
}

json_t *rest_answer_parse(struct str body)
{
    json_t *json = json_loadb(body.data, body.size, 0, NULL);
    if (json && !json_is_object(json)) {
        json_decref(json);
        return NULL;
    }
    return json;
}

/* Cut at a character, line breaks and the like as blanks. */
static void copy_line(const json_t *string, char *out, size_t size_max)
{
    const char *text = json_string_value(string);
    size_t length = text ? json_string_length(string) : 0;
    size_t size = length;
    if (size > size_max) {
        size = size_max;
        while (size > 0 && ((unsigned char)text[size] & 0xC0) == 0x80) {
            size--; /* within a character */
        }
    }
    for (size_t i = 0; i < size; i++) {
        out[i] = text[i];
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7F) {
            out[i] = ' ';
        }
    }
    (void)snprintf(out + size, 4, "%s", length > size ? "..." : "");
}

void rest_answer_words(const json_t *answer, char words[REST_WORDS_SIZE])
{
    const json_t *error = json_object_get(answer, "error");
    const json_t *kind = json_object_get(error, "type");
    const json_t *message = json_object_get(error, "message");
    if (json_is_string(error)) { /* of OAuth2 */
        kind = error;
        message = json_object_get(answer, "error_description");
    }
    char kind_text[TYPE_SIZE_MAX + 4];
    char message_text[MESSAGE_SIZE_MAX + 4];
    copy_line(kind, kind_text, TYPE_SIZE_MAX);
    copy_line(message, message_text, MESSAGE_SIZE_MAX);
    (void)snprintf(words, REST_WORDS_SIZE, "%s%s%s", kind_text,
                   kind_text[0] && message_text[0] ? ": " : "", message_text);
}

bool rest_answer_is_from_catalog(const json_t *answer)
{
    return json_is_object(json_object_get(answer, "error"));
}

enum error_kind rest_answer_kind(int status, bool is_write)
{
    switch (status) {
    case 419: /* the authentication timed out */
    case 429:
        return ERROR_RETRY;
    case 408: /* proxies say it too, of a request that they have passed on */
        return is_write ? ERROR_UNKNOWN : ERROR_RETRY;
    case 501:
    case 505:
        return ERROR_CONFIG;
    default:
        break;
    }
    if (status >= 300 && status < 500) {
        return ERROR_CONFIG;
    }
    return is_write ? ERROR_UNKNOWN : ERROR_RETRY;
}
