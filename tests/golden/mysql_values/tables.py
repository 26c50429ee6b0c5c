"""The tables whose values are captured: every type, its extremes, and what is odd about it."""

from dataclasses import dataclass, field


@dataclass
class Table:
    """A table to make, and its rows as SQL."""

    name: str
    columns: list[tuple[str, str]]
    rows: list[list[str]]
    json: list[str] = field(default_factory=list)  # MariaDB: columns that catalogs call json
    options: str = ""


def _integers() -> Table:
    columns, low, high, middle = [], [], [], []
    for name, bits in (("tiny", 8), ("small", 16), ("medium", 24), ("", 32), ("big", 64)):
        columns += [(f"{name}i", f"{name}int"), (f"{name}u", f"{name}int unsigned")]
        low += [str(-(2 ** (bits - 1))), "0"]
        high += [str(2 ** (bits - 1) - 1), str(2**bits - 1)]
        middle += ["-1", str(2 ** (bits - 1))]
    columns += [("z", "int(6) zerofill"), ("b", "bool"), ("y", "year")]
    return Table(
        "integers",
        columns,
        [
            [*low, "0", "0", "0"],
            [*high, "7", "1", "1901"],
            [*middle, "4294967295", "-5", "2155"],
            [*middle, "123456", "127", "2024"],
        ],
    )


def _decimals() -> Table:
    sizes = [(1, 0), (2, 2), (9, 0), (10, 2), (18, 9), (19, 1), (38, 0), (38, 30)]
    sizes += [(20, 11), (27, 18), (28, 19), (38, 10), (65, 0), (65, 30)]
    columns = [(f"d{p}_{s}", f"decimal({p},{s})") for p, s in sizes]
    columns += [("z", "decimal(8,3) zerofill"), ("u", "decimal(12,4) unsigned")]

    def nines(p: int, s: int) -> str:
        return ("9" * (p - s) or "0") + ("." + "9" * s if s else "")

    def small(p: int, s: int) -> str:
        return "0." + "0" * (s - 1) + "1" if s else "1"

    return Table(
        "decimals",
        columns,
        [
            [nines(p, s) for p, s in sizes] + ["1.5", "99999999.9999"],
            ["-" + nines(p, s) for p, s in sizes] + ["99999.999", "0"],
            [small(p, s) for p, s in sizes] + ["0", "0.0001"],
            ["-" + small(p, s) for p, s in sizes] + ["0.001", "1"],
            ["0" for _ in sizes] + ["12", "10"],
            ["-0.0" for _ in sizes] + ["12", "10"],
        ],
    )


def _floats() -> Table:
    columns = [("f", "float"), ("fd", "float(10,2)"), ("d", "double"), ("dd", "double(20,3)")]
    doubles = ["0.1", "1e15", "1e16", "123456789012345678", "1.7976931348623157e308", "5e-324"]
    doubles += ["2.2250738585072014e-308", "9007199254740993", "1234567890123456.75", "1e-14"]
    doubles += ["1e-15", "-1.5e-15", "123456789012345.6", "0.00001", "5.684341886080802e-14"]
    doubles += ["3.141592653589793", "-2.718281828459045", "1e21", "1e22", "1e23", "100", "1e14"]
    doubles += ["-0e0", "0.3", "4.35", "9.5367431640625e-07", "1.1125369292536007e-308"]
    floats = ["0.1", "3.4028234663852886e38", "1.17549435e-38", "1.4e-45", "16777217", "16777216"]
    floats += ["1e7", "-0e0", "0.3", "-1e-10", "123456.789", "8388609", "1e10", "3.14159274"]
    rows = []
    for i, d in enumerate(doubles):
        rows.append([floats[i % len(floats)], "1234567.891", d, "12345678901234.567"])
    return Table("floats", columns, rows)


def _bits() -> Table:
    widths = [1, 2, 7, 8, 9, 31, 32, 33, 63, 64]
    columns = [(f"b{w}", f"bit({w})") for w in widths]
    return Table(
        "bits",
        columns,
        [
            ["0" for _ in widths],
            [str(2**w - 1) for w in widths],
            [str(2 ** (w - 1)) for w in widths],
            ["1" for _ in widths],
        ],
    )


