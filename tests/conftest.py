"""Fixtures of all Python tests."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lib.leat import ROOT, Leat, binary
from tests.lib.mysql import FLAVOURS, Flavour, MySQLDatabase, MySQLServer, absent
from tests.lib.postgres import Database, Postgres

if TYPE_CHECKING:
    from tests.lib.spark import Spark


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks all tests that ask Spark: tools/run-tests gives them a process of their own."""
    for item in items:
        if "spark" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.spark)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what tests have to say beyond passed or failed, once: the user property "say"."""
    lines = [
        str(text)
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, text in getattr(report, "user_properties", ())
        if name == "say" and report.when == "call"
    ]
    for line in dict.fromkeys(lines):
        terminalreporter.write_line(line)


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


def started(flavour: Flavour) -> Iterator[MySQLServer]:
    """Starts a server of a family, or skips who asks for it."""
    reason = absent(flavour)
    if reason:
        pytest.skip(reason)
    with MySQLServer(flavour) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MySQLServer]:
    """One MariaDB server for all tests; who stops it starts it again."""
    yield from started("mariadb")


@pytest.fixture(scope="session")
def mysql() -> Iterator[MySQLServer]:
    """One MySQL server for all tests; who stops it starts it again."""
    yield from started("mysql")


@pytest.fixture(params=FLAVOURS)
def mysql_server(request: pytest.FixtureRequest) -> MySQLServer:
    """The test runs twice: with the one MariaDB, and with the one MySQL."""
    server: MySQLServer = request.getfixturevalue(request.param)
    request.node.user_properties.append(("say", f"tested with {server.version}"))
    return server


@pytest.fixture
def mysql_database(mysql_server: MySQLServer) -> Iterator[MySQLDatabase]:
    """A fresh database on either server; gone after the test."""
    fresh = MySQLDatabase(mysql_server)
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
        keep_delta_tables(tmp_path)


def keep_delta_tables(directory: Path) -> None:
    """Copies a test's Delta tables where other readers look at them afterwards."""
    kept = os.environ.get("LEAT_KEEP_TABLES")
    for number, log in enumerate(directory.rglob("_delta_log") if kept else []):
        name = f"{directory.name}-{number}-{uuid.uuid4().hex[:8]}"
        shutil.copytree(log.parent, Path(str(kept)) / name)


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Tables written by others; they are not part of the repository."""
    for place in (os.environ.get("LEAT_CORPORA"), ROOT.parent / "shared" / "corpora"):
        if place and Path(place).is_dir():
            return Path(place)
    pytest.skip("no corpora of foreign tables here (LEAT_CORPORA names their directory)")


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    """One Spark for all tests; it knows Delta and Iceberg."""
    from tests.lib import spark as library  # half a second that the other tests need not spend

    reason = library.absent()
    if reason:
        pytest.skip(reason)
    session = library.Spark(tmp_path_factory.mktemp("spark"))
    try:
        yield session
    finally:
        session.close()
