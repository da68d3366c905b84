"""Canaries: unlikely strings as tokens, secrets, names and addresses go through whole runs with trouble of every kind, and are looked for afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson
import pytest
from cli_box import Box, box, cli

from stagesync.sandbox.faults import Fault
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.hubspot.oauth import OAuthApp
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.salesforce.oauth import ConnectedApp
from stagesync.sandbox.worlds import Worlds

HUB_TOKEN = "pat-na1-c4n4ry00-hubspot-token-4711"
CRM_TOKEN = "00DCANARY000001!AQEcanary.salesforce.session"
HUB_SECRET, CRM_SECRET = "canary-hubspot-client-secret", "canary-consumer-secret-0815"
SECRETS = (HUB_TOKEN, CRM_TOKEN, HUB_SECRET, CRM_SECRET)
ADDRESS, NAME, PHONE = "kanarienvogel.adr@nest.example", "Kanarienvogelsang", "+49 30 99887766"
PERSONAL = (ADDRESS, NAME, "99887766")

ECHO = orjson.dumps(
    {
        "status": "error",
        "message": f"Bearer {HUB_TOKEN} {CRM_TOKEN} may not touch {ADDRESS}, phone {PHONE}",
        "category": "CANARY",
        "correlationId": "c-1",
        "errors": [{"message": f"{ADDRESS} was refused for {HUB_TOKEN}", "code": "CANARY"}],
    }
).decode()
LIST = orjson.dumps([{"message": f"{CRM_TOKEN} may not touch {ADDRESS}, phone {PHONE}", "errorCode": "CANARY", "fields": []}]).decode()
NOW = (("Retry-After", "0"),)


@dataclass
class Watched:
    """A box, and everything that its commands said."""

    box: Box
    stdout: list[str] = field(default_factory=list[str])
    stderr: list[str] = field(default_factory=list[str])

    def run(self, *words: str) -> int:
        """One command; its exit code."""
        command, *rest = words
        done = cli(command, *rest[:1], "--config", str(self.box.config), *rest[1:]) if command in ("signal", "export") else self.box.run(*words)
        self.stdout.append(done.stdout)
        self.stderr.append(done.stderr)
        return done.exit_code

    def check(self, *allowed: str) -> None:
        """No secret anywhere but in the files that may hold one; nobody's data on stderr."""
        said = "".join(self.stdout + self.stderr).encode()
        written = {path.name: path.read_bytes() for path in self.box.config.parent.rglob("*") if path.is_file() and path.name not in allowed}
        secrets = [*SECRETS, self.box.worlds.hubspot.tokens.refresh, "oauth-"]
        assert [secret for secret in secrets if secret.encode() in said] == []
        assert [(secret, name) for secret in secrets for name, content in written.items() if secret.encode() in content] == []
        assert [text for text in PERSONAL if text in "".join(self.stderr)] == []


@pytest.fixture
def worlds() -> Worlds:
    """Two worlds whose every secret is a canary, and one canary of a person."""
    made = Worlds(
        HubSpotWorld(token=HUB_TOKEN, oauth_app=OAuthApp(client_secret=HUB_SECRET)),
        SalesforceWorld(token=CRM_TOKEN, app=ConnectedApp(consumer_secret=CRM_SECRET)),
    )
    made.hubspot.by_hand.create({"email": ADDRESS, "lastname": NAME, "phone": PHONE, "company": "Nest"})
    return made


