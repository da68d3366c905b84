"""Columns that our bookkeeping asks for and can do without: hidden from this user, they are left out instead of failing the whole query."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .errors import Refusal, names_unknown_field
from .rows import DISPENSABLE

_SELECT = re.compile(r"SELECT (\S+) FROM (\w+)")


class Spared:
    """What is left out, by object. It is learned from refusals, for the life of a connection."""

    def __init__(self) -> None:
        self._names: set[tuple[str, str]] = set()

    def of(self, source: str, names: Sequence[str]) -> list[str]:
        """The names without those that are left out."""
        return [name for name in names if (source, name) not in self._names]

    def query(self, query: str) -> str:
        """The query without those columns."""
        found = _SELECT.match(query) if self._names else None
        if found is None:
            return query
        names = ",".join(self.of(found.group(2), found.group(1).split(",")))
        return f"SELECT {names} FROM {found.group(2)}{query[found.end() :]}"

    def learns(self, query: str, refused: Sequence[Refusal]) -> bool:
        """Whether the refusal of a query names a column that can be left out from now on."""
        found = _SELECT.match(query)
        return found is not None and self.learns_of(found.group(2), refused)

    def learns_of(self, source: str, refused: Sequence[Refusal]) -> bool:
        """The same for a read of one object's records."""
        field = next((each.field for each in refused if names_unknown_field(each)), None)
        if field not in DISPENSABLE or (source, field) in self._names:
            return False
        self._names.add((source, field))
        return True
