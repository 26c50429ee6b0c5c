"""Tables, keys and values of MySQL and MariaDB that are unlike most: loaded, followed, or named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lib.leat import Leat
from tests.lib.mirror import PIPELINE
from tests.lib.mysql import MySQLDatabase, MySQLServer
from tests.lib.mysql_mirror import MySQLMirror


@pytest.fixture(autouse=True)
def defaults(mysql_server: MySQLServer) -> Iterator[None]:
    """What tests set for the whole server goes back to what it was."""
    names = ["binlog_row_metadata", "binlog_row_image"]
    before = {name: mysql_server.scalar(f"SELECT @@GLOBAL.{name}") for name in names}
    yield
    mysql_server.set_global(**before)


def expect_mirrored(
    leat: Leat, database: MySQLDatabase, tables: dict[str, str | list[str]], *changes: str
) -> None:
    """Loads tables, follows statements, each a transaction, and compares."""
    mirror = MySQLMirror(leat, database, tables)
    running = mirror.start()
    mirror.catch_up(running)
    mirror.verify()
    database.execute_many(*changes)
    mirror.settle(running)


# Shapes and names.


def test_an_empty_table_becomes_an_empty_table(leat: Leat, mysql_database: MySQLDatabase) -> None:
    mysql_database.execute_many("CREATE TABLE none (id int PRIMARY KEY, v text)")
    expect_mirrored(leat, mysql_database, {"none": "id"})
    mirror = MySQLMirror(leat, mysql_database, {"none": "id"})
    running = mirror.start()
    mysql_database.execute("INSERT INTO none VALUES (1, 'now')")
    mirror.settle(running)


def test_a_table_of_many_columns(leat: Leat, mysql_database: MySQLDatabase) -> None:
    """More than fit into one byte, or a few, of a bitmap."""
    columns = ", ".join(f"c{i} {'int' if i % 2 else 'varchar(20)'}" for i in range(200))
    values = ", ".join(f"'{i}'" if i % 3 else "NULL" for i in range(200))
    expect_mirrored(
        leat,
        prepared(
            mysql_database,
            f"CREATE TABLE wide (id int PRIMARY KEY, {columns})",
            f"INSERT INTO wide VALUES (1, {values})",
        ),
        {"wide": "id"},
        f"INSERT INTO wide VALUES (2, {values})",
        "UPDATE wide SET c199 = 7, c0 = NULL",
        "DELETE FROM wide WHERE id = 1",
    )


def prepared(database: MySQLDatabase, *statements: str) -> MySQLDatabase:
    """The database, after these statements."""
    database.execute_many(*statements)
    return database


def test_values_of_twenty_megabytes(leat: Leat, mysql_database: MySQLDatabase) -> None:
    """Larger than one packet of the protocol (16 MB)."""
    size = 20 * 1024 * 1024
    database = prepared(
        mysql_database,
        "CREATE TABLE large (id int PRIMARY KEY, doc longtext, bytes longblob)",
        f"INSERT INTO large VALUES (1, repeat('x', {size}), NULL)",
    )
    mirror = MySQLMirror(leat, database, {"large": "id"}, formats=("delta",), memory="1GiB")
    running = mirror.start()
    mirror.catch_up(running)
    database.execute_many(
        f"INSERT INTO large VALUES (2, 'small', repeat(x'FF00', {size // 2}))",
        "UPDATE large SET bytes = x'00' WHERE id = 1",
    )
    mirror.settle(running)


def test_names_of_any_letters(leat: Leat, mysql_database: MySQLDatabase) -> None:
    database = mysql_database
    name = "Größe 'quoted' \"twice\" `back` 日本"
    quoted = "`" + name.replace("`", "``") + "`"
    database.execute_many(
        f"CREATE TABLE {quoted} (`ID` int PRIMARY KEY, `naïve ``column``` text, `order` int,"
        " `名前` varchar(20)) DEFAULT CHARSET=utf8mb4",
        f"INSERT INTO {quoted} VALUES (1, 'one', 1, 'первый')",
    )
    mirror = MySQLMirror(leat, database, {name: "ID"}, formats=("iceberg",))
    running = mirror.start()
    mirror.catch_up(running)
    database.execute_many(
        f"INSERT INTO {quoted} VALUES (2, 'two', 2, '二')",
        f"UPDATE {quoted} SET `naïve ``column``` = 'changed'",
        f"ALTER TABLE {quoted} ADD COLUMN `späť` int NULL",
        f"UPDATE {quoted} SET `späť` = 5",
    )
    mirror.settle(running)


def test_names_that_differ_in_case_alone(leat: Leat, mysql_database: MySQLDatabase) -> None:
    """As both servers take them on this system."""
    expect_mirrored(
        leat,
        prepared(
            mysql_database,
            "CREATE TABLE Items (Id int PRIMARY KEY, Name text)",
            "CREATE TABLE ITEMS_2 (ID int PRIMARY KEY, NAME text)",
            "CREATE TABLE items_2 (id int PRIMARY KEY, name text)",
        ),
        {"Items": "Id", "ITEMS_2": "ID"},
        "INSERT INTO Items VALUES (1, 'a')",
        "INSERT INTO ITEMS_2 VALUES (1, 'large')",
        "INSERT INTO items_2 VALUES (2, 'small')",
        "TRUNCATE TABLE items_2",
        "DROP TABLE items_2",
        "UPDATE Items SET NAME = 'b'",
    )


@pytest.mark.parametrize("metadata", ["FULL", "less"])
def test_columns_that_nobody_sees(leat: Leat, mysql_database: MySQLDatabase, metadata: str) -> None:
    """Generated, invisible, and those that the server makes for itself for indexes."""
    database = mysql_database
    server = database.server
    less = "NO_LOG" if server.is_mariadb else "MINIMAL"
    server.set_global(binlog_row_metadata="FULL" if metadata == "FULL" else less)
    database.reconnect()
    hidden = "UNIQUE (doc)" if server.is_mariadb else "INDEX low ((lower(name)))"
    database.execute_many(
        f"CREATE TABLE odd (a int, id int, doc text, name varchar(20), {hidden}, v int AS (a + 1)"
        " VIRTUAL, s int AS (a + 2) STORED, i int INVISIBLE, z varchar(9), PRIMARY KEY (id))",
        "INSERT INTO odd (a, id, doc, name, i, z) VALUES (1, 1, 'x', 'N', 5, 'last')",
    )
    expect_mirrored(
        leat,
        database,
        {"odd": "id"},
        "INSERT INTO odd (a, id, doc, name, i, z) VALUES (2, 2, 'y', 'M', 6, 'last')",
        "UPDATE odd SET a = 10, doc = 'z', name = 'O' WHERE id = 1",
        "DELETE FROM odd WHERE id = 2",
    )
    mirror = MySQLMirror(leat, database, {"odd": "id"})
    running = mirror.start()
    running.wait_for("streaming")
    index = "UNIQUE (doc, name)" if server.is_mariadb else "INDEX ((upper(name)))"
    database.execute(f"ALTER TABLE odd ADD {index}")
    database.execute("INSERT INTO odd (a, id, doc, name) VALUES (3, 3, 'later', 'P')")
    mirror.settle(running)


@pytest.mark.parametrize("metadata", ["FULL", "MINIMAL"])
def test_a_primary_key_that_the_server_made(
    leat: Leat, mysql_database: MySQLDatabase, metadata: str
) -> None:
    """MySQL's generated invisible primary key."""
    database = mysql_database
    if database.server.is_mariadb:
        pytest.skip("MariaDB makes none")
    database.server.set_global(binlog_row_metadata=metadata)
    database.reconnect()
    database.execute_many(
        "SET SESSION sql_generate_invisible_primary_key = ON",
        "CREATE TABLE keyless (name varchar(20))",
        "INSERT INTO keyless VALUES ('a'), ('b')",
    )
    expect_mirrored(
        leat,
        database,
        {"keyless": "my_row_id"},
        "UPDATE keyless SET name = 'c' WHERE name = 'a'",
        "DELETE FROM keyless WHERE name = 'b'",
        "INSERT INTO keyless VALUES ('d')",
    )


