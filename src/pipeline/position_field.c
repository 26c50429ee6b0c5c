#include "pipeline/position_field.h"

struct log_field position_field(const char *key, struct position position, struct buf *text)
{
    if (position.kind != POSITION_SET) {
        return log_u64(key, position.integer);
    }
    buf_clear(text);
    position_format(position, text);
    return log_str(key, buf_text(text));
}
