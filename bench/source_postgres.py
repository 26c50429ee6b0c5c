"""PostgreSQL beside leat: COPY for the load, pg_recvlogical for the stream."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from tests.lib.leat import Leat, Running
from tests.lib.postgres import Database, Postgres

from .contents import POSTGRES, Contents, compare
from .measure import read_away, show, timed, timed_leat

TABLE = "public.customers"
SETTINGS = {"max_wal_size": "8GB", "shared_buffers": "512MB"}

# Sets of rows and not single ones, so that making the changes does not take longer than all else.
# Of ten changes in a row, six are inserts, then three updates, then one delete.
WORKLOAD = """
CREATE OR REPLACE FUNCTION public.updates_before(n bigint) RETURNS bigint LANGUAGE sql AS $$
    SELECT n / 10 * 3 + greatest(0, least(n % 10, 9) - 6)
$$;
CREATE OR REPLACE PROCEDURE public.work(changes bigint, per_transaction bigint)
LANGUAGE plpgsql AS $$
DECLARE
    first bigint; last bigint; done bigint := 0;
    size bigint; inserts bigint; updates bigint; deletes bigint;
BEGIN
    SELECT min(customer_id), max(customer_id) INTO first, last FROM customers;
    WHILE done < changes LOOP
        size := least(per_transaction, changes - done);
        deletes := (done + size) / 10 - done / 10;
        updates := updates_before(done + size) - updates_before(done);
        inserts := size - updates - deletes;
        INSERT INTO customers
            SELECT last + g, 'new' || g || '@example.com', 'First' || g % 1000, 'Last' || g % 777,
                '+1-555-0100', g || ' Main Street', 'Springfield', 'IL', '62701', 'USA',
                timestamp '2025-01-01' + g * interval '1 second', timestamp '2025-10-27',
                g % 2 = 0, 'Gold', (g % 100000) / 100.0
            FROM generate_series(1, inserts) g;
        last := last + inserts;
        -- The oldest rows are deleted; the updated ones lie spread over the others.
        UPDATE customers SET lifetime_value = lifetime_value / 2 + 1, customer_tier = 'Silver',
                last_updated = timestamp '2025-10-28' + done * interval '1 second'
            WHERE customer_id IN (SELECT first + deletes + (done * 31 + g * 7919)
                % (last - first - deletes) FROM generate_series(1, updates) g);
        DELETE FROM customers WHERE customer_id >= first AND customer_id < first + deletes;
        first := first + deletes;
        done := done + size;
        COMMIT;
    END LOOP;
END $$
"""


def contents(database: Database) -> Contents:
    """Returns those of the source."""
    count, total = database.execute(POSTGRES.checksum(TABLE))[0]
    return int(count), int(total)


def copy_binary(server: Postgres, database: Database) -> None:
    """Reads the table with COPY."""
    query = f"COPY {TABLE} TO STDOUT (FORMAT binary)"
    read_away([str(server.bin / "psql"), "-qX", server.url(database.name), "-c", query])


def recvlogical(server: Postgres, database: Database, end: str) -> None:
    """Reads the slot `beside` up to a position, with what leat asks for too."""
    read_away(
        [
            str(server.pg_recvlogical),
            f"--dbname={server.url(database.name)}",
            "--slot=beside",
            "--start",
            "--no-loop",
            f"--endpos={end}",
            "--fsync-interval=0",
            "--option=proto_version=1",
            "--option=binary=on",
            "--option=publication_names=leat_bench",
            "--file=/dev/null",
        ]
    )


def load(options: argparse.Namespace, server: Postgres, database: Database, leat: Leat) -> None:
    """Measures the load."""
    copy_binary(server, database)  # the first reader of new rows also marks them as committed
    copy = timed("COPY binary to /dev/null", options.rows, lambda: copy_binary(server, database))
    ours = timed_leat(
        "leat into Delta", options.rows, leat, lambda running: running.is_healthy("/ready")
    )
    compare(contents(database), leat.table(TABLE))
    show(f"PostgreSQL: initial load of {options.rows:,} rows", [copy], [ours])


def stream(
    options: argparse.Namespace, server: Postgres, database: Database, leat: Leat, size: int
) -> None:
    """Measures a stream of changes in transactions of one size."""
    database.execute("SELECT pg_copy_logical_replication_slot('leat_bench', 'beside')")
    database.execute(f"CALL public.work({options.changes}, {size})")
    end = str(database.scalar("SELECT pg_current_wal_insert_lsn()"))
    drain = timed(
        "pg_recvlogical to /dev/null",
        options.changes,
        lambda: recvlogical(server, database, end),
    )
    database.execute("SELECT pg_drop_replication_slot('beside')")

    def caught_up(_: Running) -> bool:
        return bool(
            database.scalar(
                """SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots
                   WHERE slot_name = 'leat_bench'""",
                (end,),
            )
        )

    ours = timed_leat("leat into Delta", options.changes, leat, caught_up)
    compare(contents(database), leat.table(TABLE))
    title = f"PostgreSQL: stream of {options.changes:,} changes, {size:,} a transaction"
    show(title, [drain], [ours])


def measure(options: argparse.Namespace, directory: Path) -> None:
    """Measures load and streams."""
    with Postgres(SETTINGS) as server:
        database = Database(server)
        leat = Leat(directory)
        leat.bin = Path(options.leat).absolute()
        subprocess.run(
            [
                str(leat.bin),
                "generate",
                f"--url={server.url(database.name)}",
                "--tables=customers",
                f"--rows={options.rows}",
            ],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        database.execute(f"VACUUM ANALYZE {TABLE}")
        database.execute(WORKLOAD)
        commit = {"commit": {"interval": "1s"}}
        leat.configure({"bench": leat.pipeline(database.url, [TABLE], sink=commit)})
        try:
            load(options, server, database, leat)
            for size in options.transactions:
                stream(options, server, database, leat, size)
        finally:
            leat.close()
            database.close()
