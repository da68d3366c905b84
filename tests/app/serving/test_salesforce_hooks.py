"""Salesforce's outbound messages, over real sockets: proved by the token in their address and by their organization, read without entities, kept as hints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hook_stand import Stand, stand
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from salesforce_org import FIELDS, Drawer, Hand, NoLimits, settings
from structlog.testing import capture_logs

from stagesync.app.web.receiver import BODY_LIMIT
from stagesync.connectors.contract import Ports, Post
from stagesync.connectors.salesforce import plugin
from stagesync.connectors.salesforce.connector import open_org
from stagesync.connectors.salesforce.hooks import SalesforceHooks
from stagesync.connectors.salesforce.rows import id18
from stagesync.connectors.salesforce.settings import SalesforceSettings
from stagesync.model.ports import Secret
from stagesync.model.records import Page, Query
from stagesync.sandbox.clients import WorldAdapter
from stagesync.sandbox.clock import WorldClock
from stagesync.sandbox.salesforce.world import SalesforceWorld
from stagesync.state import inbox
from stagesync.state.inbox import Arrival, open_inbox
from stagesync.state.inbox_reader import StateInbox

ORG, TOKEN, CANARY = "00D5g000004MZqP", "a token that nobody guesses", "anna.canary@acme.example"
LEAD, CONTACT, STRANGER = id18("00Q5g000000H0B4"), id18("0035g000001aBcD"), id18("00Q5g000000ZZZZ")
PATH = f"/hooks/crm?token={TOKEN.replace(' ', '+')}"
XML = {"content-type": "text/xml; charset=UTF-8", "soapaction": '""'}


def hearing(*tokens: str, **given: Any) -> SalesforceSettings:
    """Settings of an org that tells by itself."""
    return settings(**{"hook_secrets": tuple(map(Secret, tokens or (TOKEN,))), "hook_organization": ORG, **given})


def message(*ids: str, organization: str = id18(ORG), first: int = 0, head: str = '<?xml version="1.0" encoding="UTF-8"?>', email: str = CANARY) -> bytes:
    """A message about these records, as Salesforce writes it."""
    notified = "".join(
        f'<Notification><Id>04l{number:012}</Id><sObject xsi:type="sf:Lead" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
        f"<sf:Id>{id}</sf:Id><sf:Email>{escape(email)}</sf:Email></sObject></Notification>"
        for number, id in enumerate(ids, first)
    )
    return (
        f'{head}<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound">'
        f'<OrganizationId>{organization}</OrganizationId><ActionId>04k5g000000XyZaAAK</ActionId><SessionId xsi:nil="true"/>'
        f"<EnterpriseUrl>https://acme.my.salesforce.com</EnterpriseUrl><PartnerUrl>https://acme.my.salesforce.com</PartnerUrl>{notified}"
        "</notifications></soapenv:Body></soapenv:Envelope>"
    ).encode()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Stand]:
    """A receiver for that org."""
    with stand(tmp_path, {"crm": SalesforceHooks(hearing())}) as made:
        yield made


def test_ids_are_kept_and_the_message_is_acknowledged(here: Stand) -> None:
    """Leads and Contacts; a Campaign is passed over; a notification that comes again is kept once, and acknowledged too."""
    for _ in range(2):
        answer = here.post(PATH, message(LEAD[:15], CONTACT, id18("7015g000000AbCd")), XML)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/xml")
        assert b"<Ack>true</Ack>" in answer.content
    assert [row.body for row in here.kept()] == [{"kind": kind, "ids": [id], "ended": False} for kind, id in (("lead", LEAD), ("contact", CONTACT))]
    assert here.counted == {("crm", "stored"): 2, ("crm", "known"): 2}
    assert here.woken == ["acme"]


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
REFUSED = {
    "no token": (401, "/hooks/crm", message(LEAD), XML),
    "empty token": (401, "/hooks/crm?token=", message(LEAD), XML),
    "another token": (401, "/hooks/crm?token=guess", message(LEAD), XML),
    "two tokens": (401, f"{PATH}&token=guess", message(LEAD), XML),
    "strange token": (401, "/hooks/crm?token=%ff%ed%a0%80", message(LEAD), XML),
    "another organization": (400, PATH, message(LEAD, organization=id18("00D000000000001")), XML),
    "no organization": (400, PATH, message(LEAD, organization=""), XML),
    "entities": (400, PATH, message(LEAD, head=ENTITIES), XML),
    "outer entity": (400, PATH, message(LEAD, head='<!DOCTYPE x SYSTEM "file:///etc/passwd">'), XML),
    "undefined entity": (400, PATH, message("&b;"), XML),
    "no XML": (400, PATH, b"{}", XML),
    "broken off": (400, PATH, message(LEAD)[:-9], XML),
    "another envelope": (400, PATH, message(LEAD).replace(b"2005/09/outbound", b"2006/04/metadata"), XML),
    "no id": (400, PATH, message("00Q/../x"), XML),
    "an id that does not fit": (400, PATH, message(f"{LEAD[:15]}ZZZ"), XML),
    "no notification id": (400, PATH, message(LEAD).replace(b"<Id>04l000000000000</Id>", b""), XML),
    "too many": (400, PATH, message(*[LEAD] * 101), XML),
    "deep": (400, PATH, b"<a>" * 300_000, XML),
    "no UTF-8": (400, PATH, message(LEAD).replace(b"canary", b"\xff"), XML),
    "no type": (415, PATH, message(LEAD), {}),
    "JSON": (415, PATH, message(LEAD), {"content-type": "application/json"}),
    "too large": (413, PATH, message(LEAD) + b" " * BODY_LIMIT, XML),
}


@pytest.mark.parametrize(("status", "path", "body", "headers"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_prove_itself_leaves_nothing(here: Stand, status: int, path: str, body: bytes, headers: dict[str, str]) -> None:
    """The right status, nothing kept, counted once, logged without a word of what came."""
    with capture_logs() as logged:
        answer = here.post(path, body, headers)
    assert answer.status_code == status
    assert here.kept() == []
    assert here.woken == []
    assert sum(here.counted.values()) == 1
    assert [line["event"] for line in logged] == ["post refused"]
    assert not any(text in str(logged) + answer.text for text in (CANARY, TOKEN, TOKEN.replace(" ", "+"), LEAD))


def test_a_token_can_take_the_place_of_another(tmp_path: Path) -> None:
    """While it is replaced both are good; each has to be long, and needs the organization's id beside it."""
    with stand(tmp_path, {"crm": SalesforceHooks(hearing("x" * 24, TOKEN))}) as made:
        assert [made.post(path, message(LEAD), XML).status_code for path in (PATH, f"/hooks/crm?token={'x' * 24}", "/hooks/crm?token=x")] == [200, 200, 401]
    for wrong in ({"hook_secrets": (Secret("short"),)}, {"hook_organization": None}, {"hook_secrets": ()}, {"hook_organization": "0055g000004MZqP"}):
        with pytest.raises(ValidationError):
            hearing(**wrong)
    assert plugin.hooks("crm", hearing()) is not None
    assert plugin.hooks("crm", settings()) is None


