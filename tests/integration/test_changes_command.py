"""`leat changes` and `leat history` over Delta tables that the `deltalake` package wrote."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from deltalake import DeltaTable, write_deltalake

from tests.lib.delta import delta_cdf, delta_rows
from tests.lib.leat import Leat
from tests.lib.rows import Row, canonical_rows
from tests.lib.wait import wait_until

META = ("_change_type", "_commit_version", "_commit_timestamp")
AN_HOUR = timedelta(hours=1)
Change = dict[str, Any]


# Tables.


def _rows(ids: range) -> pa.Table:
    start = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "name": [None if i % 7 == 3 else f"a name that is long enough, {i}" for i in ids],
            "amount": pa.array([Decimal(i) / 4 for i in ids], pa.decimal128(12, 2)),
            "ratio": [i / 3 for i in ids],
            "open": [i % 2 == 0 for i in ids],
            "day": [date(2026, 1, 1) + timedelta(days=i % 300) for i in ids],
            "at": pa.array([start + timedelta(hours=i) for i in ids], pa.timestamp("us", "UTC")),
            "data": [bytes([i % 256]) * (i % 20) for i in ids],
        }
    )


def _create(path: Path, rows: pa.Table | None = None) -> DeltaTable:
    feed = {"delta.enableChangeDataFeed": "true"}
    write_deltalake(str(path), rows or _rows(range(10)), configuration=feed)
    return DeltaTable(str(path))


@pytest.fixture
def table(leat: Leat) -> Path:
    """Versions: 0 inserts ten rows, 1 updates two, 2 deletes one, 3 inserts five."""
    path = leat.dir / "orders"
    delta = _create(path)
    delta.update(predicate="id in (2, 4)", updates={"name": "'changed'"})
    delta.delete("id = 5")
    write_deltalake(str(path), _rows(range(10, 15)), mode="append")
    return path


def _commit(path: Path, ids: range) -> None:
    write_deltalake(str(path), _rows(ids), mode="append")


# What is printed.


def _changes(leat: Leat, *args: str) -> list[Change]:
    return leat.run_json("changes", *args, "--format", "json")


def _key(change: Change) -> tuple[int, int, str]:
    return (int(change["_commit_version"]), int(change["id"]), str(change["_change_type"]))


def _summary(changes: list[Change]) -> list[tuple[int, int, str]]:
    return sorted(_key(change) for change in changes)


def _versions(changes: list[Change]) -> set[int]:
    return {int(change["_commit_version"]) for change in changes}


def _failure(leat: Leat, code: int, *args: str) -> str:
    done = leat.run(*args)
    assert done.returncode == code, done.stderr
    return done.stderr


def _comparable(rows: list[Row]) -> list[Row]:
    """Sorts rows. Readers take a commit's time from its file or from its commitInfo."""
    for row in rows:
        assert abs(datetime.now(UTC) - row.pop("_commit_timestamp").replace(tzinfo=UTC)) < AN_HOUR
    return sorted(rows, key=_key)


def _feed(path: Path, start: int = 0, end: int | None = None) -> list[Row]:
    return _comparable(delta_cdf(path, start, end))


def _as_feed(found: pa.Table) -> list[Row]:
    return _comparable(canonical_rows(found.to_pylist()))


def _arrow(leat: Leat, *args: str) -> pa.Table:
    done = subprocess.run(
        leat.command("changes", *args, "--format", "arrow"),
        stdout=subprocess.PIPE,
        cwd=leat.dir,
        check=True,
    )
    with pa.ipc.open_stream(done.stdout) as stream:
        found = stream.read_all()
    found.validate(full=True)
    return found


# Forms.


