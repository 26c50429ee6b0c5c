#include "observe/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"

enum {
    CONNECTIONS_MAX = 64,
    CONNECTION_MEMORY = 16384, /* bytes of request line and headers */
    TIMEOUT_S = 15,            /* without any traffic */
    BACKLOG = 32,
    BODY_MAX = 64 << 20,
};

struct http {
    struct MHD_Daemon *daemon;
    struct arena arena;
    const struct http_page *pages;
    size_t page_count;
    uint16_t port;
};

static const struct http_page *find_page(const struct http *h, const char *path)
{
    for (size_t i = 0; i < h->page_count; i++) {
        if (strcmp(h->pages[i].path, path) == 0) {
            return &h->pages[i];
        }
    }
    return NULL;
}

static void answer_not_found(const struct http *h, struct http_reply *reply)
{
    reply->status = MHD_HTTP_NOT_FOUND;
    buf_append_text(&reply->body, "not found; there is:");
    for (size_t i = 0; i < h->page_count; i++) {
        buf_append_format(&reply->body, " %s", h->pages[i].path);
    }
    buf_append_char(&reply->body, '\n');
}

/* Hands the reply's body over. Without memory for it the connection is closed. */
static enum MHD_Result send_reply(struct MHD_Connection *connection, struct http_reply *reply)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->body.size, reply->body.data, MHD_RESPMEM_MUST_COPY);
    if (!response) {
        return MHD_NO;
    }
    enum MHD_Result done =
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type);
    if (done == MHD_YES && reply->status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        done = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    if (done == MHD_YES) {
        done = MHD_queue_response(connection, reply->status, response);
    }
    MHD_destroy_response(response);
    return done;
}

/* NOLINTNEXTLINE(readability-function-size): the library says what its parameters are */
static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    (void)version;
    (void)upload;
    const struct http *h = arg;
    struct http_reply reply = {.status = MHD_HTTP_OK,
                               .content_type = "text/plain; charset=utf-8",
                               .body = {.size_max = BODY_MAX}};
    bool allowed = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    if (allowed && !*state) {
        *state = arg; /* first the headers; the answer is for the next call, after any body */
        return MHD_YES;
    }
    if (allowed && *upload_size > 0) {
        *upload_size = 0; /* nobody wants the body of a GET */
        return MHD_YES;
    }
    const struct http_page *page = find_page(h, url);
    if (!allowed) {
        reply.status = MHD_HTTP_METHOD_NOT_ALLOWED;
        buf_append_text(&reply.body, "only GET and HEAD\n");
    } else if (!page) {
        answer_not_found(h, &reply);
    } else {
        page->answer(page->arg, &reply);
        if (reply.body.failed) {
            buf_clear(&reply.body);
            reply.status = MHD_HTTP_INTERNAL_SERVER_ERROR;
            buf_append_text(&reply.body, "the page is too large\n");
        }
    }
    enum MHD_Result done = send_reply(connection, &reply);
    buf_release(&reply.body);
    return done;
}

/* A listening socket, or -1 with errno. */
static int listen_at(const struct addrinfo *a)
{
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (a->ai_family == AF_INET6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int));
    }
    if (bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        int reason = errno;
        (void)close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

/* Opens the socket of "host:port". Without a host: all interfaces by one IPv6 socket that takes
 * IPv4 too, or by IPv4 where the machine has no IPv6. */
static int open_socket(const char *listen, struct error *err)
{
    char host[256] = "";
    const char *colon = strrchr(listen, ':');
    size_t size = colon ? (size_t)(colon - listen) : 0;
    const char *from = listen;
    if (size >= 2 && from[0] == '[' && from[size - 1] == ']') {
        from++;
        size -= 2;
    }
    if (!colon || size >= sizeof(host)) {
        (void)error_set(err, ERROR_CONFIG, "cannot listen on \"%s\": not host:port", listen);
        return -1;
    }
    memcpy(host, from, size);

    struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    static const int families[] = {AF_INET6, AF_INET};
    int reason = EADDRNOTAVAIL;
    for (size_t i = 0; i < 2; i++) {
        hints.ai_family = *host ? AF_UNSPEC : families[i];
        struct addrinfo *addresses = NULL;
        int code = getaddrinfo(*host ? host : NULL, colon + 1, &hints, &addresses);
        if (code != 0 && *host) {
            (void)error_set(err, ERROR_CONFIG, "cannot listen on \"%s\": %s", listen,
                            gai_strerror(code));
            return -1;
        }
        for (const struct addrinfo *a = code == 0 ? addresses : NULL; a; a = a->ai_next) {
            int fd = listen_at(a);
            if (fd >= 0) {
                freeaddrinfo(addresses);
                return fd;
            }
            reason = errno;
        }
        if (code == 0) {
            freeaddrinfo(addresses);
        }
        if (*host || reason == EADDRINUSE || reason == EACCES) {
            break;
        }
    }
    errno = reason;
    (void)error_errno(err, ERROR_CONFIG, "cannot listen on \"%s\"", listen);
    return -1;
}

static uint16_t port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } address = {0};
    socklen_t size = sizeof(address);
    if (getsockname(fd, &address.any, &size) != 0) {
        return 0;
    }
    return ntohs(address.any.sa_family == AF_INET6 ? address.ipv6.sin6_port
                                                   : address.ipv4.sin_port);
}

struct http *http_start(const char *listen, const struct http_page *pages, size_t count,
                        struct error *err)
{
    int fd = open_socket(listen, err);
    if (fd < 0) {
        return NULL;
    }
    struct http *h = calloc(1, sizeof(*h));
    if (!h) {
        abort();
    }
    h->pages = arena_copy(&h->arena, pages, count * sizeof(*pages));
    h->page_count = count;
    h->port = port_of(fd);
    h->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL, handle, h,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S, MHD_OPTION_END);
    if (!h->daemon) {
        (void)error_errno(err, ERROR_FATAL, "cannot start the HTTP server on \"%s\"", listen);
        arena_release(&h->arena);
        free(h);
        return NULL;
    }
    return h; /* the daemon has taken the socket, also when it could not start */
}

uint16_t http_port(const struct http *h)
{
    return h->port;
}

void http_stop(struct http **h)
{
    if (*h) {
        struct http *taken = take(*h);
        MHD_stop_daemon(taken->daemon);
        arena_release(&taken->arena);
        free(taken);
    }
}
