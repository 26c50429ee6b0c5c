"""A random workload with DDL on MariaDB or MySQL that is the same for the same seed.

Tables: `items` with a column of every type, `pairs` with a key of two columns, `legacy` which is
not transactional (MyISAM), and `quiet` which never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from .mysql import MySQLDatabase
from .mysql_values import AS_TEXT, TYPES, declaration, value

Key = tuple[Any, ...]

ADDED_MOST = 6  # columns of a table that came by ALTER TABLE


@dataclass
class WorkTable:
    """A table, and which keys and columns it has now."""

    name: str
    key: dict[str, str]  # columns of the primary key -> declaration
    columns: dict[str, str]  # other columns -> name of their type in TYPES
    engine: str = "InnoDB"
    keys: list[Key] = field(default_factory=list)

    @property
    def where(self) -> str:
        """The condition that finds one row."""
        return " AND ".join(f"{name} = %s" for name in self.key)

    def created(self) -> str:
        """Its CREATE TABLE."""
        columns = [f"{name} {kind} NOT NULL" for name, kind in self.key.items()]
        columns += [f"{name} {declaration(kind)}" for name, kind in self.columns.items()]
        columns += [f"PRIMARY KEY ({', '.join(self.key)})"]
        body = ",\n    ".join(columns)
        return (
            f"CREATE TABLE {self.name} (\n    {body}\n)"
            f" ENGINE = {self.engine} DEFAULT CHARACTER SET utf8mb4"
        )


def all_tables() -> list[WorkTable]:
    """The tables, as they begin."""
    code = "varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    few = ("number", "name", "price", "at_6", "old", "parts")
    return [
        WorkTable("items", {"id": "bigint"}, {kind: kind for kind in TYPES}),
        WorkTable("pairs", {"code": code, "n": "int"}, {kind: kind for kind in few}),
        WorkTable("legacy", {"id": "int unsigned"}, {kind: kind for kind in few}, "MyISAM"),
    ]


class MySQLWorkload:
    """Transactions over several tables, and DDL between them."""

    def __init__(self, database: MySQLDatabase, seed: int) -> None:
        """Continues on tables of create() that no other workload changes."""
        self.database = database
        self.random = Random(seed)
        self.counts: dict[str, int] = {}
        self.state = {table.name: table for table in all_tables()}
        self.next_number = 1
        self._added = 0
        for table in self.state.values():
            self._read(table)

    @staticmethod
    def create(database: MySQLDatabase, rows: int = 100, seed: int = 0) -> None:
        """Makes the tables and fills them."""
        for table in all_tables():
            database.execute(table.created())
        database.execute("CREATE TABLE quiet (id int PRIMARY KEY, word text)")
        database.execute("INSERT INTO quiet VALUES (1, 'never changes')")
        workload = MySQLWorkload(database, seed)
        for table in workload.state.values():
            # MySQL: with GTIDs tables that are not transactional take part in none.
            database.execute("BEGIN" if table.engine == "InnoDB" else "DO 0")
            for _ in range(rows):
                workload._insert(table)
            database.execute("COMMIT")

    @property
    def tables(self) -> dict[str, list[str]]:
        """database.table -> the columns of its key, of all tables."""
        found = {table.name: list(table.key) for table in self.state.values()}
        return {self.database.table(name): key for name, key in {**found, "quiet": ["id"]}.items()}

    @property
    def as_text(self) -> list[str]:
        """The columns to name in `as_text` of a pipeline: database.table.column."""
        return [self.database.table(f"items.{column}") for column in AS_TEXT]

    def run(self, transactions: int, changes: int = 10, ddl: float = 0.05) -> None:
        """Commits so many transactions; `ddl` is the chance of a DDL statement before each."""
        for _ in range(transactions):
            if self.random.random() < ddl:
                self.change_schema()
            if self.random.random() < 0.15:
                self.change_legacy()
            self.transaction(changes)

    # Rows.

    def transaction(self, changes: int = 10) -> None:
        """Commits one transaction over both transactional tables; one in ten is rolled back.

        Savepoints inside are rolled back to, or released.
        """
        held = self._keys()
        self.database.execute("BEGIN")
        for _ in range(1 + self.random.randrange(changes)):
            if self.random.random() < 0.1:
                self._savepoint()
            else:
                self._step()
        if self.random.random() < 0.1:
            self._restore(held)
            self._do("rollback", "ROLLBACK")
        else:
            self._do("commit", "COMMIT")

    def change_legacy(self) -> None:
        """Changes rows of the table that is not transactional, each at once."""
        for _ in range(1 + self.random.randrange(5)):
            self._change(self.state["legacy"])

    def _savepoint(self) -> None:
        held = self._keys()
        self.database.execute("SAVEPOINT s")
        for _ in range(1 + self.random.randrange(4)):
            self._step()
        if self.random.random() < 0.5:
            self._restore(held)
            self._do("rollback to savepoint", "ROLLBACK TO SAVEPOINT s")
        else:
            self._do("release savepoint", "RELEASE SAVEPOINT s")

    def _step(self) -> None:
        self._change(self.state["items" if self.random.random() < 0.6 else "pairs"])

    def _change(self, table: WorkTable) -> None:
        steps: Mapping[Callable[[WorkTable], None], int] = {
            self._insert: 35,
            self._insert_several: 5,
            self._upsert: 6,
            self._replace: 6,
            self._update: 22,
            self._update_several: 5,
            self._touch: 3,
            self._move: 5,
            self._swap: 3,
            self._delete: 8,
            self._delete_several: 2,
            self._reinsert: 4,
        }
        (step,) = self.random.choices(list(steps), list(steps.values()))
        (step if len(table.keys) > 4 else self._insert)(table)

    def _insert(self, table: WorkTable) -> None:
        self._write("INSERT", table, [self._new_key(table)])

    def _insert_several(self, table: WorkTable) -> None:
        count = 2 + self.random.randrange(6)
        self._write("INSERT", table, [self._new_key(table) for _ in range(count)])

    def _replace(self, table: WorkTable) -> None:
        keys = [self._any_key(table), self._new_key(table)]
        self._write("REPLACE", table, keys)

    def _upsert(self, table: WorkTable) -> None:
        kind = self._any_column(table)
        tail = f"ON DUPLICATE KEY UPDATE {kind} = VALUES({kind})" if kind else ""
        if tail:
            self._write("INSERT", table, [self._any_key(table), self._new_key(table)], tail)

    def _write(self, verb: str, table: WorkTable, keys: list[Key], tail: str = "") -> None:
        """Writes rows with these keys; where the table has one of them, the statement allows it."""
        names = [*table.key, *table.columns]
        row = f"({', '.join(['%s'] * len(names))})"
        values: list[Any] = []
        for key in keys:
            values += [*key, *(value(kind, self.random) for kind in table.columns.values())]
            if key not in table.keys:
                table.keys.append(key)
        rows = ", ".join([row] * len(keys))
        sql = f"{verb} INTO {table.name} ({', '.join(names)}) VALUES {rows} {tail}"
        self._do("upsert" if tail else verb.lower(), sql, values)

    def _update(self, table: WorkTable) -> None:
        count = min(len(table.columns), 1 + self.random.randrange(3))
        columns = self.random.sample(sorted(table.columns), count)
        sets = ", ".join(f"{name} = %s" for name in columns)
        values = [value(table.columns[name], self.random) for name in columns]
        if columns:
            key = self._any_key(table)
            self._do(
                "update", f"UPDATE {table.name} SET {sets} WHERE {table.where}", [*values, *key]
            )

    def _update_several(self, table: WorkTable) -> None:
        column = self._any_column(table)
        if column:
            new = value(table.columns[column], self.random)
            first, last = sorted((self._any_key(table), self._any_key(table)))
            place = ", ".join(table.key)
            holes = ", ".join(["%s"] * len(table.key))
            self._do(
                "update several",
                f"UPDATE {table.name} SET {column} = %s"
                f" WHERE ({place}) >= ({holes}) AND ({place}) <= ({holes})",
                [new, *first, *last],
            )

    def _touch(self, table: WorkTable) -> None:
        """Updates a part of a document, and elsewhere a row to what it is."""
        key = self._any_key(table)
        if "doc" in table.columns and self.random.random() < 0.8:
            change = "doc = JSON_SET(doc, '$.n', %s)"
            parameters: list[Any] = [self.random.randrange(1000), *key]
        else:
            name = next(iter(table.key))
            change, parameters = f"{name} = {name}", [*key]
        self._do("touch", f"UPDATE {table.name} SET {change} WHERE {table.where}", parameters)

    def _move(self, table: WorkTable) -> None:
        self._rename(table, self._any_key(table), self._new_key(table))

    def _swap(self, table: WorkTable) -> None:
        a, b = self.random.sample(table.keys, 2)
        free = self._new_key(table)
        for before, after in ((a, free), (b, a), (free, b)):
            self._rename(table, before, after)

    def _rename(self, table: WorkTable, before: Key, after: Key) -> None:
        sets = ", ".join(f"{name} = %s" for name in table.key)
        table.keys[table.keys.index(before)] = after
        self._do(
            "key change", f"UPDATE {table.name} SET {sets} WHERE {table.where}", [*after, *before]
        )

    def _delete(self, table: WorkTable) -> None:
        key = table.keys.pop(self.random.randrange(len(table.keys)))
        self._do("delete", f"DELETE FROM {table.name} WHERE {table.where}", key)

    def _delete_several(self, table: WorkTable) -> None:
        keys = self.random.sample(table.keys, 3)
        table.keys = [key for key in table.keys if key not in keys]
        conditions = " OR ".join([f"({table.where})"] * len(keys))
        values = [part for key in keys for part in key]
        self._do("delete several", f"DELETE FROM {table.name} WHERE {conditions}", values)

    def _reinsert(self, table: WorkTable) -> None:
        key = self._any_key(table)
        self._do("delete", f"DELETE FROM {table.name} WHERE {table.where}", key)
        self._write("INSERT", table, [key])

    # DDL.

    def change_schema(self) -> None:
        """Runs one statement that changes a table, sometimes in the middle of a transaction."""
        inside = self.random.random() < 0.2
        if inside:
            self.database.execute("BEGIN")
            self._step()
        table = self.state[self.random.choice(("items", "pairs", "legacy"))]
        steps: Mapping[Callable[[WorkTable], None], int] = {
            self._add_column: 5,
            self._drop_column: 4,
            self._make_index: 1,
            self._truncate: 1,
        }
        (step,) = self.random.choices(list(steps), list(steps.values()))
        step(table)  # commits what was begun
        if inside:
            self._step()
            self.database.execute("COMMIT")

    def _add_column(self, table: WorkTable) -> None:
        if self._added_columns(table) >= ADDED_MOST:
            self._drop_column(table)
            return
        self._added += 1
        kind = self.random.choice([kind for kind in TYPES if kind not in AS_TEXT])
        name = f"added_{self._added}"
        before = self._any_column(table)
        place = self.random.choice(("", "FIRST", f"AFTER {before}" if before else ""))
        self._do(
            "add column",
            f"ALTER TABLE {table.name} ADD COLUMN {name} {declaration(kind)} {place}",
        )
        table.columns[name] = kind

    def _drop_column(self, table: WorkTable) -> None:
        # Of those that were there at first some stay: the comparison shall have something to say.
        droppable = [name for name in table.columns if name.startswith("added_")]
        if len(table.columns) > 20 and self.random.random() < 0.3:
            droppable = [name for name in table.columns if name not in ("doc", *AS_TEXT)]
        if droppable:
            name = self.random.choice(droppable)
            del table.columns[name]
            self._do("drop column", f"ALTER TABLE {table.name} DROP COLUMN {name}")

    def _make_index(self, table: WorkTable) -> None:
        if "number" in table.columns:
            self._do("create index", f"CREATE INDEX by_number ON {table.name} (number)")
            self._do("drop index", f"DROP INDEX by_number ON {table.name}")

    def _truncate(self, table: WorkTable) -> None:
        table.keys = []
        self._do("truncate", f"TRUNCATE TABLE {table.name}")

    # Inside.

    def _do(self, what: str, sql: str, parameters: Any = ()) -> None:
        self.database.execute(sql, parameters)
        self.counts[what] = self.counts.get(what, 0) + 1

    def _read(self, table: WorkTable) -> None:
        place = ", ".join(table.key)
        rows = self.database.execute(f"SELECT {place} FROM {table.name} ORDER BY {place}")
        table.keys = [tuple(row) for row in rows]
        numbers = [int(key[-1]) for key in table.keys]
        self.next_number = max([self.next_number, *(number + 1 for number in numbers)])
        now = self.database.execute(
            "SELECT COLUMN_NAME FROM information_schema.COLUMNS"
            " WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s",
            (self.database.name, table.name),
        )
        names = {str(row[0]) for row in now} - set(table.key)
        if names != set(table.columns):
            raise LookupError(f"{table.name} was altered: one workload a table")

    def _keys(self) -> dict[str, list[Key]]:
        return {table.name: list(table.keys) for table in self.state.values()}

    def _restore(self, held: dict[str, list[Key]]) -> None:
        for name, keys in held.items():
            self.state[name].keys = keys

    def _new_key(self, table: WorkTable) -> Key:
        number = self.next_number
        self.next_number += 1
        if len(table.key) == 1:
            return (number,)
        return (self.random.choice(("a", "A", "ä", "b c", "")) + str(number % 7), number)

    def _any_key(self, table: WorkTable) -> Key:
        return self.random.choice(table.keys)

    def _any_column(self, table: WorkTable) -> str | None:
        return self.random.choice(sorted(table.columns)) if table.columns else None

    @staticmethod
    def _added_columns(table: WorkTable) -> int:
        return sum(name.startswith("added_") for name in table.columns)
