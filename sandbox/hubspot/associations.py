"""Which contacts belong to which companies, told and changed from either side: one pair, or many at once (HubSpot docs, Associations v4).

What a batch does not take stands in it without the row's ids, which only its sentence names (a public recording of 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..wire import Response
from .call import COMPANIES, CONTACTS, Call
from .companies import PLAIN, PRIMARY, Companies, Row, inputs, number
from .errors import Refused, answer
from .instants import instant

Found = list[dict[str, Any]]


@dataclass(frozen=True)
class Way:
    """From contacts to companies, or back: the vendor's numbers of the two kinds and of the two types of association between them."""

    start: str
    end: str
    ends: tuple[str, str]
    primary: int
    plain: int

    def pair(self, start: int, end: int) -> tuple[int, int]:
        """Contact and company."""
        return (start, end) if self is THERE else (end, start)

    def types(self, *, primary: bool) -> Found:
        """How the two belong together, as v4 tells it."""
        plain = {"category": "HUBSPOT_DEFINED", "typeId": self.plain, "label": None}
        return [{"category": "HUBSPOT_DEFINED", "typeId": self.primary, "label": "Primary"}, plain] if primary else [plain]


THERE = Way("CONTACT", "COMPANY", ("0-1", "0-2"), PRIMARY, PLAIN)
BACK = Way("COMPANY", "CONTACT", ("0-2", "0-1"), 2, 280)


def _way(start: str, end: str) -> Way:
    """Raises Refused (404) for other kinds."""
    if start in CONTACTS and end in COMPANIES:
        return THERE
    if start in COMPANIES and end in CONTACTS:
        return BACK
    raise Refused(404, "resource not found")


