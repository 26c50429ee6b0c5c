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
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from .rows import Row, canonical_value

Types = dict[str, pa.DataType]
Reader = Callable[[Any], Any]

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
    names = table.column_names
    columns = [[canonical_value(value) for value in column.to_pylist()] for column in table.columns]
    rows = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
    return rows if columns else [{} for _ in range(table.num_rows)]


def json_rows(text: str, types: Types) -> list[Row]:
    """Returns the rows of JSON lines; each must have exactly the columns that have a type."""
    readers = {name: _reader(kind) for name, kind in types.items()}
    return [_row(line, types, readers) for line in text.splitlines() if line]


def feed_rows(text: str, types: Types, commit: str = "_commit_version") -> list[Row]:
    """Returns the rows of a change feed of a table that has columns of these types."""
    names = ("_change_type", commit, "_commit_timestamp")
    return json_rows(text, {**types, **{name: FEED_TYPES[name] for name in names}})


def _no_json(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_no_json)


def _row(line: str, types: Types, readers: dict[str, Reader]) -> Row:
    try:
        found = DECODER.decode(line)
    except ValueError as error:
        raise AssertionError(f"{line} is no JSON: {error}") from error
    assert isinstance(found, dict), f"no object: {line}"
    assert found.keys() == types.keys(), f"columns {sorted(found)}, expected {sorted(types)}"
    row = {}
    for name, value in found.items():
        try:
            row[name] = None if value is None else readers[name](value)
        except (AssertionError, ValueError) as error:
            raise AssertionError(f"{name}: {value!r} is no {types[name]}: {error}") from error
    return row


# One function for each type: asking for the type of each value would cost more than all else.


def _reader(kind: pa.DataType) -> Reader:
    """Returns what makes a value, canonical, of a JSON value that is not null."""
    if pa.types.is_boolean(kind):
        return _boolean
    if pa.types.is_nested(kind):
        return _nested_reader(kind)
    if pa.types.is_integer(kind):
        return _integer_reader(kind)
    if pa.types.is_decimal(kind):
        return _decimal_reader(kind)
    if pa.types.is_floating(kind):
        return _float_reader(kind)
    if pa.types.is_timestamp(kind):
        return _timestamp_reader(kind)
    if pa.types.is_date(kind):
        return lambda value: date.fromisoformat(_string(value))
    if pa.types.is_time(kind):
        return _time
    if is_bytes(kind):
        return lambda value: base64.b64decode(_string(value), validate=True)
    return _string


def is_bytes(kind: pa.DataType) -> bool:
    """Whether values of a type are bytes."""
    known = (
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_binary_view,
        pa.types.is_fixed_size_binary,
    )
    return any(is_kind(kind) for is_kind in known)


def _boolean(value: Any) -> bool:
    assert isinstance(value, bool), "not true or false"
    return value


def _string(value: Any) -> str:
    assert isinstance(value, str), "no string"
    assert not isinstance(value, Number), "a number"
    return value


def _number(value: Any) -> str:
    assert isinstance(value, Number), "no number"
    return value


def _time(value: Any) -> str:
    assert TIME.fullmatch(_string(value)), "no time"
    return str(value)


def _integer_reader(kind: pa.DataType) -> Reader:
    bits = kind.bit_width
    low, high = (
        (0, 2**bits)
        if pa.types.is_unsigned_integer(kind)
        else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    )

    def read(value: Any) -> int:
        assert INTEGER.fullmatch(_number(value)), "no integer"
        number = int(value)
        assert low <= number < high, "out of range"
        return number

    return read


def _decimal_reader(kind: pa.DataType) -> Reader:
    def read(value: Any) -> Decimal:
        number = Decimal(_number(value))
        assert number.as_tuple().exponent == -kind.scale, f"scale {kind.scale} is lost"
        return number

    return read


def _float_reader(kind: pa.DataType) -> Reader:
    def read(value: Any) -> float:
        if not isinstance(value, Number):
            assert value in NOT_FINITE, "no number"
            return float(value)
        number = float(value)
        assert math.isfinite(number), "out of range"
        if kind == pa.float32():
            return float(struct.unpack("f", struct.pack("f", number))[0])
        return number

    return read


def _timestamp_reader(kind: pa.DataType) -> Reader:
    zone = "Z" if kind.tz is not None else ""

    def read(value: Any) -> datetime:
        text = _string(value)
        assert text.endswith("Z") == bool(zone), "zone"
        assert TIMESTAMP.fullmatch(text.removesuffix("Z")), "no timestamp"
        return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)

    return read


def _or_null(kind: pa.DataType) -> Reader:
    reader = _reader(kind)
    return lambda value: None if value is None else reader(value)


def _nested_reader(kind: pa.DataType) -> Reader:
    if pa.types.is_map(kind):
        return _map_reader(kind)
    if pa.types.is_struct(kind):
        fields = {field.name: _or_null(field.type) for field in kind}

        def read_struct(value: Any) -> Any:
            assert isinstance(value, dict), "no object"
            assert value.keys() == fields.keys(), f"fields {sorted(fields)}"
            return {name: fields[name](item) for name, item in value.items()}

        return read_struct
    item_reader = _or_null(kind.value_type)

    def read_list(value: Any) -> Any:
        assert isinstance(value, list), "no array"
        return [item_reader(item) for item in value]

    return read_list


def _map_reader(kind: pa.DataType) -> Reader:
    keys, items = _reader(kind.key_type), _or_null(kind.item_type)
    # The names of an object are text, also where they are numbers.
    is_number = pa.types.is_integer(kind.key_type) or pa.types.is_decimal(kind.key_type)

    def read(value: Any) -> Any:
        if isinstance(value, dict):
            return [
                (keys(Number(key) if is_number else key), items(item))
                for key, item in value.items()
            ]
        assert isinstance(value, list), "no object or array of entries"
        return [(keys(entry["key"]), items(entry["value"])) for entry in value]

    return read
