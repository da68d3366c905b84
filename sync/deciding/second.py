"""The question whether a second record of a system is the same human's as the one that is written. Pure.

It shares a key and a name with that one, and says something else. Until somebody answers it is set aside beside the person: it is not written, and of what it
says only an opt-out is heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from .copies import unlike
from .desk import Desk, Link, System
from .match import Doubt

SECOND = "second"
"""The kind of the question; behind it stands the system."""
SAME = "same"
"""The answer that they are one human's."""
DIFFERENT = "different"
"""The answer that each of the records beside the one that is written is another human's."""
RECORD = "second record"
"""The name under which it is held, in the place of a field's."""


class Second(NamedTuple):
    """What is asked. `best`: the record that is written; `others`: those beside it; `choices`: each of them -> what it says otherwise.

    `differs`: the names of what any of them says otherwise.
    """

    question: str
    reason: str
    choices: Mapping[str, str]
    best: int
    others: tuple[int, ...]
    differs: tuple[str, ...]


class Held(Protocol):
    """A question; `state.actions.ActionRow` and `planning.plan.Draft` are some."""

    @property
    def question(self) -> str | None:
        """What is asked."""
        ...

    @property
    def answer(self) -> str | None:
        """What somebody said."""
        ...

    @property
    def payload(self) -> Mapping[str, Any]:
        """`park`: the records beside the person's own."""
        ...


def second_of(desk: Desk, doubt: Doubt) -> Second:
    """The question, with the fields in which any of the records says something else."""
    best, others = doubt
    name = desk.systems[best.account].name
    differing = {other.id: unlike(desk, best, other) for other in others}
    mine = {field: said for found in differing.values() for field, (said, _) in found.items()}
    told = {_named(name, best): _told(mine)}
    told |= {_named(name, other): _told({field: said for field, (_, said) in differing[other.id].items()}) for other in others}
    reason = f"several records of {name} share a key and a name, and say different things"
    return Second(f"{SECOND}:{name}", reason, told, best.id, tuple(other.id for other in others), tuple(mine))


def still_asked(holds: Iterable[Held]) -> set[int]:
    """The records beside the person of which it is asked, and nobody has said what they are."""
    return {link for hold in holds if _is_open(hold) for link in hold.payload["park"]}


def asks_it(hold: Held, asked: Held) -> bool:
    """The open question `hold` is this one, whatever the records said when it was asked: there is no record in it of which was not asked yet."""
    return _is_open(hold) and hold.question == asked.question and set(asked.payload["park"]) <= set(hold.payload["park"])


def frozen(hold: Held, systems: Iterable[System]) -> bool:
    """It is about a system that is not connected now, of which nobody knows what its records say."""
    return _is_open(hold) and hold.question not in {f"{SECOND}:{system.name}" for system in systems}


def _is_open(hold: Held) -> bool:
    return (hold.question or "").startswith(f"{SECOND}:") and hold.answer in (None, "skip")


def _named(system: str, link: Link) -> str:
    return f"{system} {link.kind} {link.ref}"


def _told(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {'blank' if value is None else value}" for name, value in values.items()) or "the same"
