/* Positions that are sets, from their text. */
#pragma once

#include "model/position.h"
#include "test.h"

#define SERVER_A "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define SERVER_B "4e11fa47-71ca-11e1-9e33-c80aa9429562"

static inline struct position gtids(const char *text)
{
    struct error err = {0};
    struct position p = {0};
    assert_true(position_parse(str_from(text), &p, &err));
    assert_int_equal(p.kind, POSITION_SET);
    return p;
}

/* Who numbers the transactions of a set that has one. */
static inline bool take_source(void *arg, const struct position_interval *interval)
{
    *(const struct position_source **)arg = interval->source;
    return false;
}

__attribute__((unused)) static const struct position_source *gtid_source(const char *uuid)
{
    const struct position_source *source = NULL;
    struct buf text = {0};
    buf_append_format(&text, "%s:1", uuid);
    struct position p = gtids(buf_text(&text));
    assert_false(position_each(&p, take_source, &source));
    buf_release(&text);
    return source;
}

__attribute__((unused)) static void assert_position(struct position p, const char *expected)
{
    struct buf text = {0};
    position_format(p, &text);
    assert_string_equal(buf_text(&text), expected);
    buf_release(&text);
}
