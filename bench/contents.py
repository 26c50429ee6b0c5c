"""The sample table's contents as number of rows and checksum, in every engine's own words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
from deltalake import DeltaTable, QueryBuilder

VALUES = [
    "customer_id",
    "email",
    "first_name",
    "last_name",
    "phone",
    "address_line1",
    "city",
    "state",
    "postal_code",
    "country",
    "customer_tier",
    "lifetime_value",
]
TIMES = ["registration_date", "last_updated"]
FLAGS = ["is_active"]

# The newest change of each row of the log that the table is.
NEWEST = """(
    SELECT * FROM rows
    QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY _position DESC, _sequence DESC) = 1
) WHERE _op <> 'delete'"""


@dataclass(frozen=True)
class Dialect:
    """How an engine says what standard SQL does not."""

    text: str  # of any value
    microseconds: str  # of a time since 1970
    digest: str  # SHA-256 of a text, as hexadecimal digits
    number: str  # of 12 hexadecimal digits

    def checksum(self, source: str) -> str:
        """Returns SQL of the number of rows and the checksum of a table."""
        values = [f"coalesce({self.text.format(name)}, '~')" for name in VALUES]
        for name in TIMES:
            microseconds = self.microseconds.format(name)
            values.append(f"coalesce({self.text.format(microseconds)}, '~')")
        values += [f"CASE {name} WHEN true THEN 't' ELSE 'f' END" for name in FLAGS]
        digest = self.digest.format(f"concat_ws('|', {', '.join(values)})")
        number = self.number.format(f"substr({digest}, 1, 12)")
        return f"SELECT count(*), sum({number}) FROM {source}"


POSTGRES = Dialect(
    text="{}::text",
    microseconds="(extract(epoch FROM {}) * 1000000)::bigint",
    digest="encode(sha256(convert_to({}, 'UTF8')), 'hex')",
    number="('x' || {})::bit(48)::bigint",
)
MYSQL = Dialect(
    text="CAST({} AS CHAR)",
    microseconds="TIMESTAMPDIFF(MICROSECOND, '1970-01-01', {})",
    digest="sha2({}, 256)",
    number="CAST(CONV({}, 16, 10) AS UNSIGNED)",
)
DUCKDB = Dialect(
    text="{}::text",
    microseconds="epoch_us({})",
    digest="sha256({})",
    number="('0x' || {})::bigint",
)

Contents = tuple[int, int]  # rows and checksum


def delta_contents(path: Path, mode: str) -> Contents:
    """Returns those of a Delta table, as `deltalake` reads it."""
    rows = QueryBuilder().register("t", DeltaTable(str(path))).execute("SELECT * FROM t")
    with duckdb.connect() as connection:
        connection.register("rows", rows.read_all())
        source = NEWEST if mode == "append" else "rows"
        found = connection.execute(DUCKDB.checksum(source)).fetchone()
    assert found is not None
    return int(found[0]), int(found[1])


def compare(source: Contents, path: Path, mode: str = "upsert") -> None:
    """Fails unless the Delta table holds what the source does."""
    lake = delta_contents(path, mode)
    if source != lake:
        raise SystemExit(
            f"contents differ: (rows, checksum) {source} at the source, {lake} in Delta ({mode})"
        )
