#include <string.h>

#include "base/str.h"
#include "config/config.h"
#include "config/keys.h"

static const char introduction[] =
    "# Configuration\n"
    "\n"
    "<!-- Made by `leat config docs` from the key table in src/config/keys.c. -->\n"
    "\n"
    "`leat` reads one YAML file, `leat.yaml` or the one named by `--config`. JSON is YAML too.\n"
    "`leat config show` prints what is in force: every value with its origin, passwords hidden.\n"
    "`leat check` checks the file and connects to everything in it, without changing anything.\n"
    "\n"
    "```yaml\n"
    "pipelines:\n"
    "  shop:\n"
    "    source:\n"
    "      type: postgres\n"
    "      url: postgresql://cdcuser:${env:PGPASSWORD}@localhost:5432/cdcdb\n"
    "      tables: [public.customers, public.orders]\n"
    "    sinks:\n"
    "      - type: delta\n"
    "        location: ./lake/{schema}/{table}\n"
    "        tables:\n"
    "          public.orders: { partition_by: [status] }\n"
    "```\n"
    "\n"
    "Rules for all values:\n"
    "\n"
    "- A value is what its key says, whatever it looks like: quotes change nothing, and `no` is\n"
    "  not `false`. Unknown keys, keys given twice and values out of range are errors that name\n"
    "  line, column and the nearest known key.\n"
    "- A *duration* is a whole number with `ms`, `s`, `m`, `h` or `d`; a *size* one with `B`,\n"
    "  `kB`, `MB`, `GB`, `TB` (powers of 1000) or `KiB`, `MiB`, `GiB`, `TiB` (powers of 1024).\n"
    "- A *list* of one text may be written as that text.\n"
    "- In any value `${env:NAME}` is replaced by an environment variable and `${file:PATH}` by\n"
    "  what a file holds, without a newline at its end; a missing one is an error. `$${` stands\n"
    "  for `${`.\n"
    "- Relative paths start at the working directory.\n"
    "- Anchors, aliases, tags, several documents, more than 16 levels and files above 1 MiB are\n"
    "  refused.\n";

static const char *type_name(const struct key *k)
{
    static const char *const names[] = {
        [KEY_STRING] = "text",
        [KEY_BOOL] = "`true` or `false`",
        [KEY_INTEGER] = "whole number",
        [KEY_DURATION] = "duration",
        [KEY_SIZE] = "size",
        [KEY_ENUM] = "",
        [KEY_STRINGS] = "list of texts",
        [KEY_SECTION] = "section",
        [KEY_LIST] = "list of sections",
        [KEY_MAP] = "map of sections",
    };
    return names[k->type];
}

/* A '|' would end a table's cell. */
static void print_cell(const char *text, FILE *out)
{
    for (const char *p = text; *p; p++) {
        if (*p == '|') {
            (void)fputc('\\', out);
        }
        (void)fputc(*p, out);
    }
}

static void print_row(const struct key *k, FILE *out)
{
    (void)fprintf(out, "| `%s` | ", k->name);
    if (k->words) {
        for (const char *const *w = k->words; *w; w++) {
            (void)fprintf(out, "%s`%s`", w == k->words ? "" : ", ", *w);
        }
    } else {
        print_cell(type_name(k), out);
    }
    if (k->min) {
        (void)fprintf(out, ", %s to %s", k->min, k->max);
    }
    (void)fprintf(out, " | ");
    if (k->default_text) {
        (void)fprintf(out, "`%s`", k->default_text);
    } else if (k->required) {
        (void)fprintf(out, "required");
    }
    (void)fprintf(out, " | ");
    if (k->for_type) {
        (void)fprintf(out, "(`%s`) ", k->for_type);
    }
    print_cell(k->help, out);
    (void)fprintf(out, " |\n");
}

/* A section, then those inside it. `path` is how one gets there: "pipelines.NAME.sinks[]". */
static void print_section(const struct section *s, const char *path, FILE *out)
{
    (void)fprintf(out, "\n## %s%s%s\n\n", *path ? "`" : "Top level", path, *path ? "`" : "");
    if (*s->help) {
        (void)fprintf(out, "%s\n\n", s->help);
    }
    (void)fprintf(out, "| key | value | default | meaning |\n|---|---|---|---|\n");
    for (const struct key *k = s->keys; k->name; k++) {
        print_row(k, out);
    }
    for (const struct key *k = s->keys; k->name; k++) {
        if (k->section) {
            struct buf inner = {0};
            buf_append_format(&inner, "%s%s%s%s", path, *path ? "." : "", k->name,
                              k->type == KEY_LIST  ? "[]"
                              : k->type == KEY_MAP ? ".NAME"
                                                   : "");
            print_section(k->section, buf_text(&inner), out);
            buf_release(&inner);
        }
    }
}

void config_docs(FILE *out)
{
    (void)fputs(introduction, out);
    print_section(&config_section, "", out);
}
