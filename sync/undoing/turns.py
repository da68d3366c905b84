"""A person's journal read backwards: what a run moved and wrote, whether that still stands, and who has come after it. Reads rows, touches nothing.

A *turn* is an applied decision. Undoing a run is a turn too; it says so in its payload (`undo`: {run, fields ...}), and so an undo can be undone: a turn
stands for a field as long as no standing turn after it has taken it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...model.records import Native
from ...state.actions import ActionRow
from ...state.changes import ChangeRow
from ..deciding.claims import STAGE


class Written(NamedTuple):
    """What a run wrote to one record, all steps together. `fields`: name -> [before, after, version, reason], of those that were finished."""

    kind: str
    values: Mapping[str, Native]
    before: Mapping[str, Native]
    fields: Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Journal:
    """One person's applied actions, oldest first, seen from one run."""

    run: int
    acts: Sequence[ActionRow]
    turns: Sequence[ActionRow] = field(init=False)
    index: int | None = field(init=False)

    def __post_init__(self) -> None:
        turns = [act for act in self.acts if act.op == "decide"]
        object.__setattr__(self, "turns", turns)
        object.__setattr__(self, "index", next((i for i, turn in enumerate(turns) if turn.run == self.run), None))

    @property
    def turn(self) -> ActionRow | None:
        """What the run decided about the person."""
        return None if self.index is None else self.turns[self.index]

    @property
    def taken_back(self) -> Mapping[str, Any] | None:
        """What this run undid, if it was an undo."""
        return self.turn.payload.get("undo") if self.turn is not None else None

    @property
    def undoers(self) -> set[int]:
        """The runs that took this one back."""
        return {turn.run for turn in self.turns if (turn.payload.get("undo") or {}).get("run") == self.run}

    def of_run(self, op: str) -> list[ActionRow]:
        """What the run did to records in this way."""
        return [act for act in self.acts if act.run == self.run and act.op == op]

    def written(self) -> dict[int, Written]:
        """Link -> what the run wrote there."""
        found: dict[int, Written] = {}
        for act in sorted(self.of_run("update"), key=lambda act: act.step):
            if act.link is not None:
                payload, old = act.payload, found.get(act.link, Written("", {}, {}, {}))
                found[act.link] = Written(
                    payload["kind"], {**old.values, **payload["values"]}, {**payload.get("before", {}), **old.before}, {**old.fields, **act.fields}
                )
        return found

    def before(self, name: str) -> Sequence[Any] | None:
        """The hub's entry of the field before the run moved it. None: it did not, or the person or stage was not known before, so that there is nothing to
        go back to.
        """
        if self.index is None or self.index == 0 or not self._moved(self.index, name):
            return None
        entry = _entry(self.turns[self.index - 1], name)
        return (entry if _version(entry, name) else None) if name == STAGE else entry or [None, 0]

    def stands(self, name: str) -> bool:
        """No undo has taken back what the run did to the hub's value."""
        return self.index is not None and self._stands(self.index, name)

    def last_version(self, name: str) -> int:
        """The hub's version of the field after the last turn."""
        return _version(_entry(self.turns[-1], name), name) if self.turns else 0

    def later(self, name: str | None = None) -> int | None:
        """The last run after this one that moved the field (None: anything) so that it still stands."""
        if self.index is None:
            return None
        for i in range(len(self.turns) - 1, self.index, -1):
            names = self._names(i) if name is None else {name}
            if any(self._moved(i, each) and self._stands(i, each) and not self._cancels(i) for each in names):
                return self.turns[i].run
        return None

    def joined(self) -> list[int]:
        """The links of records that came to the person in this run; the first record makes the person, and is none of them."""
        if self.turn is None or self.index is None or self.taken_back is not None:
            return []
        known = {link[0] for turn in self.turns[: self.index] for link in turn.payload["links"]}
        named = sorted(link[0] for link in self.turn.payload["links"] if link[0] not in known)
        return named[1:] if self.turn.payload["new"] else named

    def made_in(self) -> set[int | None]:
        """The accounts in which we made a record of the person, up to this run."""
        return {act.account for act in self.acts if act.op == "create" and act.run <= self.run}

    def touched(self, link: int, native: str, seen: Native, changes: Sequence[ChangeRow], *, made: bool = False) -> str | None:
        """Who has changed this native field since the run, in words; None where it is as the run left it. `made`: the run made the record itself."""
        edits = [(row.run or 0, 0, row.values[native][0]) for row in changes if native in row.values and (row.run or 0) > self.run - made]
        ours = [
            (act.run, 1, act.payload.get("before", {}).get(native))
            for act in self.acts
            if act.op == "update" and act.link == link and act.run > self.run and act.step == 1 and native in {**act.payload["values"], **act.payload["before"]}
        ]
        events, stands = sorted([*edits, *ours], key=lambda event: event[:2]), seen
        while events and events[-1][1] and events[-1][0] in self.undoers:  # an undo that broke off between two steps
            stands = events.pop()[2]
        if not events or events[0][2] == stands:
            return None
        run, by_us, _ = events[-1]
        return f"run {run} wrote to it since" if by_us else "somebody edited it since"

    def _names(self, i: int) -> set[str]:
        return {STAGE, *self.turns[i].payload["canonical"]}

    def _moved(self, i: int, name: str) -> bool:
        old = _entry(self.turns[i - 1], name) if i else None
        return _version(_entry(self.turns[i], name), name) != _version(old, name)

    def _stands(self, i: int, name: str) -> bool:
        run = self.turns[i].run
        for j in range(i + 1, len(self.turns)):
            undo = self.turns[j].payload.get("undo")
            if undo is not None and undo["run"] == run and name in undo["fields"] and self._stands(j, name):
                return False
        return True

    def _cancels(self, i: int) -> bool:
        """It takes back the run itself, or a turn that came after it: then the two are as good as nothing."""
        undo = self.turns[i].payload.get("undo")
        return undo is not None and any(turn.run == undo["run"] for turn in self.turns[self.index or 0 : i])


def _entry(turn: ActionRow, name: str) -> Sequence[Any] | None:
    payload = turn.payload
    return payload["stage"] if name == STAGE else payload["canonical"].get(name)


def _version(entry: Sequence[Any] | None, name: str) -> int:
    return 0 if entry is None else int(entry[4] if name == STAGE else entry[1])
