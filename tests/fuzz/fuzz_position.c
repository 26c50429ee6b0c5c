/* The text of positions: any text is read or refused; what was read is printed and read back as the
 * same position; and of the texts before and after a NUL, if both are read, covers, meet and join
 * keep their laws. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/position_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "%s\n", what);
        abort();
    }
}

static bool read(struct str text, struct position *p)
{
    struct error err = {0};
    bool done = position_parse(text, p, &err);
    check(done == (err.kind == ERROR_NONE) && (done || err.kind == ERROR_DATA), err.message);
    return done;
}

static void check_text(struct position p)
{
    struct buf text = {0};
    struct position back;
    position_format(p, &text);
    check(read(buf_str(&text), &back), "what was printed is not read");
    check(position_equal(p, back), "what was printed is another position");
    check(position_number(p) == position_number(back), "another number");
    buf_release(&text);
}

static bool is_covered_alone(void *arg, const struct position_interval *i)
{
    const struct position *p = arg;
    return position_covers_transaction(p, i->source, i->first) &&
           position_covers_transaction(p, i->source, i->last);
}

static bool add_ends(void *arg, const struct position_interval *i)
{
    position_add(arg, i->source, i->last, i->server);
    position_add(arg, i->source, i->first, i->server);
    return true;
}

static void check_laws(struct position a, struct position b)
{
    struct position meet = position_meet(a, b);
    struct position join = position_join(a, b);
    check(position_covers(a, meet) && position_covers(b, meet), "the meet is not covered by both");
    check(position_covers(join, a) && position_covers(join, b), "the join does not cover both");
    check(position_equal(meet, position_meet(b, a)), "the meet depends on the order");
    check(position_equal(join, position_join(b, a)), "the join depends on the order");
    check(position_covers(a, b) == position_equal(join, a), "covers, but the join is another");
    check(position_covers(a, b) == position_equal(meet, b), "covers, but the meet is another");
    check(position_each(&a, is_covered_alone, &join), "the join has not what one of them has");
    check(position_number(meet) <= position_number(join), "the number falls");
    check_text(meet);
    check_text(join);
    if (a.kind == POSITION_SET) {
        struct position grown = a;
        (void)position_each(&b, add_ends, &grown);
        check(position_covers(grown, a) && position_covers(join, grown), "what was added");
        check(position_each(&b, is_covered_alone, &grown), "what was added is not there");
        check_text(grown);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *split = size > 0 ? memchr(text, 0, size) : NULL;
    size_t first_size = split ? (size_t)(split - text) : size;
    struct position a;
    struct position b;
    if (read((struct str){text, first_size}, &a)) {
        check_text(a);
        if (split && read((struct str){split + 1, size - first_size - 1}, &b) &&
            position_is_comparable(&a, &b)) {
            check_laws(a, b);
        }
    }
    position_forget_all();
    return 0;
}
