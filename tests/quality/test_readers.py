"""The readers and comparisons that judge leat, proven on tables and servers that are not leat's."""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyroaring import BitMap

from tests.lib.delta import (
    deletion_vector,
    delta_cdf,
    delta_rows,
    delta_rows_duckdb,
    delta_snapshot,
    delta_version,
    feed_counts,
    replay_feed,
)
from tests.lib.leat import parse_metrics
from tests.lib.postgres import Database, Postgres
from tests.lib.rows import Row, assert_same_rows
from tests.lib.source import source_rows

# These have checkpoints, and still all their commits.
CHECKPOINTED = (
    "simple_table_with_checkpoint",
    "table_with_deletion_logs",
    "delta-0.2.0",
    "delta-1.2.1-only-struct-stats",
    "delta-checkpoint-stats-optional",
)

FOREIGN = (
    "table-with-dv-small",
    "table-without-dv-small",
    "cdf-table",
    "cdf-table-non-partitioned",
    "cdf-table-with-cdc-and-dvs",
    "simple_table",
    "delta-0.8.0",
    "delta-0.8.0-partitioned",
    *CHECKPOINTED,
)


@pytest.fixture
def foreign(corpora: Path) -> Path:
    return corpora / "delta" / "delta-rs"


@pytest.mark.parametrize("name", FOREIGN)
def test_both_readers_agree_on_a_foreign_table(foreign: Path, name: str) -> None:
    assert_same_rows(delta_rows(foreign / name), delta_rows_duckdb(foreign / name))


def test_a_deletion_vector_hides_its_rows(foreign: Path) -> None:
    rows = delta_rows_duckdb(foreign / "table-with-dv-small")
    assert sorted(row["value"] for row in rows) == [1, 2, 3, 4, 5, 6, 7, 8]
    before = delta_rows_duckdb(foreign / "table-with-dv-small", version=0)
    assert len(before) == 10


@pytest.mark.parametrize("name", CHECKPOINTED)
def test_checkpoint_and_commits_say_the_same(foreign: Path, name: str) -> None:
    path = foreign / name
    with_checkpoint = delta_snapshot(path)
    without = delta_snapshot(path, use_checkpoint=False)
    assert with_checkpoint.files.keys() == without.files.keys()
    assert with_checkpoint.version == without.version == delta_version(path)


def test_a_foreign_feed_replays_into_each_version_of_its_table(foreign: Path) -> None:
    path = foreign / "cdf-table-with-cdc-and-dvs"
    feed = delta_cdf(path)
    assert len(feed) == 43
    # Its keys are not unique, so the replay is by whole rows.
    held: Counter[str] = Counter()
    for version in range(delta_version(path) + 1):
        for row in feed:
            if row["_commit_version"] == version:
                sign = 1 if row["_change_type"] in ("insert", "update_postimage") else -1
                held[repr((row["id"], row["comment"]))] += sign
        rows = Counter(repr((r["id"], r["comment"])) for r in delta_rows_duckdb(path, version))
        assert +held == rows, f"version {version}"


def test_a_keyed_foreign_feed_replays_into_its_table(foreign: Path) -> None:
    path = foreign / "cdf-table"
    feed = delta_cdf(path)
    assert feed_counts(feed)["delete"] > 0
    assert_same_rows(replay_feed(feed, "id"), delta_rows(path), "id", ("feed", "table"))


def test_a_feed_can_be_read_from_a_version_to_a_version(foreign: Path) -> None:
    versions = {row["_commit_version"] for row in delta_cdf(foreign / "cdf-table", 1, 2)}
    assert versions == {1, 2}


