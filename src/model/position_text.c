#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/position_set.h"

enum {
    TEXT_SIZE_MAX = 16 << 20,
    UUID_TEXT_SIZE = 36,
    SHOWN_SIZE_MAX = 100, /* of a text that is refused */
};

static void append_uuid(const uint8_t uuid[16], struct buf *out)
{
    for (int i = 0; i < 16; i++) {
        buf_append_format(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", uuid[i]);
    }
}

void position_source_format(const struct position_source *s, struct buf *out)
{
    if (s->is_mariadb) {
        buf_append_format(out, "%" PRIu32, s->domain);
        return;
    }
    append_uuid(s->uuid, out);
    buf_append_format(out, s->tag[0] ? ":%s" : "%s", s->tag);
}

struct printing {
    struct buf *out;
    const struct position_source *source; /* of the interval before */
};

static bool append_interval(void *arg, const struct position_interval *i)
{
    struct printing *p = arg;
    const struct position_source *before = p->source;
    const struct position_source *source = i->source;
    p->source = source;
    if (source->is_mariadb) {
        buf_append_format(p->out, "%s%" PRIu32 "-%" PRIu32 "-%" PRIu64, before ? "," : "",
                          source->domain, i->server, i->last);
        return true;
    }
    if (!before || memcmp(before->uuid, source->uuid, sizeof(source->uuid)) != 0) {
        buf_append_text(p->out, before ? "," : "");
        append_uuid(source->uuid, p->out);
        before = NULL;
    }
    if (before != source && source->tag[0]) {
        buf_append_format(p->out, ":%s", source->tag);
    }
    buf_append_format(p->out, ":%" PRIu64, i->first);
    if (i->last > i->first) {
        buf_append_format(p->out, "-%" PRIu64, i->last);
    }
    return true;
}

void position_format(struct position p, struct buf *out)
{
    if (p.kind == POSITION_INTEGER) {
        buf_append_format(out, "%" PRIu64, p.integer);
    } else if (p.kind == POSITION_SET && p.open_count == 0 && !p.rest) {
        buf_append_char(out, '-');
    } else {
        struct printing printing = {.out = out};
        (void)position_each(&p, append_interval, &printing);
    }
}

/* Reads from left to right; `failed` sticks. */
struct scan {
    const char *at;
    const char *end;
    bool failed;
};

static void skip_space(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || (*s->at >= '\t' && *s->at <= '\r'))) {
        s->at++;
    }
}

static bool accept(struct scan *s, char c)
{
    skip_space(s);
    if (s->at == s->end || *s->at != c) {
        return false;
    }
    s->at++;
    skip_space(s);
    return true;
}

static bool is_digit(const struct scan *s)
{
    return s->at < s->end && *s->at >= '0' && *s->at <= '9';
}

