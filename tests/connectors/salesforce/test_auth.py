"""Getting into a Salesforce org, and staying in, over real sockets."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import respx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError
from salesforce_org import APP, CLIENT, URL, Drawer, Hand, NoLimits, Org, served, settings

from stagesync.connectors.contract import Ports
from stagesync.connectors.manners import Line
from stagesync.connectors.salesforce import plugin
from stagesync.connectors.salesforce.auth import Session, assertion, audience
from stagesync.model.errors import ConfigurationError, CredentialError, StagesyncError, Unreachable
from stagesync.model.ports import Secret
from stagesync.model.records import Query
from stagesync.sandbox.faults import Fault
from stagesync.sandbox.salesforce.oauth import ConnectedApp
from stagesync.sandbox.salesforce.world import TOKEN, SalesforceWorld
from stagesync.sandbox.server import serve

TOKENS = "POST /services/oauth2/token"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    """A key pair of a user."""
    return rsa.generate_private_key(65537, 2048)


def pem(key: rsa.RSAPrivateKey) -> Secret:
    """The private half as text."""
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Secret(text.decode())


def test_an_access_token_is_used_as_it_is() -> None:
    """With a given token nothing is asked for before the first call."""
    with served(access_token=Secret(TOKEN)) as org:
        found = org.connector.identity()
        assert (found.vendor, found.id, found.name, found.zone) == ("salesforce", org.world.org.org_id, "Sandbox Org", "Europe/Berlin")
        assert found.own_actor == org.world.org.integration
        assert TOKENS not in org.world.calls


def test_client_credentials_get_a_token() -> None:
    """The token is made at the org's own address, once for all calls, and tells who we are."""
    with served(**CLIENT) as org:
        assert org.connector.identity().own_actor == org.world.org.integration
        org.connector.describe()
        assert org.world.calls[TOKENS] == 1
        assert "GET /services/oauth2/userinfo" not in org.world.calls


def test_a_refresh_token_gets_a_token() -> None:
    """The refresh token flow needs no client secret where the app has none."""
    with served(client_id=APP.consumer_key, refresh_token=Secret(APP.refresh_token)) as org:
        assert org.connector.identity().id == org.world.org.org_id
        assert org.drawer.kept == {}


def test_a_signed_jwt_gets_a_token(key: rsa.RSAPrivateKey) -> None:
    """The JWT bearer flow is accepted by a server that verifies the signature; a machine whose clock is behind is told so."""
    numbers = key.public_key().public_numbers()
    app = ConnectedApp(public_key=(numbers.n, numbers.e))
    with served(app, client_id=app.consumer_key, username=app.username, private_key=pem(key)) as org:
        with pytest.raises(CredentialError) as caught:
            org.connector.identity()
        assert "clock of this machine" in caught.value.next_step
        org.clock.at = time.time()
        assert org.connector.identity().id == org.world.org.org_id


def test_a_jwt_says_who_for_whom_and_how_long(key: rsa.RSAPrivateKey) -> None:
    """Issuer, user, audience and a life of three minutes, signed with RS256."""
    given = settings(client_id="app", username="me@acme.example", private_key=pem(key), instance_url="https://acme--test.sandbox.my.salesforce.com")
    clock = Hand()
    claims = jwt.decode(assertion(given, clock), key.public_key(), ["RS256"], audience="https://test.salesforce.com", options={"verify_exp": False})
    assert claims == {"iss": "app", "sub": "me@acme.example", "aud": "https://test.salesforce.com", "exp": int(clock.at) + 180}


@pytest.mark.parametrize(
    ("urls", "expected"),
    [
        ({}, "login"),
        ({"login_url": "https://login.salesforce.com"}, "login"),
        ({"login_url": "https://test.salesforce.com"}, "test"),
        ({"instance_url": "https://acme--dev.sandbox.my.salesforce.com"}, "test"),
    ],
)
def test_a_sandbox_has_its_own_audience(urls: dict[str, str], expected: str) -> None:
    """A JWT for a sandbox is meant for test.salesforce.com, else it is refused."""
    assert audience(settings(client_id="app", username="u", private_key=Secret("k"), **urls)) == f"https://{expected}.salesforce.com"


