"""Two contacts become one: a new id is minted, both old ids lead to it, and the most recent value of each property wins."""

from __future__ import annotations

from .contacts import CALCULATED, Author, Contact, Version
from .errors import Refused, invalid
from .portal import Portal
from .stages import furthest

MOST_IDENTITIES = 250
_OWN_RULE = ("email", "hs_additional_emails", "lifecyclestage", "hs_email_optout")


def merge(portal: Portal, primary: Contact, other: Contact, author: Author) -> Contact:
    """The contact that the two went into. Raises Refused (400) when they are the same or too many already."""
    if primary is other:
        raise invalid("A contact can't be merged with itself.")
    merged = dict([*primary.merged, *other.merged, (primary.number, portal.now()), (other.number, portal.now())])
    if len(merged) > MOST_IDENTITIES:
        raise Refused(400, f"A contact can't have more than {MOST_IDENTITIES} identities.", "VALIDATION_ERROR")
    now = portal.now()
    number = primary.number if portal.habits.merge_preserves_primary_id else portal.store.take_number()
    joined = Contact(number, {}, min(primary.created_ms, other.created_ms), now, primary.born)
    joined.merged = tuple((old, at) for old, at in merged.items() if old != number)
    for name in dict.fromkeys([*primary.props, *other.props, *(primary.history or ()), *(other.history or ())]):
        if name not in _OWN_RULE:
            _join(joined, name, primary.versions(name), other.versions(name))
    _join_stage(portal, joined, primary, other, author)
    _join_addresses(portal, joined, primary, other, author)
    portal.store.retire(primary)
    portal.store.retire(other)
    for old in {primary.number, other.number} - {number}:
        portal.store.moved[old] = number
    portal.store.add(joined, lag=portal.lagged)
    portal.companies.inherit(joined, primary, other)
    ids = {"primaryObjectId": primary.number, "mergedObjectIds": [other.number], "newObjectId": number}
    portal.tell("merge", number, author, **ids, numberOfPropertiesMoved=len(joined.props))
    return joined


def _join(joined: Contact, name: str, ours: list[Version], theirs: list[Version]) -> None:
    """All versions of both in the order of time; the last one counts, a cleared one too; the primary's wins a tie."""
    versions = sorted([*theirs, *ours], key=lambda version: version.at_ms)
    if not versions:
        return
    _set(joined, name, versions)


def _set(joined: Contact, name: str, versions: list[Version]) -> None:
    if versions[-1].value:
        joined.props[name] = versions[-1].value
    if joined.history is None:
        joined.history = {}
    joined.history[name] = versions


def _join_stage(portal: Portal, joined: Contact, primary: Contact, other: Contact, author: Author) -> None:
    ours, theirs = primary.props.get("lifecyclestage", ""), other.props.get("lifecyclestage", "")
    stage = furthest(portal.catalogue.stage_order(), ours, theirs) if ours and theirs else ours or theirs
    versions = sorted([*other.versions("lifecyclestage"), *primary.versions("lifecyclestage")], key=lambda version: version.at_ms)
    if versions and versions[-1].value != stage:
        versions.append(Version(stage, portal.now(), author))
    if versions:
        _set(joined, "lifecyclestage", versions)


def _join_addresses(portal: Portal, joined: Contact, primary: Contact, other: Contact, author: Author) -> None:
    addresses = list(dict.fromkeys([*primary.addresses(), *other.addresses()]))
    keeper = primary if primary.props.get("email") or not other.props.get("email") else other
    versions = keeper.versions("email")
    if versions:
        _set(joined, "email", list(versions))
    secondary = [address for address in addresses if address != joined.props.get("email")]
    if secondary:
        _set(joined, "hs_additional_emails", [*primary.versions("hs_additional_emails"), Version(";".join(secondary), portal.now(), author)])
    if joined.props.get("email") in portal.optouts:
        known = [*primary.versions("hs_email_optout"), *other.versions("hs_email_optout")]
        _set(joined, "hs_email_optout", known[-1:] if known and known[-1].value == "true" else [Version("true", portal.now(), CALCULATED)])
