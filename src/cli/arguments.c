#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/nearest.h"
#include "base/str.h"
#include "cli/cli.h"
#include "config/scalar.h"

struct option_value {
    const struct option_spec *option;
    const char *text;
};

static const struct option_spec global_options[] = {
    {.name = "config", .letter = 'c', .value = "FILE"},
    {.name = "help", .letter = 'h'},
    {.name = "version"},
    {0},
};
enum { GLOBAL_CONFIG, GLOBAL_HELP, GLOBAL_VERSION };

bool argument_misuse(struct arguments *a, struct error *err, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    a->misused = true;
    return error_set(err, ERROR_CONFIG, "%s", text);
}

static const struct option_spec *find_by_name(const struct option_spec *options, struct str name)
{
    for (const struct option_spec *o = options; o && o->name; o++) {
        if (str_equal(str_from(o->name), name)) {
            return o;
        }
    }
    return NULL;
}

static const struct option_spec *find_by_letter(const struct option_spec *options, char letter)
{
    for (const struct option_spec *o = options; o && o->name; o++) {
        if (o->letter == letter) {
            return o;
        }
    }
    return NULL;
}

static bool refuse_option(struct arguments *a, struct str name, struct error *err)
{
    struct nearest near = nearest_start(arena_string(&a->arena, name.data, name.size));
    for (const struct option_spec *o = global_options; o->name; o++) {
        nearest_try(&near, o->name);
    }
    for (const struct option_spec *o = a->command ? a->command->options : NULL; o && o->name; o++) {
        nearest_try(&near, o->name);
    }
    return argument_misuse(a, err, "unknown option \"--%.64s\"%s%s%s", near.wanted,
                           near.found ? "; did you mean \"--" : "", near.found ? near.found : "",
                           near.found ? "\"?" : "");
}

static void take_option(struct arguments *a, const struct option_spec *option, const char *value)
{
    if (option == &global_options[GLOBAL_CONFIG]) {
        a->config_path = value;
    } else if (option == &global_options[GLOBAL_HELP]) {
        a->want = WANT_HELP;
    } else if (option == &global_options[GLOBAL_VERSION]) {
        a->want = a->want == WANT_HELP ? WANT_HELP : WANT_VERSION;
    } else {
        a->values[a->value_count++] = (struct option_value){.option = option, .text = value};
    }
}

/* Reads the option in argv[*i], which begins with '-', and its value, which may be the next word.
 */
static bool parse_option(struct arguments *a, int argc, char **argv, int *i, struct error *err)
{
    const char *word = argv[*i];
    const struct option_spec *own = a->command ? a->command->options : NULL;
    const struct option_spec *option = NULL;
    const char *value = NULL;
    if (word[1] == '-') {
        struct str name = {.data = word + 2, .size = strcspn(word + 2, "=")};
        value = word[2 + name.size] == '=' ? word + 3 + name.size : NULL;
        option = find_by_name(own, name);
        option = option ? option : find_by_name(global_options, name);
        if (!option) {
            return refuse_option(a, name, err);
        }
    } else {
        value = word[2] ? word + 2 : NULL;
        option = find_by_letter(own, word[1]);
        option = option ? option : find_by_letter(global_options, word[1]);
        if (!option) {
            return argument_misuse(a, err, "unknown option \"-%c\"", word[1]);
        }
    }
    if (!option->value && value) {
        return argument_misuse(a, err, "option \"--%s\" takes no value", option->name);
    }
    if (option->value && !value) {
        if (*i + 1 == argc) {
            return argument_misuse(a, err, "option \"--%s\" needs a value, %s", option->name,
                                   option->value);
        }
        value = argv[++*i];
    }
    take_option(a, option, value ? value : "");
    return true;
}

static bool check_operands(struct arguments *a, struct error *err)
{
    const struct command *c = a->command;
    if (a->operand_count < c->operands_min) {
        return argument_misuse(a, err, "\"%s\" needs more arguments: leat %s %s", c->name, c->name,
                               c->operands);
    }
    if (c->operands_max >= 0 && a->operand_count > c->operands_max) {
        return argument_misuse(a, err, "\"%s\": unexpected argument \"%s\"", c->name,
                               config_redacted_url(&a->arena, a->operands[c->operands_max]));
    }
    return true;
}

bool arguments_parse(int argc, char **argv, struct arguments *out, struct error *err)
{
    size_t word_count = argc > 0 ? (size_t)argc : 1;
    out->config_path = "leat.yaml";
    out->operands = arena_array(&out->arena, word_count, sizeof(*out->operands));
    out->values = arena_array(&out->arena, word_count, sizeof(*out->values));
    bool options_end = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (!options_end && strcmp(word, "--") == 0) {
            options_end = true;
        } else if (!options_end && word[0] == '-' && word[1]) {
            if (!parse_option(out, argc, argv, &i, err)) {
                return false;
            }
        } else if (!out->command) {
            out->command = command_find(out, word, err);
            if (!out->command) {
                return false;
            }
        } else {
            out->operands[out->operand_count++] = word;
        }
    }
    if (out->want != WANT_RUN) {
        return true;
    }
    if (!out->command) {
        return argument_misuse(out, err, "no command given");
    }
    return check_operands(out, err);
}

void arguments_release(struct arguments *a)
{
    config_free(&a->config);
    arena_release(&a->arena);
    *a = (struct arguments){0};
}

const char *argument_text(const struct arguments *a, const char *option)
{
    assert(find_by_name(a->command->options, str_from(option)));
    for (size_t i = a->value_count; i > 0; i--) {
        if (strcmp(a->values[i - 1].option->name, option) == 0) {
            return a->values[i - 1].text;
        }
    }
    return NULL;
}

bool argument_given(const struct arguments *a, const char *option)
{
    return argument_text(a, option) != NULL;
}

bool argument_integer(struct arguments *a, const char *option, int64_t min, int64_t max,
                      int64_t *out, struct error *err)
{
    const char *text = argument_text(a, option);
    int64_t value = 0;
    if (!text) {
        return true;
    }
    if (!scalar_parse_integer(text, &value) || value < min || value > max) {
        return argument_misuse(
            a, err, "option \"--%s\": \"%s\" is not a whole number from %" PRId64 " to %" PRId64,
            option, text, min, max);
    }
    *out = value;
    return true;
}
