#include "catalog/rest_settings.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"

static const char *without_slashes(struct arena *a, const char *text)
{
    size_t size = strlen(text);
    while (size > 0 && text[size - 1] == '/') {
        size--;
    }
    return arena_string(a, text, size);
}

bool rest_settings_initial(const struct catalog_config *config, struct arena *a,
                           struct rest_settings *out, struct error *err)
{
    *out = (struct rest_settings){
        .uri = "", .prefix = "", .separator = "%1F", .separator_text = "\x1F"};
    if (!config->uri) {
        return error_set(err, ERROR_CONFIG, "a REST catalog needs its uri");
    }
    if (strpbrk(config->uri, "@?#")) {
        return error_set(err, ERROR_CONFIG,
                         "the uri of a REST catalog has no user, query or fragment in it");
    }
    out->uri = without_slashes(a, config->uri);
    return true;
}

/* The value that holds: defaults < ours < overrides; NULL: none. */
static bool find_setting(const json_t *answer, const char *key, const char *ours,
                         const char **value, struct error *err)
{
    const json_t *chosen = json_object_get(json_object_get(answer, "overrides"), key);
    *value = ours;
    if (json_is_null(chosen) || !chosen) {
        chosen = ours ? NULL : json_object_get(json_object_get(answer, "defaults"), key);
    }
    if (!chosen || json_is_null(chosen)) {
        return true;
    }
    *value = json_string_value(chosen);
    return *value || error_set(err, ERROR_CONFIG, "the catalog's setting \"%s\" is not text", key);
}

/* What may stand in a path as it is. A prefix comes encoded where it has to be: S3 Tables says
 * "arn%3Aaws...", Glue "catalogs/123". */
static bool is_path_text(const char *text)
{
    for (const char *p = text; *p; p++) {
        if (!isalnum((unsigned char)*p) && !strchr("/%-._~:@!$&'()*+,;=", *p)) {
            return false;
        }
    }
    return true;
}

/* The length of "http://host:port", or 0. */
static size_t origin_size(const char *uri)
{
    const char *host = strstr(uri, "://");
    return host ? (size_t)(host - uri) + 3 + strcspn(host + 3, "/?#") : 0;
}

static bool is_same_origin(const char *a, const char *b)
{
    size_t size = origin_size(a);
    return size > 0 && size == origin_size(b) && strncasecmp(a, b, size) == 0;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *found = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* Percent-decoded; NULL: not well encoded, or with a NUL. */
static const char *decode(struct arena *a, const char *text)
{
    char *out = arena_string(a, text, strlen(text));
    char *end = out;
    for (const char *p = text; *p; p++) {
        if (*p != '%') {
            *end++ = *p;
            continue;
        }
        int high = hex_digit(p[1]);
        int low = high < 0 ? -1 : hex_digit(p[2]);
        if (low < 0 || high + low == 0) {
            return NULL;
        }
        *end++ = (char)(16 * high + low);
        p += 2;
    }
    *end = '\0';
    return out;
}

static bool use_separator(const char *separator, struct arena *a, struct rest_settings *out,
                          struct error *err)
{
    const char *text = decode(a, separator);
    if (!text || !*text || !is_path_text(separator) || strchr(separator, '/')) {
        return error_set(err, ERROR_CONFIG, "the catalog's namespace separator is \"%.16s\"",
                         separator);
    }
    out->separator = arena_string(a, separator, strlen(separator));
    out->separator_text = text;
    return true;
}

bool rest_settings_read(const json_t *answer, const struct catalog_config *config, struct arena *a,
                        struct rest_settings *out, struct error *err)
{
    const char *prefix = NULL;
    const char *separator = NULL;
    const char *uri = NULL;
    if (!find_setting(answer, "prefix", config->prefix, &prefix, err) ||
        !find_setting(answer, "namespace-separator", NULL, &separator, err) ||
        !find_setting(answer, "uri", config->uri, &uri, err)) {
        return false;
    }
    if (prefix) {
        prefix += strspn(prefix, "/");
        if (!is_path_text(prefix)) {
            return error_set(err, ERROR_CONFIG,
                             "the catalog's prefix cannot stand in a path: %.64s", prefix);
        }
        prefix = without_slashes(a, prefix);
        out->prefix = *prefix ? arena_format(a, "%s/", prefix) : "";
    }
    if (separator && !use_separator(separator, a, out, err)) {
        return false;
    }
    if (uri && is_same_origin(uri, out->uri) && is_path_text(uri + origin_size(uri))) {
        out->uri = without_slashes(a, uri);
    }
    return true;
}
