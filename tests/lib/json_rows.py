"""Rows that leat printed as JSON, in canonical form.

The types come from a foreign reader of the same table. A value in another form than its type has
(`src/format/json.h` says which) is an error, so that what equals is equal also in kind.
"""

from __future__ import annotations

import base64
import json
import math
import re
import struct
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from .rows import Row, canonical_value

Types = dict[str, pa.DataType]

INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
TIME = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{0,5}[1-9])?")
TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T" + TIME.pattern)
NOT_FINITE = ("NaN", "Infinity", "-Infinity")

FEED_TYPES: Types = {
    "_change_type": pa.string(),
    "_commit_version": pa.int64(),
    "_commit_snapshot_id": pa.int64(),
    "_commit_timestamp": pa.timestamp("us", "UTC"),
}


class Number(str):
    """A number of a JSON text, with the characters that it has there."""

    __slots__ = ()


def types_of(table: pa.Table) -> Types:
    """Returns the types of a table's columns by name."""
    return {field.name: field.type for field in table.schema}


def table_rows(table: pa.Table) -> list[Row]:
    """Returns a foreign reader's rows in canonical form."""
    return [
        {name: canonical_value(value) for name, value in row.items()} for row in table.to_pylist()
    ]


def json_rows(text: str, types: Types) -> list[Row]:
    """Returns the rows of JSON lines; each must have exactly the columns that have a type."""
    return [_row(line, types) for line in text.splitlines() if line]


def feed_rows(text: str, types: Types, commit: str = "_commit_version") -> list[Row]:
    """Returns the rows of a change feed of a table that has columns of these types."""
    names = ("_change_type", commit, "_commit_timestamp")
    return json_rows(text, {**types, **{name: FEED_TYPES[name] for name in names}})


def _row(line: str, types: Types) -> Row:
    def fail(word: str) -> Any:
        raise AssertionError(f"{word} is no JSON: {line}")

    found = json.loads(line, parse_int=Number, parse_float=Number, parse_constant=fail)
    assert isinstance(found, dict), f"no object: {line}"
    assert found.keys() == types.keys(), f"columns {sorted(found)}, expected {sorted(types)}"
    row = {}
    for name, value in found.items():
        try:
            row[name] = canonical_value(_value(value, types[name]))
        except (AssertionError, ValueError) as error:
            raise AssertionError(f"{name}: {value!r} is no {types[name]}: {error}") from error
    return row


def _value(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if pa.types.is_boolean(kind):
        assert isinstance(value, bool)
        return value
    if pa.types.is_nested(kind):
        return _nested(value, kind)
    assert isinstance(value, str)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _number(value, kind)
    assert not isinstance(value, Number)
    if pa.types.is_date(kind):
        return date.fromisoformat(value)
    if pa.types.is_timestamp(kind):
        return _timestamp(value, kind)
    if pa.types.is_time(kind):
        assert TIME.fullmatch(value)
    if is_bytes(kind):
        return base64.b64decode(value, validate=True)
    return value


def is_bytes(kind: pa.DataType) -> bool:
    """Whether values of a type are bytes."""
    known = (
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_binary_view,
        pa.types.is_fixed_size_binary,
    )
    return any(is_kind(kind) for is_kind in known)


def _number(value: str, kind: pa.DataType) -> Any:
    if pa.types.is_floating(kind) and not isinstance(value, Number):
        assert value in NOT_FINITE
        return float(value)
    assert isinstance(value, Number)
    if pa.types.is_integer(kind):
        assert INTEGER.fullmatch(value)
        pa.scalar(int(value), kind)  # fails out of its range
        return int(value)
    if pa.types.is_decimal(kind):
        decimal = Decimal(value)
        assert decimal.as_tuple().exponent == -kind.scale, f"scale {kind.scale} is lost"
        return decimal
    number = float(value)
    assert math.isfinite(number)
    return struct.unpack("f", struct.pack("f", number))[0] if kind == pa.float32() else number


def _timestamp(value: str, kind: pa.DataType) -> datetime:
    if kind.tz is not None:
        assert value.endswith("Z"), "no zone"
        value = value[:-1]
    assert TIMESTAMP.fullmatch(value)
    return datetime.fromisoformat(value + "+00:00")


def _nested(value: Any, kind: pa.DataType) -> Any:
    if pa.types.is_map(kind):
        # Of keys that JSON cannot have as names, a list of entries.
        entries = value.items() if isinstance(value, dict) else _entries(value)
        return [(_key(key, kind.key_type), _value(item, kind.item_type)) for key, item in entries]
    if pa.types.is_struct(kind):
        assert isinstance(value, dict)
        assert value.keys() == {field.name for field in kind}
        return {field.name: _value(value[field.name], field.type) for field in kind}
    assert isinstance(value, list)
    return [_value(item, kind.value_type) for item in value]


def _entries(value: Any) -> Iterable[tuple[Any, Any]]:
    assert isinstance(value, list)
    return [(entry["key"], entry["value"]) for entry in value]


def _key(key: Any, kind: pa.DataType) -> Any:
    # The names of an object are text, also where they are numbers.
    is_number = pa.types.is_integer(kind) or pa.types.is_decimal(kind)
    return _value(Number(key) if is_number else key, kind)
