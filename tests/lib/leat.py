"""The program under test: its configuration, runs of it, and what it says.

Everything that depends on leat's command line and configuration keys is in this file.
"""

from __future__ import annotations

import copy
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from .net import free_port
from .wait import wait_until

ROOT = Path(__file__).resolve().parents[2]

# Sanitizers stop at the first finding, with a code no test expects.
SANITIZERS = {
    "ASAN_OPTIONS": "abort_on_error=0:exitcode=99:detect_leaks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
    "LSAN_OPTIONS": "exitcode=99",
}

Config = dict[str, Any]


def binary() -> Path:
    """Returns the program to test: LEAT_BIN, or the sanitized build."""
    return Path(os.environ.get("LEAT_BIN", ROOT / "build-asan" / "leat")).absolute()


def failpoints() -> list[str]:
    """Returns the names of all failpoints in the source, so that no test forgets one."""
    pattern = re.compile(r'\bfailpoint\("([a-z0-9_]+)"')
    names: set[str] = set()
    for path in (ROOT / "src").rglob("*.c"):
        names.update(pattern.findall(path.read_text()))
    return sorted(names)


def parse_metrics(text: str) -> dict[str, float]:
    """Parses Prometheus' text format into {'name{label="x"}': value}."""
    values: dict[str, float] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            values[name] = float(value)
    return values


