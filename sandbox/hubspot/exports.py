"""The exports API: asked for, waited for, and downloaded from an address that soon expires.

Exports go on by themselves, one at a time, and come as far as they have by now at each call (HubSpot docs, Exports guide; API reference, exports 2026-09).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from secrets import token_urlsafe
from typing import Any, Literal
from urllib.parse import quote

from ..wire import Response
from . import sheet
from .call import Call
from .contacts import Contact
from .errors import Refused, answer
from .export_request import ExportRequest, checked
from .instants import instant
from .portal import Portal
from .search import asks, in_order
from .sheet import Sheet

FILES = "/export-files/v1/"
"""Where the files lie: whoever has the address needs no token, and the call counts as none of the API's."""
FIRST_ID = 478_000_001
DAY_MS = 86_400_000

State = Literal["ENQUEUED", "DEFERRED", "PROCESSING", "DONE", "FAILED", "CANCELED"]
ENDED: frozenset[State] = frozenset({"DONE", "FAILED", "CANCELED"})
_STATUS = {"ENQUEUED": "PENDING", "DEFERRED": "PENDING", "PROCESSING": "PROCESSING", "DONE": "COMPLETE", "FAILED": "CANCELED", "CANCELED": "CANCELED"}
"""A state as the status tells it, which knows four only."""


@dataclass
class Export:
    """One export. `turn_ms`: since when it is the first of those that are not done."""

    id: str
    asked: ExportRequest
    requested_ms: int
    turn_ms: int
    state: State
    updated_ms: int
    error: str = ""
    sheet: Sheet | None = None

    def enter(self, state: State, at_ms: int) -> None:
        """Go over to a state."""
        self.state, self.updated_ms = state, at_ms


