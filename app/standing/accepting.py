"""The agreement on acceptance as it stands: whose clock runs, whose ran out, and how this month's ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ...lifecycle.sla import Sla
from ...model.errors import ConfigurationError
from ...state import clocks, people
from ...state.clocks import Counts
from ...state.entries import EntryRow
from ...state.store import Tx
from ..views.words import canonical_values
from ..wiring import Place

MOST = 1_000
"""So many people of each list are looked up; the counts are of all."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is to say at `now` (ms). `running`, `unanswered`: the most urgent first. `month`: since when, and how the clocks ended that started since."""

    sla: Sla
    now: int
    running: list[EntryRow]
    unanswered: list[EntryRow]
    names: Mapping[int, Mapping[str, Any]]
    since: int
    month: Counts


def look(tx: Tx, place: Place) -> Standing:
    """Read it from the state. Raises `ConfigurationError` where nothing is agreed."""
    sla, now = place.config.sla, place.clock.now_ms()
    if sla is None:
        raise ConfigurationError("nothing is agreed on acceptance", where="[sla]", next_step='write [sla] with from, to and hours, for example from = ["mql"]')
    local = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(sla.calendar.zone))
    since = int(local.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
    running, unanswered = clocks.running(tx, place.id, now, MOST), clocks.unanswered(tx, place.id, now, MOST)
    known = people.by_ids(tx, {row.person for row in (*running, *unanswered)})
    names = {number: canonical_values(row.canonical) for number, row in known.items()}
    return Standing(sla, now, running, unanswered, names, since, clocks.since(tx, place.id, since, now))
