"""Getting into the Salesforce world: grants, assertions, and sessions that rest and expire."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from salesforce_wire import Client

from stagesync.sandbox.salesforce import ConnectedApp, Habits, SalesforceWorld
from stagesync.sandbox.wire import Request


def token(client: Client, **form: str) -> tuple[int, dict[str, Any]]:
    """Ask for a token."""
    response = client.world.handle(Request("POST", "/services/oauth2/token", "", {"host": "127.0.0.1:8041"}, urlencode(form).encode()))
    return response.status, json.loads(response.body)


APP = {"client_id": "sandbox-consumer-key", "client_secret": "sandbox-consumer-secret"}


@pytest.mark.parametrize(
    "form",
    [
        {"grant_type": "client_credentials", **APP},
        {"grant_type": "refresh_token", "refresh_token": "sandbox-refresh-token", **APP},
        {"grant_type": "password", "username": "integration@sandbox.example", "password": "sandbox-password" + "security-token", **APP},
    ],
)
def test_grants(client: Client, form: dict[str, str]) -> None:
    """Each grant gives a token that works after the old one has expired, without saying how long; a wrong secret is an OAuth error."""
    client.world.sessions.expire()
    assert client.refused("GET", "/limits/")[:2] == (401, "INVALID_SESSION_ID")
    status, body = token(client, **form)
    assert (status, body["instance_url"], "expires_in" in body) == (200, "http://127.0.0.1:8041", False)
    client.token = body["access_token"]
    assert client.call("GET", "/limits/").status == 200
    assert token(client, **{**form, "client_secret": "wrong"}) == (400, {"error": "invalid_client", "error_description": "invalid client credentials"})


PRIME_P = 2**521 - 1
PRIME_Q = 2**607 - 1


def signed(claims: Mapping[str, Any]) -> str:
    """A JWT signed with RS256 by a key made of two known primes."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    text = f"{part(json.dumps({'alg': 'RS256'}).encode())}.{part(json.dumps(claims).encode())}"
    modulus, size = PRIME_P * PRIME_Q, (521 + 607 + 7) // 8
    tail = bytes.fromhex("003031300d060960864801650304020105000420") + hashlib.sha256(text.encode()).digest()
    block = b"\x00\x01" + b"\xff" * (size - 2 - len(tail)) + tail
    secret = pow(65_537, -1, (PRIME_P - 1) * (PRIME_Q - 1))
    return f"{text}.{part(pow(int.from_bytes(block, 'big'), secret, modulus).to_bytes(size, 'big'))}"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({}, None),
        ({"aud": "https://test.salesforce.com"}, "audience is invalid"),
        ({"sub": "nobody"}, "user hasn't approved this consumer"),
        ({"exp": 1}, "assertion is expired"),
    ],
)
def test_jwt_bearer(changed: dict[str, Any], error: str | None) -> None:
    """A signed assertion is checked claim by claim."""
    client = Client(SalesforceWorld(app=ConnectedApp(public_key=(PRIME_P * PRIME_Q, 65_537))))
    claims = {"iss": APP["client_id"], "sub": "integration@sandbox.example", "aud": "https://login.salesforce.com", "exp": int(time.time()) + 180, **changed}
    status, body = token(client, grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=signed(claims))
    assert (status, body.get("error_description")) == ((200, None) if error is None else (400, error))


def test_a_forged_assertion_is_refused() -> None:
    """With a public key given, a signature that does not fit gets no token."""
    client = Client(SalesforceWorld(app=ConnectedApp(public_key=(PRIME_P * PRIME_Q, 65_537))))
    claims = {"iss": APP["client_id"], "sub": "integration@sandbox.example", "aud": "https://login.salesforce.com", "exp": int(time.time()) + 180}
    head, _, signature = signed(claims).split(".")
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "x": 1}).encode()).decode().rstrip("=")
    assert token(client, grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=f"{head}.{forged}.{signature}")[0] == 400


def test_sessions_rest_and_expire() -> None:
    """A session that has rested too long is over; introspect tells until when it lives, userinfo whose it is."""
    client = Client(SalesforceWorld(habits=Habits(session_s=0.0)))
    time.sleep(0.001)
    assert client.refused("GET", "/limits/")[:2] == (401, "INVALID_SESSION_ID")
    client.world.org.change_habits({"session_s": 7200.0})
    form = urlencode({**APP, "token": client.token}).encode()
    told = json.loads(client.world.handle(Request("POST", "/services/oauth2/introspect", "", {}, form)).body)
    assert told["active"] is True
    assert 0 < told["exp"] - time.time() <= 7200
    who = json.loads(client.call("GET", "/services/oauth2/userinfo").body)
    assert (who["organization_id"], who["user_id"]) == (client.world.org.org_id, client.world.org.integration)
