#include "base/reader.h"

struct str reader_cstring(struct reader *r)
{
    const char *start = (const char *)r->data + r->offset;
    const char *end =
        r->failed || r->offset == r->size ? NULL : memchr(start, 0, r->size - r->offset);
    if (!end) {
        r->failed = true;
        return (struct str){0};
    }
    size_t size = (size_t)(end - start);
    r->offset += size + 1;
    return (struct str){.data = start, .size = size};
}
