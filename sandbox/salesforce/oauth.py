"""Tokens: the OAuth forms that Salesforce knows, and sessions that expire when they rest too long (in real time)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

from ..wire import Request, Response
from .errors import Refused, json_answer
from .org import Org

BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
DEFAULT_HOST = "sandbox-org.my.salesforce.com"
SHA256_HEAD = bytes.fromhex("3031300d060960864801650304020105000420")
"""What stands before a SHA-256 digest in an RSA signature (RFC 8017, 9.2)."""

CLOCK_SKEW_S = 30
_PAGE = {"Content-Type": "text/html;charset=UTF-8"}


@dataclass(frozen=True)
class ConnectedApp:
    """What a client must present. `public_key` is an RSA (modulus, exponent): with it signatures of JWTs are verified, without it only their claims."""

    consumer_key: str = "sandbox-consumer-key"
    consumer_secret: str = "sandbox-consumer-secret"
    username: str = "integration@sandbox.example"
    password: str = "sandbox-password"
    refresh_token: str = "sandbox-refresh-token"
    audience: str = "https://login.salesforce.com"
    public_key: tuple[int, int] | None = None


def origin(request: Request) -> str:
    """The address under which the org was called."""
    host = request.headers.get("host", DEFAULT_HOST)
    return f"{'http' if host.rsplit(':', 1)[0] in LOOPBACK else 'https'}://{host}"


class Denied(Exception):
    """OAuth says no; its body is an object, unlike every other error of Salesforce's."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


