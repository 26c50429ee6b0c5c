/* Reads the command line, runs one command, and turns its outcome into words and an exit code. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"

static void configure_log(const struct log_config *config)
{
    bool json = config->format == LOG_FORMAT_AUTO ? isatty(STDERR_FILENO) != 1
                                                  : config->format == LOG_FORMAT_JSON;
    log_configure(config->level, json);
}

static bool run(int argc, char **argv, struct arguments *a, enum exit_code *exit, struct error *err)
{
    if (!arguments_parse(argc, argv, a, err)) {
        return false;
    }
    if (a->want == WANT_HELP) {
        help_print(a->command, stdout);
        return true;
    }
    if (a->want == WANT_VERSION) {
        (void)printf("leat %s\n", LEAT_VERSION);
        return true;
    }
    if (a->command->wants_config) {
        a->config = config_load(a->config_path, err);
        if (!a->config) {
            return false;
        }
        configure_log(&a->config->log);
    }
    return a->command->run(a, exit, err);
}

static enum exit_code report(const struct arguments *a, const struct error *err)
{
    if (a->command && a->command->is_service && a->config) {
        log_error("command failed", log_str("command", a->command->name),
                  log_str("kind", error_kind_name(err->kind)), log_str("error", err->message));
    } else {
        (void)fprintf(stderr, "leat: %s\n", err->message);
    }
    if (a->misused) {
        (void)fprintf(stderr, "try 'leat help%s%s'\n", a->command ? " " : "",
                      a->command ? a->command->name : "");
    }
    return err->kind == ERROR_CONFIG ? EXIT_CONFIG : EXIT_FAILED;
}

/* The next file that is opened takes the place of a standard stream that was closed, and would get
 * what is meant for it: something takes it first that refuses to be read or written. */
static bool fill_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    if (!fill_standard_streams()) {
        return EXIT_FAILED;
    }
    configure_log(&(struct log_config){.level = LOG_LEVEL_INFO});
    struct arguments a = {0};
    struct error err = {0};
    enum exit_code exit = EXIT_DONE;
    if (!run(argc, argv, &a, &exit, &err)) {
        exit = report(&a, &err);
    } else if (fflush(stdout) != 0 || ferror(stdout)) {
        (void)error_errno(&err, ERROR_FATAL, "cannot write to standard output");
        exit = report(&a, &err);
    }
    arguments_release(&a);
    return (int)exit;
}
