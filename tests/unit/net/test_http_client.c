#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/file.h"
#include "net/http.h"
#include "scripted_server.h"
#include "temporary.h"
#include "test.h"

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/* One server and one client, both gone at the end of the test. */
struct pair {
    struct scripted_server server;
    struct http_client *client;
    struct error err;
    struct http_answer answer;
    char url[96];
};

static void pair_release(struct pair *p)
{
    http_answer_release(&p->answer);
    http_client_free(&p->client);
    scripted_stop(&p->server);
}

static void start(struct pair *p, const struct scripted_step *steps, size_t count,
                  const struct http_options *options)
{
    scripted_start(&p->server, steps, count);
    p->client = http_client_new(options);
    (void)snprintf(p->url, sizeof(p->url), "http://127.0.0.1:%d/a/path?secret=query",
                   p->server.port);
}

static bool send_to(struct pair *p, const char *method, const char *url, const char *body)
{
    static const char *const headers[] = {"Authorization: Bearer hidden",
                                          "Content-Type: application/json", NULL};
    struct http_request request = {.method = method, .url = url, .headers = headers};
    if (body) {
        request.body = str_from(body);
    }
    p->err = (struct error){0};
    http_answer_release(&p->answer);
    return http_send(p->client, &request, &p->answer, &p->err);
}

static bool exchange(struct pair *p, const char *method, const char *body)
{
    return send_to(p, method, p->url, body);
}

static void assert_failed(struct pair *p, enum error_kind kind, const char *words)
{
    assert_string_equal(error_kind_name(p->err.kind), error_kind_name(kind));
    if (!strstr(p->err.message, words)) {
        fail_msg("\"%s\" does not say \"%s\"", p->err.message, words);
    }
    assert_null(strstr(p->err.message, "secret"));
    assert_null(strstr(p->err.message, "hidden"));
    assert_null(p->answer.body.data);
    assert_int_equal(p->answer.status, 0);
}

