"""Opting out belongs to the address: it can be set with no contact present and applies again when one gets that address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..wire import Response
from .call import Call
from .contacts import Author
from .errors import Refused, answer, invalid
from .instants import instant
from .portal import Portal

SUBSCRIPTIONS = ((101, "Marketing Information"), (102, "One to One"))
_MADE = "2023-11-14T22:13:20Z"


def opt_out(portal: Portal, address: str, author: Author) -> bool:
    """Unsubscribe an address from everything; the contact that has it shows so. False when nothing changed."""
    address = address.strip().lower()
    if address in portal.optouts:
        return False
    now = portal.now()
    portal.optouts[address] = now
    contact = portal.store.find_email(address)
    if contact is not None and contact.props.get("email") == address:
        touch = portal.habits.optout_moves_stamp
        portal.store.change(contact, {"hs_email_optout": "true"}, now, author, {}, lag=portal.lagged, touch=touch)
    return True


def opt_in(portal: Portal, address: str, author: Author) -> None:
    """Somebody lifts the opt-out in the screens; no endpoint does."""
    address = address.strip().lower()
    portal.optouts.pop(address, None)
    contact = portal.store.find_email(address)
    if contact is not None and contact.props.get("email") == address:
        portal.store.change(contact, {"hs_email_optout": "false"}, portal.now(), author, {}, lag=portal.lagged)


def endpoint(portal: Portal, call: Call) -> Response:
    """`definitions`, `statuses/{email}` and `statuses/{email}/unsubscribe-all`. Raises Refused (400, 404)."""
    if call.rest == ("definitions",) and call.method == "GET":
        return _told(portal, [_definition(number, name) for number, name in SUBSCRIPTIONS])
    if len(call.rest) not in (2, 3) or call.rest[0] != "statuses":
        raise Refused(404, "resource not found")
    if call.request.arg("channel") != "EMAIL":
        raise invalid("channel is required, and the only one is EMAIL.")
    address = call.rest[1].strip().lower()
    if len(call.rest) == 2 and call.method == "GET":
        return _told(portal, [_status(portal, address, number, name) for number, name in SUBSCRIPTIONS])
    if len(call.rest) == 3 and call.rest[2] == "unsubscribe-all":
        if call.method == "GET":
            return _told(portal, _wide(portal, address))
        if call.method == "POST":
            return _unsubscribe(portal, call, address)
    raise Refused(405, "Method not allowed")


def _unsubscribe(portal: Portal, call: Call, address: str) -> Response:
    if portal.habits.optout_needs_contact and portal.store.find_email(address) is None:
        raise invalid("The subscriber is not known.")
    changed = opt_out(portal, address, portal.integration)
    if not call.flag("verbose"):
        return _told(portal, [])
    reason = "UNSUBSCRIBE_FROM_ALL_OCCURRED" if changed else "NO_STATUS_CHANGE"
    rows = [{**_status(portal, address, number, name), "setStatusSuccessReason": reason} for number, name in SUBSCRIPTIONS]
    return _told(portal, rows)


def _told(portal: Portal, rows: Sequence[dict[str, Any]]) -> Response:
    now = instant(portal.now())
    return answer({"status": "COMPLETE", "results": rows, "startedAt": now, "completedAt": now})


def _definition(number: int, name: str) -> dict[str, Any]:
    return {
        "id": str(number),
        "name": name,
        "description": "",
        "purpose": "Marketing",
        "communicationMethod": "Email",
        "isActive": True,
        "isDefault": True,
        "isInternal": False,
        "createdAt": _MADE,
        "updatedAt": _MADE,
        "businessUnitId": 0,
    }


def _status(portal: Portal, address: str, number: int, name: str) -> dict[str, Any]:
    at = portal.optouts.get(address)
    return {
        "channel": "EMAIL",
        "subscriberIdString": address,
        "subscriptionId": number,
        "subscriptionName": name,
        "status": "NOT_SPECIFIED" if at is None else "UNSUBSCRIBED",
        "source": "" if at is None else "Unsubscribed from all",
        "timestamp": instant(at or 0),
        "businessUnitId": 0,
    }


def _wide(portal: Portal, address: str) -> list[dict[str, Any]]:
    at = portal.optouts.get(address)
    if at is None:
        return []
    wide = {"status": "UNSUBSCRIBED", "wideStatusType": "PORTAL_WIDE", "channel": "EMAIL", "timestamp": instant(at), "businessUnitId": 0}
    return [{**wide, "subscriberIdString": address}]
