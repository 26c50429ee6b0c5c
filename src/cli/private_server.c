#include "cli/private_server.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/private_server_parts.h"

enum { START_TIMEOUT_MS = 60000, STOP_TIMEOUT_MS = 20000, POLL_MS = 20 };

const char *private_server_product(const struct private_server *p)
{
    return p->product;
}

const char *private_server_version(const struct private_server *p)
{
    return p->version;
}

const char *private_server_url(const struct private_server *p)
{
    return p->url;
}

const char *private_server_schema(const struct private_server *p)
{
    return p->schema;
}

const char *private_server_directory(const struct private_server *p)
{
    return p->directory;
}

pid_t private_server_pid(const struct private_server *p)
{
    return p->pid;
}

void private_server_abandon(struct private_server *p)
{
    p->pid = 0;
    p->directory = NULL;
}

static void free_buf(struct buf *b)
{
    buf_release(b);
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
}

static void sleep_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&t, NULL);
}

bool private_server_choose_account(struct private_server *p, const char *const *names,
                                   struct error *err)
{
    if (geteuid() != 0) {
        return true;
    }
    for (size_t i = 0; names[i]; i++) {
        char strings[4096];
        struct passwd account;
        struct passwd *found = NULL;
        if (getpwnam_r(names[i], &account, strings, sizeof(strings), &found) == 0 && found) {
            p->other_account = true;
            p->uid = account.pw_uid;
            p->gid = account.pw_gid;
            return true;
        }
    }
    return error_set(err, ERROR_CONFIG,
                     "%s does not run as root, and there is no user \"%s\" to run it as",
                     p->product, names[0]);
}

/* In the child: becomes the server's program or ends. Only calls that are safe after fork. */
static void become(const struct private_server *p, char *const *argv, int log_fd, bool dies_with_us,
                   pid_t parent)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
    (void)setsid(); /* a ^C at the terminal is for us: we stop the server when we are done */
    bool done = !p->other_account ||
                (setgroups(0, NULL) == 0 && setgid(p->gid) == 0 && setuid(p->uid) == 0);
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    done = done && chdir("/") == 0 && dup2(null_fd, STDIN_FILENO) >= 0 &&
           dup2(log_fd, STDOUT_FILENO) >= 0 && dup2(log_fd, STDERR_FILENO) >= 0;
    /* After setuid, which clears it; the parent may have gone before. */
    if (done && dies_with_us) {
        done = prctl(PR_SET_PDEATHSIG, SIGQUIT) == 0 && getppid() == parent;
    }
    if (done) {
        (void)execv(argv[0], argv);
    }
    _exit(127);
}

static bool spawn(struct private_server *p, char *const *argv, bool dies_with_us, pid_t *pid,
                  struct error *err)
{
    owned(close_fd) int log_fd = open(p->log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (log_fd < 0) {
        return error_errno(err, ERROR_FATAL, "cannot open \"%s\"", p->log_path);
    }
    pid_t parent = getpid();
    *pid = fork();
    if (*pid == 0) {
        become(p, argv, log_fd, dies_with_us, parent);
    }
    return *pid > 0 || error_errno(err, ERROR_FATAL, "cannot start \"%s\"", argv[0]);
}

/* Fails with the end of what the program said. */
static bool fail_with_log(const struct private_server *p, const char *what, struct error *err)
{
    enum { TAIL_BYTES = 600 };
    struct error unread = {0};
    owned(free_buf) struct buf log = {0};
    if (!file_read(p->log_path, 16 << 20, &log, &unread)) {
        return error_set(err, ERROR_FATAL, "%s", what);
    }
    size_t from = log.size > TAIL_BYTES ? log.size - TAIL_BYTES : 0;
    return error_set(err, ERROR_FATAL, "%s; it said: %s", what, buf_text(&log) + from);
}

bool private_server_run(struct private_server *p, char *const *argv, struct error *err)
{
    pid_t pid = 0;
    if (!spawn(p, argv, true, &pid, err)) {
        return false;
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return true;
    }
    return fail_with_log(p, arena_format(&p->arena, "%s failed", argv[0]), err);
}

static bool has_ended(struct private_server *p)
{
    if (p->pid > 0 && waitpid(p->pid, NULL, WNOHANG) == p->pid) {
        p->pid = 0;
    }
    return p->pid == 0;
}

static bool wait_until_ready(struct private_server *p, bool (*is_ready)(struct private_server *p),
                             struct error *err)
{
    int64_t deadline_ms = clock_monotonic_ms() + START_TIMEOUT_MS;
    while (!is_ready(p)) {
        if (has_ended(p)) {
            return fail_with_log(p, arena_format(&p->arena, "the private %s ended", p->product),
                                 err);
        }
        if (clock_monotonic_ms() > deadline_ms) {
            return fail_with_log(
                p, arena_format(&p->arena, "the private %s took too long to start", p->product),
                err);
        }
        sleep_ms(POLL_MS);
    }
    return true;
}

bool private_server_launch(struct private_server *p, char *const *argv,
                           bool (*is_ready)(struct private_server *p), struct error *err)
{
    return spawn(p, argv, !p->keep, &p->pid, err) && wait_until_ready(p, is_ready, err);
}

bool private_server_make_directory(struct private_server *p, struct error *err)
{
    /* Not below $TMPDIR: a socket's path has at most 107 bytes, and the server's account must reach
     * it. */
    char *path = arena_format(&p->arena, "/tmp/leat-demo-XXXXXX");
    if (!mkdtemp(path)) {
        return error_errno(err, ERROR_FATAL, "cannot make a directory below /tmp");
    }
    p->directory = path;
    p->log_path = arena_format(&p->arena, "%s/server.log", path);
    if (p->other_account && chown(path, p->uid, p->gid) != 0) {
        return error_errno(err, ERROR_FATAL, "cannot give \"%s\" to the server's account", path);
    }
    return true;
}

struct private_server *private_server_new(const char *product, const char *schema, int stop_signal,
                                          bool keep)
{
    struct private_server *p = calloc(1, sizeof(*p));
    if (!p) {
        abort();
    }
    p->product = product;
    p->schema = schema;
    p->stop_signal = stop_signal;
    p->keep = keep;
    return p;
}

static void stop_server(struct private_server *p)
{
    if (has_ended(p)) {
        return;
    }
    (void)kill(p->pid, p->stop_signal);
    int64_t deadline_ms = clock_monotonic_ms() + STOP_TIMEOUT_MS;
    while (!has_ended(p) && clock_monotonic_ms() < deadline_ms) {
        sleep_ms(POLL_MS);
    }
    if (p->pid > 0) {
        (void)kill(p->pid, SIGKILL);
        (void)waitpid(p->pid, NULL, 0);
        p->pid = 0;
    }
}

void private_server_free(struct private_server **pp)
{
    struct private_server *p = *pp;
    if (!p) {
        return;
    }
    stop_server(p);
    if (p->directory) {
        struct error ignored = {0}; /* nothing depends on it, and /tmp is cleaned in the end */
        (void)!file_remove_tree(p->directory, &ignored);
    }
    arena_release(&p->arena);
    free(p);
    *pp = NULL;
}
