"""Iceberg tables that a REST catalog keeps: Iceberg's own, over local files."""

from __future__ import annotations

import json
import random
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.lib.gate import Gate
from tests.lib.iceberg import iceberg_rows, iceberg_rows_duckdb, iceberg_snapshots
from tests.lib.json_rows import table_rows
from tests.lib.leat import Leat
from tests.lib.mirror import Mirror
from tests.lib.net import free_port
from tests.lib.postgres import Database
from tests.lib.rest_catalog import RestCatalog
from tests.lib.rows import assert_same_rows
from tests.lib.workload import Workload

if TYPE_CHECKING:
    from tests.lib.spark import Spark

TABLES = {"public.items": "id", "public.quiet": "id"}
PATIENT: dict[str, Any] = {"retry": {"attempts": 1000, "delay": "20ms", "max_delay": "500ms"}}
QUICK: dict[str, Any] = {"retry": {"attempts": 2, "delay": "10ms", "max_delay": "20ms"}}


@pytest.fixture
def catalog() -> Iterator[RestCatalog]:
    """A server of our own."""
    with RestCatalog() as server:
        yield server


class RestMirror(Mirror):
    """Tables of one database kept in a REST catalog."""

    def __init__(
        self,
        leat: Leat,
        database: Database,
        server: RestCatalog,
        settings: dict[str, Any] | None = None,
        sink: dict[str, Any] | None = None,
        **pipeline: Any,
    ) -> None:
        """`settings` are the catalog's; keywords go to Leat.pipeline()."""
        self.server = server
        sinks = [
            {
                "type": "iceberg",
                "catalog": {"type": "rest", "uri": server.uri, **(settings or {})},
                "namespace": "{schema}",
                "commit": {"interval": "50ms"},
                **(sink or {}),
            }
        ]
        super().__init__(leat, database, TABLES, sinks=sinks, **pipeline)
        self.formats = ("iceberg",)

    def metadata_file(self, table: str) -> Path:
        """The state that the catalog points to; newer files may be of commits that failed."""
        schema, _, name = table.partition(".")
        where = f"{self.server.uri}/v1/namespaces/{schema}/tables/{name}"
        with urllib.request.urlopen(where, timeout=30) as answer:
            location: str = json.load(answer)["metadata-location"]
        return Path(location.removeprefix("file:"))

    def verify_iceberg(self, table: str, source: list[dict[str, Any]]) -> None:
        """Source and table (two foreign readers) must hold the same rows."""
        place = self.metadata_file(table)
        key = self.tables[table]
        assert_same_rows(source, iceberg_rows(place), key, names=("source", "pyiceberg"))
        assert_same_rows(source, iceberg_rows_duckdb(place), key, names=("source", "duckdb"))

    def positions(self, table: str) -> list[int]:
        """The positions of the table's snapshots, oldest first."""
        snapshots = iceberg_snapshots(self.metadata_file(table))
        records = [s.summary["leat.shop"] for s in snapshots if "leat.shop" in s.summary]
        return [int(json.loads(record)["position"]) for record in records]


def assert_nothing_repeated(mirror: RestMirror, table: str) -> None:
    """Each snapshot is further than the one before."""
    positions = mirror.positions(table)
    assert positions == sorted(set(positions)), positions


def test_tables_are_created_and_followed(
    leat: Leat, database: Database, catalog: RestCatalog
) -> None:
    """The namespace too; a restart goes on."""
    Workload.create(database.connection)
    mirror = RestMirror(leat, database, catalog)
    workload = Workload(database.connection, seed=1)
    running = mirror.start()
    workload.run(20)
    mirror.settle(running)
    running = mirror.start()
    workload.run(5)
    mirror.settle(running)
    assert "load read" not in running.log_text
    assert_nothing_repeated(mirror, "public.items")


def test_spark_writes_beside_us_where_that_is_accepted(
    leat: Leat, database: Database, catalog: RestCatalog, spark: Spark
) -> None:
    """Its rows stay, what it deletes is gone, and ours go on."""
    Workload.create(database.connection, 20)
    mirror = RestMirror(leat, database, catalog, sink={"foreign_changes": "accept"}, **PATIENT)
    name = f"rest_{free_port()}"
    spark.catalog(name, type="rest", uri=catalog.uri)
    table = f"{name}.public.items"
    running = mirror.start()
    mirror.catch_up(running)
    spark.sql(f"INSERT INTO {table} VALUES (9001, 'of spark', 1.50, 'note', current_timestamp())")
    spark.sql(f"DELETE FROM {table} WHERE id IN (3, 4)")
    database.execute("UPDATE items SET price = price + 1 WHERE id <= 10 AND id NOT IN (3, 4)")
    database.execute("DELETE FROM items WHERE id IN (4, 7)")
    database.execute("INSERT INTO items (id, name) VALUES (30, 'ours')")
    mirror.catch_up(running)
    spark.sql(f"INSERT INTO {table} VALUES (9002, 'of spark', 2.50, NULL, current_timestamp())")
    spark.sql(f"UPDATE {table} SET name = 'changed by spark' WHERE id = 9001")
    database.execute("UPDATE items SET note = 'later' WHERE id = 9")
    mirror.catch_up(running)
    running.terminate()
    found = table_rows(spark.sql(f"SELECT * FROM {table}"))
    foreign = {row["id"]: row["name"] for row in found if row["id"] > 9000}
    assert foreign == {9001: "changed by spark", 9002: "of spark"}
    expected = [row for row in mirror.source("public.items") if row["id"] != 3]
    assert_same_rows(expected, [row for row in found if row["id"] < 9000], "id")
    assert_same_rows(found, iceberg_rows(mirror.metadata_file("public.items")), "id")


