"""`leat generate` on MySQL and MariaDB: the same tables, rows and workload as on PostgreSQL."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lib.leat import Leat
from tests.lib.mysql import OWNER, MySQLDatabase, MySQLServer
from tests.lib.mysql_source import source_rows
from tests.lib.postgres import Database
from tests.lib.rows import Row, assert_same_rows
from tests.lib.source import source_rows as postgres_rows

KEYS = {
    "customers": "customer_id",
    "orders": "order_id",
    "products": "product_id",
    "inventory": "inventory_id",
    "users": "id",
}


def generate(leat: Leat, url: str, *options: str) -> dict[str, Any]:
    """Runs it and returns what it says it did."""
    done = leat.run("generate", f"--url={url}", "--json", *options, config=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def in_types_of_mysql(rows: list[Row]) -> list[Row]:
    """Rows of PostgreSQL: truth is a number in MySQL, and MariaDB's JSON is as it was written."""
    return [
        {
            name: int(value) if isinstance(value, bool) else value
            for name, value in row.items()
            if name != "preferences"
        }
        for row in rows
    ]


@pytest.mark.parametrize("locale", ["en_US", "ja_JP"])
def test_rows_and_workload_are_those_of_postgresql(
    leat: Leat, mysql_database: MySQLDatabase, database: Database, locale: str
) -> None:
    for url in (mysql_database.owner_url, database.url):
        options = (f"--locale={locale}", "--seed=7")
        said = generate(leat, url, "--rows=300", "--workload=700", *options)
        assert said["rows"] == 1500
        assert said["workload"]["changes"] == 700
        assert said["workload"]["transactions"] == 7
    for table, key in KEYS.items():
        rows = source_rows(mysql_database, table)
        if table == "users":
            documents = [json.loads(row.pop("preferences")) for row in rows]
            assert {"theme", "newsletter", "visits"} == set(documents[0])
        expected = in_types_of_mysql(postgres_rows(database.connection, f"public.{table}"))
        assert_same_rows(rows, expected, key, names=("mysql", "postgres"))


def test_a_transaction_may_be_larger_than_a_query(leat: Leat, mysql_server: MySQLServer) -> None:
    database = MySQLDatabase(mysql_server)
    before = int(mysql_server.scalar("SELECT @@GLOBAL.max_allowed_packet"))
    mysql_server.set_global(max_allowed_packet=1 << 20)
    try:
        generate(leat, database.owner_url, "--rows=100", "--tables=customers,orders")
        start = mysql_server.gtid_position()
        said = generate(
            leat, database.owner_url, "--workload=8000", "--transaction=8000", "--tables=orders"
        )
        assert said["workload"]["transactions"] == 1
        assert number(mysql_server.gtid_position()) == number(start) + 1
    finally:
        mysql_server.set_global(max_allowed_packet=before)
        database.close()


def number(gtids: str) -> int:
    """The newest transaction of a server that stands alone."""
    return int(gtids.replace(":", "-").rpartition("-")[2])


def test_an_existing_table_is_replaced_only_when_told(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    mysql_database.execute("CREATE TABLE customers (mine int)")
    url = f"--url={mysql_database.owner_url}"
    done = leat.run("generate", url, "--size=small", "--tables=customers", config=False)
    assert done.returncode == 2
    assert mysql_database.table("customers") in done.stderr
    assert "--drop" in done.stderr
    assert mysql_database.scalar("SELECT count(*) FROM customers") == 0
    generate(leat, mysql_database.owner_url, "--size=small", "--tables=customers", "--drop")
    assert mysql_database.scalar("SELECT count(*) FROM customers") == 1000


def test_rows_can_be_inserted_by_others_afterwards(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    generate(leat, mysql_database.owner_url, "--rows=50", "--workload=500", "--tables=customers")
    for _ in range(100):
        mysql_database.execute("INSERT INTO customers (email) VALUES ('mine')")


def test_tables_lie_in_the_urls_database_or_in_the_one_named(
    leat: Leat, mysql_server: MySQLServer
) -> None:
    database = MySQLDatabase(mysql_server)
    nowhere = mysql_server.url(user=OWNER)
    refused = leat.run("generate", f"--url={nowhere}", "--rows=5", config=False)
    assert refused.returncode == 2
    assert "--schema" in refused.stderr
    other = f"{database.name}_2"
    try:
        said = generate(leat, nowhere, "--rows=5", "--tables=users", f"--schema={other}")
        assert said["tables"][0]["schema"] == other
        assert mysql_server.scalar(f"SELECT count(*) FROM {other}.users") == 5
    finally:
        mysql_server.execute(f"DROP DATABASE IF EXISTS {other}")
        database.close()


def test_a_wrong_password_is_said_without_showing_it(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    url = mysql_database.server.url(mysql_database.name, password="sesame-77")
    done = leat.run("generate", f"--url={url}", config=False)
    assert done.returncode == 2
    assert "denied" in done.stderr
    assert "sesame-77" not in done.stderr
