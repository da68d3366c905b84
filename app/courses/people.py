"""Who is meant by what somebody types on the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

from ...mapping.problems import closest
from ...model.errors import ConfigurationError
from ...state.store import Store
from ...sync.deciding.claims import STAGE
from ...sync.deciding.desk import Desk
from ...sync.people.who import Scope, find_asked, find_people


def named(whos: Iterable[str] | None) -> tuple[str, ...]:
    """The names that are meant; none means everybody. `-` reads them from stdin, one a line. Raises `ConfigurationError` where stdin names nobody."""
    if not whos:
        return ()
    names = tuple(name for who in whos for name in (_from_stdin() if who == "-" else [who]))
    if not names:
        raise ConfigurationError("nobody was named on stdin", where="WHO", next_step="write one e-mail address, number (p12) or SYSTEM:ID on each line")
    return names


def chosen(store: Store, workspace: int, systems: Mapping[str, int], whos: Iterable[str] | None) -> frozenset[int] | None:
    """The people that are meant; None where nobody was named, which means all. Raises `ConfigurationError` for a name that nobody has."""
    names = named(whos)
    if not names:
        return None
    with store.read() as tx:
        return frozenset(person for name in names for person in find_people(tx, workspace, systems, name))


def asked(store: Store, workspace: int, systems: Mapping[str, int], whos: Iterable[str] | None) -> Scope | None:
    """Whose questions are meant; None where nobody was named, which means all. Raises `ConfigurationError` for a name that nobody has."""
    names = named(whos)
    if not names:
        return None
    with store.read() as tx:
        return find_asked(tx, workspace, systems, names)


def _from_stdin() -> list[str]:
    return [line.strip() for line in sys.stdin if line.strip()]


def check_field(desk: Desk, field: str | None) -> None:
    """Raises `ConfigurationError` for a field that is not mapped."""
    known = [STAGE, *desk.maps.fields]
    if field is not None and field not in known:
        raise ConfigurationError(f"no field is called {field!r}", where="FIELD", next_step=closest(field, known))
