"""What decides a stage beside the funnel itself: who may move whom, what qualifies, and by when sales answers. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from .authority import Authority
from .rules.domains import Domains
from .rules.qualify import Rulebook
from .sla import Sla


@dataclass(frozen=True, slots=True)
class Policy:
    """Each is None where a company has configured none: then everybody may move anybody, nothing qualifies by rule, and no clock runs.

    `domains`: whose address an e-mail address is.
    """

    authority: Authority | None = None
    rules: Rulebook | None = None
    sla: Sla | None = None
    domains: Domains = field(default_factory=Domains)
