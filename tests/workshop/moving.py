"""A migration to test with: a portal and an org, and the phases over them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from cli_box import Box, box, cli
from typer.testing import Result

from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.salesforce.habits import Habits
from stagesync.sandbox.worlds import Worlds

WAY = ("--from", "hubspot", "--to", "salesforce")


class Move:
    """A portal whose people go to an org, by the real command line."""

    def __init__(self, made: Box) -> None:
        self.box = made
        self.hub, self.crm = made.worlds.hubspot.by_hand, made.worlds.salesforce

    def phase(self, name: str, *words: str) -> Result:
        """One phase."""
        return cli("migrate", name, "--config", str(self.box.config), *words)

    def json(self, name: str, *words: str) -> dict[str, Any]:
        """What a phase prints as JSON."""
        result = self.phase(name, *words, "--json")
        assert result.stdout, result.stderr
        return orjson.loads(result.stdout)

    def load(self) -> Result:
        """Survey, and load what it showed."""
        return self.phase("load", "--approve", self.json("survey", *WAY)["digest"])

    def people(self, count: int, **values: str) -> list[str]:
        """So many contacts in the portal; their ids."""
        return [self.hub.create({"email": f"p{number}@acme.example", "lastname": f"Lee{number}", **values}) for number in range(count)]

    def lead(self, email: str) -> dict[str, Any]:
        """The one Lead with that address."""
        (found,) = (row for row in self.crm.rows("Lead") if row.get("Email") == email)
        return dict(found)


@contextmanager
def move(folder: Path) -> Iterator[Move]:
    """A portal and an org, both empty, the org without duplicate rules."""
    with box(folder, worlds=Worlds(HubSpotWorld(), SalesforceWorld(habits=Habits(duplicate_rules="off")))) as made:
        yield Move(made)


def fates(told: dict[str, Any]) -> dict[str, int]:
    """Fate -> records, of what a phase tells."""
    found: dict[str, int] = {}
    for each in told["fates"]:
        found[each["fate"]] = found.get(each["fate"], 0) + each["records"]
    return found


def approval(text: str) -> str:
    """The digest that a message offers for approval."""
    found = re.search(r"--approve (\w+)", text)
    assert found is not None, text
    return found.group(1)
