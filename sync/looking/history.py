"""Who gave fields the values that they have, and when, from the vendors' own histories."""

from __future__ import annotations

from collections.abc import Iterable

from ...model.records import FieldChange, Present
from ...state.links import LinkRow
from ..session import Session


def newest_changes(session: Session, wanted: Iterable[tuple[LinkRow, set[str]]]) -> dict[int, dict[str, FieldChange]]:
    """Link -> native field -> its newest version, of the fields that are wanted of each record; left out where that is not the value last read.

    Systems without a history are not asked.
    """
    asked: dict[int, list[tuple[LinkRow, set[str]]]] = {}
    for row, natives in wanted:
        asked.setdefault(row.account, []).append((row, natives))
    found: dict[int, dict[str, FieldChange]] = {}
    for account, theirs in asked.items():
        connector = session.systems[account].connector
        if not connector.capabilities.history:
            continue
        names = tuple(sorted({native for _, natives in theirs for native in natives}))
        kinds: dict[str, set[str]] = {}
        for row, natives in theirs:
            kinds.setdefault(row.kind, set()).update(natives)
        fields = {kind: tuple(sorted(natives)) for kind, natives in kinds.items()}
        answers = connector.fetch([row.address for row, _ in theirs], fields, names)
        for (row, _), answer in zip(theirs, answers, strict=True):
            if isinstance(answer, Present):
                found[row.id] = {
                    native: versions[0] for native, versions in answer.history.items() if versions and (versions[0].value or None) == row.seen.get(native)
                }
    return found