# Keys.


@pytest.mark.parametrize("image", ["FULL", "MINIMAL"])
def test_keys_that_the_server_holds_for_equal_are_different_rows_here(
    leat: Leat, mysql_database: MySQLDatabase, image: str
) -> None:
    """The key changes in case, accents and trailing spaces, which the collation does not see."""
    mysql_database.server.set_global(binlog_row_image=image)
    mysql_database.reconnect()
    expect_mirrored(
        leat,
        prepared(
            mysql_database,
            "CREATE TABLE words (k varchar(20) COLLATE utf8mb4_general_ci PRIMARY KEY, v int)"
            " DEFAULT CHARSET=utf8mb4",
            "INSERT INTO words VALUES ('a', 1), ('Bär', 2), ('c', 3), ('d', 4), ('e', 5), ('f', 6)",
        ),
        {"words": "k"},
        "UPDATE words SET k = 'A' WHERE k = 'a'",
        "UPDATE words SET k = 'bar' WHERE v = 2",
        "UPDATE words SET k = 'c ', v = 30 WHERE k = 'c'",
        "UPDATE words SET v = 40 WHERE k = 'D'",
        "REPLACE INTO words VALUES ('E', 50)",
        "INSERT INTO words VALUES ('F ', 60) ON DUPLICATE KEY UPDATE v = 61, k = VALUES(k)",
        "DELETE FROM words WHERE k = 'BAR'",
        "INSERT INTO words VALUES ('BAR', 2)",
    )


