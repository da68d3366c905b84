"""A stage that moves in one system: from the arrival of that system's post until the other system shows it, through `stagesync serve`.

The service is woken by posts alone (its next slot is a day away), and HubSpot's search knows of no edit for ten minutes.
"""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import httpx
import orjson

from .box import Box, box
from .table import Line

WITHIN_S = 2.0
PEOPLE = 4_000
"""So many that no guard takes the edits for a mistake."""
_AWAY_S = 0.1
"""So long takes a call to a vendor that is not on this machine."""
_PATIENCE_S = 60.0
_PUBLIC, _ORGANIZATION = "https://hooks.acme.example", "00D5g000004XYZAEA4"
_HUBSPOT, _SALESFORCE = "the client secret of an app", "a-token-that-nobody-guesses"
_SERVICE = f"""
[serve]
port = 0
public_url = "{_PUBLIC}"

[schedule]
every = "1d"
"""
_MESSAGE = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound">
<OrganizationId>{organization}</OrganizationId><Notification><Id>04l{number:012}</Id><sObject><Id>{id}</Id></sObject></Notification></notifications>
</soapenv:Body></soapenv:Envelope>"""


class Pair(NamedTuple):
    """One person's two records."""

    contact: str
    lead: str


def measure(times: int, others: int) -> Iterator[Line]:
    """So many moves each way with nothing else to do, among and behind so many other edits, and with vendors that are far away."""
    with box(PEOPLE, 1.0) as worlds:
        _listen(worlds)
        worlds.run()
        pairs = _pairs(worlds)
        movers = iter(pairs[others:])
        worlds.hand("hubspot", "hands/habits", {"search_lag_s": 600})
        worlds.hand("hubspot", "webhooks/subscribe", {"url": f"{_PUBLIC}/hooks/hubspot", "secret": _HUBSPOT})
        with _serving(worlds) as url:
            stand = Stand(worlds, url, [pair.contact for pair in pairs[:others]])
            told: list[tuple[str, Callable[[Pair], float]]] = [
                ("a stage moved in HubSpot is in Salesforce, from the post on", stand.alone),
                (f"  behind {others} corrected phones in the same posts", stand.in_a_crowd),
                (f"  while a run writes {others} corrected phones", stand.behind_a_crowd),
                ("a stage moved in Salesforce is in HubSpot, from the post on", stand.backward),
            ]
            for what, move in told:
                yield _line(what, [move(next(movers)) for _ in range(times)], bound=True)
            for system in worlds.urls:
                worlds.hand(system, "faults", {"kind": "delay", "seconds": _AWAY_S, "times": 1_000_000})
            for what, move in (told[0], told[3]):
                yield _line(f"{what}, each call {_AWAY_S * 1000:.0f} ms away", [move(next(movers)) for _ in range(times)], bound=False)


def _line(what: str, took: list[float], *, bound: bool) -> Line:
    took.sort()
    p95 = took[math.ceil(len(took) * 0.95) - 1]
    measured = f"{took[len(took) // 2]:.2f} s of half, {p95:.2f} of 95 in 100, {took[-1]:.2f} the slowest of {len(took)}"
    return Line(what, measured, f"< {WITHIN_S:g} s", took[-1] < WITHIN_S) if bound else Line(what, measured)