def test_every_form_holds_what_a_foreign_reader_sees(leat: Leat, table: Path) -> None:
    feed = _feed(table)
    assert len(feed) == 10 + 4 + 1 + 5
    assert _as_feed(_arrow(leat, str(table))) == feed

    parquet = leat.dir / "changes.parquet"
    assert leat.run("changes", str(table), "--output", str(parquet)).returncode == 0
    assert _as_feed(pq.read_table(parquet)) == feed

    lines = _changes(leat, str(table))
    assert _summary(lines) == [_key(row) for row in feed]
    done = leat.run("changes", str(table), "--format", "csv")
    records = list(csv.DictReader(io.StringIO(done.stdout)))
    assert sorted(_key(record) for record in records) == _summary(lines)
    done = leat.run("changes", str(table), "--format", "table")
    assert len(done.stdout.splitlines()) == 2 + len(feed)


def test_no_rows_are_still_a_whole_result(leat: Leat, table: Path) -> None:
    nothing = ("changes", str(table), "--where", "id > 1000")
    assert _arrow(leat, *nothing[1:]).num_rows == 0
    names = _arrow(leat, str(table)).column_names
    done = leat.run(*nothing, "--format", "csv")
    assert done.stdout == ",".join(names) + "\n"  # CRLF, as read here
    assert leat.run(*nothing, "-o", "none.parquet").returncode == 0
    assert pq.read_table(leat.dir / "none.parquet").column_names == names
    later = ("changes", str(table), "--since", "2100-01-01", "--format")
    assert leat.run(*later, "csv").stdout == done.stdout
    assert leat.run(*later, "json").stdout == ""


def test_a_large_result_has_several_row_groups_and_batches(leat: Leat) -> None:
    ids = pa.array(range(150_000), pa.int64())
    path = leat.dir / "large"
    _create(path, pa.table({"id": ids}))
    assert leat.run("changes", str(path), "--output", "large.parquet").returncode == 0
    parquet = pq.ParquetFile(leat.dir / "large.parquet")
    assert parquet.metadata.num_row_groups > 1
    assert parquet.read()["id"].combine_chunks().sort() == ids
    found = _arrow(leat, str(path))["id"]
    assert found.num_chunks > 1
    assert found.combine_chunks().sort() == ids


# Files.


def test_a_file_is_replaced_when_it_is_complete(leat: Leat, table: Path) -> None:
    for name in ("out.json", "out.csv", "out.arrows", "out.parquet"):
        (leat.dir / name).write_text("old")
        refused = ("changes", str(table), "--where", "1 / (id - id) > 0 and no_such > 1")
        assert leat.run(*refused, "-o", name).returncode != 0
        assert (leat.dir / name).read_text() == "old"
        assert leat.run("changes", str(table), "-o", name).returncode == 0
        assert (leat.dir / name).read_bytes() != b"old"
    assert not [path for path in leat.dir.iterdir() if path.name.startswith(".")]


def test_a_link_stays_a_link_and_a_device_a_device(leat: Leat, table: Path) -> None:
    (leat.dir / "real.json").write_text("old")
    (leat.dir / "link.json").symlink_to("real.json")
    assert leat.run("changes", str(table), "-o", "link.json").returncode == 0
    assert (leat.dir / "link.json").is_symlink()
    assert len((leat.dir / "real.json").read_text().splitlines()) == 20
    assert "is not a file" in _failure(leat, 2, "changes", str(table), "-o", "/dev/null")
    assert Path("/dev/null").is_char_device()
    for name in ("no/such.json", "no/such.parquet"):
        said = _failure(leat, 2, "changes", str(table), "-o", name)
        assert said == f'leat: cannot create "{name}": No such file or directory\n'
    assert not (leat.dir / "no").exists()


