"""Owners: whom contacts can be assigned to. An owner's id is not the user's id."""

from __future__ import annotations

from typing import Any

from ..wire import Response
from .call import Call
from .errors import Refused, answer, invalid
from .instants import instant
from .portal import Owner, Portal


def endpoint(portal: Portal, call: Call) -> Response:
    """The list (`email`, `archived`, paging) and one by owner id or, with `idProperty=userId`, by user id. Raises Refused (400, 404)."""
    if call.method != "GET":
        raise Refused(405, "Method not allowed")
    if len(call.rest) == 1:
        by_user = call.request.arg("idProperty") == "userId"
        for owner in portal.owners:
            if call.rest[0] == (str(owner.user_id) if by_user else owner.id):
                return answer(_shown(owner))
        raise Refused(404, "resource not found")
    limit, after, email = call.request.arg("limit", "100"), call.request.arg("after", "0") or "0", call.request.arg("email").lower()
    if not limit.isdecimal() or not after.isdecimal() or int(limit) > 500:
        raise invalid(f"Invalid paging: limit={limit}, after={after}")
    fitting = [owner for owner in portal.owners if owner.archived == call.flag("archived") and (not email or owner.email.lower() == email)]
    page = fitting[int(after) : int(after) + int(limit)]
    body: dict[str, Any] = {"results": [_shown(owner) for owner in page]}
    following = int(after) + len(page)
    if following < len(fitting):
        body["paging"] = {"next": {"after": str(following), "link": call.link(f"after={following}")}}
    return answer(body)


def add(portal: Portal, email: str, first_name: str, last_name: str) -> Owner:
    """A new user of the portal who can own contacts."""
    last = max(portal.owners, key=lambda owner: int(owner.id), default=None)
    number = int(last.id) + 1 if last is not None else 70_101
    user = max((owner.user_id for owner in portal.owners), default=9_000) + 1
    owner = Owner(str(number), email, first_name, last_name, user)
    portal.owners.append(owner)
    return owner


def _shown(owner: Owner) -> dict[str, Any]:
    return {
        "id": owner.id,
        "email": owner.email,
        "type": "PERSON",
        "firstName": owner.first_name,
        "lastName": owner.last_name,
        "userId": None if owner.archived else owner.user_id,
        "userIdIncludingInactive": owner.user_id,
        "createdAt": instant(1_700_000_000_000),
        "updatedAt": instant(1_700_000_000_000),
        "archived": owner.archived,
    }
