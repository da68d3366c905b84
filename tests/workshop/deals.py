"""Somebody who works on the opportunities of a Salesforce org: gives them roles, moves them along, bins them and takes them back."""

from __future__ import annotations

from collections.abc import Sequence

from stagesync.sandbox.salesforce import SalesforceWorld

ACTS = ("role", "move", "bin", "back", "edit")
"""What they do, of which some is impossible at times: then it is left."""
STAGES = ("Prospecting", "Closed Won", "Closed Lost")


def work(world: SalesforceWorld, act: str, deal: str, contacts: Sequence[str], choice: int) -> None:
    """One act on a deal, or on the chosen contact."""
    binned = bool(world.org.row(deal)[1].get("IsDeleted"))
    match act:
        case "role" if not binned:
            world.add_role(deal, contacts[choice])
        case "move" if not binned:
            world.set_stage(deal, STAGES[choice])
        case "bin" if not binned:
            world.bin_opportunity(deal)
        case "back" if binned:
            world.undelete(deal)
        case "edit":
            world.edit(contacts[choice], {"Title": f"{act} {choice}"})
        case _:
            pass
