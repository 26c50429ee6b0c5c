#include "cli/private_postgres.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
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

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/database.h"

enum { START_TIMEOUT_MS = 60000, STOP_TIMEOUT_MS = 20000, POLL_MS = 20 };

static const char user_name[] = "cdcuser";
static const char database_name[] = "cdcdb";

struct private_postgres {
    struct arena arena;
    const char *programs;  /* directory of initdb and postgres */
    const char *directory; /* ours, mode 0700; NULL: not made yet */
    const char *log_path;
    const char *url;
    const char *version;
    bool other_account; /* we are root: the server runs as uid:gid */
    uid_t uid;
    gid_t gid;
    bool keep;
    pid_t pid; /* 0: not running */
};

const char *private_postgres_url(const struct private_postgres *p)
{
    return p->url;
}

const char *private_postgres_version(const struct private_postgres *p)
{
    return p->version;
}

const char *private_postgres_directory(const struct private_postgres *p)
{
    return p->directory;
}

pid_t private_postgres_pid(const struct private_postgres *p)
{
    return p->pid;
}

void private_postgres_abandon(struct private_postgres *p)
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

/* Finding the programs. */

static bool has_programs(const char *directory, size_t size, struct buf *out)
{
    static const char *const needed[] = {"initdb", "postgres"};
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
        buf_clear(out);
        buf_append(out, directory, size);
        buf_append_format(out, "/%s", needed[i]);
        if (access(buf_text(out), X_OK) != 0) {
            return false;
        }
    }
    buf_clear(out);
    buf_append(out, directory, size);
    return size > 0;
}

static bool find_on_path(struct buf *out)
{
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t size = strcspn(path, ":");
        if (has_programs(path, size, out)) {
            return true;
        }
        path += size + (path[size] == ':');
    }
    return false;
}

/* The newest version in the places where distributions put them: PARENT/PREFIX<version>/bin. */
static bool find_installed(struct buf *out)
{
    static const struct {
        const char *parent;
        const char *prefix;
    } places[] = {{"/usr/lib/postgresql", ""}, {"/usr", "pgsql-"}, {"/usr/local", "pgsql"}};
    double best = -1;
    owned(free_buf) struct buf directory = {0};
    owned(free_buf) struct buf candidate = {0};
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        size_t prefix = strlen(places[i].prefix);
        struct error ignored = {0}; /* one that cannot be read is one less to look at */
        struct file_names names = {0};
        (void)!file_list(places[i].parent, &names, &ignored);
        for (size_t k = 0; k < names.count; k++) {
            const char *name = names.names[k];
            double version = strncmp(name, places[i].prefix, prefix) == 0
                                 ? strtod(name + prefix, NULL) /* 9.6, 15; none: 0 */
                                 : -1;
            buf_clear(&directory);
            buf_append_format(&directory, "%s/%s/bin", places[i].parent, name);
            if (version > best && has_programs(directory.data, directory.size, &candidate)) {
                best = version;
                buf_clear(out);
                buf_append(out, directory.data, directory.size);
            }
        }
        file_names_release(&names);
    }
    return best >= 0;
}

static bool find_programs(struct private_postgres *p, struct error *err)
{
    owned(free_buf) struct buf found = {0};
    if (!find_on_path(&found) && !find_installed(&found)) {
        return error_set(
            err, ERROR_CONFIG,
            "no PostgreSQL server found on this machine (initdb and postgres, in PATH or "
            "/usr/lib/postgresql/*/bin); on Debian: apt-get install postgresql");
    }
    p->programs = arena_string(&p->arena, found.data, found.size);
    return true;
}

/* Running them. */

/* The server refuses to run as root. */
static bool choose_account(struct private_postgres *p, struct error *err)
{
    if (geteuid() != 0) {
        return true;
    }
    static const char *const names[] = {"postgres", "nobody"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
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
                     "PostgreSQL does not run as root, and there is no user \"postgres\" or "
                     "\"nobody\" to run it as");
}

/* In the child: becomes the server's program or ends. Only calls that are safe after fork. */
static void become(const struct private_postgres *p, char *const *argv, int log_fd,
                   bool dies_with_us, pid_t parent)
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

