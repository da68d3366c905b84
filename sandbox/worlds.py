"""Both worlds, ready to be visited: filled with invented people or from somebody's own export files."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from .csv_files import Loaded
from .files_hubspot import load_hubspot
from .files_salesforce import load_salesforce
from .hubspot import HubSpotWorld
from .population import populate
from .salesforce import SalesforceWorld
from .story import Event, story

__all__ = ["Event", "Imported", "Worlds", "build", "build_from_csv", "story"]


class Worlds(NamedTuple):
    """The two worlds; their clocks move apart from each other."""

    hubspot: HubSpotWorld
    salesforce: SalesforceWorld


class Imported(NamedTuple):
    """The two worlds, and what became of each file."""

    hubspot: HubSpotWorld
    salesforce: SalesforceWorld
    hubspot_file: Loaded
    salesforce_file: Loaded


def build(people: int, seed: int = 1) -> Worlds:
    """Two worlds with so many invented people; the same seed gives the same people, ids and stamps."""
    worlds = Worlds(HubSpotWorld(), SalesforceWorld())
    populate(worlds.hubspot, worlds.salesforce, people, seed)
    return worlds


def build_from_csv(hubspot_csv: str | Path, salesforce_csv: str | Path) -> Imported:
    """Two worlds with the records of two export files. Raises `csv_files.ExportError` with file, line, column and what to do."""
    hubspot, salesforce = HubSpotWorld(), SalesforceWorld()
    return Imported(hubspot, salesforce, load_hubspot(hubspot, hubspot_csv), load_salesforce(salesforce, salesforce_csv))
