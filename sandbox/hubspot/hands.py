"""Somebody at work in HubSpot's own screens: edits that no API rule holds back, recorded as a user's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from typing import Any, Literal

from . import consent, owners, visitors, writing
from .contacts import Contact
from .errors import Refused
from .instants import calendar_date, instant, instant_ms
from .merge import merge
from .portal import BY_USER, IMPORTED, Portal, Workflow
from .properties import Definition, options_of
from .render import shower
from .single import archive, purge_contact
from .values import stored

_STAMPS = ("createdate", "lastmodifieddate", "hs_object_id")


class Hands:
    """What somebody can do to one portal without the API. Unknown ids raise LookupError, impossible values ValueError."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def define(self, name: str, label: str, type: str = "string", field_type: str = "text", options: Iterable[Any] = (), *, unique: bool = False) -> None:
        """Define a property, or give an existing one another label and options; custom stages are options of `lifecyclestage`."""
        definition = Definition(name, label, type, field_type, options_of(options), unique=unique)
        self.portal.catalogue.define(definition, self.portal.now())
        if unique:
            self.portal.store.watch_unique(name)

    def load(self, rows: Iterable[Mapping[str, str | None]]) -> list[str]:
        """Many contacts at once, past every rule but that their properties must be defined; gives their ids in order.

        `createdate` and `lastmodifieddate` (ISO text or milliseconds) are taken from a row that has them, else it is now;
        `hs_object_id` too. Loaded values count as old as the contact, a stage as old as its `hs_v2_date_entered_...`.
        """
        portal, now = self.portal, self.portal.now()
        known = portal.catalogue.by_name.keys()
        timed = {name for name, each in portal.catalogue.by_name.items() if each.type in ("date", "datetime")}
        contacts: dict[int, Contact] = {}
        for row in rows:
            if not row.keys() <= known:
                raise ValueError(f"not defined: {', '.join(sorted(row.keys() - known))}")
            contact = self._loaded(row, timed, now)
            if contact.number in contacts:
                raise ValueError(f"there is a contact {contact.id} already")
            contacts[contact.number] = contact
        portal.store.bulk(list(contacts.values()))
        return [contact.id for contact in contacts.values()]

    def _loaded(self, row: Mapping[str, str | None], timed: Set[str], now: int) -> Contact:
        props = {name: value for name, value in row.items() if value}
        given, created, updated = (props.pop("hs_object_id", None), props.pop("createdate", None), props.pop("lastmodifieddate", None))
        for name in ("email", "hs_additional_emails"):
            if name in props:
                props[name] = props[name].strip().lower()
        if props.get("hs_email_optout") == "true" and "email" in props:
            self.portal.optouts[props["email"]] = now
        for name in timed & props.keys():
            of_day = self.portal.catalogue.by_name[name].type == "date"
            props[name] = calendar_date(props[name]) if of_day else instant(instant_ms(props[name]))
        updated_ms = instant_ms(str(updated)) if updated else None
        created_ms = instant_ms(str(created)) if created else updated_ms if updated_ms is not None else now
        if given:
            self.portal.store.reserve(int(given))
        number = int(given) if given else self.portal.store.take_number()
        return Contact(number, props, created_ms, updated_ms if updated_ms is not None else max(created_ms, now), IMPORTED)

    def edit(self, id: str, values: Mapping[str, str | None]) -> None:
        """Set values, read-only ones too (then it is HubSpot that calculated them); the stage moves in any direction."""
        contact = self._find(id)
        with _plainly():
            changes = stored(self.portal, values, contact.props, by_api=False)
            writing.check_unique(self.portal, changes, contact)
        opted = changes.pop("hs_email_optout", None)
        by_hubspot = {name: changes.pop(name) for name in list(changes) if self.portal.catalogue.by_name[name].read_only}
        if by_hubspot:
            self.portal.store.change(contact, {}, self.portal.now(), BY_USER, by_hubspot, lag=self.portal.lagged)
        if changes or (opted is None and not by_hubspot):
            writing.update(self.portal, contact, changes, BY_USER, by_api=False)
        email = contact.props.get("email")
        if opted is None or email is None:
            return
        if opted == "true":
            consent.opt_out(self.portal, email, BY_USER)
        else:
            consent.opt_in(self.portal, email, BY_USER)

    def create(self, values: Mapping[str, str | None]) -> str:
        """A new contact; gives its id."""
        with _plainly():
            checked = stored(self.portal, values, {}, by_api=False)
            writing.check_unique(self.portal, checked, None)
        return writing.create(self.portal, checked, BY_USER).id

    def merge(self, primary: str, other: str) -> str:
        """Merge two contacts; gives the id of the one that they went into."""
        with _plainly():
            return merge(self.portal, self._find(primary), self._find(other), BY_USER).id

    def archive(self, id: str) -> None:
        """To the recycle bin."""
        archive(self.portal, self._find(id), BY_USER)

    def restore(self, id: str) -> None:
        """Back from the recycle bin."""
        contact = self.portal.store.restore(int(id))
        self.portal.tell("restore", contact.number, BY_USER)
        if self.portal.habits.restore_moves_stamp:
            self.portal.store.change(contact, {}, self.portal.now(), BY_USER, {}, lag=self.portal.lagged)

    def gdpr_delete(self, id: str) -> None:
        """Delete for privacy: gone for good."""
        with _plainly():
            purge_contact(self.portal, str(id), BY_USER)

    def opt_out(self, email: str) -> None:
        """The person behind an address unsubscribes from everything."""
        consent.opt_out(self.portal, email, BY_USER)

    def submit_form(self, email: str, form: str, values: Mapping[str, str | None] | None = None, source: str | None = None, detail: str | None = None) -> str:
        """Somebody fills in a form on the site, known or not; gives the contact's id. `source`: how they came (`ORGANIC_SEARCH`), with a detail."""
        with _plainly():
            return visitors.submit_form(self.portal, email, form, values or {}, source, detail).id

    def visit(self, id: str, source: str = "DIRECT_TRAFFIC", detail: str | None = None, pages: int = 1) -> None:
        """A contact comes to the site and looks at so many pages."""
        with _plainly():
            visitors.visit(self.portal, self._find(id), source, detail, pages)

    def on_email(self, id: str, deed: Literal["open", "click", "reply"]) -> None:
        """A contact opens, clicks in or answers a marketing e-mail."""
        if deed not in ("open", "click", "reply"):
            raise ValueError("deed is one of open, click, reply")
        visitors.on_email(self.portal, self._find(id), deed)

    def add_owner(self, email: str, first_name: str = "", last_name: str = "") -> str:
        """A new owner; gives the owner's id."""
        return owners.add(self.portal, email, first_name, last_name).id

    def workflow(self, property: str, rewrites: Mapping[str, str]) -> None:
        """Switch on a workflow: whoever is saved from now on, by whomever, with one of these values gets the other a moment later. Raises LookupError."""
        if property not in self.portal.catalogue.by_name:
            raise LookupError(f"there is no property {property}")
        self.portal.workflows.append(Workflow(property, dict(rewrites)))

    def contacts(self) -> Iterator[dict[str, Any]]:
        """The live contacts as `id` and `properties` (what is filled, the stamps and the merge trail), for comparing worlds."""
        show = shower(self.portal, (*_STAMPS, "hs_merged_object_ids"))
        for contact in list(self.portal.store.live.values()):
            shown = {**contact.props, **show(contact)["properties"]}
            yield {"id": contact.id, "properties": {name: value for name, value in shown.items() if value is not None}}

    def _find(self, id: str) -> Contact:
        found = self.portal.store.find(int(id))
        if found is None:
            raise LookupError(f"there is no contact {id}")
        return found


@contextmanager
def _plainly() -> Iterator[None]:
    """Within: what the API would refuse is a plain ValueError that names the reasons."""
    try:
        yield
    except Refused as refused:
        raise ValueError(refused.message) from refused
