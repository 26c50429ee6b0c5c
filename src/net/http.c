#include "net/http.h"

#include <assert.h>
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    CONNECT_TIMEOUT_MS = 10 * 1000,
    TIMEOUT_MS = 60 * 1000,
    ANSWER_SIZE_MAX = 64 << 20,
    RETRY_AFTER_S_MAX = 24 * 3600,
    /* How long a connection may have been idle to be used again. Servers close idle ones, often
     * after half a minute; what is sent just then has an unknown outcome unless it may be repeated.
     */
    IDLE_S_MAX = 60,
    IDLE_UNSAFE_S_MAX = 10,
};

struct http_client {
    CURL *curl;
    struct http_options options;
    char *ca_file;
    char reason[CURL_ERROR_SIZE];
};

/* One request under way. */
struct exchange {
    struct http_client *client;
    const struct http_request *request;
    struct http_answer *answer;
    struct curl_slist *headers;
    CURLU *url;
    bool is_safe;    /* GET, HEAD: may go out again when a kept connection was dead */
    bool is_offered; /* a connection was ready, and the request given to it */
    bool has_head;   /* status and headers of the answer came whole */
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void start_library(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        abort();
    }
}

struct http_client *http_client_new(const struct http_options *options)
{
    (void)pthread_once(&library_once, start_library);
    struct http_client *c = calloc(1, sizeof(*c));
    CURL *curl = curl_easy_init();
    if (!c || !curl) {
        abort();
    }
    c->curl = curl;
    c->options = options ? *options : (struct http_options){0};
    if (c->options.connect_timeout_ms <= 0) {
        c->options.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    }
    if (c->options.timeout_ms <= 0) {
        c->options.timeout_ms = TIMEOUT_MS;
    }
    if (c->options.answer_size_max == 0) {
        c->options.answer_size_max = ANSWER_SIZE_MAX;
    }
    if (c->options.ca_file) {
        c->ca_file = strdup(c->options.ca_file);
        if (!c->ca_file) {
            abort();
        }
    }
    return c;
}

void http_client_free(struct http_client **c)
{
    if (*c) {
        struct http_client *taken = take(*c);
        curl_easy_cleanup(taken->curl);
        free(taken->ca_file);
        free(taken);
    }
}

void http_answer_release(struct http_answer *a)
{
    buf_release(&a->body);
    *a = (struct http_answer){.retry_after_ms = -1};
}

/* ---- what is said of a failure ---- */

