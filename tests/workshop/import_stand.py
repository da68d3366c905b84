"""A HubSpot account with fewer calls left today than batches would take, over real sockets, on a clock that only tests move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from hubspot_portal import create, settings
from salesforce_org import Drawer, Hand, NoLimits, Watch

from stagesync.connectors.contract import Ports
from stagesync.connectors.hubspot.client import Client
from stagesync.connectors.hubspot.connector import HubSpot, open_account
from stagesync.connectors.hubspot.imports.passage import Passage
from stagesync.connectors.hubspot.write import write
from stagesync.model.records import Record
from stagesync.model.writes import Applied, Outcome, Rejected, Step
from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.hubspot.habits import Habits
from stagesync.sandbox.server import serve
from stagesync.sandbox.wire import ReplyLost, Request, Response

POST = "POST /crm/v3/imports"
BATCH = "POST /crm/v3/objects/contacts/batch/create"
EXPORT = "POST /crm/v3/exports/export/async"
FIELDS = ("email", "firstname", "lastname", "phone", "seats", "met", "born", "lifecyclestage", "hs_lead_status", "hubspot_owner_id", "message")
NAMES = ("Müller", "O'Brien", "two  blanks", "東京", "a;b", "1,5", "0042", "Lee", "-")


Carry = Callable[[Request], Response]


class Stand:
    """The portal, and connectors to it whose new contacts go by imports."""

    def __init__(self, world: HubSpotWorld, url: str, clock: Hand) -> None:
        self.world, self.url, self.clock = world, url, clock
        self.watch = Watch()
        self.reopen()

    def reopen(self, least: int = 1, **given: Any) -> HubSpot:
        """A fresh connector, as after a restart; imports take from `least` contacts on."""
        ports = Ports(self.clock, NoLimits(), Drawer(), self.watch.sending)
        self.client = Client("hubspot", settings(base_url=self.url, **given), ports)
        self.passage = Passage(self.client, least)
        return open_account("hubspot", self.client.settings, ports)

    def written(self, steps: Sequence[Step]) -> list[Outcome]:
        """What came of new contacts."""
        return write(self.client, steps, FIELDS, self.passage)

    def calls(self) -> Mapping[str, int]:
        """All calls since the last look."""
        counted = dict(self.world.calls)
        self.world.calls.clear()
        return counted

    def switch(self, **habits: Any) -> None:
        """From now on the portal behaves like this."""
        self.world.switch(**habits)

    def stored(self) -> dict[str, dict[str, Any]]:
        """Address -> what HubSpot itself holds, by id and values; an address that is there twice fails the test."""
        found = [{"id": each["id"], **{name: each["properties"].get(name) for name in FIELDS}} for each in self.world.contacts()]
        assert max(Counter(each["email"] for each in found).values(), default=0) <= 1
        return {str(each["email"]): each for each in found}

    def meanwhile(self, path: str, deed: Callable[[], object]) -> None:
        """Do something once, just before a call whose path ends so is answered."""

        def first(carry_out: Carry, request: Request) -> Response:
            deed()
            return carry_out(request)

        self._at(path, first)

    def late(self, path: str) -> list[Callable[[], Response]]:
        """The next call whose path ends so gets no answer, and is under way until somebody carries it out."""
        under_way: list[Callable[[], Response]] = []

        def lose(carry_out: Carry, request: Request) -> Response:
            under_way.append(lambda: carry_out(request))
            raise ReplyLost

        self._at(path, lose)
        return under_way

    def instead(self, path: str, spoilt: Callable[[Request], Request]) -> None:
        """The next call whose path ends so is understood as another one."""
        self._at(path, lambda carry_out, request: carry_out(spoilt(request)))

    def _at(self, path: str, deed: Callable[[Carry, Request], Response]) -> None:
        answer = self.world.route

        def route(request: Request) -> Response:
            if not request.path.rstrip("/").endswith(path):
                return answer(request)
            setattr(self.world, "route", answer)  # noqa: B010 - a type checker must not mind
            return deed(answer, request)

        setattr(self.world, "route", route)  # noqa: B010 - as above


def person(number: int, **values: Any) -> Step:
    """A step that makes the n-th person."""
    given = {
        "email": f"{'n' if number % 11 else 'N'}{number}@new.example",
        "firstname": f"F{number}",
        "lastname": NAMES[number % len(NAMES)],
        "phone": f"+49 30 {number}" if number % 4 else None,
        "seats": number if number % 5 else None,
        "lifecyclestage": "customer" if number % 3 else None,
        "met": f"2026-03-05T10:00:{number % 60:02d}Z" if number % 7 else None,
        "born": "1990-02-03" if number % 6 == 0 else None,
        "hubspot_owner_id": f"7010{number % 4}" if number % 4 else None,
        **values,
    }
    return create(number + 1, **{name: value for name, value in given.items() if value is not None})


def address(step: Step) -> str:
    """The address as HubSpot keeps it."""
    return str(step.values["email"]).lower()


def kinds(outcomes: Sequence[Outcome]) -> list[str]:
    """Each outcome in a word: its class, or the code of a refusal."""
    return [outcome.code if isinstance(outcome, Rejected) else type(outcome).__name__ for outcome in outcomes]


def people(count: int) -> list[Step]:
    """So many of them."""
    return [person(number) for number in range(count)]


def told(step: Step, outcome: Outcome, stored: Mapping[str, Mapping[str, Any]]) -> Record:
    """What an outcome says is stored, which is what HubSpot holds of that person."""
    assert isinstance(outcome, Applied), outcome
    assert outcome.stored is not None
    held = stored[address(step)]
    assert (outcome.ref.id, dict(outcome.stored.values)) == (held["id"], {name: held[name] for name in outcome.stored.values})
    return outcome.stored


@contextmanager
def stand(**habits: Any) -> Iterator[Stand]:
    """A portal with some people in it, since an hour ago."""
    clock = Hand()
    world = HubSpotWorld(clock=WorldClock(lambda: clock.at), habits=Habits(**habits))
    world.define("seats", "Seats", "number", "number")
    world.define("met", "Met", "datetime", "date")
    world.define("born", "Born", "date", "date")
    world.load([{"email": f"c{number}@crowd.example", "firstname": f"F{number}"} for number in range(30)])
    clock.at += 3_600
    with serve(world) as url:
        yield Stand(world, url, clock)
