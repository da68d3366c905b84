"""`stagesync holds`: the open questions, in groups that one answer resolves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...state import links, people
from ...state.actions import ActionRow
from ...state.store import Tx
from ...sync.deciding.desk import Desk
from ...sync.deciding.match import AMBIGUOUS
from ...sync.deciding.second import DIFFERENT, SECOND
from ...sync.people import holds
from ...sync.people.holds import Group
from . import words

_FIELDS = 6
"""So many fields are named in which second records differ."""


def holds_text(tx: Tx, desk: Desk, workspace: int, whole: str | None = None) -> list[str]:
    """Every group as a question with examples and the ways to answer it, as lines; or one of them with all of its cases.

    Raises `ConfigurationError` where there is no such group.
    """
    groups = _groups(tx, workspace, whole)
    if whole is not None:
        return group_text(tx, desk, groups[0])
    if not groups:
        return ["Nothing is held: no question is open."]
    lines = [f"{words.count(len(groups), 'question is', 'questions are')} open. One answer resolves a whole group; the next run acts on it."]
    for group in groups:
        lines += ["", *group_text(tx, desk, group)]
    return lines


def group_text(tx: Tx, desk: Desk, group: Group) -> list[str]:
    """One group as lines: the question, examples, and what each answer does."""
    lines = [f"{group.id}  {group.title}", *(f"    {line}" for line in second_records(group))]
    for hold in group.examples:
        if group.kind == SECOND:
            lines += [f"    {_whose(tx, desk, hold)}", *_records(hold)]
        else:
            lines.append(f"    {_whose(tx, desk, hold)}: {_choices(hold)}")
    if group.count > len(group.examples):
        lines.append(f"    ... and {group.count - len(group.examples):,} more: `stagesync holds {group.id}` names all")
    lines += words.table([(f"stagesync resolve {group.id} --use {use}", meaning) for use, meaning in group.answers.items()], 4)
    return [*lines, *_in_parts(group)]


def second_records(group: Group) -> Iterator[str]:
    """What becomes of people who have a second record while nobody answers, and in what the records differ, as lines; none for another question."""
    if group.kind != SECOND:
        return
    several = words.count(group.records, "other record is", "other records are")
    whose = "They are synced by the best record of theirs" if group.count > 1 else "The person is synced by the best of them"
    yield f"{whose}, also while nobody answers; {several} left alone meanwhile."
    if group.differs:
        shown = ", ".join(f"{words.label(name)} {count:,}" for name, count in group.differs.most_common(_FIELDS))
        yield f"What is said otherwise: {shown}{', ...' if len(group.differs) > _FIELDS else ''}"


def _records(hold: ActionRow) -> list[str]:
    """The records between which it is to be told, the one that is written first."""
    (best, said), *others = hold.payload["choices"].items()
    return words.table([(best, f"{said}  (is written)"), *others], 8)


def _in_parts(group: Group) -> Iterator[str]:
    """How records are told apart that no answer here tells apart; how a part of a group is answered, and the rest otherwise."""
    if group.kind == AMBIGUOUS:
        yield "    Several humans: give each record an address of its own there. Or, where all of a case are one system's, write different into a review:"
        yield "    `stagesync duplicates find SYSTEM --at-least 10 --out review.csv`, then `stagesync duplicates apply review.csv`."
    if group.count == 1 and group.records < 2:
        return
    if group.kind == SECOND:
        system = group.question.partition(":")[2]
        yield f"    One person, or one of several records, alone: `--only anna@acme.example` (or p12), `--only {system}:ID`; then the rest by one answer."
        yield f"    In a spreadsheet: `stagesync duplicates find {system} --out review.csv`, then `stagesync duplicates apply review.csv`."
    else:
        yield "    Some of them alone: `--only anna@acme.example` (or p12, SYSTEM:ID); then the rest by one answer."


def holds_json(tx: Tx, desk: Desk, workspace: int, whole: str | None = None) -> dict[str, Any]:
    """The same as one object."""
    return {"groups": [_group_json(tx, desk, group) for group in _groups(tx, workspace, whole)]}


def _groups(tx: Tx, workspace: int, whole: str | None) -> list[Group]:
    """All groups, or the one that is named. Raises `ConfigurationError`."""
    return holds.groups(tx, workspace) if whole is None else [holds.open_group(tx, workspace, whole, where="holds")]


def _group_json(tx: Tx, desk: Desk, group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "kind": group.kind,
        "field": group.about,
        "question": group.title,
        "holds": group.count,
        "people": len(group.people),
        **({"records": group.records, "differs": dict(group.differs.most_common())} if group.kind == SECOND else {}),
        "answers": group.answers,
        "examples": [
            {"person": hold.person, "who": _whose(tx, desk, hold), "reason": holds.because(hold), "choices": hold.payload.get("choices", {})}
            for hold in group.examples
        ],
    }


def _choices(hold: ActionRow) -> str:
    choices: Mapping[str, Any] = hold.payload.get("choices", {})
    told = ", ".join(f"{name} {words.value(choice)}" for name, choice in choices.items())
    return told or holds.because(hold)


def _whose(tx: Tx, desk: Desk, hold: ActionRow) -> str:
    """Whom the question is about; from a record where the person is not in the state yet."""
    row = people.by_ids(tx, [hold.person]).get(hold.person) if hold.person is not None else None
    if row is not None:
        return words.person(words.canonical_values(row.canonical), row.id)
    records = list(links.by_ids(tx, [hold.link]).values()) if hold.link is not None else []
    return ", ".join(_address(desk, record) for record in records) or "somebody"


def _address(desk: Desk, record: links.LinkRow) -> str:
    system = desk.systems.get(record.account)
    kind = system.map.kinds.get(record.kind) if system else None
    return (kind.primary(record.seen) if kind else None) or f"{system.name if system else '?'} {record.kind} {record.ref}"


def resolved_text(group: str, use: str, answered: int) -> Sequence[str]:
    """What `resolve` says when it is done."""
    said = f"{group}: {words.count(answered, 'case')} answered with {use}."
    if use == "skip":
        return [said]
    apart = "Until a record has an address of its own, HubSpot refuses a contact for it: `stagesync errors` names whom, `stagesync why WHO` what comes next."
    return [said, "`stagesync sync` acts on it.", *([apart] if use == DIFFERENT else [])]
