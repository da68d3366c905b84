"""The decision of stages: what it costs beside the merge of the fields of the same changed people."""

from __future__ import annotations

from collections.abc import Iterator

from .box import box
from .table import Line

RATIO = 1.5


def measure(people: int) -> Iterator[Line]:
    """Lines about so many people, all in both systems, of each of whom somebody changed a field and the stage."""
    with box(people, 1.0) as worlds:
        worlds.run()
        worlds.later()
        contacts = [str(contact["id"]) for contact in worlds.look("hubspot", "records")]
        edit = {"jobtitle": "Director", "lifecyclestage": "customer"}
        worlds.hand("hubspot", "hands/edit-many", {"edits": dict.fromkeys(contacts, edit)})
        told = worlds.run("decide")
    decided, merged = told["stage_us"], told["merge_us"]
    yield Line(f"a field and the stage of {told['people']:,} people changed: the merge of the fields, per person", f"{merged:.1f} us")
    yield Line("  the decision of the stage, per person", f"{decided:.1f} us")
    yield Line("  ratio", f"{decided / merged:.2f} x", f"<= {RATIO}", decided <= RATIO * merged)
    yield Line("  people whom nobody changed", f"{told['unchanged']} decided", "0 decided", told["unchanged"] == 0)
