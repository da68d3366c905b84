"""Both worlds on loopback with a configuration beside them, and the real command line to drive them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import make_url
from typer import testing
from typer.main import get_command
from typer.testing import CliRunner, Result

from stagesync.app.configuration.loading import load
from stagesync.app.main import app
from stagesync.app.showing import sandboxes
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.worlds import Worlds, build

READS = ("GET", "POST /crm/v3/objects/contacts/search", "POST /crm/v3/objects/contacts/batch/read", "POST /services/data/v66.0/composite/sobjects/")
"""Calls that change nothing, by how they begin. The last one reads rows of an object by their ids, too many for an address."""
_testing: Any = testing
_testing._get_command = cache(get_command)  # the tree of all commands is built once, and not for each that a test runs: 27 ms


def cli(*words: str, input: str | None = None) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(app, list(words), input=input, catch_exceptions=False)


@dataclass
class Box:
    """Two worlds and their configuration file."""

    worlds: Worlds
    config: Path
    hubspot_url: str
    salesforce_url: str

    def run(self, command: str, *words: str, input: str | None = None) -> Result:
        """One command over this configuration."""
        return cli(command, "--config", str(self.config), *words, input=input)

    def json(self, command: str, *words: str) -> dict[str, Any]:
        """The JSON object that a command prints."""
        return orjson.loads(self.run(command, "--json", *words).stdout)

    @property
    def state(self) -> Path:
        """The file in which the program keeps what it knows."""
        return Path(str(make_url(load(self.config).state_url).database))

    def add(self, text: str) -> None:
        """Write more into the configuration."""
        self.config.write_text(self.config.read_text("utf-8") + text, "utf-8")

    def replace(self, old: str, new: str) -> None:
        """Change the configuration."""
        text = self.config.read_text("utf-8")
        assert old in text
        self.config.write_text(text.replace(old, new), "utf-8")

    def calls(self) -> dict[str, int]:
        """All calls since the last reset, of both worlds."""
        return {**self.worlds.hubspot.calls, **self.worlds.salesforce.calls}

    def reset(self) -> None:
        """Count from zero."""
        self.worlds.hubspot.calls.clear()
        self.worlds.salesforce.calls.clear()

    def written(self) -> list[str]:
        """The calls that change something."""
        return [call for call in self.calls() if not call.startswith(READS)]

    def later(self, seconds: float) -> None:
        """Let time pass in both worlds, so that no overlap window is open."""
        self.worlds.hubspot.clock.advance(seconds)
        self.worlds.salesforce.clock.advance(seconds)


@contextmanager
def box(folder: Path, people: int = 40, worlds: Worlds | None = None) -> Iterator[Box]:
    """A box with so many invented people."""
    worlds = worlds or (build(people, 3) if people else Worlds(HubSpotWorld(), SalesforceWorld()))
    with sandboxes.serving(worlds) as (hubspot, salesforce):
        config = folder / "box.toml"
        config.write_text(sandboxes.configuration(hubspot, salesforce), "utf-8")
        yield Box(worlds, config, hubspot, salesforce)


class QuickClock:
    """Time that passes at once when somebody waits, and stands still otherwise."""

    def __init__(self) -> None:
        self.offset_s = 0.0

    def now_ms(self) -> int:
        """The present moment, moved by what was waited."""
        return int((time.time() + self.offset_s) * 1000)

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic() + self.offset_s

    def sleep(self, seconds: float) -> None:
        """Do not wait."""
        self.offset_s += seconds
