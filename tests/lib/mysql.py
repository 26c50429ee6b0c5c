"""Private MariaDB and MySQL servers: own data directory, own port, gone at the end.

Root runs them as the user `nobody`. MariaDB comes with the system (tools/setup test), MySQL lies
in .deps/mysql. Both write a binary log with GTIDs, everything else in it as the server's defaults
have it: `options` of a server change that.
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
from typing import Any, Literal, TypeAlias
from urllib.parse import quote, urlencode

import pymysql

from .mysql_data import filled_data_directory, make_certificates, server_account
from .net import free_port
from .wait import wait_until

Flavour = Literal["mariadb", "mysql"]
FLAVOURS: tuple[Flavour, ...] = ("mariadb", "mysql")

USER = "leat"  # may capture, and nothing else
OWNER = "owner"  # may do everything
PASSWORD = "only-for-tests"

# What a user needs whose tables are captured.
CAPTURE = "SELECT, RELOAD, LOCK TABLES, REPLICATION CLIENT, REPLICATION SLAVE"

COMMON: dict[str, str] = {
    "server_id": "1",
    "log_bin": "binlog",
    "bind_address": "127.0.0.1",
    "skip_name_resolve": "ON",
    "default_time_zone": "+00:00",
    # The tests kill the server, never its machine: what is written need not be synced.
    "sync_binlog": "0",
    "innodb_flush_log_at_trx_commit": "2",
    "innodb_flush_method": "nosync",
    "innodb_doublewrite": "OFF",
    # Several servers run beside each other.
    "performance_schema": "OFF",
    "innodb_buffer_pool_size": "16M",
    "innodb_log_buffer_size": "2M",
    "key_buffer_size": "1M",
    "max_connections": "60",
    "table_open_cache": "200",
    "max_allowed_packet": "256M",
}
DEFAULTS: dict[Flavour, dict[str, str]] = {
    "mariadb": {
        "binlog_format": "ROW",
        "gtid_strict_mode": "ON",
        "innodb_log_file_size": "32M",
        "aria_pagecache_buffer_size": "1M",
    },
    "mysql": {
        "gtid_mode": "ON",
        "enforce_gtid_consistency": "ON",
        "innodb_redo_log_capacity": "32M",
        "table_definition_cache": "400",
        "mysqlx": "OFF",
        "secure_file_priv": "NULL",
    },
}

Connection: TypeAlias = "pymysql.Connection[Any]"
Value: TypeAlias = Any


def absent(flavour: Flavour) -> str | None:
    """Returns why there is no such server here, or None when there is."""
    try:
        programs(flavour)
    except FileNotFoundError as error:
        return str(error)
    return None


def programs(flavour: Flavour) -> Path:
    """Returns the server's program."""
    if flavour == "mysql":
        named = os.environ.get("LEAT_MYSQL_DIR")
        place = Path(named) if named else Path(__file__).resolve().parents[2] / ".deps" / "mysql"
        if not (place / "version").exists():
            raise FileNotFoundError("no MySQL in .deps/mysql (tools/setup test fetches it)")
        return place / "mysqld"
    found = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/libexec")
    if found is None or shutil.which("mariadb-install-db") is None:
        raise FileNotFoundError("no MariaDB server (tools/setup test installs it)")
    return Path(found)


