"""`stagesync holds`: the open questions, in groups that one answer resolves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...state import links, people
from ...state.actions import ActionRow
from ...state.store import Tx
from ...sync.deciding.desk import Desk
from ...sync.people import holds
from ...sync.people.holds import Group
from . import words


def holds_text(tx: Tx, desk: Desk, workspace: int) -> list[str]:
    """Every group as a question with examples and the ways to answer it, as lines."""
    groups = holds.groups(tx, workspace)
    if not groups:
        return ["Nothing is held: no question is open."]
    lines = [f"{words.count(len(groups), 'question is', 'questions are')} open. One answer resolves a whole group; the next run acts on it."]
    for group in groups:
        lines += ["", *group_text(tx, desk, group)]
    return lines


def group_text(tx: Tx, desk: Desk, group: Group) -> list[str]:
    """One group as lines: the question, examples, and what each answer does."""
    lines = [f"{group.id}  {group.title}"]
    for hold in group.examples:
        lines.append(f"    {_whose(tx, desk, hold)}: {_choices(hold)}")
    if group.count > len(group.examples):
        lines.append(f"    ... and {group.count - len(group.examples):,} more")
    lines += words.table([(f"stagesync resolve {group.id} --use {use}", meaning) for use, meaning in group.answers.items()], 4)
    return lines


def holds_json(tx: Tx, desk: Desk, workspace: int) -> dict[str, Any]:
    """The same as one object."""
    return {"groups": [_group_json(tx, desk, group) for group in holds.groups(tx, workspace)]}


def _group_json(tx: Tx, desk: Desk, group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "kind": group.kind,
        "field": group.about,
        "question": group.title,
        "holds": group.count,
        "people": len(group.people),
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
    return [f"{group}: {words.count(answered, 'case')} answered with {use}.", *([] if use == "skip" else ["`stagesync sync` acts on it."])]