class Sessions:
    """The tokens that are valid now. `first` is valid from the beginning."""

    def __init__(self, org: Org, app: ConnectedApp, first: str) -> None:
        self._org = org
        self._app = app
        self._first = first
        self._used = {first: time.monotonic()}
        self._minted = 0

    def check(self, request: Request) -> None:
        """Raise INVALID_SESSION_ID unless the request carries a living token; using it keeps it alive."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        self.admit(token if scheme.lower() in {"bearer", "oauth"} else "")

    def admit(self, token: str) -> None:
        """Raise INVALID_SESSION_ID unless this token lives; using it keeps it alive."""
        if not self._alive(token):
            raise Refused("INVALID_SESSION_ID", "Session expired or invalid", status=401)
        self._used[token] = time.monotonic()

    def expire(self) -> None:
        """End every session; new ones can be had with a grant."""
        self._used.clear()

    def _alive(self, token: str) -> bool:
        used = self._used.get(token)
        if used is None:
            return False
        age = self._org.habits.session_s
        return age is None or time.monotonic() - used <= age

    def route(self, request: Request) -> Response:
        """Answer a call under `/services/oauth2/`."""
        forms: dict[str, Callable[[Request], Response]] = {
            "token": self._token,
            "introspect": self._introspect,
            "userinfo": self._userinfo,
            "revoke": self._revoke,
        }
        answer = forms.get(request.path.removeprefix("/services/oauth2/").strip("/"))
        if answer is None:
            return json_answer([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404)
        try:
            return answer(request)
        except Denied as denied:
            return json_answer({"error": denied.error, "error_description": denied.description}, denied.status)

    def _token(self, request: Request) -> Response:
        form = _form(request)
        grants: dict[str, Callable[[Mapping[str, str]], None]] = {
            BEARER: lambda form: self._check_assertion(form.get("assertion", "")),
            "client_credentials": self._check_client,
            "refresh_token": self._check_refresh,
            "password": self._check_password,
        }
        check = grants.get(form.get("grant_type", ""))
        if check is None:
            raise Denied("unsupported_grant_type", "grant type not supported")
        check(form)
        token = self._opened()
        url = origin(request)
        id = self.identity_url(request)
        issued = {"issued_at": str(self._org.clock.now_ms())} if form["grant_type"] != BEARER else {}
        return json_answer({"access_token": token, "scope": "api", "instance_url": url, "id": id, "token_type": "Bearer", "signature": "sandbox", **issued})

    def login(self, username: str, password: str) -> str:
        """A token for who logs in by SOAP, with or without the security token behind the password. Raises INVALID_LOGIN."""
        if username != self._app.username or not password.startswith(self._app.password):
            raise Refused("INVALID_LOGIN", "Invalid username, password, security token; or user locked out.")
        return self._opened()

    def _opened(self) -> str:
        self._minted += 1
        token = f"{self._org.org_id[:15]}!AQ{hashlib.sha256(f'{self._first}{self._minted}'.encode()).hexdigest()}"
        self._used[token] = time.monotonic()
        return token

    def _check_client(self, form: Mapping[str, str]) -> None:
        if form.get("client_id") != self._app.consumer_key:
            raise Denied("invalid_client_id", "client identifier invalid")
        if form.get("client_secret") != self._app.consumer_secret:
            raise Denied("invalid_client", "invalid client credentials")

    def _check_refresh(self, form: Mapping[str, str]) -> None:
        if form.get("client_id") != self._app.consumer_key:
            raise Denied("invalid_client_id", "client identifier invalid")
        if form.get("client_secret", self._app.consumer_secret) != self._app.consumer_secret:
            raise Denied("invalid_client", "invalid client credentials")
        if form.get("refresh_token") != self._app.refresh_token:
            raise Denied("invalid_grant", "expired access/refresh token")

    def _check_password(self, form: Mapping[str, str]) -> None:
        self._check_client(form)
        if form.get("username") != self._app.username or not form.get("password", "").startswith(self._app.password):
            raise Denied("invalid_grant", "authentication failure")

    def _check_assertion(self, assertion: str) -> None:
        try:
            head, body, signature = assertion.split(".")
            claims, algorithm, signed = orjson.loads(_decoded(body)), orjson.loads(_decoded(head))["alg"], _decoded(signature)
        except (ValueError, KeyError, binascii.Error):
            raise Denied("invalid_grant", "invalid assertion") from None
        if algorithm != "RS256" or not self._signed(f"{head}.{body}".encode(), signed):
            raise Denied("invalid_grant", "invalid assertion")
        if claims.get("iss") != self._app.consumer_key:
            raise Denied("invalid_client_id", "client identifier invalid")
        if str(claims.get("aud", "")).rstrip("/") != self._app.audience.rstrip("/"):
            raise Denied("invalid_grant", "audience is invalid")
        if claims.get("sub") != self._app.username:
            raise Denied("invalid_grant", "user hasn't approved this consumer")
        if _seconds(claims.get("exp")) < time.time() - CLOCK_SKEW_S:
            raise Denied("invalid_grant", "assertion is expired")

    def _signed(self, text: bytes, signature: bytes) -> bool:
        if self._app.public_key is None:
            return bool(signature)
        modulus, exponent = self._app.public_key
        size = (modulus.bit_length() + 7) // 8
        tail = b"\x00" + SHA256_HEAD + hashlib.sha256(text).digest()
        expected = b"\x00\x01" + b"\xff" * (size - 2 - len(tail)) + tail
        return len(signature) == size and pow(int.from_bytes(signature, "big"), exponent, modulus) == int.from_bytes(expected, "big")

    def identity_url(self, request: Request) -> str:
        """Where the integration user tells who it is."""
        return f"{origin(request)}/id/{self._org.org_id}/{self._org.integration}"

    def identity(self, request: Request) -> Response:
        """Answer a call to an identity URL (Salesforce Help, Identity URLs)."""
        if not self._knows(request) or request.path.rstrip("/") != f"/id/{self._org.org_id}/{self._org.integration}":
            return Response(403, dict(_PAGE), b"Bad_OAuth_Token")
        user, url = self._user(), origin(request)
        soap = {name: f"{url}/services/Soap/{letter}/{{version}}/{self._org.org_id[:15]}" for name, letter in (("partner", "u"), ("enterprise", "c"))}
        rest = {name: f"{url}/services/data/v{{version}}/{path}" for name, path in (("rest", ""), ("sobjects", "sobjects/"), ("query", "query/"))}
        named = {"username": user["Username"], "display_name": user["Name"], "first_name": user["FirstName"], "last_name": user["LastName"]}
        ids = {"id": self.identity_url(request), "asserted_user": True, "user_id": user["Id"], "organization_id": self._org.org_id}
        more = {
            "email": user["Email"],
            "email_verified": True,
            "active": user["IsActive"],
            "user_type": "STANDARD",
            "last_modified_date": user["LastModifiedDate"],
        }
        return json_answer({**ids, **named, **more, "urls": {**soap, **rest}})

    def _user(self) -> Mapping[str, Any]:
        return self._org.store.tables["User"].rows[self._org.integration]

    def _knows(self, request: Request) -> bool:
        try:
            self.check(request)
        except Refused:
            return False
        return True

    def _introspect(self, request: Request) -> Response:
        form = _form(request)
        self._check_client(form)
        token = form.get("token", "")
        if not self._alive(token):
            return json_answer({"active": False})
        age = self._org.habits.session_s
        expires = {} if age is None else {"exp": int(time.time() + age - (time.monotonic() - self._used[token]))}
        return json_answer(
            {"active": True, "scope": "api", "client_id": self._app.consumer_key, "username": self._app.username, "token_type": "access_token", **expires}
        )

    def _userinfo(self, request: Request) -> Response:
        if not self._knows(request):
            return Response(403, dict(_PAGE), b"Bad_OAuth_Token")
        user = self._user()
        id = f"https://{DEFAULT_HOST}/id/{self._org.org_id}/{self._org.integration}"
        named = {"name": user["Name"], "preferred_username": user["Username"], "email": user["Email"], "active": user["IsActive"]}
        return json_answer({"sub": id, "user_id": self._org.integration, "organization_id": self._org.org_id, **named})

    def _revoke(self, request: Request) -> Response:
        self._used.pop(_form(request).get("token", ""), None)
        return Response(200)


def _form(request: Request) -> dict[str, str]:
    """The posted form, with the client's name and secret from a Basic header if that is where they are."""
    form = dict(parse_qsl(request.query, keep_blank_values=True)) | dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client, _, secret = base64.b64decode(given).decode().partition(":")
        except ValueError:
            raise Denied("invalid_client", "invalid client credentials") from None
        form = {"client_id": client, "client_secret": secret, **form}
    return form


def _seconds(exp: object) -> float:
    """A number, or the text of one, which simple-salesforce sends; anything else is long past."""
    try:
        return float(str(exp))
    except ValueError:
        return 0.0


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
