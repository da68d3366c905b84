"""What is remembered of a write: outcomes become state, in the transaction that ends the action."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...mapping.maps import KindMap
from ...model.companies import FIELD as COMPANY
from ...model.companies import NONE_FOUND
from ...model.records import Native, Present, Record, Ref
from ...model.writes import Rejected
from ...state import actions, changes, keys, links, people, presence
from ...state.actions import ActionRow
from ...state.links import LinkRow
from ...state.presence import Cause
from ...state.store import Tx
from ..deciding.claims import STAGE
from ..deciding.parking import PARKED, Why, for_create, park, wanted
from ..deciding.removal import RECORD
from ..deciding.staging import parked_on
from ..looking.observe import overlay, without
from ..looking.stirring import renamed, stir
from ..session import Connected
from .linking import UNLINKED
from .wording import without_values

NOT_TAKEN = "NOT_TAKEN"
"""Our own code: a stage that the system acknowledged and did not take."""


def people_of(rows: Iterable[ActionRow]) -> list[int]:
    """Whom these actions are about, each once, in order."""
    return sorted({row.person for row in rows if row.person is not None})


def fields_of(values: Iterable[tuple[str, Iterable[str]]]) -> dict[str, tuple[str, ...]]:
    """What to ask for so that all these are covered: (kind, native fields) of each record -> native fields by kind."""
    natives: dict[str, set[str]] = {}
    for kind, names in values:
        natives.setdefault(kind, set()).update(names)
    return {kind: tuple(sorted(names)) for kind, names in natives.items()}


@dataclass(slots=True)
class Count:
    """What a run has done to one system so far. `skipped`: left to the next run; `unknown`: nobody can say yet what came of it."""

    created: int = 0
    updated: int = 0
    archived: int = 0
    rejected: int = 0
    skipped: int = 0
    unknown: int = 0

    @property
    def writes(self) -> int:
        """Records that were changed there."""
        return self.created + self.updated + self.archived

    def done(self, op: str) -> None:
        """One more record written."""
        match op:
            case "create":
                self.created += 1
            case "archive":
                self.archived += 1
            case _:
                self.updated += 1


@dataclass(frozen=True, slots=True)
class Landed:
    """A write that was acknowledged, and the record as it was read after it. `ours`: nobody wrote it in between."""

    row: ActionRow
    record: Record
    ours: bool = True


@dataclass(slots=True)
class Ledger:
    """Where outcomes are written down: one account of one workspace in one run. `causes`: (vendor's code, field) -> refusals.

    Somebody who made the same record a moment before us is no cause of that kind.
    """

    workspace: int
    run: int
    connected: Connected
    count: Count = field(default_factory=Count)
    causes: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    def land(self, tx: Tx, landed: Sequence[Landed], now: int) -> None:
        """Acknowledged and read: the links carry their versions, the actions are applied.

        What a record tells of events is left to the next pull, which reads it again, since the write moved its stamp.
        """
        landed = [self._edits_only(item) for item in landed]
        updates = [item for item in landed if item.row.op != "create"]
        if updates:
            self._land_updates(tx, updates, now)
        creates = [item for item in landed if item.row.op == "create"]
        if creates:
            self._land_creates(tx, creates, now)
        actions.set_state(tx, [item.row.id for item in landed], "applied")
        for item in landed:
            if item.row.step == 1:
                self.count.done(item.row.op)

    def _edits_only(self, item: Landed) -> Landed:
        hearsay = self.connected.system.map.kinds[item.record.ref.kind].hearsay
        return replace(item, record=replace(item.record, values=without(hearsay, item.record.values))) if hearsay else item

    def _land_creates(self, tx: Tx, landed: Sequence[Landed], now: int) -> None:
        account, maps = self.connected.system.account, self.connected.system.map.kinds
        first = links.reserve(tx, len(landed))
        rows: list[LinkRow] = []
        found: list[tuple[str, str, int]] = []
        for offset, item in enumerate(landed):
            link, record, payload = first + offset, item.record, item.row.payload
            seen = {**dict.fromkeys(maps[record.ref.kind].asks), **payload["values"], **record.values}
            agreed = {} if item.ours else _foreign(payload["values"], seen)
            stage = maps[record.ref.kind].stage
            defaults = stage.natives if item.ours and stage else ()
            agreed.update(_unasked(payload["values"], {native: value for native, value in seen.items() if native not in defaults}))
            unsaid = {native: seen[native] for native in defaults if seen.get(native) is not None}
            notes = {"default": unsaid} if unsaid and payload["values"].keys().isdisjoint(unsaid) else None
            if UNLINKED in payload:
                notes = self._park_link(notes or {}, item)
            rows.append(
                LinkRow(
                    link,
                    account,
                    record.ref.kind,
                    record.ref.id,
                    item.row.person,
                    "linked",
                    record.stamp,
                    seen,
                    agreed,
                    payload["carried"],
                    notes,
                    record.author,
                )
            )
            found.extend((key, value, link) for key, value in maps[record.ref.kind].keys(seen))
        links.insert(tx, self.workspace, rows)
        keys.insert(tx, self.workspace, found)
        self._look_again(tx, rows, now)
        waiting = sorted({row.person for row in rows if row.carried.get(COMPANY) == 0 and PARKED not in (row.claim or {}) and row.person is not None})
        if waiting:
            people.mark_due(tx, self.workspace, waiting, now)

    def _park_link(self, notes: Mapping[str, Any], item: Landed) -> dict[str, Any]:
        """A new record whose company could not be found is there without it."""
        why = item.row.payload[UNLINKED]
        self.count.rejected += why["code"] != NONE_FOUND
        native = self.connected.system.map.kinds[item.record.ref.kind].fields[COMPANY].native
        return park(notes, COMPANY, [why["version"], None], Why(why["code"], native, item.row.id))

    def remember_made(self, tx: Tx, rows: Sequence[ActionRow]) -> None:
        """Records that we made and that are gone or moved before we saw them: known all the same, or they would be made again."""
        if not rows:
            return
        first, account = links.reserve(tx, len(rows)), self.connected.system.account
        refs = [Ref(str((row.result or {})["kind"]), str((row.result or {})["ref"])) for row in rows]
        known = links.by_refs(tx, self.workspace, account, refs)
        fresh = [
            LinkRow(first + offset, account, ref.kind, ref.id, row.person, "linked", 0, {}, {}, {}, None, None)
            for offset, (row, ref) in enumerate(zip(rows, refs, strict=True))
            if ref not in known
        ]
        links.insert(tx, self.workspace, fresh)

    def _land_updates(self, tx: Tx, landed: Sequence[Landed], now: int) -> None:
        known = links.by_ids(tx, [item.row.link for item in landed if item.row.link is not None])
        rewritten: dict[int, LinkRow] = {}
        seen_elsewhere: list[tuple[Any, ...]] = []
        revealed: set[int] = set()
        for item in landed:
            row = rewritten.get(item.row.link or 0) or known[item.row.link or 0]
            if row.person is not None and item.record.values.keys() - row.seen.keys() - item.row.payload["values"].keys():
                revealed.add(row.person)
            others = {native: [row.seen.get(native), value] for native, value in item.record.values.items() if _news(item, row, native, value)}
            if others:
                seen_elsewhere.append((row.id, row.person, item.record.stamp, now, self.run, item.record.author, others))
            rewritten[row.id] = self._updated(item, row)
        links.rewrite(tx, list(rewritten.values()))
        why = Cause(f"no record is left: archived in {self.connected.name}", self.connected.name)
        presence.follow(tx, self.workspace, dict.fromkeys(people_of(item.row for item in landed if item.row.op == "archive"), why), now, self.run)
        if seen_elsewhere:
            changes.insert(tx, self.workspace, seen_elsewhere)
        self._look_again(tx, rewritten.values(), now)
        if revealed:  # a field that was hidden from us until now: it is met by the next run
            people.mark_due(tx, self.workspace, sorted(revealed), now)
        self._rekey(tx, [row for row in rewritten.values() if row.kind in self.connected.system.map.kinds], known, now)

    def _look_again(self, tx: Tx, rows: Iterable[LinkRow], now: int) -> None:
        """Whoever was given a value that is not ours is due: no later pull will bring that value as news."""
        edited = sorted({row.person for row in rows if row.agreed and row.person is not None})
        if edited:
            people.mark_due(tx, self.workspace, edited, now)

    def _updated(self, item: Landed, row: LinkRow) -> LinkRow:
        if item.row.op == "archive":
            return row._replace(state="gone", claim={**(row.claim or {}), "archived": True})
        record, values = item.record, item.row.payload["values"]
        expected = {native: record.values.get(native, value) for native, value in values.items()}
        agreed = overlay(row, {native: value for native, value in record.values.items() if native not in values})
        for native in values:
            agreed.pop(native, None)
        if not item.ours:
            agreed.update(_foreign(values, expected))
        carried = {**row.carried, **{name: change[2] for name, change in item.row.fields.items()}}
        notes = dict(row.claim or {})
        kind = self.connected.system.map.kinds[row.kind]
        if STAGE in item.row.fields and item.ours and not _stage_landed(kind, values, expected):
            carried[STAGE] = row.carried.get(STAGE, 0)
            on = parked_on(item.row.fields[STAGE][2], _writes(kind), {**row.seen, **expected}, values)
            notes = park(notes, STAGE, on, Why(NOT_TAKEN, next(iter(sorted(values.keys() & _writes(kind))), None), item.row.id))
            self.count.rejected += 1
            self.causes[(NOT_TAKEN, STAGE)] += 1
        return row._replace(
            stamp=max(row.stamp, record.stamp),
            seen={**row.seen, **record.values, **expected},
            agreed=agreed,
            carried=carried,
            claim=notes or None,
            author=record.author,
        )

    def _rekey(self, tx: Tx, rows: Sequence[LinkRow], known: Mapping[int, LinkRow], now: int) -> None:
        maps = self.connected.system.map.kinds
        moved = [row for row in rows if maps[row.kind].keys(row.seen) != maps[row.kind].keys(known[row.id].seen)]
        named = [row for row in rows if renamed(maps[row.kind], known[row.id].seen, row.seen)]
        stir(tx, self.workspace, {row.id for row in (*moved, *named)}, now)
        if moved:
            keys.replace(tx, self.workspace, [row.id for row in moved], [(key, value, row.id) for row in moved for key, value in maps[row.kind].keys(row.seen)])

    def reject(self, tx: Tx, refused: Sequence[tuple[ActionRow, Rejected]], now: int) -> None:
        """Parked on what was wanted and what stands there: tried again when either changes. What else the row would have written goes alone next time."""
        self.count.rejected += sum(1 for _, why in refused if why.code != NONE_FOUND)
        self.causes.update((why.code, why.field or "") for row, why in refused if _is_cause(row, why))
        known = links.by_ids(tx, [row.link for row, _ in refused if row.link is not None])
        actions.set_results(tx, [(row.id, "rejected", _told(row, why, known.get(row.link or 0)), row.attempts + 1) for row, why in refused])
        guilty = {row.id: self._guilty(known[row.link], row, why) for row, why in refused if row.link in known}
        links.rewrite(tx, [self._parked(known[row.link], row, guilty[row.id], why) for row, why in refused if row.link in known])
        self._park_creates(tx, [(row, why) for row, why in refused if row.op == "create"])
        halved = {row.id for row, _ in refused if row.step > 1}  # what an earlier step cleared must not stay so
        partly = [row for row, _ in refused if row.id in halved or len(guilty.get(row.id, row.fields)) < len(row.fields)]
        innocent = sorted({row.person for row in partly if row.person is not None})
        if innocent:
            people.mark_due(tx, self.workspace, innocent, now)

    def _guilty(self, link: LinkRow, row: ActionRow, why: Rejected) -> set[str]:
        """The fields at fault: the one that was named, or all."""
        kind = self.connected.system.map.kinds[link.kind]
        natives = {name: _writes(kind) if name == STAGE else {kind.fields[name].native} for name in row.fields if name == STAGE or name in kind.fields}
        return {name for name, mapped in natives.items() if why.field in mapped} or set(row.fields)

    def _parked(self, link: LinkRow, row: ActionRow, guilty: set[str], why: Rejected) -> LinkRow:
        notes, cause = dict(link.claim or {}), Why(why.code, why.field, row.id)
        kind = self.connected.system.map.kinds[link.kind]
        if row.op == "archive":
            notes = park(notes, RECORD, link.stamp, cause)
        for name, change in row.fields.items():
            if name in guilty:
                on = parked_on(change[2], _writes(kind), link.seen, row.payload["values"]) if name == STAGE else [change[2], change[0]]
                notes = park(notes, name, on, cause)
        return link._replace(claim=notes or None)

    def _park_creates(self, tx: Tx, refused: Sequence[tuple[ActionRow, Rejected]]) -> None:
        """A record that could not be made has no link: that is noted with another record of the person."""
        if not refused:
            return
        others = links.of_people(tx, people_of(row for row, _ in refused))
        noted: dict[int, LinkRow] = {}
        name = for_create(self.connected.system.account)
        for row, why in refused:
            link = next((link for link in others.get(row.person or 0, ()) if link.state == "linked"), None)
            if link is not None:
                on = wanted(row.payload["kind"], row.payload["values"])
                noted[link.id] = link._replace(claim=park(link.claim or {}, name, on, Why(why.code, why.field, row.id)))
        links.rewrite(tx, list(noted.values()))


def _is_cause(row: ActionRow, why: Rejected) -> bool:
    """What says something of the set-up: not a link to a company, without which people go on, nor the record that somebody made a moment before us."""
    return COMPANY not in row.fields and (row.op != "create" or why.existing is None)


def _told(row: ActionRow, why: Rejected, link: LinkRow | None) -> dict[str, Any]:
    """What is kept of a refusal: the vendor's code and words, without the values that were sent or stand there."""
    values = [*row.payload["values"].values(), *(link.seen.values() if link else ())]
    return {"code": why.code, "reason": without_values(why.reason, values), "field": why.field}


def landed_once(answer: Present, values: Mapping[str, Native], since: int) -> bool:
    """The vendor's history shows each of these values after the revision on which the write was planned: it landed, and what stands now is an edit of it.

    By whom is not asked: our own writes cannot be told from others' everywhere, and whoever changed the very value that we sent has seen it.
    """
    return bool(answer.history) and all(
        any(change.at >= since and (change.value or None) == value for change in answer.history.get(native, ())) for native, value in values.items()
    )


def _stage_landed(kind: KindMap, values: Mapping[str, Native], stored: Mapping[str, Native]) -> bool:
    """A vendor may acknowledge a stage and not take it: only what it now shows counts."""
    return all(stored[native] == value for native, value in values.items() if native in _writes(kind))


def _writes(kind: KindMap) -> frozenset[str]:
    return kind.stage.writes if kind.stage else frozenset()


def _foreign(expected: Mapping[str, Native], stored: Mapping[str, Native]) -> dict[str, Native]:
    """Somebody else's values on top of what we wrote: what we wrote is agreed, theirs is an edit."""
    return {native: value for native, value in expected.items() if stored.get(native) != value}


def _unasked(given: Mapping[str, Native], stored: Mapping[str, Native]) -> dict[str, Native]:
    """What a new record holds that we did not give it: the vendor's own default, or the first thing that somebody typed there."""
    return {native: None for native, value in stored.items() if native not in given and value is not None and value is not False}


def _news(item: Landed, row: LinkRow, native: str, value: Native) -> bool:
    """A field that we did not write, and that is not as we knew it."""
    return native not in item.row.payload["values"] and native in row.seen and row.seen[native] != value
