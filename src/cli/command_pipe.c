#include "cli/command_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"

static bool is_named_in(const char *entry, const char *const *variables)
{
    size_t size = strcspn(entry, "=") + 1;
    for (; *variables; variables++) {
        if (strncmp(*variables, entry, size) == 0) {
            return true;
        }
    }
    return false;
}

/* Our environment, and the variables instead of what has their names in it. */
static char **make_environment(struct arena *a, const char *const *variables)
{
    size_t count = 0;
    size_t more = 0;
    while (environ[count]) {
        count++;
    }
    while (variables[more]) {
        more++;
    }
    char **out = arena_array(a, count + more + 1, sizeof(*out));
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_named_in(environ[i], variables)) {
            out[used++] = environ[i];
        }
    }
    for (size_t i = 0; i < more; i++) {
        out[used++] = arena_string(a, variables[i], strlen(variables[i]));
    }
    out[used] = NULL;
    return out;
}

/* A broken pipe ends us with an error, but a shell's tools as they expect. */
static void default_signals(posix_spawnattr_t *attributes)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGPIPE);
    (void)posix_spawnattr_setsigdefault(attributes, &set);
    (void)posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF);
}

static bool start(const char *command, const char *const *variables, int input, pid_t *pid,
                  struct error *err)
{
    struct arena arena = {0};
    char shell[] = "sh";
    char option[] = "-c";
    char *argv[] = {shell, option, arena_string(&arena, command, strlen(command)), NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    (void)posix_spawnattr_init(&attributes);
    default_signals(&attributes);
    errno = posix_spawn(pid, "/bin/sh", &actions, &attributes, argv,
                        make_environment(&arena, variables));
    bool done = errno == 0 || error_errno(err, ERROR_FATAL, "cannot run \"%s\"", command);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    arena_release(&arena);
    return done;
}

/* Who does not want to read on has closed the pipe: its exit code says what that means. */
static bool feed(int fd, struct str input, struct error *err)
{
    while (input.size > 0) {
        ssize_t n = write(fd, input.data, input.size);
        if (n < 0 && errno != EINTR) {
            return errno == EPIPE ||
                   error_errno(err, ERROR_FATAL, "cannot write to the command's stdin");
        }
        n = n < 0 ? 0 : n;
        input = (struct str){input.data + n, input.size - (size_t)n};
    }
    return true;
}

static bool wait_for(pid_t pid, int *status, struct error *err)
{
    while (waitpid(pid, status, 0) < 0) {
        if (errno != EINTR) {
            return error_errno(err, ERROR_FATAL, "cannot wait for the command");
        }
    }
    return true;
}

bool command_pipe(const char *command, const char *const *variables, struct str input, int *status,
                  struct error *err)
{
    int ends[2];
    pid_t pid = 0;
    (void)signal(SIGPIPE, SIG_IGN);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return error_errno(err, ERROR_FATAL, "cannot make a pipe");
    }
    bool started = start(command, variables, ends[0], &pid, err);
    (void)close(ends[0]);
    bool fed = started && feed(ends[1], input, err);
    (void)close(ends[1]);
    bool ended = started && wait_for(pid, status, err);
    return fed && ended;
}
