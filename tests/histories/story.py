"""Short stories: each does on purpose, at every call or on either side, the one thing that a certain mistake would not survive.

The directed histories ask only whether all ended well; these know besides what must be there in the end, so that they also find what an outcome that is merely
accounted for would hide: a value that lost to the one over which it was typed, a record that came back, a question that was written over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from lab import Lab, Threshold
from oracle import Memory, settled
from somebody import Row

from stagesync.sandbox.faults import Fault
from stagesync.state.actions import ActionRow

ORDERS = (("hub", "crm", "hub2"), ("crm", "hub", "hub2"))
WORLDS = ("hub", "crm")
CALLS = {"hub": 3, "crm": 6}
COMMITS = 16
"""The most that a run makes which carries one edit over."""


class Meddled(Lab):
    """A lab in which answers and requests on the way can be tampered with. `tamper`: (world, request, answer) -> the answer that arrives."""

    tamper: Callable[[str, Any, Any], Any] | None = None
    sent: list[tuple[str, Any]]

    def way_to(self, world: Any) -> Any:
        """Every call goes through a door at which somebody may stand."""
        self.sent = []
        return Meddler(self, super().way_to(world).name, world)


class Meddler(Threshold):
    """Somebody at the door."""

    def __init__(self, lab: Meddled, name: str, world: Any) -> None:
        super().__init__(lab, name, world)
        self.meddled = lab

    def arrive(self, request: Any) -> Any:
        """The call sets out."""
        fault = super().arrive(request)
        self.meddled.sent.append((self.name, request))
        return fault

    def answer(self, request: Any, fault: Any = None) -> Any:
        """The answer as it arrives."""
        answer = super().answer(request, fault)
        return self.meddled.tamper(self.name, request, answer) if self.meddled.tamper is not None else answer


Story = Callable[[Meddled], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Case:
    """One directed history. `story` yields what is wrong on the way; whether it ended well is asked afterwards."""

    family: str
    name: str
    story: Story
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __str__(self) -> str:
        return f"{self.family}: {self.name}"


def wrong(case: Case, folder: Path) -> tuple[list[str], list[str]]:
    """What is wrong in the end, and the story."""
    folder.mkdir(parents=True)
    lab = Meddled(folder, **case.options)
    try:
        found = list(case.story(lab))
        lab.calm()
        lab.tamper = None
        lab.later(90_000)
        found += list(settled(lab)) + list(sound(lab))
        return found, [str(case), *lab.story]
    finally:
        lab.store.close()


# -- what must hold beside the oracle's own questions


def sound(lab: Lab) -> Iterator[str]:
    """Nobody's value lost to the one that it replaced, and what is a question was not written over."""
    memory = Memory(lab)
    acts = [act for mine in memory.acts.values() for act in mine if act.op == "overrule" and act.state == "overruled"]
    for doing in lab.doings:
        lost = [act for act in acts if act.field == doing.field and act.fields[doing.field][:2] == [doing.value, doing.before] and not _met(act)]
        if doing.met and doing.value is not None and doing.field != "stage" and lost:
            yield f"{doing.human}: {doing.field} {doing.value!r} lost to {doing.before!r}, over which it was typed"
    rows = {(row.world, row.id): row for world in lab.worlds() for row in lab.rows(world)}
    for hold in memory.holds:
        typed = [doing for doing in lab.doings if doing.field == hold.field and doing.number not in lab.windows and (doing.world, doing.id) in rows]
        last = max((doing for doing in typed if hold.person in _persons(lab, rows[(doing.world, doing.id)])), key=lambda doing: doing.number, default=None)
        if last is not None and rows[(last.world, last.id)].values[last.field] != last.value:
            yield f"{last.human}: {last.field} is a question, and {last.value!r} was written over"


def _met(act: ActionRow) -> bool:
    """At a meeting nobody knows who saw what."""
    return act.reason.startswith("first meeting")


def _persons(lab: Lab, row: Row) -> set[int | None]:
    link = lab.link(row)
    return {link.person} if link is not None else set()


# -- who there is


def human(lab: Lab, world: str, name: str = "Human1") -> Row:
    """Their record in that world."""
    return next(row for row in lab.rows(world) if row.values["last_name"] == name)


def email(name: str = "Human1") -> str:
    """The address under which somebody is made."""
    return f"{name.lower()}@x.example"


def acquainted(lab: Lab, world: str = "hub", **values: str | None) -> None:
    """Somebody whom all systems know, and somebody else, and then it is quiet."""
    lab.make(world, "Human1", {"email": email(), "city": "Bonn", "stage": "lead", **values})
    lab.make("crm", "Human2", {"email": email("Human2"), "city": "Trier", "stage": "mql"})
    for _ in range(3):
        lab.round()
    lab.later()


UPDATES = {"hub": "POST /crm/v3/objects/contacts/batch/update", "crm": "PATCH"}


def unwritten(lab: Lab, world: str) -> Iterator[str]:
    """A run in which nothing can be written there."""
    lab.worlds()[world].faults.add(Fault("status", UPDATES[world], status=503, times=99))
    before = lab.rows(world)
    lab.round()
    lab.calm()
    if lab.rows(world) != before:
        yield f"this history is out of date: {world} was written in spite of {UPDATES[world]}"


def places() -> Iterator[tuple[str, str, int]]:
    """(fault, place, number): each way to fail, at each call and commit of a run."""
    for world, calls in CALLS.items():
        yield from product(("dies", "lost_before", "lost_after"), (world,), range(1, calls + 1))
    yield from product(("dies",), ("commit",), range(1, COMMITS + 1))
