"""`leat generate`: sample tables and a workload on them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lib.leat import Leat
from tests.lib.postgres import Database

TABLES = ["customers", "orders", "products", "inventory", "users"]


def generate(leat: Leat, database: Database, *options: str) -> dict[str, Any]:
    """Runs it and returns what it says it did."""
    done = leat.run("generate", f"--url={database.url}", "--json", *options, config=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def content(database: Database, table: str, schema: str = "public") -> str:
    """Returns one hash of all rows of a table."""
    return str(
        database.scalar(
            f"SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM {schema}.{table} t"
        )
    )


def count(database: Database, table: str) -> int:
    """Returns the number of rows."""
    return int(database.scalar(f"SELECT count(*) FROM {table}"))


@pytest.mark.parametrize(("size", "rows"), [("small", 1000), ("medium", 10000), ("large", 100000)])
def test_a_size_is_the_number_of_rows_of_each_table(
    leat: Leat, database: Database, size: str, rows: int
) -> None:
    """All five tables, or those that are named."""
    tables = TABLES if size == "small" else ["customers"]
    said = generate(leat, database, f"--size={size}", f"--tables={','.join(tables)}")
    assert [table["table"] for table in said["tables"]] == tables
    assert {table["rows"] for table in said["tables"]} == {rows}
    assert said["rows"] == rows * len(tables)
    assert said["seconds"] > 0
    for table in tables:
        assert count(database, table) == rows


def test_the_same_seed_makes_the_same_rows_and_another_one_others(
    leat: Leat, database: Database
) -> None:
    """In any schema, with any locale."""
    generate(leat, database, "--rows=300", "--seed=7", "--schema=one", "--locale=de_DE")
    generate(leat, database, "--rows=300", "--seed=7", "--schema=two", "--locale=de_DE")
    generate(leat, database, "--rows=300", "--seed=8", "--schema=three", "--locale=de_DE")
    for table in TABLES:
        assert content(database, table, "one") == content(database, table, "two")
        assert content(database, table, "one") != content(database, table, "three")


@pytest.mark.parametrize(
    ("locale", "country"),
    [("en_US", "USA"), ("de_DE", "Deutschland"), ("fr_FR", "France"), ("ja_JP", "日本")],
)
def test_rows_speak_the_language_of_their_locale(
    leat: Leat, database: Database, locale: str, country: str
) -> None:
    """And mail addresses are plain and unique in all of them."""
    generate(leat, database, "--rows=500", "--tables=customers", f"--locale={locale}")
    assert database.execute("SELECT DISTINCT country FROM customers") == [(country,)]
    odd = database.scalar(r"SELECT count(*) FROM customers WHERE email !~ '^[a-z.]+\d+@[a-z.]+$'")
    assert odd == 0
    assert database.scalar("SELECT count(DISTINCT email) FROM customers") == 500


def test_an_existing_table_is_replaced_only_when_told(leat: Leat, database: Database) -> None:
    """What is there may be somebody's."""
    database.execute("CREATE TABLE customers (mine int)")
    url = f"--url={database.url}"
    done = leat.run("generate", url, "--size=small", "--tables=customers", config=False)
    assert done.returncode == 2
    assert "public.customers" in done.stderr
    assert "--drop" in done.stderr
    assert count(database, "customers") == 0
    generate(leat, database, "--size=small", "--tables=customers", "--drop")
    assert count(database, "customers") == 1000


def test_a_workload_does_what_it_says(leat: Leat, database: Database) -> None:
    """Rows afterwards are rows before, and inserts, less deletes; transactions have their size."""
    generate(leat, database, "--rows=400", "--tables=customers,orders")
    database.execute("SELECT pg_create_logical_replication_slot('witness', 'test_decoding')")
    said = generate(
        leat, database, "--workload=2050", "--transaction=100", "--tables=customers,orders"
    )["workload"]
    database.execute("SET synchronous_commit = on")
    database.execute("CREATE TABLE flushed ()")  # a slot reads what is on the disk
    kinds = {"INSERT": "inserts", "UPDATE": "updates", "DELETE": "deletes"}
    seen = dict.fromkeys(kinds, 0)
    transactions = 0
    for (line,) in database.execute(
        "SELECT data FROM pg_logical_slot_get_changes('witness', NULL, NULL)"
    ):
        word = line.split(": ")[1] if line.startswith("table ") else ""
        seen[word] = seen.get(word, 0) + 1
        transactions += line.startswith("COMMIT")
    assert said["changes"] == 2050
    assert transactions >= said["transactions"] == 21
    assert seen["INSERT"] == said["inserts"]
    assert seen["UPDATE"] == said["updates"] + said["key_changes"]
    assert seen["DELETE"] == said["deletes"]
    assert said["key_changes"] > 0
    rows = count(database, "customers") + count(database, "orders")
    assert rows == 800 + said["inserts"] - said["deletes"]


def test_the_same_seed_makes_the_same_workload(leat: Leat, database: Database) -> None:
    """It depends on the rows that are there, and on nothing else."""
    for schema, seed in (("one", 5), ("two", 5), ("three", 6)):
        generate(leat, database, "--rows=200", f"--schema={schema}")
        generate(leat, database, "--workload=500", f"--schema={schema}", f"--seed={seed}")
    for table in TABLES:
        assert content(database, table, "one") == content(database, table, "two")
        assert content(database, table, "one") != content(database, table, "three")


def test_rows_can_be_inserted_by_others_afterwards(leat: Leat, database: Database) -> None:
    """The sequences stand behind the keys in use."""
    generate(leat, database, "--rows=50", "--workload=100")
    database.execute("INSERT INTO customers (email) VALUES ('mine')")
    database.execute("INSERT INTO users (external_id) VALUES (gen_random_uuid())")


def test_a_rate_is_kept(leat: Leat, database: Database) -> None:
    """Not faster than asked for."""
    generate(leat, database, "--rows=50")
    said = generate(leat, database, "--workload=300", "--transaction=10", "--rate=600")["workload"]
    assert said["seconds"] >= 0.5


@pytest.mark.parametrize(
    "options",
    [
        ["--size=huge"],
        ["--size=small", "--rows=5"],
        ["--tables=customers,nothing"],
        ["--tables=orders,orders"],
        ["--locale=xx_XX"],
        ["--rate=5"],
        ["--workload=10", "--drop"],
    ],
)
def test_what_makes_no_sense_is_refused(leat: Leat, database: Database, options: list[str]) -> None:
    """With exit code 2 and nothing done."""
    done = leat.run("generate", f"--url={database.url}", *options, config=False)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert database.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'") == []
