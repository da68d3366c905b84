"""Who is meant by what somebody types on the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

from ..mapping.problems import closest
from ..model.errors import ConfigurationError
from ..state.store import Store
from ..sync.desk import Desk
from ..sync.staging import STAGE
from ..sync.who import find_people


def chosen(store: Store, workspace: int, systems: Mapping[str, int], whos: Iterable[str] | None) -> frozenset[int] | None:
    """The people that are meant; None where nobody was named, which means all. `-` reads names from stdin, one a line.

    Raises `ConfigurationError` for a name that nobody has.
    """
    if not whos:
        return None
    named = [name for who in whos for name in (_from_stdin() if who == "-" else [who])]
    if not named:
        raise ConfigurationError("nobody was named on stdin", where="WHO", next_step="write one e-mail address, number (p12) or SYSTEM:ID on each line")
    with store.read() as tx:
        return frozenset(person for name in named for person in find_people(tx, workspace, systems, name))


def _from_stdin() -> list[str]:
    return [line.strip() for line in sys.stdin if line.strip()]


def check_field(desk: Desk, field: str | None) -> None:
    """Raises `ConfigurationError` for a field that is not mapped."""
    known = [STAGE, *desk.maps.fields]
    if field is not None and field not in known:
        raise ConfigurationError(f"no field is called {field!r}", where="FIELD", next_step=closest(field, known))
