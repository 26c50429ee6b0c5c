/* The configuration: any text is read or refused with a place; what is read can be shown and read
 * again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Shows a configuration into memory; the text is the caller's. */
static struct str shown(const struct config *c)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        abort();
    }
    config_show(c, out);
    (void)fclose(out);
    return (struct str){.data = text, .size = size};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    struct config *c = config_parse("f", (struct str){(const char *)data, size}, &err);
    if ((c != NULL) != (err.kind == ERROR_NONE)) {
        abort();
    }
    if (c) {
        struct str text = shown(c);
        struct config *again = config_parse("f", text, &err);
        if (!again &&
            text.size < (1 << 19)) { /* a long one may exceed the limit when it is spelled out */
            (void)fprintf(stderr, "%s\n%.*s\n", err.message, str_arg(text));
            abort();
        }
        config_free(&again);
        free((char *)(uintptr_t)text.data);
    }
    config_free(&c);
    return 0;
}