static uint64_t scan_number(struct scan *s, uint64_t max)
{
    uint64_t value = 0;
    s->failed |= !is_digit(s);
    for (; is_digit(s) && !s->failed; s->at++) {
        s->failed = __builtin_mul_overflow(value, (uint64_t)10, &value) ||
                    __builtin_add_overflow(value, (uint64_t)(*s->at - '0'), &value) || value > max;
    }
    return value;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void scan_uuid(struct scan *s, uint8_t uuid[16])
{
    if (s->end - s->at < UUID_TEXT_SIZE) {
        s->failed = true;
        return;
    }
    for (int i = 0; i < 16 && !s->failed; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            s->failed = *s->at++ != '-';
        }
        int high = hex_value(*s->at++);
        int low = hex_value(*s->at++);
        s->failed |= high < 0 || low < 0;
        uuid[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
    }
}

static const struct position_source *scan_tag(struct scan *s, const uint8_t uuid[16])
{
    const char *start = s->at;
    while (s->at < s->end && !strchr(":,- \t\n\v\f\r", *s->at)) {
        s->at++;
    }
    struct str tag = {start, (size_t)(s->at - start)};
    const struct position_source *source = tag.size ? position_source_mysql(uuid, tag) : NULL;
    s->failed |= !source;
    return source;
}

/* "uuid:1-5:7:tag:1-3" */
static void scan_mysql(struct scan *s, struct position_list *out)
{
    uint8_t uuid[16] = {0};
    scan_uuid(s, uuid);
    if (s->failed) {
        return;
    }
    const struct position_source *source = position_source_mysql(uuid, str_from(""));
    bool wants_interval = true;
    while (!s->failed && accept(s, ':')) {
        if (!is_digit(s)) {
            source = scan_tag(s, uuid);
            s->failed |= !accept(s, ':');
        }
        struct position_interval i = {.source = source};
        i.first = scan_number(s, INT64_MAX);
        i.last = accept(s, '-') ? scan_number(s, INT64_MAX) : i.first;
        s->failed |= i.first == 0 || i.first > i.last;
        if (!s->failed) {
            position_list_append(out, &i);
        }
        wants_interval = false;
    }
    s->failed |= wants_interval;
}

/* "0-1-5" */
static void scan_mariadb(struct scan *s, struct position_list *out)
{
    uint64_t domain = scan_number(s, UINT32_MAX);
    s->failed |= !accept(s, '-');
    uint64_t server = scan_number(s, UINT32_MAX);
    s->failed |= !accept(s, '-');
    uint64_t last = scan_number(s, UINT64_MAX);
    if (!s->failed && last > 0) {
        position_list_append(out, &(struct position_interval){
                                      .source = position_source_mariadb((uint32_t)domain),
                                      .first = 1,
                                      .last = last,
                                      .server = (uint32_t)server,
                                  });
    }
}

static bool is_mysql(const struct scan *s)
{
    return s->end - s->at > UUID_TEXT_SIZE &&
           memchr(s->at + UUID_TEXT_SIZE, ':', (size_t)(s->end - s->at) - UUID_TEXT_SIZE);
}

static void scan_set(struct scan *s, struct position *out)
{
    struct position_list intervals = {0};
    do {
        skip_space(s);
        const char *comma = memchr(s->at, ',', (size_t)(s->end - s->at));
        struct scan entry = {.at = s->at, .end = comma ? comma : s->end};
        if (is_mysql(&entry)) {
            scan_mysql(&entry, &intervals);
        } else {
            scan_mariadb(&entry, &intervals);
        }
        skip_space(&entry);
        s->failed = entry.failed || entry.at < entry.end;
        s->at = entry.end;
    } while (!s->failed && accept(s, ','));
    if (!s->failed) {
        struct position_list united = {0};
        position_list_sort(&intervals);
        for (size_t i = 0; i < intervals.count; i++) {
            position_list_unite(&united, &intervals.items[i]);
        }
        *out = position_of_list(&united, NULL, NULL);
        position_list_release(&united);
    }
    position_list_release(&intervals);
}

static bool is_decimal(struct str text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }
    return true;
}

bool position_parse(struct str text, struct position *out, struct error *err)
{
    struct position p = {0};
    struct scan s = {.at = text.data, .end = text.data + text.size};
    if (text.size == 0) {
        /* NONE */
    } else if (str_equal(text, str_from("-"))) {
        p = position_empty_set();
    } else if (is_decimal(text)) {
        p = position_integer(scan_number(&s, UINT64_MAX));
    } else if (text.size <= TEXT_SIZE_MAX) {
        scan_set(&s, &p);
    } else {
        s.failed = true;
    }
    if (s.failed) {
        bool is_long = text.size > SHOWN_SIZE_MAX;
        return error_set(err, ERROR_DATA, "\"%.*s%s\" is not a position",
                         is_long ? SHOWN_SIZE_MAX : (int)text.size, text.data,
                         is_long ? "..." : "");
    }
    *out = p;
    return true;
}
