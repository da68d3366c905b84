"""The process that serves both worlds: `python -m bench.world FOLDER PEOPLE_EACH OVERLAP`. Ends when its standard input closes.

OVERLAP `none`: all people are in HubSpot, and Salesforce is empty.

Beside the sandbox's own hands each world has `hands/edit-many`: ten thousand edits in one request, so that a bench does not wait for them; and `one?id=...`:
the values of one record, which costs the world next to nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stagesync.app.showing.sandboxes import configuration
from stagesync.sandbox.base import BaseWorld, Hand
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.population import benchmark_people, populate_benchmark
from stagesync.sandbox.records import contact_properties
from stagesync.sandbox.salesforce.habits import Habits
from stagesync.sandbox.salesforce.world import SalesforceWorld
from stagesync.sandbox.server import serve

_NO_QUOTA = 1_000_000_000


def main(folder: Path, people_each: int, overlap: float | None) -> None:
    """Fill the worlds, serve them, and write the configuration once both answer."""
    hubspot, salesforce = HubSpotWorld(), SalesforceWorld(habits=Habits(daily_calls=_NO_QUOTA))
    hubspot.switch(daily_max=_NO_QUOTA)
    if overlap is None:
        hubspot.load([contact_properties(person) for person in benchmark_people(people_each, 0)[1]])
    else:
        populate_benchmark(hubspot, salesforce, people_each, overlap)
    _many(hubspot, hubspot.edit)
    _many(salesforce, salesforce.edit)
    hubspot.views["one"] = lambda request: contact.props if (contact := hubspot.portal.store.find(int(request.arg("id")))) else {}
    salesforce.views["one"] = lambda request: salesforce.org.row(request.arg("id"))[1]
    with serve(hubspot) as hubspot_url, serve(salesforce) as salesforce_url:
        draft = folder / "stagesync.toml.new"
        draft.write_text(configuration(hubspot_url, salesforce_url))
        draft.chmod(0o600)
        draft.rename(folder / "stagesync.toml")
        sys.stdin.read()


def _many(world: BaseWorld, edit: Callable[[str, Mapping[str, Any]], None]) -> None:
    def hand(posted: Mapping[str, Any]) -> dict[str, int]:
        for id, values in posted["edits"].items():
            edit(id, values)
        return {"edited": len(posted["edits"])}

    hands: dict[str, Hand] = world.hands
    hands["hands/edit-many"] = hand


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), None if sys.argv[3] == "none" else float(sys.argv[3]))
