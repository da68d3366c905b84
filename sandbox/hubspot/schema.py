"""Endpoints for property definitions."""

from __future__ import annotations

from ..wire import Response
from .call import Call
from .errors import Refused, answer, invalid
from .portal import Portal


def endpoint(portal: Portal, call: Call) -> Response:
    """List, one, create, change, archive; `batch/read`. Raises Refused (400, 404, 405, 409)."""
    rest = call.rest[1:]
    match call.method, rest:
        case "GET", ():
            return answer({"results": portal.catalogue.page(portal.habits)})
        case "POST", ():
            made = portal.catalogue.create(call.body, portal.now())
            if made.unique:
                portal.store.watch_unique(made.name)
            return answer(portal.catalogue.shown(made, portal.habits), 201)
        case "POST", ("batch", "read"):
            return _many(portal, call)
        case "GET", (name,):
            return answer(portal.catalogue.shown(portal.catalogue.get(next(iter(portal.seen([name])), "")), portal.habits))
        case "PATCH", (name,):
            return answer(portal.catalogue.shown(portal.catalogue.patch(name, call.body, portal.habits, portal.now()), portal.habits))
        case "DELETE", (name,):
            portal.catalogue.archive(name)
            return Response(204)
        case _:
            raise Refused(405, "Method not allowed")


def _many(portal: Portal, call: Call) -> Response:
    posted = call.body.get("inputs")
    if not isinstance(posted, list):
        raise invalid("inputs is missing")
    names = portal.seen(str(row.get("name")) for row in posted)
    results = [portal.catalogue.shown(portal.catalogue.get(name), portal.habits) for name in names]
    return answer({"status": "COMPLETE", "results": results})
