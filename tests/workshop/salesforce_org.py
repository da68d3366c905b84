"""A Salesforce org to test against: the sandbox's world behind the connector, without sockets, on a clock that only tests move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from stagesync.connectors.contract import Ports
from stagesync.connectors.salesforce.connector import SalesforceConnector, open_org
from stagesync.connectors.salesforce.settings import SalesforceSettings
from stagesync.model.errors import Busy
from stagesync.model.ports import Rate, Secret
from stagesync.model.records import Gone, Moved, Query, Record
from stagesync.sandbox.clients import WorldAdapter
from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.salesforce.habits import Habits
from stagesync.sandbox.salesforce.oauth import ConnectedApp
from stagesync.sandbox.salesforce.world import TOKEN, SalesforceWorld
from stagesync.sandbox.server import serve

APP = ConnectedApp()
CLIENT: dict[str, Any] = {"client_id": APP.consumer_key, "client_secret": Secret(APP.consumer_secret)}
URL = "https://org.my.salesforce.com"
LEAD = ("FirstName", "LastName", "Email", "Company", "Status")
CONTACT = ("FirstName", "LastName", "Email", "Account.Name")
FIELDS = {"contact": CONTACT, "lead": LEAD}


@dataclass
class Hand:
    """A clock moved by hand; whoever sleeps moves it too."""

    at: float = 1_790_000_000.0
    slept: list[float] = field(default_factory=list[float])

    def now_ms(self) -> int:
        """The moment shown."""
        return int(self.at * 1000)

    def monotonic(self) -> float:
        """The same, in seconds."""
        return self.at

    def sleep(self, seconds: float) -> None:
        """Time passes at once."""
        self.slept.append(seconds)
        self.at += seconds


class NoLimits:
    """A limiter that never makes anybody wait."""

    def take(self, bucket: str, rate: Rate) -> None:
        """At once."""


class Drawer:
    """A token store in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def load(self, name: str) -> str | None:
        """What was saved last."""
        return self.kept.get(name)

    def save(self, name: str, token: str) -> None:
        """Keep it."""
        self.kept[name] = token


class Watch:
    """Counts requests that are about to change something, and lets so many of them pass before another run takes over."""

    def __init__(self) -> None:
        self.asked = 0
        self.passes = 1_000_000

    def sending(self) -> None:
        """One more. Raises `Busy` once another run has taken over."""
        self.asked += 1
        if self.asked > self.passes:
            raise Busy("workspace 'main' is held by the next one")


def settings(**given: Any) -> SalesforceSettings:
    """Settings with the sandbox's first token, unless another credential is given."""
    credential: dict[str, Any] = {} if "client_id" in given else {"access_token": Secret(TOKEN)}
    return SalesforceSettings.model_validate({"instance_url": URL, **credential, **given})


class Org:
    """A world and a connector to it."""

    def __init__(self, habits: Habits | None = None, *, app: ConnectedApp | None = None, **given: Any) -> None:
        self.clock = Hand()
        self.world = SalesforceWorld(clock=WorldClock(lambda: self.clock.at), habits=habits or Habits(duplicate_rules="off"), app=app)
        self.drawer = Drawer()
        self.watch = Watch()
        self.settings = settings(**given)
        self.connector = self.reopened()

    def reopened(self) -> SalesforceConnector:
        """A fresh connector, as after a restart."""
        return open_org("crm", self.settings, Ports(self.clock, NoLimits(), self.drawer, self.watch.sending), WorldAdapter(self.world))

    def lead(self, last: str, **values: Any) -> str:
        """A Lead that somebody typed in; gives its id."""
        return self.world.create("Lead", {"LastName": last, "Company": "Acme", **values})

    def contact(self, last: str, **values: Any) -> str:
        """A Contact that somebody typed in; gives its id."""
        return self.world.create("Contact", {"LastName": last, **values})

    def calls(self) -> dict[str, int]:
        """The calls since the last look, by the end of their path."""
        counted = {name.replace("/services/data/v66.0/", ""): number for name, number in self.world.calls.items()}
        self.world.calls.clear()
        return counted


@contextmanager
def served(app: ConnectedApp | None = None, **given: Any) -> Iterator[Org]:
    """An org over a real socket, to get into."""
    org = Org(app=app)
    with serve(org.world) as url:
        org.settings = settings(instance_url=url, **given)
        org.connector = open_org("crm", org.settings, Ports(org.clock, NoLimits(), org.drawer))
        yield org
        org.connector.close()


@dataclass
class Pulled:
    """What one pull gave, all pages together."""

    records: dict[str, Record] = field(default_factory=dict[str, Record])
    gone: dict[str, Gone] = field(default_factory=dict[str, Gone])
    moved: dict[str, Moved] = field(default_factory=dict[str, Moved])
    cursor: str = ""
    pages: int = 0
    kinds: list[str] = field(default_factory=list[str])


def pulled(connector: SalesforceConnector, cursor: str | None = None, fields: Mapping[str, tuple[str, ...]] | None = None, pages: int | None = None) -> Pulled:
    """Pull, up to `pages` pages: then it breaks off, as by a crash."""
    found = Pulled(cursor=cursor or "")
    for page in connector.pull(Query(fields or FIELDS, cursor)):
        found.records |= {record.ref.id: record for record in page.records}
        found.gone |= {gone.ref.id: gone for gone in page.gone}
        found.moved |= {moved.ref.id: moved for moved in page.moved}
        found.kinds += [record.ref.kind for record in page.records]
        found.cursor = page.cursor
        found.pages += 1
        if found.pages == pages:
            break
    return found
