"""A private Iceberg REST catalog: Iceberg's own service over local files, gone at the end."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

import pytest

from .leat import ROOT
from .wait import wait_until

JARS = ROOT / ".deps" / "rest-catalog"
LISTENS = re.compile(r"Started oejs\.ServerConnector@\w+\{[^}]*\}\{127\.0\.0\.1:(\d+)\}")


class RestCatalog:
    """One server. Use as a context manager, or call start() and close().

    A server that is stopped and started again has the same address and the same tables.
    """

    def __init__(self, warehouse: Path | None = None) -> None:
        java = shutil.which("java")
        if java is None or not (JARS / "version").exists():
            pytest.skip(f"no REST catalog in {JARS} (tools/setup test fetches it, and Java)")
        self._java = java
        self._root = Path(tempfile.mkdtemp(prefix="leat-rest-", dir="/tmp"))
        self.warehouse = warehouse or self._root / "warehouse"
        self.log_path = self._root / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    def __enter__(self) -> RestCatalog:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def uri(self) -> str:
        """What a catalog's `uri` is to be."""
        if self._port == 0:
            raise RuntimeError("the server was not started")
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    @property
    def log_text(self) -> str:
        """What the server has logged since it was last started."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def start(self) -> None:
        """Starts the server and waits until it takes connections."""
        if self._process is not None:
            raise RuntimeError("the server is already running")
        # Without a delay, or what it has answered is gone when it is killed half a second later.
        database = f"jdbc:h2:file:{self._root}/names;DATABASE_TO_UPPER=FALSE;WRITE_DELAY=0"
        argv = [
            # The server ends with us, however we end.
            *("setpriv", "--pdeathsig", "KILL", self._java),
            # Tests are short: what starts fast and stays small.
            *("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            *("-cp", f"{JARS}/*", "org.eclipse.jetty.xml.XmlConfiguration"),
            *(f"warehouse={self.warehouse.as_uri()}", f"database={database}"),
            *(f"port={self._port}", str(ROOT / "tests" / "java" / "rest-catalog" / "server.xml")),
        ]
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._root
            )
        self._port = wait_until(self._listening_port, 60, "the REST catalog takes connections")

    def stop(self) -> None:
        """Ends the server at once, as a crash would."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def close(self) -> None:
        """Stops the server and removes everything it had."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self._root, ignore_errors=True)

    def _listening_port(self) -> int:
        if self._process is not None and self._process.poll() is not None:
            code, self._process = self._process.returncode, None
            raise RuntimeError(f"the REST catalog ended with {code}:\n{self.log_text[-4000:]}")
        found = LISTENS.search(self.log_text)
        return int(found.group(1)) if found else 0
