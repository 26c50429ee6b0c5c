#include <pthread.h>

#include "pipeline/queue.h"
#include "test.h"

static struct event numbered(uint64_t n)
{
    return (struct event){.kind = EVENT_IDLE, .position = position_integer(n)};
}

static struct event with_rows(uint32_t rows)
{
    struct schema *schema = schema_new(1);
    schema->columns[0] = (struct schema_column){.name = "id", .type = {.kind = TYPE_INT64}};
    schema_seal(schema);
    struct batch *batch = batch_new(schema, 0, rows);
    schema_release(schema);
    return (struct event){.kind = EVENT_BATCH, .batch = batch};
}

static void events_come_out_in_order(void **state)
{
    (void)state;
    struct queue *q = queue_new(1 << 20);
    for (uint64_t i = 0; i < 100; i++) {
        struct event e = numbered(i);
        assert_int_equal(queue_push(q, &e, 0), QUEUE_DONE);
    }
    for (uint64_t i = 0; i < 100; i++) {
        struct event e = {0};
        assert_int_equal(queue_pop(q, &e, 0), QUEUE_DONE);
        assert_int_equal(e.position.integer, i);
    }
    queue_free(&q);
}

static void an_empty_queue_times_out(void **state)
{
    (void)state;
    struct queue *q = queue_new(1 << 20);
    struct event e = {0};
    assert_int_equal(queue_pop(q, &e, 1), QUEUE_TIMEOUT);
    queue_free(&q);
}

static void a_full_queue_keeps_the_event_with_the_caller(void **state)
{
    (void)state;
    struct queue *q = queue_new(1);
    struct event first = with_rows(64);
    assert_int_equal(queue_push(q, &first, 0), QUEUE_DONE); /* larger than the bound, but alone */
    assert_null(first.batch);
    struct event second = with_rows(64);
    assert_int_equal(queue_push(q, &second, 1), QUEUE_TIMEOUT);
    assert_non_null(second.batch);
    event_release(&second);
    queue_free(&q); /* drops the first */
}

static void a_closed_queue_drains_and_takes_no_more(void **state)
{
    (void)state;
    struct queue *q = queue_new(1 << 20);
    struct event e = numbered(7);
    assert_int_equal(queue_push(q, &e, 0), QUEUE_DONE);
    queue_close(q);
    struct event late = with_rows(64);
    assert_int_equal(queue_push(q, &late, 0), QUEUE_CLOSED);
    event_release(&late);
    assert_int_equal(queue_pop(q, &e, 0), QUEUE_DONE);
    assert_int_equal(e.position.integer, 7);
    assert_int_equal(queue_pop(q, &e, 0), QUEUE_CLOSED);
    queue_free(&q);
}

static void an_abandoned_queue_drops_what_is_left(void **state)
{
    (void)state;
    struct queue *q = queue_new(1 << 20);
    struct event e = with_rows(64);
    assert_int_equal(queue_push(q, &e, 0), QUEUE_DONE);
    queue_abandon(q);
    assert_int_equal(queue_pop(q, &e, 0), QUEUE_CLOSED);
    queue_free(&q);
}

static void *pop_one(void *arg)
{
    struct event e = {0};
    assert_int_equal(queue_pop(arg, &e, 60000), QUEUE_DONE);
    return NULL;
}

static void a_queue_is_starved_while_its_consumer_waits(void **state)
{
    (void)state;
    struct queue *q = queue_new(1 << 20);
    assert_false(queue_is_starved(q)); /* empty, but nobody wants anything */
    pthread_t consumer;
    assert_int_equal(pthread_create(&consumer, NULL, pop_one, q), 0);
    while (!queue_is_starved(q)) {
    }
    struct event e = numbered(1);
    assert_int_equal(queue_push(q, &e, 0), QUEUE_DONE);
    assert_false(queue_is_starved(q));
    pthread_join(consumer, NULL);
    queue_free(&q);
}

enum { MANY = 20000 };

static void *produce(void *arg)
{
    struct queue *q = arg;
    for (uint64_t i = 0; i < MANY; i++) {
        struct event e = numbered(i);
        while (queue_push(q, &e, 1000) == QUEUE_TIMEOUT) {
        }
    }
    queue_close(q);
    return NULL;
}

static void two_threads_pass_everything_in_order(void **state)
{
    (void)state;
    struct queue *q = queue_new(1024);
    pthread_t producer;
    assert_int_equal(pthread_create(&producer, NULL, produce, q), 0);
    uint64_t expected = 0;
    for (;;) {
        struct event e = {0};
        enum queue_result popped = queue_pop(q, &e, 1000);
        if (popped == QUEUE_CLOSED) {
            break;
        }
        if (popped == QUEUE_DONE) {
            assert_int_equal(e.position.integer, expected);
            expected++;
        }
    }
    assert_int_equal(expected, MANY);
    pthread_join(producer, NULL);
    queue_free(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_out_in_order),
        cmocka_unit_test(an_empty_queue_times_out),
        cmocka_unit_test(a_full_queue_keeps_the_event_with_the_caller),
        cmocka_unit_test(a_closed_queue_drains_and_takes_no_more),
        cmocka_unit_test(an_abandoned_queue_drops_what_is_left),
        cmocka_unit_test(a_queue_is_starved_while_its_consumer_waits),
        cmocka_unit_test(two_threads_pass_everything_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
