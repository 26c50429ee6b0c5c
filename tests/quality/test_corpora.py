"""Tables that others wrote: leat reads them as others do, or says why it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lib.leat import Leat

if TYPE_CHECKING:
    from tests.lib.corpora import Table
    from tests.lib.spark import Spark

pytestmark = pytest.mark.timeout(900)

OUTCOMES = ("read", "refused", "wrong", "not judged")


@pytest.mark.parametrize("corpus", ["kernel-golden", "delta-rs", "iceberg"])
def test_foreign_tables_are_read_as_others_read_them_or_refused_with_a_reason(
    spark: Spark,
    corpora: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    corpus: str,
) -> None:
    from tests.lib.corpora import delta_rs_tables, golden_tables, iceberg_tables, judge

    tables: Iterable[Table]
    if corpus == "kernel-golden":
        tables = golden_tables(corpora, tmp_path, spark)
    elif corpus == "delta-rs":
        tables = delta_rs_tables(corpora, spark)
    else:
        # The paths in their metadata are relative.
        tables = iceberg_tables(corpora, tmp_path, spark)
        monkeypatch.chdir(tmp_path)
        spark.work_in(tmp_path)
    verdicts = [judge(table, Leat(tmp_path)) for table in tables]
    say = request.node.user_properties
    counts = Counter(verdict.outcome for verdict in verdicts)
    said = ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES)
    say.append(("say", f"{corpus}: {len(verdicts)} foreign tables: {said}"))
    for verdict in verdicts:
        if verdict.outcome != "read":
            say.append(("say", f"  {verdict}"))
    assert not [str(verdict) for verdict in verdicts if verdict.outcome == "wrong"]
    assert counts["read"] >= len(verdicts) // 2
