"""A company that begins with one of the files in `examples/rules`: its portal and its org have what the file names, and every command's own way reads it.

Only the sockets are missing: the plugins open their connectors right into the worlds, on a clock that only tests move.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from house import ROOT
from salesforce_org import Hand

from stagesync.app import wiring
from stagesync.app.configuration.config import Config
from stagesync.app.configuration.loading import load
from stagesync.app.courses import signal_files, signals
from stagesync.connectors.contract import Connector, Ports
from stagesync.connectors.hubspot.connector import open_account
from stagesync.connectors.salesforce.connector import open_org
from stagesync.lifecycle.report import Report, report
from stagesync.lifecycle.tally import Frame, tally
from stagesync.sandbox.clients import WorldAdapter, WorldPool
from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.hubspot.habits import Habits as HubSpotHabits
from stagesync.sandbox.hubspot.standard import STAGES as PORTAL_STAGES
from stagesync.sandbox.salesforce.habits import Habits as SalesforceHabits
from stagesync.sandbox.salesforce.world import SalesforceWorld
from stagesync.state import entries, people
from stagesync.state.entries import EntryRow
from stagesync.state.people import PersonRow
from stagesync.state.report import Ledger
from stagesync.sync import engine
from stagesync.sync.engine import RunReport
from stagesync.sync.looking.reported import Reach
from stagesync.sync.people import holds
from stagesync.sync.people.answers import resolve
from stagesync.sync.people.who import Scope
from stagesync.sync.session import Session

EXAMPLES = ROOT / "examples" / "rules"
TOKENS = {"HUBSPOT_TOKEN": "pat-of-the-company", "SALESFORCE_CLIENT_SECRET": "session-of-the-company"}
MINUTE, HOUR, DAY = 60, 3600, 24 * 3600

_HUBSPOT_TYPES = {"boolean": ("bool", "booleancheckbox"), "number": ("number", "number"), "integer": ("number", "number"), "datetime": ("datetime", "date")}
_SALESFORCE_TYPES = {"boolean": "boolean", "number": "double", "integer": "double", "datetime": "datetime"}


@dataclass(frozen=True)
class _Beside:
    """A connector's plugin that opens into a world."""

    plugin: Any
    world: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plugin, name)

    def open(self, system: str, settings: Any, ports: Ports) -> Connector:
        if isinstance(self.world, HubSpotWorld):
            return open_account(system, settings, ports, WorldPool(self.world))
        return open_org(system, settings, ports, WorldAdapter(self.world))


