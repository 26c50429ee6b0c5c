/* Log files of servers: tests/golden/binlog/NAME.binlog, made by the script there. */
#pragma once

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/reader.h"
#include "base/str.h"
#include "test.h"

static inline char *binlog_path(struct arena *a, const char *file)
{
    const char *folder = getenv("GOLDEN");
    assert_non_null(folder);
    return arena_format(a, "%s/binlog/%s", folder, file);
}

static inline struct reader binlog_file_read(struct arena *a, const char *file)
{
    struct buf bytes = {0};
    struct error err = {0};
    if (!file_read(binlog_path(a, file), 1 << 20, &bytes, &err)) {
        fail_msg("%s", err.message);
    }
    assert_true(bytes.size > 4);
    assert_memory_equal(bytes.data,
                        "\xfe"
                        "bin",
                        4);
    struct reader r = reader_from(arena_copy(a, bytes.data, bytes.size), bytes.size);
    (void)reader_u32(&r);
    buf_release(&bytes);
    return r;
}

/* The next event of a file; false at its end. */
static inline bool binlog_file_next(struct reader *r, struct str *out)
{
    if (reader_left(r) == 0) {
        return false;
    }
    struct reader header = *r;
    (void)reader_bytes(&header, 9);
    *out = reader_str(r, reader_u32_le(&header));
    assert_false(r->failed);
    assert_true(out->size >= 19);
    return true;
}

/* Calls `fn` for the name of each log file. */
static inline void binlog_files(void (*fn)(const char *file))
{
    struct arena a = {0};
    DIR *folder = opendir(binlog_path(&a, ""));
    assert_non_null(folder);
    size_t count = 0;
    for (struct dirent *e = readdir(folder); e; e = readdir(folder)) {
        if (strstr(e->d_name, ".binlog")) {
            fn(e->d_name);
            count++;
        }
    }
    (void)closedir(folder);
    arena_release(&a);
    assert_true(count >= 18);
}
