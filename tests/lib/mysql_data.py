"""Data directories and certificates of private MariaDB and MySQL servers.

Each process of the tests initialises a data directory once a family and copies it from then on.
"""

from __future__ import annotations

import atexit
import functools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

Account = pwd.struct_passwd | None


@functools.cache
def server_account(program: Path) -> Account:
    """Returns the account a server runs as when we are root, else None.

    None too where `nobody` may not reach the program: then it runs as root.
    """
    if os.geteuid() != 0:
        return None
    account = pwd.getpwnam("nobody")
    return account if _succeeds(["test", "-x", str(program)], account) else None


def filled_data_directory(flavour: str, program: Path, target: Path, account: Account) -> None:
    """Makes a data directory with a superuser `root` who needs no password over the socket."""
    subprocess.run(
        ["cp", "-a", "--reflink=auto", str(_template(flavour, program)), str(target)], check=True
    )
    if account is not None:
        shutil.chown(target, account.pw_uid, account.pw_gid)


@functools.cache
def _template(flavour: str, program: Path) -> Path:
    account = server_account(program)
    root = Path(tempfile.mkdtemp(prefix=f"leat-{flavour}-data-", dir="/tmp"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    if account is not None:
        os.chown(root, account.pw_uid, account.pw_gid)
    data = root / "data"
    if flavour == "mariadb":
        argv = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db"]
        argv += ["--auth-root-authentication-method=normal", "--skip-name-resolve"]
        argv += ["--innodb-log-file-size=32M", "--innodb-flush-method=nosync"]
    else:
        base = program.parent
        argv = [str(program), "--no-defaults", "--initialize-insecure", f"--datadir={data}"]
        argv += [f"--basedir={base}", f"--lc-messages-dir={base / 'share'}"]
        argv += [f"--character-sets-dir={base / 'share' / 'charsets'}", "--tls-version="]
        argv += ["--auto-generate-certs=OFF", "--innodb-redo-log-capacity=32M"]
        argv += ["--innodb-flush-method=nosync", "--innodb-doublewrite=OFF"]
    if account is None and os.geteuid() == 0:
        argv.append("--user=root")
    done = _run(argv, account)
    if done.returncode != 0:
        raise RuntimeError(f"{argv[0]} failed:\n{done.stdout}{done.stderr}")
    # Two servers of one identity would be one to who reads their logs.
    (data / "auto.cnf").unlink(missing_ok=True)
    return data


def make_certificates(directory: Path, account: Account) -> None:
    """Makes an authority and what it signed: server-*.pem for 127.0.0.1, client-*.pem."""
    directory.mkdir()
    _openssl(
        ["req", "-new", "-x509", *_key(directory / "ca-key.pem"), "-days", "30"],
        ["-subj", "/CN=leat tests", "-out", str(directory / "ca.pem")],
    )
    names = {
        "server": "subjectAltName=IP:127.0.0.1,DNS:localhost",
        "client": "extendedKeyUsage=clientAuth",
    }
    for name, extension in names.items():
        request, extensions = directory / f"{name}.csr", directory / f"{name}.ext"
        extensions.write_text(extension + "\n")
        _openssl(
            ["req", "-new", *_key(directory / f"{name}-key.pem"), "-out", str(request)],
            ["-subj", f"/CN=leat tests {name}"],
        )
        _openssl(
            ["x509", "-req", "-in", str(request), "-days", "30", "-extfile", str(extensions)],
            ["-CA", str(directory / "ca.pem"), "-CAkey", str(directory / "ca-key.pem")],
            ["-CAcreateserial", "-out", str(directory / f"{name}-cert.pem")],
        )
    # The client's key belongs to who runs the tests, the server's to the server.
    if account is not None:
        os.chown(directory / "server-key.pem", account.pw_uid, account.pw_gid)


def _key(path: Path) -> list[str]:
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    return [*curve, "-keyout", str(path)]


def _openssl(*arguments: Sequence[str]) -> None:
    argv = ["openssl", *(argument for part in arguments for argument in part)]
    subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=True)


def _run(argv: Sequence[str], account: Account) -> subprocess.CompletedProcess[str]:
    drop: list[str] = []
    if account is not None:
        drop = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    return subprocess.run(
        ["setpriv", "--pdeathsig", "KILL", *drop, *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
    )


def _succeeds(argv: Sequence[str], account: Account) -> bool:
    return _run(argv, account).returncode == 0
