"""MySQL and MariaDB beside leat.

Beside the load a client's SELECT; beside the stream the program that reads the server's log, and
our own decoder without tables (bench/drain.c).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.lib.leat import Leat, Running
from tests.lib.mysql import Flavour, MySQLDatabase, MySQLServer, run
from tests.lib.mysql_mirror import position_number

from .contents import MYSQL, Contents, compare
from .measure import LIMIT_SECONDS, Measured, read_away, show, timed, timed_leat

PIPELINE = "bench"
READER = "reader"  # has no password: not every client knows how MySQL asks for one without TLS
MODES = ("upsert", "append")
OPTIONS = {"innodb_buffer_pool_size": "512M", "innodb_log_buffer_size": "32M"}
REDO = {
    "mariadb": {"innodb_log_file_size": "1G"},
    "mysql": {"innodb_redo_log_capacity": "1G"},
}

TABLE = """CREATE TABLE customers (
    customer_id int PRIMARY KEY,
    email varchar(255), first_name varchar(100), last_name varchar(100), phone varchar(20),
    address_line1 varchar(255), city varchar(100), state varchar(50), postal_code varchar(20),
    country varchar(50), registration_date datetime, last_updated datetime, is_active boolean,
    customer_tier varchar(20), lifetime_value decimal(10,2)
) DEFAULT CHARSET=utf8mb4"""

ROWS = """INSERT INTO customers
    SELECT {first} + n, concat('new', n, '@example.com'), concat('First', n % 1000),
        concat('Last', n % 777), '+1-555-0100', concat(n, ' Main Street'), 'Springfield', 'IL',
        '62701', 'USA', timestamp '2025-01-01 00:00:00' + INTERVAL n SECOND,
        timestamp '2025-10-27 00:00:00', n % 2, 'Gold', (n % 100000) / 100
    FROM numbers WHERE n <= {count}"""

# As for PostgreSQL: sets of rows; of ten changes in a row six are inserts, then three updates, then
# one delete; the oldest rows are deleted, the updated ones lie spread over the others.
WORKLOAD = f"""CREATE PROCEDURE work(IN changes bigint, IN per_transaction bigint)
BEGIN
    DECLARE first_id, last_id, size, inserts, updates, deletes bigint;
    DECLARE done, upto bigint DEFAULT 0;
    SELECT min(customer_id), max(customer_id) INTO first_id, last_id FROM customers;
    WHILE done < changes DO
        SET size = least(per_transaction, changes - done);
        SET upto = done + size;
        SET deletes = upto DIV 10 - done DIV 10;
        SET updates = upto DIV 10 * 3 + greatest(0, least(upto % 10, 9) - 6)
            - done DIV 10 * 3 - greatest(0, least(done % 10, 9) - 6);
        SET inserts = size - updates - deletes;
        START TRANSACTION;
        IF inserts > 0 THEN
            {ROWS.format(first="last_id", count="inserts")};
            SET last_id = last_id + inserts;
        END IF;
        IF updates > 0 THEN
            UPDATE numbers STRAIGHT_JOIN customers ON customer_id = first_id + deletes
                    + (done * 31 + n * 7919) % (last_id - first_id - deletes)
                SET lifetime_value = lifetime_value / 2 + 1, customer_tier = 'Silver',
                    last_updated = timestamp '2025-10-28 00:00:00' + INTERVAL done SECOND
                WHERE n <= updates;
        END IF;
        IF deletes > 0 THEN
            DELETE FROM customers
                WHERE customer_id >= first_id AND customer_id < first_id + deletes;
            SET first_id = first_id + deletes;
        END IF;
        COMMIT;
        SET done = upto;
    END WHILE;
