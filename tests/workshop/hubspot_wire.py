"""The sandbox's HubSpot, called on the wire format itself."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.hubspot import Habits, HubSpotWorld
from stagesync.sandbox.wire import Request

T0 = 1_790_000_000.0
CONTACTS = "/crm/v3/objects/contacts"
STAGE = "lifecyclestage"


class Answer(NamedTuple):
    """One answer: the status, the JSON and the headers."""

    status: int
    json: Any
    headers: dict[str, str]


class Portal:
    """A world on a clock that stands still, and a way to call it."""

    def __init__(self, habits: Habits | None = None) -> None:
        self.world = HubSpotWorld(clock=WorldClock(lambda: T0), habits=habits)
        self.token = "pat-sandbox-token"

    def call(self, method: str, path: str, body: Any = None, query: str = "") -> Answer:
        """Any call; `body` is sent as JSON unless it is bytes."""
        sent = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        response = self.world.handle(Request(method, path, query, {"authorization": f"Bearer {self.token}"}, sent))
        decoded = orjson.loads(response.body) if response.body and "json" in response.headers.get("Content-Type", "") else None
        return Answer(response.status, decoded, dict(response.headers))

    def get(self, number: str, query: str = "") -> Answer:
        """One contact."""
        return self.call("GET", f"{CONTACTS}/{number}", query=query)

    def patch(self, number: str, **properties: Any) -> Answer:
        """Change one contact."""
        return self.call("PATCH", f"{CONTACTS}/{number}", {"properties": properties})

    def batch(self, deed: str, *inputs: Any, **body: Any) -> Answer:
        """One batch call with these rows."""
        return self.call("POST", f"{CONTACTS}/batch/{deed}", {"inputs": list(inputs), **body})

    def search(self, *filters: Any, **body: Any) -> Answer:
        """A search with one group of filters."""
        return self.call("POST", f"{CONTACTS}/search", {"filterGroups": [{"filters": list(filters)}], **body})

    def found(self, *filters: Any, **body: Any) -> list[str]:
        """The ids that such a search gives."""
        return [row["id"] for row in self.search(*filters, **body).json["results"]]

    def stage(self, number: str) -> str | None:
        """The stage of a contact now."""
        return self.get(number, f"properties={STAGE}").json["properties"][STAGE]

    def history(self, number: str, name: str) -> list[dict[str, Any]]:
        """The versions of one property, newest first."""
        return self.get(number, f"propertiesWithHistory={name}").json["propertiesWithHistory"][name]


def flt(name: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    """One filter of a search."""
    return {"propertyName": name, "operator": operator, **({} if value is None else {"value": value}), **more}
