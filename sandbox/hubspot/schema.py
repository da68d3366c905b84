"""Endpoints for property definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..wire import Response
from .call import Call
from .errors import Refused, answer, invalid
from .instants import instant
from .portal import Portal


def endpoint(portal: Portal, call: Call) -> Response:
    """List, one, create, change, archive, alone or several at once; the groups. Raises Refused (400, 404, 405, 409)."""
    rest = call.rest[1:]
    match call.method, rest:
        case "GET", ():  # what was archived is forgotten, and nothing here is sensitive
            usual = not call.flag("archived") and call.request.arg("dataSensitivity", "non_sensitive") == "non_sensitive"
            return answer({"results": portal.catalogue.page(portal.habits) if usual else []})
        case "POST", ():
            return answer(_created(portal, call.body), 201)
        case "GET", ("groups",):
            return answer({"results": portal.catalogue.groups()})
        case "POST", ("batch", "read"):
            return _many(portal, call, lambda row: [_shown(portal, str(row.get("name")))])
        case "POST", ("batch", "create"):
            return _many(portal, call, lambda row: [_created(portal, row)], call.made)
        case "POST", ("batch", "archive"):
            _many(portal, call, lambda row: portal.catalogue.archive(str(row.get("name"))) or [])
            return Response(204)
        case "GET", (name,):
            return answer(_shown(portal, name))
        case "PATCH", (name,):
            return answer(portal.catalogue.shown(portal.catalogue.patch(name, call.body, portal.habits, portal.now()), portal.habits))
        case "DELETE", (name,):
            portal.catalogue.archive(name)
            return Response(204)
        case _:
            raise Refused(405, "Method not allowed")


def _shown(portal: Portal, name: str) -> dict[str, Any]:
    return portal.catalogue.shown(portal.catalogue.get(name, hidden=portal.habits.hidden_properties), portal.habits)


def _created(portal: Portal, posted: Mapping[str, Any]) -> dict[str, Any]:
    made = portal.catalogue.create(posted, portal.now())
    if made.unique:
        portal.store.watch_unique(made.name)
    return portal.catalogue.shown(made, portal.habits)


def _many(portal: Portal, call: Call, deed: Callable[[Mapping[str, Any]], list[dict[str, Any]]], status: int = 200) -> Response:
    """Each row for itself; what is refused stands among the errors."""
    posted = call.body.get("inputs")
    if not isinstance(posted, list) or not all(isinstance(row, dict) for row in posted):
        raise invalid("inputs must be a list of objects.")
    results: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for row in posted:
        try:
            results += deed(row)
        except Refused as refused:
            errors.append(refused.row({"name": [str(row.get("name"))]}))
    now = instant(portal.now())
    more = {"numErrors": len(errors), "errors": errors} if errors else {}
    return answer({"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now, **more}, 207 if errors else status)
