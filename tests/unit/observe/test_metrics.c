#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "observe/metrics.h"
#include "observe/process.h"
#include "test.h"

static void assert_written(const char *expected)
{
    struct buf out = {0};
    metrics_write(&out);
    if (!strstr(buf_text(&out), expected)) {
        assert_string_equal(buf_text(&out), expected);
    }
    buf_release(&out);
}

static void counters_add_up_per_set_of_labels(void **state)
{
    (void)state;
    metric_add(METRIC_RETRIES, &(struct metric_labels){.pipeline = "one"}, 1);
    metric_add(METRIC_RETRIES, &(struct metric_labels){.pipeline = "two"}, 1);
    metric_add(METRIC_RETRIES, &(struct metric_labels){.pipeline = "one"}, 4);
    assert_written("# HELP leat_retries_total Steps that failed for a passing reason and were "
                   "repeated.\n"
                   "# TYPE leat_retries_total counter\n"
                   "leat_retries_total{pipeline=\"one\"} 5\n"
                   "leat_retries_total{pipeline=\"two\"} 1\n");
    assert_true(metric_get(METRIC_RETRIES, &(struct metric_labels){.pipeline = "one"}) == 5);
    assert_true(metric_get(METRIC_RETRIES, &(struct metric_labels){.pipeline = "new"}) == 0);
}

static void gauges_are_replaced(void **state)
{
    (void)state;
    const struct metric_labels labels = {.pipeline = "p"};
    metric_set(METRIC_LAG, &labels, 3);
    metric_set(METRIC_LAG, &labels, 0.25);
    assert_written("# TYPE leat_lag_seconds gauge\nleat_lag_seconds{pipeline=\"p\"} 0.25\n");
    metric_set(METRIC_LAG, &labels, 0);
    assert_written("leat_lag_seconds{pipeline=\"p\"} 0\n");
}

static void label_values_are_escaped(void **state)
{
    (void)state;
    metric_add(
        METRIC_EVENTS,
        &(struct metric_labels){.pipeline = "p", .table = "a\"b\\c\nd.\xC3\xA4", .kind = "read"},
        2);
    assert_written(
        "leat_events_total{pipeline=\"p\",table=\"a\\\"b\\\\c\\nd.\xC3\xA4\",kind=\"read\"} 2\n");
}

static void large_whole_numbers_keep_their_digits(void **state)
{
    (void)state;
    metric_set(METRIC_POSITION, &(struct metric_labels){.pipeline = "p", .kind = "received"},
               9007199254740991.0);
    assert_written("leat_position{pipeline=\"p\",kind=\"received\"} 9007199254740991\n");
}

static void untouched_metrics_are_not_written(void **state)
{
    (void)state;
    struct buf out = {0};
    metrics_write(&out);
    assert_null(strstr(buf_text(&out), "leat_table_keys"));
    buf_release(&out);
}

/* What a scraper would choke on: a line that is neither a comment nor `name{labels} number`. */
static void every_line_has_the_form_of_the_format(void **state)
{
    (void)state;
    struct buf out = {0};
    metrics_write(&out);
    size_t lines = 0;
    for (const char *p = out.data; *p; p = strchr(p, '\n') + 1, lines++) {
        assert_int_equal(strncmp(p, "# HELP leat_", 12) == 0 ||
                             strncmp(p, "# TYPE leat_", 12) == 0 || strncmp(p, "leat_", 5) == 0,
                         true);
        if (*p != '#') {
            const char *end = strchr(p, '\n');
            const char *number = end;
            while (number[-1] != ' ') {
                number--;
            }
            char *stop = NULL;
            (void)strtod(number, &stop);
            assert_ptr_equal(stop, end);
        }
    }
    assert_true(lines > 10);
    buf_release(&out);
}

static void *add_many(void *arg)
{
    for (int i = 0; i < 5000; i++) {
        metric_add(METRIC_ROWS_RECEIVED, &(struct metric_labels){.pipeline = arg}, 1);
        metric_add(METRIC_ROWS_RECEIVED, &(struct metric_labels){.pipeline = "all"}, 1);
    }
    return NULL;
}

static void threads_lose_no_addition(void **state)
{
    (void)state;
    static char names[4][2] = {"a", "b", "c", "d"};
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, names[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        (void)pthread_join(threads[i], NULL);
        assert_true(metric_get(METRIC_ROWS_RECEIVED,
                               &(struct metric_labels){.pipeline = names[i]}) == 5000);
    }
    assert_true(metric_get(METRIC_ROWS_RECEIVED, &(struct metric_labels){.pipeline = "all"}) ==
                20000);
}

static void the_process_knows_its_memory_and_start(void **state)
{
    (void)state;
    uint64_t before = process_anonymous_bytes();
    size_t size = 32 << 20;
    char *memory = malloc(size);
    assert_non_null(memory);
    memset(memory, 1, size);
    assert_true(process_anonymous_bytes() >= before + size / 2);
    assert_true(process_resident_bytes() >= process_anonymous_bytes());
    free(memory);
    assert_true(process_resident_bytes_max() >= before + size / 2);

    struct buf out = {0};
    metrics_write(&out);
    buf_release(&out);
    double start = metric_get(METRIC_START_TIME, &(struct metric_labels){0});
    double now = (double)time(NULL);
    assert_true(start > now - 3600 && start < now + 2);
    assert_true(metric_get(METRIC_RESIDENT, &(struct metric_labels){0}) > 1 << 20);
}

static void the_reference_page_names_every_metric_and_its_labels(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    metrics_docs(out);
    (void)fclose(out);
    assert_non_null(strstr(text, "| `leat_rows_written_total` | counter | `pipeline`, `sink`, "
                                 "`table`, `kind` | "));
    assert_non_null(strstr(text, "| `leat_resident_bytes` | gauge |  | "));
    size_t rows = 0;
    for (const char *p = strstr(text, "| `leat_"); p; p = strstr(p + 1, "| `leat_")) {
        rows++;
    }
    assert_int_equal(rows, METRIC_COUNT);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_add_up_per_set_of_labels),
        cmocka_unit_test(gauges_are_replaced),
        cmocka_unit_test(label_values_are_escaped),
        cmocka_unit_test(large_whole_numbers_keep_their_digits),
        cmocka_unit_test(untouched_metrics_are_not_written),
        cmocka_unit_test(every_line_has_the_form_of_the_format),
        cmocka_unit_test(threads_lose_no_addition),
        cmocka_unit_test(the_process_knows_its_memory_and_start),
        cmocka_unit_test(the_reference_page_names_every_metric_and_its_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