def _times() -> Table:
    kinds = [(k, n) for k in ("time", "datetime", "timestamp") for n in (0, 1, 2, 3, 4, 5, 6)]
    columns = [("d", "date")]
    columns += [
        (f"{k}{n}", f"{k}({n}) NOT NULL" + (" DEFAULT '2000-01-01'" if k == "timestamp" else ""))
        for k, n in kinds
    ]

    def row(date: str, time: str, datetime: str, timestamp: str) -> list[str]:
        values = {"time": time, "datetime": datetime, "timestamp": timestamp}
        return [f"'{date}'"] + [f"'{values[k]}'" for k, _ in kinds]

    zero = "0000-00-00 00:00:00"
    return Table(
        "times",
        columns,
        [
            row("1970-01-01", "00:00:00", "1970-01-01 00:00:00", "1970-01-01 00:00:01"),
            row("9999-12-31", "23:59:59", "9999-12-31 23:59:59", "2038-01-19 03:14:07"),
            row("0001-01-01", "838:59:59", "0001-01-01 00:00:00", "2001-09-09 01:46:40"),
            row("2024-02-29", "-838:59:59", "2024-02-29 12:34:56.789012", "2024-02-29 23:59:59.1"),
            row("2000-12-31", "-00:00:00.1", "1999-12-31 23:59:58.999994", "1999-12-31 23:59:58.5"),
            row("1600-03-01", "-00:00:01.000001", "1000-01-01 00:00:00.000001", "2024-03-01"),
            row("1999-02-28", "-12:34:56.999999", "1582-10-15 10:00:00.5", "1970-01-02 00:00:00.9"),
            row("1969-12-31", "12:34:56.123456", "1969-12-31 23:59:59.999999", "2020-02-29"),
            row(
                "2023-06-30",
                "23:59:59.999994",
                "2023-06-30 01:02:03.040506",
                "2023-06-30 01:02:03.04",
            ),
            row("0000-00-00", "24:00:00", zero, zero),
            row("2024-00-15", "-00:00:00.000001", "2024-00-15 10:11:12.131415", zero),
            row("2024-05-00", "100:00:00.5", "2024-05-00 00:00:00", zero),
            row("2023-02-31", "-00:59:59.999999", "2023-02-29 00:00:00.1", "2023-01-01"),
            row("0000-01-01", "-01:00:00", "0000-12-31 23:59:59.9", "2023-01-01"),
            row("1970-01-01", "01:00:00", "1970-01-01 00:00:00.5", "1970-01-01 00:00:00.5"),
            row("2100-02-28", "00:00:00.999999", "2100-02-28 00:00:00.000009", "2037-12-31"),
        ],
    )


CHARSETS = {
    "armscii8": "Ա Ֆ և", "ascii": "plain ~", "big5": "中文 ー Ё ①", "binary": "bytes",
    "cp1250": "Łódź €", "cp1251": "Привет №", "cp1256": "سلام", "cp1257": "Ąžuolas",
    "cp850": "é ░ ß", "cp852": "Łódź", "cp866": "Привет ⁿ ²", "cp932": "日本 \uff5e ① ｱ",
    "dec8": "Å Œ ÿ", "eucjpms": "日本 \uff5e ① ｱ", "euckr": "한국 각 똠", "gb2312": "中文 ―",
    "gbk": "中文 镕", "geostd8": "აბგ", "greek": "Ελλάδα", "hebrew": "שלום",
    "hp8": "é Š", "keybcs2": "Čeština", "koi8r": "Привет", "koi8u": "Привіт •",
    "latin1": "é € \u0081 ÿ", "latin2": "Łódź", "latin5": "İğş", "latin7": "Ąžuolas",
    "macce": "Łódź", "macroman": "é ∆", "sjis": "日本 〜 ｱ \\\\", "swe7": "ÅÄÖ$", "tis620": "ไทย",
    "ucs2": "é 日 €", "ujis": "日本 〜 ｱ", "utf16": "é 日 😀", "utf16le": "é 日 😀",
    "utf32": "é 日 😀", "utf8mb3": "é 日 €", "utf8mb4": "é 日 😀",
}  # fmt: skip


