"""The directed histories: a change, something that goes wrong at the n-th call or commit of the run that carries it over, and the same field changed again.

Random histories find most bugs; those in which our own half-acknowledged write looks like somebody's edit later need this order of events, which chance rarely
brings about. Every case is one family, one place, one trouble and one world in which somebody acts again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Literal

from lab import Lab
from oracle import settled
from somebody import Row

from stagesync.sandbox.faults import Fault

Trouble = Literal["dies", "died after", "lost_before", "lost_after", "truncated"]
PLACES = [*((name, number) for name in ("hub", "crm") for number in range(1, 9)), *(("commit", number) for number in range(1, 22))]
"""Calls to either world, and commits of the state: more than any of these runs makes; where one makes fewer, the trouble stays out and the rest happens."""


@dataclass(frozen=True, slots=True)
class Family:
    """What is changed before the run, and what somebody does again in a world at the moment of trouble."""

    act: Callable[[Lab], None]
    again: Callable[[Lab, str], None]
    second: bool = False


def one(lab: Lab, world: str, human: str = "Human1") -> Row | None:
    """Their record in that world, if it is there."""
    return next((row for row in lab.rows(world) if row.values["last_name"] == human), None)


def typed(lab: Lab, world: str, name: str, value: str | None, human: str = "Human1") -> None:
    """Somebody types into their record there, if it is there."""
    row = one(lab, world, human)
    if row is not None:
        lab.type(row, name, value)


def _edit(lab: Lab) -> None:
    typed(lab, "hub", "city", "Ulm")
    typed(lab, "hub", "stage", "sql")


def _clear(lab: Lab) -> None:
    typed(lab, "hub", "city", None)


def _both(lab: Lab) -> None:
    typed(lab, "hub", "city", "Ulm")
    typed(lab, "crm", "city", "Jena")


def _create(lab: Lab) -> None:
    lab.make("hub", "Human3", {"email": "human3@x.example", "city": "Ulm", "stage": "mql"})


def _address(lab: Lab) -> None:
    typed(lab, "crm", "email", "new1@x.example")


def _lower(lab: Lab) -> None:
    typed(lab, "crm", "stage", "lead", "Human2")


def _delete(lab: Lab) -> None:
    typed(lab, "hub", "city", "Ulm")
    row = one(lab, "crm")
    if row is not None:
        lab.delete(row)


def _convert(lab: Lab) -> None:
    typed(lab, "hub", "city", "Ulm")
    row = one(lab, "crm")
    if row is not None:
        lab.convert(row)


def _merge(lab: Lab) -> None:
    row = one(lab, "hub")
    other = lab.make("hub", "Human1", {"email": "twin1@x.example", "city": "Ulm"})
    if row is not None and other is not None:
        lab.merge(row, other)


def _third(lab: Lab) -> None:
    typed(lab, "hub2", "city", "Ulm")
    typed(lab, "hub2", "stage", "sql")


def _swap(lab: Lab) -> None:
    first, second = one(lab, "crm"), one(lab, "crm", "Human2")
    if first is not None and second is not None:
        lab.swap(first, second)


def _opted(lab: Lab) -> None:
    """One of the two who swap has opted out, and all systems know it."""
    row = one(lab, "crm")
    if row is not None:
        lab.opt_out(row)
    lab.round()
    lab.later()
    _swap(lab)


def _blind(lab: Lab) -> None:
    """A record is made while the credential does not see one of its fields."""
    lab.hub.switch(hidden_properties=("jobtitle",))
    lab.make("hub", "Human3", {"email": "human3@x.example", "job_title": "CEO", "stage": "mql"})


def _seen(lab: Lab, world: str) -> None:
    lab.hub.switch(hidden_properties=())
    _city(lab, world)


def _city(lab: Lab, world: str) -> None:
    typed(lab, world, "city", "Kiel")


def _met_elsewhere(lab: Lab, world: str) -> None:
    """Somebody makes the same new human by hand there, or edits the one that is there already."""
    if one(lab, world, "Human3") is not None:
        typed(lab, world, "city", "Kiel", "Human3")
    else:
        lab.make(world, "Human3", {"email": "human3@x.example", "city": "Kiel"})


def _new_address(lab: Lab, world: str) -> None:
    typed(lab, world, "email", "newer1@x.example")


def _raised(lab: Lab, world: str) -> None:
    typed(lab, world, "stage", "sql", "Human2")


FAMILIES: dict[str, Family] = {
    "edit": Family(_edit, _city),
    "clear": Family(_clear, _city),
    "both": Family(_both, _city),
    "create": Family(_create, _met_elsewhere),
    "address": Family(_address, _new_address),
    "lower": Family(_lower, _raised),
    "delete": Family(_delete, _city),
    "convert": Family(_convert, _city),
    "merge": Family(_merge, _city),
    "swap": Family(_swap, _city),
    "opted": Family(_opted, _city),
    "blind": Family(_blind, _seen),
    "third": Family(_third, _city, second=True),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One directed history. `again`: the world in which somebody acts again, at the same call or, where the run makes fewer, right after it."""

    family: str
    place: str
    number: int
    trouble: Trouble
    again: str

    def __str__(self) -> str:
        return f"{self.family}: {self.trouble} at {self.place} {self.number}, again in {self.again}"


@cache
def cases() -> tuple[Case, ...]:
    """All of them, in a fixed order."""
    return tuple(_cases())


def _cases() -> Iterator[Case]:
    for family, what in FAMILIES.items():
        for place, number in PLACES:
            troubles: tuple[Trouble, ...] = ("dies", "died after") if place == "commit" else ("dies", "lost_before", "lost_after", "truncated")
            for trouble in troubles:
                for again in ("hub", "crm", "hub2") if what.second else ("hub", "crm"):
                    yield Case(family, place, number, trouble, again)


def sample(count: int) -> list[int]:
    """So many of the cases' numbers, each family, place, trouble and world among them, always the same ones."""
    every = list(range(len(cases())))
    Random(4711).shuffle(every)
    return sorted(every[:count])


def directed(number: int, folder: Path) -> tuple[list[str], list[str]]:
    """The case of that number: what is wrong in the end, and the story."""
    folder.mkdir()
    case = cases()[number]
    family = FAMILIES[case.family]
    lab = Lab(folder, random=Random(number), second=family.second)
    try:
        _lived(lab, case, family)
        return list(settled(lab)), [f"{number}: {case}", *lab.story]
    finally:
        lab.store.close()


def _lived(lab: Lab, case: Case, family: Family) -> None:
    lab.make("hub", "Human1", {"email": "human1@x.example", "city": "Bonn", "stage": "lead"})
    lab.make("crm", "Human2", {"email": "human2@x.example", "stage": "mql"})
    lab.round()
    lab.later()
    family.act(lab)
    if case.trouble in ("dies", "died after"):
        lab.dies_at = ("committed" if case.trouble == "died after" else case.place, case.number)
    else:
        lab.worlds()[case.place].faults.add(Fault(case.trouble, skip=case.number - 1))
    lab.moments[(case.again, case.number)] = lambda: family.again(lab, case.again)
    lab.round()
    lab.calm()
    lab.later()
