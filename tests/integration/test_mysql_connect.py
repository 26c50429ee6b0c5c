"""Connections to MySQL and MariaDB: who is let in, over what, and what is said where not."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lib.leat import Leat
from tests.lib.mirror import PIPELINE
from tests.lib.mysql import FLAVOURS, PASSWORD, USER, MySQLDatabase, MySQLServer, absent
from tests.lib.mysql_mirror import MySQLMirror

QUICK: dict[str, Any] = {"retry": {"attempts": 2, "delay": "10ms", "max_delay": "20ms"}}
WRONG = "hunter2hunter2"


def pipeline(leat: Leat, url: str, *tables: str) -> None:
    """Writes a configuration that gives up soon."""
    config = leat.pipeline(url, tables or ["shop.items"], source={"type": "mysql"}, **QUICK)
    leat.configure({PIPELINE: config})


def expect(leat: Leat, code: int, *words: str, command: str = "run") -> str:
    """Runs leat to its end: exit code, and words that it must say; never a password."""
    done = leat.run(command, timeout=60)
    said = done.stderr + done.stdout
    assert done.returncode == code, f"exit code {done.returncode}:\n{said}"
    for word in words:
        assert word in said, f"{word!r} is missing:\n{said}"
    assert PASSWORD not in said
    assert WRONG not in said
    return said


def expect_mirrored(leat: Leat, database: MySQLDatabase, url: str) -> None:
    """Loads and follows a table over this url."""
    database.execute_many("CREATE TABLE items (id int PRIMARY KEY)", "INSERT INTO items VALUES (1)")
    mirror = MySQLMirror(leat, database, {"items": "id"}, url=url, formats=("delta",), **QUICK)
    running = mirror.start()
    mirror.catch_up(running)
    database.execute("INSERT INTO items VALUES (2)")
    mirror.settle(running)


@pytest.fixture(scope="module", params=FLAVOURS)
def tls_server(request: pytest.FixtureRequest) -> Iterator[MySQLServer]:
    """A server of either family with a certificate for 127.0.0.1 and localhost."""
    reason = absent(request.param)
    if reason:
        pytest.skip(reason)
    with MySQLServer(request.param, tls=True) as server:
        yield server


@pytest.fixture
def tls_database(tls_server: MySQLServer) -> Iterator[MySQLDatabase]:
    """A fresh database on the server with TLS."""
    fresh = MySQLDatabase(tls_server)
    try:
        yield fresh
    finally:
        fresh.close()


@pytest.fixture(scope="module")
def other_ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority that signed nothing here."""
    place = tmp_path_factory.mktemp("ca")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subject = ["-subj", "/CN=another", "-keyout", str(place / "key.pem")]
    argv = ["openssl", "req", "-new", "-x509", *key, *subject, "-out", str(place / "ca.pem")]
    subprocess.run(argv, check=True, capture_output=True)
    return place / "ca.pem"


@pytest.fixture
def person(tls_server: MySQLServer) -> Iterator[str]:
    """The name of a user that a test makes; gone afterwards."""
    yield "person"
    tls_server.drop_user("person")


def test_a_wrong_password_is_a_configuration_error_without_the_password(
    leat: Leat, mysql_server: MySQLServer
) -> None:
    pipeline(leat, mysql_server.url(password=WRONG))
    expect(leat, 2, USER, "denied")
    expect(leat, 2, USER, "denied", command="check")


def test_an_unknown_user_is_a_configuration_error(leat: Leat, mysql_server: MySQLServer) -> None:
    pipeline(leat, mysql_server.url(user="nobody_here", password=WRONG))
    expect(leat, 2, "nobody_here", "denied")


def test_an_unknown_database_in_the_url_is_a_configuration_error(
    leat: Leat, mysql_server: MySQLServer
) -> None:
    pipeline(leat, mysql_server.url("no_such_db"))
    expect(leat, 2, "no_such_db")


@pytest.mark.parametrize("place", ["no-such-host.invalid:3306", "127.0.0.1:1"])
def test_a_server_that_does_not_answer_is_tried_again_and_then_given_up(
    leat: Leat, place: str
) -> None:
    pipeline(leat, f"mysql://{USER}:{WRONG}@{place}/shop")
    said = expect(leat, 1, "retry", place.partition(":")[0])
    assert said.count("cannot connect") >= 2
    expect(leat, 1, "cannot connect", command="check")


