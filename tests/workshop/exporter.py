"""Whoever exports from the sandbox's HubSpot: by the official client and by hand, on a clock that moves when it is told to."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
import requests
from hubspot.crm.exports import ApiException

from stagesync.sandbox.hubspot import HubSpotWorld

T0 = 1_790_000_000.0
TOKEN = "pat-sandbox-token"
V3, DATED = "/crm/v3/exports/export", "/crm/exports/2026-09/export"
INTERNAL = ["NAMES", "VALUES"]
VIEW: dict[str, Any] = {"exportType": "VIEW", "format": "CSV", "exportName": "All contacts", "objectType": "CONTACT", "language": "EN"}
Rows = list[dict[str, str]]


class Answer(NamedTuple):
    """The status and the JSON of one call."""

    status: int
    json: Any


@dataclass
class Desk:
    """A served world on a clock that only moves when it is told to, and whoever exports from it."""

    world: HubSpotWorld
    url: str
    api: Any
    browser: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """One call of the API."""
        response = self.browser.request(method, f"{self.url}{path}", json=body, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
        return Answer(response.status_code, response.json())

    def start(self, *properties: str, internal: list[str] | None = None, **more: Any) -> str:
        """Ask for an export by the official client; gives its id."""
        asked = {**VIEW, "objectProperties": list(properties), "exportInternalValuesOptions": INTERNAL if internal is None else internal, **more}
        return self.api.start(asked).id

    def refused(self, *properties: str, **more: Any) -> ApiException:
        """The client's exception for an export that is refused."""
        with pytest.raises(ApiException) as refusal:
            self.start(*properties, **more)
        return refusal.value

    def state(self, id: str) -> str:
        """How far the dated API says that an export is."""
        return self.call("GET", f"{DATED}/{id}").json["exportState"]

    def status(self, id: str) -> str:
        """How far the client is told that an export is."""
        return self.api.get_status(id).status

    def file(self, address: str) -> requests.Response:
        """What lies at an address, for whoever asks."""
        return requests.get(address, timeout=10)

    def downloaded(self, id: str) -> requests.Response:
        """The file of an export that is complete."""
        return self.file(self.api.get_status(id).result)

    def rows(self, *properties: str, internal: list[str] | None = None, **more: Any) -> Rows:
        """Export and read what comes."""
        return rows_of(self.downloaded(self.start(*properties, internal=internal, **more)).content)


def rows_of(content: bytes) -> Rows:
    """The rows of a CSV file by header."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
