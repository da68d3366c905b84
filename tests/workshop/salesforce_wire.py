"""The sandbox's Salesforce, called on the wire format itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from stagesync.sandbox.salesforce import Habits, SalesforceWorld
from stagesync.sandbox.wire import Request, Response

BASE = "/services/data/v59.0"
CALM = Habits(assignment_rules=False, duplicate_rules="off")
LEAD = {"LastName": "Ada", "Company": "Acme"}


class Client:
    """The fewest lines that can call a world."""

    def __init__(self, world: SalesforceWorld) -> None:
        self.world = world
        self.token = "00D-sandbox-session"

    def call(self, method: str, path: str, body: object = None, query: Mapping[str, str] | None = None, **headers: str) -> Response:
        """One call, headers with underscores for dashes."""
        named = {"authorization": f"Bearer {self.token}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        url = path if path.startswith("/services") else BASE + path
        return self.world.handle(Request(method, url, urlencode(query or {}), named, b"" if body is None else json.dumps(body).encode()))

    def ok(self, method: str, path: str, body: object = None, query: Mapping[str, str] | None = None, **headers: str) -> Any:
        """The JSON of a call that must succeed."""
        response = self.call(method, path, body, query, **headers)
        assert response.status < 300, response.body
        return json.loads(response.body) if response.body else None

    def refused(self, method: str, path: str, body: object = None, query: Mapping[str, str] | None = None, **headers: str) -> tuple[int, str, str]:
        """Status, code and message of a call that must be refused."""
        response = self.call(method, path, body, query, **headers)
        assert response.status >= 300, response.body
        (error,) = json.loads(response.body)
        return response.status, error["errorCode"], error["message"]

    def soql(self, query: str, path: str = "/queryAll/") -> list[dict[str, Any]]:
        """All records of a query, without their attributes."""
        found = self.ok("GET", path, query={"q": query})["records"]
        return [{name: value for name, value in one.items() if name != "attributes"} for one in found]

    def save(self, kind: str, *rows: Mapping[str, Any], method: str = "POST", all_or_none: bool = False, **headers: str) -> list[dict[str, Any]]:
        """Results of one collections call."""
        records = [{"attributes": {"type": kind}, **row} for row in rows]
        return self.ok(method, "/composite/sobjects", {"allOrNone": all_or_none, "records": records}, None, **headers)


def codes(results: list[dict[str, Any]]) -> list[str | None]:
    """The first error code of each row, None where it was saved."""
    return [None if one["success"] else one["errors"][0]["statusCode"] for one in results]
