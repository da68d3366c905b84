"""The lifecycle stage: API writes move it forward only, and every move leaves dates behind."""

from __future__ import annotations

from collections.abc import Mapping

from .contacts import Contact
from .instants import instant, instant_ms
from .standard import STAGES

_LEGACY = tuple(value for value, _ in STAGES)


def goes_backward(order: Mapping[str, int], old: str, new: str) -> bool:
    """True when the move would lower a filled stage; clearing is no such move."""
    return bool(old) and bool(new) and order.get(new, -1) < order.get(old, -1)


def furthest(order: Mapping[str, int], one: str, other: str) -> str:
    """The stage that is further down the funnel."""
    return other if order.get(other, -1) > order.get(one, -1) else one


def entered_ms(contact: Contact, stage: str) -> int | None:
    """When the contact entered a stage the last time, as far as it is known."""
    written = contact.props.get(f"hs_v2_date_entered_{stage}")
    if written is not None:
        return instant_ms(written)
    if contact.props.get("lifecyclestage") != stage:
        return None
    return contact.versions("lifecyclestage")[-1].at_ms


def dates_of_move(contact: Contact, order: Mapping[str, int], new: str, at_ms: int) -> dict[str, str]:
    """What HubSpot calculates when the stage becomes `new` ("" = cleared): entry, exit and times; dates of the older form of later stages go."""
    old = contact.props.get("lifecyclestage", "")
    if old == new:
        return {}
    values: dict[str, str] = {}
    if old:
        since = entered_ms(contact, old)
        since = at_ms if since is None else since
        spent = max(0, at_ms - since)
        before = int(contact.props.get(f"hs_v2_cumulative_time_in_{old}", "0"))
        values[f"hs_v2_date_entered_{old}"] = instant(since)
        values[f"hs_v2_date_exited_{old}"] = instant(at_ms)
        values[f"hs_v2_latest_time_in_{old}"] = str(spent)
        values[f"hs_v2_cumulative_time_in_{old}"] = str(before + spent)
        if old in _LEGACY:
            values[f"hs_lifecyclestage_{old}_date"] = contact.props.get(f"hs_lifecyclestage_{old}_date", instant(since))
    if new:
        values[f"hs_v2_date_entered_{new}"] = instant(at_ms)
        values[f"hs_v2_latest_time_in_{new}"] = ""
        for later in _LEGACY:
            if order.get(later, -1) > order.get(new, -1):
                values[f"hs_lifecyclestage_{later}_date"] = ""
        if new in _LEGACY:
            values[f"hs_lifecyclestage_{new}_date"] = instant(at_ms)
    return values