def test_forms_that_do_not_fit_their_place_are_refused(leat: Leat, table: Path) -> None:
    said = _failure(leat, 2, "changes", str(table), "--format", "parquet")
    assert "--format parquet needs --output FILE" in said
    said = _failure(leat, 2, "changes", str(table), "--format", "xml")
    assert '--format "xml": table, json, csv, parquet, arrow or debezium' in said

    main, terminal = pty.openpty()
    done = subprocess.run(
        leat.command("changes", str(table), "--format", "arrow"),
        stdout=terminal,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(terminal)
    os.close(main)
    assert done.returncode == 2
    assert "--format arrow is not for a terminal" in done.stderr


@pytest.mark.parametrize("form", ["json", "csv", "table", "arrow", "debezium"])
def test_a_reader_that_went_away_is_a_failure(leat: Leat, table: Path, form: str) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        leat.command("changes", str(table), "--format", form),
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(theirs)
    assert done.returncode == 1
    assert done.stderr == "leat: cannot write to stdout: Broken pipe\n"


def test_a_closed_stdout_is_a_failure(leat: Leat, table: Path) -> None:
    command = " ".join(leat.command("changes", str(table), "--format", "json"))
    done = leat.shell(f"{command} >&-")
    assert done.returncode == 1
    assert done.stderr == "leat: cannot write to stdout: Bad file descriptor\n"


# Which changes.


def test_versions_are_inclusive(leat: Leat, table: Path) -> None:
    assert _versions(_changes(leat, str(table))) == {0, 1, 2, 3}
    assert _versions(_changes(leat, str(table), "--from", "2")) == {2, 3}
    assert _versions(_changes(leat, str(table), "--to", "1")) == {0, 1}
    assert _versions(_changes(leat, str(table), "--from", "1", "--to", "1")) == {1}
    assert "--from 2 comes after --to 1" in _failure(
        leat, 2, "changes", str(table), "--from", "2", "--to", "1"
    )
    said = _failure(leat, 2, "changes", str(table), "--from", "17")
    assert said.startswith("leat: --from: ")
    assert "17" in said
    assert "3" in said


def test_times_choose_versions(leat: Leat, table: Path) -> None:
    times = {int(v["version"]): v["time"] for v in leat.run_json("history", str(table))}
    since_two = _changes(leat, str(table), "--since", times[2])
    assert _versions(since_two) == {2, 3}
    assert _versions(_changes(leat, str(table), "--until", times[1])) == {0, 1}
    assert _versions(_changes(leat, str(table), "--since", times[1], "--until", times[1])) == {1}
    assert _versions(_changes(leat, str(table), "--since", "1h")) == {0, 1, 2, 3}
    assert _changes(leat, str(table), "--since", "2100-01-01") == []
    said = _failure(leat, 2, "changes", str(table), "--since", "yesterday")
    assert '--since "yesterday": a time such as 2026-11-21' in said
    assert "--until" in _failure(leat, 2, "changes", str(table), "--until", "2000-01-01")


def test_rows_and_columns_can_be_chosen(leat: Leat, table: Path) -> None:
    found = _changes(leat, str(table), "--columns", "name, id", "--type", "update")
    assert [tuple(row) for row in found] == [("name", "id", *META)] * 4
    assert _summary(found) == [
        (1, 2, "update_postimage"),
        (1, 2, "update_preimage"),
        (1, 4, "update_postimage"),
        (1, 4, "update_preimage"),
    ]
    found = _changes(leat, str(table), "--where", "id > 12 or _change_type = 'delete'")
    assert _summary(found) == [(2, 5, "delete"), (3, 13, "insert"), (3, 14, "insert")]
    assert len(_changes(leat, str(table), "--limit", "3")) == 3
    said = _failure(leat, 2, "changes", str(table), "--columns", "id,nmae")
    assert '--columns: the table has no column "nmae"' in said


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--from", "1", "--since", "1h"], "--from and --since do not go together"),
        (["--to", "1", "--until", "1h"], "--to and --until do not go together"),
        (["--stats", "--explain"], "--stats and --explain do not go together"),
        (["--exec", "cat", "-o", "x"], "--exec and --output do not go together"),
        (["--limit", "1", "--bookmark", "x"], "--limit and --bookmark do not go together"),
        (["--reset"], "--reset needs --bookmark"),
        (["--batch-rows", "5"], "--batch-rows needs --exec"),
        (["--bookmark", "../x"], '--bookmark "../x": at most 100 letters'),
        (["--exec", "cat", "--format", "csv"], '--format "csv": with --exec json or arrow'),
    ],
)
def test_options_that_do_not_fit_are_refused(
    leat: Leat, table: Path, words: list[str], problem: str
) -> None:
    said = _failure(leat, 2, "changes", str(table), *words)
    assert said.startswith(f"leat: {problem}")
    assert said.endswith("try 'leat help changes'\n")


