"""A system that takes events, beside HubSpot and Salesforce, through whole runs: a real endpoint on loopback, with bad days."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cli_box import Box, box
from hook_stand import SECRET
from taker import SYSTEM, Taker, taker
from teller import tell

from stagesync.app.configuration.loading import load
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.worlds import Worlds
from stagesync.state import outbox
from stagesync.state.inbox import open_inbox

ANNA, BEN = "anna@acme.example", "ben@acme.example"


@pytest.fixture
def there() -> Iterator[Taker]:
    """The product's endpoint."""
    with taker() as made:
        yield made


@pytest.fixture
def acme(tmp_path: Path, there: Taker) -> Iterator[Box]:
    """Anna in HubSpot, and a product that takes events."""
    worlds = Worlds(HubSpotWorld(), SalesforceWorld())
    with box(tmp_path, worlds=worlds) as made:
        made.add(SYSTEM.format(url=there.url, secret=SECRET))
        worlds.hubspot.by_hand.create({"email": ANNA, "firstname": "Anna", "lastname": "Zweig", "lifecyclestage": "marketingqualifiedlead"})
        yield made


def sync(made: Box) -> int:
    """One run, after some time; its exit code."""
    done = made.run("sync", "--yes")
    made.later(3600)
    return done.exit_code


def soon(made: Box) -> None:
    """All that waits in the outbox is due."""
    with closing(open_inbox(load(made.config).state_url)) as store, store.write() as tx:
        for row in outbox.waiting(tx, made.config.stem, "product", 0, 100):
            outbox.failed(tx, row.id, row.attempts, 0, row.code or "")
        outbox.set_standing(tx, made.config.stem, "product", 0, 0)


def anna(made: Box) -> str:
    """Her contact's id."""
    return next(each["id"] for each in made.worlds.hubspot.by_hand.contacts() if each["properties"]["email"] == ANNA)


def test_people_and_their_stages_are_told(acme: Box, there: Taker) -> None:
    """A new person with all that is known of her, then what changed, with from, to, reason and pass; a quiet run tells nothing."""
    assert sync(acme) == 0
    (new,) = there.bodies("contact.updated")
    assert new["new"] is True
    assert (new["fields"]["email"], new["fields"]["first_name"]) == (ANNA, "Anna")
    (stage,) = there.bodies("stage.changed")
    assert (stage["id"], stage["from"], stage["to"], stage["pass"]) == (new["id"], None, "mql", 1)
    acme.worlds.hubspot.by_hand.edit(anna(acme), {"firstname": "Anne", "lifecyclestage": "salesqualifiedlead"})
    assert sync(acme) == 0
    assert there.bodies("contact.updated")[1] == {"id": new["id"], "new": False, "fields": {"first_name": "Anne"}}
    moved = there.bodies("stage.changed")[1]
    assert (moved["from"], moved["to"], moved["pass"]) == ("mql", "sql", 1)
    assert moved["reason"]
    told = len(there.came)
    assert sync(acme) == 0
    assert len(there.came) == told
    assert len({id for id, _ in there.came}) == told


def test_the_receivers_own_id_becomes_the_ref(acme: Box, there: Taker) -> None:
    """It is told by it from then on, and the record is known by it."""
    there.answer = lambda body: (201, {"id": "u77"}) if body["data"].get("new") else (200, {})
    assert sync(acme) == 0
    acme.worlds.hubspot.by_hand.edit(anna(acme), {"firstname": "Anne"})
    assert sync(acme) == 0
    assert there.bodies("contact.updated")[1]["id"] == "u77"
    assert acme.json("why", "product:u77")["people"][0]["email"] == ANNA


def test_an_endpoint_that_is_down_holds_up_nobody_else(acme: Box, there: Taker) -> None:
    """The run goes well, Salesforce has her, and the event arrives when the endpoint is back, under the same id."""
    there.answer = lambda _: (503, {})
    assert sync(acme) == 0
    assert [each["Email"] for each in acme.worlds.salesforce.rows("Lead")] == [ANNA]
    assert len(there.came) == 1, "what follows about her waits"
    (queue,) = [each for each in acme.json("status")["events"] if each["system"] == "product"]
    assert (queue["outbox"]["waiting"], queue["outbox"]["dead"]) == (2, 0)
    acme.worlds.hubspot.by_hand.edit(anna(acme), {"firstname": "Anne"})
    assert sync(acme) == 0
    there.answer = lambda _: (200, {"id": "u77"})
    soon(acme)
    before = len(there.came)
    assert acme.run("plan").exit_code == 0
    assert len(there.came) == before, "a plan sends nothing"
    assert sync(acme) == 0
    assert there.came[0][0] == there.came[1][0]
    assert [body["data"].get("fields", {}).get("first_name") for _, body in there.came[1:]] == ["Anna", None, "Anne"]
    acme.worlds.hubspot.by_hand.edit(anna(acme), {"firstname": "Anja"})
    assert sync(acme) == 0
    assert there.bodies("contact.updated")[-1]["id"] == "u77", "it told its own id later than with the first answer"


