/* The metadata files of one table directory: which there are, and which is the newest. Two ways of
 * naming them: v<N>.metadata.json of the filesystem catalog, <NNNNN>-<uuid>.metadata.json of
 * catalogs that keep a pointer elsewhere; ".gz" before ".metadata.json" or at the end.
 * [Iceberg spec, File System Tables; HadoopTableOperations] */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "store/store.h"

struct metadata_file {
    int64_t number;    /* N */
    bool is_versioned; /* v<N>: this directory is the catalog */
    const char *name;
};

/* Reads a name (without directories); false: it is none of a metadata file. `out->name` is `name`.
 */
bool metadata_file_parse(const char *name, struct metadata_file *out);

/* "metadata/v<N>.metadata.json" */
char *metadata_file_key(int64_t number, struct arena *a);

/* True when a file v<N> is there, compressed or not. */
must_check bool metadata_file_exists(struct store *s, int64_t number, bool *exists,
                                     struct error *err);

/* The highest N of the files v<N>; -1: there is none. */
must_check bool metadata_file_highest(struct store *s, int64_t *number, struct error *err);

/* Reads the newest metadata file into `data`: that of version-hint.text, or one that comes after
 * it; without a hint that is right, the one of the highest number. out->name NULL: there is none.
 * The name is in the arena. */
must_check bool metadata_file_newest(struct store *s, struct arena *a, struct metadata_file *out,
                                     struct buf *data, struct error *err);

/* Says in version-hint.text where readers may begin to look, unless it names a later file
 * that is there: hints are written after commits, and not in their order. */
must_check bool metadata_file_write_hint(struct store *s, int64_t number, struct error *err);
