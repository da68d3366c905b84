"""Endpoints for contacts one at a time, and the list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from ..wire import Response
from .call import COMPANIES, Call
from .contacts import Author, Contact
from .errors import Refused, answer, invalid, no_such_contact
from .portal import Portal
from .render import Show, shower, written
from .writing import checked_create, checked_update, create, update

PAGE = 100
PAGE_WITH_HISTORY = 50


def listed(portal: Portal, call: Call) -> Response:
    """A page in the order of ids; `after` is the next record's id. Raises Refused (400)."""
    history = call.names("propertiesWithHistory")
    most = PAGE_WITH_HISTORY if history else PAGE
    limit, after = call.request.arg("limit", "10"), _place(portal, call.request.arg("after"))
    if not limit.isdecimal() or not after.isdecimal():
        raise invalid(f"Invalid paging: limit={limit}, after={after}")
    if int(limit) > most:
        raise invalid(f"The limit of {limit} is above the maximum of {most}.")
    find = portal.store.bin_page if call.flag("archived") else portal.store.page
    found, following = find(int(after), max(1, min(int(limit), portal.habits.page_rows)))
    show = _shower(portal, call)
    page: dict[str, Any] = {"results": [show(contact) for contact in found]}
    if following is not None:
        others = [(name, value) for name, values in call.request.args.items() if name not in ("after", "limit") for value in values]
        named = _named(portal, following)
        page["paging"] = {"next": {"after": named, "link": call.link(urlencode([("after", named), ("limit", limit), *others]))}}
    return answer(page)


def _named(portal: Portal, following: int) -> str:
    """How a page says where the next one begins."""
    if portal.habits.list_after == "any id":
        return str(following)
    named = f"place-{following:x}" if portal.habits.list_after == "opaque" else str(following)
    portal.named.add(named)
    return named


def _place(portal: Portal, after: str) -> str:
    """The id that is meant by an `after`, which this portal may not know. Raises Refused (400)."""
    if not after or portal.habits.list_after == "any id":
        return after or "0"
    if after not in portal.named:
        if portal.habits.list_after == "ignored":
            return "0"
        raise invalid(f"Invalid paging: after={after}")
    return str(int(after.removeprefix("place-"), 16)) if portal.habits.list_after == "opaque" else after


def find(portal: Portal, given: str, by: str, *, archived: bool = False) -> Contact:
    """The contact under an id, an address or a property with unique values; merged ids lead on. Raises Refused (400, 404)."""
    found: Contact | None = None
    if by and by != "hs_object_id":
        found = find_by(portal, by, given)
    elif given.isdecimal():
        number = int(given)
        found = portal.store.bin.get(number) if archived else portal.store.find(number)
    if found is None:
        raise no_such_contact(given)
    return found


def find_by(portal: Portal, by: str, value: str) -> Contact | None:
    """The live contact with this value of `email` or of a property with unique values. Raises Refused (400) for any other property."""
    if by == "email":
        found = portal.store.find_email(value)
        if found is not None and found.props.get("email") != value.strip().lower() and not portal.habits.email_lookup_finds_secondary:
            return None
        return found
    if by not in portal.store.by_unique:
        raise non_unique(by)
    return portal.store.find_unique(by, value.strip())


def non_unique(by: str) -> Refused:
    """400: a property that is no key."""
    return invalid(f"Unable to look up objects by non-unique 0-1 property: {by}")


def read(portal: Portal, call: Call) -> Response:
    """One contact. Raises Refused (404)."""
    contact = find(portal, call.rest[1], call.request.arg("idProperty"), archived=call.flag("archived"))
    return answer(_shower(portal, call)(contact))


def _shower(portal: Portal, call: Call) -> Show:
    """How the call wants its contacts to be shown: with which properties, histories and, of all associations, with companies."""
    show = shower(portal, call.names("properties"), call.names("propertiesWithHistory"))
    if not any(name in COMPANIES for name in call.names("associations")):
        return show
    return lambda contact: {**show(contact), **portal.companies.beside(contact)}


def patch(portal: Portal, call: Call) -> Response:
    """Change one contact; an id from before a merge works. Raises Refused (400, 404, 409)."""
    contact = find(portal, call.rest[1], call.request.arg("idProperty"))
    given = properties_of(call.body)
    values = checked_update(portal, contact, given, call.version)
    update(portal, contact, values, portal.integration)
    return answer(written(portal, contact, given, values))


def post(portal: Portal, call: Call) -> Response:
    """Create one contact, with the companies that it brings along. Raises Refused (400, 404, 409)."""
    given = properties_of(call.body)
    brought = portal.companies.brought(call.body.get("associations"))
    values = checked_create(portal, given, call.version)
    contact = create(portal, values, portal.integration)
    portal.companies.adopt(contact, brought)
    return answer(written(portal, contact, given, {}), 201)


def delete(portal: Portal, call: Call) -> Response:
    """To the bin; an unknown id answers just the same."""
    contact = portal.store.live.get(int(call.rest[1])) if call.rest[1].isdecimal() else None
    if contact is not None:
        archive(portal, contact, portal.integration)
    return Response(204)


def archive(portal: Portal, contact: Contact, author: Author) -> None:
    """To the bin, without a call around it."""
    portal.store.archive(contact, portal.now())
    portal.tell("deletion", contact.number, author)


def purge(portal: Portal, call: Call) -> Response:
    """Delete for privacy: gone for good; an unknown address is remembered as blocked. Raises Refused (404)."""
    given, by = str(call.body.get("objectId", "")), str(call.body.get("idProperty", ""))
    purge_contact(portal, given, portal.integration, by)
    return Response(204)


def purge_contact(portal: Portal, given: str, author: Author, by: str = "") -> None:
    """Gone for good, without a call around it. Raises Refused (404)."""
    if by == "email" and portal.store.find_email(given) is None:
        portal.blocked.add(given.strip().lower())
        return
    if given.isdecimal() and int(given) in portal.store.bin:
        del portal.store.bin[int(given)]
        portal.tell("privacyDeletion", int(given), author)
        return
    contact = find(portal, given, by)
    portal.store.retire(contact)
    for what in ("privacyDeletion", "deletion"):  # both are told, in any order (HubSpot docs, Webhooks API)
        portal.tell(what, contact.number, author)


def properties_of(body: Mapping[str, Any]) -> Mapping[str, object]:
    """The values in a body. Raises Refused (400)."""
    given = body.get("properties")
    if not isinstance(given, dict):
        raise invalid("Invalid input JSON: properties is missing")
    return given
