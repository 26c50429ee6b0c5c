"""Every supported type arrives exactly; every other is refused by name."""

from __future__ import annotations

import pytest

from tests.lib.leat import Leat
from tests.lib.mirror import Mirror
from tests.lib.postgres import Database

COLUMNS = {
    "flag": ("boolean", ["true", "false"]),
    "small": ("smallint", ["-32768", "32767"]),
    "medium": ("integer", ["-2147483648", "2147483647"]),
    "large": ("bigint", ["-9223372036854775808", "9223372036854775807"]),
    "single": ("real", ["3.4028235e38", "-1.17549435e-38", "'NaN'", "'-Infinity'", "0.1"]),
    "double_": (
        "double precision",
        ["1.7976931348623157e308", "'NaN'", "'Infinity'", "-0.0", "0.1"],
    ),
    "tiny_decimal": ("numeric(4,2)", ["-99.99", "0.01"]),
    "money_decimal": ("numeric(9,2)", ["-9999999.99", "0.05"]),
    "long_decimal": ("numeric(18,6)", ["-999999999999.999999", "0.000001"]),
    "huge_decimal": (
        "numeric(38,10)",
        ["-9999999999999999999999999999.9999999999", "0.0000000001"],
    ),
    "whole_decimal": ("numeric(38,0)", ["99999999999999999999999999999999999999", "0"]),
    "word": (
        "text",
        ["''", "'twelve bytes'", "'thirteen byte'", "'ünïcödé 🐘'", "repeat('x', 9000)"],
    ),
    "short_word": ("varchar(20)", ["'a'", "'  spaces  '"]),
    "padded": ("char(5)", ["'ab'", "'abcde'"]),
    "bytes": ("bytea", [r"'\x'", r"'\x00ff10'", r"decode(repeat('00ff', 3000), 'hex')"]),
    "day": ("date", ["'0001-01-01'", "'1969-12-31'", "'9999-12-31'"]),
    "clock": ("time", ["'00:00:00'", "'23:59:59.999999'", "'12:34:56.5'"]),
    "local": ("timestamp", ["'0001-01-01 00:00:00'", "'2024-02-29 23:59:59.123456'"]),
    "instant": ("timestamptz", ["'1969-12-31 23:59:59.999999+00'", "'2024-06-01 12:00:00+05:30'"]),
    "id128": ("uuid", ["'00112233-4455-6677-8899-aabbccddeeff'"]),
    "doc": ("json", ["""'{"b": 1,  "a": [1.50, null, "é"]}'"""]),
    "docb": ("jsonb", ["""'{"b": 1,  "a": [1.50, null, "é"]}'"""]),
    "numbers": ("integer[]", ["'{1,NULL,-3}'", "'{}'", "'{{1,2},{3,4}}'"]),
    "words": ("text[]", ["""'{"a,b","quote \\" it",NULL}'"""]),
    "prices": ("numeric(10,2)[]", ["'{1.50,2.00}'"]),
}
LINES = max(len(values) for _, values in COLUMNS.values())


def value(column: str, line: int) -> str:
    """The value of a column in a line of the table; columns with fewer values hold null there."""
    kind, values = COLUMNS[column]
    return f"CAST({values[line]} AS {kind})" if line < len(values) else "NULL"


def make(database: Database, table: str, columns: list[str]) -> None:
    """Makes a table of these columns."""
    kinds = ", ".join(f"{name} {COLUMNS[name][0]}" for name in columns)
    database.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, {kinds})")


