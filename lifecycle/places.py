"""What the places of a funnel are called in the configuration: by id or label, in any case. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .funnel import Funnel

NOWHERE = "none"
"""The place of people of whom no stage is known."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a name means: `stages` (of a group all, in the order of the line; None: no stage is known), or a side state."""

    stages: tuple[str | None, ...] = ()
    side: str | None = None


def names_of(funnel: Funnel) -> Mapping[str, Named]:
    """Every name, in lower case. Ids go before labels, stages before groups before side states."""
    places = {stage.id: (stage.label, Named((stage.id,))) for stage in funnel.stages.values()}
    places |= {group.id: (group.label, Named(group.stages)) for group in funnel.groups.values()}
    places |= {side: (label, Named(side=side)) for side, label in funnel.sides.items()}
    found: dict[str, Named] = {id_.casefold(): named for id_, (_, named) in places.items()}
    for label, named in places.values():
        found.setdefault(label.casefold(), named)
    found.setdefault(NOWHERE, Named((None,)))
    return found
