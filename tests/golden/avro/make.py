"""Makes the files of this directory, and those of the fuzzer.

    python tests/golden/avro/make.py

It needs fastavro 1.13, and cramjam and backports.zstd for its codecs. All files hold the same
records, more or fewer; test_avro.c says what is in them.
"""

from __future__ import annotations

from pathlib import Path

import fastavro

PAIR = {
    "type": "record",
    "name": "k117_v118",
    "fields": [
        {"name": "key", "type": "int", "field-id": 117},
        {"name": "value", "type": "long", "field-id": 118},
    ],
}
SCHEMA = {
    "type": "record",
    "name": "every",
    "namespace": "a.b",
    "fields": [
        {"name": "flag", "type": "boolean", "field-id": 1},
        {"name": "small", "type": "int", "field-id": 2},
        {"name": "large", "type": ["null", "long"], "default": None, "field-id": 3},
        {"name": "single", "type": "float", "field-id": 4},
        {"name": "double", "type": "double", "field-id": 5},
        {"name": "text", "type": ["null", "string"], "default": None, "field-id": 6},
        {"name": "blob", "type": "bytes", "field-id": 7},
        {"name": "four", "type": {"type": "fixed", "name": "four", "size": 4}, "field-id": 8},
        {"name": "again", "type": "a.b.four", "field-id": 9},
        {
            "name": "colour",
            "type": {"type": "enum", "name": "colour", "symbols": ["red", "green"]},
            "field-id": 10,
        },
        {
            "name": "longs",
            "type": {"type": "array", "items": "long", "element-id": 133},
            "field-id": 11,
        },
        {
            "name": "pairs",
            "type": ["null", {"type": "array", "items": PAIR, "logicalType": "map"}],
            "default": None,
            "field-id": 12,
        },
        {
            "name": "more_pairs",
            "type": {"type": "array", "items": "k117_v118", "logicalType": "map"},
            "field-id": 13,
        },
        {"name": "words", "type": {"type": "map", "values": "string"}, "field-id": 14},
        {"name": "rest", "type": ["null", "every"], "default": None, "field-id": 15},
        {"name": "nameless", "type": "null"},
    ],
}


def record(i: int) -> dict[str, object]:
    """Returns record number i."""
    odd = i % 2 == 1
    return {
        "flag": odd,
        "small": -i,
        "large": None if odd else i * 10**15,
        "single": i / 2,
        "double": i / 4,
        "text": f"text number {i} " + "ab" * (i % 40) if odd else None,
        "blob": bytes([i % 256, 0, 255]),
        "four": b"abcd",
        "again": b"\x00\x01\x02\x03",
        "colour": "green" if odd else "red",
        "longs": list(range(i % 5)),
        "pairs": None if odd else [{"key": 1, "value": i}, {"key": 2, "value": -1}],
        "more_pairs": [],
        "words": {"k": f"v{i}"},
        "rest": record(i - 1) if odd else None,
        "nameless": None,
    }


def write(directory: Path, count: int) -> None:
    """Writes a file of `count` records for each codec."""
    schema = fastavro.parse_schema(SCHEMA)
    for codec in ("null", "deflate", "snappy", "zstandard"):
        with (directory / f"{codec}.avro").open("wb") as file:
            fastavro.writer(
                file,
                schema,
                [record(i) for i in range(count)],
                codec=codec,
                sync_interval=8000,
                metadata={"partition-spec-id": "7"},
            )


HERE = Path(__file__).resolve().parent
write(HERE, 200)
write(HERE.parent.parent / "fuzz" / "corpus" / "avro", 3)