@dataclass
class Stand:
    """Moves people and waits for the other system, one after the other, at no particular moment. `others`: contacts whose phones are corrected meanwhile."""

    worlds: Box
    url: str
    others: list[str]
    _random: Random = field(default_factory=lambda: Random(1))
    _moves: int = 0

    def alone(self, pair: Pair) -> float:
        """The only news. Seconds, as for each of these."""
        self._rest()
        self._edit({pair.contact: _further()})
        return self._seen("salesforce", pair.lead, "Status", self._deliver)

    def in_a_crowd(self, pair: Pair) -> float:
        """The last of many news."""
        self._rest()
        self._edit({**self._phones(), pair.contact: _further()})
        return self._seen("salesforce", pair.lead, "Status", self._deliver)

    def behind_a_crowd(self, pair: Pair) -> float:
        """The others are being written when it comes."""
        self._rest()
        self._edit(self._phones())
        self._deliver()
        time.sleep(self._random.uniform(0.3, 0.8))
        self._edit({pair.contact: _further()})
        return self._seen("salesforce", pair.lead, "Status", self._deliver)

    def backward(self, pair: Pair) -> float:
        """The other way: an outbound message of Salesforce."""
        self._rest()
        self.worlds.hand("salesforce", "hands/edit", {"id": pair.lead, "values": {"Status": "Working - Contacted"}})
        return self._seen("hubspot", pair.contact, "lifecyclestage", lambda: self._tell(pair.lead))

    def _rest(self) -> None:
        """What was begun is done, and the next post comes at any moment after it."""
        time.sleep(self._random.uniform(1.0, 2.0))
        self._moves += 1

    def _phones(self) -> dict[str, dict[str, str]]:
        return {id: {"phone": f"+49 30 9{self._moves:03}{number:03}"} for number, id in enumerate(self.others)}

    def _edit(self, edits: Mapping[str, Mapping[str, str]]) -> None:
        self.worlds.hand("hubspot", "hands/edit-many", {"edits": edits})

    def _deliver(self) -> None:
        answer = self.worlds.hand("hubspot", "webhooks/deliver", {"to": f"{self.url}/hooks/hubspot"})
        if answer["waiting"]:
            raise RuntimeError(f"the service did not take what HubSpot posted: {answer}")

    def _tell(self, lead: str) -> None:
        message = _MESSAGE.format(organization=_ORGANIZATION, number=self._moves, id=lead)
        headers = {"content-type": "text/xml; charset=UTF-8"}
        httpx.post(f"{self.url}/hooks/salesforce?token={_SALESFORCE}", content=message, headers=headers, trust_env=False).raise_for_status()

    def _seen(self, system: str, id: str, name: str, post: Callable[[], None]) -> float:
        before = self.worlds.look(system, f"one?id={id}").get(name)
        began = time.perf_counter()
        post()
        while self.worlds.look(system, f"one?id={id}").get(name) == before:
            if time.perf_counter() - began > _PATIENCE_S:
                raise RuntimeError(f"{id} did not move in {system}; look at service.log")
            time.sleep(0.01)
        return time.perf_counter() - began


def _further() -> dict[str, str]:
    return {"lifecyclestage": "salesqualifiedlead"}


def _listen(worlds: Box) -> None:
    """Both systems post to the service."""
    for name, secret in (("hubspot-app.txt", _HUBSPOT), ("salesforce-token.txt", _SALESFORCE)):
        file = worlds.folder / name
        file.touch(0o600)
        file.write_text(secret)
    text = worlds.config.read_text("utf-8")
    text = text.replace("[systems.hubspot]\n", '[systems.hubspot]\nhook_secrets = [{ file = "hubspot-app.txt" }]\n')
    own = f'hook_secrets = [{{ file = "salesforce-token.txt" }}]\nhook_organization = "{_ORGANIZATION}"\n'
    worlds.config.write_text(text.replace("[systems.salesforce]\n", f"[systems.salesforce]\n{own}") + _SERVICE, "utf-8")


def _pairs(worlds: Box) -> list[Pair]:
    leads: dict[str, Any] = {row["Email"].lower(): row for row in worlds.look("salesforce", "records?kind=Lead") if row["Status"].startswith("Open")}
    contacts = worlds.look("hubspot", "records")
    return [Pair(each["id"], leads[email]["Id"]) for each in contacts if (email := each["properties"]["email"].lower()) in leads]


@contextmanager
def _serving(worlds: Box) -> Iterator[str]:
    """The service's address, once its first run is over."""
    log = worlds.folder / "service.log"
    command = [sys.executable, "-c", "from stagesync.app.main import run; run()", "serve", str(worlds.config)]
    with log.open("wb") as err, subprocess.Popen(command, stderr=err) as process:
        try:
            url = _logged(log, "listening", process)["url"]
            _logged(log, "run ended", process)
            yield url
        finally:
            process.terminate()


def _logged(log: Path, event: str, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """The first line of the log with this event."""
    deadline = time.monotonic() + _PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline:
        for line in log.read_bytes().splitlines():
            if line.startswith(b"{") and line.endswith(b"}") and (told := orjson.loads(line))["event"] == event:
                return told
        time.sleep(0.05)
    raise RuntimeError(f"the service said no {event!r}; its log: {log.read_text()}")
