"""Open questions, grouped by what they ask, and the answers that there are to each."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...model.errors import ConfigurationError
from ...state import actions
from ...state.actions import ActionRow
from ...state.store import Tx
from ..deciding.match import AMBIGUOUS
from ..deciding.second import DIFFERENT, SAME, SECOND


@dataclass(slots=True)
class Group:
    """Holds that one answer resolves. `id` is what `resolve` takes; `about` the field; `uses` the answers that make sense.

    Of second records: how many `records` there are beside those that are written, and in what they `differ` (field -> people).
    """

    id: str
    question: str
    about: str
    count: int = 0
    people: set[int] = field(default_factory=set[int])
    systems: dict[str, int] = field(default_factory=dict[str, int])
    differs: Counter[str] = field(default_factory=Counter[str])
    records: int = 0
    examples: list[ActionRow] = field(default_factory=list[ActionRow])

    @property
    def kind(self) -> str:
        """The kind of question: the first word of its key."""
        return self.question.partition(":")[0]

    @property
    def uses(self) -> tuple[str, ...]:
        """The answers that `resolve --use` takes here."""
        return tuple(self.answers)

    @property
    def answers(self) -> dict[str, str]:
        """What `resolve --use` takes here -> what it does, in words."""
        named = {name: f"{name}'s value stands" for name in sorted(self.systems) if name not in ("hub", "this person", "also")}
        last = {"skip": "leave it as it is, and do not ask again until somebody edits it"}
        match self.kind:
            case "first":
                known = {"hub": "the value that was agreed before stands"} if "hub" in self.systems else {}
                return {**named, "newest": "the value of the record that was modified last stands", **known, **last}
            case "conflict" | "ask" | "undecided" | "stage" | "loop":
                return {**named, "newest": "the value that was entered last stands", "hub": "the value that was agreed before stands", **last}
            case "unauthorised":
                return {**named, "hub": "the stage that was agreed before stands", **last}
            case "rule" | "overdue":
                proposed = {name: "do as it says" for name in sorted(self.systems) if name != "hub"}
                return {**proposed, "hub": "no: the person stays where they are", **last}
            case "consent":
                return {**named, "hub": "the opt-out stands", **last}
            case "deleted":
                told = dict.fromkeys(sorted(self.question.partition(":")[2].split("+")), "the deletion stands: archive the person's other records")
                return {**told, "hub": "the person stays: make the record again", **last}
            case "erased":
                holds_everywhere = "erased everywhere: archive the person's other records, and forget what is kept here"
                told = dict.fromkeys(sorted(self.question.partition(":")[2].split("+")), holds_everywhere)
                return {**told, "skip": "keep the other records as they are; nobody is made again where they were erased"}
            case "taken":
                return {"newest": "the new address stands all the same", "hub": "the address that was agreed before stands", **last}
            case "apart":
                return {"newest": "they are one human all the same: link them again, as at a first meeting", "skip": "leave them alone"}
            case "ambiguous":
                return {"newest": "they are one human: link the newest record of each system", "skip": "leave them alone"}
            case "second":
                return {
                    SAME: "one human: the record that is written stays so; the others are left alone, and heard only for an opt-out",
                    DIFFERENT: "other humans: each of the other records is synced as a person of its own; HubSpot takes one once its address is another one",
                    "skip": "leave it open, and do not ask again until one more record comes in",
                }
            case _:
                return last

    @property
    def title(self) -> str:
        """The question in words."""
        return _title(self)

    @property
    def plain_title(self) -> str:
        """The same without the reason of an example, in which somebody's value may be quoted."""
        return _title(replace(self, examples=[]))


EXAMPLES = 3


def groups(tx: Tx, workspace: int, whole: str | None = None) -> list[Group]:
    """All open questions, the most frequent first. `whole`: the id of a group of which every case is wanted, and not only a few examples."""
    found: dict[str, Group] = {}
    for hold in actions.each_hold(tx, workspace):
        if hold.answer is not None:
            continue
        question = hold.question or ""
        group = found.setdefault(question, Group(group_id(question), question, hold.field or ""))
        group.count += 1
        if hold.person is not None:
            group.people.add(hold.person)
        for name in hold.payload.get("choices", {}):
            group.systems[name] = group.systems.get(name, 0) + 1
        if group.kind == SECOND:
            group.records += len(hold.payload["park"])
            group.differs.update(hold.payload.get("differs", ()))
        if len(group.examples) < EXAMPLES or group.id == whole:
            group.examples.append(hold)
    return sorted(found.values(), key=lambda group: (-group.count, group.question))


def open_group(tx: Tx, workspace: int, id: str, *, where: str) -> Group:
    """The group of that id, with every case of it. Raises `ConfigurationError` where there is none."""
    found = next((group for group in groups(tx, workspace, id) if group.id == id), None)
    if found is None:
        raise ConfigurationError(f"there is no open group {id}", where=where, next_step="run `stagesync holds` to see them")
    return found