def _charsets(is_mariadb: bool) -> Table:
    sets = dict(CHARSETS)
    if not is_mariadb:
        sets["gb18030"] = "中文 😀 龴"
    columns, row, empty = [], [], []
    for name, text in sets.items():
        for kind in ("char(20)", "varchar(300)", "text"):
            columns.append((f"{name}_{kind[:4]}", f"{kind} CHARACTER SET {name}"))
            row.append(f"'{text} {kind}  '")
            empty.append("''")
        if name != "binary":
            escaped = text.replace("\\\\", "-").replace("😀", "+")
            columns.append((f"{name}_enum", f"enum('x','{escaped}','') CHARACTER SET {name}"))
            columns.append((f"{name}_set", f"set('x','{escaped}','z') CHARACTER SET {name}"))
            row += [f"'{escaped}'", "7"]
            empty += ["'bad'", "0"]
    return Table("charsets", columns, [row, empty], options="ENGINE=MyISAM")


def _strings() -> Table:
    columns = [
        ("c255", "char(255) CHARACTER SET utf8mb4"),
        ("c1", "char(1) CHARACTER SET latin1"),
        ("v255", "varchar(255) CHARACTER SET latin1"),
        ("v256", "varchar(256) CHARACTER SET latin1"),
        ("tt", "tinytext"),
        ("mt", "mediumtext"),
        ("lt", "longtext"),
        ("b1", "binary(1)"),
        ("b16", "binary(16)"),
        ("b255", "binary(255)"),
        ("vb", "varbinary(300)"),
        ("tb", "tinyblob"),
        ("bl", "blob"),
        ("mb", "mediumblob"),
        ("lb", "longblob"),
        ("e1", "enum('one','t,wo','it''s')"),
        ("e300", "enum(" + ",".join(f"'l{i}'" for i in range(300)) + ")"),
        ("s8", "set('a','b','c','d','e','f','g','h')"),
        ("s64", "set(" + ",".join(f"'m{i}'" for i in range(64)) + ")"),
    ]
    full = "repeat('ü', {})"
    return Table(
        "strings",
        columns,
        [
            ["''"] * 15 + ["''", "''", "0", "0"],
            [
                full.format(255),
                "'ü'",
                full.format(255),
                full.format(256),
                "'t'",
                "repeat('m', 300)",
                "'l'",
                "x'00'",
                "x'0102000000'",
                "repeat(x'ff', 255)",
                "repeat(x'0100', 150)",
                "x'00'",
                "x'ff00'",
                "repeat('b', 300)",
                "x'80'",
                "'it''s'",
                "'l299'",
                "255",
                "18446744073709551615",
            ],
            [
                "'  a  '",
                "' '",
                "'b  '",
                "'c  '",
                "'  '",
                "'\\n\\t\"'",
                "'\\\\'",
                "x'20'",
                "x'00ff00'",
                "x'20'",
                "x'2000'",
                "x'2000'",
                "''",
                "x'00'",
                "x'00'",
                "'t,wo'",
                "'l255'",
                "'a,h,c'",
                "'m63,m0'",
            ],
            [
                "repeat('x', 64)",
                "'y'",
                "'z'",
                "'z'",
                "''",
                "''",
                "''",
                "x'01'",
                "repeat(x'0a', 16)",
                "''",
                "''",
                "''",
                "''",
                "''",
                "''",
                "'nothing'",
                "1",
                "'b'",
                "9223372036854775808",
            ],
        ],
    )


def _compressed() -> Table:
    kinds = ["varchar(100)", "varchar(1000)", "varbinary(100)", "tinytext", "text", "mediumblob"]
    columns = [(f"c{i}", f"{k} COMPRESSED") for i, k in enumerate(kinds)]
    columns.append(("latin", "varchar(500) COMPRESSED CHARACTER SET latin1"))
    columns.append(("j", "longtext COMPRESSED CHARACTER SET utf8mb4"))
    return Table(
        "compressed",
        columns,
        [
            ["''"] * 8,
            [
                "repeat('é', 49)",
                "repeat('abc', 300)",
                "repeat(x'00', 100)",
                "repeat('y', 200)",
                "repeat('z', 60000)",
                "repeat(x'ff', 70000)",
                "repeat('é', 300)",
                "'[1, 2]'",
            ],
            ["'short'", "'  '", "x'00'", "'é'", "'z'", "x'ff'", "'é'", "'{}'"],
        ],
    )


