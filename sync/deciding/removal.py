"""What a deletion in one system means for the person's other records. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from .decision import Decision, Hold
from .desk import Asked, Desk, Link
from .erasure import ERASED, decide_erasure

RECORD = "record"
"""The name under which a question about a whole record is held, in the place of a field's."""


def decide_removal(desk: Desk, decision: Decision, links: Sequence[Link], asked: Asked | None) -> None:
    """A record that somebody deleted is unlinked; the others are kept, held for an answer, or archived, as configured.

    An answer that names the system of the deletion says "what it did shall hold": archive the others. Any other answer keeps
    the person, so that the record is made again.
    """
    collided = [link for link in links if link.state == "parked" and (link.claim or {}).get("collided") and link.account in desk.systems]
    for link in collided if decision.views else ():  # else nothing of the person is left over
        name = desk.systems[link.account].name
        choices = {name: f"{link.kind} {link.ref} was merged into a record of somebody else"}
        decision.holds.append(Hold(f"merged:{name}", RECORD, choices, f"two linked people were merged in {name}", name))
    gone = [link for link in links if link.state == "gone" and link.account in desk.systems and _is_missed(link, decision)]
    live = [view for view in decision.views if view.row.account not in {link.account for link in gone}]
    if decide_erasure(desk, decision, gone, live, asked, RECORD) or not gone or not live or desk.settings.deletes == "ignore":
        return
    where = {desk.systems[link.account].name for link in gone}
    if desk.settings.deletes == "archive" or (asked is not None and asked.answer in where):
        decision.archives.extend(view for view in live if view.system.writes and not view.holds_back(RECORD, view.row.stamp))
        return
    if asked is not None:
        decision.retired.extend(link.id for link in gone)
        return
    names = "+".join(sorted(where))
    choices = dict.fromkeys(where, "deleted") | {view.system.name: "still there" for view in live}
    decision.holds.append(Hold(f"deleted:{names}", RECORD, choices, f"deleted in {names}"))


def _is_missed(link: Link, decision: Decision) -> bool:
    """We did not archive it ourselves, and nobody has made another in its place. An erasure is asked about even so."""
    notes = link.claim or {}
    replaced = any(view.row.account == link.account for view in decision.views)
    return not notes.get("archived") and (bool(notes.get(ERASED)) or not replaced)
