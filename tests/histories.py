"""Random histories: somebody works in the systems while the engine runs, calls fail, the program dies and is started again.

Everything follows from a seed. What somebody does is written down, so that `oracle` can say afterwards whether it is all accounted for.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from office import Office

from stagesync.model.errors import StagesyncError
from stagesync.model.records import Ref
from stagesync.sandbox.faults import Fault
from stagesync.sandbox.hubspot.habits import Habits
from stagesync.state import leases, links
from stagesync.state.links import LinkRow
from stagesync.state.store import Store, Tx
from stagesync.sync import engine
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


class Died(Exception):
    """The program ended here, without a chance to say anything."""


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

    `met`: the engine had linked the record by then; before that a blank is no clear.
    `run`: how many runs there had been.
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


class Door:
    """Stands between a connector and its world: tells the lab about every call, and lets nothing through once the program is dead."""

    def __init__(self, lab: Lab, name: str, world: Any) -> None:
        self.lab, self.name, self.world = lab, name, world

    def arrive(self, request: Any) -> Any:
        """The call sets out."""
        self.lab.call_begins(self.name, f"{request.method} {request.path}")
        self.lab.note_window(self.name, request)
        return self.world.arrive(request)

    def pause_s(self, request: Any, fault: Any) -> float:
        """No waiting."""
        return 0.0

    def wait(self, seconds: float) -> None:
        """No waiting."""

    def answer(self, request: Any, fault: Any = None) -> Any:
        """The call is carried out, and answered if somebody still listens."""
        try:
            response = self.world.answer(request, fault)
        finally:
            self.lab.call_ended(self.name, f"{request.method} {request.path}")
        self.lab.alive()
        return response


class Fragile:
    """The state's store as a program has it that may die at any commit."""

    def __init__(self, lab: Lab, store: Store) -> None:
        self.lab, self.store = lab, store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    @property
    def guard(self) -> Any:
        """What a lease checks before each write."""
        return self.store.guard

    @guard.setter
    def guard(self, check: Any) -> None:
        self.store.guard = check

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """As the store's, unless the program dies before or just after the commit."""
        self.lab.alive()
        with self.store.write() as tx:
            yield tx
            self.lab.commit_begins()
        self.lab.commit_ends()

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """As the store's."""
        self.lab.alive()
        with self.store.read() as tx:
            yield tx


