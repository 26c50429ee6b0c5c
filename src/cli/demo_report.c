#include <errno.h>
#include <inttypes.h>

#include "cli/demo.h"

static void print_tables(const struct demo_table tables[DEMO_TABLES], FILE *out)
{
    (void)fprintf(out, "%-18s %11s %10s  %-9s %8s %8s %8s %8s\n", "table", "source rows",
                  "lake rows", "checksum", "versions", "inserts", "updates", "deletes");
    for (uint32_t i = 0; i < DEMO_TABLES; i++) {
        const struct demo_table *t = &tables[i];
        (void)fprintf(out, "%-18s %11" PRIu64 " %10" PRIu64 "  %-9s", t->name, t->source.row_count,
                      t->lake.row_count,
                      row_checksum_equal(&t->source, &t->lake) ? "equal" : "different");
        (void)fprintf(out, " %8" PRId64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 "\n",
                      t->version_count, t->feed.inserts, t->feed.updates, t->feed.deletes);
    }
}

bool demo_report_print(const struct demo_table tables[DEMO_TABLES], const char *directory,
                       uint64_t rss_anon_peak_kb, FILE *out)
{
    const char *leat = program_invocation_name;
    const char *table = tables[0].location;
    bool equal = true;
    for (uint32_t i = 0; i < DEMO_TABLES; i++) {
        equal = equal && row_checksum_equal(&tables[i].source, &tables[i].lake);
    }
    print_tables(tables, out);
    (void)fprintf(
        out,
        "versions: of the Delta table; inserts, updates, deletes: in its change feed, where "
        "each version holds the net change of a row\n"
        "peak memory: %" PRIu64 " MB resident, of it %" PRIu64 " MB anonymous\n\n",
        demo_memory_kb("VmHWM") / 1024, rss_anon_peak_kb / 1024);
    (void)fprintf(out, "The tables stay in %s. To look at them:\n\n", directory);
    (void)fprintf(out, "  %s history %s\n", leat, table);
    (void)fprintf(out, "  %s changes %s | tail -n 3\n", leat, table);
    (void)fprintf(out,
                  "  python3 -c \"from deltalake import DeltaTable, QueryBuilder as Q; "
                  "print(Q().register('t', DeltaTable('%s'))"
                  ".execute('SELECT customer_tier, count(*) FROM t GROUP BY 1').read_all())\"\n",
                  table);
    (void)fprintf(out,
                  "  duckdb -c \"INSTALL delta; LOAD delta; SELECT customer_tier, count(*) "
                  "FROM delta_scan('%s') GROUP BY 1\"\n\n",
                  table);
    (void)fprintf(out, "result: %s\n", equal ? "equal" : "different");
    return equal;
}