@pytest.mark.parametrize("image", ["FULL", "MINIMAL"])
def test_keys_of_several_columns_and_kinds(
    leat: Leat, mysql_database: MySQLDatabase, image: str
) -> None:
    mysql_database.server.set_global(binlog_row_image=image)
    mysql_database.reconnect()
    expect_mirrored(
        leat,
        prepared(
            mysql_database,
            "CREATE TABLE pairs (v text, b varchar(10), a int, PRIMARY KEY (a, b))",
            "INSERT INTO pairs VALUES ('one', 'x', 1), ('two', 'y', 1), ('three', 'x', 2)",
            "CREATE TABLE hashes (h binary(8) PRIMARY KEY, v int)",
            "INSERT INTO hashes VALUES (x'0102030405060000', 1), (x'0000000000000000', 2)",
            "CREATE TABLE days (d date, t datetime(3), n decimal(10,2), PRIMARY KEY (d, t, n))",
            "INSERT INTO days VALUES ('2024-02-29', '2024-02-29 12:00:00.123', -1.50)",
            "CREATE TABLE kinds (e enum('a','b') PRIMARY KEY, v int)",
            "INSERT INTO kinds VALUES ('a', 1), ('b', 2)",
        ),
        {"pairs": ["a", "b"], "hashes": "h", "days": ["d", "t", "n"], "kinds": "e"},
        "UPDATE pairs SET b = 'z' WHERE b = 'y'",
        "UPDATE pairs SET a = a + 10",
        "DELETE FROM pairs WHERE v = 'three'",
        "UPDATE hashes SET h = x'0102030405060700' WHERE v = 1",
        "UPDATE hashes SET v = 20 WHERE h = x'0000000000000000'",
        "INSERT INTO hashes VALUES (x'01', 3)",
        "UPDATE days SET n = 2.25",
        "UPDATE kinds SET v = 10 WHERE e = 'a'",
        "DELETE FROM kinds WHERE e = 'b'",
    )


def test_large_unsigned_keys(leat: Leat, mysql_database: MySQLDatabase) -> None:
    top = 2**64 - 1
    expect_mirrored(
        leat,
        prepared(
            mysql_database,
            "CREATE TABLE large (id bigint unsigned PRIMARY KEY, v int)",
            f"INSERT INTO large VALUES (0, 0), ({2**63 - 1}, 1), ({2**63}, 2), ({top}, 3)",
        ),
        {"large": "id"},
        f"UPDATE large SET v = 10 WHERE id >= {2**63}",
        f"UPDATE large SET id = {top - 1} WHERE id = {top}",
        f"INSERT INTO large VALUES ({top}, 4)",
        "DELETE FROM large WHERE id = 0",
    )


@pytest.mark.parametrize("image", ["FULL", "MINIMAL", "NOBLOB"])
def test_keys_that_are_swapped_in_one_transaction(
    leat: Leat, mysql_database: MySQLDatabase, image: str
) -> None:
    mysql_database.server.set_global(binlog_row_image=image)
    mysql_database.reconnect()
    expect_mirrored(
        leat,
        prepared(
            mysql_database,
            "CREATE TABLE swapped (id int PRIMARY KEY, name text, note text)",
            "INSERT INTO swapped VALUES (1, 'one', 'n1'), (2, 'two', 'n2')",
        ),
        {"swapped": "id"},
        "BEGIN",
        "UPDATE swapped SET id = 3 WHERE id = 1",
        "UPDATE swapped SET id = 1 WHERE id = 2",
        "UPDATE swapped SET id = 2, name = 'was one' WHERE id = 3",
        "COMMIT",
        "UPDATE swapped SET id = id + 1 ORDER BY id DESC",
    )


