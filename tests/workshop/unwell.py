"""A workspace in which something of everything is wrong, with fixed figures: for the forms of its report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stagesync.app.configuration.loading import load
from stagesync.app.serving.forecast import Cost
from stagesync.app.standing.health import Acceptance, Agreement, Freshness, Health, Quota, Refused
from stagesync.app.standing.queues import Queue
from stagesync.app.views.schedule import Standing
from stagesync.state.actions import ActionRow
from stagesync.state.clocks import Counts
from stagesync.state.runs import RunRow
from stagesync.state.schedule import ScheduleRow
from stagesync.sync.people.holds import Group

NOW = 1_795_420_800_000  # Monday 2026-11-23 08:00 UTC
MINUTE, HOUR = 60_000, 3_600_000
CONFIG = """
[workspace]
name = "acme"
[schedule]
every = "15m"
[systems.hubspot]
connector = "hubspot"
base_url = "http://127.0.0.1:1"
token = "t"
[systems.salesforce]
connector = "salesforce"
instance_url = "http://127.0.0.1:1"
access_token = "t"
"""
REMEDY = "the value is longer than the field: shorten it, or lengthen the field in Setup"
QUOTED = "has no option 'private@somebody.example' there"


def unwell(folder: Path) -> Health:
    """Salesforce has not been reached since Saturday; questions and refusals wait; sales answers late."""
    last = ScheduleRow("every 15 min", NOW - 20 * MINUTE, NOW - 20 * MINUTE, NOW - 9 * MINUTE, NOW - 8 * MINUTE, "a service", "unreachable", _reason(), 211)
    costs = [Cost("hubspot", 96, 1, 250_000), Cost("salesforce", 96, 5, 15_000)]
    rows = [_run(number) for number in range(412, 382, -1)]
    return Health(
        workspace="acme",
        now=NOW,
        synced=True,
        freshness=[Freshness("hubspot", NOW - 8 * MINUTE, 8 * MINUTE, 35 * MINUTE), Freshness("salesforce", NOW - 53 * HOUR, 53 * HOUR, 35 * MINUTE)],
        agreement=Agreement(held=2_310, refused=41, behind=187, left=12, in_sync=15_450),
        holds=[
            _asked("first:phone", "phone", 2_204, {"hubspot": 2_204, "salesforce": 2_204}),
            _asked("rule:free <i>mail", "stage", 81, {"mql": 81}),
            _asked("unwritable:country:hubspot", "country", 25, {"hub": 25}),
        ],
        refused=[
            Refused("2c41d0", "salesforce", "STRING_TOO_LONG", "<b>Title&", 38, "write", REMEDY),
            Refused("77aa01", "product", "NO_REF", "", 4, "event", "the event says not whom it is about: mend `ref` of its table"),
        ],
        acceptance=Acceptance(14, NOW + 2 * HOUR, 3, 9, most=False, month=Counts(61, 22, 14)),
        quota=[Quota("hubspot", 212_400, 250_000, NOW - 8 * MINUTE), Quota("salesforce", 3_120, 15_000, NOW - 8 * MINUTE)],
        runs=rows,
        standing=Standing(_config(folder), last, rows[0], costs, NOW),
        events=[Queue("product", 3, NOW - 4 * MINUTE, 4, 120, NOW - 2 * HOUR, 0)],
        unmapped=1,
        unknown=6,
    )


def well(folder: Path) -> Health:
    """The same workspace on a good day."""
    found = unwell(folder)
    row = ScheduleRow("every 15 min", NOW + 7 * MINUTE, NOW + 7 * MINUTE, NOW - 8 * MINUTE, NOW - 8 * MINUTE + 900, "a service", "done", "", 0)
    rows = [_run(number)._replace(state="applied", counts={**_run(number).counts, "open_holds": 0, "held": 0, "rejected": 0}) for number in range(412, 382, -1)]
    return Health(
        workspace="acme",
        now=NOW,
        synced=True,
        freshness=[Freshness(name, NOW - 8 * MINUTE, 8 * MINUTE, 35 * MINUTE) for name in ("hubspot", "salesforce")],
        agreement=Agreement(0, 0, 0, 0, 18_000),
        holds=[],
        refused=[],
        acceptance=None,
        quota=found.quota[1:],
        runs=rows,
        standing=Standing(found.standing.config, row, rows[0], found.standing.costs, NOW),
        events=[Queue("product", 0, None, 0, 0, None, 0)],
        unmapped=0,
        unknown=0,
    )


def _reason() -> str:
    return "salesforce cannot be reached (https://acme.example)\n  -> try again later"


def _config(folder: Path) -> Any:
    path = folder / "acme.toml"
    path.write_text(CONFIG, "utf-8")
    return load(path)


def _asked(question: str, field: str, count: int, systems: dict[str, int]) -> Group:
    example = ActionRow(1, 1, 1, None, None, 0, "hold", {}, {}, "held", QUOTED, question, field, None, None, 0)
    return Group(f"{abs(count):06x}"[:6], question, field, count, set(range(count)), systems, examples=[example])


def _run(number: int) -> RunRow:
    """Every quarter of an hour; two of them did not come to their end."""
    at = NOW - 8 * MINUTE - (412 - number) * 15 * MINUTE
    writes = number * number % 97 if number % 3 else 0
    state = "broken" if number == 410 else "stopped" if number == 400 else "planned" if number == 395 else "applied"
    counts = {"people": writes, "created": writes // 5, "updated": writes - writes // 5, "archived": 0, "rejected": writes // 40, "open_holds": 2_310}
    return RunRow(number, "sync", at, at + 900 + 37 * writes, state, None, f"d{number}", counts if state == "applied" else {"people": 3, "held": 2})
