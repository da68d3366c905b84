"""Companies and which contacts belong to them: as much of both as somebody needs who links contacts.

A contact can belong to several companies, one of which is its primary one: that is the first, until another is named (type 1), and shows as the contact's
property `associatedcompanyid`. Domains are not unique by the API (HubSpot docs, Companies guide; Associations).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..wire import Response
from .call import Call
from .contacts import Contact
from .errors import Refused, answer, invalid
from .instants import instant
from .portal import BY_USER, Portal
from .search import whole

PRIMARY_ID = "associatedcompanyid"
PRIMARY, PLAIN = 1, 279
"""Association types from contact to company: the primary one, and any (HubSpot docs, Associations, default association types)."""
MOST = 100
MOST_CHARACTERS = 3_000
_FIRST, _STEP = 9_000_001, 11
_KNOWN = ("name", "domain", "website", "hs_additional_domains", "phone", "city", "industry")
_ALWAYS = ("createdate", "hs_lastmodifieddate", "hs_object_id")

Row = Mapping[str, Any]
Brought = Sequence[tuple[int, bool]]
"""Companies that come with a new contact, and whether each is to be its primary one."""


@dataclass
class Company:
    """One company."""

    number: int
    props: dict[str, str]
    created_ms: int

    def shown(self, names: Iterable[str]) -> dict[str, Any]:
        """As the API shows it."""
        at = instant(self.created_ms)
        own = {"createdate": at, "hs_lastmodifieddate": at, "hs_object_id": str(self.number)}
        asked = [name for name in (*names, *_ALWAYS) if name in (*_KNOWN, *_ALWAYS)]
        properties = {name: own.get(name) or self.props.get(name) for name in asked}
        return {"id": str(self.number), "properties": properties, "createdAt": at, "updatedAt": at, "archived": False}


@dataclass
class Companies:
    """All companies of a portal. `members`: contact -> its companies, the primary one first."""

    portal: Portal
    live: dict[int, Company] = field(default_factory=dict[int, Company])
    members: dict[int, list[int]] = field(default_factory=dict[int, list[int]])

    # ---- what somebody and the API do alike

    def create(self, given: Mapping[str, Any]) -> Company:
        """A new one. Raises Refused (400)."""
        props = {str(name): str(value).strip() for name, value in given.items() if value not in (None, "")}
        unknown = sorted(props.keys() - set(_KNOWN))
        if unknown:
            raise invalid(f"Property {unknown[0]} does not exist", [{"message": "no such property", "code": "PROPERTY_DOESNT_EXIST"}])
        if not props.keys() & {"name", "domain"}:
            raise invalid("A company must have a name or a domain.")
        company = Company(_FIRST + _STEP * len(self.live), props, self.portal.now())
        self.live[company.number] = company
        return company

    def associate(self, contact: int, company: int, *, primary: bool, by_hand: bool = False) -> None:
        """Let the contact belong to the company. Raises Refused (404) where there is none of either."""
        known = self.portal.store.find(contact)
        if known is None or company not in self.live:
            raise Refused(404, "One or more of the objects to associate do not exist.", "OBJECT_NOT_FOUND")
        mine = self.members.setdefault(known.number, [])
        if company in mine:
            mine.remove(company)
            primary = primary or not mine
        mine.insert(0 if primary or not mine else len(mine), company)
        self._show(known, by_hand=by_hand)

    def part(self, contact: int, company: int, *, by_hand: bool = False) -> None:
        """Let the contact belong to the company no longer; the next one becomes its primary one."""
        known = self.portal.store.find(contact)
        if known is not None and company in self.members.get(known.number, ()):
            self.members[known.number].remove(company)
            self._show(known, by_hand=by_hand)

    def brought(self, associations: object) -> Brought:
        """What a new contact is to bring along, before it is made. Raises Refused (400, 404)."""
        found = [(number(row, "to"), _is_primary(row)) for row in _objects(associations, "associations")]
        if any(company not in self.live for company, _ in found):
            raise Refused(404, "One or more of the objects to associate do not exist.", "OBJECT_NOT_FOUND")
        return found

    def adopt(self, contact: Contact, brought: Brought) -> None:
        """A new contact belongs to what it brought along."""
        for company, primary in brought:
            self.associate(contact.number, company, primary=primary)

    def inherit(self, contact: Contact, *merged: Contact) -> None:
        """A contact belongs to all companies of those that went into it; the one that it shows is the primary one."""
        joined = [company for each in merged for company in self.members.pop(each.number, ())]
        shown = contact.props.get(PRIMARY_ID, "")
        self.members[contact.number] = sorted(dict.fromkeys(joined), key=lambda company: str(company) != shown)

    def beside(self, contact: Contact) -> dict[str, Any]:
        """What stands beside a contact where its companies are asked for: each by every type of its association; nothing where there is none."""
        found = [(company, kind) for company in self.members.get(contact.number, ()) for kind in self._kinds(contact.number, company)]
        rows = [{"id": str(company), "type": "contact_to_company" if kind == PRIMARY else "contact_to_company_unlabeled"} for company, kind in found]
        return {"associations": {"companies": {"results": rows}}} if rows else {}

    def _kinds(self, contact: int, company: int) -> tuple[int, ...]:
        return (PRIMARY, PLAIN) if self.members[contact][0] == company else (PLAIN,)

    def _show(self, contact: Contact, *, by_hand: bool) -> None:
        mine = self.members[contact.number]
        values = {PRIMARY_ID: str(mine[0]) if mine else ""}
        portal = self.portal
        author = BY_USER if by_hand else portal.integration
        portal.store.change(contact, values, portal.now(), author, {}, lag=portal.lagged, touch=portal.habits.association_moves_stamp)

    # ---- endpoints

    def objects(self, call: Call) -> Response:
        """`/objects/companies`. Raises Refused."""
        match call.method, call.rest[1:]:
            case "GET", ():
                return self._list(call)
            case "POST", ():
                return answer(self.create(_properties(call.body)).shown(_properties(call.body)), 201)
            case "POST", ("search",):
                return self._search(call)
            case "POST", ("batch", "create"):
                return self._create_many(call)
            case "POST", ("batch", "read"):
                return self._read_many(call)
            case "GET", (id,) if id.isdecimal() and int(id) in self.live:
                return answer(self.live[int(id)].shown(call.names("properties") or _KNOWN[:2]))
            case _:
                raise Refused(404, "resource not found")

    def _told(self, results: Sequence[Row], errors: Sequence[Row] = (), status: int = 200) -> Response:
        now = instant(self.portal.now())
        more = {"numErrors": len(errors), "errors": errors} if errors else {}
        return answer({"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now, **more}, 207 if errors else status)

    def _create_many(self, call: Call) -> Response:
        rows = inputs(call)
        results: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for row in rows:
            trace = {"objectWriteTraceId": row["objectWriteTraceId"]} if row.get("objectWriteTraceId") else {}
            try:
                given = _properties(row)
                results.append({**self.create(given).shown(given), **trace})
            except Refused as refused:
                if not trace:
                    raise
                errors.append(refused.row({name: [value] for name, value in trace.items()}))
        return self._told(results, errors, 201)

    def _read_many(self, call: Call) -> Response:
        names, ids = _names(call), [str(row.get("id", "")) for row in inputs(call)]
        found = {id: self.live[int(id)] for id in ids if id.isdecimal() and int(id) in self.live}
        missing = [id for id in ids if id not in found]
        text = "Could not get some COMPANY objects, they may be deleted or not exist. Check that ids are valid."
        errors = [Refused(207, text, "OBJECT_NOT_FOUND").row({"ids": missing})] if missing else []
        return self._told([each.shown(names) for each in found.values()], errors)

    def _list(self, call: Call) -> Response:
        """A page in the order of ids, like that of contacts."""
        limit, after = call.request.arg("limit", "10"), call.request.arg("after") or "0"
        if not limit.isdecimal() or not after.isdecimal() or int(limit) > MOST:
            raise invalid(f"Invalid paging: limit={limit}, after={after}")
        left = [each for number, each in sorted(self.live.items()) if number >= int(after)]
        page, names = left[: int(limit)], call.names("properties") or _KNOWN[:2]
        body: dict[str, Any] = {"results": [each.shown(names) for each in page]}
        if len(left) > len(page) > 0:
            following = str(left[len(page)].number)
            body["paging"] = {"next": {"after": following, "link": call.link(f"after={following}&limit={limit}")}}
        return answer(body)

    def _search(self, call: Call) -> Response:
        if len(call.request.body.decode(errors="replace")) > MOST_CHARACTERS:
            raise invalid(f"The request body is longer than {MOST_CHARACTERS} characters.")
        groups = [_filters(group) for group in _objects(call.body.get("filterGroups"), "filterGroups")]
        limit, after = whole(call.body.get("limit"), "limit", 10), whole(call.body.get("after"), "after", 0)
        seen = self.portal.now() - int(self.portal.habits.search_lag_s * 1000)
        tests = [[_test(posted) for posted in group] for group in groups if group]
        found = [each for each in self.live.values() if each.created_ms <= seen and (not tests or any(all(test(each) for test in group) for group in tests))]
        page = found[after : after + limit]
        body: dict[str, Any] = {"total": len(found), "results": [each.shown(_names(call)) for each in page]}
        if after + len(page) < len(found):
            body["paging"] = {"next": {"after": str(after + len(page))}}
        return answer(body)


def _test(posted: Row) -> Callable[[Company], bool]:
    """EQ, IN and CONTAINS_TOKEN over text, which the index holds in lower case. Raises Refused (400) for anything else."""
    name, operator = str(posted.get("propertyName")), posted.get("operator")
    if name not in _KNOWN or operator not in ("EQ", "IN", "CONTAINS_TOKEN"):
        raise invalid(f"There was a problem with the request: {operator} over {name}.")
    if operator == "CONTAINS_TOKEN":
        token = str(posted.get("value", "")).lower()
        return lambda company: token in re.findall(r"[\w.]+", company.props.get(name, "").lower())
    values = posted.get("values") if operator == "IN" else [str(posted.get("value", "")).lower()]  # those of IN must be in lower case already
    wanted = {str(value) for value in values if isinstance(value, str)} if isinstance(values, list) else set[str]()
    return lambda company: company.props.get(name, "").lower() in wanted


def inputs(call: Call) -> list[Row]:
    """The rows of a batch. Raises Refused (400) for too many."""
    given = call.body.get("inputs")
    rows: list[Row] = [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []
    if len(rows) > MOST:
        raise invalid(f"The maximum number of inputs supported in a batch request is {MOST}. Received {len(rows)}.")
    return rows


def _properties(row: Row) -> Mapping[str, Any]:
    given = row.get("properties")
    return given if isinstance(given, dict) else {}


def _objects(given: Any, what: str) -> list[Row]:
    if given is not None and not (isinstance(given, list) and all(isinstance(each, dict) for each in given)):
        raise invalid(f"{what} must be a list of objects.")
    return given or []


def _filters(group: Row) -> list[Row]:
    return _objects(group.get("filters"), "filters")


def _names(call: Call) -> list[str]:
    given = call.body.get("properties")
    return [str(name) for name in given] if isinstance(given, list) and given else list(_KNOWN[:2])


def number(row: Row, end: str) -> int:
    """The id at one end of an association. Raises Refused (400)."""
    given = row.get(end)
    id = str(given.get("id", "")) if isinstance(given, dict) else ""
    if not id.isdecimal():
        raise Refused(400, f"{end} has no id", "VALIDATION_ERROR")
    return int(id)


def _is_primary(row: Row) -> bool:
    types = row.get("types")
    return any(isinstance(each, dict) and str(each.get("associationTypeId")) == str(PRIMARY) for each in (types if isinstance(types, list) else ()))
