"""Rows in one canonical form, and their comparison.

A row is a dict of column -> Python value: bool, int, float, str, bytes, Decimal, date, and
datetime with the zone UTC. A `timestamp` without zone counts as UTC. Lists and structs of the lake
are lists and dicts, maps are lists of pairs. Everything else (uuid, json, time) is text. A float4
is the float that has exactly its value.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from decimal import Context, Decimal
from typing import Any
from uuid import UUID

Row = dict[str, Any]

SHOWN = 10

# Wider than any decimal of a table: the default context would round the widest.
EXACT = Context(prec=100)


def canonical_value(value: Any) -> Any:
    """Returns a value in canonical form."""
    if isinstance(value, (str, int, float, bytes)):  # most are, and a large table has many
        return value
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, time):
        text = value.isoformat()
        return text.rstrip("0") if "." in text else text
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list):
        return [canonical_value(item) for item in value]
    if isinstance(value, tuple):
        return tuple(canonical_value(item) for item in value)
    if isinstance(value, dict):
        return {name: canonical_value(item) for name, item in value.items()}
    return value


def canonical_rows(rows: Iterable[Row]) -> list[Row]:
    """Returns rows in canonical form."""
    return [{name: canonical_value(value) for name, value in row.items()} for row in rows]


def is_same(a: Any, b: Any) -> bool:
    """Whether two values are the same: also of the same kind, and NaN is NaN, and -0.0 is not 0."""
    if a is None or b is None:
        return a is b
    if isinstance(a, bool) != isinstance(b, bool) or isinstance(a, str) != isinstance(b, str):
        return False
    if isinstance(a, float) and isinstance(b, float):
        if math.isnan(a) or math.isnan(b):
            return math.isnan(a) and math.isnan(b)
        return a == b and math.copysign(1.0, a) == math.copysign(1.0, b)
    if isinstance(a, Decimal) and isinstance(b, Decimal) and a.is_nan():
        return b.is_nan()
    if isinstance(a, Decimal) != isinstance(b, Decimal):
        return False
    return bool(a == b)


def key_of(row: Row, key: Sequence[str]) -> tuple[Any, ...]:
    """Returns the values of a row's key columns."""
    return tuple(row[name] for name in key)


def by_key(rows: Iterable[Row], key: Sequence[str], what: str = "rows") -> dict[Any, Row]:
    """Returns rows by key; a key that is there twice is an error."""
    found: dict[Any, Row] = {}
    for row in rows:
        place = key_of(row, key)
        if place in found:
            raise AssertionError(f"{what}: key {place} twice:\n  {found[place]}\n  {row}")
        found[place] = row
    return found


def differences(a: Row, b: Row) -> list[str]:
    """Returns one line per column in which two rows differ."""
    lines = []
    for name in [*a, *(name for name in b if name not in a)]:
        if name not in a:
            lines.append(f"{name}: (no column) | {b[name]!r}")
        elif name not in b:
            lines.append(f"{name}: {a[name]!r} | (no column)")
        elif not is_same(a[name], b[name]):
            lines.append(f"{name}: {a[name]!r} | {b[name]!r}")
    return lines


def assert_same_rows(
    a: Iterable[Row],
    b: Iterable[Row],
    key: Sequence[str] | str | None = None,
    names: tuple[str, str] = ("source", "lake"),
) -> None:
    """Fails with a readable difference unless both hold the same rows, in any order.

    Without a key (tables that have none) rows are compared as a multiset of whole rows.
    """
    left, right = canonical_rows(a), canonical_rows(b)
    if key is None:
        _assert_same_multiset(left, right, names)
        return
    columns = [key] if isinstance(key, str) else list(key)
    lefts, rights = by_key(left, columns, names[0]), by_key(right, columns, names[1])
    only_left = [k for k in lefts if k not in rights]
    only_right = [k for k in rights if k not in lefts]
    changed = []
    for place, row in lefts.items():
        if place in rights:
            lines = differences(row, rights[place])
            if lines:
                changed.append((place, lines))
    if not (only_left or only_right or changed):
        return
    report = [
        f"{names[0]} has {len(lefts)} rows, {names[1]} has {len(rights)}; "
        f"{len(only_left)} only in {names[0]}, {len(only_right)} only in {names[1]}, "
        f"{len(changed)} differ"
    ]
    for title, places, rows in (
        (names[0], only_left, lefts),
        (names[1], only_right, rights),
    ):
        report += [f"  only in {title}: {rows[place]}" for place in places[:SHOWN]]
    for place, lines in changed[:SHOWN]:
        report.append(f"  {place} ({names[0]} | {names[1]}):")
        report += [f"    {line}" for line in lines]
    raise AssertionError("\n".join(report))


def _assert_same_multiset(left: list[Row], right: list[Row], names: tuple[str, str]) -> None:
    counts = as_multiset(left)
    counts.subtract(as_multiset(right))
    more = {text: count for text, count in counts.items() if count}
    if not more:
        return
    report = [f"{names[0]} has {len(left)} rows, {names[1]} has {len(right)}"]
    for text, count in list(more.items())[: 2 * SHOWN]:
        report.append(f"  {abs(count)} more in {names[0] if count > 0 else names[1]}: {text}")
    raise AssertionError("\n".join(report))


def as_multiset(rows: Iterable[Row]) -> Counter[str]:
    """Returns how often each row is there, in canonical form and as text."""
    return Counter(row_text(row) for row in rows)


def row_text(row: Row) -> str:
    """Returns a row as text that is the same for the same values only, in any order of columns."""
    return ", ".join(f"{name}={_value_text(canonical_value(row[name]))}" for name in sorted(row))


def _value_text(value: Any) -> str:
    if isinstance(value, (str, int, float, bytes)):
        return repr(value)
    if isinstance(value, Decimal) and value.is_finite():
        # An integer of as many digits is another kind of value.
        return f"Decimal({value.normalize(EXACT)})"
    if isinstance(value, list):
        return f"[{', '.join(map(_value_text, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(_value_text, value))})"
    if isinstance(value, dict):
        return f"{{{row_text(value)}}}"
    return repr(value)
