"""Rows of the source, in canonical form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from .rows import Row, canonical_rows

# Types that Python and the lake have; every other type is compared as the server's text.
NATIVE = {
    "bool", "int2", "int4", "int8", "float8", "numeric", "text", "varchar", "bpchar", "bytea",
    "date", "timestamp", "timestamptz",
}  # fmt: skip

SESSION = """
    SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres';
    SET extra_float_digits = 1; SET bytea_output = 'hex'
"""


def source_columns(
    connection: psycopg.Connection[tuple[Any, ...]], table: str
) -> list[tuple[str, str]]:
    """Returns (column, type name) of a table, in its order."""
    found = connection.execute(
        """SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
           WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
           ORDER BY a.attnum""",
        (table,),
    ).fetchall()
    return [(str(name), str(kind)) for name, kind in found]


def source_rows(
    connection: psycopg.Connection[tuple[Any, ...]],
    table: str,
    columns: Sequence[str] | None = None,
) -> list[Row]:
    """Returns all rows of `schema.table` (a name that needs quotes comes quoted)."""
    connection.execute(SESSION)
    wanted = [
        (name, kind)
        for name, kind in source_columns(connection, table)
        if columns is None or name in columns
    ]
    items: list[sql.Composable] = []
    for name, kind in wanted:
        column = sql.Identifier(name)
        if kind == "float4":
            items.append(sql.SQL("{}::float8").format(column))
        elif kind in NATIVE:
            items.append(column)
        else:
            items.append(sql.SQL("{}::text").format(column))
    quoted = connection.execute("SELECT %s::regclass::text", (table,)).fetchone()
    assert quoted is not None
    query = sql.SQL("SELECT {} FROM ").format(sql.SQL(", ").join(items))
    # regclass::text is already quoted by the server.
    rows = connection.execute(query + sql.SQL(quoted[0])).fetchall()
    names = [name for name, _ in wanted]
    return canonical_rows(dict(zip(names, row, strict=True)) for row in rows)