def change(kind: str, version: int, key: int, value: str) -> Row:
    return {"id": key, "v": value, "_change_type": kind, "_commit_version": version}


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        ([change("insert", 0, 1, "a"), change("insert", 1, 1, "a")], "insert of present key"),
        ([change("delete", 0, 1, "a")], "delete of absent key"),
        ([change("update_postimage", 0, 1, "a")], "half an update"),
        ([change("insert", 0, 1, "a"), change("delete", 1, 1, "b")], "not the row held"),
        ([change("insert", 0, 1, "a"), change("insert", 0, 1, "a")], "insert of present key"),
        (
            [change("update_preimage", 0, 1, "a"), change("update_postimage", 0, 1, "b")],
            "update_preimage of absent key",
        ),
    ],
)
def test_a_wrong_feed_is_refused(feed: list[Row], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        replay_feed(feed, "id")


def test_a_key_that_moves_within_a_version_replays() -> None:
    feed = [
        change("insert", 0, 1, "a"),
        change("insert", 1, 2, "a"),
        change("delete", 1, 1, "a"),
        change("update_preimage", 2, 2, "a"),
        change("update_postimage", 2, 2, "b"),
    ]
    assert replay_feed(feed, "id") == [{"id": 2, "v": "b"}]


def test_the_comparison_names_what_differs() -> None:
    a: list[Row] = [{"id": 1, "v": "a"}, {"id": 2, "v": "b"}, {"id": 3, "v": "c"}]
    b: list[Row] = [{"id": 1, "v": "a"}, {"id": 2, "v": "B"}, {"id": 4, "v": "d"}]
    with pytest.raises(AssertionError) as caught:
        assert_same_rows(a, b, "id")
    text = str(caught.value)
    assert "1 only in source, 1 only in lake, 1 differ" in text
    assert "v: 'b' | 'B'" in text
    with pytest.raises(AssertionError, match="1 more in source: id=2"):
        assert_same_rows(a, b)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (1, True, False),
        (1, "1", False),
        (Decimal("1.50"), Decimal("1.5"), True),
        (Decimal(1), 1, False),
        (float("nan"), float("nan"), True),
        (0.0, -0.0, False),
        (None, 0, False),
        (None, None, True),
        (datetime(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC), True),
    ],
)
def test_values_are_compared_strictly(a: Any, b: Any, same: bool) -> None:
    if same:
        assert_same_rows([{"id": 1, "v": a}], [{"id": 1, "v": b}], "id")
    else:
        with pytest.raises(AssertionError):
            assert_same_rows([{"id": 1, "v": a}], [{"id": 1, "v": b}], "id")


def test_the_last_digit_of_the_widest_decimal_counts_without_a_key() -> None:
    a, b = Decimal("9" * 38), Decimal("9" * 37 + "8")
    with pytest.raises(AssertionError, match="more in source"):
        assert_same_rows([{"v": a}], [{"v": b}])
    with pytest.raises(AssertionError, match="more in source"):
        assert_same_rows([{"v": [{"d": a}]}], [{"v": [{"d": b}]}])
    assert_same_rows([{"v": [Decimal("1.50")]}], [{"v": [Decimal("1.5")]}])


def test_a_key_that_is_there_twice_is_never_equal() -> None:
    with pytest.raises(AssertionError, match="twice"):
        assert_same_rows([{"id": 1}, {"id": 1}], [{"id": 1}], "id")


def test_source_rows_come_in_the_form_of_lake_rows(database: Database, tmp_path: Path) -> None:
    database.execute("""CREATE TABLE public."All" (id int PRIMARY KEY, b bool, r float4, d float8,
           n numeric(38, 10), t text, y bytea, da date, ti time, ts timestamp, tz timestamptz,
           u uuid, j jsonb, a int[])""")
    database.execute("""INSERT INTO public."All" VALUES (1, true, 0.1, 0.1,
           1234567890123456789012345678.0123456789, 'x', '\\x00ff', '2024-02-29', '12:34:56.5',
           '2024-02-29 12:34:56.123456', '2024-02-29 12:34:56.123456+02',
           'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"b": 1, "a": [1.50]}', '{1,NULL,3}')""")
    rows = source_rows(database.connection, 'public."All"')
    assert rows == [
        {
            "id": 1,
            "b": True,
            "r": struct.unpack("f", struct.pack("f", 0.1))[0],
            "d": 0.1,
            "n": Decimal("1234567890123456789012345678.0123456789"),
            "t": "x",
            "y": b"\x00\xff",
            "da": date(2024, 2, 29),
            "ti": "12:34:56.5",
            "ts": datetime(2024, 2, 29, 12, 34, 56, 123456, tzinfo=UTC),
            "tz": datetime(2024, 2, 29, 10, 34, 56, 123456, tzinfo=UTC),
            "u": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "j": '{"a": [1.50], "b": 1}',
            "a": "{1,NULL,3}",
        }
    ]
    types = {
        "id": pa.int32(), "b": pa.bool_(), "r": pa.float32(), "d": pa.float64(),
        "n": pa.decimal128(38, 10), "t": pa.string(), "y": pa.binary(), "da": pa.date32(),
        "ti": pa.string(), "ts": pa.timestamp("us", "UTC"), "tz": pa.timestamp("us", "UTC"),
        "u": pa.string(), "j": pa.string(), "a": pa.string(),
    }  # fmt: skip
    table = pa.Table.from_pylist(rows, pa.schema(list(types.items())))
    write_deltalake(str(tmp_path / "t"), table)
    assert_same_rows(rows, delta_rows(tmp_path / "t"), "id")
    assert_same_rows(rows, delta_rows_duckdb(tmp_path / "t"), "id")


