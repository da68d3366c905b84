"""Creating and changing one contact, with everything that HubSpot adds by itself."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from .contacts import Author, Contact
from .errors import BadValue, Refused, already_exists, invalid, invalid_values
from .portal import Portal
from .stages import dates_of_move, goes_backward
from .values import check_account_rules, stored

Claims = MutableMapping[tuple[str, str], str]
"""(property, value) -> the id or place of the row that will have it: what the earlier rows of one batch take for themselves."""


def checked_create(portal: Portal, given: Mapping[str, object], version: str, claims: Claims | None = None) -> dict[str, str]:
    """The stored values of a new contact by the API. Raises Refused (400, 409)."""
    values = stored(portal, given, {}, by_api=True)
    if not any(values.get(name) for name in ("email", "firstname", "lastname")):
        raise invalid("A contact must have at least one of email, firstname or lastname.")
    check_account_rules(portal, version, values, {}, creating=True)
    check_unique(portal, values, None, claims)
    return values


def checked_update(portal: Portal, contact: Contact, given: Mapping[str, object], version: str, claims: Claims | None = None) -> dict[str, str]:
    """The stored values of a change by the API. Raises Refused (400, 409)."""
    values = stored(portal, given, contact.props, by_api=True)
    check_account_rules(portal, version, values, contact.props, creating=False)
    check_unique(portal, values, contact, claims)
    stage = values.get("lifecyclestage", "")
    if portal.habits.backward_stage == "refused" and _backward(portal, contact, stage):
        bad = BadValue("lifecyclestage", stage, "INVALID_OPTION", "The lifecycle stage can't be moved backward.")
        raise invalid_values([bad], only_in_message=portal.habits.errors_only_in_message)
    return values


def check_unique(portal: Portal, values: Mapping[str, str], own: Contact | None, claims: Claims | None = None) -> None:
    """Addresses (secondary ones too) and properties with unique values belong to one contact only. Raises Refused (409, 400)."""
    claims = {} if claims is None else claims
    place = own.id if own is not None else f"new {len(claims)}"
    email = values.get("email")
    if email:
        other = portal.store.find_email(email)
        if other is not None and other is not own:
            raise already_exists(other.id)
        if claims.setdefault(("email", email), place) != place:
            raise Refused(409, f"Contact already exists: {email} is given twice.", "CONFLICT")
    for name in portal.store.by_unique:
        value = values.get(name, "")
        holder = portal.store.find_unique(name, value) if value else None
        taken = holder is not None and holder is not own
        if value and (taken or claims.setdefault((name, value.lower()), place) != place):
            bad = BadValue(name, value, "CONFLICTING_UNIQUE_VALUE", f"{holder.id if holder else 'another input'} already has that value.")
            raise invalid_values([bad], only_in_message=portal.habits.errors_only_in_message)


def create(portal: Portal, values: Mapping[str, str], author: Author) -> Contact:
    """A new contact from stored values; an account default may fill the stage, and an opt-out of the address applies at once."""
    now = portal.now()
    props = {name: value for name, value in values.items() if value}
    if portal.habits.default_stage in portal.catalogue.stage_order():
        props.setdefault("lifecyclestage", portal.habits.default_stage)
    contact = Contact(portal.store.take_number(), props, now, now, author)
    if "lifecyclestage" in props:
        stage = props.pop("lifecyclestage")
        dates = dates_of_move(contact, portal.catalogue.stage_order(), stage, now)
        props.update({name: value for name, value in dates.items() if value}, lifecyclestage=stage)
    if props.get("email") in portal.optouts:
        props["hs_email_optout"] = "true"
    portal.store.add(contact, lag=portal.lagged)
    portal.tell("creation", contact.number, author)
    portal.enrol(contact.number)
    return contact


def update(portal: Portal, contact: Contact, values: Mapping[str, str], author: Author, *, by_api: bool = True) -> None:
    """Set stored values. By the API a backward stage stays unwritten without a word; somebody in the screens moves it freely."""
    kept = dict(values)
    stage = kept.get("lifecyclestage")
    if by_api and portal.habits.backward_stage == "ignored" and stage and _backward(portal, contact, stage):
        del kept["lifecyclestage"]
        stage = None
    now = portal.now()
    calculated = dates_of_move(contact, portal.catalogue.stage_order(), stage, now) if stage is not None else {}
    if "email" in kept:
        calculated |= _addresses_after(portal, contact, kept["email"])
    portal.store.change(contact, kept, now, author, calculated, lag=portal.lagged)
    portal.enrol(contact.number)


def _backward(portal: Portal, contact: Contact, stage: str) -> bool:
    return goes_backward(portal.catalogue.stage_order(), contact.props.get("lifecyclestage", ""), stage)


def _addresses_after(portal: Portal, contact: Contact, email: str) -> dict[str, str]:
    """A secondary address that becomes the primary one trades places with it; the opt-out is the new address's own."""
    values = {"hs_email_optout": "true" if email in portal.optouts else ""}
    secondary = contact.addresses()[1:] if "email" in contact.props else contact.addresses()
    if email in secondary:
        secondary[secondary.index(email)] = contact.props.get("email", "")
        values["hs_additional_emails"] = ";".join(each for each in secondary if each)
    return values
