"""Whether anybody is in a file twice, where there may be more ids than memory holds: on the disk, in a database without a name, gone with the program."""

from __future__ import annotations

import sqlite3

from .ways import Unusable

_AT_ONCE = 10_000


class Once:
    """The ids that have come."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("CREATE TABLE contact (id INTEGER PRIMARY KEY)")
        self._db.execute("BEGIN")
        self._waiting: list[tuple[int]] = []

    def add(self, id: str) -> None:
        """One more. That it has come before is seen now or later, at the latest at the end: raises `Unusable`."""
        self._waiting.append((int(id),))
        if len(self._waiting) == _AT_ONCE:
            self.end()

    def end(self) -> None:
        """All have come. Raises `Unusable` where one has twice."""
        try:
            self._db.executemany("INSERT INTO contact VALUES (?)", self._waiting)
        except sqlite3.IntegrityError:
            raise Unusable("its file has a contact twice") from None
        except sqlite3.Error as error:
            raise Unusable("there is no room for its ids: TMPDIR says where they are put") from error
        self._waiting.clear()

    def close(self) -> None:
        """Let go of the ids."""
        self._db.close()
