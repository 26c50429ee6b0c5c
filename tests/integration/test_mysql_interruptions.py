"""Loads over several connections, and streams far behind their server, that end in the middle."""

from __future__ import annotations

from tests.lib.leat import Leat, Running
from tests.lib.mysql import MySQLDatabase, MySQLServer
from tests.lib.mysql_mirror import MySQLMirror
from tests.lib.wait import wait_until

DOUBLINGS = 17  # so many rows that each of four connections gets ranges of its own


def numbers(server: MySQLServer) -> MySQLDatabase:
    """Returns a database with one long table."""
    database = MySQLDatabase(server, "shop")
    database.execute("CREATE TABLE numbers (id int PRIMARY KEY, v varchar(40))")
    database.execute("INSERT INTO numbers VALUES (1, 'one')")
    for i in range(DOUBLINGS):
        database.execute(f"INSERT INTO numbers SELECT id + {1 << i}, id FROM numbers")
    database.execute("ANALYZE TABLE numbers")
    return database


def wait_for_rows(running: Running) -> None:
    """Waits until the source gives rows: loaded or streamed ones, by what there is to do."""
    wait_until(lambda: running.metric("leat_rows_received_total") > 0, 60, "rows come")


def test_a_load_that_is_stopped_or_loses_its_server_begins_again(
    leat: Leat, mysql_server: MySQLServer
) -> None:
    with MySQLServer(mysql_server.flavour) as server:
        database = numbers(server)
        mirror = MySQLMirror(
            leat,
            database,
            {"numbers": "id"},
            formats=("delta",),
            source={"load_connections": 4},
        )
        running = mirror.start()
        wait_for_rows(running)
        running.terminate()
        running = mirror.start()
        wait_for_rows(running)
        server.kill()
        wait_until(lambda: "retry" in running.log_text, 60, "leat notices")
        server.start()
        database.reconnect()
        database.execute("UPDATE numbers SET v = 'changed' WHERE id % 100 = 0")
        mirror.settle(running)


def test_a_stream_that_is_stopped_far_behind_its_server_goes_on(
    leat: Leat, mysql_server: MySQLServer
) -> None:
    with MySQLServer(mysql_server.flavour) as server:
        database = numbers(server)
        mirror = MySQLMirror(leat, database, {"numbers": "id"}, formats=("delta",))
        mirror.settle(mirror.start())
        for i in range(8):
            database.execute(f"UPDATE numbers SET v = concat('x', id) WHERE id % 8 = {i}")
        running = mirror.start()
        wait_for_rows(running)
        running.terminate()
        running = mirror.start()
        wait_for_rows(running)
        server.kill()
        wait_until(lambda: "retry" in running.log_text, 60, "leat notices")
        server.start()
        database.reconnect()
        database.execute("DELETE FROM numbers WHERE id % 1000 = 1")
        mirror.settle(running)
        assert '"load read"' not in running.log_text
