/* The state of a table: what is left when its actions are replayed. No I/O.
 * [PROTOCOL.md, Action Reconciliation] */
#pragma once

#include "base/map.h"
#include "delta/action.h"
#include "lake/lake.h"

/* A live file. */
struct delta_live {
    struct lake_file lake; /* first: slots point here. Filled by the table, but for slot */
    struct delta_file file;
    struct roaring_bitmap_s *bitmap; /* owned; NULL: none, or not read yet */
    bool complete;                   /* `lake` is filled */
};

struct delta_state {
    struct arena arena; /* the texts of what follows; rewritten when most of it is dead */
    size_t arena_live;  /* its size after it was last rewritten */
    int64_t version;    /* -1: nothing was applied */
    bool has_protocol;
    struct delta_protocol protocol;
    bool has_metadata;
    struct delta_metadata metadata;
    struct map files;         /* raw path -> struct delta_live, owned */
    struct map removed;       /* path NUL vector -> struct delta_file, owned: tombstones */
    struct map txns;          /* appId -> struct delta_txn, owned */
    struct map domains;       /* domain -> struct delta_domain, owned */
    struct lake_file **slots; /* owned; NULL: the file is gone */
    uint32_t slot_count;
    uint32_t slot_capacity;
    bool files_changed;    /* a slot came or went; whoever looks resets it */
    bool metadata_changed; /* so did the metadata */
};

void delta_state_init(struct delta_state *s);
void delta_state_release(struct delta_state *s);

/* Applies one commit, or a checkpoint, in any order of its actions. A file whose vector is replaced
 * keeps its slot. ERROR_DATA: more files than slots can number. */
must_check bool delta_state_apply(struct delta_state *s, int64_t version,
                                  const struct delta_action *actions, size_t count,
                                  struct error *err);

/* The live file of a raw path, or NULL. */
struct delta_live *delta_state_live(const struct delta_state *s, const char *path);
struct delta_live *delta_live_of(struct lake_file *file);

/* Gives a live file another path, before a commit is applied that adds it under this path: the file
 * keeps its slot and its vector. */
void delta_state_rename(struct delta_state *s, const char *from, const char *to);

/* Forgets tombstones that are older. */
void delta_state_expire(struct delta_state *s, int64_t before_ms);

/* The state as the actions of a checkpoint, in the list's arena; borrows the texts. */
void delta_state_list(const struct delta_state *s, struct delta_actions *out);