def test_the_readers_follow_an_added_column_and_a_partition(tmp_path: Path) -> None:
    path = str(tmp_path / "t")
    write_deltalake(path, pa.table({"id": [1, 2], "p": ["a b", None]}), partition_by=["p"])
    more = pa.table({"id": [3], "p": ["c/d"], "x": [1.5]})
    write_deltalake(path, more, mode="append", schema_mode="merge")
    DeltaTable(path).create_checkpoint()
    write_deltalake(path, pa.table({"id": [4], "p": ["=%"], "x": [None]}), mode="append")
    rows = delta_rows_duckdb(path)
    assert_same_rows(delta_rows(path), rows, "id", ("deltalake", "duckdb"))
    assert delta_snapshot(path).partition_columns == ["p"]


def vector_file(path: Path, rows: list[int]) -> dict[str, Any]:
    buckets: dict[int, list[int]] = {}
    for row in rows:
        buckets.setdefault(row >> 32, []).append(row & 0xFFFFFFFF)
    data = struct.pack("<iq", 1681511377, len(buckets))
    for high, lows in buckets.items():
        data += struct.pack("<I", high) + BitMap(lows).serialize()
    content = b"\x01" + struct.pack(">i", len(data)) + data + struct.pack(">I", zlib.crc32(data))
    path.write_bytes(content)
    return {
        "storageType": "p",
        "pathOrInlineDv": str(path),
        "offset": 1,
        "sizeInBytes": len(data),
        "cardinality": len(rows),
    }


def test_a_large_deletion_vector_is_decoded(tmp_path: Path) -> None:
    rows = [*range(0, 200_000, 3), *range(300_000, 400_000), (1 << 32) + 7]
    vector = vector_file(tmp_path / "v.bin", rows)
    assert deletion_vector(tmp_path, vector) == rows


@pytest.mark.parametrize(("at", "message"), [(30, "checksum"), (0, "version")])
def test_a_damaged_deletion_vector_is_refused(tmp_path: Path, at: int, message: str) -> None:
    vector = vector_file(tmp_path / "v.bin", [1, 2, 3])
    data = bytearray((tmp_path / "v.bin").read_bytes())
    data[at] ^= 0x40
    (tmp_path / "v.bin").write_bytes(data)
    with pytest.raises(AssertionError, match=message):
        deletion_vector(tmp_path, vector)


def test_a_gap_in_the_log_is_noticed(foreign: Path, tmp_path: Path) -> None:
    path = tmp_path / "t"
    shutil.copytree(foreign / "cdf-table", path, copy_function=shutil.copyfile)
    (path / "_delta_log").chmod(0o755)
    (path / "_delta_log" / f"{1:020}.json").unlink()
    with pytest.raises(AssertionError, match="version 1 is missing"):
        delta_snapshot(path)


def test_a_wrong_row_count_in_the_log_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "t"
    write_deltalake(str(path), pa.table({"id": [1, 2, 3]}))
    commit = path / "_delta_log" / f"{0:020}.json"
    commit.write_text(commit.read_text().replace('\\"numRecords\\":3', '\\"numRecords\\":4'))
    assert json.loads(commit.read_text().splitlines()[0])
    with pytest.raises(AssertionError, match="3 rows, log says"):
        delta_rows_duckdb(path)


def test_metrics_are_parsed() -> None:
    text = '# HELP leat_rows_total Rows.\nleat_rows_total{table="a b"} 3\nup 1\n'
    assert parse_metrics(text) == {'leat_rows_total{table="a b"}': 3.0, "up": 1.0}


@pytest.mark.parametrize("mode", ["fast", "immediate", "kill"])
def test_the_private_server_restarts_on_its_port(mode: str) -> None:
    with Postgres() as server:
        name = server.create_database()
        port = server.port
        server.stop(mode)
        server.start()
        with server.connect(name) as connection:
            assert connection.execute("SHOW wal_level").fetchone() == ("logical",)
            assert connection.execute("SHOW port").fetchone() == (str(port),)
        assert str(port) in server.url(name)
    assert not server.root.exists()


def test_a_database_goes_with_its_slots(postgres: Postgres) -> None:
    fresh = Database(postgres)
    fresh.execute("SELECT pg_create_logical_replication_slot('left_over', 'pgoutput')")
    fresh.close()
    with postgres.connect() as connection:
        left = connection.execute(
            "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'left_over'"
        ).fetchone()
    assert left == (0,)
