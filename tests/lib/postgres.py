"""A private PostgreSQL server: own data directory, own port, gone at the end.

The server refuses to run as root, so root runs it as the user `postgres` (or `nobody`).
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import psycopg

from .net import free_port
from .wait import wait_until

PASSWORD = "only-for-tests"

DEFAULTS: dict[str, str] = {
    "wal_level": "logical",
    "max_wal_senders": "20",
    "max_replication_slots": "20",
    "max_connections": "100",
    "wal_sender_timeout": "30s",
    # The tests break leat, never the server's machine.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "autovacuum_naptime": "10s",
    "log_line_prefix": "%m [%p] %a ",
    "timezone": "UTC",
    "lc_messages": "C",
}

Connection = psycopg.Connection[tuple[Any, ...]]


def bin_dir() -> Path:
    """Returns the directory of PostgreSQL 15's programs (or of the newest there is)."""
    named = os.environ.get("LEAT_POSTGRES_BIN")
    if named:
        return Path(named)
    found = sorted(
        (path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")),
        key=lambda path: (path.parent.name == "15", int(path.parent.name)),
    )
    if found:
        return found[-1]
    on_path = shutil.which("postgres")
    if on_path:
        return Path(on_path).parent
    raise FileNotFoundError("no PostgreSQL server; run tools/setup build")


def server_user() -> pwd.struct_passwd | None:
    """Returns the account the server runs as when we are root, else None."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError("running as root, and no user postgres or nobody to run the server as")


class Postgres:
    """One cluster. Use as a context manager, or call start() and close()."""

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self.bin = bin_dir()
        self.host = "127.0.0.1"
        self.port = free_port()
        self.user = "postgres"
        self.password = PASSWORD
        self.settings = {**DEFAULTS, **(settings or {})}
        self._account = server_user()
        # Sockets have a path limit of 107 bytes: not below pytest's long directories.
        self.root = Path(tempfile.mkdtemp(prefix="leat-postgres-", dir="/tmp"))
        self.data = self.root / "data"
        self.socket_dir = self.root
        self.log_path = self.root / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._databases: list[str] = []
        try:
            self._initialise()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Postgres:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # The server.

    def start(self) -> None:
        """Starts the server and waits until it takes connections."""
        if self._process is not None:
            raise RuntimeError("the server is already running")
        # The server ends with us, however we end.
        argv = ["setpriv", "--pdeathsig", "QUIT", *self._as_server_user()]
        argv += [str(self.bin / "postgres"), "-D", str(self.data)]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/"
            )
        wait_until(self._is_ready, 60, "PostgreSQL takes connections")

    def stop(self, mode: str = "fast") -> None:
        """Stops the server: smart, fast, immediate (as after a crash), or kill (-9, all of it)."""
        process, self._process = self._process, None
        if process is None:
            return
        if mode == "kill":
            self._kill_all(process)
            return
        signals = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
        process.send_signal(signals[mode])
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            self._kill_all(process)
            raise

    def restart(self, mode: str = "fast") -> None:
        """Stops and starts the server on the same port."""
        self.stop(mode)
        self.start()

    def close(self) -> None:
        """Stops the server and removes everything it had."""
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self.root, ignore_errors=True)

    def configure(self, **settings: str) -> None:
        """Changes settings; they hold from the next start (or reload) on."""
        self.settings.update(settings)
        self._write_settings()

    @property
    def pid(self) -> int:
        """The process id of the running server's postmaster."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    @property
    def log_text(self) -> str:
        """What the server has logged so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    # Clients.

    @property
    def pg_recvlogical(self) -> Path:
        """PostgreSQL's own client for logical slots."""
        return self.bin / "pg_recvlogical"

    def connect(self, dbname: str = "postgres", **options: Any) -> Connection:
        """Opens an autocommitting connection as the superuser, over the socket."""
        return psycopg.connect(
            host=str(self.socket_dir),
            port=self.port,
            user=self.user,
            dbname=dbname,
            autocommit=True,
            **options,
        )

    def url(self, dbname: str, user: str | None = None, password: str | None = None) -> str:
        """Returns a URL over TCP, with a password: what users have."""
        user = quote(user or self.user, safe="")
        password = quote(self.password if password is None else password, safe="")
        return f"postgresql://{user}:{password}@{self.host}:{self.port}/{quote(dbname, safe='')}"

    def create_database(self, prefix: str = "test") -> str:
        """Creates an empty database and returns its name."""
        name = f"{prefix}_{uuid.uuid4().hex[:12]}"
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return name

    def drop_database(self, name: str) -> None:
        """Drops a database with its connections and slots."""
        with self.connect() as connection:
            self.drop_slots(name)
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def drop_slots(self, dbname: str) -> None:
        """Drops all replication slots of a database, ending who uses them."""

        def dropped() -> bool:
            with self.connect() as connection:
                slots = connection.execute(
                    "SELECT slot_name, active_pid FROM pg_replication_slots WHERE database = %s",
                    (dbname,),
                ).fetchall()
                for name, pid in slots:
                    if pid is not None:
                        connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
                        continue
                    with contextlib.suppress(
                        psycopg.errors.ObjectInUse, psycopg.errors.UndefinedObject
                    ):
                        connection.execute("SELECT pg_drop_replication_slot(%s)", (name,))
                return not slots

        wait_until(dropped, 20, f"the slots of {dbname} are dropped")

    # Inside.

    def _as_server_user(self) -> list[str]:
        if self._account is None:
            return []
        uid, gid = self._account.pw_uid, self._account.pw_gid
        return [f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]

    def _run(self, argv: Sequence[str]) -> None:
        done = subprocess.run(
            ["setpriv", "--pdeathsig", "KILL", *self._as_server_user(), *argv],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{argv[0]} failed:\n{done.stdout}{done.stderr}")

    def _initialise(self) -> None:
        # Only the owner of the data may read it; others may reach the socket.
        password_file = self.root / "password"
        password_file.write_text(self.password)
        if self._account is not None:
            uid, gid = self._account.pw_uid, self._account.pw_gid
            os.chown(self.root, uid, gid)
            os.chown(password_file, uid, gid)
        self.root.chmod(0o755)
        password_file.chmod(0o600)
        self._run(
            [
                str(self.bin / "initdb"),
                f"--pgdata={self.data}",
                f"--username={self.user}",
                f"--pwfile={password_file}",
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "--no-instructions",
            ]
        )
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write("include 'tests.conf'\n")
        self._write_settings()

    def _write_settings(self) -> None:
        fixed = {
            "listen_addresses": self.host,
            "port": str(self.port),
            "unix_socket_directories": str(self.socket_dir),
        }
        lines = [f"{key} = '{value}'\n" for key, value in {**self.settings, **fixed}.items()]
        path = self.data / "tests.conf"
        path.write_text("".join(lines))
        path.chmod(0o644)

    def _is_ready(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            code, self._process = self._process.returncode, None
            raise RuntimeError(f"PostgreSQL ended with {code}:\n{self.log_text[-4000:]}")
        try:
            self.connect(connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _kill_all(self, process: subprocess.Popen[bytes]) -> None:
        # The postmaster first, so that it starts no one else; its children then find it gone,
        # but the next start must not wait for them.
        children_file = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        children = [int(pid) for pid in children_file.read_text().split()]
        process.kill()
        process.wait()
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

        def all_gone() -> bool:
            return not any(Path(f"/proc/{pid}").exists() for pid in children)

        wait_until(all_gone, 20, "the server's processes are gone")


class Database:
    """A fresh database of a test."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self.name = server.create_database()
        self.connection = server.connect(self.name)

    @property
    def url(self) -> str:
        """The URL to put into a pipeline."""
        return self.server.url(self.name)

    def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """Runs one statement (committed at once) and returns its rows, if it has any."""
        cursor = self.connection.execute(sql.encode(), parameters)
        return cursor.fetchall() if cursor.description else []

    def scalar(self, sql: str, parameters: Sequence[Any] | None = None) -> Any:
        """Runs a query of one value."""
        return self.execute(sql, parameters)[0][0]

    def reconnect(self) -> None:
        """Opens the test's own connection again, after the server was stopped."""
        self.connection.close()
        self.connection = self.server.connect(self.name)

    def close(self) -> None:
        """Drops the database and its slots."""
        self.connection.close()
        self.server.drop_database(self.name)