class Company:
    """The worlds, the configuration and the state. `new_contacts`: the stage that the portal gives to every new contact, "" for none."""

    def __init__(self, folder: Path, text: str, new_contacts: str) -> None:
        self.file = folder / "company.toml"
        self.file.write_text(text, "utf-8")
        self.table = tomllib.loads(text)
        self.clock = Hand()
        world_clock = WorldClock(lambda: self.clock.at)
        self.hub = HubSpotWorld(token=TOKENS["HUBSPOT_TOKEN"], clock=world_clock, habits=HubSpotHabits(default_stage=new_contacts))
        self.statuses = self._values("salesforce", "lead", "Status")
        self.crm = SalesforceWorld(
            token=TOKENS["SALESFORCE_CLIENT_SECRET"],
            clock=world_clock,
            habits=SalesforceHabits(duplicate_rules="off", assignment_rules=False),
            lead_statuses=[*((label, False) for label in self.statuses.values()), ("Closed - Converted", True)],
        )
        self.stage_values = self._furnish_portal()
        self._furnish_org()
        self.config = self._read()
        self._open = ExitStack()
        self.place = self._open.enter_context(wiring.opened(self.config, self.clock))

    def close(self) -> None:
        """Leave the state alone."""
        self._open.close()

    # -- what the accounts have, by what the file names

    def _values(self, system: str, kind: str, field: str) -> Mapping[str, str]:
        return self.table["systems"][system].get("stages", {}).get(kind, {}).get("values", {}).get(field, {})

    def _reason(self, system: str, kind: str) -> str:
        return self.table["systems"][system]["stages"][kind]["reason"]

    def _furnish_portal(self) -> Mapping[str, str]:
        """The portal's own stages, and those that somebody added with a number as value; gives stage -> value."""
        own = dict(PORTAL_STAGES)
        found: dict[str, str] = {}
        options: list[tuple[str, str]] = []
        for number, (stage, said) in enumerate(self._values("hubspot", "contact", "lifecyclestage").items()):
            value = said if said in own else str(51_439_520 + number)
            found[stage] = value
            options.append((value, own.get(said, said)))
        self.hub.by_hand.define("lifecyclestage", "Lifecycle Stage", "enumeration", "radio", options)
        statuses = [(option.value, option.label) for option in self.hub.portal.catalogue.get("hs_lead_status").options]
        self.hub.by_hand.define("hs_lead_status", "Lead Status", "enumeration", "radio", [*statuses, ("RECYCLED", "Recycled")])
        self.hub.by_hand.define(self._reason("hubspot", "contact"), "Reason")
        for name, field in self.table.get("fields", {}).items():
            type_, box = _HUBSPOT_TYPES.get(field["type"], ("string", "text"))
            self.hub.by_hand.define(field["hubspot"], name, type_, box, [("true", "Yes"), ("false", "No")] if type_ == "bool" else ())
        return found

    def _furnish_org(self) -> None:
        self.crm.define("Lead", self._reason("salesforce", "lead"))
        stages = self._values("salesforce", "contact", "Lifecycle_Stage__c")
        if stages:
            self.crm.define("Contact", "Lifecycle_Stage__c", type="picklist", options=stages.values())
        for field in self.table.get("fields", {}).values():
            self.crm.define("Lead", field["salesforce"]["lead"], type=_SALESFORCE_TYPES.get(field["type"], "string"))

    def _read(self) -> Config:
        config = load(self.file)
        worlds = {"hubspot": self.hub, "salesforce": self.crm}
        systems = {name: replace(system, plugin=_Beside(system.plugin, worlds[name])) for name, system in config.systems.items()}
        return replace(config, systems=systems)

    # -- what the company does with the program

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session as every command has one."""
        with wiring.held(self.place, "test"), wiring.connected(self.place) as session:
            yield session

    def run(self) -> RunReport:
        """One whole run, a minute later. Raises what stopped it."""
        self.clock.at += MINUTE
        with self.session() as session:
            planned = engine.plan(session)
            report = engine.apply(session, planned.run, planned=planned)
        if report.error is not None:
            raise report.error
        return report

    def settle(self) -> None:
        """Run until there is nothing more to write, an hour between two runs."""
        for _ in range(6):
            self.clock.at += HOUR
            if self.run().writes == 0:
                return
        raise AssertionError("not quiet after six runs")

    def tell(self, email: str, kind: str, source: str, **attributes: Any) -> None:
        """What a webhook brings of somebody, by the way of `stagesync signal add`."""
        now, may = self.clock.now_ms(), signals.door(self.config)
        event = {"email": email, "kind": kind, "source": source, "at": now, "id": f"event at {now}", "attributes": attributes}
        told = signal_files.read_file([orjson.dumps(event)], may, now)
        reach = {name: Reach(account, may.systems[name]) for name, account in self.place.bound().items()}
        assert signal_files.keep_all(self.place.store, self.place.id, reach, told, now).new == 1

    def questions(self) -> list[str]:
        """The open questions in words."""
        with self.place.store.read() as tx:
            return [group.title for group in holds.groups(tx, self.place.id)]

    def answer(self, email: str, use: str) -> str:
        """Answer the one open question of a person; gives the question in words."""
        person, store = self.person(email).id, self.place.store
        with store.read() as tx:
            (group,) = [group for group in holds.groups(tx, self.place.id) if person in group.people]
        resolve(store, self.place.id, group.id, use, Scope(frozenset({person})), self.clock.now_ms())
        return group.title

    # -- what somebody types

    def move_contact(self, email: str, stage: str | None = None, **values: str | None) -> None:
        """Somebody sets a stage, or anything else, in HubSpot."""
        told = values if stage is None else {"lifecyclestage": self.stage_values[stage], **values}
        self.hub.edit(self.contact(email)["id"], told)

    def move_lead(self, email: str, stage: str | None = None, **values: Any) -> None:
        """Somebody sets a stage or side state, or anything else, in Salesforce."""
        told = values if stage is None else {"Status": self.statuses[stage], **values}
        self.crm.edit(self.lead(email)["Id"], told)

    def sell(self, email: str) -> str:
        """Sales converts the Lead with a deal; gives the Opportunity's id."""
        opportunity = self.crm.convert(self.lead(email)["Id"]).opportunity
        assert opportunity is not None
        return opportunity

    # -- what is known

    def contact(self, email: str) -> dict[str, Any]:
        """The one contact in HubSpot with that address."""
        (found,) = [{**each["properties"], "id": each["id"]} for each in self.hub.contacts() if each["properties"].get("email") == email]
        return found

    def lead(self, email: str, kind: str = "Lead") -> dict[str, Any]:
        """The one open Lead (or Contact) in Salesforce with that address."""
        (found,) = [row for row in self.crm.rows(kind) if str(row.get("Email")).lower() == email and not row.get("IsConverted")]
        return found

    def shown(self, email: str) -> tuple[str | None, str | None]:
        """The person's stage as HubSpot's screen shows it, and the Lead's status."""
        labels = {option.value: option.label for option in self.hub.portal.catalogue.get("lifecyclestage").options}
        value = self.contact(email).get("lifecyclestage")
        return labels.get(value) if value is not None else None, self.lead(email)["Status"]

    def person(self, email: str) -> PersonRow:
        """The person in the state."""
        with self.place.store.read() as tx:
            (found,) = [row for row in people.each(tx, self.place.id, 0, 1000) if row.canonical.get("email", [None])[0] == email]
        return found

    def stays(self, email: str) -> list[EntryRow]:
        """The person's ledger."""
        person = self.person(email).id
        with self.place.store.read() as tx:
            return entries.of_people(tx, [person]).get(person, [])

    def passed(self, email: str) -> list[str]:
        """The places of the ledger in their order: "mql", "mql, disqualified", and "2: mql" in the second pass."""
        return [_spoken(stay) for stay in self.stays(email)]

    def report(self) -> Report:
        """What the ledger counts, of everybody and from the beginning."""
        funnel, until = self.config.funnel, self.clock.now_ms() + 1
        ledger = Ledger(list(funnel.stages), list(funnel.sides), 0, until, until)
        with self.place.store.read() as tx:
            return report(funnel, None, until, None, tally(Frame(funnel, 0, until), ledger.stays(tx, self.place.id), ledger.kind))

    def said(self, email: str, rule: str) -> tuple[str, str]:
        """What a rule said of a person when it was last heard: yes or no, and the reason that was recorded."""
        outcome, _, _, reason = (self.person(email).notes or {})["rules"][rule]
        return outcome, reason


