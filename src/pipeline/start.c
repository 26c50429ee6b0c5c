#include "pipeline/start.h"

#include <stdio.h>
#include <string.h>

enum state {
    ABSENT,    /* no table there */
    FOREIGN,   /* a table that this pipeline never wrote */
    LOADING,   /* a load was begun and not finished */
    STREAMING, /* equals the source at its position */
};

static enum state state_of(const struct start_table *t)
{
    if (!t->snapshot->exists) {
        return ABSENT;
    }
    if (!t->snapshot->has_record) {
        return FOREIGN;
    }
    return t->snapshot->record.phase == PHASE_LOADING ? LOADING : STREAMING;
}

static const struct start_table *first_in(const struct start_facts *f, enum state state)
{
    for (uint32_t i = 0; i < f->table_count; i++) {
        if (state_of(&f->tables[i]) == state) {
            return &f->tables[i];
        }
    }
    return NULL;
}

static bool lost(const struct start_facts *f, const struct start_table *t, const char *what,
                 struct error *err)
{
    return error_set(err, ERROR_LOST,
                     "table %s (%s): %s; changes in between would be missing: run "
                     "\"leat reload %s\" to load it again",
                     t->name, t->sink, what, f->pipeline);
}

/* Nothing of the pipeline exists in its sinks: fine for a new pipeline, loss for an old one. */
static bool decide_without_tables(const struct start_facts *f, struct start_decision *out,
                                  struct error *err)
{
    for (uint32_t i = 0; i < f->table_count; i++) {
        if (f->tables[i].known) {
            return lost(f, &f->tables[i], "it was written before and is gone", err);
        }
    }
    if (f->remembered.kind != POSITION_NONE) {
        return lost(f, &f->tables[0],
                    "it does not exist, but the source has acknowledged changes of this pipeline",
                    err);
    }
    *out = (struct start_decision){.load = true};
    return true;
}

/* Rule 1: a table counts as complete up to the join of its own position, every `complete` in its
 * sink, and what the source remembers; reading resumes at the meet over all tables. */
static struct position resume_position(const struct start_facts *f)
{
    struct position resume = {0};
    for (uint32_t i = 0; i < f->table_count; i++) {
        const struct start_table *t = &f->tables[i];
        struct position p = position_join(t->snapshot->record.position, f->remembered);
        for (uint32_t k = 0; k < f->table_count; k++) {
            if (f->tables[k].sink_index == t->sink_index) {
                p = position_join(p, f->tables[k].snapshot->record.complete);
            }
        }
        resume = i == 0 ? p : position_meet(resume, p);
    }
    return resume;
}

static const char *kind_name(enum position_kind kind)
{
    return kind == POSITION_SET ? "sets of GTIDs" : "numbers";
}

/* A source may begin to count in another way: positions of two kinds say nothing of each other. */
static bool check_kind(const struct start_facts *f, const struct start_table *t,
                       const struct position *p, enum position_kind *kind, struct error *err)
{
    if (p->kind == POSITION_NONE || *kind == POSITION_NONE || p->kind == *kind) {
        *kind = p->kind == POSITION_NONE ? *kind : p->kind;
        return true;
    }
    owned(buf_release) struct buf text = {0};
    owned(buf_release) struct buf of = {0};
    position_format(*p, &text);
    buf_append_format(&of, t ? "table %s (%s)" : "the pipeline", t ? t->name : "",
                      t ? t->sink : "");
    return error_set(err, ERROR_LOST,
                     "%s stands at %.200s, and positions are now %s: changes in between cannot be "
                     "found: run \"leat reload %s\" to load it from here",
                     buf_text(&of), buf_text(&text), kind_name(*kind), f->pipeline);
}

static bool check_kinds(const struct start_facts *f, struct error *err)
{
    enum position_kind kind = f->position_kind;
    if (!check_kind(f, NULL, &f->remembered, &kind, err)) {
        return false;
    }
    for (uint32_t i = 0; i < f->table_count; i++) {
        const struct start_table *t = &f->tables[i];
        if (!check_kind(f, t, &t->snapshot->record.position, &kind, err) ||
            !check_kind(f, t, &t->snapshot->record.complete, &kind, err)) {
            return false;
        }
    }
    return check_kind(f, NULL, &f->unrecorded, &kind, err);
}

static bool check_sources(const struct start_facts *f, struct error *err)
{
    for (uint32_t i = 0; i < f->table_count; i++) {
        const struct lake_record *record = &f->tables[i].snapshot->record;
        if (strcmp(record->source, f->source_identity) != 0) {
            return error_set(
                err, ERROR_LOST,
                "table %s (%s): its position belongs to source \"%s\", this is \"%s\": "
                "run \"leat reload %s\" to load it from here",
                f->tables[i].name, f->tables[i].sink, record->source, f->source_identity,
                f->pipeline);
        }
    }
    return true;
}

/* Nothing durable to resume from: the source alone knows, or, after a failure, this process. */
static bool decide_without_records(const struct start_facts *f, struct start_decision *out,
                                   struct error *err)
{
    if (!check_kinds(f, err)) {
        return false;
    }
    bool goes_on = !f->has_memory && f->has_streamed && f->unrecorded.kind != POSITION_NONE;
    *out = (struct start_decision){.load = f->remembered.kind == POSITION_NONE && !goes_on,
                                   .resume = position_join(f->remembered, f->unrecorded)};
    return true;
}

bool start_decide(const struct start_facts *f, struct start_decision *out, struct error *err)
{
    const struct start_table *foreign = first_in(f, FOREIGN);
    if (foreign && foreign->known && !f->reload) {
        return error_set(err, ERROR_LOST,
                         "table %s (%s): it was replaced by a table that pipeline \"%s\" did not "
                         "write: remove that one first",
                         foreign->name, foreign->sink, f->pipeline);
    }
    if (foreign) {
        return error_set(err, ERROR_CONFIG,
                         "table %s (%s): there is a table that pipeline \"%s\" did not write: "
                         "choose another location, or remove it",
                         foreign->name, foreign->sink, f->pipeline);
    }
    if (f->reload) {
        *out = (struct start_decision){.load = true};
        return true;
    }
    if (f->table_count == 0) {
        return decide_without_records(f, out, err);
    }
    if (first_in(f, LOADING)) { /* an unfinished load is done again; equal rows are left alone */
        *out = (struct start_decision){.load = true};
        return true;
    }
    const struct start_table *absent = first_in(f, ABSENT);
    if (!first_in(f, STREAMING)) {
        return decide_without_tables(f, out, err);
    }
    if (absent) {
        return lost(f, absent, "it does not exist, while other tables of the pipeline do", err);
    }
    if (!check_sources(f, err) || !check_kinds(f, err)) {
        return false;
    }
    if (f->has_memory && f->remembered.kind == POSITION_NONE) {
        return lost(f, &f->tables[0], "the source has no replication slot for it any more", err);
    }
    *out = (struct start_decision){.resume = resume_position(f)};
    if (f->unrecorded.kind != POSITION_NONE) {
        out->resume = position_meet(out->resume, f->unrecorded);
    }
    return true;
}

void start_name_way_back(const char *pipeline, struct error *err)
{
    size_t used = strlen(err->message);
    char reload[128];
    (void)snprintf(reload, sizeof(reload), "leat reload %s", pipeline);
    if (err->kind == ERROR_LOST && !strstr(err->message, reload)) {
        (void)snprintf(err->message + used, sizeof(err->message) - used,
                       "; \"%s\" makes the tables equal to the source again", reload);
    }
}
