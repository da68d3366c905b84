"""A product that tells of its people, beside HubSpot and Salesforce, through whole runs of the command line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from cli_box import Box, box, cli
from hook_stand import SECRET
from teller import tell

from stagesync.app.configuration.loading import load
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.worlds import Worlds

ANNA = "anna@acme.example"
SYSTEM = """
[systems.product]
connector = "webhook"
direction = "read"
secrets = [{ file = "product-secret.txt" }]

[[systems.product.events]]
when = "type == 'person'"
kind = "person"
ref = "id"
email = "email"
at = "at"
fields = { first_name = "first_name", last_name = "last_name", phone = "phone" }

[[systems.product.events]]
when = "type == 'stage'"
kind = "stage"
ref = "id"
at = "at"
stage = "stage"

[[systems.product.events]]
when = "type == 'used'"
kind = "signal"
ref = "id"
email = "email"
signal = "usage"
attributes = { feature = "feature" }

[[systems.product.events]]
when = "type == 'deleted'"
kind = "delete"
ref = "id"

[signals]
keep = true

[first_meeting]
default = "newest"
"""


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Box]:
    """Anna in both systems, and a product that has told nothing yet."""
    secret = tmp_path / "product-secret.txt"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    worlds = Worlds(HubSpotWorld(), SalesforceWorld())
    with box(tmp_path, worlds=worlds) as made:
        text = made.config.read_text("utf-8")
        made.config.write_text(text[: text.index("[first_meeting]")] if "[first_meeting]" in text else text, "utf-8")
        made.add(SYSTEM)
        worlds.hubspot.by_hand.create({"email": ANNA, "firstname": "Anna", "lastname": "Zweig", "phone": "+49 30 7654321"})
        worlds.hubspot.by_hand.create({"email": "cleo@acme.example", "lastname": "Cleo"})
        tell(made, {"type": "person", "id": "u0", "email": "cleo@acme.example"})
        sync(made)
        yield made


def sync(made: Box) -> None:
    """One run that must go well."""
    done = made.run("sync", "--yes")
    assert done.exit_code == 0, done.stdout + done.stderr
    made.later(3600)


def waiting(made: Box) -> Mapping[str, Any]:
    """What waits between the product and the state, of which `status` and `report` say the same."""
    found = made.json("status")["events"]
    assert made.json("report")["events"] == found
    return next(each for each in found if each["system"] == "product")


def signals(made: Box, who: str) -> str:
    """Somebody's signals, as they are shown."""
    return cli("signal", "list", who, "--config", str(made.config)).stdout


def contact(made: Box, email: str = ANNA) -> Mapping[str, Any]:
    """The one HubSpot contact with that address."""
    (found,) = [each["properties"] for each in made.worlds.hubspot.by_hand.contacts() if each["properties"].get("email") == email]
    return found


def test_what_a_product_tells_reaches_both_systems(acme: Box) -> None:
    """A changed phone of somebody who is there, and a person who is new; another run with nothing new writes nothing."""
    tell(
        acme, {"type": "person", "id": "u1", "email": ANNA}, {"type": "person", "id": "u2", "email": "ben@acme.example", "first_name": "Ben", "last_name": "O"}
    )
    sync(acme)
    tell(acme, {"type": "person", "id": "u1", "email": ANNA, "phone": "+49 30 999888"})
    assert waiting(acme)["inbox"]["waiting"] == 1
    assert "  product  1 event waits for a run since 20" in acme.run("status").stdout
    sync(acme)
    assert waiting(acme)["inbox"] == {"waiting": 0, "since": None, "parked": 0}, "the inbox itself learns of it with the next run"
    assert contact(acme)["phone"] == "+4930999888"
    assert contact(acme, "ben@acme.example")["firstname"] == "Ben"
    assert {each["Email"] for each in acme.worlds.salesforce.rows("Lead")} == {ANNA, "ben@acme.example", "cleo@acme.example"}
    acme.reset()
    sync(acme)
    assert acme.written() == []


def test_the_product_reports_a_stage(acme: Box) -> None:
    """PQL is a claim like any other system's, and says from whom it came."""
    tell(acme, {"type": "person", "id": "u1", "email": ANNA})
    sync(acme)
    tell(acme, {"type": "stage", "id": "u1", "stage": "pql"})
    sync(acme)
    why = acme.json("why", ANNA, "stage")["people"][0]
    assert why["fields"][0]["value"] == "pql", why
    assert "product" in str(why)


