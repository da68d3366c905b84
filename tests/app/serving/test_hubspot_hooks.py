"""HubSpot's webhooks, posted by the sandbox over real sockets: proved by their signatures, kept as hints, and nothing kept that does not prove itself."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from cli_box import Box, box
from ears import SECRET, TARGET, hearing
from hook_stand import Stand, stand
from hubspot.utils.signature import Signature
from hypothesis import given
from hypothesis import strategies as st
from service import serving, until
from structlog.testing import capture_logs

from stagesync.app.web.receiver import BODY_LIMIT
from stagesync.connectors.contract import Post
from stagesync.connectors.hints import hint
from stagesync.connectors.hubspot import plugin
from stagesync.connectors.hubspot.hooks import HubSpotHooks
from stagesync.connectors.hubspot.signatures import Version, doubt
from stagesync.model.ports import Secret
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.hubspot.webhooks import Post as Sent
from stagesync.sandbox.wire import Request
from stagesync.state import inbox
from stagesync.state.inbox import Arrival, open_inbox

CANARY = "anna.canary@acme.example"
HOOKS_NOTE = "hubspot: `stagesync serve` takes its posts in at http://hooks.acme.example/in/hooks/hubspot"
PUBLIC = TARGET.removesuffix("/hooks/hub")


def telling() -> HubSpotWorld:
    """A portal that posts what happens in it."""
    made = HubSpotWorld()
    made.webhooks.subscribe(TARGET, SECRET)
    return made


@pytest.fixture
def world() -> HubSpotWorld:
    """A portal that posts."""
    return telling()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Stand]:
    """A receiver for that portal, which the outside reaches by another address."""
    with stand(tmp_path, {"hub": HubSpotHooks(hearing())}, public_url=PUBLIC) as made:
        yield made


def send(here: Stand, sent: Sent) -> int:
    """One post as it was signed; its status."""
    return here.post("/hooks/hub", sent.body, sent.headers).status_code


def test_what_happens_to_contacts_is_kept_as_hints(here: Stand, world: HubSpotWorld) -> None:
    """The ids are kept, and whether a record may be gone; nothing of what anybody typed."""
    one, other = (world.create({"email": f"{name}.{CANARY}", "lastname": "Berg"}) for name in "ab")
    world.edit(one, {"phone": "+49 30 1234567"})
    into = world.merge(one, other)
    world.archive(into)
    world.restore(into)
    world.clock.advance(0.01)
    world.gdpr_delete(into)
    assert world.webhooks.deliver(f"{here.url}/hooks/hub") == 8
    bodies = [row.body for row in here.kept()]
    assert [(body["ids"], body["ended"]) for body in bodies] == [
        ([one], False),
        ([other], False),
        ([one], False),
        ([into, one, other], True),
        ([into], True),
        ([into], False),
        ([into], True),
        ([into], True),
    ]
    assert CANARY not in str(bodies)
    assert here.woken == ["acme"]


def test_both_forms_are_understood(here: Stand, world: HubSpotWorld) -> None:
    """`object.creation` with a type's id, `eventType` in the place of `subscriptionType`; other objects are passed over."""
    world.webhooks.subscribe(TARGET, SECRET, generic=True)
    world.create({"email": CANARY})
    told: dict[str, Any] = world.webhooks.pending.pop()
    assert told["subscriptionType"] == "object.creation"
    renamed = {name: value for name, value in told.items() if name != "subscriptionType"}
    forms = [told, {**renamed, "eventType": "contact.creation", "objectId": 7}, {**told, "objectTypeId": "0-2", "objectId": 8}]
    forms += [{**renamed, "subscriptionType": f"{name}", "objectId": 9} for name in ("company.creation", "contact.associationChange", "contact", "")]
    forms.append({**told, "objectId": "9" * 40})
    assert send(here, world.webhooks.signed(forms)) == 204
    assert [row.body["ids"] for row in here.kept()] == [[str(told["objectId"])], ["7"]]


def test_an_event_is_known_by_what_it_is_about(here: Stand, world: HubSpotWorld) -> None:
    """`eventId` says nothing; a second attempt is no news, another value of the same moment is."""
    id = world.create({"email": CANARY})
    world.webhooks.pending.clear()
    world.edit(id, {"phone": "1"})
    told = world.webhooks.pending.pop()
    again = {**told, "attemptNumber": 3, "eventId": told["eventId"] + 1}
    assert send(here, world.webhooks.signed([told, told, again])) == 204
    assert send(here, world.webhooks.signed([again, {**told, "propertyValue": "2"}])) == 204
    assert len(here.kept()) == 2
    assert here.counted == {("hub", "stored"): 2, ("hub", "known"): 3}


