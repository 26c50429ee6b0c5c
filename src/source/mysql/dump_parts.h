/* What the files of the dump share. */
#pragma once

#include "source/mysql/dump.h"

/* Sets the session up and sends the request. */
must_check bool dump_request(MYSQL *c, const struct dump_options *options, struct error *err);
