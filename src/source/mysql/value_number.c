/* Doubles as text: strings/dtoa.c, my_gcvt() with all the room it wants. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "source/mysql/value_parts.h"

enum {
    DIGITS_SAFE = 15, /* any decimal of so many digits survives the way through a normal double */
    DIGITS_MAX = 17,  /* so many tell any double from its neighbours */
    POINT_MAX = 15,   /* MAX_DECPT_FOR_F_FORMAT */
    DOUBLE_TEXT_MAX = 1100, /* no double in the servers' form is longer than 400 */
};

/* Significant digits and where the point stands: 0.DIGITS times 10 to `point`. */
struct digits {
    char text[DIGITS_MAX + 1];
    int count;
    int point;
};

static void digits_from(const char *scientific, struct digits *out)
{
    out->count = 0;
    const char *p = scientific;
    for (; *p && *p != 'e'; p++) {
        if (*p != '.') {
            out->text[out->count++] = *p;
        }
    }
    while (out->count > 1 && out->text[out->count - 1] == '0') {
        out->count--;
    }
    out->text[out->count] = '\0';
    out->point = *p ? (int)strtol(p + 1, NULL, 10) + 1 : 1;
}

/* Adds one to the last of `count` digits. At a power of two the numbers below lie closer than those
 * above: the nearest digits may fail where the next ones up do not. */
static bool upper_neighbour(char *scientific, double v)
{
    char *last = strchr(scientific, 'e') - 1;
    if (*last >= '9') {
        return false;
    }
    ++*last;
    return strtod(scientific, NULL) == v;
}

static void shortest_digits(double v, struct digits *out)
{
    char text[32];
    for (int count = v < DBL_MIN ? 1 : DIGITS_SAFE; count <= DIGITS_MAX; count++) {
        (void)snprintf(text, sizeof(text), "%.*e", count - 1, v);
        if (strtod(text, NULL) == v ||
            (count > 1 && count < DIGITS_MAX && upper_neighbour(text, v))) {
            break;
        }
    }
    digits_from(text, out);
}

static void append_zeros(struct buf *out, int count)
{
    for (int i = 0; i < count; i++) {
        buf_append_char(out, '0');
    }
}

void my_double_append(double v, struct buf *out)
{
    if (signbit(v)) {
        buf_append_char(out, '-');
        v = -v;
    }
    if (v == 0) {
        buf_append_char(out, '0');
        return;
    }
    struct digits d;
    shortest_digits(v, &d);
    if (d.point < 1 - POINT_MAX || (d.point > POINT_MAX && d.count <= d.point)) {
        buf_append_char(out, d.text[0]);
        if (d.count > 1) {
            buf_append_format(out, ".%s", d.text + 1);
        }
        buf_append_format(out, "e%d", d.point - 1);
        return;
    }
    if (d.point <= 0) {
        buf_append_text(out, "0.");
        append_zeros(out, -d.point);
        buf_append_text(out, d.text);
        return;
    }
    int whole = d.count < d.point ? d.count : d.point;
    buf_append(out, d.text, (size_t)whole);
    append_zeros(out, d.point - whole);
    if (d.count > d.point) {
        buf_append_format(out, ".%s", d.text + whole);
    }
}

bool my_double_parse(struct str text, double *out)
{
    char copy[DOUBLE_TEXT_MAX];
    if (text.size == 0 || text.size >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (strspn(copy, "0123456789+-.eE") != text.size) {
        return false;
    }
    char *end = NULL;
    *out = strtod(copy, &end);
    return end == copy + text.size && isfinite(*out);
}