def test_a_locked_account_is_a_configuration_error(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    server = mysql_database.server
    server.create_user("locked")
    server.execute("ALTER USER locked@'%' ACCOUNT LOCK")
    try:
        pipeline(leat, server.url(user="locked"))
        expect(leat, 2, "locked")
    finally:
        server.drop_user("locked")


# Logins.


LOGINS = {
    "mariadb": ["mysql_native_password"],
    "mysql": ["caching_sha2_password", "sha256_password"],
}


@pytest.mark.parametrize("mode", ["disabled", "required"])
def test_logins_work_with_tls_and_without(
    leat: Leat, tls_database: MySQLDatabase, mode: str
) -> None:
    """Without TLS MySQL's logins encrypt the password by the server's RSA key."""
    server = tls_database.server
    tls_database.execute("CREATE TABLE items (id int PRIMARY KEY)")
    table = tls_database.table("items")
    for plugin in LOGINS[server.flavour]:
        server.create_user(plugin, plugin=plugin)
        pipeline(leat, server.url(user=plugin, password=WRONG, ssl_mode=mode), table)
        expect(leat, 2, plugin, "denied")
        pipeline(leat, server.url(user=plugin, ssl_mode=mode), table)
        expect(leat, 0, "connected as", plugin, command="check")
        server.drop_user(plugin)


def test_a_user_without_a_password_may_come_in(leat: Leat, mysql_database: MySQLDatabase) -> None:
    server = mysql_database.server
    server.create_user("open_to_all", password="")
    try:
        url = server.url(mysql_database.name, user="open_to_all", password=None)
        expect_mirrored(leat, mysql_database, url)
    finally:
        server.drop_user("open_to_all")


def test_a_password_of_special_characters_comes_in(
    leat: Leat, mysql_database: MySQLDatabase
) -> None:
    server = mysql_database.server
    secret = "a:b@c/d?e#f%41&g é"
    server.create_user("special", password=secret)
    try:
        url = server.url(mysql_database.name, user="special", password=secret)
        expect_mirrored(leat, mysql_database, url)
    finally:
        server.drop_user("special")


# TLS.


@pytest.mark.parametrize("mode", ["preferred", "required", "verify_ca", "verify_identity"])
def test_each_ssl_mode_reaches_a_server_that_it_trusts_over_tls(
    leat: Leat, tls_database: MySQLDatabase, person: str, mode: str
) -> None:
    """The server takes this user over TLS only."""
    server = tls_database.server
    server.create_user(person, require="SSL")
    authority = {"ssl_ca": str(server.ca)} if mode.startswith("verify") else {}
    url = server.url(tls_database.name, user=person, ssl_mode=mode, **authority)
    expect_mirrored(leat, tls_database, url)


@pytest.mark.parametrize("mode", ["verify_ca", "verify_identity"])
def test_a_certificate_of_another_authority_is_refused(
    leat: Leat, tls_server: MySQLServer, other_ca: Path, mode: str
) -> None:
    pipeline(leat, tls_server.url(ssl_mode=mode, ssl_ca=str(other_ca)))
    expect(leat, 2, "certificate")


def test_a_certificate_for_another_host_is_refused_by_verify_identity_alone(
    leat: Leat, tls_server: MySQLServer
) -> None:
    """127.1 is the same address, written as the certificate does not have it."""
    url = tls_server.url("mysql", ssl_mode="verify_identity", ssl_ca=str(tls_server.ca))
    other = url.replace("127.0.0.1", "127.1")
    pipeline(leat, other)
    said = expect(leat, 2, "cannot connect to 127.1")
    assert "TLS" in said or "certificate" in said
    pipeline(leat, other.replace("verify_identity", "verify_ca"))
    expect(leat, 2, "shop.items")  # it is in, and finds no such table


def test_a_user_who_must_use_tls_is_refused_without_and_the_message_says_why(
    leat: Leat, tls_server: MySQLServer, person: str
) -> None:
    tls_server.create_user(person, require="SSL")
    pipeline(leat, tls_server.url(user=person, ssl_mode="disabled"))
    expect(leat, 2, person, "REQUIRE SSL")


def test_a_user_who_must_show_a_certificate_is_let_in_with_it(
    leat: Leat, tls_database: MySQLDatabase, person: str
) -> None:
    server = tls_database.server
    server.create_user(person, require="X509")
    pipeline(leat, server.url(user=person, ssl_mode="required"))
    expect(leat, 2, person, "denied")
    certificate, key = server.client_certificate
    url = server.url(
        tls_database.name,
        user=person,
        ssl_mode="required",
        ssl_cert=str(certificate),
        ssl_key=str(key),
    )
    expect_mirrored(leat, tls_database, url)
    pipeline(leat, url.replace("client-key.pem", "ca-key.pem"))
    expect(leat, 2, "key")


def test_an_authority_that_is_not_there_is_a_configuration_error(
    leat: Leat, tls_server: MySQLServer
) -> None:
    pipeline(leat, tls_server.url(ssl_mode="verify_ca", ssl_ca="/no/such/ca.pem"))
    expect(leat, 2, "TLS")


def test_tls_that_a_server_does_not_have_is_a_configuration_error(
    leat: Leat, mysql_server: MySQLServer
) -> None:
    pipeline(leat, mysql_server.url(ssl_mode="required"))
    expect(leat, 2, "TLS")
