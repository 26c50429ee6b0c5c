/* What PostgreSQL and MariaDB have in common as private servers. */
#pragma once

#include "base/arena.h"
#include "base/str.h"
#include "cli/private_server.h"

struct private_server {
    struct arena arena;
    const char *product;
    const char *schema;    /* of tables */
    int stop_signal;       /* ends it at once: its data has no future */
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

/* Texts are borrowed and live as long as the program. */
struct private_server *private_server_new(const char *product, const char *schema, int stop_signal,
                                          bool keep);

/* As root, which servers refuse to run as: chooses the first of these accounts that there is. The
 * list ends with NULL. */
must_check bool private_server_choose_account(struct private_server *p, const char *const *names,
                                              struct error *err);

must_check bool private_server_make_directory(struct private_server *p, struct error *err);

/* Runs a program to its end, as the server's account; argv[0] is its path. ERROR_FATAL with the end
 * of what it said. */
must_check bool private_server_run(struct private_server *p, char *const *argv, struct error *err);

/* Starts the server and waits until `is_ready`. */
must_check bool private_server_launch(struct private_server *p, char *const *argv,
                                      bool (*is_ready)(struct private_server *p),
                                      struct error *err);
