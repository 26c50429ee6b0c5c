#include <errno.h>
#include <inttypes.h>

#include "cli/demo.h"

static void print_copies(const struct demo_copy copies[DEMO_COPIES], FILE *out)
{
    (void)fprintf(out, "%-17s %-8s %11s %10s  %-9s %8s %8s %8s %8s\n", "table", "format",
                  "source rows", "lake rows", "checksum", "versions", "inserts", "updates",
                  "deletes");
    for (uint32_t i = 0; i < DEMO_COPIES; i++) {
        const struct demo_copy *c = &copies[i];
        (void)fprintf(out, "%-17s %-8s %11" PRIu64 " %10" PRIu64 "  %-9s", c->name, c->format,
                      c->source.row_count, c->lake.row_count,
                      row_checksum_equal(&c->source, &c->lake) ? "equal" : "different");
        (void)fprintf(out, " %8" PRId64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 "\n",
                      c->version_count, c->feed.inserts, c->feed.updates, c->feed.deletes);
    }
}

static void print_commands(const struct demo_copy copies[DEMO_COPIES], const char *directory,
                           FILE *out)
{
    const char *leat = program_invocation_name;
    const char *delta = copies[0].location;
    const char *iceberg = copies[1].location;
    (void)fprintf(out, "The tables stay in %s. To look at them:\n\n", directory);
    (void)fprintf(out, "  %s history %s\n", leat, iceberg);
    (void)fprintf(out, "  %s changes %s | tail -n 3\n", leat, delta);
    (void)fprintf(out,
                  "  %s query \"SELECT customer_tier, count(*) AS customers FROM '%s' "
                  "GROUP BY 1\"\n",
                  leat, iceberg);
    (void)fprintf(out,
                  "  python3 -c \"from deltalake import DeltaTable, QueryBuilder as Q; "
                  "print(Q().register('t', DeltaTable('%s'))"
                  ".execute('SELECT customer_tier, count(*) FROM t GROUP BY 1').read_all())\"\n",
                  delta);
    (void)fprintf(out,
                  "  duckdb -c \"INSTALL delta; LOAD delta; SELECT customer_tier, count(*) "
                  "FROM delta_scan('%s') GROUP BY 1\"\n\n",
                  delta);
}

bool demo_report_print(const struct demo_copy copies[DEMO_COPIES], const char *directory,
                       uint64_t rss_anon_peak_kb, FILE *out)
{
    bool equal = true;
    for (uint32_t i = 0; i < DEMO_COPIES; i++) {
        equal = equal && row_checksum_equal(&copies[i].source, &copies[i].lake);
    }
    print_copies(copies, out);
    (void)fprintf(
        out,
        "versions: of the Delta table, snapshots of the Iceberg table; inserts, updates, deletes: "
        "what their changes say, where each version holds the net change of a row\n"
        "peak memory: %" PRIu64 " MB resident, of it %" PRIu64 " MB anonymous\n\n",
        demo_memory_kb("VmHWM") / 1024, rss_anon_peak_kb / 1024);
    print_commands(copies, directory, out);
    (void)fprintf(out, "result: %s\n", equal ? "equal" : "different");
    return equal;
}
