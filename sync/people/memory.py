"""All that the state remembers of one person, and how that stood at an earlier moment. The way back is pure.

Two clocks. What a system said counts by the vendor's time (a record's last modification; where none is told, when we read it). What we did counts by the
moment at which the run began to carry it out, and a question by the start of the run that asked it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ...model.records import Native
from ...state import actions, changes, links, people, runs
from ...state.actions import ANSWERED, ActionRow
from ...state.changes import DELETED, ERASED, RECORD, THERE, ChangeRow
from ...state.links import LinkRow
from ...state.people import PersonRow
from ...state.runs import RunRow
from ...state.store import Tx


@dataclass(frozen=True, slots=True)
class Memory:
    """One person: the row, their records, all that was planned, written, asked and decided (oldest first), and what was seen to change, by link.

    `at`: the moment at which this stood so (ms); None: now.
    """

    row: PersonRow
    links: Sequence[LinkRow]
    acts: Sequence[ActionRow]
    seen: Mapping[int, Sequence[ChangeRow]]
    runs: Mapping[int, RunRow]
    at: int | None = None

    def when(self, act: ActionRow) -> int | None:
        """The moment by which an action counts (ms)."""
        run = self.runs.get(act.run)
        return None if run is None else run.started_at if act.op == "hold" else run.acted_at

    @property
    def turns(self) -> list[ActionRow]:
        """What was decided and is the state's, oldest first."""
        return [act for act in self.acts if act.op == "decide" and act.state == "applied"]

    @property
    def known_since(self) -> int | None:
        """When the person was first met here (ms)."""
        return min((at for act in self.turns if (at := self.when(act)) is not None), default=None)

    def present(self) -> Memory:
        """Without the records that are nobody's or somebody else's by now."""
        return replace(self, links=[link for link in self.links if link.person == self.row.id])

    def as_of(self, at: int) -> Memory | None:
        """How it stood then; None where the person was not known yet."""
        turns = [act for act in self.turns if self._by(act, at)]
        if not turns:
            return None
        return replace(
            self,
            row=_row_after(turns[-1]),
            links=[then for link in self.links if (then := self._link_then(link, turns, at)) is not None],
            acts=list(self._acts_then(at)),
            seen={link: [change for change in found if told_at(change) <= at] for link, found in self.seen.items()},
            at=at,
        )

    def _by(self, act: ActionRow, at: int) -> bool:
        when = self.when(act)
        return when is not None and when <= at

    def _acts_then(self, at: int) -> Iterator[ActionRow]:
        """What was there by then; a question as it stood, which may have been answered and settled since."""
        lifted = {hold: self.when(turn) for turn in self.turns for hold in turn.payload.get("lifted", ())}
        for act in self.acts:
            if not self._by(act, at) or act.state == "planned":
                continue
            if act.op == "hold":
                end = lifted.get(act.id)
                answered = (act.result or {}).get(ANSWERED, end)
                act = act._replace(
                    state="held" if end is not None and end > at else act.state,
                    answer=None if answered is not None and answered > at else act.answer,
                )
            yield act

    def _link_then(self, link: LinkRow, turns: Sequence[ActionRow], at: int) -> LinkRow | None:
        """The record as it stood; None where it was not known as this person's yet."""
        told = [act for act in turns if any(each[0] == link.id for each in act.payload["links"])]
        aside = [act for act in turns if link.id in act.payload.get("duplicates", ())]
        made = next((act for act in self.acts if self._made(act, link) and self._by(act, at)), None)
        if not told and not aside and made is None:
            return None
        writes = [act for act in self.acts if act.op in ("update", "archive") and act.state == "applied" and act.link == link.id]
        changes = self.seen.get(link.id, ())
        past = _walked_back(link, [*(_Step.of(change) for change in changes), *(_Step.by(act, self.when(act)) for act in writes)], at)
        carried, agreed = self._agreement(link, told, made, changes, [act for act in writes if self._by(act, at)], at)
        stamps = [(change.at, change.author) for change in changes if change.at is not None and change.at <= at]
        stamp, author = max(stamps, default=(0, None), key=lambda each: each[0])
        parked = bool(aside) and (not told or aside[-1].id > told[-1].id)
        return past._replace(carried=carried, agreed=agreed, stamp=stamp, author=author, claim=None, state="parked" if parked else past.state)

    @staticmethod
    def _made(act: ActionRow, link: LinkRow) -> bool:
        return act.op == "create" and act.state == "applied" and act.account == link.account and (act.result or {}).get("ref") == link.ref

    def _agreement(
        self, link: LinkRow, told: Sequence[ActionRow], made: ActionRow | None, changes: Sequence[ChangeRow], writes: Sequence[ActionRow], at: int
    ) -> tuple[dict[str, int], dict[str, Native]]:
        """What the link carried, and what had changed there and was not agreed."""
        since = told[-1] if told else made
        carried: dict[str, int] = {}
        agreed: dict[str, Native] = {}
        if told:
            carried, agreed = next((dict(each[2]), dict(each[3])) for each in told[-1].payload["links"] if each[0] == link.id)
        elif made is not None:
            carried = dict(made.payload["carried"])
        settled = (since.run, self.when(since) or 0) if since is not None else (0, 0)
        news = [(change.run or 0, 0, change) for change in changes if told_at(change) <= at and (change.run or 0, change.seen_at) > settled]
        ours = [(act.run, act.step, act) for act in writes if since is None or act.id > since.id]
        for _, _, step in sorted([*news, *ours], key=lambda each: each[:2]):
            if isinstance(step, ActionRow):
                carried |= {name: change[2] for name, change in step.fields.items()}
                agreed = {native: value for native, value in agreed.items() if native not in step.payload["values"]}
                continue
            for native, (before, after, *_) in step.values.items():
                if native != RECORD and agreed.setdefault(native, before) == after:
                    del agreed[native]
        return carried, agreed


