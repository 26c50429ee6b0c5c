#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "observe/health.h"
#include "observe/http.h"
#include "observe/observe.h"
#include "test.h"

/* Sends bytes to a port of this machine and reads until the server closes. */
static char *exchange(uint16_t port, const char *request)
{
    static char answer[65536];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    size_t size = 0;
    for (;;) {
        ssize_t n = read(fd, answer + size, sizeof(answer) - 1 - size);
        if (n <= 0) {
            break;
        }
        size += (size_t)n;
    }
    (void)close(fd);
    answer[size] = '\0';
    return answer;
}

static char *get(uint16_t port, const char *path)
{
    char request[512];
    (void)snprintf(request, sizeof(request),
                   "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    return exchange(port, request);
}

static void assert_status(const char *answer, int status)
{
    char line[32];
    (void)snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
    assert_memory_equal(answer, line, strlen(line));
}

static const char *body_of(const char *answer)
{
    const char *body = strstr(answer, "\r\n\r\n");
    assert_non_null(body);
    return body + 4;
}

static void answer_text(void *arg, struct http_reply *reply)
{
    buf_append_text(&reply->body, arg);
}

static void answer_nothing(void *arg, struct http_reply *reply)
{
    (void)arg;
    reply->status = 503;
    reply->content_type = "application/json";
}

static void answer_too_much(void *arg, struct http_reply *reply)
{
    (void)arg;
    reply->body.size_max = 10;
    buf_append_text(&reply->body, "more than ten bytes");
}

static char page_text[] = "hello\n";
static const struct http_page pages[] = {
    {.path = "/hello", .answer = answer_text, .arg = page_text},
    {.path = "/nothing", .answer = answer_nothing},
    {.path = "/large", .answer = answer_too_much},
};

static struct http *start(void)
{
    struct error err = {0};
    struct http *h = http_start("127.0.0.1:0", pages, 3, &err);
    assert_non_null(h);
    assert_true(http_port(h) > 0);
    return h;
}

static void pages_are_served(void **state)
{
    (void)state;
    owned(http_stop) struct http *h = start();
    const char *answer = get(http_port(h), "/hello");
    assert_status(answer, 200);
    assert_non_null(strstr(answer, "Content-Type: text/plain; charset=utf-8\r\n"));
    assert_string_equal(body_of(answer), "hello\n");
    answer = get(http_port(h), "/hello?with=query");
    assert_string_equal(body_of(answer), "hello\n");
    answer = get(http_port(h), "/nothing");
    assert_status(answer, 503);
    assert_non_null(strstr(answer, "Content-Type: application/json\r\n"));
    assert_string_equal(body_of(answer), "");
}

static void head_has_no_body(void **state)
{
    (void)state;
    owned(http_stop) struct http *h = start();
    const char *answer =
        exchange(http_port(h), "HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_status(answer, 200);
    assert_non_null(strstr(answer, "Content-Length: 6\r\n"));
    assert_string_equal(body_of(answer), "");
}

static void other_paths_are_not_found(void **state)
{
    (void)state;
    owned(http_stop) struct http *h = start();
    static const char *const paths[] = {"/", "/hello/", "/Hello", "/../hello"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_status(get(http_port(h), paths[i]), 404);
    }
    assert_string_equal(body_of(get(http_port(h), "/x")),
                        "not found; there is: /hello /nothing /large\n");
}

static void other_methods_are_not_allowed(void **state)
{
    (void)state;
    owned(http_stop) struct http *h = start();
    const char *answer =
        exchange(http_port(h), "POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                               "Connection: close\r\n\r\nabc");
    assert_status(answer, 405);
    assert_non_null(strstr(answer, "Allow: GET, HEAD\r\n"));
    answer =
        exchange(http_port(h), "DELETE /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_status(answer, 405);
}

static void a_get_with_a_body_is_answered(void **state)
{
    (void)state;
    owned(http_stop) struct http *h = start();
    const char *answer =
        exchange(http_port(h), "GET /hello HTTP/1.1\r\nHost: x\r\n"
                               "Content-Length: 3\r\nConnection: close\r\n\r\nabc");
    assert_status(answer, 200);
    assert_string_equal(body_of(answer), "hello\n");
}

static void a_page_that_does_not_fit_is_an_error_not_a_part(void **state)
{
    (void)state;
    owned(http_stop) struct http *h = start();
    assert_status(get(http_port(h), "/large"), 500);
}

static void garbage_does_not_stop_the_server(void **state)
{
    (void)state;
    owned(http_stop) struct http *h = start();
    (void)exchange(http_port(h), "\r\n\r\n\r\n\x01\x02garbage\r\n\r\n");
    char *large = malloc(100000);
    assert_non_null(large);
    (void)snprintf(large, 100000, "GET /");
    memset(large + 5, 'a', 99990);
    large[99995] = '\0';
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(http_port(h))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    (void)send(fd, large, strlen(large), MSG_NOSIGNAL); /* the server may hang up in the middle */
    (void)close(fd);
    free(large);
    assert_status(get(http_port(h), "/hello"), 200);
}

static void an_address_in_use_is_named(void **state)
{
    (void)state;
    owned(http_stop) struct http *h = start();
    char listen[64];
    char message[128];
    (void)snprintf(listen, sizeof(listen), "127.0.0.1:%d", http_port(h));
    (void)snprintf(message, sizeof(message), "cannot listen on \"%s\": Address already in use",
                   listen);
    struct error err = {0};
    assert_null(http_start(listen, pages, 3, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_string_equal(err.message, message);
    (void)snprintf(listen, sizeof(listen), ":%d", http_port(h));
    err = (struct error){0};
    assert_null(http_start(listen, pages, 3, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
}

static void an_address_of_another_machine_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    assert_null(http_start("192.0.2.1:0", pages, 3, &err)); /* RFC 5737: nobody's */
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, "cannot listen on \"192.0.2.1:0\": "));
    err = (struct error){0};
    assert_null(http_start("no colon", pages, 3, &err));
    assert_non_null(strstr(err.message, "not host:port"));
}

static void without_a_host_all_interfaces_answer(void **state)
{
    (void)state;
    struct error err = {0};
    owned(http_stop) struct http *h = http_start(":0", pages, 3, &err);
    assert_non_null(h);
    assert_status(get(http_port(h), "/hello"),
                  200); /* IPv4, through an IPv6 socket where there is one */
}

static void ready_waits_for_every_pipeline(void **state)
{
    (void)state;
    owned(health_free) struct health *health = health_new();
    const struct http_page health_pages[] = {
        {.path = "/health", .answer = health_answer_live, .arg = health},
        {.path = "/ready", .answer = health_answer_ready, .arg = health},
    };
    struct error err = {0};
    owned(http_stop) struct http *h = http_start("127.0.0.1:0", health_pages, 2, &err);
    assert_non_null(h);

    assert_status(get(http_port(h), "/health"), 200);
    assert_status(get(http_port(h), "/ready"), 503); /* no pipelines yet */
    health_set(health, "shop", false, "starting");
    health_set(health, "log", true, NULL);
    const char *answer = get(http_port(h), "/ready");
    assert_status(answer, 503);
    assert_string_equal(body_of(answer),
                        "{\"status\":\"not ready\",\"pipelines\":{\"shop\":{\"ready\":false,"
                        "\"reason\":\"starting\"},\"log\":{\"ready\":true}}}\n");
    health_set(health, "shop", true, NULL);
    answer = get(http_port(h), "/ready");
    assert_status(answer, 200);
    json_t *json = json_loads(body_of(answer), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json, "status")), "ready");
    json_decref(json);
    health_set(health, "log", false, "retrying: \"\xFF\"");
    answer = get(http_port(h), "/ready");
    assert_status(answer, 503);
    assert_non_null(strstr(answer, "\"log\":{\"ready\":false,\"reason\":\"unknown\"}"));
    assert_status(get(http_port(h), "/health"), 200);
}

/* A port that was free a moment ago; both servers of a test get such an address. */
static uint16_t free_port(void)
{
    struct error err = {0};
    owned(http_stop) struct http *h = http_start("127.0.0.1:0", pages, 3, &err);
    assert_non_null(h);
    return http_port(h);
}

static void metrics_and_health_have_addresses_of_their_own_or_share_one(void **state)
{
    (void)state;
    char a[64];
    char b[64];
    uint16_t port_a = free_port();
    uint16_t port_b = free_port();
    (void)snprintf(a, sizeof(a), "127.0.0.1:%d", port_a);
    (void)snprintf(b, sizeof(b), "127.0.0.1:%d", port_b);
    owned(health_free) struct health *health = health_new();
    struct error err = {0};

    struct observe *o =
        observe_start(&(struct observe_config){.metrics = a, .health = b}, health, &err);
    assert_non_null(o);
    const char *answer = get(port_a, "/metrics");
    assert_status(answer, 200);
    assert_non_null(strstr(answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert_non_null(strstr(answer, "\nleat_resident_bytes "));
    assert_status(get(port_a, "/health"), 404);
    assert_status(get(port_b, "/health"), 200);
    assert_status(get(port_b, "/metrics"), 404);
    observe_stop(&o);

    o = observe_start(&(struct observe_config){.metrics = a, .health = a}, health, &err);
    assert_non_null(o);
    assert_status(get(port_a, "/metrics"), 200);
    assert_status(get(port_a, "/ready"), 503);
    observe_stop(&o);

    o = observe_start(&(struct observe_config){.metrics = "off", .health = "off"}, health, &err);
    assert_non_null(o);
    observe_stop(&o);
    assert_null(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_served),
        cmocka_unit_test(head_has_no_body),
        cmocka_unit_test(other_paths_are_not_found),
        cmocka_unit_test(other_methods_are_not_allowed),
        cmocka_unit_test(a_get_with_a_body_is_answered),
        cmocka_unit_test(a_page_that_does_not_fit_is_an_error_not_a_part),
        cmocka_unit_test(garbage_does_not_stop_the_server),
        cmocka_unit_test(an_address_in_use_is_named),
        cmocka_unit_test(an_address_of_another_machine_is_refused),
        cmocka_unit_test(without_a_host_all_interfaces_answer),
        cmocka_unit_test(ready_waits_for_every_pipeline),
        cmocka_unit_test(metrics_and_health_have_addresses_of_their_own_or_share_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