@pytest.fixture
def watched(tmp_path: Path, worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """Tokens come from the environment."""
    monkeypatch.setenv("CANARY_HUB", HUB_TOKEN)
    monkeypatch.setenv("CANARY_CRM", CRM_TOKEN)
    with box(tmp_path, worlds=worlds) as made:
        made.replace('token = "pat-sandbox-token"', 'token = { env = "CANARY_HUB" }')
        made.replace('access_token = "00D-sandbox-session"', 'access_token = { env = "CANARY_CRM" }')
        yield Watched(made)


def test_a_whole_life_without_trouble_tells_nothing(watched: Watched) -> None:
    """Every command once; only results on stdout, which somebody asked for, name people."""
    assert watched.run("check") == 0
    assert watched.run("plan", "--out", str(watched.box.config.with_name("plan.html"))) == 0
    assert watched.run("sync", "--yes") == 0
    for words in (("status",), ("runs",), ("holds",), ("verify",), ("why", ADDRESS), ("plan", "--json"), ("export", "person", ADDRESS)):
        assert watched.run(*words) == 0, words
    assert NAME in "".join(watched.stdout)
    watched.check()


TROUBLE = (
    Fault("status", status=401, body=ECHO, times=9),
    Fault("status", status=403, body=ECHO, times=9),
    Fault("status", status=400, body=ECHO, times=9),
    Fault("status", status=500, body=ECHO, headers=NOW, times=99),
    Fault("status", status=429, body=ECHO, headers=NOW, times=99),
    Fault("status", status=200, body=f'{{"results": [{{"id": "{ADDRESS}", "properties": {{"email": ["{ADDRESS}"]}}}}]}}'),
)
CALLS = ("POST /crm/v3/objects/contacts/search", "POST /crm/v3/objects/contacts/batch/update", "GET /services/data/", "PATCH /services/data/")


@pytest.mark.parametrize("call", CALLS)
def test_trouble_with_a_vendor_tells_nothing(watched: Watched, call: str) -> None:
    """Whatever a vendor answers, and though it repeats our token and a person's address in it: in no file, and on no stream that people paste into tickets."""
    assert watched.run("sync", "--yes") == 0
    hub, crm = watched.box.worlds.hubspot, watched.box.worlds.salesforce
    contact, lead = next(each["id"] for each in hub.by_hand.contacts()), next(iter(crm.rows("Lead")))["Id"]
    world, codes = hub if "crm/v3" in call else crm, list[int]()
    for number, fault in enumerate(TROUBLE):
        watched.box.later(3600)
        hub.by_hand.edit(contact, {"phone": f"{PHONE}{number}"})
        crm.edit(lead, {"Title": f"CEO {number}"})
        body = LIST if world is crm and fault.body is ECHO else fault.body
        world.faults.add(replace(fault, match=call, body=body))
        codes.append(watched.run("sync", "--yes"))
        world.faults.clear()
    assert codes[0] == 2
    assert set(codes) <= {0, 1, 2, 4}
    watched.run("verify")
    watched.check()


def test_a_rejected_row_tells_nothing(watched: Watched) -> None:
    """Salesforce refuses a value and repeats it: what is kept of the refusal, and shown of it, is without the person's data on stderr."""
    watched.box.worlds.hubspot.by_hand.create({"email": f"x.{ADDRESS}", "lastname": NAME * 20, "phone": PHONE * 9})
    assert watched.run("sync", "--yes") in (0, 1)
    assert watched.run("sync", "--yes") in (0, 1)
    watched.run("status")
    watched.check()


def test_a_crash_tells_its_place_only(watched: Watched) -> None:
    """An unforeseen error, with somebody's data in its message, is exit 70 and shows type and place."""
    assert watched.run("sync", "--yes") == 0
    state = watched.box.config.with_name("stagesync.db")
    with closing(sqlite3.connect(state)) as connection:
        connection.execute("UPDATE person SET canonical = ?, due = 1", (f'{{"email": "{ADDRESS}"',))
        connection.commit()
    assert watched.run("sync", "--yes") == 70
    assert "this is a bug in stagesync" in watched.stderr[-1]
    watched.check()


def test_secrets_that_are_exchanged_stay_in_their_own_file(tmp_path: Path, worlds: Worlds) -> None:
    """Client secrets, refresh tokens that rotate, access tokens: the vendor gets them, and of our files only the one for tokens."""
    worlds.hubspot.switch(refresh_rotates=True)
    for name, text in (("hub.txt", HUB_SECRET), ("refresh.txt", "sandbox-refresh"), ("crm.txt", CRM_SECRET)):
        (tmp_path / name).write_text(text, "utf-8")
        (tmp_path / name).chmod(0o600)
    with box(tmp_path, worlds=worlds) as made:
        oauth = 'client_id = "sandbox-client"\nclient_secret = { file = "hub.txt" }\nrefresh_token = { file = "refresh.txt" }'
        made.replace('token = "pat-sandbox-token"', oauth)
        made.replace('access_token = "00D-sandbox-session"', 'client_id = "sandbox-consumer-key"\nclient_secret = { file = "crm.txt" }')
        watched = Watched(made)
        for words in (("check",), ("sync", "--yes"), ("sync",), ("status",)):
            assert watched.run(*words) == 0, watched.stderr
        (tmp_path / "crm.txt").write_text("canary-wrong-secret", "utf-8")
        made.worlds.salesforce.sessions.expire()
        assert watched.run("sync") == 2
        assert "canary-wrong" not in watched.stdout[-1] + watched.stderr[-1]
        watched.check("hub.txt", "refresh.txt", "crm.txt", "box.tokens.json")
