"""A lab: an office in which things happen between the engine's own calls, and in which the program may die at each of them.

All in one thread and from a seed, so that whatever goes wrong goes wrong again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from doors import Door
from office import Looks, Office
from somebody import Somebody
from watch import Watch
from weather import FAIR, Weather

from stagesync.connectors.contract import Connector
from stagesync.model.errors import SafetyStop, StagesyncError
from stagesync.state import leases
from stagesync.state.store import Store, Tx, open_store
from stagesync.sync import engine
from stagesync.sync.beside import End
from stagesync.sync.deciding.guard import DEFAULT_LIMITS
from stagesync.sync.sending import failures
from stagesync.sync.session import Session

Item = TypeVar("Item")


class Died(Exception):
    """The program ended here, without a chance to say anything."""


_KNOWN: dict[str, Looks] = {}
"""What was seen of accounts that look alike."""


@cache
def empty_state() -> bytes:
    """A state's file before its first run."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        open_store(f"sqlite:///{path}").close()
        return path.read_bytes()


class OneByOne:
    """The work on several systems in one thread, in an order that comes from a seed."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def run(self, works: Sequence[Callable[[], None]]) -> None:
        """One after the other."""
        for work in self.random.sample(works, len(works)):
            work()

    def start(self, work: Callable[[], Item]) -> Callable[[], Item]:
        """Done before anything else is."""
        future: Future[Item] = Future()
        try:
            future.set_result(work())
        except StagesyncError as error:  # a death is none
            future.set_exception(error)
        return future.result

    def merge(self, sources: Mapping[int, Iterable[Item]]) -> Generator[tuple[int, Item | End], None, None]:
        """An item from this source, then one from that."""
        left = {whose: iter(source) for whose, source in sources.items()}
        while left:
            whose = self.random.choice(sorted(left))
            try:
                yield whose, next(left[whose])
            except StopIteration:
                del left[whose]
                yield whose, End()
            except Exception as error:  # noqa: BLE001 - the consumer raises it, as it does what breaks off a thread
                del left[whose]
                yield whose, End(error)


class Threshold(Door):
    """Stands between a connector and its world: tells the lab about every call, and lets nothing through once the program is dead."""

    def __init__(self, lab: Lab, name: str, world: Any) -> None:
        super().__init__(world)
        self.lab, self.name = lab, name

    def arrive(self, request: Any) -> Any:
        """The call sets out."""
        self.lab.call_begins(self.name, f"{request.method} {request.path}")
        self.lab.note_window(self.name, request)
        return super().arrive(request)

    def answer(self, request: Any, fault: Any = None) -> Any:
        """The call is carried out, and answered if somebody still listens."""
        try:
            with self.lab.watch.over(self.name, request):
                response = super().answer(request, fault)
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


class Lab(Somebody):
    """An office in which things happen between the engine's own calls.

    `moments`: (world, number of the call) -> what somebody does before it. `after`: (world, call, what somebody does right after the first such call).
    """

    def __init__(self, folder: Path, *, weather: Weather = FAIR, random: Random | None = None, **options: Any) -> None:
        self.weather = weather
        self.calls: Counter[str] = Counter()
        self.commits = 0
        self.moments: dict[tuple[str, int], Callable[[], None]] = {}
        self.dies_at: tuple[str, int] | None = None
        self.after: tuple[str, str, Callable[[], None]] | None = None
        self.dead = False
        self.watching = False
        self.running = False
        self.beside = OneByOne(random or Random(0))
        self.reads: list[tuple[int, str, Any]] = []
        self.windows: set[int] = set()
        self.uploads: list[Any] = []
        self.watch = Watch(self)
        self.approves: Callable[[], bool] = lambda: True
        (folder / "state.db").write_bytes(empty_state())
        super().__init__(folder, hub_habits=weather.hub, crm_habits=weather.crm, **options)
        self.watching = True

    # -- between connector and world

    def way_to(self, world: Any) -> Any:
        """Every call goes through a door."""
        name = "crm" if world is self.crm else "hub" if world is self.hub else "hub2"
        return Threshold(self, name, world)

    def reopened(self) -> Session:
        """A fresh session whose state is fragile."""
        self.watching, watching = False, self.watching
        session = super().reopened()
        self.watching = watching
        fragile: Any = Fragile(self, self.store)
        return replace(session, store=fragile, beside=self.beside, limits=self.weather.limits or DEFAULT_LIMITS)

    def looked_at(self, opened: Mapping[str, Connector]) -> Looks:
        """As the program does, the accounts are not looked at again at every start. A twin looks, so that the first lab's worlds have seen no more calls."""
        key = repr((list(opened), self.fields, self.overrides, self.signals))
        if key not in _KNOWN:
            with TemporaryDirectory() as folder:
                options: dict[str, Any] = {"fields": self.fields, "overrides": self.overrides, "signals": self.signals, "order": self.order}
                twin = Office(Path(folder), second=self.hub2 is not None, **options)
                _KNOWN[key] = twin.looks
                twin.session.store.close()
        return _KNOWN[key]

    def alive(self) -> None:
        """Raises where the program is dead."""
        if self.dead:
            raise Died

    def call_begins(self, name: str, request: str) -> None:
        """Somebody's moment between two calls; or the program's last."""
        self.alive()
        if not self.watching:
            return
        self.calls[name] += 1
        moment = self.moments.pop((name, self.calls[name]), None)
        if moment is not None:
            self.story.append(f"   before call {self.calls[name]} to {name} ({request}):")
            moment()
        self._die_at(name, self.calls[name])

    def note_window(self, name: str, request: Any) -> None:
        """What was typed since the engine last read this record, and is written over now: nobody can see that in time. A job writes for as long as it runs.

        So is what was typed before, and lands only as this very call arrives.
        """
        if name == "crm":
            self.crm.org.commit_due()
        if request.method == "PUT":
            self.uploads.append(request)
        for each in self.uploads if name == "crm" else ():
            self._note_window(name, each)
        if not self.crm.jobs.unfinished:
            self.uploads.clear()
        self._note_window(name, request)

    def _note_window(self, name: str, request: Any) -> None:
        if not (request.method in ("PATCH", "PUT") or request.path.endswith(("/batch/update", "/composite"))):
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
        self.calls.clear()
        self.running = True
        self.watch.begins()
        try:
            with leases.acquire(self.store, self.session.workspace, "test"):
                planned = engine.plan(self.session)
                self._ask(planned)
                report = self.carry_out(planned)
        except (StagesyncError, Died) as error:
            self.story.append(f"-- run stopped: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
            report = None
        else:
            self.looks_taken += 1
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

    def carry_out(self, planned: engine.PlanReport) -> engine.RunReport:
        """The plan that was just made, at once."""
        return engine.apply(self.session, planned.run, planned=planned)

    def _ask(self, planned: engine.PlanReport) -> None:
        """Guards stop the run before its first write, unless somebody approves of the plan. Raises `SafetyStop`."""
        stops = [stop for stop in planned.stops if stop.kind != "first"] if self.weather.limits else []
        approved = not stops or self.approves()
        self.watch.planned(approved=approved, within=not stops)
        if not approved:
            raise SafetyStop("; ".join(stop.sentence for stop in stops))

    def restart(self) -> None:
        """Somebody starts the program again, when the vendors can be reached."""
        self.calm()
        self.story.append("-- died, started again")
        self.dead, self.dies_at = False, None
        self.store.close()
        self.session = self.reopened()

    def calm(self) -> None:
        """No more trouble on the way."""
        self.dies_at = None
        for world in self.worlds().values():
            world.faults.clear()

    def come_to_rest(self) -> None:
        """No more trouble, and runs until one of them writes nothing. Fails after twelve."""
        self.calm()
        for _ in range(12):
            self.clock.at += 1_000
            report = self.round()
            if report is not None and report.writes == 0 and report.error is None:
                return
        raise AssertionError("\n".join([*self.story, "not quiet"]))

    def cleared(self) -> None:
        """The weather clears up as well: everything can be seen and written again, and somebody has what was refused tried once more."""
        self.calm()
        self.approves = lambda: True
        for world in self.worlds().values():
            if world is self.crm:
                world.org.change_habits({"hidden_fields": ()})
                self.share()
            else:
                world.switch(hidden_properties=())
        self.landed()
        failures.retry(self.store, self.session.workspace, lambda failure: True, self.clock.now_ms())


def _reads(request: Any, id: str) -> bool:
    """The call shows that record: it names it, or asks for whatever is new."""
    if request.path.endswith(("/query", "/query/", "/queryAll", "/queryAll/")):
        return "SystemModstamp" in request.query  # of people; other queries are about statuses, roles and the like
    return id in request.path or id.encode() in request.body or request.path.endswith(("/search", "/contacts"))
