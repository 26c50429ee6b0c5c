#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "config/config.h"
#include "test.h"

/* The source of the examples below, four lines. */
#define SOURCE     \
    "pipelines:\n" \
    "  shop:\n"    \
    "    source: {type: postgres, url: \"postgresql://u:pw@h/d\", tables: [public.a, public.b]}\n"
#define SINKS "    sinks: [{type: stdout}]\n"

static struct config *parse(const char *text)
{
    struct error err = {0};
    struct config *c = config_parse("t.yaml", str_from(text), &err);
    if (!c) {
        print_error("%s\n", err.message);
    }
    assert_non_null(c);
    return c;
}

/* The text is refused, at this place and with these words. */
static void assert_refused(const char *text, const char *message)
{
    struct error err = {0};
    struct config *c = config_parse("t.yaml", str_from(text), &err);
    assert_null(c);
    assert_int_equal(err.kind, ERROR_CONFIG);
    if (!strstr(err.message, message)) {
        assert_string_equal(err.message, message);
    }
}

static const char full[] =
    "pipelines:\n"
    "  shop:\n"
    "    source:\n"
    "      type: postgres\n"
    "      url: postgresql://cdcuser:${env:LEAT_TEST_PASSWORD}@localhost:5432/cdcdb\n"
    "      tables: [public.customers, public.orders]\n"
    "      snapshot: initial            # initial | never | always | only\n"
    "    transforms:\n"
    "      - sql: |\n"
    "          SELECT customer_id, email,\n"
    "                 concat_ws(' ', first_name, last_name)    AS full_name\n"
    "          FROM changes\n"
    "        tables: [public.customers]\n"
    "    state_dir: ./state             # index, row cache, spill\n"
    "    retry: {attempts: 3, max_delay: 5s}\n"
    "    on_sink_failure: stop\n"
    "    detach_after: 5s\n"
    "    sinks:\n"
    "      - type: delta\n"
    "        location: ./lake/delta/{schema}/{table}\n"
    "        commit: { interval: 250ms, rows: 1000, bytes: 1MiB }\n"
    "        change_feed: false\n"
    "        tables:\n"
    "          public.orders: {mode: append, partition_by: status}\n"
    "      - type: stdout\n"
    "observe: {metrics: \"127.0.0.1:0\", health: off}\n"
    "log: {level: debug, format: json}\n";

static void a_full_configuration_is_read(void **state)
{
    (void)state;
    owned(config_free) struct config *c = parse(full);
    assert_int_equal(c->pipeline_count, 1);
    const struct pipeline_config *p = config_pipeline(c, "shop");
    assert_ptr_equal(p, &c->pipelines[0]);
    assert_null(config_pipeline(c, "other"));
    assert_string_equal(p->source.type, "postgres");
    assert_string_equal(p->source.url, "postgresql://cdcuser:s3cret@localhost:5432/cdcdb");
    assert_int_equal(p->source.tables.count, 2);
    assert_string_equal(p->source.tables.items[1], "public.orders");
    assert_int_equal(p->transform_count, 1);
    assert_non_null(strstr(p->transforms[0].sql, "first_name, last_name)    AS full_name\n"));
    assert_int_equal(p->retry.attempts, 3);
    assert_int_equal(p->retry.delay_max_ms, 5000);
    assert_int_equal(p->on_sink_failure, SINK_FAILURE_STOP);
    assert_int_equal(p->detach_after_ms, 5000);
    assert_int_equal(p->sink_count, 2);
    const struct sink_config *s = &p->sinks[0];
    assert_string_equal(s->location, "./lake/delta/{schema}/{table}");
    assert_int_equal(s->commit.interval_ms, 250);
    assert_int_equal(s->commit.rows, 1000);
    assert_int_equal(s->commit.bytes, 1 << 20);
    assert_false(s->change_feed);
    assert_int_equal(s->table_count, 1);
    assert_string_equal(s->tables[0].table, "public.orders");
    assert_true(s->tables[0].has_mode);
    assert_int_equal(s->tables[0].mode, SINK_MODE_APPEND);
    assert_int_equal(s->tables[0].partition_by.count, 1);
    assert_string_equal(s->tables[0].partition_by.items[0], "status");
    assert_string_equal(c->observe.metrics, "127.0.0.1:0");
    assert_string_equal(c->observe.health, "off");
    assert_int_equal(c->log.level, LOG_LEVEL_DEBUG);
    assert_int_equal(c->log.format, LOG_FORMAT_JSON);
}

