/* The store of a directory on this machine. */
#pragma once

#include "store/store.h"

struct store *local_open(const char *root, struct error *err);
