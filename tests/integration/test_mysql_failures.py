"""What a MySQL or MariaDB server does not give is said clearly, with the right exit code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lib.delta import delta_rows
from tests.lib.leat import Leat, Running
from tests.lib.mirror import PIPELINE
from tests.lib.mysql import PASSWORD, USER, MySQLDatabase, MySQLServer
from tests.lib.mysql_mirror import MySQLMirror
from tests.lib.rows import Row
from tests.lib.wait import wait_until

QUICK: dict[str, Any] = {"retry": {"attempts": 2, "delay": "10ms", "max_delay": "20ms"}}
ITEMS = "CREATE TABLE items (id int PRIMARY KEY, name varchar(100))"


def pipeline(leat: Leat, url: str, *tables: str, **more: Any) -> None:
    """Writes a configuration that gives up soon."""
    source = {"type": "mysql", **more.pop("source", {})}
    leat.configure({PIPELINE: leat.pipeline(url, tables, source=source, **QUICK, **more)})


def expect(leat: Leat, code: int, *words: str, command: str = "run") -> str:
    """Runs leat to its end: exit code, and words that it must say; never the password."""
    done = leat.run(command, timeout=60)
    said = done.stderr + done.stdout
    assert done.returncode == code, f"exit code {done.returncode}:\n{said}"
    for word in words:
        assert word in said, f"{word!r} is missing:\n{said}"
    assert PASSWORD not in said
    return said


def items(database: MySQLDatabase) -> None:
    """A table with two rows."""
    database.execute_many(ITEMS, "INSERT INTO items VALUES (1, 'one'), (2, 'two')")


@pytest.fixture(autouse=True)
def defaults(mysql_server: MySQLServer) -> Iterator[None]:
    """What tests set for the whole server goes back to what it was."""
    names = ["binlog_format", "binlog_row_metadata", "binlog_row_image"]
    if not mysql_server.is_mariadb:
        names.append("binlog_row_value_options")
    before = {name: mysql_server.scalar(f"SELECT @@GLOBAL.{name}") for name in names}
    yield
    mysql_server.set_global(**before)


# Rights.

RIGHTS = ["REPLICATION SLAVE", "REPLICATION CLIENT", "SELECT", "RELOAD", "LOCK TABLES"]


@pytest.fixture
def person(mysql_server: MySQLServer) -> Iterator[str]:
    """The name of a user that the test makes; gone afterwards."""
    yield "person"
    mysql_server.drop_user("person")


def make_person(server: MySQLServer, *missing: str) -> None:
    """A user with all rights but these."""
    server.create_user("person", grants=", ".join(r for r in RIGHTS if r not in missing))


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        (["REPLICATION SLAVE"], "GRANT REPLICATION SLAVE ON *.* TO 'person'@'%'"),
        (["REPLICATION CLIENT"], "GRANT REPLICATION CLIENT ON *.* TO 'person'@'%'"),
        (["SELECT"], "GRANT SELECT ON `{database}`.`items` TO 'person'@'%'"),
        (["SELECT", "LOCK TABLES"], "GRANT SELECT ON `{database}`.`items` TO 'person'@'%'"),
        (["RELOAD", "LOCK TABLES"], "GRANT RELOAD ON *.* TO 'person'@'%'"),
    ],
    ids=["replication-slave", "replication-client", "select", "everything-on-it", "locks"],
)
def test_a_missing_right_is_named_before_anything_is_loaded(
    leat: Leat, mysql_database: MySQLDatabase, person: str, missing: list[str], named: str
) -> None:
    """`leat check` cannot try the lock: it only says that it sees no such right."""
    items(mysql_database)
    server = mysql_database.server
    make_person(server, *missing)
    pipeline(leat, server.url(user=person), mysql_database.table("items"))
    named = named.format(database=mysql_database.name)
    said = expect(leat, 2, named)
    assert '"load read"' not in said
    expect(leat, 0 if "RELOAD" in missing else 2, named, command="check")
    server.execute(f"GRANT {', '.join(missing)} ON *.* TO person@'%'")
    expect(leat, 0, command="check")


@pytest.mark.parametrize("missing", ["RELOAD", "LOCK TABLES"])
def test_either_right_to_lock_is_enough(
    leat: Leat, mysql_database: MySQLDatabase, person: str, missing: str
) -> None:
    items(mysql_database)
    server = mysql_database.server
    make_person(server, missing)
    mirror = MySQLMirror(
        leat, mysql_database, {"items": "id"}, url=server.url(user=person), formats=("delta",)
    )
    running = mirror.start()
    mirror.catch_up(running)
    mysql_database.execute("INSERT INTO items VALUES (3, 'three')")
    mirror.settle(running)


def test_a_right_on_one_column_is_not_enough(
    leat: Leat, mysql_database: MySQLDatabase, person: str
) -> None:
    """The catalog shows such a user a table with one column."""
    items(mysql_database)
    server = mysql_database.server
    make_person(server, "SELECT")
    server.execute(f"GRANT SELECT (id) ON {mysql_database.table('items')} TO person@'%'")
    pipeline(leat, server.url(user=person), mysql_database.table("items"))
    expect(leat, 2, "GRANT SELECT ON")
    expect(leat, 2, "GRANT SELECT ON", command="check")


# Settings of the server.


def test_a_server_without_log_is_refused(leat: Leat, mysql_server: MySQLServer) -> None:
    with MySQLServer(mysql_server.flavour) as server:
        server.stop()
        del server.options["log_bin"]
        server.configure(**({} if server.is_mariadb else {"disable_log_bin": "ON"}))
        server.start()
        database = MySQLDatabase(server, "shop")
        items(database)
        pipeline(leat, server.url(), "shop.items")
        expect(leat, 2, "log_bin is OFF")
        expect(leat, 2, "log_bin is OFF", command="check")


@pytest.mark.parametrize("form", ["STATEMENT", "MIXED"])
def test_a_log_of_statements_is_refused(
    leat: Leat, mysql_database: MySQLDatabase, form: str
) -> None:
    items(mysql_database)
    mysql_database.server.set_global(binlog_format=form)
    pipeline(leat, mysql_database.url, mysql_database.table("items"))
    expect(leat, 2, f"binlog_format is {form}", "binlog_format = 'ROW'")
    expect(leat, 2, f"binlog_format is {form}", command="check")


def test_partial_documents_are_refused(leat: Leat, mysql_database: MySQLDatabase) -> None:
    server = mysql_database.server
    if server.is_mariadb:
        pytest.skip("MariaDB logs whole documents")
    items(mysql_database)
    server.set_global(binlog_row_value_options="PARTIAL_JSON")
    pipeline(leat, mysql_database.url, mysql_database.table("items"))
    expect(leat, 2, "PARTIAL_JSON", "binlog_row_value_options = ''")
    expect(leat, 2, "PARTIAL_JSON", command="check")


def test_partial_documents_of_one_session_are_lost_and_a_load_mends_it(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    database = mysql_database
    if database.server.is_mariadb:
        pytest.skip("MariaDB logs whole documents")
    for name in ("docs", "others"):
        database.execute_many(
            f"CREATE TABLE {name} (id int PRIMARY KEY, doc json)",
            f"""INSERT INTO {name} VALUES (1, '{{"a": 1, "b": "{"x" * 200}"}}')""",
        )
    mirror = MySQLMirror(leat, database, {"docs": "id"})
    running = mirror.start()
    mirror.catch_up(running)
    database.execute("SET SESSION binlog_row_value_options = 'PARTIAL_JSON'")
    database.execute("UPDATE others SET doc = JSON_SET(doc, '$.a', 2)")
    mirror.catch_up(running)
    database.execute("UPDATE docs SET doc = JSON_SET(doc, '$.a', 2)")
    expect_lost_and_mend(leat, mirror, running, "docs", "binlog_row_value_options = ''")


def expect_lost_and_mend(leat: Leat, mirror: MySQLMirror, running: Running, *words: str) -> None:
    """It ends as lost and says the way back, which mends it; then it goes on."""
    assert running.wait() == 1, running.log_text
    for word in ('"kind":"lost"', "leat reload shop", *words):
        assert word in running.log_text, f"{word!r} is missing:\n{running.log_text}"
    done = leat.run("reload", PIPELINE)
    assert done.returncode == 0, done.stderr
    mirror.verify()
    running = mirror.start()
    mirror.settle(running)
    assert '"load read"' not in running.log_text


# Tables.


def test_a_table_that_is_not_there_is_named(leat: Leat, mysql_database: MySQLDatabase) -> None:
    name = mysql_database.table("absent")
    pipeline(leat, mysql_database.url, name)
    expect(leat, 2, name)
    expect(leat, 2, name, command="check")
    pipeline(leat, mysql_database.url, f"{mysql_database.name}.*")
    expect(leat, 2, f"{mysql_database.name}.*")
    pipeline(leat, mysql_database.url, "items")
    expect(leat, 2, "schema.table")


def test_what_is_no_table_is_refused(leat: Leat, mysql_database: MySQLDatabase) -> None:
    items(mysql_database)
    mysql_database.execute("CREATE VIEW seen AS SELECT * FROM items")
    pipeline(leat, mysql_database.url, mysql_database.table("seen"))
    expect(leat, 2, mysql_database.table("seen"), "view")
    expect(leat, 2, mysql_database.table("seen"), "view", command="check")
    for name in ("mysql.user", "information_schema.TABLES", "mysql.*"):
        pipeline(leat, mysql_database.url, name)
        expect(leat, 2, name)
        expect(leat, 2, name, command="check")
    if mysql_database.server.is_mariadb:
        mysql_database.execute_many(
            "CREATE SEQUENCE numbers",
            "CREATE TABLE history (id int PRIMARY KEY) WITH SYSTEM VERSIONING",
        )
        for name, word in (("numbers", "sequence"), ("history", "system-versioned")):
            pipeline(leat, mysql_database.url, mysql_database.table(name))
            expect(leat, 2, mysql_database.table(name), word)


def test_views_are_left_out_where_all_tables_are_asked_for(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    items(mysql_database)
    mysql_database.execute("CREATE VIEW seen AS SELECT * FROM items")
    pipeline(leat, mysql_database.url, f"{mysql_database.name}.*")
    said = expect(leat, 0, mysql_database.table("items"), command="check")
    assert "seen" not in said


def test_a_table_without_a_key_is_refused_in_upsert_mode_and_appended_to(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    """A unique index is no primary key."""
    name = mysql_database.table("keyless")
    mysql_database.execute("CREATE TABLE keyless (word varchar(10) NOT NULL UNIQUE)")
    pipeline(leat, mysql_database.url, name)
    expect(leat, 2, name, "ADD PRIMARY KEY", "mode: append")
    expect(leat, 0, name, "primary key", "mode: append", command="check")
    pipeline(leat, mysql_database.url, name, mode="append")
    mysql_database.execute("INSERT INTO keyless VALUES ('a')")
    with leat.start("run") as running:
        running.wait_for('"load read"')
        mysql_database.execute("INSERT INTO keyless VALUES ('b')")
        table = leat.table(name)
        wait_until(
            lambda: [row["word"] for row in sorted_rows(table)] == ["a", "b"], 30, "both are there"
        )


def sorted_rows(table: Path) -> list[Row]:
    """The rows of a Delta table, by their first column; none while there is no table."""
    if not (table / "_delta_log").exists():
        return []
    return sorted(delta_rows(table), key=lambda row: str(row["word"]))


@pytest.mark.parametrize("kind", ["geometry", "point", "decimal(65,30)", "vector(3)"])
def test_a_column_of_a_type_that_is_not_supported_is_named(
    leat: Leat, mysql_database: MySQLDatabase, kind: str
) -> None:
    database = mysql_database
    if kind.startswith("vector") and database.server.is_mariadb:
        pytest.skip("MariaDB 10.11 has no vectors")
    name = database.table("strange")
    database.execute(f"CREATE TABLE strange (id int PRIMARY KEY, odd {kind})")
    pipeline(leat, database.url, name)
    words = [name, "odd", kind.partition("(")[0]]
    said = expect(leat, 2, *words)
    expect(leat, 2, *words, command="check")
    assert ("as_text" in said) == kind.startswith("decimal")


@pytest.mark.parametrize("listed", ["decimal(65,30)", "decimal", "{table}.odd"])
def test_a_wide_decimal_goes_through_as_text(
    leat: Leat, mysql_database: MySQLDatabase, listed: str
) -> None:
    database = mysql_database
    high = f"{'9' * 35}.{'9' * 30}"
    database.execute_many(
        "CREATE TABLE wide (id int PRIMARY KEY, odd decimal(65,30))",
        f"INSERT INTO wide VALUES (1, {high}), (2, -{high}), (3, 0), (4, NULL)",
    )
    as_text = [listed.format(table=database.table("wide"))]
    mirror = MySQLMirror(leat, database, {"wide": "id"}, source={"as_text": as_text})
    mirror.as_text = [database.table("wide.odd")]
    running = mirror.start()
    mirror.catch_up(running)
    database.execute_many(
        f"INSERT INTO wide VALUES (11, {high}), (12, -{high}), (13, 0.5), (14, NULL)",
        "UPDATE wide SET odd = 1.5 WHERE id = 1",
    )
    mirror.settle(running)


def test_check_prints_every_prerequisite(leat: Leat, mysql_database: MySQLDatabase) -> None:
    """All in order: exit 0, each on a line."""
    database = mysql_database
    database.server.set_global(binlog_row_metadata="FULL")
    items(database)
    name = database.table("items")
    pipeline(leat, database.url, name)
    said = expect(leat, 0, command="check")
    for words in (
        f"connected as '{USER}'@'%'",
        "log_bin is ON",
        "binlog_format is ROW",
        "binlog_row_metadata is FULL",
        "binlog_row_image is FULL",
        "GTIDs",
        "may read the log",
        f"table {name}: 2 columns, 1 in the key",
    ):
        line = next((line for line in said.splitlines() if words in line), "")
        assert line.startswith("ok"), f"{words!r}: {line!r} in\n{said}"
    assert "error" not in said


def test_check_goes_on_behind_what_is_wrong(leat: Leat, mysql_database: MySQLDatabase) -> None:
    """Several things at once: exit 2, all of them named."""
    database = mysql_database
    items(database)
    database.execute("CREATE TABLE odd (id int PRIMARY KEY, place geometry)")
    database.server.set_global(binlog_format="MIXED", binlog_row_image="MINIMAL")
    names = [database.table(name) for name in ("absent", "odd", "items")]
    pipeline(leat, database.url, *names)
    said = expect(leat, 2, command="check")
    for level, words in (
        ("error", "binlog_format is MIXED"),
        ("ok", "binlog_row_image is MINIMAL"),
        ("warning", "binlog_row_metadata is"),
        ("error", names[0]),
        ("error", names[1]),
        ("ok", names[2]),
    ):
        line = next((line for line in said.splitlines() if words in line), "")
        assert line.startswith(level), f"{words!r}: {line!r} in\n{said}"
