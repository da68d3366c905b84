"""Values that chase each other: two systems, or a system and a rule, that correct each other over and over, each time by what looks like an edit. Pure.

A workflow in one system writes "DE", a flow in another "Germany", and we would carry each over to the other for ever. It shows in the journal: a value comes
back that has been replaced twice already within a week, not always by the same. So of two values the fourth change is not made, and of any number of them in a
circle the first one that would begin a third round. Somebody is asked instead; what counts after that is what happens after the answer. Neither somebody who
changes their mind in one system nor a title that really goes back and forth over the months is caught.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from ...model.stages import StageReading
from .claims import STAGE, words_of
from .decision import UNDO, Decision, Hold, Stay
from .desk import Desk

WINDOW_MS = 7 * 24 * 3600 * 1000
"""What is older than this is another story."""
ROUNDS = 2
"""So often a value may be replaced and come back."""
KIND = "loop"
"""The kind of question that somebody is asked."""
PUT_BACK = "stagesync"
"""By whom a value is put back that a rule has overruled."""


Row = Any
"""A row of `state.actions` (`ActionRow`); its attributes are used, nothing else of state."""
_Move: TypeAlias = tuple[Any, Any, str]
"""(before, after, by whom)."""


class Flip(NamedTuple):
    """One value that took the place of another. `by`: the system that it came from, or what put it back; `at` in ms."""

    before: Any
    after: Any
    by: str
    at: int


def quarrel(past: Iterable[Flip], flip: Flip) -> tuple[str, ...]:
    """Who keeps correcting whom, if `flip` would only go on with it; else nobody. `past`: what went before it, oldest first."""
    known = [each for each in past if each.at >= flip.at - WINDOW_MS]
    replaced = [index for index, each in enumerate(known) if each.before == flip.after != each.after]
    if len(replaced) < ROUNDS:
        return ()
    who = {each.by for each in (*known[replaced[-ROUNDS] :], flip)}
    return tuple(sorted(who)) if len(who) > 1 else ()


def moving(desk: Desk, decision: Decision, answered: Container[str]) -> list[str]:
    """The fields of which a value moves that has moved before, or is put back, and nobody has just decided that it shall.

    What the lifecycle fills follows the stage, and is not looked at by itself.
    """
    old = {name for name, change in decision.changed.items() if change[2] > 2 * ROUNDS}  # only then can a value have come back so often
    names = {name for name in (*old, *(each.field for each in decision.overruled)) if name not in answered}
    return sorted(name for name in names if name == STAGE or (name in desk.maps.fields and desk.maps.fields[name].heard))


def loops(desk: Desk, decision: Decision, asked: Sequence[Row], answered: Container[str], journal: Sequence[tuple[int, Row]], now: int) -> dict[str, Hold]:
    """Field -> the question, where this decision would only go on with a quarrel. `asked`: the person's open questions; `journal`: see `flips_of`."""
    systems = {account: system.name for account, system in desk.systems.items()}
    found: dict[str, Hold] = {}
    for name in moving(desk, decision, answered):
        past = flips_of(journal, name, systems)
        for flip in coming(decision, name, now):
            who = quarrel(past, flip) or still_asked(asked, name, flip)
            if who:
                found[name] = question(name, who)
            past.append(flip)
    return found


def flips_of(rows: Iterable[tuple[int, Row]], name: str, systems: Mapping[int, str]) -> list[Flip]:
    """What the journal tells of one field, oldest first: (when, row) of decisions, overruled values and answered questions. `systems`: account -> name.

    It begins anew where somebody has decided: by an answer, or by an undo.
    """
    found: list[Flip] = []
    for at, row in rows:
        if row.op == "hold":
            if row.field == name:
                found.clear()
        elif row.op == "overrule":
            if row.field == name:
                lost, winner, *_ = row.fields[name]
                found += [Flip(winner, lost, systems.get(row.account or 0, PUT_BACK), at), Flip(lost, winner, PUT_BACK, at)]
        elif name in row.fields:
            found += _at(_moves(name, row.fields[name], row.payload), at)
            if found and found[-1].by == UNDO:
                found.clear()
    return found


def coming(decision: Decision, name: str, now: int) -> list[Flip]:
    """The changes of the field that this decision would make, and the values that it would put back."""
    memory = {"stays": decision.stays, "canonical": decision.canonical}
    moved = _moves(name, decision.changed[name], memory) if name in decision.changed else []
    owed = {view.system.name for view in decision.views if name in view.fields}
    put_back = [(each.winner, each.value, each.system) for each in decision.overruled if each.field == name and each.system in owed]
    return _at([*moved, *put_back], now)


def _at(moved: Iterable[_Move], at: int) -> list[Flip]:
    return [Flip(before, after, by, at) for before, after, by in moved]


def _moves(name: str, change: Sequence[Any], memory: Mapping[str, Any]) -> list[_Move]:
    """What one decision did to the field; a stage may go several steps in it."""
    before, after, *_ = change
    if name != STAGE:
        return [(before, after, str(memory["canonical"][name][2]))]
    found: list[_Move] = []
    for stay in (Stay(*each) for each in memory["stays"]):
        place = words_of(StageReading(stay.stage, stay.side, stay.reason))
        found.append((before, place, UNDO if stay.actor == UNDO else stay.system or PUT_BACK))
        before = place
    return found


def question(name: str, who: Sequence[str]) -> Hold:
    """What somebody is asked; what each system says is added where it is known."""
    names = "+".join(each.replace(":", " ").replace("+", " ") for each in who)
    days = WINDOW_MS // 86_400_000
    return Hold(f"{KIND}:{name}:{names}", name, {}, f"{' and '.join(who)} keep correcting each other: each value came back within {days} days")


def still_asked(holds: Iterable[Row], name: str, flip: Flip) -> tuple[str, ...]:
    """Between whom, if the question is open and this value is one of those that it is about; else nobody. So it does not lapse with the week."""
    for hold in holds:
        kind, _, rest = (hold.question or "").partition(":")
        if kind == KIND and hold.field == name and flip.after in hold.payload["choices"].values():
            return tuple(rest.rpartition(":")[2].split("+"))
    return ()