class MySQLServer:
    """One server of either family. Use as a context manager, or call start() and close()."""

    def __init__(
        self, flavour: Flavour, options: Mapping[str, str] | None = None, tls: bool = False
    ) -> None:
        """`options` are those of [mysqld]; with `tls` the server has a certificate of its own."""
        self.flavour = flavour
        self.program = programs(flavour)
        self.host = "127.0.0.1"
        self.port = free_port()
        self.options = {**COMMON, **DEFAULTS[flavour], **(options or {})}
        self.account = server_account(self.program)
        # Sockets have a path limit of 107 bytes: not below pytest's long directories.
        self.root = Path(tempfile.mkdtemp(prefix=f"leat-{flavour}-", dir="/tmp"))
        self.data = self.root / "data"
        self.socket = self.root / "socket"
        self.log_path = self.root / "server.log"
        self.tls_dir = self.root / "tls" if tls else None
        self._process: subprocess.Popen[bytes] | None = None
        self._has_users = False
        try:
            self._initialise()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> MySQLServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def is_mariadb(self) -> bool:
        """Whether it is MariaDB."""
        return self.flavour == "mariadb"

    # The server.

    def start(self) -> None:
        """Starts the server and waits until it takes connections."""
        if self._process is not None:
            raise RuntimeError("the server is already running")
        # The server ends with us, however we end.
        argv = ["setpriv", "--pdeathsig", "KILL", *_as(self.account)]
        argv += [str(self.program), f"--defaults-file={self.root / 'my.cnf'}"]
        argv += [] if self.account else ["--user=root"] if os.geteuid() == 0 else []
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/"
            )
        wait_until(self._is_ready, 90, f"{self.flavour} takes connections")
        if not self._has_users:
            self._make_users()
            self._has_users = True

    def stop(self) -> None:
        """Stops the server as an administrator does."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def kill(self) -> None:
        """Ends the server where it stands, as a crash does."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def restart(self) -> None:
        """Stops and starts the server on the same port."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Ends the server and removes everything it had."""
        try:
            self.kill()
        finally:
            shutil.rmtree(self.root, ignore_errors=True)

    def configure(self, **options: str) -> None:
        """Changes options of [mysqld]; they hold from the next start on."""
        self.options.update(options)
        self._write_options()

    def set_global(self, **variables: str | int) -> None:
        """Sets variables of the running server, for sessions that begin from now on."""
        with self.connect() as connection, connection.cursor() as cursor:
            for name, value in variables.items():
                cursor.execute(f"SET GLOBAL {name} = %s", (value,))

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    @property
    def log_text(self) -> str:
        """What the server has logged so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @property
    def version(self) -> str:
        """As people name it: MariaDB 10.11.19, MySQL 9.7.4."""
        text = str(self.scalar("SELECT VERSION()")).partition("-")[0]
        return f"{'MariaDB' if self.is_mariadb else 'MySQL'} {text}"

    # Clients.

    def connect(self, database: str | None = None, **more: Any) -> Connection:
        """Opens an autocommitting connection as the superuser, over the socket."""
        settings: dict[str, Any] = {
            "unix_socket": str(self.socket),
            "user": "root",
            "database": database,
            "charset": "utf8mb4",
            "autocommit": True,
            "init_command": "SET time_zone = '+00:00'",
            **more,
        }
        return pymysql.connect(**settings)

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> list[tuple[Value, ...]]:
        """Runs one statement on a connection of its own."""
        with self.connect() as connection:
            return run(connection, sql, parameters)

    def scalar(self, sql: str, parameters: Sequence[Value] = ()) -> Value:
        """Runs a query of one value on a connection of its own."""
        return self.execute(sql, parameters)[0][0]

    def url(
        self,
        database: str | None = None,
        user: str = USER,
        password: str | None = PASSWORD,
        **parameters: str,
    ) -> str:
        """Returns a URL over TCP; keywords become parameters, `ssl_mode` for ssl-mode."""
        secret = "" if password is None else f":{quote(password, safe='')}"
        text = f"mysql://{quote(user, safe='')}{secret}@{self.host}:{self.port}"
        text += f"/{quote(database, safe='')}" if database else ""
        names = {name.replace("_", "-"): value for name, value in parameters.items()}
        return f"{text}?{urlencode(names, quote_via=quote)}" if names else text

    def create_user(
        self,
        name: str,
        password: str = PASSWORD,
        *,
        plugin: str | None = None,
        require: str = "NONE",
        grants: str = CAPTURE,
    ) -> None:
        """Makes a user from anywhere; `plugin` is mysql_native_password, caching_sha2_password."""
        account = f"'{name}'@'%'"
        how = f"IDENTIFIED BY '{password}'"
        if plugin and self.is_mariadb:
            how = f"IDENTIFIED VIA {plugin} USING PASSWORD('{password}')"
        elif plugin:
            how = f"IDENTIFIED WITH {plugin} BY '{password}'"
        with self.connect() as connection:
            # Not in the log: what captures begins with an empty one.
            run(connection, "SET sql_log_bin = 0")
            run(connection, f"CREATE USER {account} {how} REQUIRE {require}")
            if grants:
                run(connection, f"GRANT {grants} ON *.* TO {account}")

    def drop_user(self, name: str) -> None:
        """Drops a user and ends its sessions."""
        with self.connect() as connection:
            run(connection, "SET sql_log_bin = 0")
            run(connection, f"DROP USER '{name}'@'%'")
        self.end_sessions(name)

    def end_sessions(self, user: str = USER, only_readers: bool = False) -> int:
        """Ends the sessions of a user, or only those that read the log; returns how many."""
        sessions = self.sessions(user, only_readers)
        for number in sessions:
            with contextlib.suppress(pymysql.err.OperationalError, pymysql.err.InternalError):
                self.execute(f"KILL {number}")
        return len(sessions)

    def sessions(self, user: str = USER, only_readers: bool = False) -> list[int]:
        """Returns the numbers of a user's sessions, or only of those that read the log."""
        found = self.execute(
            "SELECT ID, COMMAND FROM information_schema.PROCESSLIST WHERE USER = %s", (user,)
        )
        return [
            int(number)
            for number, command in found
            if not only_readers or str(command).startswith("Binlog Dump")
        ]

    # The log.

    def gtid_position(self) -> str:
        """Returns what was committed so far, as the server writes it; "" for nothing."""
        variable = "@@GLOBAL.gtid_binlog_pos" if self.is_mariadb else "@@GLOBAL.gtid_executed"
        return str(self.scalar(f"SELECT {variable}") or "").replace("\n", "")

    def log_end(self) -> tuple[str, int]:
        """Returns the newest log file and its size."""
        new = not self.is_mariadb and self.version_number >= (8, 2)
        row = self.execute("SHOW BINARY LOG STATUS" if new else "SHOW MASTER STATUS")[0]
        return str(row[0]), int(row[1])

    def log_files(self) -> list[str]:
        """Returns the log files that the server still has, oldest first."""
        return [str(row[0]) for row in self.execute("SHOW BINARY LOGS")]

    def flush_logs(self) -> None:
        """Begins a new log file."""
        self.execute("FLUSH BINARY LOGS")

    def purge_logs(self) -> None:
        """Removes all log files but a new, empty one: what was committed before cannot be read."""
        self.flush_logs()
        newest = self.log_end()[0]

        def purged() -> bool:
            # A file that a session reads stays, and so do MariaDB's of the last moment.
            self.execute(f"PURGE BINARY LOGS TO '{newest}'")
            return self.log_files() == [newest]

        wait_until(purged, 20, f"the logs before {newest} are purged")

    def reset_logs(self) -> None:
        """Forgets all logs and GTIDs, as a server that was set up anew."""
        new = not self.is_mariadb and self.version_number >= (8, 2)
        self.execute("RESET BINARY LOGS AND GTIDS" if new else "RESET MASTER")

    @property
    def version_number(self) -> tuple[int, ...]:
        """Such as (10, 11, 19)."""
        return tuple(int(part) for part in self.version.split()[1].split("."))

    # TLS.

    @property
    def ca(self) -> Path:
        """The certificate of who signed the server's."""
        return self._tls_file("ca.pem")

    @property
    def client_certificate(self) -> tuple[Path, Path]:
        """A certificate that `REQUIRE X509` accepts, and its key."""
        return self._tls_file("client-cert.pem"), self._tls_file("client-key.pem")

    def _tls_file(self, name: str) -> Path:
        if self.tls_dir is None:
            raise RuntimeError("the server was made without tls")
        return self.tls_dir / name

    # Inside.

    def _initialise(self) -> None:
        # Only the owner of the data may read it; others may reach the socket.
        if self.account is not None:
            os.chown(self.root, self.account.pw_uid, self.account.pw_gid)
        self.root.chmod(0o755)
        filled_data_directory(self.flavour, self.program, self.data, self.account)
        if self.tls_dir is not None:
            make_certificates(self.tls_dir, self.account)
        self._write_options()

    def _write_options(self) -> None:
        fixed = {
            "datadir": str(self.data),
            "socket": str(self.socket),
            "pid_file": str(self.root / "pid"),
            "port": str(self.port),
        }
        if self.flavour == "mysql":
            base = self.program.parent
            fixed["basedir"] = str(base)
            fixed["plugin_dir"] = str(base / "plugin")
            fixed["lc_messages_dir"] = str(base / "share")
            fixed["character_sets_dir"] = str(base / "share" / "charsets")
        if self.tls_dir is not None:
            fixed["ssl_ca"] = str(self.tls_dir / "ca.pem")
            fixed["ssl_cert"] = str(self.tls_dir / "server-cert.pem")
            fixed["ssl_key"] = str(self.tls_dir / "server-key.pem")
        elif self.flavour == "mysql":
            fixed["tls_version"] = ""
        lines = [f"{name}={value}\n" for name, value in {**self.options, **fixed}.items()]
        path = self.root / "my.cnf"
        path.write_text("[mysqld]\n" + "".join(lines))
        path.chmod(0o644)

    def _is_ready(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            code, self._process = self._process.returncode, None
            raise RuntimeError(f"{self.flavour} ended with {code}:\n{self.log_text[-4000:]}")
        try:
            self.connect(connect_timeout=2).close()
        except pymysql.err.OperationalError:
            return False
        return True

    def _make_users(self) -> None:
        self.create_user(USER)
        self.create_user(OWNER, grants="ALL")


class MySQLDatabase:
    """A fresh database of a test."""

    def __init__(self, server: MySQLServer, name: str | None = None) -> None:
        self.server = server
        self.name = name or f"test_{uuid.uuid4().hex[:12]}"
        server.execute(f"CREATE DATABASE `{self.name}`")
        self.connection = server.connect(self.name)

    @property
    def url(self) -> str:
        """The URL to put into a pipeline: of a user who may capture, and nothing else."""
        return self.server.url(self.name)

    @property
    def owner_url(self) -> str:
        """The URL of a user who may do everything."""
        return self.server.url(self.name, user=OWNER)

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> list[tuple[Value, ...]]:
        """Runs one statement (committed at once) and returns its rows, if it has any."""
        return run(self.connection, sql, parameters)

    def execute_many(self, *statements: str) -> None:
        """Runs statements one after another."""
        for sql in statements:
            self.execute(sql)

    def scalar(self, sql: str, parameters: Sequence[Value] = ()) -> Value:
        """Runs a query of one value."""
        return self.execute(sql, parameters)[0][0]

    def table(self, name: str) -> str:
        """Returns the name to put into a pipeline: database.table."""
        return f"{self.name}.{name}"

    def connect(self) -> Connection:
        """Opens another connection to the database."""
        return self.server.connect(self.name)

    def reconnect(self) -> None:
        """Opens the test's own connection again, after the server was stopped."""
        with contextlib.suppress(pymysql.err.Error):
            self.connection.close()
        self.connection = self.server.connect(self.name)

    def close(self) -> None:
        """Drops the database."""
        with contextlib.suppress(pymysql.err.Error):
            self.connection.close()
        self.server.execute(f"DROP DATABASE IF EXISTS `{self.name}`")


def run(
    connection: Connection, sql: str, parameters: Sequence[Value] = ()
) -> list[tuple[Value, ...]]:
    """Runs one statement on a connection and returns its rows, if it has any.

    Without parameters a percent sign is just that.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, tuple(parameters) or None)
        return list(cursor.fetchall()) if cursor.description else []


def _as(account: pwd.struct_passwd | None) -> list[str]:
    if account is None:
        return []
    return [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
