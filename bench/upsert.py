"""The yardstick: what the driver alone needs to upsert one link per record, in the same run, on rows of the same content.

The table has the columns and indexes of ours, the rows are those that the run left in the state, and their JSON columns are encoded on the clock.
The driver is sqlite3, journal in WAL, synchronous FULL, 5,000 rows a transaction.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson

_AT_ONCE = 5_000
_JSON = ("seen", "agreed", "carried", "claim")


def upsert_us(database: Path) -> float:
    """CPU microseconds per row; the median of three, each into an empty table."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as source:
        schema = [text for (text,) in source.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'link' AND sql IS NOT NULL ORDER BY type DESC")]
        cursor = source.execute("SELECT * FROM link")
        names = [each[0] for each in cursor.description]
        json = [place for place, name in enumerate(names) if name in _JSON]
        rows = [[orjson.loads(value) if place in json and value is not None else value for place, value in enumerate(row)] for row in cursor]
        page = source.execute("PRAGMA page_size").fetchone()[0]
    source.close()
    return sorted(_once(schema, names, json, rows, page) for _ in range(3))[1]


def _once(schema: list[str], names: list[str], json: list[int], rows: list[list[Any]], page: int) -> float:
    key = {"workspace", "account", "kind", "ref"}
    changed = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key | {"id"})
    statement = f"INSERT INTO link VALUES ({', '.join('?' * len(names))}) ON CONFLICT (workspace, account, kind, ref) DO UPDATE SET {changed}"
    with tempfile.TemporaryDirectory(prefix="stagesync-bench-") as folder:
        connection = sqlite3.connect(Path(folder) / "upsert.db", isolation_level=None)
        for pragma in (f"page_size = {page}", "journal_mode = WAL", "synchronous = FULL", "cache_size = -16384"):
            connection.execute(f"PRAGMA {pragma}")
        for text in schema:
            connection.execute(text)
        before = time.process_time()
        for start in range(0, len(rows), _AT_ONCE):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(statement, [_encoded(row, json) for row in rows[start : start + _AT_ONCE]])
            connection.execute("COMMIT")
        used = time.process_time() - before
        connection.close()
    return used / len(rows) * 1e6


def _encoded(row: list[Any], json: list[int]) -> list[Any]:
    encoded = row.copy()
    for place in json:
        if encoded[place] is not None:
            encoded[place] = orjson.dumps(encoded[place]).decode()
    return encoded