static void what_is_absent_has_its_default(void **state)
{
    (void)state;
    owned(config_free) struct config *c = parse(
        SOURCE "    sinks: [{type: delta, location: \"l/{table}\", tables: {public.a: {}}}]\n");
    const struct pipeline_config *p = &c->pipelines[0];
    assert_int_equal(p->source.snapshot, SNAPSHOT_INITIAL);
    assert_string_equal(p->source.slot, "leat_shop");
    assert_string_equal(p->source.publication, "leat_shop");
    assert_int_equal(p->source.as_text.count, 0);
    assert_int_equal(p->source.connect_timeout_ms, 10000);
    assert_int_equal(p->transform_count, 0);
    assert_string_equal(p->state_dir, "./state");
    assert_int_equal(p->memory_bytes, 192 << 20);
    assert_int_equal(p->heartbeat_ms, 900000);
    assert_int_equal(p->on_sink_failure, SINK_FAILURE_DETACH);
    assert_int_equal(p->detach_after_ms, 60000);
    assert_int_equal(p->retry.attempts, 10);
    assert_int_equal(p->retry.delay_ms, 200);
    assert_int_equal(p->retry.delay_max_ms, 30000);
    assert_int_equal(p->sinks[0].mode, SINK_MODE_UPSERT);
    assert_true(p->sinks[0].change_feed);
    assert_int_equal(p->sinks[0].commit.interval_ms, 1000);
    assert_int_equal(p->sinks[0].commit.rows, 100000);
    assert_int_equal(p->sinks[0].commit.bytes, 32 << 20);
    assert_false(p->sinks[0].tables[0].has_mode);
    assert_string_equal(c->observe.metrics, ":8000");
    assert_string_equal(c->observe.health, ":8001");
    assert_int_equal(c->log.level, LOG_LEVEL_INFO);
    assert_int_equal(c->log.format, LOG_FORMAT_AUTO);
}

static void json_is_read_too(void **state)
{
    (void)state;
    owned(config_free) struct config *c =
        parse("{\n\t\"pipelines\": {\"shop\": {\"source\": {\"type\": \"postgres\", "
              "\"url\": \"postgresql:\\/\\/h\\/d\", \"tables\": [\"public.\\u00e4\"]},\n"
              "\t\"memory\": \"64MiB\", \"retry\": {\"attempts\": 0},\n"
              "\t\"sinks\": [{\"type\": \"delta\", \"location\": \"{table}\", "
              "\"change_feed\": true}]}}}\n");
    assert_string_equal(c->pipelines[0].source.url, "postgresql://h/d");
    assert_string_equal(c->pipelines[0].source.tables.items[0], "public.\xC3\xA4");
    assert_int_equal(c->pipelines[0].retry.attempts, 0);
    assert_true(c->pipelines[0].sinks[0].change_feed);
}

static void a_value_is_what_its_key_says(void **state)
{
    (void)state;
    owned(config_free) struct config *c =
        parse("pipelines:\n"
              "  no:\n"
              "    source: {type: postgres, url: postgres://h, tables: public.off, slot: 010}\n"
              "    sinks: [{type: \"stdout\", commit: {rows: \"010\"}}]\n"
              "    state_dir: 1e3\n");
    assert_string_equal(c->pipelines[0].name, "no");
    assert_string_equal(c->pipelines[0].source.tables.items[0], "public.off");
    assert_string_equal(c->pipelines[0].source.slot, "010");
    assert_string_equal(c->pipelines[0].state_dir, "1e3");
    assert_int_equal(c->pipelines[0].sinks[0].commit.rows, 10);
}

static void unknown_keys_are_named_with_place_and_nearest(void **state)
{
    (void)state;
    assert_refused(SOURCE "    sink: []\n",
                   "t.yaml:4:5: unknown key \"sink\" in pipeline; did you mean \"sinks\"?");
    assert_refused(SOURCE "    sinks:\n      - type: stdout\n        commit:\n"
                          "          intervall: 1s\n",
                   "t.yaml:7:11: unknown key \"intervall\" in commit; did you mean \"interval\"?");
    assert_refused("pipeline: {}\n",
                   "t.yaml:1:1: unknown key \"pipeline\" in configuration; did you mean "
                   "\"pipelines\"?");
    assert_refused(SOURCE SINKS "    xyzzy: 1\n", "t.yaml:5:5: unknown key \"xyzzy\" in pipeline");
    assert_refused(SOURCE SINKS "<<: {}\n", "unknown key \"<<\"");
    assert_refused(SOURCE "    sinks: [{type: stdout, location: x}]\n",
                   "\"location\" is not a key of a sink of type stdout");
}

static void unknown_words_name_the_known_ones(void **state)
{
    (void)state;
    assert_refused(SOURCE "    sinks: [{type: kafka, warehouse: x}]\n",
                   "t.yaml:4:20: unknown sink type \"kafka\"; known: delta, iceberg, stdout");
    assert_refused(
        SOURCE "    sinks: [{type: delat, location: x}]\n",
        "unknown sink type \"delat\"; did you mean \"delta\"?; known: delta, iceberg, stdout");
    assert_refused("pipelines: {p: {source: {type: oracle}, sinks: []}}",
                   "unknown source type \"oracle\"; known: postgres, mysql, delta, iceberg");
    assert_refused(
        SOURCE "    sinks: [{type: delta, location: \"{table}\", mode: upset}]\n",
        "unknown value of mode \"upset\"; did you mean \"upsert\"?; known: upsert, append");
    assert_refused(SOURCE SINKS "log: {level: INFO}\n", "unknown value of level \"INFO\"");
}

