"""A company's office to test in: its worlds, a real SQLite state, and the engine, without sockets, on one clock that only tests move."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ears import Ears, hearing
from hubspot_portal import settings as hubspot_settings
from salesforce_org import Drawer, Hand, NoLimits
from salesforce_org import settings as salesforce_settings

from stagesync.connectors.contract import AccountId, Connector, Ports
from stagesync.connectors.hubspot import plugin as hubspot
from stagesync.connectors.hubspot.connector import open_account
from stagesync.connectors.salesforce import plugin as salesforce
from stagesync.connectors.salesforce.connector import open_org
from stagesync.lifecycle.presets import default_funnel
from stagesync.mapping.compile import compile_maps
from stagesync.mapping.maps import Maps, SystemInput
from stagesync.sandbox.clients import WorldAdapter, WorldPool
from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.hubspot.habits import Habits as HubSpotHabits
from stagesync.sandbox.salesforce.habits import Habits as SalesforceHabits
from stagesync.sandbox.salesforce.world import SalesforceWorld
from stagesync.state import accounts, leases
from stagesync.state.inbox_reader import StateInbox
from stagesync.state.store import open_store
from stagesync.sync import engine
from stagesync.sync.deciding.desk import Desk, Settings, System
from stagesync.sync.session import Connected, Session

FALLBACK = {"Company": "[not provided]", "LastName": "(unknown)"}
Looks = tuple[Mapping[str, AccountId], Maps, Mapping[str, Mapping[str, str]]]
"""What somebody sees of the accounts: whose they are, the maps for them, and their users (id -> address) by system."""
NEWEST: Mapping[str, str] = dict.fromkeys(("name", "contact details", "company", "consent", "other"), "newest")


class Office:
    """HubSpot portals and one org, as `hub`, `crm` and (if `second`) `hub2`, kept in agreement by one workspace.

    `place`: the folder or the URL of its state. `fields`, `overrides` (by system) and the rest are as in the configuration.
    `hints`: `hub` posts what happens there, and `ears` take it in. `crm_settings`: keys of the org's system.
    """

    def __init__(
        self,
        place: Path | str,
        *,
        second: bool = False,
        fields: Mapping[str, Any] | None = None,
        overrides: Mapping[str, Mapping[str, Any]] | None = None,
        settings: Settings | None = None,
        directions: Mapping[str, Any] | None = None,
        hub_habits: HubSpotHabits | None = None,
        crm_habits: SalesforceHabits | None = None,
        order: tuple[str, ...] = ("hub", "crm", "hub2"),
        url: str | None = None,
        signals: bool = False,
        hints: bool = False,
        crm_settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.clock = Hand()
        world_clock = WorldClock(lambda: self.clock.at)
        self.hub = HubSpotWorld(clock=world_clock, habits=hub_habits)
        self.crm = SalesforceWorld(clock=world_clock, habits=crm_habits or SalesforceHabits(duplicate_rules="off"))
        self.hub2 = HubSpotWorld(portal_id=5_550_005, clock=world_clock, habits=hub_habits) if second else None
        self.fields, self.overrides = fields or {}, {"crm": {"create": {"fallback": FALLBACK}}, **(overrides or {})}
        self.order, self.directions = order, directions or {}
        self.settings = settings or Settings(NEWEST, {name: rank for rank, name in enumerate(order)})
        self.signals = signals
        self.crm_settings = crm_settings or {}
        self.url = url or (place if isinstance(place, str) else f"sqlite:///{place / 'state.db'}")
        self.ears = Ears(self.hub, self.url, "office", self.clock) if hints else None
        self.session = self.reopened()

    def way_to(self, world: Any) -> Any:
        """What a connector's calls meet: the world itself, unless a test puts somebody in between."""
        return world

    def reopened(self) -> Session:
        """A fresh session over the same state, as after a restart."""
        store = open_store(self.url)
        weakref.finalize(self, store.close)
        ports = Ports(self.clock, NoLimits(), Drawer())
        told = replace(ports, inbox=StateInbox(self.url, "office")) if self.ears is not None else ports
        opened: dict[str, Connector] = {
            "hub": open_account("hub", hearing() if self.ears is not None else hubspot_settings(), told, WorldPool(self.way_to(self.hub))),
            "crm": open_org("crm", salesforce_settings(**self.crm_settings), ports, WorldAdapter(self.way_to(self.crm))),
        }
        if self.hub2 is not None:
            opened["hub2"] = open_account("hub2", hubspot_settings(), ports, WorldPool(self.way_to(self.hub2)))
        return self._wired(store, {name: opened[name] for name in self.order if name in opened})

    def _wired(self, store: Any, opened: Mapping[str, Connector]) -> Session:
        funnel, self.looks = default_funnel(), self.looked_at(opened)
        known, maps, users = self.looks
        connected: dict[int, Connected] = {}
        with store.write() as tx:
            workspace = accounts.workspace(tx, "office")
            for name, connector in opened.items():
                account = accounts.account(tx, known[name].vendor, known[name].id, known[name].name)
                accounts.bind(tx, workspace.id, name, account)
                system = System(name, account, maps.systems[name], self.directions.get(name, "both"))
                connected[account] = Connected(system, connector, known[name].own_actor, users[name])
        desk = Desk({account: each.system for account, each in connected.items()}, maps, funnel, self.settings)
        return Session(store, workspace.name, workspace.id, connected, desk, self.clock, signals=self.signals)

    def looked_at(self, opened: Mapping[str, Connector]) -> Looks:
        """Whose accounts these are, the maps for what they look like, and who works there."""
        funnel, defaults = default_funnel(), {"hub": hubspot.defaults(), "hub2": hubspot.defaults(), "crm": salesforce.defaults()}
        known = {name: connector.identity() for name, connector in opened.items()}
        seen = {name: connector.describe() for name, connector in opened.items()}
        inputs = {name: SystemInput(defaults[name], seen[name], self.overrides.get(name, {}), known[name].zone, "US") for name in opened}
        maps = compile_maps(self.fields, inputs, stages=funnel.positions, sides=funnel.sides, signals=self.signals)
        return known, maps, {name: each.users for name, each in seen.items()}

    def plan(self) -> engine.PlanReport:
        """Plan only, a second later."""
        self.clock.at += 1
        with leases.acquire(self.session.store, self.session.workspace, "test"):
            return engine.plan(self.session)

    def run(self, limit: int | None = None, only: Sequence[str] = ()) -> engine.RunReport:
        """One whole run, a second later; whatever guards say. Raises what stopped it."""
        self.clock.at += 1
        with leases.acquire(self.session.store, self.session.workspace, "test"):
            planned = engine.plan(self.session, only)
            report = engine.apply(self.session, planned.run, planned=planned, limit=limit)
        if report.error is not None:
            raise report.error
        return report

    def quiet(self, rounds: int = 6) -> int:
        """Run until a run writes nothing; gives how many runs that took. Fails after `rounds`."""
        for number in range(1, rounds + 1):
            if self.run().writes == 0:
                return number
        raise AssertionError(f"not quiet after {rounds} runs")

    def later(self, seconds: float = 3600) -> None:
        """Time passes: windows close."""
        self.clock.at += seconds

    # -- what the worlds hold

    def contact(self, email: str, world: str = "hub") -> dict[str, Any]:
        """The one live HubSpot contact with that address, its properties and its id."""
        chosen = self.hub if world == "hub" else self.hub2
        assert chosen is not None
        found = [{**each["properties"], "id": each["id"]} for each in chosen.contacts() if each["properties"].get("email") == email]
        assert len(found) == 1, f"{len(found)} contacts in {world} with {email}"
        return found[0]

    def person(self, email: str, kind: str = "Lead") -> dict[str, Any]:
        """The one live Lead or Contact with that address."""
        found = [row for row in self.crm.rows(kind) if str(row.get("Email")).lower() == email and not row.get("IsConverted")]
        assert len(found) == 1, f"{len(found)} rows of {kind} with {email}"
        return found[0]