def test_usage_is_a_signal_of_whoever_has_the_address(acme: Box) -> None:
    """Of somebody who is known by it, of somebody who is known by the product's id, and of a stranger, who is not made a person for it."""
    tell(acme, {"type": "used", "email": ANNA.upper(), "feature": "export"}, {"type": "used", "email": "stranger@acme.example"}, {"type": "used", "id": "u7"})
    sync(acme)
    sync(acme)
    shown = signals(acme, ANNA)
    assert "usage" in shown
    assert "export" in shown
    assert len(list(acme.worlds.hubspot.by_hand.contacts())) == 2
    tell(acme, {"type": "person", "id": "u7", "email": "gia@acme.example", "last_name": "Gia"})
    sync(acme)
    sync(acme)
    assert "usage" in signals(acme, "gia@acme.example")


def test_a_deletion_there_is_a_question(acme: Box) -> None:
    """Nobody is deleted anywhere else by itself."""
    tell(acme, {"type": "person", "id": "u1", "email": ANNA})
    sync(acme)
    tell(acme, {"type": "deleted", "id": "u1"})
    assert acme.run("sync", "--yes").exit_code == 1
    assert "deleted in product" in acme.run("holds").stdout
    assert contact(acme)["email"] == ANNA


def test_a_poison_event_is_shown_and_read_again_when_that_is_said(acme: Box) -> None:
    """It stops nobody; `errors` names the cause with its remedy, and after the expression was mended `retry` lets it in."""
    tell(
        acme,
        {"type": "person", "user": "u2", "email": "ben@acme.example", "last_name": "O"},
        {"type": "person", "id": "u1", "email": ANNA, "phone": "+49 30 1"},
    )
    sync(acme)
    assert contact(acme)["phone"] != "+49 30 7654321"
    (group,) = acme.json("errors")["events"]
    assert (group["system"], group["code"], group["count"]) == ("product", "NO_REF", 1)
    shown = acme.run("errors").stdout
    assert "could not be understood: NO_REF" in shown
    assert "ben@" not in shown
    assert acme.json("retry", group["id"]) == {"retried": 0, "events": 1}
    acme.replace('ref = "id"\nemail', 'ref = "id || user"\nemail')
    sync(acme)
    assert acme.json("errors")["events"] == []
    assert contact(acme, "ben@acme.example")["lastname"] == "O"


def test_a_system_that_cannot_be_looked_at_is_named_by_verify(acme: Box) -> None:
    """What can be proved is, and what cannot is said."""
    tell(acme, {"type": "person", "id": "u1", "email": ANNA})
    sync(acme)
    proof = acme.run("verify")
    assert proof.exit_code == 0, proof.stdout
    assert "product cannot be looked at" in proof.stdout
    assert acme.json("verify")["unseen"] == ["product"]
    assert acme.run("check").exit_code == 0


def test_what_is_told_of_somebody_who_was_forgotten_is_not_kept(acme: Box) -> None:
    """Under the product's id and under the address, as record and as signal."""
    tell(acme, {"type": "person", "id": "u1", "email": ANNA})
    sync(acme)
    assert acme.run("forget", ANNA, "--yes").exit_code == 0
    tell(acme, {"type": "person", "id": "u1", "email": ANNA}, {"type": "used", "id": "u1"}, {"type": "used", "email": ANNA})
    sync(acme)
    with closing(sqlite3.connect(acme.state)) as reader:
        assert reader.execute("SELECT count(*) FROM signal").fetchone() == (0,)
        assert reader.execute("SELECT count(*) FROM link WHERE ref = 'u1'").fetchone() == (0,)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('kind = "stage"', 'kind = "stages"', "systems.product.events[1].kind"),
        ("when = \"type == 'stage'\"", 'when = "type =="', "systems.product.events[1].when: is no JMESPath expression"),
        ('secrets = [{ file = "product-secret.txt" }]', 'secrets = [{ env = "NOT_SET_ANYWHERE" }]', "systems.product.secrets[0]: the environment variable"),
        ('secrets = [{ file = "product-secret.txt" }]', 'secrets = ["whsec_c2VjcmV0"]', "systems.product.secrets[0]: stands in the configuration in clear"),
        ('secrets = [{ file = "product-secret.txt" }]', "", "systems.product: what comes in needs both"),
        ('direction = "read"\nsecrets', 'direction = "read"\nsecret = 1\nsecrets', "there is no such key"),
    ],
)
def test_mistakes_are_told_with_their_place(acme: Box, old: str, new: str, says: str) -> None:
    """As for every system: the TOML path, what is wrong, and nothing of a secret."""
    acme.replace(old, new)
    told = acme.run("check")
    assert told.exit_code == 2
    assert says in told.stderr + told.stdout, told.stderr + told.stdout
    assert "c2VjcmV0" not in told.stderr + told.stdout


def test_settings_of_secrets_are_part_of_the_fingerprint(acme: Box) -> None:
    """Another secret is another credential: what is known of the system is asked anew."""
    before = load(acme.config).systems["product"].fingerprint
    (acme.config.parent / "product-secret.txt").write_text(orjson.dumps(SECRET[:-8] + "AAAA").decode().strip('"'))
    assert load(acme.config).systems["product"].fingerprint != before
