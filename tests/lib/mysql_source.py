"""Rows of a MySQL or MariaDB table, in canonical form.

The types are those that the lake gets: integers by their width (bigint unsigned and bit(64) are
decimals), bit(1) a bool and wider ones integers, datetime and timestamp times in UTC, time of day,
enum, set, json, uuid, inet and `as_text` the text that the server prints.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from .mysql import Connection, MySQLDatabase, run
from .rows import Row, canonical_rows

INTEGERS = {"tinyint", "smallint", "mediumint", "int", "bigint", "year"}
TEXTS = {
    "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json",
    "uuid", "inet4", "inet6",
}  # fmt: skip
BYTES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}

TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?")

Reader = Callable[[Any], Any]


@dataclass(frozen=True)
class SourceColumn:
    """A column as information_schema describes it."""

    name: str
    type: str  # of it: "decimal"
    declared: str  # "decimal(10,2) unsigned"

    @property
    def quoted(self) -> str:
        """The name in back quotes."""
        return "`" + self.name.replace("`", "``") + "`"


def source_columns(connection: Connection, table: str) -> list[SourceColumn]:
    """Returns the columns of `database.table`, in its order, invisible ones too."""
    schema, _, name = table.partition(".")
    found = run(
        connection,
        "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE FROM information_schema.COLUMNS"
        " WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
        (schema, name),
    )
    if not found:
        raise LookupError(f"no table {table}")
    return [SourceColumn(str(n), str(kind).lower(), str(type_)) for n, kind, type_ in found]


def source_rows(
    database: MySQLDatabase,
    table: str,
    columns: Sequence[str] | None = None,
    *,
    as_text: Collection[str] = (),
    unrepresentable: str = "fail",
) -> list[Row]:
    """Returns all rows of a table of the database (or of `other.table`).

    `as_text` names columns that are taken as the server's text. With `unrepresentable` null a value
    that the lake's type does not have (zero dates, times that are none of a day) is None.
    """
    full = table if "." in table else database.table(table)
    schema, _, name = full.partition(".")
    # No conversions: text and bytes come as the server sent them.
    with database.server.connect(schema, conv={}) as connection:
        wanted = [
            column
            for column in source_columns(connection, full)
            if columns is None or column.name in columns
        ]
        items = ", ".join(_expression(column, column.name in as_text) for column in wanted)
        escaped = name.replace("`", "``")
        rows = run(connection, f"SELECT {items} FROM `{schema}`.`{escaped}`")
    readers = [
        str if column.name in as_text else _reader(column, unrepresentable == "null")
        for column in wanted
    ]
    return canonical_rows(
        {
            column.name: None if value is None else read(value)
            for column, read, value in zip(wanted, readers, row, strict=True)
        }
        for row in rows
    )


def _expression(column: SourceColumn, as_text: bool) -> str:
    if as_text:
        return f"CAST({column.quoted} AS CHAR CHARACTER SET utf8mb4)"
    if column.type == "float":
        return f"{column.quoted} + 0e0"  # a float alone is printed with six digits
    if column.type == "bit":
        return f"{column.quoted} + 0"
    if column.type == "json":
        return f"CAST({column.quoted} AS CHAR)"
    return column.quoted


def _reader(column: SourceColumn, none_where_impossible: bool) -> Reader:
    kind, declared = column.type, column.declared
    if kind == "bit":
        if declared == "bit(1)":
            return lambda value: int(value) == 1
        return Decimal if declared == "bit(64)" else int
    if kind == "decimal" or (kind == "bigint" and "unsigned" in declared):
        return Decimal
    if kind in INTEGERS:
        return int
    if kind in ("float", "double"):
        return float
    if kind in TEXTS:
        return str
    if kind in BYTES:
        return bytes
    readers: dict[str, Reader] = {
        "date": date.fromisoformat,
        "datetime": datetime.fromisoformat,
        "timestamp": datetime.fromisoformat,
        "time": _time_of_day,
    }
    if kind not in readers:
        raise LookupError(f"column {column.name}: no reader for {declared}; take it as text")
    return _bounded(column, readers[kind], none_where_impossible)


def _bounded(column: SourceColumn, read: Reader, none_where_impossible: bool) -> Reader:
    def read_bounded(value: Any) -> Any:
        try:
            return read(value)
        except ValueError as error:
            if none_where_impossible:
                return None
            raise ValueError(f"column {column.name}: {value} has no form in a lake") from error

    return read_bounded


def _time_of_day(text: str) -> time:
    if not TIME_OF_DAY.fullmatch(text):
        raise ValueError(f"{text} is no time of a day")
    return time.fromisoformat(text)
