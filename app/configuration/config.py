"""What somebody configured, once it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ...lifecycle.authority import Authority
from ...lifecycle.funnel import Funnel
from ...lifecycle.rules.domains import Domains
from ...lifecycle.rules.qualify import Rulebook
from ...lifecycle.sla import Sla
from ..serving.listen import Listen
from ..serving.notify import Notify
from ..serving.timetable import Timetable
from .system_config import SystemConfig


@dataclass(frozen=True, slots=True)
class Config:
    """What somebody configured. `winners`: field group -> system or "newest". `order`: system -> rank for ties; None: they are asked.

    `guard`: kind of change -> (count, share). `signals`: events are kept. `domains`: whose addresses e-mail addresses are.
    `notes`: what works but should be known.
    `shadow`: nothing is ever written (`app.shadows`).
    """

    path: Path
    workspace: str
    state_url: str = field(repr=False)
    systems: Mapping[str, SystemConfig]
    fields: Mapping[str, Any]
    funnel: Funnel
    stage_conflict: Literal["furthest", "latest"]
    winners: Mapping[str, str]
    order: Mapping[str, int] | None
    deletes: Literal["hold", "archive", "ignore"]
    guard: Mapping[str, tuple[int, float]]
    signals: bool = False
    sla: Sla | None = None
    authority: Authority | None = None
    rules: Rulebook | None = None
    domains: Domains = field(default_factory=Domains)
    timetable: Timetable = field(default_factory=Timetable)
    listen: Listen = field(default_factory=Listen)
    notify: Notify | None = None
    notes: tuple[str, ...] = ()
    shadow: bool = False