# Summaries.


def test_stats_count_by_version_and_in_all(leat: Leat, table: Path) -> None:
    found = leat.run_json("changes", str(table), "--stats", "--format", "json")
    counts = [(v["version"], v["inserts"], v["updates"], v["deletes"]) for v in found]
    assert counts == [(0, 10, 0, 0), (1, 0, 2, 0), (2, 0, 0, 1), (3, 5, 0, 0), (None, 15, 2, 1)]
    assert found[-1]["operation"] == "total of 4 versions"
    assert all(v["files"] >= 1 and v["bytes"] > 0 for v in found)
    assert sum(v["files"] for v in found[:-1]) == found[-1]["files"]
    found = leat.run_json("changes", str(table), "--stats", "--format", "json", "--type", "delete")
    assert [found[-1][kind] for kind in ("inserts", "updates", "deletes")] == [0, 0, 1]


def test_explain_lists_the_files_that_are_opened(leat: Leat, table: Path) -> None:
    found = leat.run_json("changes", str(table), "--explain", "--format", "json")
    assert [file["version"] for file in found] == sorted(file["version"] for file in found)
    assert {file["version"] for file in found} == {0, 1, 2, 3}
    for file in found:
        path = table / file["file"]
        assert path.stat().st_size == file["bytes"]
        assert (file["kind"] == "feed") == file["file"].startswith("_change_data/")
    opened = leat.run_json("changes", str(table), "--stats", "--format", "json")[-1]["files"]
    assert len(found) == opened
    assert leat.run_json("changes", str(table), "--explain", "--from", "3", "--format", "json") == [
        file for file in found if file["version"] == 3
    ]


# Debezium.


def test_debezium_changes_rebuild_the_table(leat: Leat, table: Path) -> None:
    words = ("changes", str(table), "--format", "debezium", "--key", "id")
    rows: dict[int, Change] = {}
    ops = []
    for change in leat.run_json(*words):
        before, after, op = change["before"], change["after"], change["op"]
        ops.append(op)
        assert (before is None) == (op == "c")
        assert (after is None) == (op == "d")
        assert change["source"]["connector"] == "delta"
        assert change["source"]["table"] == "orders"
        assert change["ts_ms"] >= change["source"]["ts_ms"]
        if before:
            assert rows.pop(before["id"]) == before
        if after:
            rows[after["id"]] = after
    assert ops == ["c"] * 10 + ["u"] * 2 + ["d"] + ["c"] * 5
    expected = {int(row["id"]): row["name"] for row in delta_rows(table)}
    assert {key: row["name"] for key, row in rows.items()} == expected
    assert rows[9]["amount"] == "2.25"
    assert rows[9]["day"] == (date(2026, 1, 10) - date(1970, 1, 1)).days
    assert rows[9]["at"] == "2026-01-02T12:04:05.678901Z"
    assert {c["source"]["version_id"] for c in leat.run_json(*words, "--from", "2")} == {2, 3}
    assert len(leat.run_json(*words, "--limit", "11")) == 11
    said = _failure(leat, 2, *words, "--columns", "name")
    assert '--format debezium needs the key\'s column "id" among --columns' in said


# Bookmarks.


def _read(leat: Leat, path: Path, *args: str) -> set[int]:
    return _versions(_changes(leat, str(path), "--bookmark", "mine", *args))


