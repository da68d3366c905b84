"""A HubSpot account too large for the calls that are left today, over real sockets, on a clock that only tests move."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from hubspot_portal import settings
from salesforce_org import Drawer, Hand, NoLimits, Watch

from stagesync.connectors.contract import Ports
from stagesync.connectors.hubspot.connector import HubSpot, open_account
from stagesync.model.errors import QuotaSpent
from stagesync.model.records import Query, Record
from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.hubspot.habits import Habits
from stagesync.sandbox.server import serve
from stagesync.sandbox.wire import Request, Response

PEOPLE = 2_500
FIELDS = ("email", "firstname", "lastname", "lifecyclestage", "phone", "message", "hs_email_optout", "seats", "createdate", "hs_object_id", "not_there")
NAMES = (
    "Müller",
    "O'Brien",
    'Robert "Bob"',
    "=1+1",
    "@home",
    "-",
    "two  blanks",
    " led by one",
    "ends with one ",
    "'quoted",
    "東京",
    "a;b",
    "1,5",
    "line\nbreak",
    "0042",
)
"""Last names that a writer of files may change."""
START = "POST /crm/v3/exports/export/async"
STATUS = "GET /crm/v3/exports/export/async/tasks/{id}/status"
LIST = "GET /crm/v3/objects/contacts"
FILE = "GET /export-files/v1/{file}"


class Listening(HubSpotWorld):
    """A portal that remembers what it was asked, with the headers. `spoil`: what becomes of a file on its way; `meanwhile`: what happens once, when somebody
    asks how far an export is."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.asked: list[Request] = []
        self.spoil: Callable[[str], str] = str
        self.meanwhile: list[Callable[[], None]] = []

    def route(self, request: Request) -> Response:
        """Answer as ever."""
        self.asked.append(request)
        if "/tasks/" in request.path and self.meanwhile:
            self.meanwhile.pop(0)()
        found = super().route(request)
        return replace(found, body=self.spoil(found.body.decode()).encode()) if request.path.startswith("/export-files/") and self.spoil is not str else found


@dataclass
class Read:
    """What somebody knows who only follows the pages. `doubles`: records that came twice although nothing had changed."""

    records: dict[str, Record] = field(default_factory=dict[str, Record])
    moved: dict[str, str] = field(default_factory=dict[str, str])
    notes: list[str] = field(default_factory=list[str])
    cursor: str | None = None
    doubles: int = 0
    pages: int = 0


class Stand:
    """The portal, and connectors to it."""

    def __init__(self, world: Listening, url: str, clock: Hand) -> None:
        self.world, self.url, self.clock = world, url, clock

    def connector(self, **given: Any) -> HubSpot:
        """A fresh one, as after a restart."""
        return open_account("hubspot", settings(base_url=self.url, **given), Ports(self.clock, NoLimits(), Drawer(), Watch().sending))

    def read(self, read: Read | None = None, *, pages: int | None = None, fields: tuple[str, ...] = FIELDS, sweep: bool = False, **given: Any) -> Read:
        """One pull by a fresh connector; it breaks off after so many `pages`. Raises what the connector raises, with what came before in `read`."""
        read = Read() if read is None else read
        for number, page in enumerate(self.connector(**given).pull(Query({"contact": fields}, read.cursor, sweep)), start=1):
            for record in page.records:
                old = read.records.get(record.ref.id)
                read.doubles += old == record
                if old is None or record.stamp >= old.stamp:
                    read.records[record.ref.id] = record
            for gone in (*page.gone, *page.moved):
                read.records.pop(gone.ref.id, None)
            read.moved |= {moved.ref.id: moved.to.id for moved in page.moved}
            read.notes += page.notes
            read.cursor = page.cursor
            read.pages += 1
            if number == pages:
                break
        return read

    def read_for_days(self, read: Read | None = None, **given: Any) -> Read:
        """One reading, over as many days as the calls want."""
        read = Read() if read is None else read
        for _ in range(20):
            try:
                return self.read(read, **given)
            except QuotaSpent:
                self.world.limits.today = 0
        raise AssertionError("it never came to its end")

    def listed(self, **given: Any) -> Read:
        """Everybody by the list, as it stands now."""
        habits = self.world.portal.habits
        self.switch(daily_max=1_000_000)
        try:
            return self.read(**given)
        finally:
            self.world.portal.habits = habits

    def switch(self, **habits: Any) -> None:
        """From now on the portal behaves like this."""
        self.world.portal.habits = self.world.portal.habits.switched(habits)

    def calls(self) -> Mapping[str, int]:
        """All calls since the last look."""
        counted = dict(self.world.calls)
        self.world.calls.clear()
        return counted


@contextmanager
def stand(people: int = PEOPLE, left: int | None = None, **habits: Any) -> Iterator[Stand]:
    """So many contacts, with all kinds of names; `left`: so many calls after the first one, too few for the list unless it is told otherwise."""
    left = people // 100 - 1 if left is None else left
    clock = Hand()
    world = Listening(clock=WorldClock(lambda: clock.at), habits=Habits(daily_max=round((left + 1.05) / 0.9), **habits))
    world.define("seats", "Seats", "number", "number")
    world.load([_somebody(number) for number in range(people)])
    clock.at += 3_600
    with serve(world) as url:
        yield Stand(world, url, clock)


def _somebody(number: int) -> dict[str, str | None]:
    return {
        "email": f"c{number}@crowd.example",
        "firstname": f"F{number}",
        "lastname": NAMES[number % len(NAMES)] if number % 8 == 0 else "Lee Last" if number % 3 else "Lee",
        "lifecyclestage": ("lead", "customer", None)[number % 3],
        "phone": f"+49 30 {number}" if number % 4 else None,
        "message": "one\ntwo" if number % 50 == 7 else None,
        "hs_email_optout": "true" if number % 9 == 0 else None,
        "seats": str(number) if number % 5 == 0 else "1.5" if number % 5 == 1 else None,
    }