def test_our_own_writes_are_no_news(here: Stand, world: HubSpotWorld) -> None:
    """An integration with our app's id: ourselves. Another app, or another way of writing with that number, is not."""
    id = world.create({"email": CANARY})
    told = world.webhooks.pending.pop()
    ours = {**told, "changeSource": "INTEGRATION", "sourceId": str(world.portal.app_id)}
    others = [{**ours, "sourceId": "77", "objectId": 1}, {**ours, "changeSource": "CRM_UI", "objectId": 2}, {**ours, "sourceId": None, "objectId": 3}]
    assert send(here, world.webhooks.signed([ours])) == 204
    assert here.kept() == []
    assert here.woken == []
    assert send(here, world.webhooks.signed([ours, *others])) == 204
    assert [row.body["ids"] for row in here.kept()] == [["1"], ["2"], ["3"]]
    assert id.isdecimal()


def refusals() -> dict[str, tuple[int, Sent]]:
    """Posts that must leave nothing, and their statuses."""
    world = telling()
    world.create({"email": CANARY})
    event = world.webhooks.pending[0]
    good = world.webhooks.signed([event])
    stamp, now = "x-hubspot-request-timestamp", int(time.time() * 1000)

    def signed(body: bytes, at: str = str(now), secret: str = SECRET, url: str = TARGET) -> Sent:
        proof = Signature.get_signature(client_secret=secret, request_body=body.decode("latin-1"), signature_version="v3", http_uri=url, timestamp=at)
        return good._replace(body=body, headers={**good.headers, "x-hubspot-signature-v3": proof, stamp: at})

    def without(name: str) -> Sent:
        return good._replace(headers={each: value for each, value in good.headers.items() if each != name})

    return {
        "another secret": (401, signed(good.body, secret="guessed")),
        "another address": (401, signed(good.body, url="http://127.0.0.1/hooks/hub")),
        "another body": (401, good._replace(body=good.body + b" ")),
        "another time": (401, good._replace(headers={**good.headers, stamp: str(now + 1_000)})),
        "stale": (401, signed(good.body, str(now - 400_000))),
        "future": (401, signed(good.body, str(now + 400_000))),
        "no number": (401, signed(good.body, "nan")),
        "a huge time": (401, signed(good.body, "9" * 40)),
        "no signature": (401, without("x-hubspot-signature-v3")),
        "no time": (401, without(stamp)),
        "only v1": (401, without("x-hubspot-signature-v3")._replace(headers={"content-type": "application/json", "x-hubspot-signature": "0" * 64})),
        "no type": (415, without("content-type")),
        "form": (415, good._replace(headers={**good.headers, "content-type": "application/x-www-form-urlencoded"})),
        "no JSON": (400, signed(b"[{]")),
        "no list": (400, signed(b'{"objectId": 1}')),
        "no tables": (400, signed(b"[1]")),
        "too many": (400, signed(orjson.dumps([event] * 101))),
        "deep": (400, signed(orjson.dumps([event])[:-2] + b', "propertyValue": ' + b"[" * 300 + b"]" * 300 + b"}]")),
        "deeper": (400, signed(b"[" * 5_000)),
        "no UTF-8": (400, good._replace(body=b'[{"propertyValue": "\xff"}]')),
        "too large": (413, good._replace(body=b" " * (BODY_LIMIT + 1))),
    }


@pytest.mark.parametrize("name", list(refusals()))
def test_what_does_not_prove_itself_leaves_nothing(here: Stand, name: str) -> None:
    """The right status, nothing kept, counted once, logged without a word of what came."""
    status, sent = refusals()[name]
    with capture_logs() as logged:
        answer = here.post("/hooks/hub", sent.body, sent.headers)
    assert answer.status_code == status
    assert here.kept() == []
    assert here.woken == []
    assert sum(here.counted.values()) == 1
    assert [line["event"] for line in logged] == ["post refused"]
    assert not any(text in str(logged) + answer.text for text in (CANARY, SECRET))


def proof(version: Version, body: bytes, url: str = TARGET, at: str = "") -> dict[str, str]:
    """The headers of a post, signed by HubSpot's own client."""
    made = Signature.get_signature(client_secret=SECRET, request_body=body.decode(), signature_version=version, http_uri=url, timestamp=at)
    if version == "v3":
        return {"x-hubspot-signature-v3": made, "x-hubspot-request-timestamp": at}
    return {"x-hubspot-signature": made, "x-hubspot-signature-version": version}


