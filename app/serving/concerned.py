"""Whom the news of a run concerns: read from the state, only for those who asked to be told, since it is people's data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...model.errors import StagesyncError
from ...state import actions, links, people
from ...state.actions import ActionRow
from ...state.store import Tx
from .. import wiring
from ..configuration.config import Config
from ..views import words
from .course import Ended

_SHOWN = 5
_LONGEST = 60
_COMMANDS = frozenset('<>&|`*_~[]{}()!@#:;/\\"$%^=+')
"""Signs that chat programs, mail and terminals take for more than themselves. Names come from whoever filled in a form."""
_ADDRESS = re.compile(r"[\w.+'-]+@[\w.-]+")


def concerned(config: Config, ended: Ended) -> Mapping[str, str]:
    """Kind of news -> whom it is about, a few of them by name. Empty where the state does not answer: the news itself goes out all the same."""
    found: dict[str, str] = {}
    try:
        with wiring.looked_at(config) as place, place.store.read() as tx:
            if ended.report is not None and ended.report.new_holds:
                rows = actions.of_run(tx, ended.report.run, ("held",), 0, ended.report.new_holds, "hold")
                found["holds"] = _told(_whose(tx, rows))
            if ended.plan is not None and ended.plan.late:
                found["breaches"] = _told(_named(tx, ended.plan.late))
    except StagesyncError:
        return {}
    return found


def _whose(tx: Tx, rows: Iterable[ActionRow]) -> list[str]:
    """The people of some questions, each once; the record where nobody knows yet whose it is."""
    rows = list(rows)
    persons = dict.fromkeys(row.person for row in rows if row.person is not None)
    records = links.by_ids(tx, [row.link for row in rows if row.person is None and row.link is not None])
    return [*_named(tx, persons), *(f"{row.kind} {row.ref}" for row in records.values())]


def _named(tx: Tx, persons: Iterable[int]) -> list[str]:
    numbers = list(persons)
    known = people.by_ids(tx, numbers)
    return [_person(number, words.canonical_values(known[number].canonical) if number in known else {}) for number in numbers]


def _person(number: int, values: Mapping[str, Any]) -> str:
    """Name, address and our number, by which every command finds them."""
    name = " ".join(plain for part in ("first_name", "last_name") if (plain := _harmless(str(values.get(part) or ""))))
    email = str(values.get("email") or "")
    known = [email] if _ADDRESS.fullmatch(email) else []
    return f"{name} ({', '.join([*known, f'p{number}'])})".strip()


def _harmless(text: str) -> str:
    return "".join(" " if sign in _COMMANDS or not sign.isprintable() else sign for sign in text)[:_LONGEST].strip()


def _told(names: Sequence[str]) -> str:
    more = [f"and {len(names) - _SHOWN:,} more"] if len(names) > _SHOWN else []
    return ", ".join([*names[:_SHOWN], *more])