static void missing_keys_are_named(void **state)
{
    (void)state;
    assert_refused("", "t.yaml:1:1: the configuration has no \"pipelines\"");
    assert_refused("# nothing\n", "the configuration has no \"pipelines\"");
    assert_refused("pipelines: {}\n", "t.yaml:1:12: \"pipelines\" must not be empty");
    assert_refused("pipelines: {p: {}}\n", "t.yaml:1:16: the pipeline has no \"source\"");
    assert_refused(SOURCE, "t.yaml:3:5: the pipeline has no \"sinks\"");
    assert_refused(SOURCE "    sinks: []\n", "t.yaml:4:12: \"sinks\" must not be empty");
    assert_refused("pipelines: {p: {source: {url: x}}}",
                   "the source has no \"type\"; known: postgres");
    assert_refused("pipelines: {p: {source: {type: postgres, tables: x.y}}}",
                   "the source has no \"url\"");
    assert_refused("pipelines: {p: {source: {type: postgres, url: \"postgres://h\"}}}",
                   "the source has no \"tables\"");
    assert_refused("pipelines: {p: {source: {type: postgres, url: \"postgres://h\", tables: []}}}",
                   "\"tables\" must not be empty");
    assert_refused(SOURCE "    sinks: [{type: delta}]\n", "the sink has no \"location\"");
    assert_refused(SOURCE "    sinks: [{commit: {}}]\n", "the sink has no \"type\"");
    assert_refused(SOURCE SINKS "    transforms: [{tables: public.a}]\n",
                   "the transform has no \"sql\"");
}

static void wrong_shapes_are_refused(void **state)
{
    (void)state;
    assert_refused("- a\n", "t.yaml:1:1: the configuration must be a section");
    assert_refused("text\n", "the configuration must be a section");
    assert_refused("pipelines: [a]\n", "\"pipelines\" must be a map");
    assert_refused("pipelines:\n", "\"pipelines\" must be a map");
    assert_refused("pipelines: {p: }\n", "the pipeline must be a section");
    assert_refused(SOURCE "    sinks: {type: stdout}\n", "\"sinks\" must be a list");
    assert_refused(SOURCE "    sinks: [stdout]\n", "the sink must be a section");
    assert_refused(SOURCE SINKS "    state_dir: [a]\n", "\"state_dir\" must be a single value");
    assert_refused(SOURCE SINKS "    state_dir:\n", "t.yaml:5:15: \"state_dir\" has no value");
    assert_refused(SOURCE SINKS "    state_dir: \"\"\n", "\"state_dir\" has no value");
    assert_refused("pipelines: {p: {source: {type: postgres, url: \"postgres://h\", "
                   "tables: {a: b}}}}",
                   "\"tables\" must be a list");
    assert_refused("pipelines: {p: {source: {type: postgres, url: \"postgres://h\", "
                   "tables: [[a.b]]}}}",
                   "\"tables\" must be a single value");
}

static void values_out_of_range_are_refused(void **state)
{
    (void)state;
    assert_refused(SOURCE SINKS "    memory: 1MiB\n",
                   "t.yaml:5:13: \"memory\" must be from 64MiB to 1TiB, not \"1MiB\"");
    assert_refused(SOURCE SINKS "    memory: 200\n", "\"memory\" must be a size such as");
    assert_refused(SOURCE SINKS "    heartbeat: 15\n", "\"heartbeat\" must be a duration such as");
    assert_refused(SOURCE SINKS "    heartbeat: 2d\n", "\"heartbeat\" must be from 100ms to 1d");
    assert_refused(SOURCE SINKS "    retry: {attempts: -1}\n",
                   "must be a whole number, not \"-1\"");
    assert_refused(SOURCE SINKS "    retry: {attempts: 1e3}\n", "must be a whole number");
    assert_refused(SOURCE SINKS "    retry: {attempts: 1000001}\n", "must be from 0 to 1000000");
    assert_refused(SOURCE SINKS "    retry: {attempts: 99999999999999999999}\n",
                   "must be a whole number");
    assert_refused(SOURCE "    sinks: [{type: stdout, commit: {rows: 0}}]\n",
                   "must be from 1 to 100000000");
    assert_refused(SOURCE "    sinks: [{type: delta, location: \"{table}\", change_feed: yes}]\n",
                   "\"change_feed\" must be true or false, not \"yes\"");
    assert_refused(SOURCE SINKS "    retry: {delay: 2s, max_delay: 1s}\n",
                   "t.yaml:5:35: \"max_delay\" must not be below \"delay\"");
    assert_refused(SOURCE SINKS "    retry: {delay: 1m}\n",
                   "\"max_delay\" must not be below \"delay\"");
}