def test_what_was_given_up_is_shown_and_sent_again(acme: Box, there: Taker) -> None:
    """As a dead letter, by its cause, without anybody's data; after `retry` it arrives."""
    there.answer = lambda _: (400, {"error": ANNA})
    sync(acme)
    with closing(open_inbox(load(acme.config).state_url)) as store, store.write() as tx:
        for row in outbox.waiting(tx, acme.config.stem, "product", 0, 100):
            outbox.failed(tx, row.id, 8, None, "HTTP_400")
    (group,) = acme.json("errors")["events"]
    assert (group["code"], group["count"], group["outgoing"]) == ("HTTP_400", 2, True)
    assert "  product  2 given up" in acme.run("status").stdout.splitlines()
    shown = acme.run("errors").stdout
    assert "2 events for product could not be delivered: HTTP_400" in shown
    assert ANNA not in shown
    there.answer = lambda _: (200, {})
    assert acme.json("retry")["events"] == 2
    soon(acme)
    there.came.clear()
    assert sync(acme) == 0
    assert [body["type"] for _, body in there.came] == ["contact.updated", "stage.changed"]
    assert acme.json("errors")["events"] == []


def test_a_run_that_dies_over_an_answer_tells_it_again_under_the_same_id(acme: Box, there: Taker) -> None:
    """The program is killed when its first event has arrived: nobody can look what became of it, so it goes once more, and nobody is made twice.

    Nobody else is written then, whose open writes would have to be waited for.
    """
    acme.replace('connector = "salesforce"', 'connector = "salesforce"\ndirection = "read"')
    command = [sys.executable, "-c", "from stagesync.app.main import run; run()", "sync", "--yes", "--config", str(acme.config)]
    program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(_body: object) -> tuple[int, object]:
        program.kill()
        program.wait()
        return 200, {}

    there.answer = kill
    program.wait()
    (first,) = there.came
    there.answer = lambda _: (200, {})
    for _ in range(2):
        sync(acme)
    assert there.came[1] == first
    assert [body["type"] for _, body in there.came] == ["contact.updated", "contact.updated", "stage.changed"]
    assert len(acme.json("why", ANNA)["people"]) == 1


def test_events_that_wait_are_forgotten_with_their_person(acme: Box, there: Taker) -> None:
    """They are shown to whoever asks what is kept, and never sent."""
    acme.worlds.hubspot.by_hand.create({"email": BEN, "lastname": "B"})
    there.answer = lambda _: (503, {})
    sync(acme)
    assert acme.run("forget", ANNA, "--yes").exit_code == 0
    with closing(open_inbox(load(acme.config).state_url)) as store, store.read() as tx:
        assert ANNA not in str(outbox.waiting(tx, acme.config.stem, "product", 0, 100))
        assert BEN in str(outbox.waiting(tx, acme.config.stem, "product", 0, 100))
    there.answer = lambda _: (200, {})
    soon(acme)
    there.came.clear()
    sync(acme)
    assert ANNA not in str(there.came)
    assert BEN in str(there.came)


def test_both_ways_at_once(acme: Box, there: Taker) -> None:
    """What it tells under the id that it gave is about the record that we told it of, and what we told comes not back as news."""
    acme.replace("allow_private", 'secrets = ["' + SECRET + '"]\nallow_private')
    acme.add('[[systems.product.events]]\nkind = "person"\nref = "id"\nfields = { phone = "phone", first_name = "first_name" }\n')
    there.answer = lambda _: (200, {"id": "u77"})
    assert sync(acme) == 0
    tell(acme, {"id": "u77", "phone": "+49 30 999888", "first_name": "Anna"})
    assert sync(acme) == 0
    (hers,) = acme.worlds.hubspot.by_hand.contacts()
    assert hers["properties"]["phone"] == "+4930999888"
    assert len(acme.json("why", ANNA)["people"]) == 1
    told = len(there.came)
    assert sync(acme) == 0
    assert len(there.came) == told
    assert acme.state.exists()