@dataclass
class Exports:
    """The exports of one portal by id, in the order in which they were asked for."""

    portal: Portal
    _by_id: dict[str, Export] = field(default_factory=dict[str, Export])
    _addresses: dict[str, tuple[Sheet, int]] = field(default_factory=dict[str, tuple[Sheet, int]])
    """The secret part of each address -> its file, and until when."""

    def go_on(self) -> None:
        """Let each export come as far as it has by now."""
        for export in self._waiting():
            if not self._has_ended(export):
                return

    def endpoint(self, call: Call) -> Response:
        """`/exports/...` of any version. Raises Refused (400, 403, 404, 429)."""
        match call.method, call.rest:
            case "POST", ("export", "async"):
                return self._start(call)
            case "GET", ("export", "async", "tasks", id, "status") if id.isdecimal():
                return answer(self._status(call, self._known(id)))
            case "GET", ("export", id) if id.isdecimal():
                return answer(_detail(self._known(id)))
            case _:
                raise Refused(404, "resource not found")

    def download(self, call: Call) -> Response:
        """The file at an address that a status told; it says no in the words of a store of files, not of the API."""
        found, until = self._addresses.get(call.rest[0], (None, 0)) if call.rest else (None, 0)
        if call.method != "GET" or found is None or self.portal.now() >= until:
            return Response(403, {"Content-Type": "application/xml"}, b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")
        return Response(200, {"Content-Type": found.content_type, "Content-Disposition": f'attachment; filename="{found.name}"'}, found.content())

    def end(self, id: str, state: Literal["CANCELED", "FAILED"]) -> None:
        """It is cancelled, or fails. Raises LookupError for an unknown id, ValueError when it has ended."""
        self.go_on()
        export = self._by_id[id]
        if export.state in ENDED:
            raise ValueError(f"export {id} has ended: {export.state}")
        export.error = "The export failed." if state == "FAILED" else ""
        export.enter(state, self.portal.now())

    # ---- asking

    def _start(self, call: Call) -> Response:
        asked, now, habits = checked(self.portal, call.body, call.version), self.portal.now(), self.portal.habits
        if sum(each.requested_ms > now - DAY_MS for each in self._by_id.values()) >= habits.exports_per_day:
            raise Refused(429, f"The limit of {habits.exports_per_day} exports in 24 hours was reached.", "RATE_LIMITS")
        behind = bool(self._waiting())
        if behind and habits.second_export == "refused":
            raise Refused(429, "Another export is in progress; only one export can run at a time.", "RATE_LIMITS")
        export = Export(str(FIRST_ID + len(self._by_id)), asked, now, now, "DEFERRED" if behind else "ENQUEUED", now)
        self._by_id[export.id] = export
        return answer({"id": export.id, "links": {"status": call.address(f"{call.request.path.rstrip('/')}/tasks/{export.id}/status")}}, 202)

    def _known(self, id: str) -> Export:
        found = self._by_id.get(id)
        if found is None:
            raise Refused(403, f"Permission to get export file cannot be granted for exportId {id} and portalId {self.portal.portal_id}")
        return found

    def _status(self, call: Call, export: Export) -> dict[str, Any]:
        """Both moments are always told (the vendor's description requires them): that there is a `completedAt` says nothing."""
        told: dict[str, Any] = {
            "status": _STATUS[export.state],
            "requestedAt": instant(export.requested_ms),
            "startedAt": instant(export.turn_ms),
            "completedAt": instant(export.updated_ms),
        }
        if export.state == "DONE" and export.sheet is not None:
            told["result"] = self._address(call, export.sheet)
        if export.error:
            detail = {"status": "error", "message": export.error, "category": "EXPORT_FAILED", "context": {}, "links": {}, "errors": []}
            told |= {"numErrors": 1, "errors": [detail]}
        return told

    def _address(self, call: Call, found: Sheet) -> str:
        now = self.portal.now()
        self._addresses = {secret: (each, until) for secret, (each, until) in self._addresses.items() if until > now}
        secret = token_urlsafe(24)
        self._addresses[secret] = (found, now + int(self.portal.habits.export_link_s * 1000))
        return call.address(f"{FILES}{secret}/{quote(found.name)}")

    # ---- working

    def _waiting(self) -> list[Export]:
        return [each for each in self._by_id.values() if each.state not in ENDED]

    def _has_ended(self, export: Export) -> bool:
        """Work on the export whose turn it is; the next one's turn comes when it has ended."""
        now, takes_ms = self.portal.now(), int(self.portal.habits.export_takes_s * 1000)
        if export.state == "DEFERRED":
            export.turn_ms = max(each.updated_ms for each in self._by_id.values() if int(each.id) <= int(export.id))
            export.enter("ENQUEUED", export.turn_ms)
        if export.state == "ENQUEUED" and now >= export.turn_ms + takes_ms // 2:
            export.enter("PROCESSING", export.turn_ms + takes_ms // 2)
            self._write(export)
        if export.state == "PROCESSING" and now >= export.turn_ms + takes_ms:
            export.enter("DONE", export.turn_ms + takes_ms)
        return export.state in ENDED

    def _write(self, export: Export) -> None:
        try:
            export.sheet = sheet.write(self.portal, export.asked, self._rows(export))
        except Refused as refused:  # a property of its filters is gone since it was asked for
            export.error = refused.message
            export.enter("FAILED", export.updated_ms)

    def _rows(self, export: Export) -> Sequence[Contact]:
        """The live contacts of the view: how the portal knows them, or how its search index does."""
        portal, asked, store = self.portal, export.asked, self.portal.store
        wanted = asks(portal, asked.groups, asked.text)
        live = (store.live[number] for number in store.order if number in store.live)
        if portal.habits.export_reads_index:
            store.settle_index(portal.now(), int(portal.habits.search_lag_s * 1000))
            found = [known for known in map(store.indexed, live) if known is not None and wanted(known)]
        else:
            found = [contact for contact in live if wanted(contact)]
        if asked.sort:
            return in_order(portal, found, asked.sort, descending=asked.descending)
        if portal.habits.export_order == "any":
            Random(export.id).shuffle(found)
        return found


def _detail(export: Export) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": export.id,
        "exportName": export.asked.name,
        "exportType": "VIEW",
        "exportState": export.state,
        "objectType": export.asked.object_type,
        "objectProperties": list(export.asked.properties),
        "createdAt": instant(export.requested_ms),
        "updatedAt": instant(export.updated_ms),
    }
    return {**told, "recordCount": export.sheet.rows} if export.state == "DONE" and export.sheet is not None else told
