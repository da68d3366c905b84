"""API calls per changed record, after somebody's hands changed many in one system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .box import Box, box
from .table import Line

_MOST = {"field": 0.03, "forward": 0.05, "backward": 0.08}
_THERE_AND_BACK = (  # for other people each time: who came and went twice within a week would be asked about
    (("hubspot", "forward", {"lifecyclestage": "salesqualifiedlead"}), ("salesforce", "backward", {"Status": "Open - Not Contacted"})),
    (("salesforce", "forward", {"Status": "Working - Contacted"}), ("hubspot", "backward", {"lifecyclestage": "lead"})),
)


def measure(fields: int, stages: int) -> Iterator[Line]:
    """Lines about so many changed fields, and changed stages, in each system."""
    with box(fields, 1.0) as worlds:
        worlds.run()
        for system in ("hubspot", "salesforce"):
            yield _told(worlds, system, "field", fields, {_field(system): f"Changed in {system}"})
        for number, moves in enumerate(_THERE_AND_BACK):
            for system, direction, values in moves:
                yield _told(worlds, system, direction, stages, values, after=number * stages)


def _field(system: str) -> str:
    return "jobtitle" if system == "hubspot" else "Title"


def _told(worlds: Box, system: str, kind: str, changes: int, values: Mapping[str, Any], after: int = 0) -> Line:
    worlds.later()
    worlds.run()  # windows are closed, nothing is left over
    ids = _ids(worlds, system)[after : after + changes]
    worlds.hand(system, "hands/edit-many", {"edits": dict.fromkeys(ids, values)})
    worlds.calls()
    ran = worlds.run()
    calls = worlds.calls()
    if ran["writes"] != len(ids) or ran["rejected"]:
        raise RuntimeError(f"{kind} changes in {system} did not all arrive: {ran}, wanted {len(ids)}")
    per_record = sum(calls.values()) / len(ids)
    what = "field changes" if kind == "field" else f"{kind} stage changes"
    return Line(f"{len(ids):,} {what} in {system}: calls per record", f"{per_record:.4f}", f"<= {_MOST[kind]}", per_record <= _MOST[kind])


def _ids(worlds: Box, system: str) -> list[str]:
    if system == "hubspot":
        return [each["id"] for each in worlds.look(system, "records")]
    return [each["Id"] for each in worlds.look(system, "records?kind=Lead")]
