"""What `leat changes` says of random histories, and what Spark, which wrote them, says.

LEAT_HISTORIES is how many of each kind (3); a history is the same for the same number.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lib.delta import apply_feed, delta_commit, payload
from tests.lib.json_rows import Types, feed_rows, table_rows, types_of
from tests.lib.leat import Leat
from tests.lib.rows import Row, as_multiset, assert_same_rows

if TYPE_CHECKING:
    from tests.lib.spark import Spark

# A history is some dozen jobs of Spark.
pytestmark = pytest.mark.timeout(600)

SEEDS = range(int(os.environ.get("LEAT_HISTORIES", "3")))


def assert_leads_to(before: list[Row], feed: list[Row], after: list[Row], commit: str) -> None:
    """The changes applied to the rows before give the rows after."""
    found, expected = apply_feed(before, feed, commit), as_multiset(after)
    lacking, extra = expected - found, found - expected
    if lacking or extra:
        lines = [f"{lacking.total()} rows are lacking:", *list(lacking)[:5]]
        lines += [f"{extra.total()} rows are too many:", *list(extra)[:5]]
        raise AssertionError("\n  ".join(lines))


def assert_nothing_is_carried_over(feed: list[Row]) -> None:
    """No row goes and comes back the same."""
    gone, new = (
        as_multiset(payload(row) for row in feed if row["_change_type"] in kinds)
        for kinds in (("delete", "update_preimage"), ("insert", "update_postimage"))
    )
    assert not gone & new, f"rows that did not change: {list(gone & new)[:5]}"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_feed_of_a_delta_table_is_that_of_spark(
    spark: Spark, leat: Leat, tmp_path: Path, seed: int
) -> None:
    from tests.lib.histories import DeltaHistory

    history = DeltaHistory(spark, tmp_path, seed, feed=True)
    expected = spark.delta_feed(history.path)
    types = {
        name: kind for name, kind in types_of(expected).items() if not name.startswith("_commit_")
    }
    del types["_change_type"]
    found = feed_rows(leat.changes(history.path).stdout, types)
    assert_same_rows(table_rows(expected), found, names=("spark", "leat"))
    first, last = sorted(history.random.sample(range(history.version + 1), 2))
    part = [row for row in table_rows(expected) if first <= row["_commit_version"] <= last]
    # A range shows the columns of its last version.
    types = types_of(spark.delta(history.path, last))
    part = [{name: row[name] for name in row if name in types or name[0] == "_"} for row in part]
    found = feed_rows(leat.changes(history.path, first, last).stdout, types)
    assert_same_rows(part, found, names=("spark", "leat"))


@pytest.mark.parametrize("seed", SEEDS)
def test_changes_of_a_delta_table_without_feed_lead_from_version_to_version(
    spark: Spark, leat: Leat, tmp_path: Path, seed: int
) -> None:
    from tests.lib.histories import DeltaHistory, aligned

    history = DeltaHistory(spark, tmp_path, 100 + seed, feed=False)
    tables = [spark.delta(history.path, version) for version in range(history.version + 1)]

    def check(first: int, last: int) -> None:
        types = types_of(tables[last])
        found = feed_rows(leat.changes(history.path, first + 1, last).stdout, types)
        before = aligned(table_rows(tables[first]), list(types))
        assert_leads_to(before, found, table_rows(tables[last]), "_commit_version")
        if first + 1 == last and not any(
            action.get("add", {}).get("deletionVector")
            for action in delta_commit(history.path, last)
        ):
            assert_nothing_is_carried_over(found)

    for version in range(history.version):
        check(version, version + 1)
    check(0, history.version)


@pytest.mark.parametrize("seed", SEEDS)
def test_changes_of_an_iceberg_table_lead_from_snapshot_to_snapshot(
    spark: Spark, leat: Leat, tmp_path: Path, seed: int
) -> None:
    from tests.lib.histories import IcebergHistory

    history = IcebergHistory(spark, tmp_path, seed)
    snapshots = history.snapshots
    tables = [history.rows_at(snapshot.id) for snapshot in snapshots]

    def changes(first: int, last: int) -> list[Row]:
        types: Types = types_of(tables[last])
        done = leat.changes(history.path, snapshots[first].id, snapshots[last].id)
        return history.aligned(feed_rows(done.stdout, types, "_commit_snapshot_id"))

    def rows(place: int) -> list[Row]:
        return history.aligned(table_rows(tables[place]))

    for place in range(1, len(snapshots)):
        found = changes(place - 1, place)
        assert_leads_to(rows(place - 1), found, rows(place), "_commit_snapshot_id")
        if snapshots[place].operation == "replace":
            assert found == [], f"maintenance changed rows: {found[:5]}"
        if not snapshots[place].writes_deletes:
            assert_nothing_is_carried_over(found)
    last = len(snapshots) - 1
    assert_leads_to(rows(0), changes(0, last), rows(last), "_commit_snapshot_id")
