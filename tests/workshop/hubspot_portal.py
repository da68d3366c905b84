"""A HubSpot portal to test against: the sandbox's world behind the connector, without sockets, on a clock that only tests move."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from salesforce_org import Drawer, Hand, NoLimits, Watch

from stagesync.connectors.contract import Ports
from stagesync.connectors.hubspot.connector import HubSpot, open_account
from stagesync.connectors.hubspot.settings import HubSpotSettings
from stagesync.model.ports import Limiter, Secret
from stagesync.model.records import Query, Record, Ref
from stagesync.model.writes import Outcome, Step
from stagesync.sandbox.clients import WorldPool
from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.hubspot.habits import Habits

TOKEN = "pat-sandbox-token"
FIELDS = ("email", "firstname", "lastname", "lifecyclestage")


def settings(**given: Any) -> HubSpotSettings:
    """Settings with the sandbox's static token, unless another credential is given."""
    credential: dict[str, Any] = {} if "client_id" in given else {"token": Secret(TOKEN)}
    return HubSpotSettings.model_validate({"base_url": "https://api.hubapi.invalid", **credential, **given})


@dataclass
class Pulled:
    """What one pull gave, all pages together."""

    records: dict[str, Record] = field(default_factory=dict[str, Record])
    gone: set[str] = field(default_factory=set[str])
    moved: dict[str, str] = field(default_factory=dict[str, str])
    cursor: str = ""
    pages: int = 0


class Portal:
    """A world and a connector to it."""

    def __init__(self, habits: Habits | None = None, **given: Any) -> None:
        self.clock = Hand()
        self.world = HubSpotWorld(clock=WorldClock(lambda: self.clock.at), habits=habits or Habits())
        self.drawer = Drawer()
        self.watch = Watch()
        self.settings = settings(**given)
        self.connector = self.reopened()

    def reopened(self, limiter: Limiter | None = None) -> HubSpot:
        """A fresh connector, as after a restart."""
        return open_account("hubspot", self.settings, Ports(self.clock, limiter or NoLimits(), self.drawer, self.watch.sending), WorldPool(self.world))

    def contact(self, number: int, **values: str | None) -> str:
        """A contact that somebody typed in; gives its id."""
        return self.world.create({"email": f"p{number}@people.example", "firstname": f"First{number}", "lastname": "Last", **values})

    def crowd(self, count: int, **values: str) -> list[str]:
        """Many contacts at once; gives their ids."""
        return self.world.load([{"email": f"c{number}@crowd.example", "firstname": f"F{number}", **values} for number in range(count)])

    def calls(self) -> dict[str, int]:
        """The calls since the last look, by method and the end of their path."""
        counted = {name.replace("/crm/v3/objects/contacts", ""): number for name, number in self.world.calls.items()}
        self.world.calls.clear()
        return counted

    def pulled(self, cursor: str | None = None, *, sweep: bool = False, pages: int | None = None, fields: tuple[str, ...] = FIELDS) -> Pulled:
        """Pull, up to `pages` pages: then it breaks off, as by a crash."""
        found = Pulled(cursor=cursor or "")
        for page in self.connector.pull(Query({"contact": fields}, cursor, sweep)):
            found.records |= {record.ref.id: record for record in page.records}
            found.gone |= {gone.ref.id for gone in page.gone}
            found.moved |= {moved.ref.id: moved.to.id for moved in page.moved}
            found.cursor = page.cursor
            found.pages += 1
            if found.pages == pages:
                break
        return found

    def seen(self, *ids: str, history: tuple[str, ...] = ()) -> list[Any]:
        """What a fetch says of these ids."""
        return list(self.connector.fetch([Ref("contact", each) for each in ids], {"contact": FIELDS}, history))

    def stored(self, id: str) -> dict[str, Any]:
        """What the world itself holds of a live contact."""
        return next(each["properties"] for each in self.world.contacts() if each["id"] == id)

    def written(self, *steps: Step) -> list[Outcome]:
        """The outcomes of one batch."""
        return list(self.connector.write(steps))


def create(id: int, **values: Any) -> Step:
    """A step that creates."""
    return Step(id, 1, "create", "contact", None, values)


def update(id: int, contact: str, **values: Any) -> Step:
    """A step that changes."""
    return Step(id, 1, "update", "contact", Ref("contact", contact), values)
