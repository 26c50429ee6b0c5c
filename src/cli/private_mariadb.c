#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/database.h"
#include "cli/private_server_parts.h"

static const char database_name[] = "shop";

static void free_buf(struct buf *b)
{
    buf_release(b);
}

struct programs {
    const char *server;
    const char *install; /* makes the data directory */
};

/* The first of these programs, in PATH or where servers lie that no user calls; NULL: none. */
static const char *find_program(struct arena *a, const char *const *names)
{
    const char *path = getenv("PATH");
    owned(free_buf) struct buf places = {0};
    buf_append_format(&places, "%s:/usr/bin:/usr/sbin:/usr/libexec:/usr/local/bin:/usr/local/sbin",
                      path ? path : "");
    owned(free_buf) struct buf candidate = {0};
    for (; *names; names++) {
        for (const char *p = buf_text(&places); *p;) {
            size_t size = strcspn(p, ":");
            buf_clear(&candidate);
            buf_append(&candidate, p, size);
            buf_append_format(&candidate, "/%s", *names);
            if (size > 0 && access(buf_text(&candidate), X_OK) == 0) {
                return arena_string(a, candidate.data, candidate.size);
            }
            p += size + (p[size] == ':');
        }
    }
    return NULL;
}

static bool find_programs(struct private_server *p, struct programs *out, struct error *err)
{
    static const char *const servers[] = {"mariadbd", "mysqld", NULL};
    static const char *const installs[] = {"mariadb-install-db", "mysql_install_db", NULL};
    out->server = find_program(&p->arena, servers);
    out->install = find_program(&p->arena, installs);
    return (out->server && out->install) ||
           error_set(err, ERROR_CONFIG,
                     "no MariaDB server found on this machine (mariadbd and mariadb-install-db, in "
                     "PATH or /usr/sbin); on Debian: apt-get install mariadb-server-core "
                     "mariadb-client");
}

static bool install(struct private_server *p, const char *program, struct error *err)
{
    char *argv[] = {
        arena_format(&p->arena, "%s", program),
        arena_format(&p->arena, "--no-defaults"),
        arena_format(&p->arena, "--datadir=%s/data", p->directory),
        /* Only we reach the socket's directory. */
        arena_format(&p->arena, "--auth-root-authentication-method=normal"),
        arena_format(&p->arena, "--skip-test-db"),
        arena_format(&p->arena, "--skip-name-resolve"),
        NULL,
    };
    return private_server_run(p, argv, err);
}

static const char *url_of(struct private_server *p, const char *database)
{
    /* The directory's name needs no escaping: /tmp/leat-demo-XXXXXX. */
    return arena_format(&p->arena, "mysql://root@localhost/%s?socket=%s/socket", database,
                        p->directory);
}

static bool is_ready(struct private_server *p)
{
    struct error not_yet = {0};
    owned(database_close) struct database *db = database_connect(p->url, &not_yet);
    return db != NULL;
}

static bool run_server(struct private_server *p, const char *program, struct error *err)
{
    char *argv[] = {
        arena_format(&p->arena, "%s", program),
        arena_format(&p->arena, "--no-defaults"),
        arena_format(&p->arena, "--datadir=%s/data", p->directory),
        arena_format(&p->arena, "--socket=%s/socket", p->directory),
        arena_format(&p->arena, "--pid-file=%s/pid", p->directory),
        arena_format(&p->arena, "--skip-networking"),
        arena_format(&p->arena, "--skip-name-resolve"),
        arena_format(&p->arena, "--server-id=1"),
        arena_format(&p->arena, "--log-bin=binlog"),
        arena_format(&p->arena, "--binlog-format=ROW"),
        arena_format(&p->arena, "--character-set-server=utf8mb4"),
        arena_format(&p->arena, "--innodb-buffer-pool-size=64M"),
        arena_format(&p->arena, "--innodb-flush-log-at-trx-commit=0"),
        arena_format(&p->arena, "--innodb-doublewrite=OFF"),
        arena_format(&p->arena, "--sync-binlog=0"),
        NULL,
    };
    p->url = url_of(p, "mysql");
    return private_server_launch(p, argv, is_ready, err);
}

static bool make_database(struct private_server *p, struct error *err)
{
    owned(database_close) struct database *db = database_connect(p->url, err);
    owned(free_buf) struct buf sql = {0};
    buf_append_format(&sql, "CREATE DATABASE %s", database_name);
    if (!db || !database_execute(db, buf_text(&sql), err)) {
        return error_wrap(err, "the private MariaDB");
    }
    owned(database_rows_free) struct database_rows *version =
        database_query(db, "SELECT VERSION()", err);
    if (!version) {
        return error_wrap(err, "the private MariaDB");
    }
    p->version = arena_format(&p->arena, "%s", database_value(version, 0, 0));
    p->url = url_of(p, database_name);
    return true;
}

struct private_server *private_mariadb_start(bool keep, struct error *err)
{
    static const char *const accounts[] = {"mysql", "nobody", NULL};
    owned(private_server_free) struct private_server *p =
        private_server_new("MariaDB", database_name, SIGKILL, keep);
    struct programs programs;
    if (!find_programs(p, &programs, err) || !private_server_choose_account(p, accounts, err) ||
        !private_server_make_directory(p, err) || !install(p, programs.install, err) ||
        !run_server(p, programs.server, err) || !make_database(p, err)) {
        return NULL;
    }
    return take(p);
}