def test_a_key_that_is_none_is_said() -> None:
    """A wrong private key is one sentence that does not show the key."""
    with pytest.raises(CredentialError, match="private key") as caught:
        assertion(settings(client_id="app", username="u", private_key=Secret("no-key-at-all")), Hand())
    assert "no-key-at-all" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({"client_id": APP.consumer_key, "client_secret": Secret("wrong")}, "client id and secret"),
        ({"client_id": "wrong", "client_secret": Secret("wrong")}, "client id and secret"),
        ({"client_id": APP.consumer_key, "refresh_token": Secret("wrong")}, "refresh token"),
    ],
)
def test_a_wrong_credential_is_said_with_what_to_check(given: dict[str, Any], remedy: str) -> None:
    """OAuth's refusal becomes one error that names the form and the remedy, never the secret."""
    with served(**given) as org, pytest.raises(CredentialError, match="no access token is given") as caught:
        org.connector.identity()
    assert remedy in caught.value.next_step
    assert "'wrong'" not in str(caught.value)


def test_a_jwt_for_the_wrong_audience_or_user_is_said(key: rsa.RSAPrivateKey) -> None:
    """The two usual mistakes with JWTs have remedies of their own."""
    for app, remedy in ((ConnectedApp(audience="https://test.salesforce.com"), "login_url"), (ConnectedApp(username="else@x.example"), "pre-authorise")):
        with served(app, client_id=APP.consumer_key, username=APP.username, private_key=pem(key)) as org, pytest.raises(CredentialError) as caught:
            org.connector.identity()
        assert remedy in caught.value.next_step


def test_a_given_token_that_expired_is_said() -> None:
    """Without a way to renew, 401 is a credential's error with the remedy, after one call."""
    with served(access_token=Secret(TOKEN)) as org:
        org.world.sessions.expire()
        with pytest.raises(CredentialError, match="expired or wrong") as caught:
            org.connector.describe()
        assert "refresh_token" in caught.value.next_step
        assert sum(org.world.calls.values()) == 1


def test_an_expired_session_is_renewed_once() -> None:
    """A 401 costs one token and one repetition."""
    with served(**CLIENT) as org:
        org.connector.identity()
        org.world.sessions.expire()
        org.world.calls.clear()
        list(org.connector.pull(Query({"lead": ("LastName",)})))
        assert org.world.calls == {"GET /services/data/v66.0/query": 2, TOKENS: 1}


def test_a_fresh_token_that_is_refused_ends_it() -> None:
    """A org that refuses every token is not asked in circles."""
    with served(**CLIENT) as org:
        refusal = '[{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}]'
        org.world.faults.add(Fault("status", match="GET /services/data", times=99, status=401, body=refusal))
        with pytest.raises(CredentialError, match="fresh access token"):
            org.connector.describe()
        assert sum(org.world.calls.values()) == 4


def test_many_threads_renew_one_token_once() -> None:
    """Sixteen callers with one expired token make one new token, not sixteen logins."""
    with served(**CLIENT) as org:
        session = Session(org.settings, Line("crm", org.clock, NoLimits()), org.drawer)
        expired = session.token()
        with ThreadPoolExecutor(16) as threads:
            renewed = set(threads.map(session.renew, [expired] * 16))
        assert len(renewed) == 1
        assert expired not in renewed
        assert org.world.calls[TOKENS] == 2


@respx.mock
def test_a_rotated_refresh_token_is_kept_before_it_is_used() -> None:
    """Where the app rotates refresh tokens, the new one is stored, the next session begins with it, and a newly configured one wins."""
    route = respx.post(f"{URL}/services/oauth2/token").mock(
        side_effect=lambda request: httpx.Response(
            200, json={"access_token": "a", "refresh_token": request.content.decode().split("refresh_token=")[-1][:1] + "+"}
        )
    )
    drawer = Drawer()

    def used(token: str) -> str:
        given = settings(client_id="app", refresh_token=Secret(token))
        Session(given, Line("crm", Hand(), NoLimits()), drawer).token()
        return dict(httpx.QueryParams(route.calls.last.request.content.decode()))["refresh_token"]

    assert [used("one"), used("one"), used("two"), used("one")] == ["one", "o+", "two", "o+"]
    assert len(drawer.kept) == 2