static void names_and_addresses_are_checked(void **state)
{
    (void)state;
    assert_refused("pipelines:\n  Shop: {}\n",
                   "t.yaml:2:3: name of a pipeline must consist of a-z, 0-9 and _");
    assert_refused("pipelines: {\"\": {}}\n", "name of a pipeline must consist of");
    assert_refused(
        "pipelines: {aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff: {}}\n",
        "at most 58");
    static const char *const listens[] = {"8000",  ":x",     ":65536", ":-1",
                                          "a:b:1", "::1:80", "[::1:80"};
    for (size_t i = 0; i < sizeof(listens) / sizeof(listens[0]); i++) {
        char text[512];
        (void)snprintf(text, sizeof(text), SOURCE SINKS "observe: {metrics: \"%s\"}\n", listens[i]);
        assert_refused(text, "\"metrics\" must be host:port, :port or off");
    }
    owned(config_free) struct config *c =
        parse(SOURCE SINKS "observe: {metrics: \"[::1]:80\", health: \"localhost:0\"}\n");
    assert_string_equal(c->observe.metrics, "[::1]:80");
}

static void source_keys_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        const char *message;
    } bad[] = {
        {"slot: Upper",
         "\"slot\" must consist of a-z, 0-9 and _, at most 63 of them, not \"Upper\""},
        {"slot: \"a'b\"", "\"slot\" must consist of"},
        {"slot: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg", "\"slot\" must"},
        {"publication: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg",
         "\"publication\" must have 1 to 63 bytes"},
        {"connect_timeout: 10", "\"connect_timeout\" must be a duration"},
        {"snapshot: sometimes", "known: initial, never, always, only"},
        {"as_text: [inet, inet]", "\"as_text\" has \"inet\" twice"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[512];
        (void)snprintf(text, sizeof(text),
                       "pipelines: {p: {source: {type: postgres, url: \"postgres://h\", "
                       "tables: a.b, %s}, sinks: [{type: stdout}]}}\n",
                       bad[i].key);
        assert_refused(text, bad[i].message);
    }
    static const char *const tables[] = {"orders", ".orders", "public.", "."};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        char text[512];
        (void)snprintf(text, sizeof(text),
                       "pipelines: {p: {source: {type: postgres, url: \"postgres://h\", "
                       "tables: \"%s\"}, sinks: [{type: stdout}]}}\n",
                       tables[i]);
        assert_refused(text, "\"tables\" must be schema.table or schema.*");
    }
}

static void locations_are_checked(void **state)
{
    (void)state;
    assert_refused(SOURCE "    sinks: [{type: delta, location: ./lake}]\n",
                   "\"location\" must contain {table}");
    assert_refused(SOURCE "    sinks: [{type: delta, location: \"./{schema}\"}]\n",
                   "\"location\" must contain {table}");
    assert_refused(SOURCE "    sinks: [{type: delta, location: \"./{table}/{date}\"}]\n",
                   "\"location\" may have no braces except");
    assert_refused(SOURCE "    sinks: [{type: delta, location: \"./{table\"}]\n",
                   "\"location\" may have no braces except");
    static const char *const same[][2] = {
        {"./lake/{table}", "lake//{table}/"},
        {"/lake/{table}", "file:///lake/./{table}"},
    };
    for (size_t i = 0; i < 2; i++) {
        char text[512];
        (void)snprintf(text, sizeof(text),
                       SOURCE "    sinks:\n      - {type: delta, location: \"%s\"}\n"
                              "      - {type: delta, location: \"%s\"}\n",
                       same[i][0], same[i][1]);
        assert_refused(text, "t.yaml:6:33: another sink has this location, in line 5");
    }
}

static void two_pipelines_may_not_share_location_or_slot(void **state)
{
    (void)state;
    static const char form[] =
        "pipelines:\n"
        "  a:\n"
        "    source: {type: postgres, url: \"postgres://h\", tables: x.y, slot: %s}\n"
        "    sinks: [{type: delta, location: \"l/{table}\"}]\n"
        "  b:\n"
        "    source: {type: postgres, url: \"postgres://h\", tables: x.y, slot: s}\n"
        "    sinks: [{type: delta, location: \"%s/{table}\"}]\n";
    char text[1024];
    (void)snprintf(text, sizeof(text), form, "t", "l");
    assert_refused(text, "t.yaml:7:37: another sink has this location, in line 4");
    (void)snprintf(text, sizeof(text), form, "s", "m");
    assert_refused(text, "t.yaml:6:70: pipeline \"a\" has the same slot, \"s\"");
    (void)snprintf(text, sizeof(text), form, "t", "m");
    owned(config_free) struct config *c = parse(text);
    assert_int_equal(c->pipeline_count, 2);
}