def _spoken(stay: EntryRow) -> str:
    place = ", ".join(each for each in (stay.stage, stay.side) if each is not None)
    return place if stay.pass_no == 1 else f"{stay.pass_no}: {place}"


def example(name: str) -> str:
    """The text of an example file."""
    return (EXAMPLES / f"{name}.toml").read_text("utf-8")


def changed(text: str, rule: str, **keys: str) -> str:
    """The same file with one rule changed: `keys` take the place of all that it says beside its name and its stage."""
    before, after = text.split(f'[[qualify]]\nname = "{rule}"\n', 1)
    said, rest = after.split("\n\n", 1)
    (stage,) = [line for line in said.splitlines() if line.startswith("stage = ")]
    lines = [f'[[qualify]]\nname = "{rule}"', stage, *(f"{key} = {value}" for key, value in keys.items())]
    return "\n".join([f"{before}{lines[0]}", *lines[1:], "", rest])


@contextmanager
def company(folder: Path, name: str, *, text: str | None = None, new_contacts: str = "") -> Iterator[Company]:
    """A company with the example of that name, or with another `text`."""
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in TOKENS.items():
            patch.setenv(variable, value)
        signed_in = (text or example(name)).replace('client_id = "3MVG9..."\nclient_secret = ', "access_token = ")  # there is nobody to sign in with
        found = Company(folder, signed_in, new_contacts)
        try:
            yield found
        finally:
            found.close()
