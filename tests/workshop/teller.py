"""A product that tells of its people: its events, put into an inbox as the receiver would, and the connector that reads them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from cli_box import Box
from hook_stand import settings
from salesforce_org import Drawer, Hand, NoLimits

from stagesync.app.configuration.loading import load
from stagesync.connectors.contract import Ports
from stagesync.connectors.webhook.connector import open_webhook
from stagesync.model.events import Event
from stagesync.model.records import Native, Page, Query, Ref
from stagesync.state import inbox
from stagesync.state.inbox import Arrival, open_inbox
from stagesync.state.inbox_reader import StateInbox, StateOutbox

EVENTS: Sequence[Mapping[str, Any]] = (
    {
        "when": "type == 'person'",
        "kind": "person",
        "ref": "id",
        "email": "email",
        "at": "at",
        "fields": {name: name for name in ("first_name", "last_name", "phone", "job_title", "plan")},
    },
    {"when": "type == 'stage'", "kind": "stage", "ref": "id", "at": "at", "stage": "stage"},
    {"when": "type == 'used'", "kind": "signal", "ref": "id", "email": "email", "at": "at", "signal": "usage", "attributes": {"feature": "feature"}},
    {"when": "type == 'deleted'", "kind": "delete", "ref": "id", "at": "at"},
)
"""What a product tells, as somebody would configure it."""
FIELDS = {"contact": ("email", "first_name", "last_name", "phone", "job_title", "stage")}


class Teller:
    """The system `product` of the workspace `acme`. Events happen, unless they say when, as they come: a second apart."""

    def __init__(self, folder: Path, events: Sequence[Mapping[str, Any]] = EVENTS) -> None:
        self.clock = Hand()
        self.url = f"sqlite:///{folder / 'stagesync.db'}"
        self.inbox = StateInbox(self.url, "acme")
        self.connector = open_webhook(
            "product", settings(events=tuple(events)), Ports(self.clock, NoLimits(), Drawer(), inbox=self.inbox, outbox=StateOutbox(self.url, "acme"))
        )
        self._box = open_inbox(self.url)
        self._keys = itertools.count(1)

    def tell(self, *bodies: Mapping[str, Any], key: str | None = None) -> None:
        """Events come in, each under a key of its own, or all under one."""
        self.clock.at += 1
        with self._box.write() as tx:
            inbox.put(tx, [Arrival("acme", "product", Event(key or f"e{next(self._keys)}", dict(body)), self.clock.now_ms()) for body in bodies])

    def person(self, id: str, values: Mapping[str, Native], **more: Any) -> Ref:
        """Something is told of a person; blank is the empty text."""
        self.tell({"type": "person", "id": id, **{name: "" if value is None else value for name, value in values.items()}, **more})
        return Ref("contact", id)

    def pull(self, cursor: str | None = None) -> list[Page]:
        """All pages from a cursor on."""
        return list(self.connector.pull(Query(FIELDS, cursor, signals=True)))

    def states(self) -> list[str]:
        """The states in which there are events."""
        with self._box.read() as tx:
            return [each.state for each in inbox.waiting(tx, "acme")]

    def parked(self) -> list[tuple[str, str | None]]:
        """Key and code of what could not be understood."""
        with self._box.read() as tx:
            return [(row.key, row.code) for row in inbox.parked(tx, "acme")]


numbers = itertools.count(1)


def tell(made: Box, *bodies: Mapping[str, Any]) -> None:
    """Events of the system `product` come in, now, beside a configuration."""
    with closing(open_inbox(load(made.config).state_url)) as store, store.write() as tx:
        now = int(time.time() * 1000)
        inbox.put(tx, [Arrival(made.config.stem, "product", Event(f"e{next(numbers)}", dict(body)), now) for body in bodies])
