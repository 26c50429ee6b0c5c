/* `leat generate`: sample tables in a database, and a workload on them. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/database.h"
#include "cli/workload.h"

struct plan {
    const char *url;
    const char *schema;
    const struct sample_table *tables[SAMPLE_TABLE_COUNT];
    uint32_t table_count;
    struct sample sample;
    bool load;
    bool replace;
    int64_t change_count; /* 0: no workload */
    int64_t transaction_rows;
    int64_t changes_per_second; /* 0: as fast as it goes */
};

static void free_json(json_t **j)
{
    json_decref(*j);
}

static bool plan_rows(struct arguments *a, struct plan *plan, struct error *err)
{
    static const struct {
        const char *name;
        int64_t rows;
    } sizes[] = {{"small", 1000}, {"medium", 10000}, {"large", 100000}};
    const char *size = argument_text(a, "size");
    int64_t rows = 1000;
    if (size && argument_given(a, "rows")) {
        return argument_misuse(a, err, "--size and --rows say the same thing: give one");
    }
    if (size) {
        rows = 0;
        for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
            rows = strcmp(sizes[i].name, size) == 0 ? sizes[i].rows : rows;
        }
        if (rows == 0) {
            return argument_misuse(a, err, "--size \"%s\": small, medium or large", size);
        }
    }
    if (!argument_integer(a, "rows", 1, INT32_MAX, &rows, err)) {
        return false;
    }
    plan->sample.row_count = (uint64_t)rows;
    /* A workload alone runs on tables that are there. */
    plan->load = size || argument_given(a, "rows") || !argument_given(a, "workload");
    return true;
}

static bool plan_tables(struct arguments *a, struct plan *plan, struct error *err)
{
    const char *names = argument_text(a, "tables");
    for (const char *p = names ? names : "customers,orders,products,inventory,users"; *p;) {
        size_t size = strcspn(p, ",");
        const char *name = arena_string(&a->arena, p, size);
        const struct sample_table *table = sample_table_find(name);
        if (!table) {
            return argument_misuse(
                a, err,
                "--tables: no table \"%s\"; there are customers, orders, products, "
                "inventory, users",
                name);
        }
        for (uint32_t i = 0; i < plan->table_count; i++) {
            if (plan->tables[i] == table) {
                return argument_misuse(a, err, "--tables: \"%s\" is there twice", name);
            }
        }
        plan->tables[plan->table_count++] = table;
        p += size + (p[size] == ',');
    }
    return plan->table_count > 0 || argument_misuse(a, err, "--tables: no table is named");
}

static bool plan_locale(struct arguments *a, struct plan *plan, struct error *err)
{
    const char *name = argument_text(a, "locale");
    plan->sample.locale = sample_locale_find(name ? name : "en_US");
    if (!plan->sample.locale) {
        struct buf known = {0};
        sample_locale_list(&known);
        (void)argument_misuse(a, err, "--locale \"%s\": not one of %s", name, buf_text(&known));
        buf_release(&known);
    }
    return plan->sample.locale != NULL;
}

static bool plan_make(struct arguments *a, struct plan *plan, struct error *err)
{
    plan->url = argument_text(a, "url");
    if (!plan->url) {
        return argument_misuse(a, err, "--url is missing: the database to fill");
    }
    plan->schema = argument_text(a, "schema");
    plan->replace = argument_given(a, "drop");
    plan->transaction_rows = 100;
    int64_t seed = 42;
    if (!plan_rows(a, plan, err) || !plan_tables(a, plan, err) || !plan_locale(a, plan, err) ||
        !argument_integer(a, "seed", 0, INT64_MAX, &seed, err) ||
        !argument_integer(a, "workload", 1, INT64_MAX, &plan->change_count, err) ||
        !argument_integer(a, "transaction", 1, 1000000, &plan->transaction_rows, err) ||
        !argument_integer(a, "rate", 1, 1000000000, &plan->changes_per_second, err)) {
        return false;
    }
    plan->sample.seed = (uint64_t)seed;
    if (plan->change_count == 0 &&
        (argument_given(a, "transaction") || argument_given(a, "rate"))) {
        return argument_misuse(a, err, "--transaction and --rate are about --workload");
    }
    if (!plan->load && plan->replace) {
        return argument_misuse(a, err, "--drop makes new tables: say --size or --rows too");
    }
    return true;
}