static void an_answer_comes_with_status_type_and_body(void **state)
{
    (void)state;
    static const struct scripted_step steps[] = {
        {.answer = "HTTP/1.1 429 Slow Down\r\nContent-Type: application/json; charset=utf-8\r\n"
                   "Retry-After: 3\r\nContent-Length: 7\r\n\r\n{\"a\":1}"},
        {.answer = "HTTP/1.1 503 Later\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"},
        {.answer = "HTTP/1.1 204 No Content\r\n\r\n"},
    };
    owned(pair_release) struct pair p = {0};
    start(&p, steps, 3, NULL);

    assert_true(exchange(&p, "POST", "{\"b\":2}"));
    assert_int_equal(p.answer.status, 429);
    assert_string_equal(p.answer.content_type, "application/json; charset=utf-8");
    assert_int_equal(p.answer.retry_after_ms, 3000);
    assert_string_equal(buf_text(&p.answer.body), "{\"a\":1}");
    const char *request = scripted_request(&p.server, 0);
    assert_memory_equal(request, "POST /a/path?secret=query HTTP/1.1\r\n", 36);
    assert_non_null(strstr(request, "\r\nAuthorization: Bearer hidden\r\n"));
    assert_non_null(strstr(request, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(request, "\r\nContent-Length: 7\r\n"));
    assert_non_null(strstr(request, "\r\n\r\n{\"b\":2}"));
    assert_null(strstr(request, "Expect"));

    assert_true(exchange(&p, "GET", NULL));
    assert_int_equal(p.answer.status, 503);
    assert_int_equal(p.answer.retry_after_ms, 0);
    assert_string_equal(buf_text(&p.answer.body), "");

    assert_true(exchange(&p, "DELETE", NULL));
    assert_int_equal(p.answer.status, 204);
    assert_int_equal(p.answer.retry_after_ms, -1);
    assert_memory_equal(scripted_request(&p.server, 2), "DELETE /a/path", 14);
    assert_null(strstr(scripted_request(&p.server, 2), "Content-Length"));
}

static void one_connection_serves_many_requests(void **state)
{
    (void)state;
    static const struct scripted_step steps[] = {{.answer = ok}, {.answer = ok}, {.answer = ok}};
    owned(pair_release) struct pair p = {0};
    start(&p, steps, 3, NULL);
    assert_true(exchange(&p, "GET", NULL));
    assert_true(exchange(&p, "POST", "body"));
    assert_true(exchange(&p, "POST", ""));
    assert_non_null(strstr(scripted_request(&p.server, 2), "\r\nContent-Length: 0\r\n"));
    assert_int_equal(scripted_connection_count(&p.server), 1);
}

static void a_head_request_waits_for_no_body(void **state)
{
    (void)state;
    static const struct scripted_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"}};
    owned(pair_release) struct pair p = {0};
    start(&p, steps, 1, NULL);
    assert_true(exchange(&p, "HEAD", NULL));
    assert_int_equal(p.answer.status, 200);
    assert_memory_equal(scripted_request(&p.server, 0), "HEAD ", 5);
}

static void a_refused_connection_can_be_retried(void **state)
{
    (void)state;
    owned(pair_release) struct pair p = {.client = http_client_new(NULL)};
    uint16_t port = 0;
    int fd = scripted_bind(&port); /* and nobody listens */
    (void)snprintf(p.url, sizeof(p.url), "http://127.0.0.1:%d/a/path?secret=query", port);
    assert_false(exchange(&p, "POST", "body"));
    char words[96];
    (void)snprintf(words, sizeof(words),
                   "POST 127.0.0.1:%d/a/path could not be sent: Connection refused", port);
    assert_failed(&p, ERROR_RETRY, words);
    (void)close(fd);
}

static void what_was_sent_and_not_answered_is_unknown(void **state)
{
    (void)state;
    static const struct scripted_step steps[] = {{.then = THEN_CLOSE}, {.then = THEN_CLOSE}};
    owned(pair_release) struct pair p = {0};
    start(&p, steps, 2, NULL);
    assert_false(exchange(&p, "POST", "body"));
    assert_failed(&p, ERROR_UNKNOWN, "was sent, but not answered whole");
    assert_false(exchange(&p, "GET", NULL));
    assert_failed(&p, ERROR_UNKNOWN, "was sent, but not answered whole");
    assert_int_equal(scripted_request_count(&p.server), 2);
}

/* The library would send it again by itself: the connection is a kept one, and no byte came. */
static void a_post_on_a_kept_connection_that_dies_is_unknown_and_not_sent_again(void **state)
{
    (void)state;
    static const struct scripted_step steps[] = {
        {.answer = ok}, {.then = THEN_CLOSE}, {.answer = ok}, {.then = THEN_CLOSE}, {.answer = ok},
    };
    owned(pair_release) struct pair p = {0};
    start(&p, steps, 5, NULL);
    assert_true(exchange(&p, "GET", NULL));
    assert_false(exchange(&p, "POST", "body"));
    assert_failed(&p, ERROR_UNKNOWN, "the kept connection died");
    assert_int_equal(scripted_request_count(&p.server), 2);

    assert_true(exchange(&p, "POST", "body"));
    assert_false(exchange(&p, "POST", ""));
    assert_failed(&p, ERROR_UNKNOWN, "the kept connection died");
    assert_int_equal(scripted_request_count(&p.server), 4);
}

static void a_get_on_a_kept_connection_that_dies_takes_a_new_one(void **state)
{
    (void)state;
    static const struct scripted_step steps[] = {
        {.answer = ok}, {.then = THEN_CLOSE}, {.answer = ok}};
    owned(pair_release) struct pair p = {0};
    start(&p, steps, 3, NULL);
    assert_true(exchange(&p, "GET", NULL));
    assert_true(exchange(&p, "GET", NULL));
    assert_string_equal(buf_text(&p.answer.body), "ok");
    assert_int_equal(scripted_request_count(&p.server), 3);
    assert_int_equal(scripted_connection_count(&p.server), 2);
}

static void a_post_after_the_server_closed_takes_a_new_connection(void **state)
{
    (void)state;
    static const struct scripted_step steps[] = {{.answer = ok, .then = THEN_CLOSE},
                                                 {.answer = ok}};
    owned(pair_release) struct pair p = {0};
    start(&p, steps, 2, NULL);
    assert_true(exchange(&p, "GET", NULL));
    /* The server closes its end before it takes the next connection, so a connection that it has
     * taken says that the close has been sent. */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(p.server.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    while (scripted_connection_count(&p.server) < 2) {
        (void)sched_yield();
    }
    (void)close(fd);
    assert_true(exchange(&p, "POST", "body"));
    assert_int_equal(scripted_request_count(&p.server), 2);
}

static void an_answer_that_breaks_off_is_unknown(void **state)
{
    (void)state;
    static const struct scripted_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Le", .then = THEN_CLOSE},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", .then = THEN_CLOSE},
        {.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
         .then = THEN_CLOSE},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nok", .then = THEN_CLOSE},
        {.answer = "this is no HTTP\r\n\r\n", .then = THEN_CLOSE},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok"},
    };
    enum { COUNT = sizeof(steps) / sizeof(steps[0]) };
    owned(pair_release) struct pair p = {0};
    start(&p, steps, COUNT, &(struct http_options){.accept_gzip = true});
    for (size_t i = 0; i < COUNT; i++) {
        if (exchange(&p, "POST", "body")) {
            fail_msg("answer %zu was taken: %d %s", i, p.answer.status, buf_text(&p.answer.body));
        }
        assert_failed(&p, ERROR_UNKNOWN, "was sent, but not answered whole");
    }
    assert_int_equal(scripted_request_count(&p.server), COUNT);
}