class Lab(Office):
    """An office in which things happen between the engine's own calls.

    `moments`: (world, number of the call) -> what somebody does before it. `after`: (world, call, what somebody does right after the first such call).
    """

    def __init__(self, folder: Path, *, habits: Habits | None = None, **options: Any) -> None:
        self.calls: Counter[str] = Counter()
        self.commits = 0
        self.moments: dict[tuple[str, int], Callable[[], None]] = {}
        self.dies_at: tuple[str, int] | None = None
        self.after: tuple[str, str, Callable[[], None]] | None = None
        self.dead = False
        self.watching = False
        self.running = False
        self.lock = threading.RLock()
        self.doings: list[Doing] = []
        self.made: set[tuple[str, str]] = set()
        self.tainted: set[str] = set()
        self.lowered: set[str] = set()
        self.deleted: dict[tuple[str, str], str] = {}
        self.story: list[str] = []
        self.rounds = 0
        self.reads: list[tuple[int, str, Any]] = []
        self.windows: set[int] = set()
        super().__init__(folder, hub_habits=habits or Habits(restore_moves_stamp=True), **options)
        self.watching = True

    # -- between connector and world

    def way_to(self, world: Any) -> Any:
        """Every call goes through a door."""
        name = "crm" if world is self.crm else "hub" if world is self.hub else "hub2"
        return Door(self, name, world)

    def reopened(self) -> Session:
        """A fresh session whose state is fragile."""
        self.watching, watching = False, self.watching
        session = super().reopened()
        self.watching = watching
        self.store = session.store
        fragile: Any = Fragile(self, session.store)
        return replace(session, store=fragile)

    def alive(self) -> None:
        """Raises where the program is dead."""
        if self.dead:
            raise Died

    def call_begins(self, name: str, request: str) -> None:
        """Somebody's moment between two calls; or the program's last."""
        self.alive()
        if not self.watching:
            return
        with self.lock:
            self.calls[name] += 1
            moment = self.moments.pop((name, self.calls[name]), None)
            if moment is not None:
                self.story.append(f"   before call {self.calls[name]} to {name} ({request}):")
                moment()
        self._die_at(name, self.calls[name])

    def note_window(self, name: str, request: Any) -> None:
        """What was typed since the engine last read this record, and is written over now: nobody can see that in time."""
        if not (request.method == "PATCH" or request.path.endswith(("/batch/update", "/composite"))):
            self.reads.append((len(self.doings), name, request))
            return
        for doing in self.doings:
            if doing.world == name and doing.id.encode() in request.body:
                seen = any(number > doing.number and where == name and _reads(read, doing.id) for number, where, read in self.reads)
                if not seen:
                    self.windows.add(doing.number)

    def call_ended(self, name: str, request: str) -> None:
        """What somebody does right after a call of that kind, before its answer is heard of."""
        if self.watching and self.after and (name, request.startswith(self.after[1])) == (self.after[0], True):
            _, _, deed = self.after
            self.after = None
            deed()

    def commit_begins(self) -> None:
        """The program may die just before a commit."""
        self.commits += 1
        self._die_at("commit", self.commits)

    def commit_ends(self) -> None:
        """Or just after it."""
        self._die_at("committed", self.commits)

    def _die_at(self, place: str, number: int) -> None:
        self.alive()
        if self.dies_at == (place, number):
            self.dead = True
            raise Died

    # -- the engine's rounds

    def round(self) -> engine.RunReport | None:
        """One run; None where something stopped it. A program that died is started again."""
        self.clock.at += 1
        self.commits = 0
        self.rounds += 1
        self.calls.clear()
        self.running = True
        try:
            with leases.acquire(self.store, self.session.workspace, "test"):
                planned = engine.plan(self.session)
                report = engine.apply(self.session, planned.run, planned=planned)
        except (StagesyncError, Died) as error:
            self.story.append(f"-- run stopped: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
            report = None
        else:
            self.story.append(f"-- run: {report.writes} writes, {report.new_holds} new holds, error {report.error!r}")
        self.running = False
        for name, moment in sorted(self.moments.items()):
            self.story.append(f"   after the run (planned for {name}):")
            moment()
        self.moments.clear()
        if self.dead or (report is not None and isinstance(report.error, Died)):
            self.restart()
            return None
        return report

    def restart(self) -> None:
        """Somebody starts the program again, when the vendors can be reached."""
        self.calm()
        self.story.append("-- died, started again")
        self.dead, self.dies_at = False, None
        self.store.close()
        self.session = self.reopened()

    def calm(self) -> None:
        """No more trouble."""
        self.dies_at = None
        for world in self.worlds().values():
            world.faults.clear()

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
        """Somebody types a value into one field."""
        native = STAGES[row.kind][value] if name == "stage" and value is not None else value
        try:
            if row.world == "crm":
                self.crm.edit(row.id, {NATIVE[row.kind][name]: native})
            else:
                self.worlds()[row.world].edit(row.id, {NATIVE[row.kind][name]: native or ""})
        except (ValueError, LookupError) as refused:
            self.story.append(f"     (refused: {refused})")
            return
        self.note(row, name, row.values[name], value)

    def note(self, row: Row, name: str, before: str | None, value: str | None) -> None:
        """Write down what was typed."""
        human = str(row.values["last_name"])
        if name == "stage" and before in LINE and value in LINE and LINE.index(value) < LINE.index(before):
            self.lowered.add(human)
        self.doings.append(Doing(len(self.doings), human, row.world, row.id, name, before, value, self.met(row), self.rounds))
        self.story.append(f"     {row.world} {row.kind} {row.id} ({human}): {name} {before!r} -> {value!r}")

    def link(self, row: Row) -> LinkRow | None:
        """What the engine remembers of a record, if anything."""
        account = next(account for account, connected in self.session.systems.items() if connected.name == row.world)
        ref = Ref(row.kind.lower(), row.id)
        with self.store.read() as tx:
            return links.by_refs(tx, self.session.workspace, account, [ref]).get(ref)

    def met(self, row: Row) -> bool:
        """The engine knows whose record it is."""
        link = self.link(row)
        return link is not None and link.state == "linked" and bool(link.carried)

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
        row = next(row for row in self.rows(world) if row.id == id)
        self.story.append(f"     {world} {kind} {id} ({human}) is made: {row.values}")
        for name in (*FIELDS, "email"):
            if row.values[name] is not None:
                self.note(row, name, None, row.values[name])
        if world == "crm":
            self.doubt(human)  # in HubSpot a second record of a human is merged at once
        return row

    def delete(self, row: Row) -> None:
        """Somebody deletes a record."""
        self.story.append(f"     {row.world} {row.kind} {row.id} ({row.values['last_name']}) is deleted")
        self.deleted[(row.world, row.id)] = str(row.values["last_name"])
        if row.world == "crm":
            self.crm.delete(row.id)
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
        del self.deleted[(world, id)]
        self.doings = [replace(doing, met=False) if (doing.world, doing.id) == (world, id) else doing for doing in self.doings]
        self.story.append(f"     {world} {id} is restored")
        self.doubt(next((str(row.values["last_name"]) for row in self.rows(world) if row.id == id), ""))

    def doubt(self, human: str) -> None:
        """Records of one human that met under different addresses: nobody can know that it is the same human."""
        if len({row.values["email"] for world in self.worlds() for row in self.rows(world) if row.values["last_name"] == human}) > 1:
            self.tainted.add(human)

    def convert(self, row: Row) -> None:
        """Somebody converts a Lead."""
        made = self.crm.convert(row.id)
        self.made.add(("crm", made.contact))
        self.story.append(f"     crm Lead {row.id} ({row.values['last_name']}) is converted to {made.contact}")
        self._carried_over(self._find("crm", made.contact), [row])

    def merge(self, one: Row, other: Row) -> None:
        """Somebody merges two records of one world."""
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


def _reads(request: Any, id: str) -> bool:
    """The call shows that record: it names it, or asks for whatever is new."""
    return id in request.path or id.encode() in request.body or request.path.endswith(("/search", "/query", "/query/", "/queryAll", "/queryAll/", "/contacts"))


@dataclass(slots=True)
class History:
    """One history in the making. `deeds`: how often each kind of deed is chosen."""

    lab: Lab
    random: Random
    people: int = 0
    tokens: int = 0
    deeds: dict[str, int] = field(
        default_factory=lambda: {
            "edit": 10,
            "clear": 2,
            "make": 3,
            "both": 2,
            "stage": 5,
            "lower": 1,
            "address": 2,
            "delete": 1,
            "restore": 1,
            "convert": 1,
            "merge": 1,
            "twin": 1,
            "collide": 1,
        }
    )

    def token(self, name: str) -> str:
        """A value that nobody else types."""
        self.tokens += 1
        return f"{name[:2].title()}{self.tokens}"

    def deed(self) -> None:
        """Somebody does something."""
        self.lab.clock.at += self.random.choice((0, 0.3, 1.2))
        name = self.random.choices(list(self.deeds), list(self.deeds.values()))[0]
        getattr(self, f"_{name}")()
        self.lab.clock.at += self.random.choice((0, 0.3, 1.2))

    def _any(self, kind: str | None = None) -> Row | None:
        world = self.random.choice(sorted(self.lab.worlds()))
        rows = [row for row in self.lab.rows(world) if kind is None or row.kind == kind]
        return self.random.choice(rows) if rows else None

    def _edit(self) -> None:
        row = self._any()
        if row is not None:
            name = self.random.choice(FIELDS)
            self.lab.type(row, name, self.token(name))

    def _clear(self) -> None:
        row = self._any()
        if row is not None:
            name = self.random.choice(FIELDS)
            if row.values[name] is not None:
                self.lab.type(row, name, None)

    def _stage(self) -> None:
        self._move(forward=True)

    def _lower(self) -> None:
        self._move(forward=False)

    def _move(self, *, forward: bool) -> None:
        row = self._any()
        if row is None or row.values.get("stage") not in LINE:
            return
        now = LINE.index(str(row.values["stage"]))
        fit = [stage for stage in STAGES[row.kind] if (LINE.index(stage) > now if forward else LINE.index(stage) < now)]
        if fit:
            self.lab.type(row, "stage", self.random.choice(fit))

    def _address(self) -> None:
        row = self._any()
        if row is not None and self.lab.met(row) and self._is_whole(row):
            self.tokens += 1
            self.lab.type(row, "email", f"new{self.tokens}@x.example")

    def _is_whole(self, row: Row) -> bool:
        """All records of the human are known to belong together: the address may change without tearing them apart."""
        others = [other for world in sorted(self.lab.worlds()) for other in self.lab.rows(world) if other.values["last_name"] == row.values["last_name"]]
        known = [self.lab.link(other) for other in others]
        return all(link is not None and link.state == "linked" for link in known) and row.values["last_name"] not in self.lab.deleted.values()

    def _values(self, human: str) -> dict[str, str | None]:
        filled = [name for name in FIELDS if self.random.random() < 0.6]
        stage = self.random.choice((None, None, "lead", "mql", "sql"))
        return {"email": f"{human.lower()}@x.example", "stage": stage, **{name: self.token(name) for name in filled}}

    def _human(self) -> str:
        self.people += 1
        return f"Human{self.people}"

    def _make(self) -> None:
        human = self._human()
        self.lab.make(self.random.choice(sorted(self.lab.worlds())), human, self._values(human))

    def _both(self) -> None:
        human = self._human()
        for world in self.random.sample(sorted(self.lab.worlds()), 2):
            self.lab.make(world, human, self._values(human))

    def _twin(self) -> None:
        """A second record of a human in the same world, with another address, or (where the vendor lets it) the same."""
        row = self._any()
        if row is None or row.kind == "Contact":
            return
        values = self._values(str(row.values["last_name"]))
        self.tokens += 1
        values["email"] = row.values["email"] if row.world == "crm" else f"twin{self.tokens}@x.example"
        other = self.lab.make(row.world, str(row.values["last_name"]), values)
        if other is not None and row.world != "crm":
            self.lab.merge(*self.random.sample([row, other], 2))

    def _merge(self) -> None:
        """Two records of one human."""
        rows = self.lab.rows(self.random.choice(sorted(self.lab.worlds())))
        pairs = [(a, b) for a in rows for b in rows if a.id != b.id and a.kind == b.kind and a.values["last_name"] == b.values["last_name"]]
        if pairs:
            self.lab.merge(*self.random.choice(pairs))

    def _collide(self) -> None:
        """Two records of two humans."""
        rows = self.lab.rows(self.random.choice(sorted(self.lab.worlds())))
        pairs = [(a, b) for a in rows for b in rows if a.id != b.id and a.kind == b.kind and a.values["last_name"] != b.values["last_name"]]
        if pairs:
            self.lab.merge(*self.random.choice(pairs))

    def _delete(self) -> None:
        row = self._any()
        if row is not None:
            self.lab.delete(row)

    def _restore(self) -> None:
        if self.lab.deleted:
            self.lab.restore(*self.random.choice(sorted(self.lab.deleted)))

    def _convert(self) -> None:
        row = self._any("Lead")
        if row is not None:
            self.lab.convert(row)

    # -- trouble

    def trouble(self) -> None:
        """Plan a fault or the program's death for the next run."""
        world = self.random.choice(sorted(self.lab.worlds()))
        match self.random.choice(("lost_before", "lost_after", "lost_after", "status", "status", "truncated", "dies", "dies", "dies")):
            case "dies":
                place = self.random.choice((world, "commit", "committed"))
                self.lab.dies_at = (place, self.random.randint(1, 12))
            case "status":
                skip, times, status = self.random.randint(0, 8), self.random.choice((1, 1, 2, 6)), self.random.choice((429, 500, 503))
                self.lab.worlds()[world].faults.add(Fault("status", skip=skip, times=times, status=status, body="{}"))
            case kind:
                match_ = self.random.choice(("", "POST", "POST", "PATCH"))
                self.lab.worlds()[world].faults.add(Fault(kind, match_, skip=self.random.randint(0, 4)))

    def meddle(self) -> None:
        """Plan a deed between the engine's calls of the next run."""
        world = self.random.choice(sorted(self.lab.worlds()))
        self.lab.moments[(world, self.random.randint(1, 8))] = self.deed

    def live(self, rounds: int) -> None:
        """Some rounds of life, then calm."""
        for _ in range(self.random.randint(1, 3)):
            self.random.choice((self._make, self._both, self._both))()
        for _ in range(rounds):
            for _ in range(self.random.randint(0, 4)):
                self.deed()
            for _ in range(self.random.choice((0, 1, 2))):
                self.meddle()
            if self.random.random() < 0.5:
                self.trouble()
            self.lab.round()
            self.lab.clock.at += self.random.choice((0, 1, 30, 1000))
        self.lab.calm()
        self.lab.later(90_000)