def fill(database: Database, table: str, columns: list[str], first: int) -> None:
    """Inserts one row a line; the last is all null."""
    for line in range(LINES + 1):
        values = ", ".join(value(name, line) for name in columns)
        database.execute(f"INSERT INTO {table} VALUES ({first + line}, {values})")


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "text"])
def test_every_supported_type_arrives_exactly_by_load_and_by_stream(
    leat: Leat, database: Database, binary: bool
) -> None:
    """Arrays make the whole stream travel as text; without them it is binary."""
    columns = [name for name in COLUMNS if not (binary and COLUMNS[name][0].endswith("[]"))]
    make(database, "kinds", columns)
    fill(database, "kinds", columns, 1)
    mirror = Mirror(leat, database, {"public.kinds": "id"})
    running = mirror.start()
    mirror.catch_up(running)
    fill(database, "kinds", columns, 100)
    database.execute("UPDATE kinds SET id = id + 1000 WHERE id < 3")
    database.execute("UPDATE kinds SET flag = NOT flag, word = word || '!' WHERE id > 100")
    database.execute("DELETE FROM kinds WHERE id = 101")
    mirror.settle(running)


@pytest.mark.parametrize("kind", ["uuid", "text", "timestamptz", "date", "bytea", "numeric(20,0)"])
def test_keys_of_any_type_find_their_rows(leat: Leat, database: Database, kind: str) -> None:
    """Rows are located by key whatever its type, alone or with others."""
    values = {
        "uuid": "md5(i::text)::uuid",
        "text": "'key ' || i",
        "timestamptz": "timestamptz '2024-01-01 00:00:00+00' + i * interval '1 microsecond'",
        "date": "date '2024-01-01' + i",
        "bytea": "decode(md5(i::text), 'hex')",
        "numeric(20,0)": "i::numeric * 10000000000000000",
    }
    database.execute(f"CREATE TABLE keyed (k {kind}, part int, n int, PRIMARY KEY (part, k))")
    database.execute(
        f"INSERT INTO keyed SELECT {values[kind]}, i % 3, i FROM generate_series(1, 300) i"
    )
    mirror = Mirror(leat, database, {"public.keyed": "n"})
    running = mirror.start()
    mirror.catch_up(running)
    database.execute("UPDATE keyed SET part = part + 10 WHERE n % 2 = 0")
    database.execute("DELETE FROM keyed WHERE n % 5 = 0")
    mirror.settle(running)


@pytest.mark.parametrize(
    ("kind", "named"),
    [("inet", "inet"), ("interval", "interval"), ("point", "point"), ("numeric", "numeric")],
)
def test_another_type_is_refused_by_name_with_the_setting_that_lets_it_through(
    leat: Leat, database: Database, kind: str, named: str
) -> None:
    """Nothing is guessed."""
    database.execute(f"CREATE TABLE odd (id int PRIMARY KEY, strange {kind})")
    mirror = Mirror(leat, database, {"public.odd": "id"})
    done = leat.run("run")
    assert done.returncode == 2, done.stderr
    for word in ("public.odd", "strange", named, "as_text"):
        assert word in done.stderr
    mirror.configure(source={"as_text": [named]})
    database.execute("INSERT INTO odd VALUES (1, NULL)")
    running = mirror.start()
    mirror.settle(running)


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        ("numeric(10,2)", "'NaN'"),
        ("timestamptz", "'infinity'"),
        ("timestamp", "'-infinity'"),
        ("date", "'infinity'"),
        ("date", "'20000-01-01'"),
    ],
)
def test_a_value_that_the_table_cannot_hold_is_an_error_that_names_it(
    leat: Leat, database: Database, kind: str, bad: str
) -> None:
    """Never written as something else; the rows before it are there."""
    database.execute(f"CREATE TABLE edge (id int PRIMARY KEY, v {kind})")
    mirror = Mirror(leat, database, {"public.edge": "id"})
    running = mirror.start()
    database.execute("INSERT INTO edge VALUES (1, NULL)")
    mirror.catch_up(running)
    database.execute(f"INSERT INTO edge VALUES (2, {bad})")
    assert running.wait() == 1
    for word in ("public.edge", '"v"', bad.strip("'").lstrip("-").split("-")[0]):
        assert word.lower() in running.log_text.replace("\\", "").lower()
