"""The private servers of the tests, and what reads their rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pymysql
import pytest

from tests.lib.mysql import PASSWORD, USER, MySQLDatabase, MySQLServer, run
from tests.lib.mysql_source import source_rows
from tests.lib.mysql_values import AS_TEXT
from tests.lib.mysql_workload import MySQLWorkload
from tests.lib.rows import Row, assert_same_rows

ALL = """
CREATE TABLE `All` (
    id int PRIMARY KEY, tiny tinyint, utiny tinyint unsigned, big bigint, ubig bigint unsigned,
    flag bit(1), bits bit(13), wide bit(64), price decimal(10,2), f float, d double,
    day date, at datetime(6), stamp timestamp(6) NULL, clock time(3), y year,
    word varchar(20), old varchar(20) CHARACTER SET latin1, fixed binary(4), raw blob,
    colour enum('red', 'blue'), parts set('a', 'b', 'c'), doc json
) CHARACTER SET utf8mb4"""

FULL = """
INSERT INTO `All` VALUES (1, -128, 255, -9223372036854775808, 18446744073709551615, b'1',
    b'1000000000001', 18446744073709551615, -99999999.99, 0.1, -0.1, '2024-02-29',
    '2024-02-29 23:59:59.999999', '2024-02-29 23:59:59.000001', '23:59:59.120', 2155,
    '50 %% ☃', 'naïve €', 'ab', x'00ff', 'blue', 'a,c', '{"a": [1, null]}')"""


def test_source_rows_come_in_the_form_of_lake_rows(mysql_database: MySQLDatabase) -> None:
    mysql_database.execute(ALL)
    mysql_database.execute(FULL.replace("%%", "%"))
    mysql_database.execute("INSERT INTO `All` (id) VALUES (2)")
    full, empty = source_rows(mysql_database, "All")
    assert full == {
        "id": 1,
        "tiny": -128,
        "utiny": 255,
        "big": -(2**63),
        "ubig": Decimal(2**64 - 1),
        "flag": True,
        "bits": 4097,
        "wide": Decimal(2**64 - 1),
        "price": Decimal("-99999999.99"),
        "f": 0.10000000149011612,
        "d": -0.1,
        "day": date(2024, 2, 29),
        "at": datetime(2024, 2, 29, 23, 59, 59, 999999, UTC),
        "stamp": datetime(2024, 2, 29, 23, 59, 59, 1, UTC),
        "clock": "23:59:59.12",
        "y": 2155,
        "word": "50 % ☃",
        "old": "naïve €",
        "fixed": b"ab\0\0",
        "raw": b"\0\xff",
        "colour": "blue",
        "parts": "a,c",
        "doc": '{"a": [1, null]}',
    }
    assert isinstance(full["flag"], bool)
    assert isinstance(full["ubig"], Decimal)
    assert isinstance(full["wide"], Decimal)
    assert empty == {name: 2 if name == "id" else None for name in full}


def test_source_rows_take_columns_as_the_servers_text(mysql_database: MySQLDatabase) -> None:
    mysql_database.execute("CREATE TABLE t (id int PRIMARY KEY, span time(2), sum decimal(65,30))")
    mysql_database.execute("INSERT INTO t VALUES (1, '-838:59:58.50', 1.5)")
    (row,) = source_rows(mysql_database, "t", as_text=("span", "sum"))
    assert row == {"id": 1, "span": "-838:59:58.50", "sum": "1." + "5".ljust(30, "0")}


def test_source_rows_refuse_or_drop_what_the_lake_cannot_hold(
    mysql_database: MySQLDatabase,
) -> None:
    mysql_database.execute("SET sql_mode = ''")
    mysql_database.execute("CREATE TABLE t (id int PRIMARY KEY, day date, span time)")
    mysql_database.execute("INSERT INTO t VALUES (1, '0000-00-00', '25:00:00')")
    with pytest.raises(ValueError, match="0000-00-00"):
        source_rows(mysql_database, "t", ("day",))
    with pytest.raises(ValueError, match="25:00:00"):
        source_rows(mysql_database, "t", ("span",))
    (row,) = source_rows(mysql_database, "t", unrepresentable="null")
    assert row == {"id": 1, "day": None, "span": None}


def test_a_killed_server_keeps_what_was_committed(mysql_server: MySQLServer) -> None:
    database = MySQLDatabase(mysql_server)
    database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    database.execute("INSERT INTO t VALUES (1)")
    before = mysql_server.gtid_position()
    mysql_server.kill()
    mysql_server.start()
    database.reconnect()
    assert mysql_server.gtid_position() == before
    assert database.execute("SELECT * FROM t") == [(1,)]
    database.close()
    assert mysql_server.gtid_position() != before


def test_purged_logs_are_gone(mysql_database: MySQLDatabase) -> None:
    server = mysql_database.server
    mysql_database.execute("CREATE TABLE t (id int PRIMARY KEY)")
    before = server.log_files()
    server.purge_logs()
    (left,) = server.log_files()
    assert left not in before
    assert server.log_end()[0] == left


def cipher(server: MySQLServer, user: str, **tls: Any) -> str:
    """Logs in over TCP and returns what protects the session; "" for nothing."""
    with pymysql.connect(
        host=server.host, port=server.port, user=user, password=PASSWORD, **tls
    ) as connection:
        return str(run(connection, "SHOW STATUS LIKE 'Ssl_cipher'")[0][1])


@pytest.mark.parametrize("flavour", ["mariadb", "mysql"])
def test_a_server_with_options_and_certificates(
    flavour: str, request: pytest.FixtureRequest
) -> None:
    shared: MySQLServer = request.getfixturevalue(flavour)
    options = {"binlog_row_image": "MINIMAL", "binlog_row_metadata": "FULL"}
    with MySQLServer(shared.flavour, options, tls=True) as server:
        assert server.scalar("SELECT @@GLOBAL.binlog_row_image") == "MINIMAL"
        assert server.scalar("SELECT @@GLOBAL.binlog_row_metadata") == "FULL"
        server.create_user("careful", require="SSL")
        with pytest.raises(pymysql.err.OperationalError):
            cipher(server, "careful", ssl_disabled=True)
        assert cipher(server, "careful", ssl_ca=str(server.ca), ssl_verify_identity=True) != ""
        assert cipher(server, USER, ssl_disabled=True) == ""


def test_the_workload_is_the_same_for_the_same_seed(mysql_server: MySQLServer) -> None:
    rows: list[dict[str, list[Row]]] = []
    for _ in range(2):
        database = MySQLDatabase(mysql_server)
        MySQLWorkload.create(database, rows=30)
        workload = MySQLWorkload(database, seed=7)
        workload.run(60, ddl=0.3)
        for kind in ("insert", "upsert", "replace", "update", "key change", "delete", "rollback"):
            assert workload.counts[kind] > 0
        for kind in ("add column", "drop column", "truncate", "rollback to savepoint"):
            assert workload.counts[kind] > 0
        assert {table.name: sorted(table.keys) for table in workload.state.values()} == {
            table.name: sorted(database.execute(f"SELECT {', '.join(table.key)} FROM {table.name}"))
            for table in workload.state.values()
        }
        names = [name.partition(".")[2] for name in workload.tables]
        rows.append({name: source_rows(database, name, as_text=AS_TEXT) for name in names})
        database.close()
    assert rows[0]["items"]
    for name, first in rows[0].items():
        assert_same_rows(first, rows[1][name])
