"""leat's REST catalog against Iceberg's own."""

from __future__ import annotations

import os
import subprocess

from tests.lib.leat import SANITIZERS, binary
from tests.lib.rest_catalog import RestCatalog


def test_tables_are_created_loaded_and_committed_to() -> None:
    program = binary().parent / "tests" / "unit" / "test_rest_server"
    assert program.exists(), f"{program} is not built"
    with RestCatalog() as catalog:
        done = subprocess.run(
            [program],
            env={**os.environ, **SANITIZERS, "LEAT_REST_URI": catalog.uri},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"{said}\n{catalog.log_text[-4000:]}"
        assert "SKIPPED" not in said, said
        assert list(catalog.warehouse.rglob("*.metadata.json")), "it wrote no metadata"


def test_a_server_that_starts_again_has_its_tables() -> None:
    with RestCatalog() as catalog:
        before = catalog.uri
        catalog.stop()
        catalog.start()
        assert catalog.uri == before
