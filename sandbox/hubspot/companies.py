"""Companies and which contacts belong to them: as much of both as somebody needs who links contacts.

A contact can belong to several companies, one of which is its primary one: that is the first, until another is named (type 1), and shows as the contact's
property `associatedcompanyid`. Domains are not unique by the API (HubSpot docs, Companies guide; Associations).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..wire import Response
from .call import Call
from .contacts import Contact
from .errors import Refused, answer, invalid
from .instants import instant
from .portal import BY_USER, Portal

NAMES = ("companies", "company", "0-2")
PRIMARY_ID = "associatedcompanyid"
PRIMARY, PLAIN = 1, 279
"""Association types from contact to company: the primary one, and any (HubSpot docs, Associations, default association types)."""
MOST = 100
MOST_CHARACTERS = 3_000
_FIRST, _STEP = 9_000_001, 11
_KNOWN = ("name", "domain", "website", "hs_additional_domains", "phone", "city", "industry")
_ALWAYS = ("createdate", "hs_lastmodifieddate", "hs_object_id")

Row = Mapping[str, Any]


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

    def adopt(self, contact: Contact, associations: object) -> None:
        """What came with a new contact. Raises Refused (400, 404)."""
        for row in associations if isinstance(associations, list) else ():
            to, types = row.get("to") or {}, row.get("types")
            self.associate(contact.number, int(to.get("id", 0)), primary=PRIMARY in _types(types))

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

    def associations(self, call: Call) -> Response:
        """`/associations/contacts/companies/batch/...`. Raises Refused."""
        if call.method != "POST" or len(call.rest) < 4 or call.rest[0] not in ("contacts", "contact", "0-1") or call.rest[1] not in NAMES:
            raise Refused(404, "resource not found")
        match call.rest[3:]:
            case ("create",):
                return self._batch(call, self._joined)
            case ("associate", "default"):
                return self._batch(call, self._joined)
            case ("archive",):
                for row in _inputs(call):
                    for to in row.get("to") or ():
                        self.part(_number(row, "from"), int(to["id"]))
                return Response(204)
            case ("read",):
                return self._batch(call, self._read)
            case _:
                raise Refused(404, "resource not found")

    def _joined(self, row: Row) -> dict[str, Any]:
        contact, company = _number(row, "from"), _number(row, "to")
        self.associate(contact, company, primary=PRIMARY in _types(row.get("types")))
        return {"fromObjectTypeId": "0-1", "fromObjectId": str(contact), "toObjectTypeId": "0-2", "toObjectId": str(company), "labels": []}

    def _read(self, row: Row) -> dict[str, Any]:
        number = int(str(row.get("id") or 0))
        found = self.members.get(number)
        if not found:
            raise Refused(404, f"No company is associated with contact {number}.", "OBJECT_NOT_FOUND")

        def types(place: int) -> list[dict[str, Any]]:
            named = [{"category": "HUBSPOT_DEFINED", "typeId": PRIMARY, "label": "Primary"}] if place == 0 else []
            return [*named, {"category": "HUBSPOT_DEFINED", "typeId": PLAIN, "label": None}]

        return {"from": {"id": str(number)}, "to": [{"toObjectId": each, "associationTypes": types(place)} for place, each in enumerate(found)]}

    def _batch(self, call: Call, deed: Callable[[Row], dict[str, Any]]) -> Response:
        results: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for row in _inputs(call):
            try:
                results.append(deed(row))
            except Refused as refused:
                from_id = (row.get("from") or row).get("id")
                errors.append(refused.row({"fromObjectId": [str(from_id)]}))
        now = instant(self.portal.now())
        more = {"numErrors": len(errors), "errors": errors} if errors else {}
        return answer({"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now, **more}, 207 if errors else 201)

    def _create_many(self, call: Call) -> Response:
        rows = _inputs(call)
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
        now = instant(self.portal.now())
        more = {"numErrors": len(errors), "errors": errors} if errors else {}
        return answer({"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now, **more}, 207 if errors else 201)

    def _read_many(self, call: Call) -> Response:
        names = call.body.get("properties") or _KNOWN[:2]
        found = [self.live[int(row["id"])] for row in _inputs(call) if str(row.get("id", "")).isdecimal() and int(row["id"]) in self.live]
        now = instant(self.portal.now())
        return answer({"status": "COMPLETE", "results": [each.shown(names) for each in found], "startedAt": now, "completedAt": now})

    def _search(self, call: Call) -> Response:
        if len(call.request.body.decode(errors="replace")) > MOST_CHARACTERS:
            raise invalid(f"The request body is longer than {MOST_CHARACTERS} characters.")
        groups = call.body.get("filterGroups") or []
        limit, after = int(call.body.get("limit") or 10), int(call.body.get("after") or 0)
        seen = self.portal.now() - int(self.portal.habits.search_lag_s * 1000)
        tests = [[_test(posted) for posted in group.get("filters") or ()] for group in groups]
        found = [each for each in self.live.values() if each.created_ms <= seen and any(all(test(each) for test in group) for group in tests)]
        page = found[after : after + limit]
        body: dict[str, Any] = {"total": len(found), "results": [each.shown(call.body.get("properties") or _KNOWN[:2]) for each in page]}
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


def _inputs(call: Call) -> list[Row]:
    given = call.body.get("inputs")
    rows: list[Row] = [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []
    if len(rows) > MOST:
        raise invalid(f"The maximum number of inputs supported in a batch request is {MOST}. Received {len(rows)}.")
    return rows


def _properties(row: Row) -> Mapping[str, Any]:
    given = row.get("properties")
    return given if isinstance(given, dict) else {}


def _number(row: Row, end: str) -> int:
    id = str((row.get(end) or {}).get("id", ""))
    if not id.isdecimal():
        raise Refused(400, f"{end} has no id", "VALIDATION_ERROR")
    return int(id)


def _types(types: object) -> set[int]:
    return {int(each.get("associationTypeId", 0)) for each in types if isinstance(each, dict)} if isinstance(types, list) else set()