def test_a_spark_append_is_refused_unless_it_is_accepted(
    leat: Leat, database: Database, catalog: RestCatalog, spark: Spark
) -> None:
    """The stream ends with what to do."""
    Workload.create(database.connection, 20)
    mirror = RestMirror(leat, database, catalog)
    name = f"rest_{free_port()}"
    spark.catalog(name, type="rest", uri=catalog.uri)
    running = mirror.start()
    mirror.catch_up(running)
    spark.sql(f"INSERT INTO {name}.public.quiet VALUES (9001, 'of spark')")
    database.execute("UPDATE quiet SET word = 'ours'")
    assert running.wait() == 1
    for words in ("public.quiet", "another writer", "foreign_changes: accept", "leat reload"):
        assert words in running.log_text


def wait_a_little(choice: random.Random) -> None:
    """Any moment of a commit is as likely as others."""
    time.sleep(choice.uniform(0.02, 0.3))


def test_a_catalog_that_is_killed_again_and_again_loses_and_repeats_nothing(
    leat: Leat, database: Database, catalog: RestCatalog
) -> None:
    """With kill -9 in the middle of commits, under load."""
    Workload.create(database.connection)
    mirror = RestMirror(leat, database, catalog, **PATIENT)
    workload = Workload(database.connection, seed=2)
    choice = random.Random(2)
    running = mirror.start()
    mirror.catch_up(running)
    for _ in range(5):
        workload.run(4)
        wait_a_little(choice)
        catalog.stop()
        workload.run(4)
        catalog.start()
        workload.run(4)
    mirror.settle(running)
    assert "retry" in running.log_text
    assert_nothing_repeated(mirror, "public.items")


def test_both_killed_at_once_lose_and_repeat_nothing(
    leat: Leat, database: Database, catalog: RestCatalog
) -> None:
    """Leat does not know how its last commit ended, nor did it hear."""
    Workload.create(database.connection)
    mirror = RestMirror(leat, database, catalog, **PATIENT)
    workload = Workload(database.connection, seed=3)
    choice = random.Random(3)
    running = mirror.start()
    mirror.catch_up(running)
    for _ in range(3):
        workload.run(6)
        wait_a_little(choice)
        catalog.stop()
        running.kill9()
        catalog.start()
        running = mirror.start()
    workload.run(3)
    mirror.settle(running)
    assert_nothing_repeated(mirror, "public.items")


def test_commits_whose_answers_are_lost_are_found_to_be_in(
    leat: Leat, database: Database, catalog: RestCatalog
) -> None:
    """Not sent again, not given up: read back."""
    Workload.create(database.connection)
    with Gate(catalog.uri) as gate:
        mirror = RestMirror(leat, database, catalog, settings={"uri": gate.uri}, **PATIENT)
        workload = Workload(database.connection, seed=4)
        running = mirror.start()
        mirror.catch_up(running)
        for _ in range(5):
            gate.losses = 1
            workload.run(3)
            mirror.catch_up(running)
        assert gate.lost == 5
        mirror.settle(running)
        assert_nothing_repeated(mirror, "public.items")


# What is configured wrongly.


def expect(leat: Leat, code: int, *words: str) -> str:
    """Runs the pipeline to its end: exit code, and words its message must have."""
    done = leat.run("run", timeout=60)
    assert done.returncode == code, f"exit code {done.returncode}:\n{done.stderr}"
    for word in words:
        assert word in done.stderr, f"{word!r} is missing:\n{done.stderr}"
    return done.stderr


def test_a_wrong_token_is_a_configuration_error_without_the_token(
    leat: Leat, database: Database, catalog: RestCatalog
) -> None:
    """Exit 2; the right one is let in."""
    Workload.create(database.connection, 5)
    with Gate(catalog.uri, token="the-right-one") as gate:
        settings = {"uri": gate.uri, "token": "hunter2hunter2"}
        RestMirror(leat, database, catalog, settings=settings)
        said = expect(leat, 2, "401", "Not authorized", gate.uri)
        assert "hunter2" not in said
        settings["token"] = "the-right-one"
        mirror = RestMirror(leat, database, catalog, settings=settings)
        running = mirror.start()
        mirror.settle(running)
        settings["token"] = "hunter2hunter2"
        RestMirror(leat, database, catalog, settings=settings)
        assert "hunter2" not in expect(leat, 2, "401")


def test_a_uri_that_is_not_a_catalogs_is_a_configuration_error(
    leat: Leat, database: Database, catalog: RestCatalog
) -> None:
    """Exit 2, naming it."""
    Workload.create(database.connection, 5)
    uri = f"{catalog.uri}/nowhere"
    RestMirror(leat, database, catalog, settings={"uri": uri})
    expect(leat, 2, uri)


def test_an_unreachable_catalog_is_retried_and_then_given_up(
    leat: Leat, database: Database, catalog: RestCatalog
) -> None:
    """Exit 1 after the attempts: it may come back."""
    Workload.create(database.connection, 5)
    uri = f"http://127.0.0.1:{free_port()}"
    RestMirror(leat, database, catalog, settings={"uri": uri}, **QUICK)
    expect(leat, 1, uri, "retry")


def test_a_prefix_that_the_catalog_does_not_have_is_a_configuration_error(
    leat: Leat, database: Database, catalog: RestCatalog
) -> None:
    """Exit 2, and nothing is made."""
    Workload.create(database.connection, 5)
    RestMirror(leat, database, catalog, settings={"prefix": "no/such"}, **QUICK)
    expect(leat, 2, "public.items")
    assert not list(catalog.warehouse.rglob("*.metadata.json"))