SIGNED = {"v1": "x-hubspot-signature", "v2": "x-hubspot-signature", "v3": "x-hubspot-signature-v3"}


def posted(body: bytes, headers: dict[str, str], url: str | None = TARGET) -> Post:
    """A post that came at second 1,000,000."""
    return Post("POST", "/hooks/hub", headers, body, 1_000_000_000, url)


@given(st.text().map(str.encode), st.sampled_from(("v1", "v2", "v3")))
def test_signatures_are_those_of_hubspots_own_client(body: bytes, version: Version) -> None:
    """Of any body, in each version; by a secret that is no longer the first; and by no other version."""
    post = posted(body, proof(version, body, at="1000000000"))
    assert doubt(post, ["the next one", SECRET], version) is None
    assert doubt(post, ["the next one"], version) == "the signature does not match"
    assert doubt(replace(post, body=body + b"."), [SECRET], version) == "the signature does not match"
    assert doubt(replace(post, headers={**post.headers, SIGNED[version]: "\u00e9"}), [SECRET], version) == "the signature does not match"
    others: set[Version] = {"v1", "v2", "v3"}
    assert all(doubt(post, [SECRET], other) for other in others - {version})


def test_the_first_version_knows_no_address() -> None:
    """The others do, and say what is missing in the configuration; a header that names no version is taken for the one that is configured."""
    assert doubt(posted(b"[]", proof("v1", b"[]"), None), [SECRET], "v1") is None
    assert doubt(posted(b"[]", proof("v2", b"[]"), None), [SECRET], "v2") == "[serve] public_url is not set"
    bare = {name: value for name, value in proof("v2", b"[]").items() if name == "x-hubspot-signature"}
    assert doubt(posted(b"[]", bare), [SECRET], "v2") is None


def test_the_third_version_decodes_some_of_the_address() -> None:
    """Exactly what HubSpot's documentation names, in either case of letters; a blank and a percent sign stay as they are."""
    called = "https://a.example/hooks/Beta%20%26%20Co%25/hub%3Aone%2ftwo%3F%40%21%24%27%28%29%2A%2C%3B?x=%23"
    meant = "https://a.example/hooks/Beta%20%26%20Co%25/hub:one/two?@!$'()*,;?x=%23"
    assert doubt(posted(b"[]", proof("v3", b"[]", meant, "1000000000"), called), [SECRET], "v3") is None
    assert doubt(posted(b"[]", proof("v3", b"[]", called, "1000000000"), called), [SECRET], "v3") == "the signature does not match"


@pytest.mark.parametrize(
    ("at", "why"), [(700_000, None), (699_999, "the signature is too old"), (1_300_000, None), (1_300_001, "the signature is from the future")]
)
def test_five_minutes_both_ways(at: int, why: str | None) -> None:
    """HubSpot's own client takes any time that lies ahead; we do not."""
    assert doubt(Post("POST", "/", proof("v3", b"[]", at=str(at)), b"[]", 1_000_000, TARGET), [SECRET], "v3") == why


LEAF = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=8)
NAMES = ("subscriptionType", "eventType", "objectId", "objectTypeId", "mergedObjectIds", "newObjectId", "appId", "sourceId", "changeSource", "occurredAt")
EVENT = st.dictionaries(st.sampled_from(NAMES), JSON | st.sampled_from(("contact.merge", "object.deletion", "0-1", 12, "12", "INTEGRATION")))
ABOUT_CONTACTS = st.fixed_dictionaries(
    {"subscriptionType": st.sampled_from(("contact.creation", "contact.deletion", "contact.propertyChange")), "objectId": st.integers(1, 10**12)},
    optional={"occurredAt": JSON, "propertyName": JSON, "portalId": JSON},
)


@given(
    st.lists(ABOUT_CONTACTS, max_size=3), st.lists(EVENT, max_size=5) | st.lists(EVENT, min_size=95, max_size=105) | st.lists(EVENT | JSON, max_size=5) | JSON
)
def test_whatever_is_posted_is_read_or_refused(plain: list[Any], odd: Any) -> None:
    """Every plain event about a contact becomes a hint beside whatever else, nothing without ids does, and nothing but a list of tables is read."""
    told = [*odd, *plain] if isinstance(odd, list) else odd
    try:
        body = orjson.dumps(told)
    except TypeError:  # an integer of more than 64 bits
        return
    try:
        events = HubSpotHooks(hearing()).read(posted(body, {}))
    except ValueError:
        assert not (isinstance(told, list) and len(told) <= 100 and all(isinstance(each, dict) for each in told))
        return
    ids = {id for event in events for id in event.body["ids"]}
    assert {str(each["objectId"]) for each in plain} <= ids
    assert all(id.isascii() and id.isdigit() for id in ids)
    assert {event.body["kind"] for event in events} <= {"contact"}


