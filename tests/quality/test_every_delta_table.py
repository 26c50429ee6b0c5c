"""All Delta tables that other tests left behind: Spark and deltalake read the same in each.

LEAT_KEEP_TABLES=DIR tools/run-tests integration e2e
LEAT_KEPT_TABLES=DIR tools/run-tests quality -- -k every_delta_table
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lib.delta import delta_rows
from tests.lib.json_rows import table_rows
from tests.lib.rows import as_multiset

if TYPE_CHECKING:
    from tests.lib.spark import Spark


def kept() -> list[Path]:
    """The tables, wherever they lie below the directory."""
    directory = os.environ.get("LEAT_KEPT_TABLES")
    if not directory:
        pytest.skip("no tables were kept (LEAT_KEPT_TABLES names their directory)")
    return sorted(Path(directory).iterdir())


@pytest.mark.timeout(3000)
def test_spark_and_deltalake_agree_on_every_delta_table_of_the_tests(
    spark: Spark, record_property: Callable[[str, object], None]
) -> None:
    tables = kept()
    refused, different = [], []
    for path in tables:
        try:
            expected = as_multiset(delta_rows(path))
        except Exception as error:  # tests also break tables
            refused.append(f"{path.name}: deltalake: {str(error)[:150]}")
            continue
        try:
            found = as_multiset(table_rows(spark.delta(path)))
        except Exception as error:
            refused.append(f"{path.name}: spark: {str(error)[:150]}")
            continue
        if found != expected:
            different.append(
                f"{path.name}: {(expected - found).total()} rows are lacking,"
                f" {(found - expected).total()} too many"
            )
    record_property("say", f"{len(tables)} tables, {len(refused)} not read by both")
    for line in refused:
        record_property("say", f"  {line}")
    assert len(tables) > 10 * len(refused), refused
    assert not different, "\n".join(different)