class Running:
    """A leat that was started and may be watched, ended and killed."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], log: Path, leat: Leat) -> None:
        self.argv = list(argv)
        self.log_path = log
        self.out_path = log.with_suffix(".out")
        self._leat = leat
        with log.open("ab") as err, self.out_path.open("ab") as out:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env, cwd=leat.dir
            )

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends it; where the test did not fail otherwise, it must end cleanly."""
        if not self.alive:
            return
        if kind is None:
            self.terminate()
        else:
            self.kill9()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def log_text(self) -> str:
        """What it has said on stderr so far."""
        return self.log_path.read_text(errors="replace")

    @property
    def out_text(self) -> str:
        """What it has written to stdout so far."""
        return self.out_path.read_text(errors="replace")

    def wait(self, timeout: float = 30.0) -> int:
        """Waits for its end and returns the exit code (-9 when killed)."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            tail = self.log_text[-4000:]
            raise TimeoutError(f"still running after {timeout:g} s: {self.argv}\n{tail}") from None

    def terminate(self, timeout: float = 30.0) -> None:
        """Asks it to end (SIGTERM) and expects exit code 0."""
        self.process.send_signal(signal.SIGTERM)
        code = self.wait(timeout)
        assert code == 0, f"exit code {code} after SIGTERM:\n{self.log_text[-4000:]}"

    def kill9(self) -> None:
        """Kills it where it stands."""
        self.process.kill()
        self.process.wait()

    def wait_for(self, text: str, timeout: float = 30.0) -> None:
        """Waits until its log holds a text; fails at once if it ends before."""

        def seen() -> bool:
            if text in self.log_text:
                return True
            if not self.alive:
                raise RuntimeError(f"ended before saying {text!r}:\n{self.log_text[-4000:]}")
            return False

        wait_until(seen, timeout, f"log holds {text!r}")

    def metrics(self) -> dict[str, float]:
        """Scrapes its metrics; empty while it does not serve them."""
        try:
            return parse_metrics(self._get(self._leat.metrics_port, "/metrics"))
        except (urllib.error.URLError, ConnectionError):
            return {}

    def metric(self, name: str, **labels: str) -> float:
        """Returns the sum of a metric over all series that have these labels."""
        wanted = {f'{key}="{value}"' for key, value in labels.items()}
        total = 0.0
        for series, value in self.metrics().items():
            if series.partition("{")[0] == name and all(label in series for label in wanted):
                total += value
        return total

    def is_healthy(self, page: str = "/health") -> bool:
        """Asks a health page (/health or /ready)."""
        try:
            self._get(self._leat.health_port, page)
        except (urllib.error.URLError, ConnectionError):
            return False
        return True

    @staticmethod
    def _get(port: int, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            body: bytes = answer.read()
            return body.decode()


class Leat:
    """leat with a configuration file in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.bin = binary()
        self.dir = directory
        self.config_path = directory / "leat.yaml"
        self.lake = directory / "lake"
        self.state = directory / "state"
        self.metrics_port = free_port()
        self.health_port = free_port()
        self.env: dict[str, str] = {}
        self._running: list[Running] = []

    # Configuration.

    def pipeline(
        self,
        url: str,
        tables: Sequence[str],
        *,
        mode: str | None = None,
        source: Mapping[str, Any] | None = None,
        sink: Mapping[str, Any] | None = None,
        transforms: Sequence[Mapping[str, Any]] | None = None,
        formats: Sequence[str] = ("delta",),
        **more: Any,
    ) -> Config:
        """Returns a pipeline of PostgreSQL tables into lake tables; keywords add or replace."""
        delta: Config = {
            "type": "delta",
            "location": f"{self.lake}/{{schema}}/{{table}}",
            "commit": {"interval": "100ms"},
        }
        iceberg: Config = {
            "type": "iceberg",
            "warehouse": f"{self.lake}/iceberg",
            "namespace": "{schema}",
            "commit": {"interval": "100ms"},
        }
        sinks = [{"delta": delta, "iceberg": iceberg}[name] for name in formats]
        for one in sinks:
            if mode is not None:
                one["mode"] = mode
            one.update(copy.deepcopy(dict(sink or {})))  # YAML would name what is shared
        pipeline: Config = {
            "source": {"type": "postgres", "url": url, "tables": list(tables), **(source or {})},
            "state_dir": str(self.state),
            "sinks": sinks,
        }
        if transforms:
            pipeline["transforms"] = [dict(transform) for transform in transforms]
        return {**pipeline, **more}

    def configure(self, pipelines: Mapping[str, Config], **more: Any) -> Path:
        """Writes the configuration file: pipelines by name, and other global keys."""
        config: Config = {
            "observe": {
                "metrics": f"127.0.0.1:{self.metrics_port}",
                "health": f"127.0.0.1:{self.health_port}",
            },
            **more,
            "pipelines": dict(pipelines),
        }
        self.config_path.write_text(yaml.safe_dump(config, sort_keys=False))
        return self.config_path

    def iceberg_table(self, name: str) -> Path:
        """The directory of schema.table's Iceberg table."""
        schema, _, table = name.partition(".")
        return self.lake / "iceberg" / schema / table

    def table(self, name: str) -> Path:
        """Returns where the Delta table of `schema.table` lies with pipeline()'s location."""
        return self.lake.joinpath(*name.split("."))

    # Runs.

    def command(self, *args: str, config: bool = True) -> list[str]:
        """Returns the command line of `leat ARGS...` with our configuration file."""
        chosen = ["--config", str(self.config_path)] if config and self.config_path.exists() else []
        return [str(self.bin), *chosen, *args]

    def run(
        self, *args: str, timeout: float = 120.0, config: bool = True, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        return subprocess.run(
            self.command(*args, config=config),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=self._environment(env),
            cwd=self.dir,
            check=False,
        )

    def shell(self, command: str, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Runs a line of shell that leat told its user to run; python3 is that of the tests."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**self._environment({}), "PATH": path},
            cwd=self.dir,
            check=False,
        )

    def run_json(self, *args: str, timeout: float = 120.0) -> list[dict[str, Any]]:
        """Runs a command that prints one JSON object a line, and returns them."""
        done = self.run(*args, timeout=timeout)
        assert done.returncode == 0, f"exit code {done.returncode}:\n{done.stderr}"
        return [json.loads(line) for line in done.stdout.splitlines() if line]

    def changes(
        self, location: Path | str, first: int | None = None, last: int | None = None, *more: str
    ) -> subprocess.CompletedProcess[str]:
        """Prints the changes of a lake table as JSON, and expects that it can.

        `first` is the first version for Delta, the snapshot before the first one for Iceberg.
        """
        args = ["changes", str(location), "--format", "json"]
        if first is not None:
            args += ["--from", str(first)]
        if last is not None:
            args += ["--to", str(last)]
        done = self.run(*args, *more, config=False)
        assert done.returncode == 0, f"exit code {done.returncode}: {args}\n{done.stderr}"
        return done

    def opened_files(
        self, location: Path | str, first: int | None = None, last: int | None = None
    ) -> list[str]:
        """Returns the names of the files that changes() opens, sorted."""
        done = self.changes(location, first, last, "--explain")
        return sorted(Path(json.loads(line)["file"]).name for line in done.stdout.splitlines())

    def query(self, sql: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Runs SQL over lake tables, printed as JSON."""
        return self.run("query", sql, "--format", "json", config=False, **more)

    def start(self, *args: str, failpoint: str | None = None, **env: str) -> Running:
        """Starts `leat run` (or another command); `failpoint` is `name` or `name:n` (n-th pass)."""
        if failpoint is not None:
            env["LEAT_FAILPOINT"] = failpoint
        log = self.dir / f"leat-{len(self._running)}.log"
        argv = self.command(*(args or ("run",)))
        running = Running(argv, self._environment(env), log, self)
        self._running.append(running)
        return running

    def close(self) -> None:
        """Kills what a test left running."""
        for running in self._running:
            if running.alive:
                running.kill9()

    def _environment(self, env: Mapping[str, str]) -> dict[str, str]:
        return {**os.environ, **SANITIZERS, "TZ": "UTC", **self.env, **env}