def _network() -> Table:
    uuids = [
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "123e4567-e89b-12d3-a456-426614174000",
        "550e8400-e29b-41d4-a716-446655440000",
        "018f3f6e-7b1a-7c3d-8e4f-1234567890ab",
        "01020304-0506-0708-090a-0b0c0d0e0f00",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    ]
    inet4 = ["0.0.0.0", "255.255.255.255", "10.0.0.0", "127.0.0.1", "1.2.3.4", "192.168.0.0"]
    inet6 = ["::", "::1", "::ffff:1.2.3.4", "::1.2.3.4", "2001:db8::", "1:0:3:4:5:6:7:8"]
    inet6 += ["1:0:0:4:5:0:0:8", "fe80::1:0:0:1", "1:2:3:4:5:6:7:0", "0:2:3:4:5:6:7:8"]
    inet6 += ["::ffff:0:1.2.3.4", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::5:6:7:8"]
    rows = [
        [
            f"'{uuids[i % len(uuids)]}'",
            f"'{inet4[i % len(inet4)]}'",
            f"'{inet6[i]}'",
            ["'{}'", "'[1,  2]'", '\'{"a": "é"}\''][i % 3],
        ]
        for i in range(len(inet6))
    ]
    columns = [("u", "uuid"), ("i4", "inet4"), ("i6", "inet6"), ("j", "json")]
    return Table("network", columns, rows, json=["j"])


def _json() -> Table:
    texts = [
        "null", "true", "false", "0", "-1", "32767", "-32768", "32768", "65535", "65536",
        "2147483647", "-2147483648", "4294967295", "4294967296", "9223372036854775807",
        "-9223372036854775808", "18446744073709551615", "18446744073709551616", "1.0", "0.1",
        "-0.0", "1e100", "1e-7", "123456789012345680000", "1e15", "1e16", "0.00001",
        '""', '"a"', '"é 日 😀"', '"\\\\u0000\\\\u0001\\\\u001f\\\\u007f'
        '\\\\b\\\\t\\\\n\\\\f\\\\r\\\\"/\\\\\\\\"',
        "[]", "{}", "[[]]", "[{}]", "[1, 2.5, \"x\", null, true, {\"a\": [1]}]",
        '{"bb": 1, "a": 2, "ccc": {"d": null}, "": 0, "é": "ü"}',
        '{"a": 1, "a": 2}', "[" * 99 + "]" * 99,
        '{"k\\\\"ey": "v\\\\\\\\"}',
    ]  # fmt: skip
    values = [f"'{t}'" for t in texts]
    values += [
        "json_array(cast(12345.678900 as decimal(20,6)), cast(-0.50 as decimal(4,2)))",
        "json_array(cast(99999999999999999999999999999999999999.5 as decimal(65,10)))",
        "cast(cast('2024-02-29' as date) as json)",
        "cast(cast('2024-02-29 12:34:56.789' as datetime(6)) as json)",
        "cast(cast('-838:59:59.5' as time(6)) as json)",
        "cast(cast('12:34:56' as time) as json)",
        "json_object('t', timestamp('2024-01-02 03:04:05'), 'z', cast('0000-00-00' as date))",
        "json_array(x'00ff10', x'')",
        "json_array(cast('abc' as binary), cast(repeat('x', 200) as binary))",
        "json_array(cast(repeat('y', 57) as binary), cast(repeat('y', 58) as binary))",
        "json_array(b'101', b'1')",
        "json_object('s', repeat('long ', 200))",
        "json_object('s', repeat('k', 127), 't', repeat('k', 128))",
        "(select json_arrayagg(n) from (with recursive c as (select 1 n union all"
        " select n + 1 from c where n < 900) select n from c) x)",
        "(select json_objectagg(concat('key', n), n * 70000) from (with recursive c as"
        " (select 1 n union all select n + 1 from c where n < 700) select n from c) x)",
        "json_array(repeat('p', 66000), 1, 40000, -5, 3000000000, true, json_array(7), 1.5)",
    ]
    return Table("json", [("j", "json")], [[v] for v in values])


def tables_of(is_mariadb: bool) -> list[Table]:
    """Those that the server can hold."""
    common = [
        _integers(),
        _decimals(),
        _floats(),
        _bits(),
        _times(),
        _strings(),
        _charsets(is_mariadb),
    ]
    return common + ([_compressed(), _network()] if is_mariadb else [_json()])