static void an_answer_longer_than_said_is_cut_at_its_length(void **state)
{
    (void)state;
    static const struct scripted_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n"},
        {.answer = ok},
    };
    owned(pair_release) struct pair p = {0};
    start(&p, steps, 2, NULL);
    assert_true(exchange(&p, "GET", NULL));
    assert_string_equal(buf_text(&p.answer.body), "ok");
    assert_true(exchange(&p, "GET", NULL)); /* not with the bytes left over as its answer */
    assert_string_equal(buf_text(&p.answer.body), "ok");
    assert_int_equal(scripted_request_count(&p.server), 2);
}

static void an_answer_larger_than_allowed_is_given_up(void **state)
{
    (void)state;
    static const struct scripted_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n",
         .filler = 100001,
         .then = THEN_CLOSE},
        {.answer = "HTTP/1.1 200 OK\r\n\r\n", .filler = 100 << 20, .then = THEN_CLOSE},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", .filler = 100000},
    };
    owned(pair_release) struct pair p = {0};
    start(&p, steps, 3, &(struct http_options){.answer_size_max = 100000});
    assert_false(exchange(&p, "GET", NULL));
    assert_failed(&p, ERROR_UNKNOWN, "the answer is larger than 100000 bytes");
    assert_false(exchange(&p, "GET", NULL));
    assert_failed(&p, ERROR_UNKNOWN, "the answer is larger than 100000 bytes");
    assert_true(exchange(&p, "GET", NULL));
    assert_int_equal(p.answer.body.size, 100000);
}

static void a_request_has_a_deadline(void **state)
{
    (void)state;
    static const struct scripted_step steps[] = {
        {.then = THEN_WAIT},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nslow", .then = THEN_WAIT},
    };
    owned(pair_release) struct pair p = {0};
    start(&p, steps, 2, &(struct http_options){.timeout_ms = 200});
    assert_false(exchange(&p, "POST", "body"));
    assert_failed(&p, ERROR_UNKNOWN, "timed out");
    assert_false(exchange(&p, "POST", "body"));
    assert_failed(&p, ERROR_UNKNOWN, "timed out");
}

static void redirects_are_answers(void **state)
{
    (void)state;
    static const struct scripted_step steps[] = {
        {.answer = "HTTP/1.1 307 Elsewhere\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"}};
    owned(pair_release) struct pair p = {0};
    start(&p, steps, 1, NULL);
    assert_true(exchange(&p, "GET", NULL));
    assert_int_equal(p.answer.status, 307);
    assert_int_equal(scripted_request_count(&p.server), 1);
}

static void proxies_of_the_environment_are_not_used(void **state)
{
    (void)state;
    static const struct scripted_step steps[] = {{.answer = ok}};
    owned(pair_release) struct pair p = {0};
    start(&p, steps, 1, NULL);
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    assert_int_equal(setenv("all_proxy", "http://127.0.0.1:1", 1), 0);
    bool done = exchange(&p, "GET", NULL);
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(unsetenv("all_proxy"), 0);
    assert_true(done);
}

