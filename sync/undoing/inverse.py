"""What a run did to one person, turned round: which values go back, which records and links go, and what is not undone and why.

Looks at rows of the state and touches nothing. A value goes back only where it still is what the run left. Where somebody edited it since, or a later run
moved it, the field is refused by name in all systems, so that no half of it is put back.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...mapping.fields import Unmappable
from ...model.companies import FIELD as COMPANY
from ...model.records import Native, Ref, Values
from ...model.stages import StageState
from ...state.actions import ActionRow
from ...state.changes import ChangeRow
from ...state.links import MATCHED, LinkRow
from ...state.people import PersonRow
from ..deciding.claims import STAGE, words_of
from ..deciding.consent import follow_addresses
from ..deciding.creation import create_missing
from ..deciding.decision import UNDO, Decision, Stay
from ..deciding.desk import Desk, Known, View, lay_out
from ..deciding.qualifying import take_as_heard
from ..deciding.removal import RECORD
from .turns import Journal, Written


class Refusal(NamedTuple):
    """What is not undone. `field`: its name, or `record`; `system`: where, "" for the hub."""

    person: int
    system: str
    field: str
    why: str


@dataclass(frozen=True, slots=True)
class File:
    """All that undoing needs to know of one person. `acts`: what was applied, oldest first; `changes`: by link; `questions`: open ones, by link.

    `authors`: account -> by what its vendor names our own writes. `known`: what rules and clocks go by.
    """

    row: PersonRow
    links: Sequence[LinkRow]
    acts: Sequence[ActionRow]
    changes: Mapping[int, Sequence[ChangeRow]]
    questions: Mapping[int, Sequence[ActionRow]]
    authors: Mapping[int, str | None]
    known: Known


@dataclass(slots=True)
class Inverse:
    """What is to be done about one person. `fields`: those whose value goes back in the hub; `kept`: (system, field) that say something else than it then.

    `apart`: links that are taken from the person, each as [id, carried, agreed]; `rejoined`: those that are given back; `questions`: those that have an end.
    """

    decision: Decision
    refusals: list[Refusal] = field(default_factory=list[Refusal])
    fields: list[str] = field(default_factory=list[str])
    kept: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    apart: list[list[Any]] = field(default_factory=list[list[Any]])
    rejoined: list[int] = field(default_factory=list[int])
    questions: list[int] = field(default_factory=list[int])

    @property
    def empty(self) -> bool:
        """There is nothing to do."""
        return not (self.fields or self.apart or self.rejoined or self.decision.archives or self.decision.creations or self.writes)

    @property
    def writes(self) -> bool:
        """Values are put back in some system."""
        return any(view.values for view in self.decision.views)


def invert(desk: Desk, file: File, run: int, now: int, blocked: Mapping[str, str]) -> Inverse:
    """Turn round what the run did to this person. `blocked`: fields that cannot go back for a reason outside of the person, and which; `now` in ms."""
    undoing = _Undoing(desk, file, Journal(run, file.acts), now, blocked)
    undoing.records()
    for name in undoing.names():
        undoing.put_back(name)
    undoing.links()
    follow_addresses(undoing.found.decision, undoing.found.decision.views)
    if undoing.found.fields:
        take_as_heard(desk, undoing.found.decision, file.known, undoing.stage)
    return undoing.found


@dataclass(slots=True)
class _Undoing:
    """One person's inverse in the making."""

    desk: Desk
    file: File
    journal: Journal
    now: int
    blocked: Mapping[str, str]
    found: Inverse = field(init=False)
    written: Mapping[int, Written] = field(init=False)
    rows: Mapping[int, LinkRow] = field(init=False)
    views: dict[int, View] = field(init=False)
    cause: str = field(init=False)
    stage: StageState = field(init=False)

    def __post_init__(self) -> None:
        row = self.file.row
        self.rows = {link.id: link for link in self.file.links}
        self.written = self.journal.written()
        self.cause = f"undo of run {self.journal.run}"
        live = [link for link in self.file.links if link.state == "linked"]
        self.views = {view.row.id: view for view in (*lay_out(self.desk, live), *self._given_back())}
        self.stage = StageState(row.stage, row.side, row.reason, row.pass_no, row.stage_version)
        decision = Decision(dict(row.canonical), self.stage, list(self.views.values()), notes=row.notes or {}, review_at=row.review_at, again=True)
        self.found = Inverse(decision, rejoined=[view.row.id for view in self.views.values() if view.row.state == "parked"])
        self.found.questions = [hold.id for link in self.found.rejoined for hold in self.file.questions.get(link, ())]

    def refuse(self, account: int | None, name: str, why: str) -> None:
        """Say what is not undone; each once."""
        refusal = Refusal(self.file.row.id, self._system(account), name, why)
        if refusal not in self.found.refusals:
            self.found.refusals.append(refusal)

    def _system(self, account: int | None) -> str:
        system = self.desk.systems.get(account) if account is not None else None
        return "" if account is None else system.name if system is not None else f"account {account}"

    # -- whole records

    def records(self) -> None:
        """Records that the run made are archived; those that an undo archived are made again."""
        for act in self.journal.of_run("create"):
            self._archive(act)
        for act in self.journal.of_run("archive"):
            self._make_again(act)

    def _archive(self, act: ActionRow) -> None:
        result = act.result or {}
        if "ref" not in result:
            self.refuse(act.account, RECORD, "it is not on record which one the run made")
            return
        ref = Ref(str(result["kind"]), str(result["ref"]))
        row = next((link for link in self.file.links if link.account == act.account and link.address == ref), None)
        again = max((other.run for other in self.file.acts if other.op == "create" and other.account == act.account and other.run > act.run), default=None)
        if row is not None and row.state == "moved" and (row.claim or {}).get("archived") and again is not None:
            self.refuse(act.account, RECORD, f"run {again} made it again: undo that one")
            return
        if row is not None and row.state == "gone":
            return
        view = self.views.get(row.id) if row is not None else None
        why = "it was merged, converted or taken from this person since" if row is None or view is None else self._edited(view)
        if view is None or why is not None:
            self.refuse(act.account, RECORD, f"the record that the run made stays: {why}")
            return
        view.touched = True
        self.found.decision.archives.append(view)

    def _edited(self, view: View) -> str | None:
        """Why a record of ours may not be archived."""
        row, ours = view.row, self.file.authors.get(view.row.account)
        if not view.system.writes:
            return f"nothing is written to {view.system.name}"
        if row.author is not None and ours is not None and row.author != ours:
            return "somebody else was the last to modify it"
        changes = self.file.changes.get(row.id, ())
        natives = sorted(row.seen)
        return next((why for each in natives if (why := self.journal.touched(row.id, each, row.seen[each], changes, made=True)) is not None), None)

    def _make_again(self, act: ActionRow) -> None:
        row = self.rows.get(act.link or 0)
        if row is None or row.state != "gone" or not (row.claim or {}).get("archived"):
            return
        if self.journal.taken_back is None:
            self.refuse(act.account, RECORD, "it was archived: take it out of the recycle bin there")
            return
        decision = self.found.decision
        there = {link.state for link in self.file.links if link.account == row.account and link.state in MATCHED}
        if there:
            if "parked" in there and len(there) == 1:
                self.refuse(row.account, RECORD, "a second record of theirs is there, which is left alone")
            return
        trial = Decision(decision.canonical, decision.stage, decision.views, retired=[row.id])
        create_missing(self.desk, trial, self.file.links)
        made = [creation for creation in trial.creations if creation.account == row.account]
        if made:
            decision.creations.extend(made)
            decision.retired.append(row.id)
        else:
            self.refuse(row.account, RECORD, trial.excluded.get(self._system(row.account)) or "it cannot be made again")

    # -- values

    def names(self) -> list[str]:
        """What the run wrote somewhere, and what an undo took back."""
        told = {name for each in self.written.values() for name in each.fields}
        told.update((self.journal.taken_back or {}).get("fields", ()))
        return sorted(told, key=lambda name: (name != STAGE, name))

    def put_back(self, name: str) -> None:
        """Let the field go back, in all systems and the hub, or refuse it."""
        places = [(self._place(link, name), each) for link, each in self.written.items() if name in each.fields]
        puts = [(view, put) for view, each in places if view is not None and (put := self._put(view, each, name))]
        hub = self.journal.before(name) if self.journal.stands(name) and name != COMPANY else None  # which company it is follows from other fields
        if not puts and (hub is None or self.journal.taken_back is None):
            return
        objections = self._objections(name) or [(view.row.account, why) for view, put in puts if (why := self._touched(view, put)) is not None]
        for account, why in objections:
            self.refuse(account, name, why)
        if objections:
            return
        if hub is not None:
            self._move(name, hub)
            self._keep(name, {view.row.id for view, _ in puts})
        for view, put in puts:
            before, after = self.written[view.row.id].fields[name][:2]
            view.touched = view.touched or view.row.state == "linked"
            view.owe(name, put, after, before, self._version(name), self.cause)
            if hub is not None and view.row.state == "linked" and self._says_otherwise(view, name, {**view.seen, **put}):
                view.carry(name, self._version(name))  # if this run breaks off, a sync must not write the hub's value there in its place
            if name == STAGE and self._goes_back(before, after):
                self.found.decision.lowered.append(view.system.name)

    def _keep(self, name: str, put: Container[int]) -> None:
        """The other records stay as they are and carry the new version, so that nobody writes them."""
        for view in self.found.decision.views:
            if view.row.id in put or view in self.found.decision.archives or (view.row.state != "linked" and view.row.id not in self.found.rejoined):
                continue
            if name in view.carried:
                view.carry(name, self._version(name))
                if self._says_otherwise(view, name, view.seen):
                    self.found.kept.append((view.system.name, name))

    def _place(self, link: int, name: str) -> View | None:
        """The record as it lies on the desk; None, with a refusal, where it is no longer what was written to."""
        row, view = self.rows.get(link), self.views.get(link)
        account = row.account if row is not None else None
        if view is None and row is not None and row.state == "parked":
            system = self.desk.systems.get(row.account)
            kind = system.map.kinds.get(row.kind) if system is not None else None
            if system is not None and kind is not None:
                view = self.views[link] = View(row, system, kind, dict(row.carried), dict(row.agreed), dict(row.claim or ()))
                self.found.decision.views.append(view)
        archived = row is not None and row.state == "gone" and bool((row.claim or {}).get("archived"))
        if view in self.found.decision.archives or archived:
            return None
        if row is not None and row.state == "gone":
            self.refuse(account, name, "the record was deleted or erased since")
        elif row is None or view is None or row.state == "moved" or row.kind != self.written[link].kind:
            self.refuse(account, name, "the record was merged, converted or taken from this person since")
        elif not view.system.writes:
            self.refuse(account, name, f"nothing is written to {view.system.name}")
        else:
            return view
        return None

    def _put(self, view: View, written: Written, name: str) -> dict[str, Native]:
        """Native values to put back; none where they stand there already."""
        natives = self._natives(view, name, writable=True)
        values = {native: written.before.get(native) for native in written.values if native in natives}
        if not values:
            self.refuse(view.row.account, name, "it is mapped otherwise now, or may not be written any more")
        return {native: value for native, value in values.items() if view.seen.get(native) != value}

    def _natives(self, view: View, name: str, *, writable: bool = False) -> Iterable[str]:
        if name == STAGE:
            stage = view.kind.stage
            return () if stage is None else stage.writes if writable else stage.evidence
        mapped = view.kind.fields.get(name)
        return () if mapped is None or (writable and not mapped.writable) else (mapped.native, *mapped.shows)

    def _objections(self, name: str) -> list[tuple[int | None, str]]:
        mapped = self.desk.maps.fields.get(name)
        if name in self.blocked:
            return [(None, self.blocked[name])]
        if name != STAGE and mapped is None:
            return [(None, "it is not mapped any more")]
        if mapped is not None and mapped.sticky:
            return [(None, "consent is never undone: whoever opted out stays so until somebody decides")]
        later = self.journal.later(name)
        if later is not None:
            return [(None, f"run {later} moved it since")]
        if self._version(name) != self.journal.last_version(name):
            return [(None, "it was set since by something else than a run")]
        pending = [view for view in self.found.decision.views if view not in self.found.decision.archives and view.system.reads]
        return [(view.row.account, "somebody edited it since") for view in pending if any(native in view.row.agreed for native in self._natives(view, name))]

    def _touched(self, view: View, put: Mapping[str, Native]) -> str | None:
        changes = self.file.changes.get(view.row.id, ())
        for native in put:
            if native not in view.seen:
                return "it cannot be read there now"
            why = self.journal.touched(view.row.id, native, view.seen[native], changes)
            if why is not None:
                return why
        return None

    def _version(self, name: str) -> int:
        decision = self.found.decision
        return decision.stage.version if name == STAGE else (decision.canonical.get(name) or [None, 0])[1]

    def _move(self, name: str, entry: Sequence[Any]) -> None:
        """The hub's value goes back, as a new version."""
        decision, version = self.found.decision, self._version(name) + 1
        self.found.fields.append(name)
        if name != STAGE:
            now = decision.canonical.get(name) or [None]
            decision.canonical[name] = [entry[0], version, UNDO, self.now, self.now]
            decision.changed[name] = [now[0], entry[0], version, self.cause]
            return
        stage, side, reason, pass_no, _ = entry
        before, decision.stage = decision.stage, StageState(stage, side, reason, pass_no, version)
        decision.changed[STAGE] = [words_of(before.reading), words_of(decision.stage.reading), version, self.cause]
        decision.stays.append(self._stay(decision))

    def _stay(self, decision: Decision) -> Stay:
        state, values = decision.stage, decision.values
        source, owner = (None if value is None else str(value) for value in (values.get("lead_source"), values.get("owner")))
        return Stay(state.stage, state.side, state.reason, state.pass_no, state.version, self.now, "", UNDO, self.cause, source, owner)

    def _says_otherwise(self, view: View, name: str, seen: Values) -> bool:
        """The record says something else than the hub from now on."""
        stage, mapped, state = view.kind.stage, view.kind.fields.get(name), self.found.decision.stage
        if name == STAGE:
            return stage is not None and bool(stage.write(state.stage, state.side, state.reason, seen))
        try:
            return mapped is not None and (mapped.write(self.found.decision.canonical[name][0]) or None) != (seen.get(mapped.native) or None)
        except Unmappable:
            return True

    def _goes_back(self, to: Any, of: Any) -> bool:
        position = self.desk.funnel.position
        one, other = (name if (name := str(words).partition(" (")[0]) in self.desk.funnel.stages else None for words in (to, of))
        return other is not None and position(one) < position(other)

    # -- links

    def _given_back(self) -> list[View]:
        """Records that the run, an undo, took from the person, where nobody has done anything else with them."""
        told = {link: (carried, agreed) for link, carried, agreed in (self.journal.taken_back or {}).get("apart", ())}
        rows = [link for link in self.file.links if link.id in told and link.state == "parked"]
        taken = {link.account for link in self.file.links if link.state == "linked"}
        views: list[View] = []
        for row in rows:
            system = self.desk.systems.get(row.account)
            kind = system.map.kinds.get(row.kind) if system is not None else None
            if system is not None and kind is not None and row.account not in taken:
                carried, agreed = told[row.id]
                views.append(View(row, system, kind, dict(carried), {**row.agreed, **agreed}, dict(row.claim or ()), touched=True))
        return views

    def links(self) -> None:
        """Records that the run gave to the person are taken from them, where nothing has come to depend on that."""
        made, later = self.journal.made_in(), self.journal.later()
        for link in self.journal.joined():
            view = self.views.get(link)
            if view is None or view.row.state != "linked" or view.row.account in made or self._moved_there(view) or view in self.found.decision.archives:
                continue
            why = f"run {later} has gone on with it" if later is not None else "somebody edited the record since" if view.row.agreed else self._refused(view)
            if why is not None:
                self.refuse(view.row.account, RECORD, f"it stays with the person: {why}")
                continue
            self.found.apart.append([link, dict(view.carried), dict(view.agreed)])
            view.touched = False

    def _moved_there(self, view: View) -> bool:
        """The person's record there became this one by a merge or a conversion: that is no link of ours."""
        return "converted" in view.notes or any(link.account == view.row.account and link.id != view.row.id for link in self.file.links)

    def _refused(self, view: View) -> str | None:
        stays = any(refusal.system in ("", view.system.name) for refusal in self.found.refusals)
        return "not all that the run wrote can go back" if stays else None
