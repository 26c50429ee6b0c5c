"""Random values of the types that MySQL and MariaDB share, extremes among them."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

Generator = Callable[[Random], Any]

EXTREME = 0.2  # so many of the values
NULL = 0.15  # so many of the values of a column that may be null

COLOURS = ("red", "grün", "it's", "with space", "5")
PARTS = ("a", "b", "déjà", "wheel 3", "\\")

WORDS = ("alpha", "naïve", "Straße", "東京", "🚲", "O'Brien", 'say "hi"', "back\\slash", "50 % off")
SPECIAL = ("", " ", "\t", "a\nb", "\r\n", "NULL", "\\N", "\0", "x\0y", "''", "﻿bom", "é" * 20)
LATIN = ("naïve", "coût", "€ 5", "Größe", "ÿ", "œuvre", "plain", "'", "")


def some(extremes: Sequence[Any], ordinary: Generator) -> Generator:
    """A generator of ordinary values and now and then one of the extremes."""

    def generate(random: Random) -> Any:
        return random.choice(extremes) if random.random() < EXTREME else ordinary(random)

    return generate


def integers(low: int, high: int) -> Generator:
    """Integers of a range."""
    return some((low, high, 0, 1), lambda random: random.randint(low, high))


def decimals(precision: int, scale: int) -> Generator:
    """Decimals that fill their declaration."""
    top = 10**precision - 1

    def exact(number: int) -> Decimal:
        sign, digits = (1 if number < 0 else 0), tuple(int(digit) for digit in str(abs(number)))
        return Decimal((sign, digits, -scale))

    return some(
        (exact(top), exact(-top), exact(0), exact(1), exact(-1)),
        lambda random: exact(random.randint(-top, top) // 10 ** random.randrange(precision)),
    )


def single(value: float) -> float:
    """Rounds to what a float of four bytes holds."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


def floats(random: Random) -> float:
    """Floats of four bytes, spread over their exponents."""
    return single(random.uniform(-1, 1) * 10.0 ** random.randint(-30, 30))


def doubles(random: Random) -> float:
    """Floats of eight bytes, spread over their exponents."""
    return random.uniform(-1, 1) * 10.0 ** random.randint(-300, 300)


def moments(first: datetime, last: datetime, digits: int) -> Generator:
    """Times between two, both possible, of so many digits of a second."""
    step = 10 ** (6 - digits)
    span = (last - first) // timedelta(microseconds=step)
    return some(
        (first, last, datetime(2000, 2, 29, 23, 59, 59)),
        lambda random: first + timedelta(microseconds=step * random.randint(0, span)),
    )


def clocks(digits: int) -> Generator:
    """Times of a day of so many digits of a second."""
    step = 10 ** (6 - digits)
    last = 86400 * 10**6 - step
    return some(
        (timedelta(0), timedelta(microseconds=last)),
        lambda random: timedelta(microseconds=random.randrange(0, last + 1, step)),
    )


def spans(random: Random) -> str:
    """All that a time(6) takes, none of a day too, as text."""
    if random.random() < EXTREME:
        return random.choice(("-838:59:59.000000", "838:59:59.000000", "-00:00:00.000001"))
    sign = random.choice(("", "-"))
    hours, rest = random.randrange(838), random.randrange(3600 * 10**6)
    minutes, rest = divmod(rest, 60 * 10**6)
    return f"{sign}{hours:02}:{minutes:02}:{rest / 10**6:09.6f}"