@dataclass
class Associations:
    """The endpoints."""

    firms: Companies

    def many(self, call: Call) -> Response:
        """`/associations/{from}/{to}/labels` and `.../batch/...`. Raises Refused."""
        way = _way(call.rest[0], call.rest[1]) if len(call.rest) > 2 else None
        if way is None:
            raise Refused(404, "resource not found")
        match call.method, call.rest[2:]:
            case "GET", ("labels",):
                return answer({"results": way.types(primary=True)})
            case "POST", ("batch", "create"):
                return self._batch(call, lambda row: [self._joined(way, number(row, "from"), number(row, "to"), row.get("types"))], call.made)
            case "POST", ("batch", "associate", "default"):
                return self._batch(call, lambda row: self._joined_plainly(way, number(row, "from"), number(row, "to")))
            case "POST", ("batch", "archive"):
                done = self._batch(call, lambda row: self._parted(way, row))
                return done if call.is_dated or done.status == 207 else Response(204)
            case "POST", ("batch", "read"):
                return self._batch(call, lambda row: self._read(way, number({"from": row}, "from")))
            case _:
                raise Refused(404, "resource not found")

    def one(self, call: Call) -> Response:
        """`/objects/{from}/{id}/associations/...`: told in v3 by every type, else each once; made and parted in v4 and later. Raises Refused."""
        start, id, _, *rest = call.rest
        match call.method, rest:
            case "GET", (end,):
                return self._told(call, _way(start, end), id)
            case "PUT", ("default", end, other) if call.version != "v3":
                return self._answered(self._joined_plainly(_way(start, end), _plain(id), _plain(other)))
            case "PUT", (end, other) if call.version != "v3":
                return answer(self._joined(_way(start, end), _plain(id), _plain(other), call.listed), 201)
            case "DELETE", (end, other) if call.version != "v3":
                self.firms.part(*_way(start, end).pair(_plain(id), _plain(other)))
                return Response(204)
            case _:
                raise Refused(404, "resource not found")

    def _told(self, call: Call, way: Way, id: str) -> Response:
        there = self.firms.portal.store.find(_plain(id)) if way is THERE else self.firms.live.get(_plain(id))
        if there is None:
            raise Refused(404, "resource not found")
        found = self._others(way, _plain(id))
        if call.version == "v3":
            name = f"{way.start}_to_{way.end}".lower()
            kinds = [(other, kind) for other, primary in found for kind in ([name] if primary else []) + [f"{name}_unlabeled"]]
            return answer({"results": [{"id": str(other), "type": kind} for other, kind in kinds]})
        return answer({"results": [_shown(way, other, primary) for other, primary in found]})

    def _others(self, way: Way, start: int) -> list[tuple[int, bool]]:
        """Who belongs to it, and whether that is a contact's primary company."""
        if way is THERE:
            known = self.firms.portal.store.find(start)
            mine = self.firms.members.get(known.number, []) if known is not None else []
            return [(company, company == mine[0]) for company in mine]
        return [(contact, mine[0] == start) for contact, mine in self.firms.members.items() if start in mine]

    def _joined(self, way: Way, start: int, end: int, types: object) -> dict[str, Any]:
        contact, company = self._known(way, start, end)
        named = [each.get("associationTypeId") for each in types if isinstance(each, dict)] if isinstance(types, list) else []
        self.firms.associate(contact, company, primary=str(way.primary) in map(str, named))
        one, other = way.ends
        return {"fromObjectTypeId": one, "fromObjectId": str(start), "toObjectTypeId": other, "toObjectId": str(end), "labels": []}

    def _joined_plainly(self, way: Way, start: int, end: int) -> Found:
        self.firms.associate(*self._known(way, start, end), primary=False)
        spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": way.plain}
        return [{"from": {"id": str(start)}, "to": {"id": str(end)}, "associationSpec": spec}]

    def _known(self, way: Way, start: int, end: int) -> tuple[int, int]:
        """Contact and company. Raises Refused (400) for the first of the two that is not there."""
        contact, company = way.pair(start, end)
        absent = {"CONTACT" if self.firms.portal.store.find(contact) is None else "", "COMPANY" if company not in self.firms.live else ""}
        for kind, given in ((way.start, start), (way.end, end)):
            if kind in absent:
                raise Refused(400, f"{kind}={given} is not valid", "VALIDATION_ERROR")
        return contact, company

    def _parted(self, way: Way, row: Row) -> Found:
        to = row.get("to")
        for each in to if isinstance(to, list) else ():
            self.firms.part(*way.pair(number(row, "from"), number({"to": each}, "to")))
        return []

    def _read(self, way: Way, start: int) -> Found:
        found = self._others(way, start)
        if not found:
            none = {"subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND"}
            text = f"No {way.end.lower()} is associated with {way.start.lower()} {start}."
            where = {"fromObjectId": [str(start)], "fromObjectType": [way.start.lower()], "toObjectType": [way.end.lower()]}
            raise Refused(404, text, "OBJECT_NOT_FOUND", where, extra=none)
        return [{"from": {"id": str(start)}, "to": [_shown(way, other, primary) for other, primary in found]}]

    def _batch(self, call: Call, deed: Callable[[Row], Found], status: int = 200) -> Response:
        results, errors = Found(), Found()
        for row in inputs(call):
            try:
                results += deed(row)
            except Refused as refused:
                errors.append({name: told for name, told in refused.row({}).items() if told})
        return self._answered(results, errors, status)

    def _answered(self, results: Sequence[Row], errors: Sequence[Row] = (), status: int = 200) -> Response:
        now = instant(self.firms.portal.now())
        more = {"numErrors": len(errors), "errors": errors} if errors else {}
        return answer({"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now, **more}, 207 if errors else status)


def _shown(way: Way, other: int, primary: bool) -> dict[str, Any]:
    return {"toObjectId": str(other), "associationTypes": way.types(primary=primary)}


def _plain(id: str) -> int:
    """Raises Refused (404) for what is no id."""
    if not id.isdecimal():
        raise Refused(404, "resource not found")
    return int(id)