def test_a_bookmark_goes_on_where_the_last_run_ended(leat: Leat, table: Path) -> None:
    assert _read(leat, table, "--from", "1") == {1, 2, 3}
    assert _read(leat, table, "--from", "1") == set()
    _commit(table, range(15, 17))
    stats = leat.run_json(
        "changes", str(table), "--bookmark", "mine", "--stats", "--format", "json"
    )
    assert [v["version"] for v in stats] == [4, None]
    assert _read(leat, table) == {4}
    assert _read(leat, table, "--reset", "--from", "3") == {3, 4}
    _commit(table, range(17, 18))
    assert _read(leat, table) == {5}
    saved = json.loads((leat.dir / "state" / "bookmarks" / "mine.json").read_text())
    assert saved["version"] == 5
    assert saved["tableId"] == DeltaTable(str(table)).metadata().id


def test_a_bookmark_can_lie_elsewhere_and_stop_earlier(leat: Leat, table: Path) -> None:
    words = ("--state-dir", "elsewhere", "--to", "2")
    assert _read(leat, table, *words) == {0, 1, 2}
    assert _read(leat, table, *words) == set()
    assert _read(leat, table, "--state-dir", "elsewhere") == {3}
    assert _read(leat, table, "--state-dir", "elsewhere", "--to", "1") == set()
    _commit(table, range(15, 16))
    assert _read(leat, table, "--state-dir", "elsewhere") == {4}


def test_a_bookmark_stays_where_not_everything_was_written(leat: Leat, table: Path) -> None:
    words = ("changes", str(table), "--bookmark", "mine", "--format", "json")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(leat.command(*words), stdout=full, cwd=leat.dir, check=False)
    assert done.returncode == 1
    assert leat.run(*words, "-o", "no/such/directory").returncode == 2
    assert len(leat.run_json(*words)) == 20


def test_the_bookmark_of_another_table_is_refused(leat: Leat, table: Path) -> None:
    assert _read(leat, table) == {0, 1, 2, 3}
    other = leat.dir / "other"
    _create(other)
    said = _failure(leat, 2, "changes", str(other), "--bookmark", "mine")
    assert "belongs to another table" in said
    assert "--reset" in said
    shutil.rmtree(table)
    _create(table)  # under the same name
    assert "--reset" in _failure(leat, 2, "changes", str(table), "--bookmark", "mine")
    assert _read(leat, table, "--reset") == {0}


def test_a_table_that_was_rolled_back_is_lost(leat: Leat, table: Path) -> None:
    assert _read(leat, table) == {0, 1, 2, 3}
    for path in (table / "_delta_log").glob("*00003.*"):
        path.unlink()
    said = _failure(leat, 1, "changes", str(table), "--bookmark", "mine")
    assert 'bookmark "mine" stands at version 3' in said
    assert "--reset" in said
    assert _read(leat, table, "--reset") == {0, 1, 2}


def test_two_consumers_cannot_have_one_bookmark(leat: Leat, table: Path) -> None:
    words = ("changes", str(table), "--bookmark", "mine", "--exec")
    gate = leat.dir / "gate"
    os.mkfifo(gate)
    first = leat.start(*words, f"cat > first.json; touch waits; cat {gate}")
    wait_until((leat.dir / "waits").exists, 30, "the first consumer has its batch")
    said = _failure(leat, 1, *words, "cat")
    assert 'another process is reading with bookmark "mine"' in said
    gate.write_text("")
    assert first.wait() == 0
    assert len((leat.dir / "first.json").read_text().splitlines()) == 20
    assert leat.run(*words, "cat").stdout == ""


# Delivery.

# Keeps each batch in a file of its own, named by the versions that it was given.
KEEP = 'n=$(ls | grep -c "^batch"); cat > "batch$n-$LEAT_FROM-$LEAT_TO"'