static void tables_that_the_source_does_not_have_are_refused(void **state)
{
    (void)state;
    assert_refused(SOURCE SINKS "    transforms: [{sql: SELECT 1, tables: [public.a, public.c]}]\n",
                   "t.yaml:5:53: table \"public.c\" is not among the tables of the source");
    assert_refused(SOURCE "    sinks:\n      - type: delta\n        location: \"{table}\"\n"
                          "        tables:\n          public.c: {mode: append}\n",
                   "t.yaml:8:11: table \"public.c\" is not among the tables of the source");
    owned(config_free) struct config *c =
        parse("pipelines: {p: {source: {type: postgres, url: \"postgres://h\", tables: public.*}, "
              "transforms: [{sql: SELECT 1, tables: public.any}], sinks: [{type: stdout}]}}\n");
    assert_int_equal(c->pipelines[0].transforms[0].tables.count, 1);
    assert_refused(
        "pipelines: {p: {source: {type: postgres, url: \"postgres://h\", tables: pub.*}, "
        "transforms: [{sql: SELECT 1, tables: public.any}], sinks: [{type: stdout}]}}\n",
        "is not among the tables");
}

static void bad_yaml_has_a_place(void **state)
{
    (void)state;
    assert_refused("pipelines:\n\tp: {}\n", "t.yaml:2:1: ");
    assert_refused("pipelines:\n\tp: {}\n", "(a tab: YAML indents with spaces)");
    assert_refused("# \xC3\xA4\xC3\xA4\npipelines:\n\tp: {}\n", "t.yaml:3:1: ");
    assert_refused("# \xC3\xA4\xC3\xA4\npipelines:\n\tp: {}\n", "(a tab: YAML");
    assert_refused("pipelines: {p: [}\n", "t.yaml:1:17: ");
    assert_refused("a: \"x\n", "t.yaml:2:1: ");
    assert_refused("a: b: c\n", "t.yaml:1:5: ");
    assert_refused("a: 1\nb: \xFF\n", "t.yaml:2:4: not text: ");
    assert_refused("a: 1\n a: 2\n", "t.yaml:2:");
}

static void keys_given_twice_are_refused(void **state)
{
    (void)state;
    assert_refused("pipelines:\n  p: {}\n  p: {}\n",
                   "t.yaml:3:3: key \"p\" was given before, in line 2");
    assert_refused("log: {level: info, level: debug}\n", "key \"level\" was given before");
}

static void what_a_configuration_does_not_need_is_refused(void **state)
{
    (void)state;
    assert_refused("a: &x 1\n", "t.yaml:1:4: anchors (&) are not allowed");
    assert_refused("a: &x [1]\n", "anchors (&) are not allowed");
    assert_refused("a: &x {b: 1}\n", "anchors (&) are not allowed");
    assert_refused("&x a: 1\n", "anchors (&) are not allowed");
    assert_refused("a: *x\n", "t.yaml:1:4: aliases (*) are not allowed");
    assert_refused("*x : 1\n", "aliases (*) are not allowed");
    assert_refused("a: !!str 1\n", "tags (!) are not allowed");
    assert_refused("a: !x {}\n", "tags (!) are not allowed");
    assert_refused("? [a]\n: 1\n", "a key must be text");
    assert_refused("a: \"x\\0y\"\n", "text with a NUL byte");
    assert_refused("a: 1\n---\nb: 1\n", "t.yaml:2:1: a second document");
}

static void nesting_and_size_are_bounded(void **state)
{
    (void)state;
    char deep[200];
    memset(deep, '[', sizeof(deep) - 1);
    deep[sizeof(deep) - 1] = '\0';
    assert_refused(deep, "t.yaml:1:17: more than 16 levels deep");
    size_t size = (1 << 20) + 1;
    char *large = malloc(size);
    assert_non_null(large);
    memset(large, '\n', size);
    struct error err = {0};
    assert_null(config_parse("t.yaml", (struct str){large, size}, &err));
    assert_string_equal(err.message, "t.yaml: larger than 1 MiB");
    err = (struct error){0};
    assert_null(config_parse("t.yaml", (struct str){large, size - 1}, &err));
    assert_non_null(strstr(err.message, "has no \"pipelines\""));
    free(large);
}

static void variables_are_replaced_anywhere_in_a_value(void **state)
{
    (void)state;
    char path[] = "/tmp/leat-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "from file\n", 10), 10);
    (void)close(fd);
    char text[1024];
    (void)snprintf(text, sizeof(text),
                   SOURCE SINKS
                   "    state_dir: \"a $ ${file:%s}/${env:LEAT_TEST_PASSWORD}$${x}$\"\n"
                   "    memory: ${env:LEAT_TEST_MEMORY}\n",
                   path);
    (void)setenv("LEAT_TEST_MEMORY", "100MiB", 1);
    owned(config_free) struct config *c = parse(text);
    (void)unlink(path);
    assert_string_equal(c->pipelines[0].state_dir, "a $ from file/s3cret${x}$");
    assert_int_equal(c->pipelines[0].memory_bytes, 100 << 20);
}

