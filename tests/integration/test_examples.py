"""The configurations in examples/ do what they say, on the sample tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lib.delta import delta_cdf, delta_rows
from tests.lib.leat import ROOT, Leat, Running
from tests.lib.postgres import Database
from tests.lib.rows import assert_same_rows, canonical_rows
from tests.lib.source import source_rows
from tests.lib.wait import wait_until

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


def start(leat: Leat, database: Database, path: Path) -> tuple[str, Running]:
    """Fills the tables and runs the only pipeline of an example; returns its name too."""
    config: dict[str, Any] = yaml.safe_load(path.read_text())
    ((name, pipeline),) = config["pipelines"].items()
    assert pipeline["source"]["url"].startswith("postgresql://cdcuser:${env:PGPASSWORD}@")
    pipeline["source"]["url"] = database.url
    generate(leat, database, "--rows=300")
    leat.configure(config.pop("pipelines"), **config)
    running = leat.start()
    wait_until(lambda: not running.alive or running.is_healthy("/ready"), 60, "it streams")
    generate(leat, database, "--workload=2000", "--transaction=20")
    return name, running


def generate(leat: Leat, database: Database, *options: str) -> None:
    """Makes rows or changes."""
    tables = "--tables=customers,orders"
    done = leat.run("generate", f"--url={database.url}", tables, *options, config=False)
    assert done.returncode == 0, done.stderr


def end(name: str, running: Running, database: Database) -> None:
    """Ends the pipeline when everything has arrived."""
    lsn = database.scalar("SELECT pg_logical_emit_message(true, 'test', '')::text")
    acknowledged = """SELECT count(*) FROM pg_replication_slots
        WHERE slot_name = %s AND confirmed_flush_lsn >= %s::pg_lsn"""
    wait_until(
        lambda: not running.alive or database.scalar(acknowledged, (f"leat_{name}", lsn)),
        60,
        "all changes are acknowledged",
    )
    assert running.alive, running.log_text
    assert running.metric("leat_unexpected_total") == 0
    running.terminate()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_is_a_configuration(leat: Leat, path: Path) -> None:
    """As it stands, with nothing but the password in the environment."""
    show = ("config", "show", f"--config={path}")
    done = leat.run(*show, config=False, PGPASSWORD="hush", MYSQL_PASSWORD="hush")
    assert done.returncode == 0, done.stderr
    assert "hush" not in done.stdout


def test_postgres_to_delta_mirrors_both_tables(leat: Leat, database: Database) -> None:
    """Rows are those of the source."""
    name, running = start(leat, database, ROOT / "examples" / "postgres-to-delta.yaml")
    end(name, running, database)
    for table, key in (("customers", "customer_id"), ("orders", "order_id")):
        lake = delta_rows(leat.dir / "lake" / "public" / table)
        assert_same_rows(source_rows(database.connection, f"public.{table}"), lake, key)


def test_customers_analytics_joins_names_and_says_where_rows_come_from(
    leat: Leat, database: Database
) -> None:
    """Columns, types and values of the transform, on loaded, inserted and updated rows."""
    name, running = start(leat, database, ROOT / "examples" / "customers-analytics.yaml")
    end(name, running, database)
    path = leat.dir / "lake" / "public" / "customers_analytics"
    lake = delta_rows(path)
    expected = database.execute("""
        SELECT customer_id, email, concat_ws(' ', first_name, last_name),
            concat_ws(', ', city, state, country), customer_tier, lifetime_value::float8,
            registration_date AT TIME ZONE 'UTC', is_active, NULL::int, 'postgres_cdc',
            'postgres_to_delta'
        FROM customers""")
    columns = [
        "customer_id", "email", "full_name", "location", "customer_tier", "lifetime_value",
        "registration_date", "is_active", "total_orders", "_source_system", "_pipeline_id",
    ]  # fmt: skip
    source = canonical_rows(dict(zip(columns, row, strict=True)) for row in expected)
    assert_same_rows(source, [{key: row[key] for key in columns} for row in lake], "customer_id")

    loaded = [row for row in lake if row["_event_timestamp_ms"] is None]
    streamed = [row for row in lake if row["_event_timestamp_ms"] is not None]
    assert {row["_cdc_operation"] for row in loaded} == {"INSERT"}
    assert {row["_cdc_operation"] for row in streamed} == {"INSERT", "UPDATE"}
    assert {row["_source_lsn"] for row in loaded} == {0}
    assert all(row["_source_lsn"] > 0 for row in streamed)
    assert all(row["_ingestion_timestamp"] == row["_processed_timestamp"] for row in lake)
    others = {"_ingestion_timestamp", "_cdc_operation", "_processed_timestamp",
              "_event_timestamp_ms", "_source_lsn"}  # fmt: skip
    assert set(lake[0]) == {*columns, *others}
    assert {row["_change_type"] for row in delta_cdf(path)} >= {"insert", "delete"}
