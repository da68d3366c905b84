"""A lab in which Anna is known to all systems, and what they say of her."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab import Lab
from merging import CITY
from oracle import Memory

ANNA = "anna@a.example"
PATCH = "PATCH /services/data/v66.0/composite/sobjects"


def anna(folder: Path, **options: Any) -> tuple[Lab, str]:
    """A lab in which Anna is known to all systems and lives in Bonn; her id in HubSpot."""
    lab = Lab(folder, **options)
    contact = lab.hub.create({"email": ANNA, "lastname": "Ash", "city": "Bonn"})
    lab.run()
    lab.later()
    return lab, contact


def cities(lab: Lab) -> set[Any]:
    """What the worlds say about where Anna lives."""
    found = {lab.contact(ANNA).get("city"), lab.person(ANNA).get("City")}
    return found | ({lab.contact(ANNA, "hub2").get("city")} if lab.hub2 is not None else set())


def lead(lab: Lab) -> str:
    """Anna's Lead."""
    return str(lab.person(ANNA)["Id"])


def overruled(lab: Lab, value: Any, name: str = CITY.name) -> bool:
    """The value lost, and that is on record."""
    memory = Memory(lab)
    return memory.overruled(set(memory.acts), name, value)
