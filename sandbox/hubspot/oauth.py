"""Who may call: a static token without end, or OAuth tokens that age on real time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl
from uuid import uuid4

from ..wire import Request, Response
from .call import Call
from .errors import Refused, answer
from .habits import Habits
from .portal import USER_ID, Portal


@dataclass(frozen=True)
class OAuthApp:
    """The app that is registered with the portal, and the code that its installation gave."""

    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"
    code: str = "sandbox-code"


class Tokens:
    """The portal's tokens."""

    def __init__(self, static: str, app: OAuthApp, clock: Callable[[], float] = time.monotonic) -> None:
        self.static = static
        self.app = app
        self.refresh = "sandbox-refresh"
        self._clock = clock
        self._until: dict[str, float] = {}

    def check(self, request: Request) -> bool:
        """True for an OAuth token, False for the static one. Raises Refused (401)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token == self.static:
            return False
        until = self._until.get(token) if scheme.lower() == "bearer" else None
        if until is None:
            message = "Authentication credentials not found. This API supports OAuth 2.0 authentication."
            raise Refused(401, message, "INVALID_AUTHENTICATION")
        if self._clock() >= until:
            raise Refused(401, "The OAuth token used to make this call expired.", "EXPIRED_AUTHENTICATION")
        return True

    def mint(self, life_s: float) -> str:
        """A new access token that lives this long."""
        token = f"oauth-{uuid4().hex}"
        self._until[token] = self._clock() + life_s
        return token

    def expire_all(self) -> None:
        """Let every access token be too old now."""
        self._until = dict.fromkeys(self._until, float("-inf"))

    def revoke(self, token: str) -> None:
        """Forget a token."""
        self._until.pop(token, None)
        if token == self.refresh:
            self.refresh = f"refresh-{uuid4().hex}"

    def left_s(self, token: str) -> float | None:
        """How long a token still lives; None for one that is not known."""
        until = self._until.get(token)
        return None if until is None else until - self._clock()


def endpoint(portal: Portal, tokens: Tokens, call: Call) -> Response:
    """`token`, `token/introspect` and `token/revoke`, form-encoded; in v1 what a token is, by its path. Raises Refused (400, 404)."""
    if len(call.rest) == 2 and call.rest[0] in ("access-tokens", "refresh-tokens"):
        return _of_token(portal, tokens, call)
    if call.method != "POST" or call.rest[:1] != ("token",):
        raise Refused(404, "resource not found")
    form = dict(parse_qsl(call.request.body.decode(errors="replace")))
    if (form.get("client_id"), form.get("client_secret")) != (tokens.app.client_id, tokens.app.client_secret):
        raise _bad("BAD_CLIENT_ID", "invalid_client", "missing or unknown client id or secret")
    match call.rest[1:]:
        case ():
            return _granted(portal, tokens, form)
        case ("introspect",):
            left = tokens.left_s(form.get("token", ""))
            active = left is not None and left > 0
            return answer({"active": active, "hub_id": portal.portal_id, "client_id": tokens.app.client_id, "scopes": list(portal.habits.scopes)})
        case ("revoke",):
            tokens.revoke(form.get("token", ""))
            return Response(200)
        case _:
            raise Refused(404, "resource not found")


def _of_token(portal: Portal, tokens: Tokens, call: Call) -> Response:
    """What v1 tells of an access token or the refresh token; a DELETE forgets the latter."""
    kind, token = call.rest
    left = tokens.left_s(token)
    told = {"token": token, "user": portal.owners[0].email, "user_id": USER_ID, "hub_domain": "sandbox.example", "hub_id": portal.portal_id}
    told |= {"scopes": list(portal.habits.scopes)}
    if kind == "refresh-tokens" and token == tokens.refresh and call.method in ("GET", "DELETE"):
        if call.method == "DELETE":
            tokens.revoke(token)
            return Response(204)
        return answer({**told, "client_id": tokens.app.client_id, "token_type": "refresh"})
    if kind == "access-tokens" and call.method == "GET" and left is not None and left > 0:
        return answer({**told, "app_id": portal.app_id, "expires_in": int(left), "token_type": "access"})
    raise Refused(404, "resource not found")


def _granted(portal: Portal, tokens: Tokens, form: dict[str, str]) -> Response:
    match form.get("grant_type"):
        case "authorization_code":
            if form.get("code") != tokens.app.code:
                raise _bad("BAD_AUTH_CODE", "invalid_grant", "missing or unknown auth code")
        case "refresh_token":
            if form.get("refresh_token") != tokens.refresh:
                raise _bad("BAD_REFRESH_TOKEN", "invalid_grant", "missing or invalid refresh token")
            if portal.habits.refresh_rotates:
                tokens.refresh = f"refresh-{uuid4().hex}"
        case _:
            raise _bad("BAD_GRANT_TYPE", "unsupported_grant_type", "missing or unknown grant type")
    return answer(_token(portal.habits, tokens, portal.portal_id))


def _token(habits: Habits, tokens: Tokens, portal_id: int) -> dict[str, object]:
    return {
        "token_type": "bearer",
        "access_token": tokens.mint(habits.token_life_s),
        "refresh_token": tokens.refresh,
        "expires_in": int(habits.token_life_s),
        "hub_id": portal_id,
        "scopes": list(habits.scopes),
    }


def _bad(status: str, error: str, message: str) -> Refused:
    return Refused(400, message, extra={"status": status, "error": error, "error_description": message})