def remember(tx: Tx, workspace: int, person: int) -> Memory:
    """Read everything. Raises `KeyError` where there is no such person."""
    row = people.by_ids(tx, [person])[person]
    acts = actions.of_person(tx, workspace, person)[::-1]
    named = {each[0] for act in acts if act.op == "decide" for each in act.payload.get("links", ())}
    found = links.by_ids(tx, named | {link.id for link in links.of_people(tx, [person]).get(person, [])})
    mine = [link for link in found.values() if link.person in (person, None)]
    seen = changes.of_links(tx, [link.id for link in mine])
    told = {act.run for act in acts} | {change.run for rows in seen.values() for change in rows if change.run is not None}
    return Memory(row, mine, acts, seen, runs.by_ids(tx, told))


def told_at(change: ChangeRow) -> int:
    """The moment by which a change counts (ms)."""
    return change.seen_at if change.at is None else change.at


def _row_after(turn: ActionRow) -> PersonRow:
    """The person as a decision left them."""
    stage, side, reason, pass_no, version = turn.payload["stage"]
    return PersonRow(turn.person or 0, stage, side, reason, pass_no, version, turn.payload["canonical"], None, turn.payload.get("notes") or None)


class _Step(NamedTuple):
    """One step of a record's way: native field -> [before, after]. Steps go by run, what a run saw before what it wrote."""

    run: int
    ours: int
    at: int
    values: Mapping[str, Any]

    @classmethod
    def of(cls, change: ChangeRow) -> _Step:
        return cls(change.run or 0, 0, told_at(change), change.values)

    @classmethod
    def by(cls, act: ActionRow, at: int | None) -> _Step:
        before = act.payload.get("before", {})
        values: dict[str, Any] = {native: [before.get(native), value] for native, value in act.payload["values"].items()}
        return cls(act.run, act.step, at or 0, {RECORD: [THERE, DELETED]} if act.op == "archive" else values)


def _walked_back(link: LinkRow, steps: Iterable[_Step], at: int) -> LinkRow:
    """The record without the steps that came later."""
    for step in sorted(steps, key=lambda step: step[:3], reverse=True):
        if step.at <= at:
            continue
        where, *rest = step.values.get(RECORD, (None,))
        if len(rest) > 1:  # it has moved to another ref, and was read anew there
            kind, _, ref = str(where).partition(" ")
            link = link._replace(kind=kind, ref=ref, seen=dict(rest[1]))
            continue
        if where is not None:
            link = link._replace(state="gone" if where in (DELETED, ERASED) else "linked")
        link = link._replace(seen={**link.seen, **{native: pair[0] for native, pair in step.values.items() if native != RECORD}})
    return link
