"""A company that tries the program beside another tool: both worlds on loopback, the tool at its work, and a shadow that looks on, on one clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from cli_box import Box, box, cli
from salesforce_org import Hand
from second_tool import SecondTool

from stagesync.app import wiring
from stagesync.app.configuration.config import Config
from stagesync.app.configuration.loading import load
from stagesync.app.serving.course import Ended, course
from stagesync.app.shadows import shadow_of
from stagesync.model.shadow import ShadowRow
from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce.habits import Habits
from stagesync.sandbox.salesforce.world import SalesforceWorld
from stagesync.sandbox.worlds import Worlds
from stagesync.state import shadow

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600


@dataclass
class Stand:
    """`look`: one look of the shadow; `copy`: one round of the other tool. The tool comes a quarter of an hour after an edit, the shadow within a minute."""

    box: Box
    clock: Hand
    tool: SecondTool
    ids: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    configs: dict[str, Config] = field(default_factory=dict[str, Config])

    @property
    def shadow(self) -> Config:
        """The shadow of the configuration as it stands in the file; read once for each text."""
        text = self.box.config.read_text("utf-8")
        if text not in self.configs:
            self.configs[text] = shadow_of(load(self.box.config))
        return self.configs[text]

    def person(self, name: str, stage: str = "lead", status: str = "Open - Not Contacted", **values: str) -> None:
        """Somebody who is in both systems with the same values."""
        email = f"{name}@acme.example"
        there = {"email": email, "lastname": name.title(), "company": "Acme", "lifecyclestage": stage, **values}
        contact = self.tool.hub.by_hand.create(there)
        lead = {"Email": email, "LastName": name.title(), "Company": "Acme", "Status": status}
        natives = {"phone": "Phone", "jobtitle": "Title", "city": "City"}
        self.ids[name] = (contact, self.tool.crm.create("Lead", {**lead, **{natives[key]: value for key, value in values.items()}}))

    def people(self, *names: str, before: Callable[[], None] = lambda: None) -> None:
        """Several of them; the tool has met them, and the shadow has looked once. `before`: what happens between the two."""
        for name in names:
            self.person(name, phone="+1 212 555 0101", jobtitle="Boss", city="Rome")
        self.tool.copy()
        self.clock.at += HOUR
        before()
        self.look()
        self.clock.at += HOUR
        self.box.reset()

    def report(self) -> dict[str, Any]:
        """What `stagesync shadow report --json` says."""
        return orjson.loads(self.told("--json"))

    def told(self, *words: str) -> str:
        """The same as somebody reads it."""
        result = cli("shadow", "report", "--config", str(self.box.config), *words)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    def counts(self, system: str, field: str, operation: str = "update") -> dict[str, int]:
        """The numbers of one line of the report that are not 0."""
        lines = [line for line in self.report()["fields"] if (line["system"], line["field"], line["operation"]) == (system, field, operation)]
        return {name: number for line in lines for name, number in line.items() if isinstance(number, int) and number}

    def in_hubspot(self, name: str, **values: str) -> None:
        """Somebody edits a contact."""
        self.tool.hub.by_hand.edit(self.ids[name][0], values)

    def in_salesforce(self, name: str, **values: Any) -> None:
        """Somebody edits a lead."""
        self.tool.crm.edit(self.ids[name][1], values)

    def look(self, seconds: float = MINUTE) -> Ended:
        """Time passes, and the shadow looks. Raises what stopped it."""
        self.clock.at += seconds
        with wiring.opened(self.shadow, self.clock) as place, wiring.held(place, "serve"):
            ended = course(place, threading.Event())
        assert ended.code == 0, ended.reason
        return ended

    def copy(self, seconds: float = 14 * MINUTE) -> None:
        """Time passes, the tool copies, and the shadow looks."""
        self.clock.at += seconds
        self.tool.copy()
        self.look()

    def rows(self, **like: Any) -> list[ShadowRow]:
        """What the shadow remembers, of rows with these attributes."""
        with wiring.opened(self.shadow, self.clock) as place, place.store.read() as tx:
            found = list(shadow.each(tx, place.id))
        return [row for row in found if all(getattr(row, name) == value for name, value in like.items())]


@contextmanager
def stand(folder: Path) -> Iterator[Stand]:
    """The company without anybody in it."""
    clock = Hand()
    world_clock = WorldClock(lambda: clock.at)
    worlds = Worlds(HubSpotWorld(clock=world_clock), SalesforceWorld(clock=world_clock, habits=Habits(duplicate_rules="off", assignment_rules=False)))
    with ExitStack() as stack:
        made = stack.enter_context(box(folder, 0, worlds))
        yield Stand(made, clock, SecondTool(worlds.hubspot, worlds.salesforce))