static void values_of_variables_are_not_replaced_again(void **state)
{
    (void)state;
    (void)setenv("LEAT_TEST_TRICK", "${env:LEAT_TEST_PASSWORD}", 1);
    owned(config_free) struct config *c =
        parse(SOURCE SINKS "    state_dir: ${env:LEAT_TEST_TRICK}\n");
    assert_string_equal(c->pipelines[0].state_dir, "${env:LEAT_TEST_PASSWORD}");
}

static void missing_variables_are_named(void **state)
{
    (void)state;
    (void)unsetenv("LEAT_TEST_ABSENT");
    assert_refused(SOURCE SINKS "    state_dir: x${env:LEAT_TEST_ABSENT}\n",
                   "t.yaml:5:16: environment variable \"LEAT_TEST_ABSENT\" is not set");
    assert_refused(SOURCE SINKS "    state_dir: ${file:/nonexistent/secret}\n",
                   "t.yaml:5:16: cannot open \"/nonexistent/secret\": No such file or directory");
    assert_refused(SOURCE SINKS "    state_dir: ${HOME}\n",
                   "\"${HOME}\" is neither ${env:NAME} nor ${file:PATH}");
    assert_refused(SOURCE SINKS "    state_dir: ${env:}\n", "is neither");
    assert_refused(SOURCE SINKS "    state_dir: \"${env:X\"\n", "\"${\" without \"}\"");
    (void)setenv("LEAT_TEST_EMPTY", "", 1);
    assert_refused(SOURCE SINKS "    state_dir: ${env:LEAT_TEST_EMPTY}\n",
                   "\"state_dir\" has no value");
}

static void passwords_that_would_be_taken_for_something_else_are_refused(void **state)
{
    (void)state;
    static const char *const passwords[] = {"a@b", "a/b", "/b", "1/b", "a?b",
                                            "?b",  "1?b", "a@", "@"};
    for (size_t i = 0; i < sizeof(passwords) / sizeof(passwords[0]); i++) {
        (void)setenv("LEAT_TEST_TRICK", passwords[i], 1);
        assert_refused(
            "pipelines: {p: {source: {type: postgres, tables: a.b, "
            "url: \"postgres://u:${env:LEAT_TEST_TRICK}@h/d\"}, sinks: [{type: stdout}]}}",
            "\"url\" is not a URL: special characters in user and password must be "
            "percent-encoded");
    }
}

static void secrets_are_not_in_messages(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "pipelines: {p: {source: {type: postgres, url: \"mysql://u:s3cret@h\", tables: a.b}, "
        "sinks: [{type: stdout}]}}",
        "pipelines: {p: {source: {type: postgres, url: \"postgres://u:s3cret/x@h\", tables: a.b}, "
        "sinks: [{type: stdout}]}}",
        "pipelines: {p: {source: {type: postgres, url: \"postgres://u:s3cret@x@h\", tables: a.b}, "
        "sinks: [{type: stdout}]}}",
        SOURCE SINKS "    memory: ${env:LEAT_TEST_PASSWORD}\n",
        SOURCE SINKS "log: {level: \"${env:LEAT_TEST_PASSWORD}\"}\n",
        SOURCE "    sinks: [{type: delta, location: \"${env:LEAT_TEST_PASSWORD}\"}]\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct error err = {0};
        assert_null(config_parse("t.yaml", str_from(texts[i]), &err));
        assert_null(strstr(err.message, "s3cret"));
        assert_non_null(strstr(err.message, "t.yaml:"));
    }
}

static char *shown(const struct config *c)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    config_show(c, out);
    (void)fclose(out);
    return text;
}

static void shown_values_have_their_origin_and_no_secret(void **state)
{
    (void)state;
    owned(config_free) struct config *c = parse(full);
    char *text = shown(c);
    assert_null(strstr(text, "s3cret"));
    assert_non_null(strstr(text, "url: \"postgresql://cdcuser:***@localhost:5432/cdcdb\"  "
                                 "# t.yaml:5, env LEAT_TEST_PASSWORD\n"));
    assert_non_null(strstr(text, "slot: leat_shop  # default\n"));
    assert_non_null(strstr(text, "interval: 250ms  # t.yaml:21\n"));
    assert_non_null(strstr(text, "level: debug  # t.yaml:27\n"));
    free(text);
}

