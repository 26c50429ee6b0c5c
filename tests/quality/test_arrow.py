"""Arrow streams as a reader sees them that we did not write: pyarrow."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, localcontext
from typing import Any
from uuid import UUID

import pyarrow as pa
from deltalake import write_deltalake

from tests.lib.leat import ROOT, Leat

ROWS = 130
TYPES = {
    "id": pa.int64(),
    "bool": pa.bool_(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "decimal4": pa.decimal128(4, 2),
    "decimal9": pa.decimal128(9, 3),
    "decimal18": pa.decimal128(18, 0),
    "decimal38": pa.decimal128(38, 10),
    "string": pa.string(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
    "uuid": pa.uuid(),
    "json": pa.json_(),
}


def _decimal(unscaled: int, scale: int) -> Decimal:
    with localcontext() as context:
        context.prec = 50
        return Decimal(unscaled).scaleb(-scale)


def _row(i: int) -> dict[str, Any]:
    """The row that tests/unit/format/test_arrow.c makes."""
    micros = timedelta(microseconds=1)
    values = {
        "id": i << 40,
        "bool": i % 3 == 0,
        "int16": i - 60,
        "int32": i * -100000,
        "float32": i / 4,
        "float64": i / 3,
        "decimal4": _decimal(i * 7 - 400, 2),
        "decimal9": _decimal(i * -7001, 3),
        "decimal18": _decimal(i * 7000000000000001, 0),
        "decimal38": _decimal((2**63 - 1) ** 2 // 1000 * -i, 10),
        "string": f"row {i}" + (", länger als zwölf Bytes" if i % 5 == 0 else ""),
        "binary": bytes([i]) * i,
        "date": date(1970, 1, 1) + timedelta(days=i * 100 - 5000),
        "time": (datetime(1970, 1, 1) + i * 600000001 * micros).time(),
        "timestamp": datetime(1970, 1, 1) + (i - 65) * 86400000001 * micros,
        "timestamptz": datetime(1970, 1, 1, tzinfo=UTC) + (i - 65) * 3600000001 * micros,
        "uuid": UUID(bytes=bytes([i]) * 16),
        "json": json.dumps({"i": i}),
    }
    for place, name in enumerate(values):
        if place > 0 and (i + place) % 4 == 0:
            values[name] = None
    return values


def test_pyarrow_reads_all_types_that_the_writer_writes() -> None:
    with pa.ipc.open_stream(ROOT / "tests" / "golden" / "arrow" / "all_types.arrows") as stream:
        assert dict(zip(stream.schema.names, stream.schema.types, strict=True)) == TYPES
        table = stream.read_all()
    table.validate(full=True)
    assert [len(chunk) for chunk in table["id"].chunks] == [3, 61, 1, 65]
    assert table.to_pylist() == [_row(i) for i in range(ROWS)]
    assert table["time"][1].as_py() == time(0, 10, 0, 1)


def _stored_rows(times: int) -> pa.Table:
    """The rows above as a Delta table holds them, which has no time, uuid and JSON."""
    names = [name for name in TYPES if name not in ("time", "uuid", "json")]
    rows = [{name: _row(i)[name] for name in names} for i in range(ROWS)]
    once = pa.Table.from_pylist(rows, pa.schema({name: TYPES[name] for name in names}))
    return pa.concat_tables([once] * times).combine_chunks()


def test_pyarrow_reads_what_the_program_prints(leat: Leat) -> None:
    """Every type that a table can have, in many batches, to the last value."""
    path = leat.dir / "types"
    written = _stored_rows(500)
    write_deltalake(str(path), written)
    write_deltalake(str(path), _stored_rows(1), mode="append")
    command = leat.command("changes", str(path), "--format", "arrow")
    with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
        assert program.stdout
        with pa.ipc.open_stream(program.stdout) as stream:
            batches = list(stream)
        assert program.stdout.read() == b""
    assert program.returncode == 0
    assert len(batches) > 1
    found = pa.Table.from_batches(batches)
    found.validate(full=True)
    assert found.schema.types[: len(written.schema)] == written.schema.types
    assert found.column_names[-3:] == ["_change_type", "_commit_version", "_commit_timestamp"]
    assert set(found["_change_type"].to_pylist()) == {"insert"}
    rows = found.select(written.column_names)
    assert rows.slice(500 * ROWS).equals(_stored_rows(1))
    assert rows.slice(0, 500 * ROWS).sort_by("id").equals(written.sort_by("id"))