@respx.mock
def test_a_refresh_is_not_repeated_after_a_lost_answer() -> None:
    """A rotating token that is used twice is withdrawn, so a lost answer stops with a message; other forms ask again."""
    route = respx.post(f"{URL}/services/oauth2/token").mock(side_effect=httpx.ReadError("gone"))
    with pytest.raises(Unreachable):
        Session(settings(client_id="app", refresh_token=Secret("r")), Line("crm", Hand(), NoLimits()), Drawer()).token()
    assert route.call_count == 1
    with pytest.raises(Unreachable):
        Session(settings(client_id="app", client_secret=Secret("s")), Line("crm", Hand(), NoLimits()), Drawer()).token()
    assert route.call_count > 2


@respx.mock
def test_a_token_endpoint_that_talks_nonsense_is_unreachable() -> None:
    """HTML, an empty object or a list where a token should be is said as such."""
    for answer in (httpx.Response(200, html="<html>"), httpx.Response(200, json={}), httpx.Response(200, json=[])):
        respx.post(f"{URL}/services/oauth2/token").mock(return_value=answer)
        with pytest.raises(Unreachable):
            Session(settings(client_id="app", client_secret=Secret("s")), Line("crm", Hand(), NoLimits()), Drawer()).token()


@respx.mock
@pytest.mark.parametrize(
    ("answer", "expected", "words"),
    [
        (httpx.Response(400, json={"error": "invalid_grant", "error_description": "login rate exceeded"}), Unreachable, "too often in the last hour"),
        (httpx.Response(301, headers={"Location": "https://new.my.salesforce.com/services/oauth2/token"}), ConfigurationError, "new.my.salesforce.com"),
        (httpx.Response(302), ConfigurationError, "another address"),
    ],
)
def test_what_is_no_fault_of_the_credential_is_not_called_one(answer: httpx.Response, expected: type[StagesyncError], words: str) -> None:
    """A user who is shut out for an hour, and an org that has moved: asked once, and told with what helps."""
    route = respx.post(f"{URL}/services/oauth2/token").mock(return_value=answer)
    with pytest.raises(expected, match=words):
        Session(settings(client_id="app", client_secret=Secret("s")), Line("crm", Hand(), NoLimits()), Drawer()).token()
    assert route.call_count == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"instance_url": "http://org.my.salesforce.com", "access_token": Secret("t")}, "in clear"),
        ({"instance_url": "https://user:pw@org.my.salesforce.com", "access_token": Secret("t")}, "plain address"),
        ({"instance_url": URL}, "no complete credential"),
        ({"instance_url": URL, "client_id": "app"}, "no complete credential"),
        ({"instance_url": URL, "username": "u", "private_key": Secret("k")}, "no complete credential"),
        ({"instance_url": URL, "access_token": Secret("t"), "client_id": "app", "client_secret": Secret("s")}, "more than one credential"),
        ({"instance_url": URL, "client_id": "app", "username": "u", "private_key": Secret("k"), "refresh_token": Secret("r")}, "more than one credential"),
        ({"instance_url": URL, "access_token": "in clear"}, "Secret"),
        ({"instance_url": URL, "access_token": Secret("t"), "colour": "red"}, "colour"),
        ({"instance_url": URL, "access_token": Secret("t"), "api_version": "v59"}, "api_version"),
        ({"instance_url": URL, "access_token": Secret("t"), "login_url": "http://login.example"}, "in clear"),
    ],
)
def test_settings_that_cannot_work_are_refused(given: dict[str, Any], message: str) -> None:
    """Each mistake is told before anything is called."""
    with pytest.raises(ValidationError, match=message):
        plugin.settings(**given)


def test_a_password_in_netrc_does_not_take_the_tokens_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's ~/.netrc for the same host is not sent in place of our token."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine org.my.salesforce.com login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert Org().connector.identity().name == "Sandbox Org"


def test_nobody_there_is_unreachable() -> None:
    """A closed port and an unknown host are one clear error, after the pauses."""
    with serve(SalesforceWorld()) as url:
        pass
    for address in (url, "https://nobody.invalid"):
        connector = plugin.open("crm", settings(instance_url=address), Ports(Hand(), NoLimits(), Drawer()))
        with pytest.raises(Unreachable, match="no connection"):
            connector.identity()


def test_html_in_place_of_json_is_unreachable() -> None:
    """A proxy's page with status 200 is told as what it is."""
    with served(access_token=Secret(TOKEN)) as org:
        org.world.faults.add(Fault("status", times=99, status=200, body="<html>sign in</html>", content_type="text/html"))
        with pytest.raises(Unreachable, match="HTML page"):
            org.connector.describe()
