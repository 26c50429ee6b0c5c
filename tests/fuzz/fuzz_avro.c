/* An Avro object container file: its header, its schema, all its records. */
#include <stdlib.h>

#include "format/avro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t seen; /* so that nothing is optimized away */

/* Every byte that a value claims to have is looked at. */
static uint64_t look_at(const struct avro_value *v)
{
    uint64_t sum = v->kind;
    switch (v->kind) {
    case AVRO_BYTES:
        for (size_t i = 0; i <= v->bytes.size; i++) {
            sum += (uint8_t)v->bytes.data[i];
        }
        if (v->bytes.data[v->bytes.size] != '\0') {
            abort();
        }
        break;
    case AVRO_ARRAY:
        for (uint32_t i = 0; i < v->array.count; i++) {
            sum += look_at(&v->array.items[i]);
        }
        break;
    case AVRO_RECORD:
        for (uint32_t i = 0; i < v->record.count; i++) {
            const struct avro_field *f = &v->record.fields[i];
            const struct avro_value *found = f->id >= 0 ? avro_get(v, f->id) : f->value;
            sum += look_at(f->value) + (uint8_t)f->name[0] + (found ? found->kind : 0);
        }
        break;
    case AVRO_NULL:
    case AVRO_BOOLEAN:
    case AVRO_LONG:
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
        break;
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    struct avro_reader *r = avro_reader_new((struct str){(const char *)data, size}, &err);
    bool ok = r != NULL;
    while (ok) {
        struct arena a = {0};
        const struct avro_value *record = NULL;
        ok = avro_reader_next(r, &a, &record, &err) && record;
        if (ok) {
            seen += look_at(record);
        }
        arena_release(&a);
    }
    if (r) {
        seen += avro_reader_metadata(r, "avro.codec").size;
    }
    avro_reader_free(&r);
    return 0;
}
