"""What decides a stage beside the funnel itself: who may move whom, what qualifies, and by when sales answers. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .authority import Authority
from .rules.qualify import Rulebook
from .sla import Sla


@dataclass(frozen=True, slots=True)
class Policy:
    """Each is None where a company has configured none: then everybody may move anybody, nothing qualifies by rule, and no clock runs."""

    authority: Authority | None = None
    rules: Rulebook | None = None
    sla: Sla | None = None