def _batches(leat: Leat) -> list[tuple[str, list[Change]]]:
    found = []
    for path in sorted(leat.dir.glob("batch*"), key=lambda path: int(path.name[5:].split("-")[0])):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        found.append((path.name.partition("-")[2], rows))
        path.unlink()
    return found


def test_batches_are_cut_between_versions_where_they_fit(leat: Leat, table: Path) -> None:
    def sizes(batch_rows: int) -> list[tuple[str, int]]:
        words = ("--exec", KEEP, "--batch-rows", str(batch_rows))
        done = leat.run("changes", str(table), *words)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        batches = _batches(leat)
        rows = [row for _, batch in batches for row in batch]
        assert _summary(rows) == _summary(_changes(leat, str(table)))
        return [(name, len(batch)) for name, batch in batches]

    assert sizes(1000) == [("0-3", 20)]
    assert sizes(20) == [("0-3", 20)]
    assert sizes(15) == [("0-2", 15), ("3-3", 5)]
    assert sizes(14) == [("0-1", 14), ("2-3", 6)]
    assert sizes(10) == [("0-0", 10), ("1-3", 10)]
    assert sizes(7) == [("0-0", 7), ("0-1", 7), ("2-3", 6)]
    assert sizes(4) == [
        *[("0-0", 4), ("0-0", 4), ("0-0", 2)],
        *[("1-1", 4), ("2-2", 1), ("3-3", 4), ("3-3", 1)],
    ]


def test_what_a_command_refuses_is_given_again(leat: Leat, table: Path) -> None:
    words = ("changes", str(table), "--bookmark", "mine", "--batch-rows", "10", "--exec")
    done = leat.run(*words, f'{KEEP}; test "$LEAT_FROM" = 0 || exit 7')
    assert done.returncode == 1
    assert "exited with 7: the changes of versions 1 to 3 were not accepted" in done.stderr
    assert "are given again next time" in done.stderr
    assert [name for name, _ in _batches(leat)] == ["0-0", "1-3"]
    assert leat.run(*words, KEEP).returncode == 0
    assert [name for name, _ in _batches(leat)] == ["1-3"]
    assert leat.run(*words, KEEP).returncode == 0
    assert _batches(leat) == []


def test_a_version_in_parts_is_given_again_as_a_whole(leat: Leat, table: Path) -> None:
    words = ("changes", str(table), "--bookmark", "mine", "--batch-rows", "4", "--exec")
    done = leat.run(*words, f"{KEEP}; test -z \"$(ls | grep '^batch2')\" || kill -9 $$")
    assert done.returncode == 1
    assert "was ended by signal 9" in done.stderr
    assert [name for name, _ in _batches(leat)] == ["0-0", "0-0", "0-0"]
    assert leat.run(*words, KEEP).returncode == 0
    names = [name for name, _ in _batches(leat)]
    assert names == ["0-0", "0-0", "0-0", "1-1", "2-2", "3-3", "3-3"]


def test_killed_between_two_batches_nothing_is_missed(leat: Leat, table: Path) -> None:
    words = ("changes", str(table), "--bookmark", "mine", "--batch-rows", "10", "--exec")
    done = leat.run(*words, f'{KEEP}; test "$LEAT_FROM" = 0 || kill -9 $PPID')
    assert done.returncode == -9
    assert [name for name, _ in _batches(leat)] == ["0-0", "1-3"]
    assert leat.run(*words, KEEP).returncode == 0
    assert [name for name, _ in _batches(leat)] == ["1-3"]


def test_a_command_can_have_arrow(leat: Leat, table: Path) -> None:
    words = ("--exec", "cat > rows.arrow; echo $LEAT_TABLE", "--format", "arrow")
    done = leat.run("changes", str(table), *words)
    assert (done.returncode, done.stdout) == (0, f"{table}\n")
    with pa.ipc.open_stream(leat.dir / "rows.arrow") as stream:
        assert _as_feed(stream.read_all()) == _feed(table)


