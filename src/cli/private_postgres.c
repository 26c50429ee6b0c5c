#include <libpq-fe.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/database.h"
#include "cli/private_server_parts.h"

static const char user_name[] = "cdcuser";
static const char database_name[] = "cdcdb";

static void free_buf(struct buf *b)
{
    buf_release(b);
}

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

/* The directory of initdb and postgres, in p's arena. */
static const char *find_programs(struct private_server *p, struct error *err)
{
    owned(free_buf) struct buf found = {0};
    if (!find_on_path(&found) && !find_installed(&found)) {
        (void)error_set(
            err, ERROR_CONFIG,
            "no PostgreSQL server found on this machine (initdb and postgres, in PATH or "
            "/usr/lib/postgresql/*/bin); on Debian: apt-get install postgresql");
        return NULL;
    }
    return arena_string(&p->arena, found.data, found.size);
}

static bool run_initdb(struct private_server *p, const char *programs, struct error *err)
{
    char *argv[] = {
        arena_format(&p->arena, "%s/initdb", programs),
        arena_format(&p->arena, "--pgdata=%s/data", p->directory),
        arena_format(&p->arena, "--username=%s", user_name),
        arena_format(&p->arena, "--auth=trust"), /* only we reach the socket's directory */
        arena_format(&p->arena, "--encoding=UTF8"),
        arena_format(&p->arena, "--locale=C"),
        arena_format(&p->arena, "--no-sync"),
        NULL,
    };
    return private_server_run(p, argv, err);
}

static const char *url_of(struct private_server *p, const char *database)
{
    /* The directory's name needs no escaping: /tmp/leat-demo-XXXXXX. */
    return arena_format(&p->arena, "postgresql://%s@/%s?host=%s&port=5432", user_name, database,
                        p->directory);
}

static bool is_ready(struct private_server *p)
{
    return PQping(p->url) == PQPING_OK;
}

static bool run_server(struct private_server *p, const char *programs, struct error *err)
{
    char *argv[] = {
        arena_format(&p->arena, "%s/postgres", programs),
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
    p->url = url_of(p, "postgres");
    return private_server_launch(p, argv, is_ready, err);
}

static bool make_database(struct private_server *p, struct error *err)
{
    owned(database_close) struct database *db = database_connect(p->url, err);
    owned(free_buf) struct buf sql = {0};
    buf_append_format(&sql, "CREATE DATABASE %s", database_name);
    if (!db || !database_execute(db, buf_text(&sql), err)) {
        return error_wrap(err, "the private PostgreSQL");
    }
    owned(database_rows_free) struct database_rows *version =
        database_query(db, "SHOW server_version", err);
    if (!version) {
        return error_wrap(err, "the private PostgreSQL");
    }
    p->version = arena_format(&p->arena, "%s", database_value(version, 0, 0));
    p->url = url_of(p, database_name);
    return true;
}

struct private_server *private_postgres_start(bool keep, struct error *err)
{
    static const char *const accounts[] = {"postgres", "nobody", NULL};
    owned(private_server_free) struct private_server *p =
        private_server_new("PostgreSQL", "public", SIGQUIT, keep);
    const char *programs = find_programs(p, err);
    if (!programs || !private_server_choose_account(p, accounts, err) ||
        !private_server_make_directory(p, err) || !run_initdb(p, programs, err) ||
        !run_server(p, programs, err) || !make_database(p, err)) {
        return NULL;
    }
    return take(p);
}