SCRAPS = st.text(alphabet="<>/&;!? abN=\"'", max_size=200).map(str.encode)
MESSAGES = st.text(max_size=50).map(lambda text: message(LEAD, email=text))


@given(st.binary(max_size=200) | SCRAPS | MESSAGES)
def test_whatever_is_posted_is_read_or_refused(body: bytes) -> None:
    """Nothing but `ValueError` comes out of the parser, and nothing but hints."""
    try:
        events = SalesforceHooks(hearing()).read(Post("POST", PATH, XML, body, 0))
    except ValueError:
        return
    assert [event.body["ids"] for event in events] == [[LEAD]]


def test_a_record_that_is_hinted_at_is_read_before_the_poll(tmp_path: Path) -> None:
    """As it stands, a converted Lead as the Contact that it became, one that cannot be seen not at all; and the cursor knows the place."""
    clock, url = Hand(), f"sqlite:///{tmp_path / 'state.db'}"
    world = SalesforceWorld(clock=WorldClock(lambda: clock.at))

    def pages(cursor: str | None, most: int = 100) -> list[Page]:
        ports = Ports(clock, NoLimits(), Drawer(), inbox=StateInbox(url, "acme"))
        with closing(open_org("crm", hearing(), ports, WorldAdapter(world))) as connector:
            return list(islice(connector.pull(Query(FIELDS, cursor)), most))

    def tell(ids: Sequence[str]) -> None:
        events = SalesforceHooks(hearing()).read(Post("POST", PATH, XML, message(*ids, first=int(clock.at) % 1_000), clock.now_ms()))
        with closing(open_inbox(url)) as box, box.write() as tx:
            inbox.put(tx, [Arrival("acme", "crm", event, clock.now_ms()) for event in events])

    lead, other = (world.create("Lead", {"LastName": name, "Company": "Acme"}) for name in ("One", "Other"))
    start = pages(None)[-1].cursor
    clock.at += 10_000
    start = pages(start)[-1].cursor
    made = world.convert(other)
    tell([lead, other, STRANGER])
    first = pages(start, 1)[0]
    assert [record.ref.id for record in first.records] == [lead]
    assert [(move.ref.id, move.to.id) for move in first.moved] == [(other, made.contact)]
    assert first.gone == []
    later = pages(first.cursor)
    assert lead not in [record.ref.id for page in later for record in page.records]