# Values that the lake's types do not have.

STRANGE = {
    "date": "'0000-00-00'",
    "datetime": "'0000-00-00 00:00:00'",
    "timestamp NULL": "'0000-00-00 00:00:00'",
    "datetime(3)": "'2024-00-15 10:00:00.5'",
    "time": "'100:00:00'",
    "time(6)": "'-00:00:00.000001'",
}


@pytest.fixture
def strange(mysql_database: MySQLDatabase) -> MySQLDatabase:
    """A database whose sessions may write dates that are none."""
    mysql_database.execute("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'")
    return mysql_database


@pytest.mark.parametrize("where", ["load", "stream"])
@pytest.mark.parametrize("kind", list(STRANGE))
def test_a_value_without_representation_is_named(
    leat: Leat, strange: MySQLDatabase, kind: str, where: str
) -> None:
    database = strange
    database.execute(f"CREATE TABLE odd (id int PRIMARY KEY, odd {kind})")
    insert = f"INSERT INTO odd VALUES (1, {STRANGE[kind]})"
    if where == "load":
        database.execute(insert)
    mirror = MySQLMirror(leat, database, {"odd": "id"})
    running = mirror.start()
    if where == "stream":
        running.wait_for('"load read"')
        database.execute(insert)
    assert running.wait(60) == 1
    said = running.log_text
    for word in (database.table("odd"), '\\"odd\\"', STRANGE[kind].strip("'"), '"kind":"data"'):
        assert word in said, f"{word!r} is missing:\n{said}"
    assert "unrepresentable" in said
    assert "as_text" in said


@pytest.mark.parametrize("way", ["null", "as_text"])
def test_values_without_representation_become_null_or_stay_text(
    leat: Leat, strange: MySQLDatabase, way: str
) -> None:
    """Also after the pipeline has stopped before one, and in columns that are not null."""
    database = strange
    columns = ", ".join(f"c{i} {kind}" for i, kind in enumerate(STRANGE))
    values = ", ".join(STRANGE.values())
    database.execute_many(
        f"CREATE TABLE odd (id int PRIMARY KEY, {columns}, n date NOT NULL)",
        f"INSERT INTO odd VALUES (1, {values}, '0000-00-00')",
    )
    names = [
        database.table(f"odd.{name}") for name in ("n", *(f"c{i}" for i in range(len(STRANGE))))
    ]
    source = {"unrepresentable": "null"} if way == "null" else {"as_text": names}
    mirror = MySQLMirror(leat, database, {"odd": "id"}, source=source)
    running = mirror.start()
    mirror.catch_up(running)
    mirror.verify()
    database.execute_many(
        f"INSERT INTO odd VALUES (2, {values}, '0000-00-00'), (3, {values}, '2024-02-03')",
        "UPDATE odd SET c0 = '2024-01-02', n = '2024-01-03' WHERE id = 1",
        "UPDATE odd SET c0 = NULL WHERE id = 2",
    )
    mirror.settle(running)


def test_a_pipeline_that_stopped_before_a_value_goes_on_when_it_may_be_null(
    leat: Leat, strange: MySQLDatabase
) -> None:
    database = strange
    database.execute_many(
        "CREATE TABLE odd (id int PRIMARY KEY, d date NOT NULL)",
        "INSERT INTO odd VALUES (1, '2024-01-01')",
    )
    mirror = MySQLMirror(leat, database, {"odd": "id"})
    running = mirror.start()
    mirror.catch_up(running)
    database.execute_many(
        "INSERT INTO odd VALUES (2, '2024-01-02')",
        "INSERT INTO odd VALUES (3, '0000-00-00')",
        "INSERT INTO odd VALUES (4, '2024-01-04')",
    )
    assert running.wait(60) == 1
    running = mirror.start()
    assert running.wait(60) == 1  # and again: nothing is passed over
    mirror.configure(source={"unrepresentable": "null"})
    running = mirror.start()
    mirror.settle(running)
    assert '"load read"' not in running.log_text
    assert PIPELINE in running.log_text
