/* A database server of our own, for the demonstration: a new data directory below /tmp, reached
 * over a unix socket only, without durability, gone at the end. Start it before there are threads.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/error.h"

struct private_server;

/* Finds the server's programs (in PATH and in the usual places), makes a data directory, starts the
 * server with a log of row changes and makes a database. As root the server runs as another
 * account. It dies with this process unless `keep`. ERROR_CONFIG: no server is installed, and what
 * to install. */
struct private_server *private_postgres_start(bool keep, struct error *err);
struct private_server *private_mariadb_start(bool keep, struct error *err);

/* "PostgreSQL", "MariaDB", and its version as it says it: "15.13 (Debian ...)". */
const char *private_server_product(const struct private_server *p);
const char *private_server_version(const struct private_server *p);

/* The URL of a user who may do everything, in a database with one schema for tables. */
const char *private_server_url(const struct private_server *p);
const char *private_server_schema(const struct private_server *p);

/* Where its data lies, and the server's process. */
const char *private_server_directory(const struct private_server *p);
pid_t private_server_pid(const struct private_server *p);

/* Leaves the server running when p is freed. */
void private_server_abandon(struct private_server *p);

/* Stops the server and removes everything it had. */
void private_server_free(struct private_server **p);
