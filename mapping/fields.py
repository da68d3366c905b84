"""The words of a field map: what a canonical field is, and who wins where two systems disagree about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

FieldType: TypeAlias = Literal[
    "text", "email", "phone", "country", "number", "integer", "boolean", "date", "datetime", "choice", "multichoice", "url", "owner", "company"
]
PolicyKind: TypeAlias = Literal["two-way", "always", "prefer", "fill", "never", "ask", "lifecycle", "company"]

What: TypeAlias = Literal["entered", "reason"]

FIELD_TYPES: tuple[str, ...] = get_args(FieldType)
GROUPS: tuple[str, ...] = ("name", "contact details", "company", "consent", "other")
"""What the first meeting is asked about, and what holds are grouped by."""

_ALLOWED = "two-way, always SYSTEM, prefer SYSTEM unless blank, fill blank, never, ask"


class Unmappable(Exception):
    """A value that cannot be carried into the other form. `reason` is a sentence fragment for the reader."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Silent(Unmappable):
    """A value that says nothing (an owner whom nobody else knows): what stands there neither counts as an edit nor is put back, and nobody is asked."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Who wins a field. `system` is set for `always` and `prefer` only; `lifecycle` is the policy of what the lifecycle fills,
    `company` that of the link to a company's record, and of nothing else.
    """

    kind: PolicyKind
    system: str | None = None

    def __str__(self) -> str:
        match self.kind:
            case "always":
                return f"always {self.system}"
            case "prefer":
                return f"prefer {self.system} unless blank"
            case "fill":
                return "fill blank"
            case other:
                return other


TWO_WAY = Policy("two-way")
LIFECYCLE = Policy("lifecycle")
COMPANY = Policy("company")


@dataclass(frozen=True, slots=True)
class Fill:
    """What the lifecycle writes into a field: when a person `entered` one of these stages or the side state, or the `reason` of the side state.

    `name`: the place as the configuration calls it. Exactly one of `stages` and `side` is given.
    """

    what: What
    name: str
    stages: frozenset[str] = frozenset()
    side: str | None = None

    def __str__(self) -> str:
        return f"{self.what} {self.name}: {', '.join(sorted(self.stages)) or self.side}"

    @property
    def sentence(self) -> str:
        """Why the field says what it says."""
        return f"set by the lifecycle when the person entered {self.name}" if self.what == "entered" else f"set by the lifecycle: why the person is {self.name}"


@dataclass(frozen=True, slots=True)
class Field:
    """One canonical field. `clears`: emptying it travels. `sticky`: once true it becomes false only by somebody's decision. `fill`: the lifecycle fills it."""

    name: str
    type: FieldType
    group: str
    policy: Policy = TWO_WAY
    clears: bool = True
    sticky: bool = False
    fill: Fill | None = None

    @property
    def heard(self) -> bool:
        """What the systems say about it counts, and is merged."""
        return self.policy.kind not in ("never", "lifecycle", "company")


def parse_policy(text: str) -> Policy:
    """The policy that a sentence in the configuration means. Raises `ValueError` with what is allowed."""
    match text.split():
        case ["two-way"]:
            return TWO_WAY
        case ["always", system]:
            return Policy("always", system)
        case ["prefer", system, "unless", "blank"]:
            return Policy("prefer", system)
        case ["fill", "blank"]:
            return Policy("fill")
        case ["never"]:
            return Policy("never")
        case ["ask"]:
            return Policy("ask")
        case _:
            raise ValueError(f"{text!r} is not a policy; allowed: {_ALLOWED}")
