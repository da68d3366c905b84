"""Who did it: what vendors, histories and the ledger call somebody, in words that people know. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OURS = "stagesync"


@dataclass(frozen=True, slots=True)
class Actors:
    """System -> its users (id -> address), and system -> by what it names our own writes."""

    users: Mapping[str, Mapping[str, str]]
    own: Mapping[str, str | None]

    def author(self, system: str, author: str | None) -> str:
        """Whoever changed a record last, as its vendor names them; "" where it does not tell."""
        if author is None:
            return ""
        if author == self.own.get(system):
            return OURS
        return self.users.get(system, {}).get(author) or f"user {author}"

    def actor(self, system: str, words: str | None) -> str:
        """Somebody as the ledger keeps them (see `claims.actor_words`); "" where nobody knows."""
        kind, _, id = (words or "").partition(" ")
        match kind:
            case "" | "unknown":
                return ""
            case "user" if id:
                return next((told for name in system.split(" and ") if (told := self.users.get(name, {}).get(id))), f"user {id}")
            case "automation":
                return f"a workflow in {system}"
            case "integration" | "import":
                return f"an {kind} in {system}"
            case _:
                return words or ""


NOBODY = Actors({}, {})
"""Nobody is known."""
