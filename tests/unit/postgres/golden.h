/* Messages captured from a server: tests/golden/pgoutput/NAME.hex, one a line. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/str.h"
#include "test.h"

struct golden {
    struct arena arena;
    struct str *messages;
    size_t count;
};

static inline char *golden_path(struct arena *a, const char *name, const char *suffix)
{
    const char *folder = getenv("GOLDEN");
    assert_non_null(folder);
    return arena_format(a, "%s/pgoutput/%s%s", folder, name, suffix);
}

static inline struct golden golden_read(const char *name, const char *suffix)
{
    struct golden g = {0};
    struct buf text = {0};
    struct error err = {0};
    if (!file_read(golden_path(&g.arena, name, suffix), 1 << 20, &text, &err)) {
        fail_msg("%s", err.message);
    }
    g.messages = arena_array(&g.arena, text.size, sizeof(*g.messages));
    uint8_t *bytes = arena_alloc(&g.arena, text.size);
    for (const char *p = text.data; *p; p += strcspn(p, "\n") + 1) {
        size_t digits = strcspn(p, "\n");
        assert_int_equal(digits % 2, 0);
        g.messages[g.count++] = (struct str){.data = (const char *)bytes, .size = digits / 2};
        for (size_t i = 0; i < digits; i += 2) {
            const char pair[3] = {p[i], p[i + 1]};
            char *end = NULL;
            *bytes++ = (uint8_t)strtoul(pair, &end, 16);
            assert_ptr_equal(end, pair + 2);
        }
    }
    buf_release(&text);
    assert_true(g.count > 0);
    return g;
}
