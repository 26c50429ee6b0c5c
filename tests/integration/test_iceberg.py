"""PostgreSQL's changes arrive in Iceberg tables as they were made."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lib.leat import Leat
from tests.lib.mirror import Mirror
from tests.lib.postgres import Database
from tests.lib.workload import Workload

ITEMS = {"public.items": "id"}


def items(leat: Leat, database: Database, rows: int = 100, **pipeline: Any) -> Mirror:
    """A pipeline of one table with some rows."""
    Workload.create(database.connection, rows)
    return Mirror(leat, database, ITEMS, **{"formats": ("iceberg",), **pipeline})


@pytest.mark.parametrize("formats", [("iceberg",), ("delta", "iceberg")], ids="+".join)
def test_a_table_is_loaded_and_then_followed(
    leat: Leat, database: Database, formats: tuple[str, ...]
) -> None:
    """Inserts, updates, deletes, key changes, swaps, several changes of a key in one commit."""
    mirror = items(leat, database, formats=formats)
    running = mirror.start()
    Workload(database.connection, seed=1).run(50)
    mirror.settle(running)
