"""Somebody on the company's site, or with its e-mails: what HubSpot calculates from that, which no API may write.

A form leaves its name and time as the last one, the counts only grow, and a visit overwrites the last session. The original source is set once.
(HubSpot Knowledge Base, "HubSpot's default contact properties".)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from . import writing
from .contacts import Author, Contact
from .instants import instant
from .portal import Portal
from .values import stored

BY_FORM = Author("FORM", "7b1c6a52-1111-4a6e-9d3f-0f6a3c9e2d10")
_CONTACT_SOURCE = "hs_analytics_source"
_LATEST = "hs_latest_source"


def submit_form(portal: Portal, email: str, form: str, values: Mapping[str, str | None], source: str | None, detail: str | None) -> Contact:
    """A form that was filled in. Whoever is not known yet becomes a contact. Raises Refused for values that HubSpot would not take."""
    given = stored(portal, {"email": email, **values}, {}, by_api=False)
    if source is not None:
        stored(portal, {_LATEST: source}, {}, by_api=False)  # refused before anything is done
    contact = portal.store.find_email(given["email"])
    if contact is None:
        contact = writing.create(portal, given, BY_FORM)
    else:
        writing.update(portal, contact, {name: value for name, value in given.items() if name != "email"}, BY_FORM)
    forms = portal.forms.setdefault(contact.number, set[str]())
    forms.add(form)
    at = instant(portal.now())
    told = {
        "recent_conversion_event_name": form,
        "recent_conversion_date": at,
        "num_conversion_events": _more(contact, "num_conversion_events"),
        "num_unique_conversion_events": str(len(forms)),
    }
    if "first_conversion_date" not in contact.props:
        told |= {"first_conversion_event_name": form, "first_conversion_date": at}
    if source is not None:
        told |= _came_from(portal, contact, source, detail)
    _calculate(portal, contact, told)
    return contact


def visit(portal: Portal, contact: Contact, source: str, detail: str | None, pages: int) -> None:
    """One session on the site."""
    at = instant(portal.now())
    told = {
        "hs_analytics_num_visits": _more(contact, "hs_analytics_num_visits"),
        "hs_analytics_num_page_views": _more(contact, "hs_analytics_num_page_views", pages),
        "hs_analytics_last_timestamp": at,
        "hs_analytics_first_timestamp": contact.props.get("hs_analytics_first_timestamp", at),
    }
    _calculate(portal, contact, told | _came_from(portal, contact, source, detail))


def on_email(portal: Portal, contact: Contact, deed: Literal["open", "click", "reply"]) -> None:
    """What somebody does with a marketing e-mail."""
    count = {"open": "hs_email_open", "click": "hs_email_click", "reply": "hs_email_replied"}[deed]
    _calculate(portal, contact, {count: _more(contact, count), f"hs_email_last_{deed}_date": instant(portal.now())})


def _came_from(portal: Portal, contact: Contact, source: str, detail: str | None) -> dict[str, str]:
    told = {_LATEST: source, f"{_LATEST}_timestamp": instant(portal.now()), f"{_LATEST}_data_1": detail or ""}
    if _CONTACT_SOURCE not in contact.props:
        told |= {_CONTACT_SOURCE: source, f"{_CONTACT_SOURCE}_data_1": detail or ""}
    return stored(portal, told, contact.props, by_api=False)


def _more(contact: Contact, name: str, by: int = 1) -> str:
    return str(int(contact.props.get(name, "0")) + by)


def _calculate(portal: Portal, contact: Contact, told: Mapping[str, str]) -> None:
    portal.store.change(contact, {}, portal.now(), BY_FORM, told, lag=portal.lagged)