END"""


@dataclass
class Place:
    """A place in the log."""

    gtids: str
    file: str
    offset: int


def place(server: MySQLServer) -> Place:
    """Returns where the log ends."""
    file, offset = server.log_end()
    return Place(server.gtid_position(), file, offset)


def fill(options: argparse.Namespace, database: MySQLDatabase) -> None:
    """Makes the table and what changes it; none of it stands in the log."""
    count = max(options.rows, *options.transactions)
    with database.connect() as connection:
        run(connection, "SET sql_log_bin = 0")
        run(connection, "CREATE TABLE numbers (n int PRIMARY KEY)")
        run(connection, "INSERT INTO numbers VALUES (1)")
        size = 1
        while size < count:
            run(connection, f"INSERT INTO numbers SELECT n + {size} FROM numbers")
            size *= 2
        run(connection, TABLE)
        run(connection, ROWS.format(first=0, count=options.rows))
        run(connection, "ANALYZE TABLE customers, numbers")
        run(connection, WORKLOAD)


def contents(database: MySQLDatabase) -> Contents:
    """Returns those of the source."""
    count, total = database.execute(MYSQL.checksum("customers"))[0]
    return int(count), int(total)


class Part:
    """One server, its table, and a pipeline of each mode."""

    def __init__(
        self, options: argparse.Namespace, database: MySQLDatabase, directory: Path
    ) -> None:
        self.options = options
        self.server = database.server
        self.database = database
        self.name = self.server.version
        self.leats = {mode: self._leat(directory / mode, mode) for mode in MODES}
        self.drain = Path(options.leat).absolute().with_name("drain")

    def _leat(self, directory: Path, mode: str) -> Leat:
        directory.mkdir()
        leat = Leat(directory)
        leat.bin = Path(self.options.leat).absolute()
        leat.configure(
            {
                PIPELINE: leat.pipeline(
                    self.database.url,
                    [self.database.table("customers")],
                    mode=mode,
                    source={"type": "mysql"},
                    sink={"commit": {"interval": "1s"}},
                )
            }
        )
        return leat

    def _program(self, mariadb: str, mysql: str = "") -> str:
        if mysql and not self.server.is_mariadb:
            return str(self.server.program.with_name(mysql))
        found = shutil.which(mariadb)
        if not found:
            raise SystemExit(f"no {mariadb} (tools/setup test installs it)")
        return found

    def _client(self, *argv: str) -> None:
        program, *rest = argv
        where = [f"--host={self.server.host}", f"--port={self.server.port}", f"--user={READER}"]
        read_away([program, "--no-defaults", *where, *rest])

    def select_all(self) -> None:
        """Reads the table with a client, as text, row after row."""
        self._client(
            self._program("mariadb"),
            "--quick",
            "--skip-column-names",
            "--execute=SELECT * FROM customers",
            self.database.name,
        )

    def read_log(self, first: Place, last: Place) -> None:
        """Reads the log with the server's own program."""
        files = self.server.log_files()
        files = files[files.index(first.file) : files.index(last.file) + 1]
        self._client(
            self._program("mariadb-binlog", "mysqlbinlog"),
            "--read-from-remote-server",
            f"--start-position={first.offset}",
            f"--stop-position={last.offset}",
            *files,
        )

    def decode(self, first: Place, last: Place) -> Measured:
        """Reads the log with our decoder; the time is what it says, without its start."""
        done = subprocess.run(
            [
                str(self.drain),
                str(self.leats["upsert"].config_path),
                PIPELINE,
                first.gtids,
                last.gtids,
            ],
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(f"drain failed:\n{done.stderr[-4000:]}")
        seconds = float(json.loads(done.stdout)["seconds"])
        return Measured("our decoder to /dev/null", self.options.changes, seconds)

    def compare(self, mode: str) -> None:
        """Fails unless the table of a mode holds what the source does."""
        table = self.leats[mode].table(self.database.table("customers"))
        compare(contents(self.database), table, mode)

    def load(self) -> None:
        """Measures the load; the other mode loads too, but does not count."""
        rows = self.options.rows
        select = timed("mariadb -N -q to /dev/null", rows, self.select_all)
        loads = {
            mode: timed_leat("leat into Delta", rows, leat, lambda it: it.is_healthy("/ready"))
            for mode, leat in self.leats.items()
        }
        for mode in MODES:
            self.compare(mode)
        show(f"{self.name}: initial load of {rows:,} rows", [select], [loads["upsert"]])

    def stream(self, size: int) -> None:
        """Measures a stream of changes in transactions of one size."""
        changes = self.options.changes
        first = place(self.server)
        self.database.execute(f"CALL work({changes}, {size})")
        last = place(self.server)
        mark = position_number(self.server)

        def caught_up(running: Running) -> bool:
            return running.metric("leat_position", kind="durable") >= mark

        program = Path(self._program("mariadb-binlog", "mysqlbinlog")).name
        theirs = timed(f"{program} to /dev/null", changes, lambda: self.read_log(first, last))
        decoder = self.decode(first, last)
        ours = []
        for mode, leat in self.leats.items():
            ours.append(timed_leat(f"leat into Delta, {mode}", changes, leat, caught_up))
            self.compare(mode)
        title = f"{self.name}: stream of {changes:,} changes, {size:,} a transaction"
        show(title, [theirs, decoder], ours)

    def close(self) -> None:
        """Ends what runs."""
        for leat in self.leats.values():
            leat.close()


def measure(options: argparse.Namespace, directory: Path, flavour: Flavour) -> None:
    """Measures load and streams."""
    with MySQLServer(flavour, {**OPTIONS, **REDO[flavour]}) as server:
        server.create_user(READER, password="", grants="ALL")
        database = MySQLDatabase(server, "shop")
        fill(options, database)
        part = Part(options, database, directory)
        try:
            part.load()
            for size in options.transactions:
                part.stream(size)
        finally:
            part.close()