static bool spawn(struct private_postgres *p, char *const *argv, bool dies_with_us, pid_t *pid,
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
static bool fail_with_log(const struct private_postgres *p, const char *what, struct error *err)
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

static bool run_initdb(struct private_postgres *p, struct error *err)
{
    char *argv[] = {
        arena_format(&p->arena, "%s/initdb", p->programs),
        arena_format(&p->arena, "--pgdata=%s/data", p->directory),
        arena_format(&p->arena, "--username=%s", user_name),
        arena_format(&p->arena, "--auth=trust"), /* only we reach the socket's directory */
        arena_format(&p->arena, "--encoding=UTF8"),
        arena_format(&p->arena, "--locale=C"),
        arena_format(&p->arena, "--no-sync"),
        NULL,
    };
    pid_t pid = 0;
    if (!spawn(p, argv, true, &pid, err)) {
        return false;
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
           fail_with_log(p, "initdb failed", err);
}

static bool run_server(struct private_postgres *p, struct error *err)
{
    char *argv[] = {
        arena_format(&p->arena, "%s/postgres", p->programs),
        arena_format(&p->arena, "-D%s/data", p->directory),
        arena_format(&p->arena, "-k%s", p->directory),
        arena_format(&p->arena, "--listen_addresses="),
        arena_format(&p->arena, "--port=5432"),
        arena_format(&p->arena, "--wal_level=logical"),
        arena_format(&p->arena, "--max_wal_senders=8"),
        arena_format(&p->arena, "--max_replication_slots=8"),
        arena_format(&p->arena, "--shared_buffers=64MB"),
        arena_format(&p->arena, "--fsync=off"),
        arena_format(&p->arena, "--full_page_writes=off"),
        arena_format(&p->arena, "--synchronous_commit=off"),
        arena_format(&p->arena, "--timezone=UTC"),
        NULL,
    };
    return spawn(p, argv, !p->keep, &p->pid, err);
}

static bool has_ended(struct private_postgres *p)
{
    if (p->pid > 0 && waitpid(p->pid, NULL, WNOHANG) == p->pid) {
        p->pid = 0;
    }
    return p->pid == 0;
}

static const char *url_of(struct private_postgres *p, const char *database)
{
    /* The directory's name needs no escaping: /tmp/leat-demo-XXXXXX. */
    return arena_format(&p->arena, "postgresql://%s@/%s?host=%s&port=5432", user_name, database,
                        p->directory);
}

static bool wait_until_ready(struct private_postgres *p, struct error *err)
{
    const char *url = url_of(p, "postgres");
    int64_t deadline_ms = clock_monotonic_ms() + START_TIMEOUT_MS;
    while (PQping(url) != PQPING_OK) {
        if (has_ended(p)) {
            return fail_with_log(p, "the private PostgreSQL ended", err);
        }
        if (clock_monotonic_ms() > deadline_ms) {
            return fail_with_log(p, "the private PostgreSQL took too long to start", err);
        }
        sleep_ms(POLL_MS);
    }
    return true;
}

static bool make_database(struct private_postgres *p, struct error *err)
{
    owned(database_close) PGconn *connection = database_connect(url_of(p, "postgres"), err);
    owned(free_buf) struct buf sql = {0};
    buf_append_format(&sql, "CREATE DATABASE %s", database_name);
    if (!connection || !database_execute(connection, buf_text(&sql), err)) {
        return error_wrap(err, "the private PostgreSQL");
    }
    const char *version = PQparameterStatus(connection, "server_version");
    p->version = arena_format(&p->arena, "%s", version ? version : "");
    p->url = url_of(p, database_name);
    return true;
}

static bool make_directory(struct private_postgres *p, struct error *err)
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

struct private_postgres *private_postgres_start(bool keep, struct error *err)
{
    owned(private_postgres_free) struct private_postgres *p = calloc(1, sizeof(*p));
    if (!p) {
        abort();
    }
    p->keep = keep;
    if (!find_programs(p, err) || !choose_account(p, err) || !make_directory(p, err) ||
        !run_initdb(p, err) || !run_server(p, err) || !wait_until_ready(p, err) ||
        !make_database(p, err)) {
        return NULL;
    }
    return take(p);
}

static void stop_server(struct private_postgres *p)
{
    if (has_ended(p)) {
        return;
    }
    (void)kill(p->pid, SIGQUIT); /* at once: its data has no future */
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

void private_postgres_free(struct private_postgres **pp)
{
    struct private_postgres *p = *pp;
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
