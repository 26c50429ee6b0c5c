/* A PostgreSQL server of our own, for the demonstration: a new data directory, reached over a unix
 * socket only, without durability, gone at the end. Start it before there are threads. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/error.h"

struct private_postgres;

/* Finds the server's programs (in PATH and in Debian's and Red Hat's places), makes a data
 * directory below /tmp, starts the server with wal_level=logical and makes user and database. As
 * root the server runs as "postgres" or "nobody". It dies with this process unless `keep`.
 * ERROR_CONFIG: no server is installed, and what to install. */
struct private_postgres *private_postgres_start(bool keep, struct error *err);

/* A URL for libpq: the superuser cdcuser in the database cdcdb. */
const char *private_postgres_url(const struct private_postgres *p);

/* Version of the server, as it says it: "15.13 (Debian ...)". */
const char *private_postgres_version(const struct private_postgres *p);

/* Where its data lies, and the server's process. */
const char *private_postgres_directory(const struct private_postgres *p);
pid_t private_postgres_pid(const struct private_postgres *p);

/* Leaves the server running when p is freed. */
void private_postgres_abandon(struct private_postgres *p);

/* Stops the server and removes everything it had. */
void private_postgres_free(struct private_postgres **p);
