/* An HTTP server of a test on a free loopback port that does what a script says, request by
 * request: answers, stays silent, closes too early. It keeps what it was sent. */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"

enum scripted_end {
    THEN_KEEP,  /* the connection, for the next request */
    THEN_CLOSE, /* at once */
    THEN_WAIT,  /* until the client goes */
};

struct scripted_step {
    const char *answer; /* bytes to send when the request has come whole; NULL: none */
    size_t filler;      /* so many "x" after them */
    enum scripted_end then;
};

enum { SCRIPTED_REQUESTS_MAX = 32 };

struct scripted_server {
    const struct scripted_step *steps;
    size_t step_count;
    int listener;
    int stop[2]; /* a pipe; its end says stop */
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t mutex; /* of what follows */
    struct buf requests[SCRIPTED_REQUESTS_MAX];
    size_t request_count;
    size_t connection_count;
};

/* False: the server is to stop. */
static inline bool scripted_wait(struct scripted_server *s, int fd)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = s->stop[0], .events = POLLIN}};
    return poll(fds, 2, -1) > 0 && fds[1].revents == 0;
}

/* Size of the request at the start of `text`, or 0 while it is not whole. */
static inline size_t scripted_request_size(const struct buf *text)
{
    const char *end = strstr(buf_text(text), "\r\n\r\n");
    if (!end) {
        return 0;
    }
    size_t size = (size_t)(end + 4 - buf_text(text));
    const char *length = strcasestr(buf_text(text), "\r\ncontent-length:");
    if (length && length < end) {
        size += strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
    }
    return text->size >= size ? size : 0;
}

/* False: the client went, or the server is to stop. */
static inline bool scripted_read(struct scripted_server *s, int fd, struct buf *request)
{
    char chunk[4096];
    while (scripted_request_size(request) == 0) {
        if (!scripted_wait(s, fd)) {
            return false;
        }
        ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
        if (n <= 0) {
            return false;
        }
        buf_append(request, chunk, (size_t)n);
    }
    return true;
}

static inline void scripted_send(int fd, const struct scripted_step *step)
{
    if (step->answer) {
        (void)send(fd, step->answer, strlen(step->answer), MSG_NOSIGNAL);
    }
    char filler[4096];
    memset(filler, 'x', sizeof(filler));
    for (size_t left = step->filler; left > 0;) {
        ssize_t n = send(fd, filler, left < sizeof(filler) ? left : sizeof(filler), MSG_NOSIGNAL);
        if (n <= 0) {
            return; /* the client has enough */
        }
        left -= (size_t)n;
    }
}

static inline void scripted_serve(struct scripted_server *s, int fd)
{
    static const struct scripted_step off_script = {
        .answer = "HTTP/1.1 500 Off Script\r\nContent-Length: 0\r\n\r\n", .then = THEN_CLOSE};
    for (;;) {
        struct buf request = {0};
        if (!scripted_read(s, fd, &request)) {
            buf_release(&request);
            return;
        }
        (void)pthread_mutex_lock(&s->mutex);
        size_t number = s->request_count;
        if (number == SCRIPTED_REQUESTS_MAX) {
            abort();
        }
        s->requests[s->request_count++] = request;
        (void)pthread_mutex_unlock(&s->mutex);
        const struct scripted_step *step = number < s->step_count ? &s->steps[number] : &off_script;
        scripted_send(fd, step);
        if (step->then == THEN_WAIT) {
            char byte = 0;
            while (scripted_wait(s, fd) && recv(fd, &byte, 1, 0) > 0) {
            }
        }
        if (step->then != THEN_KEEP) {
            return;
        }
    }
}

static inline void *scripted_run(void *arg)
{
    struct scripted_server *s = arg;
    while (scripted_wait(s, s->listener)) {
        int fd = accept(s->listener, NULL, NULL);
        if (fd < 0) {
            continue;
        }
        (void)pthread_mutex_lock(&s->mutex);
        s->connection_count++;
        (void)pthread_mutex_unlock(&s->mutex);
        scripted_serve(s, fd);
        (void)close(fd);
    }
    return NULL;
}

/* A bound socket that nobody listens at, until listen() is called on it. */
static inline int scripted_bind(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        abort();
    }
    *port = ntohs(address.sin_port);
    return fd;
}

/* `steps` must outlive the server. */
static inline void scripted_start(struct scripted_server *s, const struct scripted_step *steps,
                                  size_t step_count)
{
    *s = (struct scripted_server){.steps = steps, .step_count = step_count};
    s->listener = scripted_bind(&s->port);
    (void)pthread_mutex_init(&s->mutex, NULL);
    if (listen(s->listener, 8) != 0 || pipe(s->stop) != 0 ||
        pthread_create(&s->thread, NULL, scripted_run, s) != 0) {
        abort();
    }
}

/* Afterwards nothing of the server is left. */
static inline void scripted_stop(struct scripted_server *s)
{
    if (!s->steps) {
        return;
    }
    (void)close(s->stop[1]);
    (void)pthread_join(s->thread, NULL);
    (void)close(s->stop[0]);
    (void)close(s->listener);
    (void)pthread_mutex_destroy(&s->mutex);
    for (size_t i = 0; i < s->request_count; i++) {
        buf_release(&s->requests[i]);
    }
    s->steps = NULL;
}

static inline size_t scripted_request_count(struct scripted_server *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    size_t count = s->request_count;
    (void)pthread_mutex_unlock(&s->mutex);
    return count;
}

static inline size_t scripted_connection_count(struct scripted_server *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    size_t count = s->connection_count;
    (void)pthread_mutex_unlock(&s->mutex);
    return count;
}

/* The n-th request as it came; "" when there were fewer. Good until the server is stopped. */
static inline const char *scripted_request(struct scripted_server *s, size_t n)
{
    (void)pthread_mutex_lock(&s->mutex);
    const char *text = n < s->request_count ? buf_text(&s->requests[n]) : "";
    (void)pthread_mutex_unlock(&s->mutex);
    return text;
}
