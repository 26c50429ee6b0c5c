#include "base/log.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"

static enum log_level level_max = LOG_LEVEL_INFO;
static bool as_json = true;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_configure(enum log_level level, bool json)
{
    level_max = level;
    as_json = json;
}

static void append_json_string(struct buf *b, const char *text)
{
    text = text ? text : "";
    bool valid = utf8_valid(text, strlen(text));
    buf_append_char(b, '"');
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\') {
            buf_append_char(b, '\\');
            buf_append_char(b, *p);
        } else if (c < 0x20 || c == 0x7F) {
            buf_append_format(b, "\\u%04x", c);
        } else if (c >= 0x80 && !valid) {
            buf_append_text(b, "\\ufffd"); /* the line stays JSON whatever a server said */
        } else {
            buf_append_char(b, *p);
        }
    }
    buf_append_char(b, '"');
}

/* True for text that can stand in a text line as it is. */
static bool is_plain(const char *text)
{
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c <= ' ' || c == '"' || c == '=' || c == 0x7F) {
            return false;
        }
    }
    return *text && utf8_valid(text, strlen(text));
}

static void append_value(struct buf *b, const struct log_field *f)
{
    switch (f->type) {
    case LOG_STRING:
        if (as_json || !f->string || !is_plain(f->string)) {
            append_json_string(b, f->string);
        } else {
            buf_append_text(b, f->string);
        }
        break;
    case LOG_INT:
        buf_append_format(b, "%" PRId64, f->integer);
        break;
    case LOG_UINT:
        buf_append_format(b, "%" PRIu64, f->uint);
        break;
    case LOG_DOUBLE:
        buf_append_format(b, isfinite(f->number) ? "%.3f" : "null", f->number);
        break;
    }
}

static void append_time(struct buf *b)
{
    int64_t now = clock_wall_us();
    time_t seconds = (time_t)(now / 1000000);
    struct tm tm;
    char text[32];
    (void)gmtime_r(&seconds, &tm);
    (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    buf_append_format(b, "%s.%03dZ", text, (int)(now / 1000 % 1000));
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    if (level > level_max) {
        return;
    }
    struct buf line = {.size_max = 65536};
    if (as_json) {
        buf_append_text(&line, "{\"ts\":\"");
        append_time(&line);
        buf_append_format(&line, "\",\"level\":\"%s\",\"event\":", level_names[level]);
        append_json_string(&line, event);
        for (const struct log_field *f = fields; f->key; f++) {
            buf_append_format(&line, ",\"%s\":", f->key);
            append_value(&line, f);
        }
        buf_append_char(&line, '}');
    } else {
        append_time(&line);
        buf_append_format(&line, " %-5s %s", level_names[level], event);
        for (const struct log_field *f = fields; f->key; f++) {
            buf_append_format(&line, " %s=", f->key);
            append_value(&line, f);
        }
    }
    buf_append_char(&line, '\n');
    (void)fwrite(line.data, 1, line.size, stderr); /* one write: lines of threads do not mix */
    buf_release(&line);
}