# Names.


def _pipelines(leat: Leat, *names: str) -> None:
    leat.configure(
        {
            name: {
                **leat.pipeline("postgresql://localhost/x", ["shop.orders", "crm.*"]),
                "sinks": [{"type": "delta", "location": f"{leat.dir}/{name}/{{schema}}/{{table}}"}],
            }
            for name in names
        }
    )


def test_tables_have_the_names_of_the_configuration(leat: Leat) -> None:
    _pipelines(leat, "one", "two")
    _create(leat.dir / "one" / "shop" / "orders")
    _create(leat.dir / "two" / "crm" / "people")
    for name in ("orders", "shop.orders", "people", "crm.people"):
        assert len(leat.run_json("changes", name, "--format", "json")) == 10
        assert len(leat.run_json("history", name, "--format", "json")) == 1
    said = _failure(leat, 2, "history", "crm.persons")
    assert f"leads to {leat.dir}/one/crm/persons, {leat.dir}/two/crm/persons" in said
    said = _failure(leat, 2, "history", "shop.persons")
    assert "names no such table" in said
    _create(leat.dir / "two" / "shop" / "orders")
    said = _failure(leat, 2, "history", "orders")
    assert 'there is more than one table "orders": name one of ' in said
    assert len(leat.run_json("history", str(leat.dir / "two" / "shop" / "orders"))) == 1


def test_without_a_configuration_only_directories_are_tables(leat: Leat) -> None:
    said = _failure(leat, 2, "changes", "orders")
    assert said == (
        'leat: there is no table "orders": the directory has neither _delta_log nor metadata, '
        "and there is no configuration leat.yaml\n"
    )
    done = leat.run("changes", "orders", "--config", "other.yaml")
    assert done.returncode == 2
    assert 'cannot open "other.yaml"' in done.stderr


def test_the_configuration_of_the_directory_is_found(leat: Leat) -> None:
    _pipelines(leat, "one")
    _create(leat.dir / "one" / "shop" / "orders")
    done = leat.run("history", "orders", "--format", "json", config=False)
    assert done.returncode == 0
    assert yaml.safe_load(leat.config_path.read_text())["pipelines"].keys() == {"one"}


# History.


def test_history_lists_versions_newest_first(leat: Leat, table: Path) -> None:
    found = leat.run_json("history", str(table), "--format", "json")
    assert [v["version"] for v in found] == [3, 2, 1, 0]
    assert [v["operation"] for v in found] == ["WRITE", "DELETE", "UPDATE", "WRITE"]
    assert leat.run_json("history", str(table), "--limit", "2", "--format", "json") == found[:2]


def test_history_compares_the_files_of_two_versions(leat: Leat, table: Path) -> None:
    done = leat.run("history", str(table), "--compare", "0", "3", "--format", "json")
    assert done.returncode == 0
    files = [json.loads(line) for line in done.stdout.splitlines()]
    before = set(DeltaTable(str(table), version=0).file_uris())
    after = set(DeltaTable(str(table), version=3).file_uris())
    named = {
        kind: {str(table / f["file"]) for f in files if f["change"] == kind}
        for kind in ("added", "removed")
    }
    assert {uri.removeprefix("file://") for uri in after - before} == named["added"]
    assert {uri.removeprefix("file://") for uri in before - after} == named["removed"]
    rows = sum(f["rows"] for f in files if f["change"] == "added")
    assert rows == 14
    assert done.stderr.startswith("from 0 to 3: ")
    assert f"{len(named['added'])} files added (14 rows, " in done.stderr
    same = leat.run("history", "--compare", "3", "3", str(table), "--format", "json")
    assert (same.returncode, same.stdout) == (0, "")
    said = _failure(leat, 2, "history", str(table), "--compare", "0")
    assert "--compare needs two versions" in said
    assert "17" in _failure(leat, 2, "history", str(table), "--compare", "0", "17")