static void what_cannot_be_sent_is_refused_before_anything_is(void **state)
{
    (void)state;
    static const struct scripted_step steps[] = {{.answer = ok}};
    owned(pair_release) struct pair p = {0};
    start(&p, steps, 1, NULL);
    static const struct {
        const char *url;
        const char *words;
    } cases[] = {
        {"ftp://127.0.0.1/x", "neither http:// nor https://"},
        {"file:///etc/passwd", "neither http:// nor https://"},
        {"127.0.0.1", "GET of a URL that cannot be read"},
        {"http://127.0.0.1:99999/", "GET of a URL that cannot be read"},
        {"http://", "GET of a URL that cannot be read"},
        {"http://user:secret@127.0.0.1/x", "a user name or password"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(send_to(&p, "GET", cases[i].url, NULL));
        assert_failed(&p, ERROR_CONFIG, cases[i].words);
    }
    static const char *const broken[] = {"Authorization: Bearer hidden\r\nX: y", NULL};
    p.err = (struct error){0};
    assert_false(http_send(p.client,
                           &(struct http_request){.method = "GET", .url = p.url, .headers = broken},
                           &p.answer, &p.err));
    assert_failed(&p, ERROR_CONFIG, "\"Authorization\" has a line break");
    assert_int_equal(scripted_connection_count(&p.server), 0);
}

static void a_host_that_does_not_exist_is_a_mistake_of_the_configuration(void **state)
{
    (void)state;
    struct addrinfo *found = NULL;
    if (getaddrinfo("no-such-host.invalid", NULL, NULL, &found) != EAI_NONAME) {
        skip(); /* no name server here that could say so */
    }
    owned(pair_release) struct pair p = {.client = http_client_new(NULL)};
    assert_false(send_to(&p, "GET", "http://no-such-host.invalid/", NULL));
    assert_failed(&p, ERROR_CONFIG, "Could not resolve host: no-such-host.invalid");
}

/* ---- TLS ---- */

/* A key and a self-signed certificate for 127.0.0.1 in a directory, by the openssl program. */
static bool make_certificate(const char *directory)
{
    char key[96];
    char certificate[96];
    (void)snprintf(key, sizeof(key), "%s/key.pem", directory);
    (void)snprintf(certificate, sizeof(certificate), "%s/certificate.pem", directory);
    const char *const argv[] = {"openssl",
                                "req",
                                "-x509",
                                "-newkey",
                                "ec",
                                "-pkeyopt",
                                "ec_paramgen_curve:P-256",
                                "-nodes",
                                "-days",
                                "2",
                                "-subj",
                                "/CN=test",
                                "-addext",
                                "subjectAltName=IP:127.0.0.1",
                                "-keyout",
                                key,
                                "-out",
                                certificate,
                                NULL};
    posix_spawn_file_actions_t actions;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid = 0;
    int code = posix_spawnp(&pid, "openssl", &actions, NULL, (char *const *)argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    return code == 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* NOLINTNEXTLINE(readability-function-size): the library says what its parameters are */
static enum MHD_Result answer_ok(void *arg, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_size, void **state)
{
    (void)arg;
    (void)url;
    (void)method;
    (void)version;
    (void)upload;
    (void)upload_size;
    (void)state;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(2, (void *)"ok", MHD_RESPMEM_PERSISTENT);
    enum MHD_Result done = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return done;
}

static struct MHD_Daemon *start_tls(const char *directory, uint16_t *port)
{
    struct buf key = {0};
    struct buf certificate = {0};
    struct error err = {0};
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/key.pem", directory);
    assert_true(file_read(path, 1 << 16, &key, &err));
    (void)snprintf(path, sizeof(path), "%s/certificate.pem", directory);
    assert_true(file_read(path, 1 << 16, &certificate, &err));
    int fd = scripted_bind(port);
    assert_int_equal(listen(fd, 8), 0);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, NULL, NULL, answer_ok, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_HTTPS_MEM_KEY, buf_text(&key),
        MHD_OPTION_HTTPS_MEM_CERT, buf_text(&certificate), MHD_OPTION_END);
    assert_non_null(daemon);
    buf_release(&key);
    buf_release(&certificate);
    return daemon;
}

static void get_from(struct pair *p, const struct http_options *options, const char *host,
                     uint16_t port, bool expected)
{
    http_client_free(&p->client);
    p->client = http_client_new(options);
    (void)snprintf(p->url, sizeof(p->url), "https://%s:%d/", host, port);
    assert_int_equal(exchange(p, "GET", NULL), expected);
}

static void certificates_are_checked(void **state)
{
    (void)state;
    char directory[64];
    temporary_make(directory);
    if (!make_certificate(directory)) {
        temporary_remove(directory);
        skip(); /* no openssl program */
    }
    char ca_file[96];
    (void)snprintf(ca_file, sizeof(ca_file), "%s/certificate.pem", directory);
    uint16_t port = 0;
    struct MHD_Daemon *daemon = start_tls(directory, &port);
    owned(pair_release) struct pair p = {0};

    get_from(&p, NULL, "127.0.0.1", port, false);
    assert_failed(&p, ERROR_CONFIG, "certificate");
    get_from(&p, &(struct http_options){.ca_file = ca_file}, "127.0.0.1", port, true);
    assert_string_equal(buf_text(&p.answer.body), "ok");
    get_from(&p, &(struct http_options){.ca_file = ca_file}, "localhost", port, false);
    assert_failed(&p, ERROR_CONFIG, "localhost");
    get_from(&p, &(struct http_options){.insecure = true}, "localhost", port, true);
    get_from(&p, &(struct http_options){.ca_file = "/no/such/file.pem"}, "127.0.0.1", port, false);
    assert_failed(&p, ERROR_CONFIG, "/no/such/file.pem");

    MHD_stop_daemon(daemon);
    temporary_remove(directory);
}

static void a_server_without_tls_gets_nothing_over_https(void **state)
{
    (void)state;
    static const struct scripted_step steps[] = {{.answer = ok}};
    owned(pair_release) struct pair p = {0};
    start(&p, steps, 1, &(struct http_options){.timeout_ms = 300});
    get_from(&p, &(struct http_options){.timeout_ms = 300}, "127.0.0.1", p.server.port, false);
    assert_failed(&p, ERROR_RETRY, "could not be sent");
}

static void text_is_encoded_for_a_path(void **state)
{
    (void)state;
    struct buf out = {0};
    http_append_encoded(str_from("aZ09-._~ /?#%&=+\x1F\xC3\xA9"), &out);
    assert_string_equal(buf_text(&out), "aZ09-._~%20%2F%3F%23%25%26%3D%2B%1F%C3%A9");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_comes_with_status_type_and_body),
        cmocka_unit_test(one_connection_serves_many_requests),
        cmocka_unit_test(a_head_request_waits_for_no_body),
        cmocka_unit_test(a_refused_connection_can_be_retried),
        cmocka_unit_test(what_was_sent_and_not_answered_is_unknown),
        cmocka_unit_test(a_post_on_a_kept_connection_that_dies_is_unknown_and_not_sent_again),
        cmocka_unit_test(a_get_on_a_kept_connection_that_dies_takes_a_new_one),
        cmocka_unit_test(a_post_after_the_server_closed_takes_a_new_connection),
        cmocka_unit_test(an_answer_that_breaks_off_is_unknown),
        cmocka_unit_test(an_answer_longer_than_said_is_cut_at_its_length),
        cmocka_unit_test(an_answer_larger_than_allowed_is_given_up),
        cmocka_unit_test(a_request_has_a_deadline),
        cmocka_unit_test(redirects_are_answers),
        cmocka_unit_test(proxies_of_the_environment_are_not_used),
        cmocka_unit_test(what_cannot_be_sent_is_refused_before_anything_is),
        cmocka_unit_test(a_host_that_does_not_exist_is_a_mistake_of_the_configuration),
        cmocka_unit_test(certificates_are_checked),
        cmocka_unit_test(a_server_without_tls_gets_nothing_over_https),
        cmocka_unit_test(text_is_encoded_for_a_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