/* MySQL's schemas are databases: the default is the one that the url names. */
static bool choose_schema(struct plan *plan, struct arguments *a, struct database *db,
                          struct error *err)
{
    if (plan->schema) {
        return true;
    }
    if (!database_is_mysql(db)) {
        plan->schema = "public";
        return true;
    }
    owned(database_rows_free) struct database_rows *rows =
        database_query(db, "SELECT DATABASE()", err);
    if (!rows) {
        return false;
    }
    const char *name = database_value(rows, 0, 0);
    if (!name) {
        return argument_misuse(a, err, "--url names no database: say --schema");
    }
    plan->schema = arena_string(&a->arena, name, strlen(name));
    return true;
}

static double seconds_since(int64_t start_us)
{
    return (double)(clock_monotonic_us() - start_us) / 1e6;
}

static bool load(const struct plan *plan, struct database *db, json_t *report, struct error *err)
{
    int64_t start_us = clock_monotonic_us();
    uint64_t total = 0;
    json_t *tables = json_array();
    (void)json_object_set_new(report, "tables", tables);
    for (uint32_t i = 0; i < plan->table_count; i++) {
        const struct sample_table *table = plan->tables[i];
        int64_t table_us = clock_monotonic_us();
        if (!sample_table_create(db, table, plan->schema, plan->replace, err) ||
            !sample_table_load(db, table, plan->schema, &plan->sample, plan->sample.row_count,
                               err)) {
            return false;
        }
        double seconds = seconds_since(table_us);
        total += plan->sample.row_count;
        (void)json_array_append_new(
            tables, json_pack("{s:s, s:s, s:I, s:f}", "schema", plan->schema, "table", table->name,
                              "rows", (json_int_t)plan->sample.row_count, "seconds", seconds));
        (void)fprintf(stderr, "%s.%s: %" PRIu64 " rows in %.2f s\n", plan->schema, table->name,
                      plan->sample.row_count, seconds);
    }
    (void)json_object_set_new(report, "rows", json_integer((json_int_t)total));
    (void)json_object_set_new(report, "seconds", json_real(seconds_since(start_us)));
    (void)fprintf(stderr, "generated %" PRIu64 " rows in %.2f s\n", total, seconds_since(start_us));
    return true;
}

/* Waits until `done` changes are due. */
static void keep_rate(const struct plan *plan, int64_t start_us, int64_t done)
{
    if (plan->changes_per_second > 0) {
        int64_t due_us =
            start_us + (int64_t)((double)done / (double)plan->changes_per_second * 1e6);
        int64_t wait_us = due_us - clock_monotonic_us();
        if (wait_us > 0) {
            struct timespec t = {.tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000};
            (void)nanosleep(&t, NULL);
        }
    }
}

static void report_changes(const struct workload *w, int64_t changes, int64_t transactions,
                           double seconds, json_t *report)
{
    const uint64_t *n = workload_counts(w);
    (void)json_object_set_new(
        report, "workload",
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "changes", (json_int_t)changes,
                  "transactions", (json_int_t)transactions, "inserts",
                  (json_int_t)n[WORKLOAD_INSERT], "updates", (json_int_t)n[WORKLOAD_UPDATE],
                  "key_changes", (json_int_t)n[WORKLOAD_KEY_CHANGE], "deletes",
                  (json_int_t)n[WORKLOAD_DELETE], "seconds", seconds));
    (void)fprintf(stderr,
                  "made %" PRId64 " changes in %" PRId64 " transactions in %.2f s: %" PRIu64
                  " inserts, %" PRIu64 " updates, %" PRIu64 " key changes, %" PRIu64 " deletes\n",
                  changes, transactions, seconds, n[WORKLOAD_INSERT], n[WORKLOAD_UPDATE],
                  n[WORKLOAD_KEY_CHANGE], n[WORKLOAD_DELETE]);
}

