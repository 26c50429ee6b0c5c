#include "source/mysql/dump.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "source/mysql/dump_parts.h"

enum {
    BUFFER_BYTES = 8 << 20, /* received ahead of decoding; one larger packet fits alone */
    READ_TIMEOUT_MS = 60000 /* heartbeats come each second */
};

/* Packets, each behind its size. */
struct packets {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t offset; /* of the next one to read */
};

struct dump {
    MYSQL *connection; /* of the receiving thread, once it runs */
    uint32_t server_id;
    bool has_checksum;
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct packets filling; /* locked */
    bool ended;             /* locked: nothing more comes */
    bool stop;              /* locked */
    struct error error;     /* locked: why it ended, unless the log ended */

    struct packets reading; /* of the caller */
};

static void append_packet(struct packets *p, const void *data, size_t size)
{
    uint64_t header = size;
    size_t need = p->size + sizeof(header) + size;
    if (need > p->capacity) {
        p->capacity = need > 2 * p->capacity ? need : 2 * p->capacity;
        p->data = realloc(p->data, p->capacity);
        if (!p->data) {
            abort();
        }
    }
    memcpy(p->data + p->size, &header, sizeof(header));
    memcpy(p->data + p->size + sizeof(header), data, size);
    p->size = need;
}

/* Receives one packet: its bytes behind the first, which says what it is. False: the stream ended,
 * `err` says why, unless it was its end. */
static bool receive(struct dump *d, struct str *out, struct error *err)
{
    unsigned long size = mysql_net_read_packet(d->connection);
    const uint8_t *packet = d->connection->net.read_pos;
    if (size == packet_error || size == 0) {
        my_connection_error(d->connection, err);
        if (err->kind == ERROR_NONE) {
            (void)error_set(err, ERROR_RETRY, "the connection that reads the log broke");
        }
        if (strstr(err->message, "same server_")) {
            (void)error_wrap(err,
                             "another reader of the server's log also has the number %u: give each "
                             "pipeline its own (server_id)",
                             d->server_id);
        }
        return false;
    }
    if (packet[0] == 0xFE && size < 9) {
        return false;
    }
    if (packet[0] != 0) {
        (void)error_set(err, ERROR_FATAL, "the log: a packet that begins with %u", packet[0]);
        return false;
    }
    *out = (struct str){.data = (const char *)packet + 1, .size = size - 1};
    return true;
}

static void *receive_all(void *arg)
{
    struct dump *d = arg;
    struct error error = {0};
    struct str event = {0};
    mysql_thread_init();
    while (receive(d, &event, &error)) {
        pthread_mutex_lock(&d->lock);
        while (!d->stop && d->filling.size > 0 && d->filling.size + event.size > BUFFER_BYTES) {
            pthread_cond_wait(&d->changed, &d->lock);
        }
        bool stop = d->stop;
        if (!stop) {
            bool was_empty = d->filling.size == 0;
            append_packet(&d->filling, event.data, event.size);
            if (was_empty) {
                pthread_cond_signal(&d->changed);
            }
        }
        pthread_mutex_unlock(&d->lock);
        if (stop) {
            break;
        }
    }
    pthread_mutex_lock(&d->lock);
    d->ended = true;
    d->error = error;
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
    mysql_thread_end();
    return NULL;
}

static bool read_checksum(struct dump *d, struct error *err)
{
    owned(my_result_free) MYSQL_RES *r =
        my_connection_query(d->connection, "SELECT @@global.binlog_checksum", err);
    MYSQL_ROW row = r ? mysql_fetch_row(r) : NULL;
    d->has_checksum = row && row[0] && strcmp(row[0], "NONE") != 0;
    return r != NULL;
}

static bool begin(struct dump *d, const struct dump_options *options, struct error *err)
{
    struct my_connection_options connection = options->connection;
    d->server_id = options->server_id;
    connection.read_timeout_ms = READ_TIMEOUT_MS;
    d->connection = my_connection_open(&connection, err);
    if (!d->connection || !read_checksum(d, err) || !dump_request(d->connection, options, err)) {
        return false;
    }
    if (pthread_create(&d->thread, NULL, receive_all, d) != 0) {
        return error_set(err, ERROR_RETRY, "no thread to read the log");
    }
    d->has_thread = true;
    return true;
}

struct dump *dump_open(const struct dump_options *options, struct error *err)
{
    struct dump *d = calloc(1, sizeof(*d));
    pthread_condattr_t attributes;
    if (!d || pthread_condattr_init(&attributes) != 0 ||
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) != 0 ||
        pthread_mutex_init(&d->lock, NULL) != 0 ||
        pthread_cond_init(&d->changed, &attributes) != 0) {
        abort();
    }
    (void)pthread_condattr_destroy(&attributes);
    if (!begin(d, options, err)) {
        error_wrap(err, "cannot read the log");
        dump_free(&d);
    }
    return d;
}

void dump_free(struct dump **dump)
{
    struct dump *d = take(*dump);
    if (!d) {
        return;
    }
    if (d->has_thread) {
        pthread_mutex_lock(&d->lock);
        d->stop = true;
        pthread_cond_broadcast(&d->changed);
        pthread_mutex_unlock(&d->lock);
        /* The thread may wait for the server. */
        (void)shutdown(mysql_get_socket(d->connection), SHUT_RDWR);
        pthread_join(d->thread, NULL);
    }
    my_connection_free(&d->connection);
    pthread_mutex_destroy(&d->lock);
    pthread_cond_destroy(&d->changed);
    free(d->filling.data);
    free(d->reading.data);
    free(d);
}

static struct timespec deadline_after(int timeout_ms)
{
    int64_t at_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    return (struct timespec){.tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000};
}

/* Takes over what was received; false: nothing is there. */
static bool swap_packets(struct dump *d, int timeout_ms, bool *ended, struct error *err)
{
    struct timespec deadline = deadline_after(timeout_ms);
    pthread_mutex_lock(&d->lock);
    while (d->filling.size == 0 && !d->ended && timeout_ms > 0 &&
           pthread_cond_timedwait(&d->changed, &d->lock, &deadline) != ETIMEDOUT) {
    }
    bool has_packets = d->filling.size > 0;
    if (has_packets) {
        struct packets empty = d->reading;
        if (empty.capacity > 2 * (size_t)BUFFER_BYTES) { /* held one packet of that size */
            free(empty.data);
            empty = (struct packets){0};
        }
        empty.size = 0;
        empty.offset = 0;
        d->reading = d->filling;
        d->filling = empty;
        pthread_cond_signal(&d->changed);
    } else if (d->ended) {
        *ended = true;
        *err = d->error;
    }
    pthread_mutex_unlock(&d->lock);
    return has_packets;
}

bool dump_next(struct dump *d, int timeout_ms, struct str *event, bool *ended, struct error *err)
{
    *event = (struct str){0};
    *ended = false;
    struct packets *p = &d->reading;
    if (p->offset == p->size && !swap_packets(d, timeout_ms, ended, err)) {
        return err->kind == ERROR_NONE;
    }
    uint64_t size = 0;
    memcpy(&size, p->data + p->offset, sizeof(size));
    *event = (struct str){.data = (const char *)p->data + p->offset + sizeof(size), .size = size};
    p->offset += sizeof(size) + size;
    return true;
}

bool dump_has_more(struct dump *d)
{
    if (d->reading.offset < d->reading.size) {
        return true;
    }
    pthread_mutex_lock(&d->lock);
    bool more = d->filling.size > 0;
    pthread_mutex_unlock(&d->lock);
    return more;
}

bool dump_has_checksum(const struct dump *d)
{
    return d->has_checksum;
}