/* "POST host:port/path": nothing that may be secret. */
static void describe(const struct exchange *x, char *text, size_t size)
{
    char *host = NULL;
    char *port = NULL;
    char *path = NULL;
    if (!x->url || curl_url_get(x->url, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        (void)snprintf(text, size, "%s of a URL that cannot be read", x->request->method);
        return;
    }
    (void)curl_url_get(x->url, CURLUPART_PORT, &port, 0);
    (void)curl_url_get(x->url, CURLUPART_PATH, &path, 0);
    (void)snprintf(text, size, "%s %s%s%s%.256s", x->request->method, host, port ? ":" : "",
                   port ? port : "", path ? path : "");
    curl_free(host);
    curl_free(port);
    curl_free(path);
}

static bool refuse(const struct exchange *x, const char *reason, struct error *err)
{
    char what[512];
    describe(x, what, sizeof(what));
    return error_set(err, ERROR_CONFIG, "%s: %s", what, reason);
}

/* The library says "could not resolve" both for a name that does not exist and for a name server
 * that does not answer just now. */
static bool host_is_unknown(const struct exchange *x)
{
    char *host = NULL;
    if (!x->url || curl_url_get(x->url, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        return true;
    }
    struct addrinfo *found = NULL;
    int code = getaddrinfo(host, NULL, &(struct addrinfo){.ai_socktype = SOCK_STREAM}, &found);
    if (code == 0) {
        freeaddrinfo(found);
    }
    curl_free(host);
    return code == EAI_NONAME || code == EAI_NODATA || code == EAI_ADDRFAMILY;
}

/* Whether a failure before anything was sent will be the same next time. */
static bool is_permanent(const struct exchange *x, CURLcode code)
{
    static const CURLcode permanent[] = {
        CURLE_UNSUPPORTED_PROTOCOL,
        CURLE_URL_MALFORMAT,
        CURLE_LOGIN_DENIED,
        CURLE_NOT_BUILT_IN,
        CURLE_PEER_FAILED_VERIFICATION,
        CURLE_SSL_CACERT_BADFILE,
        CURLE_SSL_CERTPROBLEM,
        CURLE_SSL_ISSUER_ERROR,
        CURLE_SSL_CIPHER,
        CURLE_SSL_ENGINE_NOTFOUND,
        CURLE_SSL_INVALIDCERTSTATUS,
    };
    for (size_t i = 0; i < sizeof(permanent) / sizeof(permanent[0]); i++) {
        if (permanent[i] == code) {
            return true;
        }
    }
    return code == CURLE_COULDNT_RESOLVE_HOST && host_is_unknown(x);
}

static bool fail(const struct exchange *x, CURLcode code, struct error *err)
{
    const struct http_client *c = x->client;
    if (code == CURLE_OUT_OF_MEMORY) {
        abort();
    }
    long sent = 0; /* bytes of the request that the connection took */
    long os_error = 0;
    (void)curl_easy_getinfo(c->curl, CURLINFO_REQUEST_SIZE, &sent);
    (void)curl_easy_getinfo(c->curl, CURLINFO_OS_ERRNO, &os_error);
    char reason[CURL_ERROR_SIZE + 64];
    if (x->answer->body.failed || code == CURLE_FILESIZE_EXCEEDED) {
        (void)snprintf(reason, sizeof(reason), "the answer is larger than %llu bytes",
                       (unsigned long long)c->options.answer_size_max);
    } else if (code == CURLE_COULDNT_CONNECT && os_error != 0) {
        const char *text = strerrordesc_np((int)os_error);
        (void)snprintf(reason, sizeof(reason), "%s", text ? text : "cannot connect");
    } else if (code == CURLE_ABORTED_BY_CALLBACK) {
        (void)snprintf(reason, sizeof(reason), "the kept connection died");
    } else {
        (void)snprintf(reason, sizeof(reason), "%s",
                       c->reason[0] ? c->reason : curl_easy_strerror(code));
    }
    char what[512];
    describe(x, what, sizeof(what));
    if (x->is_offered && sent > 0) {
        return error_set(err, ERROR_UNKNOWN, "%s was sent, but not answered whole: %s", what,
                         reason);
    }
    return error_set(err, is_permanent(x, code) ? ERROR_CONFIG : ERROR_RETRY,
                     "%s could not be sent: %s", what, reason);
}

/* ---- one exchange ---- */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;
    buf_append(&x->answer->body, data, size * count);
    return x->answer->body.failed ? 0 : size * count; /* 0 ends the transfer */
}

/* Called with each line of the answer's head, the empty one at its end too. The library takes a
 * head that breaks off for a whole one. */
static size_t on_head(char *line, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;
    size_t length = size * count;
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        x->has_head = false; /* another one, after an interim answer */
    } else if (length > 0 && (line[0] == '\r' || line[0] == '\n')) {
        x->has_head = true;
    }
    return length;
}

/* Called each time a connection is ready for the request. The library repeats a request of any
 * method when a kept connection ends before the first byte of an answer, although the server may
 * have done what was asked: only here can that be stopped. */
static int on_connection(void *arg, char *address, char *own_address, int port, int own_port)
{
    (void)address;
    (void)own_address;
    (void)port;
    (void)own_port;
    struct exchange *x = arg;
    long sent = 0;
    (void)curl_easy_getinfo(x->client->curl, CURLINFO_REQUEST_SIZE, &sent);
    if (x->is_offered && sent > 0 && !x->is_safe) {
        return CURL_PREREQFUNC_ABORT;
    }
    x->is_offered = true;
    return CURL_PREREQFUNC_OK;
}

