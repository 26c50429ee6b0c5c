"""Tables equal their source, and the feed holds each net change once, under a mixed workload."""

from __future__ import annotations

import json

import pytest

from tests.lib.leat import Leat
from tests.lib.mirror import Mirror
from tests.lib.postgres import Database

TABLES = [
    "public.customers",
    "public.orders",
    "public.products",
    "public.inventory",
    "public.users",
]


def generate(leat: Leat, database: Database, *more: str) -> list[dict[str, object]]:
    """Runs `leat generate` and returns what it says it did."""
    done = leat.run("generate", "--url", database.url, "--json", *more, config=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize("transaction", [1, 50])
def test_all_sample_tables_stay_equal_under_a_mixed_workload(
    leat: Leat, database: Database, transaction: int
) -> None:
    """Source, table and replayed feed hold the same rows; nothing diverged."""
    generate(leat, database, "--size", "small", "--locale", "de_DE")
    keys = {}
    for table in TABLES:
        columns = database.execute(
            "SELECT a.attname FROM pg_index i JOIN pg_attribute a"
            " ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)"
            " WHERE i.indisprimary AND i.indrelid = %s::regclass",
            (table,),
        )
        assert len(columns) == 1
        keys[table] = str(columns[0][0])
    mirror = Mirror(leat, database, keys)
    running = mirror.start()
    generate(leat, database, "--workload", "1500", "--transaction", str(transaction))
    mirror.settle(running)
    for table in keys:
        counts = mirror.feed_counts(table)
        assert counts["insert"] - counts.get("delete", 0) == len(mirror.source(table))
        assert counts.get("update_preimage") == counts.get("update_postimage")