static void what_is_shown_is_a_configuration_again(void **state)
{
    (void)state;
    (void)setenv("LEAT_TEST_TRICK", "a ${env:X} \"b\\c\t", 1);
    char text[2048];
    (void)snprintf(text, sizeof(text), "%s", full);
    char *place = strstr(text, "./state ");
    assert_non_null(place);
    char rest[2048];
    (void)snprintf(rest, sizeof(rest), "%s", strchr(place, '\n'));
    (void)snprintf(place, 200 + strlen(rest), "\"${env:LEAT_TEST_TRICK}\"%s", rest);

    owned(config_free) struct config *c = parse(text);
    char *first = shown(c);
    owned(config_free) struct config *again = parse(first);
    char *second = shown(again);
    assert_string_equal(again->pipelines[0].state_dir, "a ${env:X} \"b\\c\t");
    assert_string_equal(again->pipelines[0].transforms[0].sql, c->pipelines[0].transforms[0].sql);
    assert_int_equal(again->pipelines[0].sinks[0].commit.interval_ms, 250);
    for (char *a = first, *b = second; *a || *b; a = strchr(a, '\n') + 1, b = strchr(b, '\n') + 1) {
        size_t a_size = strcspn(a, "#\n"); /* origins differ: the second has every line */
        assert_int_equal(a_size, strcspn(b, "#\n"));
        assert_memory_equal(a, b, a_size);
    }
    free(first);
    free(second);
}

static void urls_are_shown_without_passwords(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"postgresql://u:pw@h:5432/d", "postgresql://u:***@h:5432/d"},
        {"postgresql://u@h/d", "postgresql://u@h/d"},
        {"postgresql://h:5432/d", "postgresql://h:5432/d"},
        {"postgresql:///d", "postgresql:///d"},
        {"postgresql://u:p@w@h/d", "postgresql://u:***@h/d"},
        {"postgresql://u:p/w@h/d", "postgresql://u:***@h/d"},
        {"postgresql://u:@h/d", "postgresql://u:***@h/d"},
        {"postgresql:///d?user=u&password=pw&host=h", "postgresql:///d?user=u&password=***&host=h"},
        {"postgresql:///d?PASSWORD=pw", "postgresql:///d?PASSWORD=***"},
        {"postgresql:///d?sslpassword=pw&password=qw",
         "postgresql:///d?sslpassword=***&password=***"},
        {"host=h password=pw user=u", "host=h password=*** user=u"},
    };
    struct arena a = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(config_redacted_url(&a, cases[i][0]), cases[i][1]);
    }
    arena_release(&a);
}

static void good_urls_are_accepted(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "postgresql://",
        "postgres://h",
        "postgresql://u:p%40w@h:5432/d?sslmode=require",
        "postgresql://h1:1,h2:2/d",
        "postgresql://u@[::1]:5432/d",
        "postgresql:///d?host=/tmp&port=1",
        "postgresql://%2Ftmp%2Fx/d",
    };
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        char text[512];
        (void)snprintf(text, sizeof(text),
                       "pipelines: {p: {source: {type: postgres, url: \"%s\", tables: a.b}, "
                       "sinks: [{type: stdout}]}}",
                       urls[i]);
        owned(config_free) struct config *c = parse(text);
        assert_string_equal(c->pipelines[0].source.url, urls[i]);
    }
}

