"""A random workload that is the same for the same seed, committed transaction by transaction."""

from __future__ import annotations

import random

import psycopg

from .postgres import Connection

ITEMS = """
CREATE TABLE items (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    price numeric(12,2),
    note text,
    changed timestamptz NOT NULL DEFAULT clock_timestamp()
)"""
# Long notes are kept outside the row, so that updates leave them unsent.
EXTERNAL = "ALTER TABLE items ALTER note SET STORAGE EXTERNAL"
QUIET = "CREATE TABLE quiet (id int PRIMARY KEY, word text)"


class Workload:
    """Changes to `items`: inserts, updates, deletes, key changes, several of one key a commit."""

    def __init__(self, connection: Connection, seed: int) -> None:
        self.connection = connection
        self.random = random.Random(seed)
        self.keys: list[int] = [
            int(row[0]) for row in connection.execute("SELECT id FROM items ORDER BY id")
        ]
        self.next_key = max(self.keys, default=0) + 1

    @staticmethod
    def create(connection: Connection, rows: int = 200) -> None:
        """Makes the tables and fills them."""
        connection.execute(ITEMS)
        connection.execute(EXTERNAL)
        connection.execute(QUIET)
        connection.execute(
            "INSERT INTO items SELECT i, 'item ' || i, i * 1.5, repeat(md5(i::text), 100)"
            " FROM generate_series(1, %s) i",
            (rows,),
        )
        connection.execute("INSERT INTO quiet VALUES (1, 'never changes')")

    def note(self) -> str:
        """A short note, or one long enough to be kept outside the row."""
        word = f"{self.random.random():.6f} "
        return word * (400 if self.random.random() < 0.3 else 1)

    def _insert(self) -> None:
        self.connection.execute(
            "INSERT INTO items (id, name, price, note) VALUES (%s, %s, %s, %s)",
            (
                self.next_key,
                f"item {self.next_key}",
                self.random.randrange(10**6) / 100,
                self.note(),
            ),
        )
        self.keys.append(self.next_key)
        self.next_key += 1

    def _update(self) -> None:
        key = self.random.choice(self.keys)
        if self.random.random() < 0.3:
            self.connection.execute("UPDATE items SET note = %s WHERE id = %s", (self.note(), key))
        else:
            self.connection.execute(
                "UPDATE items SET price = %s, changed = clock_timestamp() WHERE id = %s",
                (self.random.randrange(10**6) / 100, key),
            )

    def _move(self) -> None:
        index = self.random.randrange(len(self.keys))
        self.connection.execute(
            "UPDATE items SET id = %s WHERE id = %s", (self.next_key, self.keys[index])
        )
        self.keys[index] = self.next_key
        self.next_key += 1

    def _swap(self) -> None:
        a, b = self.random.sample(self.keys, 2)
        for before, after in ((a, -1), (b, a), (-1, b)):
            self.connection.execute("UPDATE items SET id = %s WHERE id = %s", (after, before))

    def _delete(self) -> None:
        key = self.keys.pop(self.random.randrange(len(self.keys)))
        self.connection.execute("DELETE FROM items WHERE id = %s", (key,))

    def _reinsert(self) -> None:
        key = self.random.choice(self.keys)
        self.connection.execute("DELETE FROM items WHERE id = %s", (key,))
        self.connection.execute(
            "INSERT INTO items (id, name, note) VALUES (%s, 'again', %s)", (key, self.note())
        )

    def transaction(self, changes: int = 10) -> None:
        """Commits one transaction; one in ten is rolled back instead."""
        steps = [self._insert] * 50 + [self._update] * 30 + [self._delete] * 8
        steps += [self._move] * 4 + [self._swap] * 4 + [self._reinsert] * 4
        held, next_key = list(self.keys), self.next_key
        with self.connection.transaction() as transaction:
            for _ in range(changes):
                step = self.random.choice(steps)
                (step if len(self.keys) > 2 else self._insert)()
            if self.random.random() < 0.1:
                self.keys, self.next_key = held, next_key
                raise psycopg.Rollback(transaction)

    def run(self, transactions: int, changes: int = 10) -> None:
        """Commits many."""
        for _ in range(transactions):
            self.transaction(changes)
