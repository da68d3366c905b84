"""Lives of a real `stagesync sync` that is killed over and over, beside a twin of the same work that is left in peace.

Everything but the machine's own timing follows from a seed: the people, what somebody does in each round, and when the program is killed. An instant is
a moment of the time that the twin's run took, or a request: just before it is carried out, just after, or some milliseconds later.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from signal import SIGKILL
from typing import Any

from cli_box import Box, box
from programs import Program

from stagesync.sandbox.wire import ReplyLost, Request, Response
from stagesync.sandbox.worlds import build

PEOPLE = 40
ROUNDS = 5
"""Runs that may be needed until nothing is left."""
TIMEOUT_S = 0.5
"""How long both connectors wait for an answer where nobody says otherwise: so nobody waits long for what a dead run may still bring about."""
CREATE_LEADS = "POST /services/data/v66.0/composite/sobjects"
"""The call in which a run makes them."""

HUBSPOT = ("email", "firstname", "lastname", "jobtitle", "city", "company", "phone", "lifecyclestage")
SALESFORCE = {
    "Lead": ("Email", "FirstName", "LastName", "Title", "City", "Company", "Phone", "Status"),
    "Contact": ("Email", "FirstName", "LastName", "Title", "MailingCity", "Phone"),
}
STAGES = ("marketingqualifiedlead", "salesqualifiedlead")
STATUSES = ("Working - Contacted",)

Instant = Callable[["Stand", Program], None]
"""Waits for the moment, and kills."""


class Moment:
    """The first request that fits, and what happens then. `before`: it is under way until somebody carries it out, and its answer is lost."""

    def __init__(self, fits: Callable[[int, str], bool], deed: Callable[[], object], before: bool) -> None:
        self.fits, self._deed, self._before = fits, deed, before
        self._under_way: list[Callable[[], Response]] = []

    def meet(self, answer: Callable[[], Response]) -> Response:
        """It is here."""
        if self._before:
            self._under_way.append(answer)
            self._deed()
            raise ReplyLost
        response = answer()
        self._deed()
        return response

    def carry_out(self) -> None:
        """What was under way arrives, once."""
        while self._under_way:
            self._under_way.pop()()


class Stand:
    """Two worlds, a configuration and a state of their own. `url`: where the state is kept, a file beside the configuration if None.

    `timeout_s`: how long both connectors wait for an answer.
    """

    def __init__(self, made: Box, url: str | None, timeout_s: float) -> None:
        self.box = made
        self.requests = 0
        self._moment: Moment | None = None
        self._lock = threading.Lock()
        made.replace("searches_per_s", f"timeout_s = {timeout_s}\nsearches_per_s")
        made.replace("access_token", f"timeout_s = {timeout_s}\naccess_token")
        if url is not None:
            made.add(f'\n[state]\nurl = "{url}"\n')
        for world in (made.worlds.hubspot, made.worlds.salesforce):
            setattr(world, "answer", self._watched(world.answer))  # noqa: B010 - a type checker must not mind

    def _watched(self, answer: Callable[..., Response]) -> Callable[..., Response]:
        def watched(request: Request, fault: Any = None) -> Response:
            with self._lock:
                self.requests += 1
                moment = self._moment
                if moment is None or not moment.fits(self.requests, f"{request.method} {request.path}"):
                    moment = None
                else:
                    self._moment = None
            return moment.meet(lambda: answer(request, fault)) if moment is not None else answer(request, fault)

        return watched

    def at_request(self, number: int, deed: Callable[[], object], *, before: bool = False) -> None:
        """Do something at the request of that number from now, when it was carried out or (`before`) instead of that."""
        self.requests = 0
        self._moment = Moment(lambda counted, _: counted == number, deed, before)

    def at_call(self, call: str, deed: Callable[[], object], *, before: bool = False) -> Moment:
        """Do something at the next such call ("METHOD /path"), when it was carried out or (`before`) while it is under way."""
        self._moment = Moment(lambda _, made: made == call, deed, before)
        return self._moment

    def start(self, *words: str, room: int | None = None) -> Program:
        """`stagesync WORDS`, or `sync --yes`, for real. `room`: so many bytes may each of its files have."""
        return Program(self.box.config.parent, *(words or ("sync", "--yes")), "--config", str(self.box.config), room=room)

    def dies(self, instant: Instant, *words: str) -> bool:
        """Start the program and kill it; False where it had ended by then."""
        program = self.start(*words)
        instant(self, program)
        died = program.ended() < 0
        self.at_request(0, lambda: None)
        return died

    def finish(self) -> str:
        """A run that is left in peace, as a program of its own; the last line that it says."""
        program = self.start()
        assert program.ended() in (0, 1), program.err
        return program.out.splitlines()[-1]

    def complete(self) -> Iterator[str]:
        """Run until a run writes nothing; what each says. In this process, which is quicker."""
        for _ in range(ROUNDS):
            done = self.box.run("sync", "--yes")
            assert done.exit_code in (0, 1), done.stderr
            yield done.stdout.splitlines()[-1]
            if "created=0 updated=0" in done.stdout:
                return
        raise AssertionError(f"not quiet after {ROUNDS} runs")

    @property
    def state(self) -> Path:
        """The file of the state."""
        return self.box.config.with_name("stagesync.db")

    def records(self) -> Counter[tuple[Any, ...]]:
        """What stands in both worlds, without what vendors make up: ids and stamps."""
        worlds = self.box.worlds
        found = [("hubspot", *(each["properties"].get(name) or None for name in HUBSPOT)) for each in worlds.hubspot.contacts()]
        for kind, names in SALESFORCE.items():
            found += [(kind, *(row.get(name) or None for name in names)) for row in worlds.salesforce.rows(kind) if not row.get("IsConverted")]
        return Counter(found)


@contextmanager
def stand(folder: Path, seed: int, url: str | None = None, people: int = PEOPLE, timeout_s: float = TIMEOUT_S) -> Iterator[Stand]:
    """A stand with invented people."""
    folder.mkdir()
    with box(folder, worlds=build(people, seed)) as made:
        yield Stand(made, url, timeout_s)


@dataclass
class Life:
    """One program that is killed `kills` times, and its twin."""

    seed: int
    kills: int
    killed: Stand
    twin: Stand
    revive: Callable[[], None]
    """What has to be done before somebody may start again: a server keeps the right of a dead run for a while."""
    story: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    def live(self) -> list[str]:
        """Rounds of work until the program died often enough; gives what is wrong in the end."""
        left, number, took = self.kills, 1, self._measured(self.twin)
        while left > 0:
            for _ in range(min(left, self.random.randint(3, 5))):
                if not self._killed_at(*instant_of(self.random, took, self.twin.requests)):
                    break
                left -= 1
            took = self._measured(self.killed)
            self.story += self.killed.complete()
            for each in (self.killed, self.twin):
                each.box.later(3600)
            number += 1
            self._edit(number)
            self.twin.requests = 0
            self.story += [f"twin {line}" for line in self.twin.complete()]
        self.story += self.killed.complete()
        return list(wrong(self.killed, self.twin))

    def _measured(self, stand: Stand) -> float:
        """How long a run takes that is left in peace, as a program of its own."""
        began = time.monotonic()
        self.story.append(stand.finish())
        return time.monotonic() - began

    def _killed_at(self, name: str, instant: Instant) -> bool:
        died = self.killed.dies(instant)
        self.story.append(f"killed {name}" if died else f"ended before it was to be killed {name}")
        self.revive()
        return died

    # -- what somebody does

    def _edit(self, number: int) -> None:
        """The same in both pairs of worlds; nobody edits one field of a person in two systems at once."""
        seed = self.random.randrange(2**32)
        for each in (self.killed, self.twin):
            work(each.box, Random(seed), number)


def wrong(ours: Stand, twin: Stand) -> Iterator[str]:
    """What is not as with the twin that was left in peace, does not agree, or is not at rest."""
    here, there = ours.records(), twin.records()
    for record, count in sorted((here - there).items(), key=str):
        yield f"{count} too many: {record}"
    for record, count in sorted((there - here).items(), key=str):
        yield f"{count} missing: {record}"
    if (verified := ours.box.run("verify")).exit_code != 0:
        yield f"verify is not clean: {verified.stdout}{verified.stderr}"
    ours.box.reset()
    again = ours.box.run("sync")
    if again.exit_code != 0 or ours.box.written():
        yield f"the next run is not quiet: {again.stdout}{again.stderr}"


def instant_of(random: Random, took: float, requests: int) -> tuple[str, Instant]:
    """Some instant of a run that takes so long and makes so many requests, and its name."""
    number, soon, moment = random.randint(1, max(1, requests)), random.uniform(0, 0.05), random.uniform(0, took)
    match random.choice(("time", "request", "request", "before", "after")):
        case "time":
            return f"after {moment:.3f} s", lambda _, program: _wait(program, moment)
        case "before":
            return f"before request {number}", lambda stand, program: stand.at_request(number, lambda: program.signal(SIGKILL), before=True)
        case "after":
            return f"when request {number} is carried out", lambda stand, program: stand.at_request(number, lambda: program.signal(SIGKILL))
        case _:
            return f"{soon * 1000:.0f} ms after request {number}", lambda stand, program: _soon_after(stand, program, number, soon)


def _wait(program: Program, seconds: float) -> None:
    if program.wait(seconds) is None:
        program.signal(SIGKILL)


def _soon_after(stand: Stand, program: Program, number: int, seconds: float) -> None:
    came = threading.Event()
    stand.at_request(number, came.set)
    while not came.wait(0.02) and program.wait(0) is None:
        pass
    _wait(program, seconds)


def work(made: Box, random: Random, number: int) -> None:
    """Somebody edits, clears, moves and makes people, each person in one system only."""
    hubspot, salesforce = made.worlds.hubspot, made.worlds.salesforce
    contacts = _by_address({each["id"]: each["properties"].get("email") for each in hubspot.contacts()})
    leads = _by_address({row["Id"]: row.get("Email") for row in salesforce.rows("Lead") if not row.get("IsConverted")})
    people = sorted(contacts.keys() & leads.keys())
    chosen = iter(random.sample(people, min(len(people), 9)))
    for values in ({"city": f"Ulm {number}"}, {"jobtitle": ""}, {"firstname": f"Ann {number}", "city": "Kiel"}, {"lifecyclestage": random.choice(STAGES)}):
        if (address := next(chosen, None)) is not None:
            hubspot.by_hand.edit(contacts[address], values)
    for values in ({"City": f"Bonn {number}"}, {"Title": None}, {"LastName": f"Lee {number}"}, {"Status": random.choice(STATUSES)}):
        if (address := next(chosen, None)) is not None:
            salesforce.edit(leads[address], values)
    for each in range(random.randint(2, 8)):
        hubspot.by_hand.create({"email": f"hub{number}.{each}@new.example", "lastname": f"Hub{number}", "city": "Essen"})
        salesforce.create("Lead", {"Email": f"crm{number}.{each}@new.example", "LastName": f"Crm{number}", "Company": "New"})
    if (address := next(chosen, None)) is not None:
        salesforce.convert(leads[address])


def _by_address(addresses: Mapping[str, str | None]) -> dict[str, str]:
    """Address -> id, of those that stand there once."""
    times = Counter(address.lower() for address in addresses.values() if address)
    return {address.lower(): id for id, address in addresses.items() if address and times[address.lower()] == 1}


@contextmanager
def life(folder: Path, seed: int, kills: int, url: str | None = None, revive: Callable[[], None] = lambda: None) -> Iterator[Life]:
    """A program and its twin. `url`: of the killed one's state."""
    with ExitStack() as stack:
        killed = stack.enter_context(stand(folder / "killed", seed, url))
        twin = stack.enter_context(stand(folder / "twin", seed))
        yield Life(seed, kills, killed, twin, revive)
