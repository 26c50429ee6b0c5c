#include "model/event.h"

void event_release(struct event *e)
{
    batch_release(e->batch);
    schema_release(e->schema);
    *e = (struct event){0};
}