def text(longest: int) -> Generator:
    """Text of words, spaces and special characters, of at most so many characters."""

    def generate(random: Random) -> str:
        words = random.choices(WORDS, k=1 + random.randrange(1 + longest // 8))
        return " ".join(words)[:longest]

    return some(tuple(one for one in SPECIAL if len(one) <= longest), generate)


def long_text(random: Random) -> str:
    """Mostly short text, rarely some hundred kilobytes that do not compress well."""
    if random.random() > 0.03:
        return str(text(60)(random))
    return "".join(f"{random.random():.9f}☃" for _ in range(random.randrange(1000, 20000)))


def latin(random: Random) -> str:
    """Text that latin1 has."""
    return " ".join(random.choices(LATIN, k=random.randrange(4)))[:40]


def raw(longest: int) -> Generator:
    """Bytes, often with zero bytes at their ends."""
    return some(
        (b"", b"\0" * longest, b"\xff" * longest, b"a\0", b"\0a"),
        lambda random: random.randbytes(random.randrange(longest + 1)),
    )


def labels(random: Random) -> str:
    """A subset of the parts, in their order."""
    return ",".join(part for part in PARTS if random.random() < 0.4)


def documents(random: Random) -> str:
    """JSON documents; numbers, texts and nesting of all kinds."""
    return json.dumps(_document(random, 0), ensure_ascii=random.random() < 0.5)


def _document(random: Random, depth: int) -> Any:
    kind = random.randrange(9 if depth < 3 else 7)
    if kind == 7 or depth == 0:
        names = random.sample(("n", "name", "b", "longer key", "schlüssel", "x'y"), 3)
        return {name: _document(random, depth + 1) for name in names}
    if kind == 8:
        return [_document(random, depth + 1) for _ in range(random.randrange(4))]
    return random.choice(
        (
            None,
            True,
            False,
            random.randint(-(2**63), 2**64 - 1),
            random.randrange(100),
            round(random.uniform(-1000, 1000), 6),
            text(30)(random),
        )
    )


def quoted(values: Sequence[str]) -> str:
    """Labels as a declaration has them."""
    escaped = (value.replace("\\", "\\\\").replace("'", "''") for value in values)
    return ", ".join(f"'{value}'" for value in escaped)


# Every type by a name of ours: its declaration, and what makes values of it.
TYPES: dict[str, tuple[str, Generator]] = {
    "tiny": ("tinyint", integers(-(2**7), 2**7 - 1)),
    "tiny_u": ("tinyint unsigned", integers(0, 2**8 - 1)),
    "small": ("smallint", integers(-(2**15), 2**15 - 1)),
    "small_u": ("smallint unsigned", integers(0, 2**16 - 1)),
    "medium": ("mediumint", integers(-(2**23), 2**23 - 1)),
    "medium_u": ("mediumint unsigned", integers(0, 2**24 - 1)),
    "number": ("int", integers(-(2**31), 2**31 - 1)),
    "number_u": ("int unsigned", integers(0, 2**32 - 1)),
    "big": ("bigint", integers(-(2**63), 2**63 - 1)),
    "big_u": ("bigint unsigned", integers(0, 2**64 - 1)),
    "price": ("decimal(10,2)", decimals(10, 2)),
    "exact": ("decimal(38,10)", decimals(38, 10)),
    "ratio": ("float", some((0.0, 3.4028234663852886e38, single(1.2e-38)), floats)),
    "score": ("double", some((0.0, -1.0, math.pi, 1.7976931348623157e308, 2.3e-308), doubles)),
    "flag": ("bit(1)", integers(0, 1)),
    "bits": ("bit(13)", integers(0, 2**13 - 1)),
    "mask": ("bit(64)", integers(0, 2**64 - 1)),
    "day": (
        "date",
        some(
            (date(1000, 1, 1), date(9999, 12, 31), date(2000, 2, 29)),
            lambda random: date(1900, 1, 1) + timedelta(days=random.randrange(73000)),
        ),
    ),
    "clock": ("time", clocks(0)),
    "clock_6": ("time(6)", clocks(6)),
    "at": ("datetime", moments(datetime(1000, 1, 1), datetime(9999, 12, 31, 23, 59, 59), 0)),
    "at_6": (
        "datetime(6)",
        moments(datetime(1000, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999), 6),
    ),
    "stamp": (
        "timestamp",
        moments(datetime(1970, 1, 1, 0, 0, 1), datetime(2038, 1, 19, 3, 14, 7), 0),
    ),
    "stamp_3": (
        "timestamp(3)",
        moments(datetime(1970, 1, 1, 0, 0, 1), datetime(2038, 1, 19, 3, 14, 7), 3),
    ),
    "born": ("year", some((1901, 2155), lambda random: random.randint(1901, 2155))),
    "code": ("char(12)", text(12)),
    "name": ("varchar(80)", text(80)),
    "note": ("text", text(300)),
    "story": ("mediumtext", long_text),
    "old": ("varchar(40) CHARACTER SET latin1", latin),
    "old_text": ("text CHARACTER SET latin1", latin),
    "fixed": ("binary(9)", raw(9)),
    "raw": ("varbinary(30)", raw(30)),
    "file": ("blob", raw(400)),
    "colour": (f"enum({quoted(COLOURS)})", lambda random: random.choice(COLOURS)),
    "parts": (f"set({quoted(PARTS)})", labels),
    "doc": ("json", documents),
    # These have no type of their own in a lake: they go through as text.
    "span": ("time(6)", spans),
    "huge": ("decimal(65,30)", decimals(65, 30)),
}
AS_TEXT = ("span", "huge")


def declaration(kind: str) -> str:
    """A type as it stands in CREATE TABLE, nullable."""
    return f"{TYPES[kind][0]} NULL"


def value(kind: str, random: Random) -> Any:
    """A value of a nullable column of that type."""
    return None if random.random() < NULL else TYPES[kind][1](random)
