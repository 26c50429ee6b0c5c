"""Fixtures of all Python tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lib.leat import ROOT, Leat, binary
from tests.lib.postgres import Database, Postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server for all tests; who stops it starts it again."""
    with Postgres() as server:
        yield server


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    """A fresh database; it and its slots are gone after the test."""
    fresh = Database(postgres)
    try:
        yield fresh
    finally:
        fresh.close()


@pytest.fixture
def leat(tmp_path: Path) -> Iterator[Leat]:
    """The program under test, with an empty directory."""
    if not binary().exists():
        pytest.fail(f"{binary()} is not built (make build, or name another with LEAT_BIN)")
    program = Leat(tmp_path)
    try:
        yield program
    finally:
        program.close()


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Tables written by others; they are not part of the repository."""
    for place in (os.environ.get("LEAT_CORPORA"), ROOT.parent / "shared" / "corpora"):
        if place and Path(place).is_dir():
            return Path(place)
    pytest.skip("no corpora of foreign tables here (LEAT_CORPORA names their directory)")