static bool work(const struct plan *plan, struct database *db, json_t *report, struct error *err)
{
    struct workload_options options = {
        .sample = plan->sample,
        .tables = plan->tables,
        .table_count = plan->table_count,
        .schema = plan->schema,
        .is_mysql = database_is_mysql(db),
    };
    owned(workload_free) struct workload *w = workload_new(&options);
    if (!workload_read_keys(w, db, err)) {
        return false;
    }
    int64_t start_us = clock_monotonic_us();
    int64_t transactions = 0;
    for (int64_t done = 0; done < plan->change_count; transactions++) {
        int64_t left = plan->change_count - done;
        int64_t size = left < plan->transaction_rows ? left : plan->transaction_rows;
        if (!workload_transaction(w, db, (uint64_t)size, err)) {
            return false;
        }
        done += size;
        keep_rate(plan, start_us, done);
    }
    report_changes(w, plan->change_count, transactions, seconds_since(start_us), report);
    return workload_set_sequences(w, db, err);
}

static bool run(struct arguments *a, enum exit_code *exit, struct error *err)
{
    (void)exit;
    struct plan plan = {0};
    if (!plan_make(a, &plan, err)) {
        return false;
    }
    owned(database_close) struct database *db = database_connect(plan.url, err);
    if (!db) {
        return false;
    }
    if (!choose_schema(&plan, a, db, err)) {
        return false;
    }
    owned(free_json) json_t *report = json_object();
    if ((plan.load && !load(&plan, db, report, err)) ||
        (plan.change_count > 0 && !work(&plan, db, report, err))) {
        return false;
    }
    if (argument_given(a, "json")) {
        (void)json_dumpf(report, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
        (void)putchar('\n');
    }
    return true;
}

static const struct option_spec options[] = {
    {.name = "url", .value = "URL", .help = "postgresql:// or mysql://user@host:port/name"},
    {.name = "size",
     .value = "SIZE",
     .help = "rows a table: small 1000, medium 10000, large 100000"},
    {.name = "rows", .value = "N", .help = "rows a table, instead of a size (default 1000)"},
    {.name = "tables", .value = "NAMES", .help = "of them, separated by commas (default all)"},
    {.name = "schema", .value = "NAME", .help = "default public; MySQL: the url's database"},
    {.name = "drop", .help = "drop tables of these names first"},
    {.name = "seed", .value = "N", .help = "the same seed makes the same rows (default 42)"},
    {.name = "locale", .value = "NAME", .help = "en_US (default), de_DE, fr_FR, ja_JP"},
    {.name = "workload",
     .value = "N",
     .help = "make N changes: 60 % insert, 30 % update, 10 % delete"},
    {.name = "transaction", .value = "N", .help = "changes a transaction (default 100)"},
    {.name = "rate", .value = "N", .help = "changes a second (default: as fast as it goes)"},
    {.name = "json", .help = "print what was done as one JSON object"},
    {0},
};

const struct command command_generate = {
    .name = "generate",
    .summary = "fill a database with sample tables, and change them",
    .operands = "",
    .help = "Makes the tables customers, orders, products, inventory and users in a PostgreSQL,\n"
            "MySQL or MariaDB database and fills them with realistic rows. The same seed,\n"
            "size and locale make the same rows everywhere.\n"
            "\n"
            "With --workload it then inserts, updates and deletes rows of these tables, in\n"
            "transactions over all of them; some change a key, some change one row twice.\n"
            "With --workload and neither --size nor --rows it works on tables that are there.",
    .options = options,
    .run = run,
};