def group_id(question: str) -> str:
    """A short name for a question that stays the same from run to run."""
    return hashlib.sha256(question.encode()).hexdigest()[:6]


_BECAUSE: Mapping[str, str] = {
    "first": "the records differ where they meet for the first time, and nobody has said who wins",
    "conflict": "changed in several systems, and nothing says which change came last",
    "ask": "changed in several systems, and the policy is to ask",
    "consent": "an opt-out was taken back, which only somebody may decide",
}


def because(hold: ActionRow) -> str:
    """Why it is held, in words."""
    return spelled(hold.reason)


def spelled(reason: str) -> str:
    """The reason of a hold, in words."""
    return _BECAUSE.get(reason, reason)


_PLURALS: Mapping[str, str] = {
    "email": "e-mail addresses",
    "phone": "phone numbers",
    "mobile_phone": "mobile numbers",
    "country": "countries",
    "city": "cities",
}


def _plural(name: str) -> str:
    if name in _PLURALS:
        return _PLURALS[name]
    words = name.replace("_", " ")
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


def _title(group: Group) -> str:
    parts: list[Any] = group.question.split(":")
    about, one = parts[-1], group.count == 1
    several = f"{group.count:,} {group.about.replace('_', ' ') if one else _plural(group.about)}"
    whose = ", ".join([*(name for name in sorted(group.systems) if name != "hub"), "newest"])
    people = "1 person" if one else f"{group.count:,} people"
    match group.kind:
        case "first":
            return f"{several} {'differs' if one else 'differ'} where the records meet for the first time: {whose}?"
        case "conflict" | "ask":
            return f"{several} changed in several systems: {whose}?"
        case "loop":
            who = about.replace("+", " and ")
            return f"{who} keep correcting each other: {several} {'goes' if one else 'go'} back and forth. Which stands: {whose}?"
        case "undecided":
            return f"{several} met an edit while we wrote to {about}: whose value stands?"
        case "consent":
            return f"{people} who had opted out {'is' if one else 'are'} opted in again: does that stand?"
        case "stage":
            return f"{group.count:,} {'stage' if one else 'stages'} cannot be decided: {whose}?"
        case "unauthorised" | "rule" | "overdue":
            return f"{people} {_about_stages(group, one=one)}"
        case "deleted" | "erased":
            return f"{people} {'was' if one else 'were'} {_lost(group, about)}"
        case "merged":
            return f"{group.count:,} {'pair' if one else 'pairs'} of linked people merged in {about}: the record left over is not touched"
        case "taken":
            return (
                f"{group.count:,} changed e-mail {'address belongs' if one else 'addresses belong'} to another person already: take the new one all the same?"
            )
        case "ambiguous" | "apart" | "second":
            return _about_matches(group, one=one)
        case "unreadable":
            return f"{several} in {about} cannot be understood: correct {'it' if one else 'them'} there"
        case "unwritable":
            return f"{several} cannot be written to {about}{_reason(group, ': {}')}"
        case "required":
            return f"{people} {'lacks' if one else 'lack'} {group.about}, which {about} requires: set a fallback in [systems.{about}.create]"
        case _:
            return f"{group.count:,} x {group.question}"


def _about_matches(group: Group, *, one: bool) -> str:
    """Which records are one human."""
    if group.kind == SECOND:
        where = group.question.partition(":")[2]
        return f"{group.count:,} {'person has' if one else 'people have'} more than one record in {where}, which do not say the same: one human, or several?"
    if group.kind == AMBIGUOUS:
        return f"{group.count:,} {'group' if one else 'groups'} of records share an address but may be different people: one human, or leave them?"
    told = "1 record was taken from its person" if one else f"{group.count:,} records were taken from their people"
    return f"{told} by the undo of run {group.question.split(':')[1]}: link {'it' if one else 'them'} again, or leave {'it' if one else 'them'} alone?"


def _lost(group: Group, about: str) -> str:
    """What is asked about people of whom a system has a record no more."""
    where = about.replace("+", " and ")
    if group.kind == "erased":
        return f"erased for good in {where}: erase them everywhere, or keep their other records?"
    return f"deleted in {where}: does that hold everywhere ({about.replace('+', ', ')}), or is the record made again (hub)?"


def _about_stages(group: Group, *, one: bool) -> str:
    """A question that is not about a difference: somebody, a rule or a clock wants to move people."""
    match group.question.split(":"):
        case ["unauthorised", system, *_]:
            return f"{'was' if one else 'were'} moved in {system} by a team that does not decide about that{_reason(group, ': {}')}"
        case ["rule", name, *_]:
            return f"{'meets' if one else 'meet'} the rule {name}{_reason(group, ' ({})')}: do as it says?"
        case _:
            return f"{'waits' if one else 'wait'} longer for an answer than agreed: do as the agreement proposes?"


def _reason(group: Group, form: str) -> str:
    """What the first example gives as its reason, in that form; nothing where none is kept."""
    return form.format(group.examples[0].reason) if group.examples else ""
