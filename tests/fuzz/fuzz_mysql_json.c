/* Any document: no crash, no loop, and what is printed is bounded by what was given. */
#include <assert.h>
#include <stdlib.h>

#include "source/mysql/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf text = {0};
    struct error err = {0};
    if (my_json_to_text((struct str){(const char *)data, size}, &text, &err)) {
        assert(text.size > 0);
        assert(text.size <= 64 * size + 64); /* an entry of five bytes may be a long number */
    } else {
        assert(err.kind != ERROR_NONE);
    }
    buf_release(&text);
    return 0;
}
