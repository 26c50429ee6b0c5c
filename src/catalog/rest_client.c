#include "catalog/rest_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Metadata comes whole with each load and commit; a thousand snapshots are about one MiB. */
enum { ANSWER_SIZE_MAX = 128 << 20 };

void rest_client_release(struct rest_client *c)
{
    http_client_free(&c->http);
    rest_auth_free(&c->auth);
    arena_release(&c->arena);
}

static bool send_once(struct rest_client *c, const char *url, const char *body,
                      struct http_answer *answer, struct error *err)
{
    const char *header = NULL;
    if (!rest_auth_header(c->auth, c->http, &header, err)) {
        return false;
    }
    const char *headers[4] = {"Accept: application/json"};
    size_t count = 1;
    if (body) {
        headers[count++] = "Content-Type: application/json";
    }
    headers[count] = header; /* may end the list */
    struct http_request request = {.method = body ? "POST" : "GET", .url = url, .headers = headers};
    if (body) {
        request.body = str_from(body);
    }
    return http_send(c->http, &request, answer, err);
}

/* A refused token says that nothing was done, so the request may go again with another one. */
static bool send_renewing(struct rest_client *c, const char *url, const char *body,
                          struct http_answer *answer, struct error *err)
{
    if (!send_once(c, url, body, answer, err)) {
        return false;
    }
    if (answer->status == 401 && rest_auth_renew(c->auth)) {
        http_answer_release(answer);
        return send_once(c, url, body, answer, err);
    }
    if (answer->status == 419) {
        (void)rest_auth_renew(c->auth); /* for the caller's next attempt */
    }
    return true;
}

static bool send_to(struct rest_client *c, const char *url, const json_t *body,
                    struct rest_answer *answer, struct error *err)
{
    *answer = (struct rest_answer){.is_write = body};
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    if (body && !text) {
        return error_set(err, ERROR_FATAL, "a request to the catalog is not JSON");
    }
    struct http_answer http = {0};
    bool done = send_renewing(c, url, text, &http, err);
    if (done) {
        answer->status = http.status;
        answer->retry_after_ms = http.retry_after_ms;
        answer->json = rest_answer_parse(buf_str(&http.body));
    } else if (!body && err->kind == ERROR_UNKNOWN) {
        (void)error_recast(err, ERROR_RETRY);
    }
    http_answer_release(&http);
    free(text);
    return done;
}

bool rest_client_send(struct rest_client *c, const char *path, const json_t *body,
                      struct rest_answer *answer, struct error *err)
{
    struct buf url = {0};
    buf_append_format(&url, "%s/v1/%s%s", c->settings.uri, c->settings.prefix, path);
    bool done = send_to(c, buf_text(&url), body, answer, err);
    buf_release(&url);
    return done;
}

bool rest_client_refuse(const struct rest_client *c, const struct rest_answer *answer,
                        struct error *err)
{
    char words[REST_WORDS_SIZE];
    rest_answer_words(answer->json, words);
    if (rest_auth_is_quoted(c->auth, words)) {
        words[0] = '\0';
    }
    char when[48] = "";
    if (answer->retry_after_ms > 0) {
        (void)snprintf(when, sizeof(when), " (again after %lld s)",
                       (long long)(answer->retry_after_ms / 1000));
    }
    const char *what = answer->status >= 300 && answer->status < 400
                           ? " (a redirect, which is not followed)"
                           : when;
    return error_set(err, rest_answer_kind(answer->status, answer->is_write),
                     "the catalog answered %d%s%s%s", answer->status, words[0] ? " " : "", words,
                     what);
}

/* ---- settings ---- */

static bool fetch_settings(struct rest_client *c, const struct catalog_config *config,
                           struct error *err)
{
    struct buf path = {0};
    buf_append_text(&path, "config");
    if (config->warehouse) {
        buf_append_text(&path, "?warehouse=");
        http_append_encoded(str_from(config->warehouse), &path);
    }
    struct rest_answer answer;
    bool done = rest_client_send(c, buf_text(&path), NULL, &answer, err);
    if (done && answer.status != 200) {
        done = rest_client_refuse(c, &answer, err);
    } else if (done && !answer.json) {
        done = error_set(err, ERROR_CONFIG, "what answers there is not an Iceberg REST catalog");
    }
    done = done && rest_settings_read(answer.json, config, &c->arena, &c->settings, err);
    rest_answer_release(&answer);
    buf_release(&path);
    return done || error_wrap(err, "catalog %s", c->settings.uri);
}

bool rest_client_open(struct rest_client *c, const struct catalog_config *config, struct error *err)
{
    if (!rest_settings_initial(config, &c->arena, &c->settings, err)) {
        return false;
    }
    c->http = http_client_new(&(struct http_options){.timeout_ms = config->timeout_ms,
                                                     .answer_size_max = ANSWER_SIZE_MAX,
                                                     .ca_file = config->ca_file,
                                                     .accept_gzip = true});
    c->auth = rest_auth_new(config, err);
    return c->auth && fetch_settings(c, config, err);
}

/* ---- paths ---- */

/* A part of a name as one segment of a path. Servers and proxies resolve "." and "..". */
static bool append_part(const char *part, struct buf *path, struct error *err)
{
    if (!*part || strcmp(part, ".") == 0 || strcmp(part, "..") == 0) {
        return error_set(err, ERROR_CONFIG, "\"%s\" cannot be a name in a REST catalog", part);
    }
    http_append_encoded(str_from(part), path);
    return true;
}

bool rest_client_append_namespace(const struct rest_client *c, const struct iceberg_name *name,
                                  uint32_t level_count, struct buf *path, struct error *err)
{
    if (level_count == 0) {
        return error_set(err, ERROR_CONFIG, "a table of a REST catalog needs a namespace");
    }
    buf_append_text(path, "namespaces/");
    for (uint32_t i = 0; i < level_count; i++) {
        const char *level = name->namespace[i];
        if (strstr(level, c->settings.separator_text)) {
            return error_set(err, ERROR_CONFIG,
                             "namespace level \"%s\" holds the separator of this catalog", level);
        }
        buf_append_text(path, i > 0 ? c->settings.separator : "");
        if (!append_part(level, path, err)) {
            return false;
        }
    }
    return true;
}

bool rest_client_append_table(const struct rest_client *c, const struct iceberg_name *name,
                              struct buf *path, struct error *err)
{
    if (!rest_client_append_namespace(c, name, name->level_count, path, err)) {
        return false;
    }
    buf_append_text(path, "/tables/");
    return append_part(name->table, path, err);
}