def test_a_portal_without_a_secret_takes_nothing_in() -> None:
    """There is no door for it then."""
    assert plugin.hooks("hub", hearing().model_copy(update={"hook_secrets": ()})) is None
    assert plugin.hooks("hub", hearing()) is not None


def test_what_is_not_taken_is_sent_again(tmp_path: Path, world: HubSpotWorld) -> None:
    """As HubSpot does: whatever is no 2xx comes again, with the number of the attempt."""
    world.create({"email": CANARY})
    with stand(tmp_path, {"hub": HubSpotHooks(hearing().model_copy(update={"hook_secrets": (Secret("another"),)}))}, public_url=PUBLIC) as made:
        assert world.handle(_hand("webhooks/deliver", {"to": f"{made.url}/hooks/hub"})).body == b'{"taken":0,"waiting":1}'
    assert world.webhooks.pending[0]["attemptNumber"] == 1
    assert world.webhooks.deliver("http://127.0.0.1:1/hooks/hub") == 0
    assert world.webhooks.pending[0]["attemptNumber"] == 2


def _hand(name: str, posted: Any) -> Request:
    return Request("POST", f"/_sandbox/{name}", body=orjson.dumps(posted))


def test_check_tells_what_posts_need(tmp_path: Path) -> None:
    """Without the address that HubSpot signs no post could be believed: exit 2. With it: where posts are to go, whether any came, what nobody can look up."""
    with box(tmp_path, people=0) as made:
        hears(made)
        told = made.json("check")
        assert [problem for problem in told["problems"] if "public_url is missing" in problem]
        assert made.run("check").exit_code == 2
        assert made.run("sync", "--dry-run").exit_code == 0
        made.add('[serve]\npublic_url = "http://hooks.acme.example/in"\n')
        told = made.json("check")
        assert told["problems"] == []
        assert "no https" in str(told["notes"])
        assert f"{HOOKS_NOTE}; none came during the last week" in told["notes"]
        assert "hubspot: to which events the app subscribes cannot be looked up" in str(told["notes"])
        with closing(open_inbox(f"sqlite:///{tmp_path / 'stagesync.db'}")) as store, store.write() as tx:
            inbox.put(tx, [Arrival("box", "hubspot", hint("1", "contact", ["1"]), 1)])
        assert HOOKS_NOTE in made.json("check")["notes"]


def hears(made: Box) -> None:
    """Let HubSpot's webhooks be taken."""
    secret = made.config.with_name("app-secret.txt")
    secret.write_text(SECRET)
    secret.chmod(0o600)
    made.replace("[systems.hubspot]\n", '[systems.hubspot]\nhook_secrets = [{ file = "app-secret.txt" }]\n')


@pytest.mark.skipif(os.name != "posix", reason="signals are other things there")
def test_an_edit_in_hubspot_is_in_salesforce_at_once(tmp_path: Path) -> None:
    """The whole way: sandbox, service, inbox, run, though the next slot is a day away and HubSpot's search does not know of the edit for ten minutes."""
    with box(tmp_path, people=0) as made:
        hub = made.worlds.hubspot
        hears(made)
        made.add(f'[schedule]\nevery = "1d"\n[serve]\nport = 0\npublic_url = "{PUBLIC}"\n')
        id = hub.create({"email": "ann@acme.example", "lastname": "Lee"})
        made.run("sync", "--yes")
        hub.switch(search_lag_s=600.0)
        hub.webhooks.subscribe(f"{PUBLIC}/hooks/hubspot", SECRET)
        with serving(tmp_path / "log", made.config) as service:
            until(lambda: service.runs("done"))
            hub.edit(id, {"jobtitle": "Head of Tea"})
            assert hub.webhooks.deliver(f"http://127.0.0.1:{service.port}/hooks/hubspot") == 1
            until(lambda: [row for row in made.worlds.salesforce.rows("Lead") if row.get("Title") == "Head of Tea"])
            until(lambda: service.metric('stagesync_webhook_events_total{system="hubspot",what="stored"}') == 1)
            assert service.end() == 0
