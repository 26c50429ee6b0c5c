#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "source/source.h"
#include "store/uri.h"

/* What was found so far decides the exit code. */
struct verdict {
    const char *pipeline;
    bool has_config_error;
    bool has_other_error;
};

static void print_finding(void *arg, const struct source_finding *finding)
{
    static const char *const words[] = {"ok", "warning", "error"};
    struct verdict *v = arg;
    (void)printf("%-8s %s: %s\n", words[finding->level], v->pipeline, finding->text);
    if (finding->level == FINDING_ERROR) {
        v->has_config_error |= finding->kind == ERROR_CONFIG;
        v->has_other_error |= finding->kind != ERROR_CONFIG;
    }
}

/* Cuts a path down to its nearest directory that exists; false: there is none. */
static bool existing_parent(struct buf *path)
{
    while (path->size > 0 && access(path->data, F_OK) != 0) {
        const char *slash = strrchr(path->data, '/');
        path->size = slash ? (size_t)(slash - path->data) : 0;
        path->data[path->size] = '\0';
    }
    return path->size > 0;
}

/* A directory that leat writes to: there, or with a parent in which it can be made. */
static void check_directory(struct verdict *v, const char *what, const char *location)
{
    owned(buf_release) struct buf path = {0};
    size_t scheme = uri_scheme(location);
    const char *local = scheme > 0 ? location + scheme + strlen("://") : location;
    /* Only what stands before the first placeholder is known. */
    size_t known = strcspn(local, "{");
    buf_append_text(&path, local[0] == '/' ? "" : "./");
    buf_append(&path, local, known);
    owned(buf_release) struct buf text = {0};
    struct source_finding finding = {.level = FINDING_OK};
    if (!existing_parent(&path)) {
        buf_append_text(&path, "/");
    }
    if (access(path.data, W_OK | X_OK) == 0) {
        buf_append_format(&text, "%s %s is writable", what, location);
    } else {
        finding.level = FINDING_ERROR;
        finding.kind = ERROR_CONFIG;
        buf_append_format(&text, "%s %s cannot be written: no right to write in %s", what, location,
                          path.data);
    }
    finding.text = buf_text(&text);
    print_finding(v, &finding);
}

static void check_pipeline(const struct pipeline_config *p, struct verdict *v)
{
    v->pipeline = p->name;
    const struct source_type *type = source_type_find(p->source.type);
    if (type) {
        type->check(&p->source, p->name, print_finding, v);
    } else {
        owned(buf_release) struct buf text = {0};
        buf_append_format(&text, "unknown source type \"%s\"", p->source.type);
        print_finding(v, &(struct source_finding){.level = FINDING_ERROR,
                                                  .kind = ERROR_CONFIG,
                                                  .text = buf_text(&text)});
    }
    check_directory(v, "state_dir", p->state_dir);
    for (uint32_t i = 0; i < p->sink_count; i++) {
        if (p->sinks[i].location) {
            check_directory(v, "location", p->sinks[i].location);
        }
    }
}

static bool run(struct arguments *a, enum exit_code *exit, struct error *err)
{
    struct verdict verdict = {0};
    for (int i = 0; i < a->operand_count; i++) {
        const struct pipeline_config *p = config_pipeline(a->config, a->operands[i]);
        if (!p) {
            return error_set(err, ERROR_CONFIG, "there is no pipeline \"%s\" in %s", a->operands[i],
                             a->config_path);
        }
        check_pipeline(p, &verdict);
    }
    for (uint32_t i = 0; a->operand_count == 0 && i < a->config->pipeline_count; i++) {
        check_pipeline(&a->config->pipelines[i], &verdict);
    }
    *exit = verdict.has_config_error  ? EXIT_CONFIG
            : verdict.has_other_error ? EXIT_FAILED
                                      : EXIT_DONE;
    return true;
}

const struct command command_check = {
    .name = "check",
    .summary = "check configuration, connections and prerequisites",
    .operands = "[PIPELINE]...",
    .help = "Reads the configuration, connects to the source of each pipeline and prints what it\n"
            "found, one line each: ok, warning or error, with the statement that mends it. Starts\n"
            "nothing and makes nothing. Exit code 2 when something has to be changed, 1 when a\n"
            "server could not be asked, else 0.",
    .operands_max = -1,
    .wants_config = true,
    .run = run,
};
