"""The imports API: a file of rows is posted, carried out in its own time, and tells afterwards what it could not do.

Imports go on by themselves, three at a time, and come as far as they have by now at each call. What was carried out stays so when one is cancelled or breaks
off. No answer tells an id of what was made (HubSpot docs, Imports guide; API reference, imports 2026-09).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..wire import Response
from .call import Call
from .errors import Refused, answer, invalid
from .import_request import CONTACT, ImportRequest, checked
from .import_rows import Trouble, carried_out
from .instants import instant
from .portal import Portal

FIRST_ID = 51_000_001
AT_ONCE = 3
PAGE = 100
"""Results on a page where nobody asks for more or fewer."""

State = Literal["DEFERRED", "STARTED", "PROCESSING", "DONE", "FAILED", "CANCELED"]
ENDED: frozenset[State] = frozenset({"DONE", "FAILED", "CANCELED"})


@dataclass
class Import:
    """One import. `turn_ms`: since when it is one of those that go on; `done`: so many of its rows were carried out."""

    id: str
    asked: ImportRequest
    created_ms: int
    turn_ms: int
    state: State
    updated_ms: int
    done: int = 0
    created: int = 0
    updated: int = 0
    troubles: list[Trouble] = field(default_factory=list[Trouble])

    def enter(self, state: State, at_ms: int) -> None:
        """Go over to a state."""
        self.state, self.updated_ms = state, at_ms


@dataclass
class Imports:
    """The imports of one portal by id, in the order in which they were posted."""

    portal: Portal
    _by_id: dict[str, Import] = field(default_factory=dict[str, Import])

    def go_on(self) -> None:
        """Let each import come as far as it has by now; one that waits begins when one of those before it has ended."""
        going = [each for each in self._by_id.values() if each.state not in ENDED]
        for each in going[:AT_ONCE]:
            self._come(each)

    def endpoint(self, call: Call) -> Response:
        """`/imports/...` of any version. Raises Refused (400, 404, 415)."""
        match call.method, call.rest:
            case "POST", ():
                return self._start(call)
            case "GET", ():
                return answer(_page(call, [_told(each) for each in self._by_id.values()]))
            case "GET", (id,) if id in self._by_id:
                return answer(_told(self._by_id[id]))
            case "POST", (id, "cancel") if id in self._by_id:
                return self._cancel(self._by_id[id])
            case "GET", (id, "errors") if id in self._by_id:
                found = self._by_id[id]
                shown = [_trouble(found, number, each, call) for number, each in enumerate(found.troubles, start=1)]
                return answer(_page(call, shown))
            case _:
                raise Refused(404, "resource not found")

    def all(self) -> Sequence[Import]:
        """In the order in which they were posted."""
        return list(self._by_id.values())

    def end(self, id: str, state: Literal["CANCELED", "FAILED"]) -> None:
        """It is cancelled, or breaks off. Raises LookupError for an unknown id, ValueError when it has ended."""
        self.go_on()
        found = self._by_id[id]
        if found.state in ENDED:
            raise ValueError(f"import {id} has ended: {found.state}")
        found.enter(state, self.portal.now())

    def _start(self, call: Call) -> Response:
        asked, now = checked(self.portal, call), self.portal.now()
        waits = sum(each.state not in ENDED for each in self._by_id.values()) >= AT_ONCE
        found = Import(str(FIRST_ID + len(self._by_id)), asked, now, now, "DEFERRED" if waits else "STARTED", now)
        self._by_id[found.id] = found
        return answer(_told(found))

    def _cancel(self, found: Import) -> Response:
        if found.state in ENDED:
            raise invalid(f"Import {found.id} cannot be canceled: it is {found.state}.")
        now = self.portal.now()
        found.enter("CANCELED", now)
        return answer({"status": "COMPLETE", "startedAt": instant(now), "completedAt": instant(now)})

    def _come(self, each: Import) -> None:
        now, takes_ms = self.portal.now(), int(self.portal.habits.import_takes_s * 1000)
        if each.state == "DEFERRED":
            each.turn_ms = now
            each.enter("STARTED", now)
        if each.state == "STARTED" and now >= each.turn_ms + takes_ms // 2:
            each.enter("PROCESSING", each.turn_ms + takes_ms // 2)
        if each.state == "PROCESSING":
            passed = now - each.turn_ms - takes_ms // 2
            self._carry_out(
                each, min(len(each.asked.rows), len(each.asked.rows) * passed // max(1, takes_ms - takes_ms // 2)) if takes_ms else len(each.asked.rows)
            )
            if now >= each.turn_ms + takes_ms:
                each.enter("DONE", now)

    def _carry_out(self, each: Import, until: int) -> None:
        for number in range(each.done, until):
            row = carried_out(self.portal, each.asked, number)
            each.created += row.created
            each.updated += row.updated
            each.troubles += row.troubles
        each.done = max(each.done, until)


def _told(found: Import) -> dict[str, Any]:
    counters = {"TOTAL_ROWS": len(found.asked.rows), "CREATED_OBJECTS": found.created, "UPDATED_OBJECTS": found.updated, "ERRORS": len(found.troubles)}
    return {
        "id": found.id,
        "state": found.state,
        "importName": found.asked.name,
        "importSource": "API",
        "importRequestJson": found.asked.asked,
        "mappedObjectTypeIds": [CONTACT],
        "metadata": {"counters": counters, "fileIds": [found.id], "objectLists": []},
        "optOutImport": False,
        "createdAt": instant(found.created_ms),
        "updatedAt": instant(found.updated_ms),
    }


def _trouble(found: Import, number: int, trouble: Trouble, call: Call) -> dict[str, Any]:
    row = found.asked.rows[trouble.row]
    told: dict[str, Any] = {
        "id": str(number),
        "createdAt": found.created_ms,
        "errorType": trouble.error,
        "objectType": "CONTACT",
        "objectTypeId": CONTACT,
        "sourceData": {
            "fileId": int(found.id),
            "lineNumber": trouble.row + 2,
            "pageName": found.asked.file,
            "rowData": list(row) if call.flag("includeRowData") else [],
            "containsEncryptedProperties": False,
        },
    }
    if trouble.column is not None:
        told |= {"knownColumnNumber": trouble.column, "invalidValue": row[trouble.column], "invalidValueToDisplay": row[trouble.column]}
    return {**told, "errorMessage": trouble.message} if call.flag("includeErrorMessage") else told


def _page(call: Call, found: list[dict[str, Any]]) -> Mapping[str, Any]:
    start, limit = call.request.arg("after", "0"), call.request.arg("limit", str(PAGE))
    if not start.isdecimal() or not limit.isdecimal():
        raise invalid("after and limit are numbers.")
    begin, end = int(start), int(start) + max(1, int(limit))
    following = {"paging": {"next": {"after": str(end), "link": call.link(f"after={end}")}}} if end < len(found) else {}
    return {"results": found[begin:end], **following}
