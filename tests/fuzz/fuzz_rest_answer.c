/* The body of a REST catalog's answer, read as everything that it could be: an error for people,
 * settings, a token. */
#include <stdlib.h>
#include <strings.h>

#include "catalog/rest_answer.h"
#include "catalog/rest_auth.h"
#include "catalog/rest_settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_words(const json_t *answer)
{
    char words[REST_WORDS_SIZE];
    rest_answer_words(answer, words);
    size_t size = strlen(words);
    if (!utf8_valid(words, size)) {
        abort();
    }
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)words[i] < ' ') {
            abort();
        }
    }
}

/* Whatever the server says, requests go on to the server that was configured. */
static void read_settings(const json_t *answer)
{
    static const struct catalog_config config = {.uri = "http://host:81/catalog"};
    struct arena arena = {0};
    struct error err = {0};
    struct rest_settings settings;
    if (!rest_settings_initial(&config, &arena, &settings, &err)) {
        abort();
    }
    if (rest_settings_read(answer, &config, &arena, &settings, &err) &&
        (strncasecmp(settings.uri, "http://host:81", 14) != 0 ||
         (settings.uri[14] && settings.uri[14] != '/') || strpbrk(settings.uri, " \r\n?#") ||
         strpbrk(settings.prefix, " \r\n?#") || !*settings.separator_text)) {
        abort();
    }
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = {.data = (const char *)data, .size = size};
    json_t *answer = rest_answer_parse(body);
    read_words(answer);
    read_settings(answer);
    (void)rest_answer_is_from_catalog(answer);
    json_decref(answer);
    struct rest_token token = {0};
    struct error err = {0};
    if (rest_token_read(body, &token, &err) != (token.text != NULL)) {
        abort();
    }
    free(token.text);
    return 0;
}
