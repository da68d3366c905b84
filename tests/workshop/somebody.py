"""Somebody at work in the systems: what they see there, what they type, make, delete, merge and convert, and a record of all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from office import Office

from stagesync.model.records import Ref
from stagesync.state import links
from stagesync.state.links import LinkRow
from stagesync.sync.session import Session

FIELDS = ("first_name", "city", "job_title")
NATIVE = {
    "contact": {"first_name": "firstname", "last_name": "lastname", "city": "city", "job_title": "jobtitle", "email": "email", "stage": "lifecyclestage"},
    "Lead": {"first_name": "FirstName", "last_name": "LastName", "city": "City", "job_title": "Title", "email": "Email", "stage": "Status"},
    "Contact": {"first_name": "FirstName", "last_name": "LastName", "city": "MailingCity", "job_title": "Title", "email": "Email"},
}
STAGES = {
    "contact": {"lead": "lead", "mql": "marketingqualifiedlead", "sql": "salesqualifiedlead", "opportunity": "opportunity"},
    "Lead": {"lead": "Open - Not Contacted", "mql": "Marketing Qualified", "sal": "Working - Contacted", "sql": "Sales Qualified"},
}
COMPANY = {"Lead": {"Company": "Inc"}, "Contact": {}}
LINE = ("lead", "mql", "sal", "sql", "opportunity")


@dataclass(frozen=True, slots=True)
class Row:
    """A live record as somebody sees it. `values` in our terms; blank is None."""

    world: str
    kind: str
    id: str
    values: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Doing:
    """One thing that somebody typed: over `before`, in one field of one record. `human`: the last name, which nobody changes.

    `met`: the engine had linked the record and met the field by then; before that a blank is no clear.
    `run`: how many runs had come to their end.
    """

    number: int
    human: str
    world: str
    id: str
    field: str
    before: str | None
    value: str | None
    met: bool
    run: int


class Somebody(Office):
    """The worlds of an office as somebody sees them. `doings`: all that was typed; `story`: all that happened, for whoever reads a failure.

    `made`: the records that somebody made. `tainted`: people of whom nobody can say any more who they are. `lowered`: whose stage somebody lowered.
    `buried`: (world, human) -> the records that they had there when somebody deleted one, until somebody brings them back.
    `opted`: who opted out -> the record in which they did so last.
    """

    def __init__(self, *place: Any, **options: Any) -> None:
        self.doings: list[Doing] = []
        self.made: set[tuple[str, str]] = set()
        self.tainted: set[str] = set()
        self.lowered: set[str] = set()
        self.deleted: dict[tuple[str, str], str] = {}
        self.buried: dict[tuple[str, str], set[str]] = {}
        self.opted: dict[str, Row] = {}
        self.story: list[str] = []
        self.looks_taken = 0
        super().__init__(*place, **options)

    def reopened(self) -> Session:
        """A fresh session; `store` is its state, for looking into."""
        session = super().reopened()
        self.store = session.store
        return session

    def worlds(self) -> dict[str, Any]:
        """By name."""
        return {name: world for name, world in (("hub", self.hub), ("crm", self.crm), ("hub2", self.hub2)) if world is not None}

    # -- what somebody sees and does

    def rows(self, world: str) -> list[Row]:
        """The live records of one world, in a stable order."""
        found: list[Row] = []
        if world == "crm":
            for kind in ("Lead", "Contact"):
                found.extend(self._row(world, kind, row["Id"], row) for row in self.crm.rows(kind) if not row.get("IsConverted"))
        else:
            found.extend(self._row(world, "contact", each["id"], each["properties"]) for each in self.worlds()[world].contacts())
        return sorted(found, key=lambda row: row.id)

    def _row(self, world: str, kind: str, id: str, native: Any) -> Row:
        values = {name: native.get(mapped) or None for name, mapped in NATIVE[kind].items()}
        if "stage" in values:
            words = {text: stage for stage, text in STAGES[kind].items()}
            values["stage"] = words.get(str(values["stage"]), values["stage"])
        values["email"] = values["email"].lower() if values["email"] else None
        return Row(world, kind, id, values)

    def type(self, row: Row, name: str, value: str | None) -> None:
        """Somebody types a value into one field. It is noted when it lands, which may be later than it is typed."""
        native = STAGES[row.kind][value] if name == "stage" and value is not None else value
        try:
            if row.world == "crm":
                with self._noting(row, name, value):
                    self.crm.edit(row.id, {NATIVE[row.kind][name]: native})
                return
            self.worlds()[row.world].edit(row.id, {NATIVE[row.kind][name]: native or ""})
        except (ValueError, LookupError) as refused:
            self.story.append(f"     (refused: {refused})")
            return
        self.note(row, name, row.values[name], value)

    @contextmanager
    def _noting(self, row: Row, name: str, value: str | None) -> Iterator[None]:
        """Whatever Salesforce is told in here is noted when it commits, over what stands there by then."""
        later = self.crm.org.later

        def land(action: Callable[[], None]) -> None:
            now = self._find("crm", row.id)
            action()
            self.note(now, name, now.values[name], value)

        self.crm.org.later = lambda action: later(partial(land, action))
        try:
            yield
        finally:
            self.crm.org.later = later

    def landed(self) -> None:
        """Time passes until everything that was typed in Salesforce has landed."""
        self.clock.at += self.crm.org.habits.commit_lag_s
        self.crm.org.commit_due()

    def note(self, row: Row, name: str, before: str | None, value: str | None) -> None:
        """Write down what was typed."""
        human = str(row.values["last_name"])
        if name == "stage" and before in LINE and value in LINE and LINE.index(value) < LINE.index(before):
            self.lowered.add(human)
        self.doings.append(Doing(len(self.doings), human, row.world, row.id, name, before, value, self.met(row, name), self.looks_taken))
        self.story.append(f"     {row.world} {row.kind} {row.id} ({human}): {name} {before!r} -> {value!r}")

    def link(self, row: Row) -> LinkRow | None:
        """What the engine remembers of a record, if anything."""
        account = next(account for account, connected in self.session.systems.items() if connected.name == row.world)
        ref = Ref(row.kind.lower(), row.id)
        with self.store.read() as tx:
            return links.by_refs(tx, self.session.workspace, account, [ref]).get(ref)

    def met(self, row: Row, name: str = "email") -> bool:
        """The engine knows whose record it is, and what this field of it holds: one that a reading left out is met later."""
        link = self.link(row)
        return link is not None and link.state == "linked" and name in link.carried

    def make(self, world: str, human: str, values: dict[str, str | None], kind: str = "Lead") -> Row | None:
        """Somebody makes a record."""
        kind = kind if world == "crm" else "contact"
        given = {NATIVE[kind][name]: STAGES[kind][value] if name == "stage" else value for name, value in values.items() if value is not None}
        given[NATIVE[kind]["last_name"]] = human
        try:
            id = self.crm.create(kind, {**given, **COMPANY[kind]}) if world == "crm" else self.worlds()[world].create(given)
        except ValueError as refused:
            self.story.append(f"     (refused: {refused})")
            return None
        self.made.add((world, id))
        self.landed()
        row = self._find(world, id)
        self.story.append(f"     {world} {kind} {id} ({human}) is made: {row.values}")
        self.buried = {(where, whose): ids for (where, whose), ids in self.buried.items() if whose != human}
        for name in (*FIELDS, "email"):
            if row.values[name] is not None:
                self.note(row, name, None, row.values[name])
        if world == "crm":
            self.doubt(human)  # in HubSpot a second record of a human is merged at once
        return row

    def delete(self, row: Row) -> None:
        """Somebody deletes a record."""
        self.story.append(f"     {row.world} {row.kind} {row.id} ({row.values['last_name']}) is deleted")
        human = str(row.values["last_name"])
        self.deleted[(row.world, row.id)] = human
        theirs = [each for world in self.worlds() for each in self.rows(world) if each.values["last_name"] == human]
        if all(self.met(each) for each in theirs):  # one that is met only afterwards is new to us, and brings them back
            self.buried[(row.world, human)] = {each.id for each in theirs if each.world == row.world}
        if row.world == "crm":
            self.crm.delete(row.id)
            self.landed()
        else:
            self.worlds()[row.world].archive(row.id)

    def restore(self, world: str, id: str) -> None:
        """Somebody takes it out of the bin."""
        try:
            if world == "crm":
                self.crm.undelete(id)
            else:
                self.worlds()[world].restore(id)
        except (ValueError, LookupError) as refused:
            self.story.append(f"     (refused: {refused})")
            return
        human = self.deleted.pop((world, id))
        self.buried = {(where, whose): ids for (where, whose), ids in self.buried.items() if whose != human}
        self.doings = [replace(doing, met=False) if (doing.world, doing.id) == (world, id) else doing for doing in self.doings]
        self.story.append(f"     {world} {id} is restored")
        self.doubt(next((str(row.values["last_name"]) for row in self.rows(world) if row.id == id), ""))

    def doubt(self, human: str) -> None:
        """Records of one human that met under different addresses: nobody can know that it is the same human."""
        if len({row.values["email"] for world in self.worlds() for row in self.rows(world) if row.values["last_name"] == human}) > 1:
            self.tainted.add(human)

    def convert(self, row: Row) -> None:
        """Somebody converts a Lead."""
        self.landed()
        made = self.crm.convert(row.id)
        self.made.add(("crm", made.contact))
        self.story.append(f"     crm Lead {row.id} ({row.values['last_name']}) is converted to {made.contact}")
        self._carried_over(self._find("crm", made.contact), [row])

    def merge(self, one: Row, other: Row) -> None:
        """Somebody merges two records of one world."""
        self.landed()
        try:
            if one.world == "crm":
                self.crm.merge(one.id, [other.id])
                id = one.id
            else:
                id = self.worlds()[one.world].merge(one.id, other.id)
        except (ValueError, LookupError) as refused:
            self.story.append(f"     (refused: {refused})")
            return
        self.made.add((one.world, id))
        names = {str(one.values["last_name"]), str(other.values["last_name"])}
        self.story.append(f"     {one.world}: {one.id} and {other.id} {sorted(names)} are merged into {id}")
        if len(names) > 1:
            self.tainted |= names
        self._carried_over(self._find(one.world, id), [one, other])

    def swap(self, one: Row, other: Row) -> None:
        """Somebody gives two people of one world each other's address, which were mixed up. A unique one must be free first."""
        first, second = one.values["email"], other.values["email"]
        self.type(one, "email", "between@x.example")
        self.landed()
        self.type(other, "email", first)
        self.landed()
        self.type(self._find(one.world, one.id), "email", second)
        self.landed()

    def share(self, *hidden: str) -> None:
        """The credential sees all of Salesforce's records but these. Sharing moves no stamp, so what is shared again is saved again: only then is it seen."""
        again = self.crm.org.habits.hidden_records - set(hidden)
        self.crm.org.change_habits({"hidden_records": list(hidden)})
        self.crm.touch(row.id for row in self.rows("crm") if row.id in again)

    def opt_out(self, row: Row) -> None:
        """Somebody wants no more e-mail."""
        if row.world == "crm":
            self.crm.edit(row.id, {"HasOptedOutOfEmail": True})
        elif row.values["email"]:
            self.worlds()[row.world].opt_out(row.values["email"])
        else:
            return
        self.landed()
        self.opted[str(row.values["last_name"])] = row
        self.story.append(f"     {row.world} {row.kind} {row.id} ({row.values['last_name']}) opts out")

    def opted_out(self, row: Row) -> bool:
        """What the record says of that."""
        if row.world == "crm":
            return bool(next(each for each in self.crm.rows(row.kind) if each["Id"] == row.id).get("HasOptedOutOfEmail"))
        return next(each for each in self.worlds()[row.world].contacts() if each["id"] == row.id)["properties"].get("hs_email_optout") == "true"

    def _find(self, world: str, id: str) -> Row:
        return next(row for row in self.rows(world) if row.id == id)

    def _carried_over(self, now: Row, before: list[Row]) -> None:
        """A record goes on as another: what was typed into it and still stands was typed there, what gave way was typed over."""
        for name in (*FIELDS, "email"):
            for old in before:
                if old.values.get(name) != now.values[name]:
                    self.note(replace(now, id=old.id), name, old.values.get(name), now.values[name])
                else:
                    mine = (old.world, old.id, name)
                    self.doings = [replace(doing, id=now.id, met=False) if (doing.world, doing.id, doing.field) == mine else doing for doing in self.doings]