static void add_header(struct exchange *x, const char *line)
{
    struct curl_slist *longer = curl_slist_append(x->headers, line);
    if (!longer) {
        abort();
    }
    x->headers = longer;
}

/* A line break in a header's value would begin another header. */
static bool collect_headers(struct exchange *x, struct error *err)
{
    bool has_content_type = false;
    for (const char *const *h = x->request->headers; h && *h; h++) {
        for (const char *p = *h; *p; p++) {
            if (iscntrl((unsigned char)*p) && *p != '\t') {
                char reason[128];
                (void)snprintf(reason, sizeof(reason),
                               "the header \"%.*s\" has a line break or control character",
                               (int)strcspn(*h, ":\r\n"), *h);
                return refuse(x, reason, err);
            }
        }
        has_content_type |= strncasecmp(*h, "content-type:", 13) == 0;
        add_header(x, *h);
    }
    add_header(x, "Expect:"); /* no waiting for "100 Continue" */
    if (!has_content_type) {
        add_header(x, "Content-Type:"); /* no invented one */
    }
    return true;
}

static bool parse_url(struct exchange *x, struct error *err)
{
    x->url = curl_url();
    if (!x->url) {
        abort();
    }
    CURLUcode code = curl_url_set(x->url, CURLUPART_URL, x->request->url, 0);
    if (code != CURLUE_OK) {
        curl_url_cleanup(take(x->url));
        char reason[128];
        (void)snprintf(reason, sizeof(reason), "%s", curl_url_strerror(code));
        return refuse(x, reason, err);
    }
    char *scheme = NULL;
    char *user = NULL;
    bool is_web = curl_url_get(x->url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                  (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    bool has_user = curl_url_get(x->url, CURLUPART_USER, &user, 0) == CURLUE_OK;
    curl_free(scheme);
    curl_free(user);
    if (!is_web) {
        return refuse(x, "the URL is neither http:// nor https://", err);
    }
    if (has_user) {
        return refuse(x, "the URL has a user name or password in it", err);
    }
    return true;
}

#define set_option(c, option, value)                                      \
    do {                                                                  \
        if (curl_easy_setopt((c)->curl, (option), (value)) != CURLE_OK) { \
            abort(); /* out of memory, or an option it does not have */   \
        }                                                                 \
    } while (0)

static void set_client_options(struct http_client *c)
{
    set_option(c, CURLOPT_NOSIGNAL, 1L);
    set_option(c, CURLOPT_ERRORBUFFER, c->reason);
    set_option(c, CURLOPT_USERAGENT, "leat/" LEAT_VERSION);
    set_option(c, CURLOPT_PROXY, "");
    set_option(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    set_option(c, CURLOPT_FOLLOWLOCATION, 0L);
    set_option(c, CURLOPT_PATH_AS_IS, 1L);
    set_option(c, CURLOPT_TCP_KEEPALIVE, 1L);
    set_option(c, CURLOPT_CONNECTTIMEOUT_MS, (long)c->options.connect_timeout_ms);
    set_option(c, CURLOPT_TIMEOUT_MS, (long)c->options.timeout_ms);
    set_option(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)c->options.answer_size_max);
    set_option(c, CURLOPT_SSL_VERIFYPEER, c->options.insecure ? 0L : 1L);
    set_option(c, CURLOPT_SSL_VERIFYHOST, c->options.insecure ? 0L : 2L);
    if (c->ca_file) {
        set_option(c, CURLOPT_CAINFO, c->ca_file);
        set_option(c, CURLOPT_CAPATH, NULL);
    }
    if (c->options.accept_gzip) {
        set_option(c, CURLOPT_ACCEPT_ENCODING, "gzip");
    }
}

static void set_request_options(struct exchange *x)
{
    struct http_client *c = x->client;
    const struct http_request *r = x->request;
    if (strcmp(r->method, "HEAD") == 0) {
        set_option(c, CURLOPT_NOBODY, 1L);
    } else if (r->body.data || strcmp(r->method, "POST") == 0 || strcmp(r->method, "PUT") == 0) {
        set_option(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.size);
        set_option(c, CURLOPT_POSTFIELDS, r->body.data ? r->body.data : "");
        set_option(c, CURLOPT_CUSTOMREQUEST, r->method);
    } else {
        set_option(c, CURLOPT_HTTPGET, 1L);
        set_option(c, CURLOPT_CUSTOMREQUEST, r->method);
    }
    set_option(c, CURLOPT_CURLU, x->url);
    set_option(c, CURLOPT_HTTPHEADER, x->headers);
    set_option(c, CURLOPT_MAXAGE_CONN, (long)(x->is_safe ? IDLE_S_MAX : IDLE_UNSAFE_S_MAX));
    set_option(c, CURLOPT_WRITEFUNCTION, on_body);
    set_option(c, CURLOPT_WRITEDATA, x);
    set_option(c, CURLOPT_HEADERFUNCTION, on_head);
    set_option(c, CURLOPT_HEADERDATA, x);
    set_option(c, CURLOPT_PREREQFUNCTION, on_connection);
    set_option(c, CURLOPT_PREREQDATA, x);
}

/* -1 without the header; "0" is said too, which CURLINFO_RETRY_AFTER does not tell from none. */
static int64_t retry_after_ms(struct http_client *c)
{
    struct curl_header *header = NULL;
    curl_off_t seconds = 0;
    if (curl_easy_header(c->curl, "Retry-After", 0, CURLH_HEADER, -1, &header) != CURLHE_OK ||
        curl_easy_getinfo(c->curl, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds < 0) {
        return -1;
    }
    return 1000 * (int64_t)(seconds < RETRY_AFTER_S_MAX ? seconds : RETRY_AFTER_S_MAX);
}

static void read_head(struct exchange *x)
{
    struct http_client *c = x->client;
    long status = 0;
    const char *type = NULL;
    (void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(c->curl, CURLINFO_CONTENT_TYPE, &type);
    x->answer->status = (int)status;
    (void)snprintf(x->answer->content_type, sizeof(x->answer->content_type), "%s",
                   type ? type : "");
    x->answer->retry_after_ms = retry_after_ms(c);
}

static bool perform(struct exchange *x, struct error *err)
{
    struct http_client *c = x->client;
    if (!parse_url(x, err) || !collect_headers(x, err)) {
        return false;
    }
    c->reason[0] = '\0';
    set_client_options(c);
    set_request_options(x);
    CURLcode code = curl_easy_perform(c->curl);
    if (code == CURLE_OK && !x->has_head) {
        code = CURLE_PARTIAL_FILE;
    }
    if (code != CURLE_OK) {
        return fail(x, code, err);
    }
    read_head(x);
    return true;
}

bool http_send(struct http_client *c, const struct http_request *request,
               struct http_answer *answer, struct error *err)
{
    assert(request->method && request->url);

    *answer = (struct http_answer){.retry_after_ms = -1,
                                   .body.size_max = (size_t)c->options.answer_size_max};
    struct exchange x = {
        .client = c,
        .request = request,
        .answer = answer,
        .is_safe = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0,
    };
    bool done = perform(&x, err);
    curl_easy_reset(c->curl); /* keeps connections, forgets what was borrowed */
    curl_slist_free_all(x.headers);
    curl_url_cleanup(x.url);
    if (!done) {
        http_answer_release(answer);
    }
    return done;
}

void http_append_encoded(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool is_plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                        (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (is_plain) {
            buf_append_char(out, (char)c);
        } else {
            buf_append_format(out, "%%%02X", c);
        }
    }
}