static void a_file_is_loaded_or_named(void **state)
{
    (void)state;
    char path[] = "/tmp/leat-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    struct error err = {0};
    assert_true(file_write(path, full, strlen(full), &err));
    owned(config_free) struct config *c = config_load(path, &err);
    assert_non_null(c);
    assert_string_equal(c->file, path);
    (void)unlink(path);
    assert_null(config_load(path, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.message, path));
    err = (struct error){0};
    assert_null(config_load("/tmp", &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
}

/* No cut of a good configuration crashes or passes for another one. */
static void every_prefix_is_read_or_refused(void **state)
{
    (void)state;
    for (size_t size = 0; size < strlen(full); size++) {
        struct error err = {0};
        char *copy = malloc(size + 1);
        assert_non_null(copy);
        memcpy(copy, full, size);
        struct config *c = config_parse("t.yaml", (struct str){copy, size}, &err);
        assert_int_equal(c == NULL, err.kind == ERROR_CONFIG);
        config_free(&c);
        free(copy);
    }
}

static void the_reference_page_has_every_key(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    config_docs(out);
    (void)fclose(out);
    static const char *const expected[] = {
        "## `pipelines.NAME.source`\n",
        "## `pipelines.NAME.sinks[].tables.NAME`\n",
        "| `interval` | duration, 10ms to 1h | `1s` |",
        "| `url` | text | required |",
        "| `snapshot` | `initial`, `never`, `always`, `only` | `initial` |",
        "| `slot` | text | `leat_<pipeline>` |",
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_non_null(strstr(text, expected[i]));
    }
    free(text);
}

static int set_up(void **state)
{
    (void)state;
    return setenv("LEAT_TEST_PASSWORD", "s3cret", 1);
}

static void iceberg_sinks_have_a_catalog_or_a_warehouse(void **state)
{
    (void)state;
    owned(config_free) struct config *c =
        parse(SOURCE "    sinks: [{type: iceberg, warehouse: ./w, namespace: analytics}, {type: "
                     "iceberg, namespace: a.b, foreign_changes: accept,\n"
                     "      catalog: {type: rest, uri: \"http://h:8181/x\", token: t0ken}}]\n");
    const struct sink_config *s = c->pipelines[0].sinks;
    assert_string_equal(s[0].warehouse, "./w");
    assert_string_equal(s[0].table, "{table}");
    assert_int_equal(s[0].foreign_changes, FOREIGN_REFUSE);
    assert_null(s[0].catalog.type);
    assert_string_equal(s[1].catalog.uri, "http://h:8181/x");
    assert_int_equal(s[1].catalog.timeout_ms, 60000);
    assert_int_equal(s[1].foreign_changes, FOREIGN_ACCEPT);

    assert_refused(SOURCE "    sinks: [{type: iceberg, namespace: a}]\n",
                   "needs either \"warehouse\" or \"catalog\"");
    assert_refused(SOURCE "    sinks: [{type: iceberg, namespace: a, warehouse: w, catalog: {type: "
                          "filesystem, warehouse: w}}]\n",
                   "needs either \"warehouse\" or \"catalog\"");
    assert_refused(SOURCE
                   "    sinks: [{type: iceberg, namespace: a, catalog: {type: filesystem}}]\n",
                   "needs a \"warehouse\"");
    assert_refused(SOURCE "    sinks: [{type: iceberg, namespace: a, catalog: {type: rest, uri: "
                          "h:1}}]\n",
                   "must be http://");
    assert_refused(SOURCE
                   "    sinks: [{type: iceberg, warehouse: w, namespace: a}, {type: iceberg, "
                   "warehouse: ./w/, namespace: a}]\n",
                   "another sink has this location");
}

static void lake_sources_are_one_table(void **state)
{
    (void)state;
    owned(config_free) struct config *c =
        parse("pipelines:\n  p:\n    source: {type: delta, location: ./t, tables: [s.t], key: id}\n"
              "    sinks: [{type: stdout}]\n");
    assert_string_equal(c->pipelines[0].source.key.items[0], "id");
    assert_refused("pipelines:\n  p:\n    source: {type: delta, location: t, tables: [s.t, s.u]}\n"
                   "    sinks: [{type: stdout}]\n",
                   "is one table");
    assert_refused("pipelines:\n  p:\n    source: {type: delta, tables: [s.t]}\n"
                   "    sinks: [{type: stdout}]\n",
                   "needs a \"location\"");
    assert_refused("pipelines:\n  p:\n    source: {type: iceberg, tables: [s.t], table: t}\n"
                   "    sinks: [{type: stdout}]\n",
                   "needs a \"location\", or \"namespace\"");
}

static void a_token_is_never_shown(void **state)
{
    (void)state;
    owned(config_free) struct config *c =
        parse(SOURCE "    sinks: [{type: iceberg, namespace: a, catalog: {type: rest, uri: "
                     "\"http://h\", token: t0ken, credential: \"i:s3cret\"}}]\n");
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    config_show(c, out);
    (void)fclose(out);
    assert_null(strstr(text, "t0ken"));
    assert_null(strstr(text, "s3cret"));
    assert_non_null(strstr(text, "token: \"***\""));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_configuration_is_read),
        cmocka_unit_test(what_is_absent_has_its_default),
        cmocka_unit_test(json_is_read_too),
        cmocka_unit_test(a_value_is_what_its_key_says),
        cmocka_unit_test(unknown_keys_are_named_with_place_and_nearest),
        cmocka_unit_test(unknown_words_name_the_known_ones),
        cmocka_unit_test(missing_keys_are_named),
        cmocka_unit_test(wrong_shapes_are_refused),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(names_and_addresses_are_checked),
        cmocka_unit_test(source_keys_are_checked),
        cmocka_unit_test(locations_are_checked),
        cmocka_unit_test(two_pipelines_may_not_share_location_or_slot),
        cmocka_unit_test(tables_that_the_source_does_not_have_are_refused),
        cmocka_unit_test(bad_yaml_has_a_place),
        cmocka_unit_test(keys_given_twice_are_refused),
        cmocka_unit_test(what_a_configuration_does_not_need_is_refused),
        cmocka_unit_test(nesting_and_size_are_bounded),
        cmocka_unit_test(variables_are_replaced_anywhere_in_a_value),
        cmocka_unit_test(values_of_variables_are_not_replaced_again),
        cmocka_unit_test(missing_variables_are_named),
        cmocka_unit_test(passwords_that_would_be_taken_for_something_else_are_refused),
        cmocka_unit_test(secrets_are_not_in_messages),
        cmocka_unit_test(iceberg_sinks_have_a_catalog_or_a_warehouse),
        cmocka_unit_test(lake_sources_are_one_table),
        cmocka_unit_test(a_token_is_never_shown),
        cmocka_unit_test(shown_values_have_their_origin_and_no_secret),
        cmocka_unit_test(what_is_shown_is_a_configuration_again),
        cmocka_unit_test(urls_are_shown_without_passwords),
        cmocka_unit_test(good_urls_are_accepted),
        cmocka_unit_test(a_file_is_loaded_or_named),
        cmocka_unit_test(every_prefix_is_read_or_refused),
        cmocka_unit_test(the_reference_page_has_every_key),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
