"""`stagesync forget`: everything personal goes, out of the files too, and whoever was forgotten is left alone from then on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest
import sqlalchemy as sa
from cli_box import Box, box, cli
from office import Office
from typer.testing import Result

from stagesync.app.courses.traces import files_with
from stagesync.app.views.dossier import dossier_json
from stagesync.model.errors import ConfigurationError
from stagesync.model.events import Event
from stagesync.model.records import Ref
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.worlds import Worlds
from stagesync.state import accounts, inbox, keys, leases, links, sameness
from stagesync.state.erasing import scrub
from stagesync.state.inbox import Arrival, open_inbox
from stagesync.state.schema import metadata
from stagesync.state.sql import Statement
from stagesync.sync.people import holds
from stagesync.sync.people.dossier import find_dossier
from stagesync.sync.people.forget import forget

ANNA, BEN = "anna.canary@acme.example", "ben@other.example"
NAME, NUMBER = "Zweigmann", "+49 30 7654321"
PERSONAL = (ANNA, NAME, "7654321")


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Box]:
    """Anna, with a history of edits, and Ben, in both systems."""
    worlds = Worlds(HubSpotWorld(), SalesforceWorld())
    with box(tmp_path, worlds=worlds) as made:
        anna = worlds.hubspot.by_hand.create({"email": ANNA, "lastname": NAME, "phone": NUMBER, "lifecyclestage": "marketingqualifiedlead"})
        worlds.hubspot.by_hand.create({"email": BEN, "lastname": "Okafor"})
        made.run("sync", "--yes")
        made.later(3600)
        worlds.hubspot.by_hand.edit(anna, {"phone": "+49 30 7654321 22", "lifecyclestage": "salesqualifiedlead"})
        made.run("sync", "--yes")
        made.later(3600)
        yield made


def files(acme: Box) -> list[Path]:
    """The state's own files, as they lie on the disk."""
    return [path for path in acme.config.parent.iterdir() if path.name.startswith("stagesync.db") or path.suffix in (".db", ".db-wal")]


def state_of(acme: Box) -> Path:
    """The state's file."""
    return next(path for path in files(acme) if path.suffix == ".db" and ".inbox" not in path.name)


def test_nothing_of_a_forgotten_person_is_left_in_the_files(acme: Box) -> None:
    """Address, name and number are in the state before, and in no byte of its files afterwards; Ben is still there."""
    assert all(files_with([text], files(acme)) for text in PERSONAL)
    with closing(sqlite3.connect(state_of(acme))) as reader:  # keeps the -wal file from being deleted at the end, as a browser of databases would
        reader.execute("SELECT count(*) FROM person").fetchone()
        told = acme.run("forget", ANNA, "--yes")
        assert told.exit_code == 0, told.stderr
        assert not any(files_with([text], files(acme)) for text in PERSONAL)
        assert files_with([BEN], files(acme))
    assert "Nobody was deleted in any system" in told.stdout
    assert "salesforce lead 00Q" in told.stdout
    assert "hubspot contact" in told.stdout
    assert len(list(acme.worlds.hubspot.by_hand.contacts())) == 2
    assert acme.json("why", BEN)["people"][0]["email"] == BEN


def told(acme: Box, key: str, body: object) -> None:
    """A product tells something by itself."""
    with closing(open_inbox(f"sqlite:///{state_of(acme)}")) as store, store.write() as tx:
        inbox.put(tx, [Arrival(acme.config.stem, "product", Event(key, body), 1)])


def test_events_about_a_forgotten_person_go_out_of_the_inbox(acme: Box) -> None:
    """They are shown to whoever asks what is kept, and erased from the inbox's file too; somebody else's stay."""
    told(acme, "1", {"email": ANNA.upper(), "name": NAME})
    told(acme, "2", {"email": BEN})
    assert [each["id"] for each in orjson.loads(export(acme, ANNA).stdout)["inbox"]] == ["1"]
    gone = acme.run("forget", ANNA, "--yes", "--json")
    assert orjson.loads(gone.stdout)["forgotten"][0]["rows"]["event"] == 1
    assert not files_with(PERSONAL, files(acme))
    assert files_with([BEN], [state_of(acme).with_name("stagesync.inbox.db")])


def test_somebody_of_whom_only_an_event_is_known_can_be_forgotten(acme: Box) -> None:
    """Nobody has read a record of theirs yet: the event goes, and their address is known again."""
    told(acme, "1", {"email": "new.canary@acme.example"})
    assert acme.run("forget", "new.canary@acme.example", "--yes").exit_code == 0
    assert not files_with(["new.canary"], files(acme))
    acme.worlds.salesforce.create("Lead", {"Email": "new.canary@acme.example", "LastName": "Other", "Company": "Acme"})
    assert acme.run("sync", "--yes").exit_code == 0
    assert not files_with(["new.canary"], files(acme))


def test_the_ledger_still_counts_and_names_nobody(acme: Box) -> None:
    """Her stays keep stage and times, and end; who moved her, and why in words, is gone."""
    acme.run("forget", ANNA, "--yes")
    with closing(sqlite3.connect(state_of(acme))) as reader:
        hers = "SELECT stage, entered_seen, actor, owner, evidence, reason FROM stage_entry WHERE person NOT IN (SELECT id FROM person)"
        stays = reader.execute(hers).fetchall()
    assert [stage for stage, *_ in stays] == ["mql", "sql", None]
    assert all(seen > 0 and rest == [None, None, "", None] for _, seen, *rest in stays)


def test_a_forgotten_person_is_left_alone(acme: Box) -> None:
    """An edit of hers is read, counted as left out, and neither kept nor carried over, and `verify` finds nothing wrong."""
    acme.run("forget", ANNA, "--yes")
    hub = acme.worlds.hubspot
    anna = next(each["id"] for each in hub.by_hand.contacts() if each["properties"]["email"] == ANNA)
    hub.by_hand.edit(anna, {"phone": "+49 30 111"})
    acme.reset()
    plan = acme.run("plan")
    assert "1 record in hubspot left out: its person was forgotten" in plan.stdout
    done = acme.run("sync", "--yes")
    assert done.exit_code == 0, done.stderr
    assert acme.written() == []
    assert not files_with(PERSONAL, files(acme))
    proof = acme.run("verify")
    assert proof.exit_code == 0, proof.stdout
    assert acme.run("why", ANNA).exit_code == 2


def test_another_record_with_her_address_is_left_alone_too(acme: Box) -> None:
    """Somebody makes a Lead of the forgotten address: it is known by the hash."""
    acme.run("forget", ANNA, "--yes")
    acme.worlds.salesforce.create("Lead", {"Email": ANNA.upper(), "LastName": "Other", "Company": "Acme"})
    assert acme.run("sync", "--yes").exit_code == 0
    assert not files_with(PERSONAL, files(acme))


def test_somebody_may_come_in_again_when_that_is_said(acme: Box) -> None:
    """`--lift` takes the hashes away; her records come in with their next change."""
    acme.run("forget", ANNA, "--yes")
    assert acme.run("forget", "nobody@acme.example", "--lift").exit_code == 2
    assert acme.run("forget", ANNA.upper(), "--lift").exit_code == 0
    hub = acme.worlds.hubspot
    anna = next(each["id"] for each in hub.by_hand.contacts() if each["properties"]["email"] == ANNA)
    hub.by_hand.edit(anna, {"jobtitle": "CTO"})
    acme.run("sync", "--yes")
    assert acme.json("why", ANNA)["people"][0]["email"] == ANNA
    assert acme.run("forget", ANNA, "--lift").exit_code == 2


def test_nobody_is_forgotten_without_a_yes(acme: Box) -> None:
    """Without a terminal and without --yes nothing is erased, exit 3; somebody unknown is exit 2, and neither names the address."""
    refused = acme.run("forget", ANNA)
    assert refused.exit_code == 3
    assert "nothing was erased" in refused.stderr
    unknown = acme.run("forget", "canary.nobody@acme.example", "--yes")
    assert unknown.exit_code == 2
    assert "canary" not in refused.stderr + unknown.stderr
    assert acme.json("why", ANNA)["people"]


def test_copies_of_the_state_are_named(acme: Box) -> None:
    """The backup that a migration made still holds her, and only its owner can delete it."""
    copy = state_of(acme).with_name(state_of(acme).name + ".before-0009.bak")
    copy.write_bytes(state_of(acme).read_bytes())
    told = orjson.loads(acme.run("forget", ANNA, "--yes", "--json").stdout)
    assert told["copies"] == [str(copy)]
    assert (told["clean"], told["still_in"]) == (True, [])
    assert told["forgotten"][0]["rows"]["person"] == 1


def test_a_stored_plan_is_given_up(acme: Box) -> None:
    """A plan holds what it would write, so that it cannot be applied after somebody in it was forgotten."""
    hub = acme.worlds.hubspot
    anna = next(each["id"] for each in hub.by_hand.contacts() if each["properties"]["email"] == ANNA)
    hub.by_hand.edit(anna, {"jobtitle": "Canary Officer"})
    digest = acme.json("plan")["digest"]
    assert files_with(["Canary Officer"], files(acme))
    acme.run("forget", ANNA, "--yes")
    assert not files_with(["Canary Officer"], files(acme))
    assert acme.run("apply", "--approve", digest).exit_code == 2


def test_what_is_reported_of_her_is_not_kept(acme: Box, tmp_path: Path) -> None:
    """A signal under her address is counted and dropped; the others of the file are kept."""
    told = [{"kind": "visit", "at": "2026-01-01T00:00:00Z", "source": "shop", "id": str(n), "email": who} for n, who in enumerate((ANNA, BEN))]
    file = tmp_path / "told.jsonl"
    file.write_bytes(b"\n".join(map(orjson.dumps, told)))
    acme.run("forget", ANNA, "--yes")
    kept = cli("signal", "add", "--config", str(acme.config), "--json", str(file))
    assert orjson.loads(kept.stdout) == {"new": 1, "known": 0, "nobodys": 0, "forgotten": 1}
    assert not files_with(PERSONAL, files(acme))


def test_all_kinds_of_rows_go_on_both_databases(store_url: str, tmp_path: Path) -> None:
    """Person, links, keys, changes, actions and holds: no table names her, and the next run leaves her alone."""
    office = Office(tmp_path, url=store_url)
    one = office.hub.by_hand.create({"email": ANNA, "lastname": "Zweigmann"})
    office.crm.create("Lead", {"Email": ANNA, "LastName": "Zweigmann", "Company": "Acme", "Phone": "1234567"})
    office.run()
    office.hub.by_hand.edit(one, {"phone": "7654321", "jobtitle": "CTO"})
    office.run()
    session = office.session
    with leases.acquire(session.store, session.workspace, "test"):
        with session.store.write() as tx:
            file = find_dossier(tx, session.workspace, accounts.bound(tx, session.workspace), ANNA)
            rows = forget(tx, session.workspace, file, 1)
        assert scrub(session.store)
    assert {"action", "link", "match_key", "person", "stage_entry"} <= set(rows)
    with session.store.read() as tx:
        for table in metadata.sorted_tables:
            found = tx.rows(Statement(sa.select(sa.literal_column("*")).select_from(table)), {})
            assert not [row for row in found if any(text.lower() in str(row).lower() for text in PERSONAL)], table.name
    assert office.run().writes == 0


def export(acme: Box, *words: str) -> Result:
    """`stagesync export person` over this configuration."""
    return cli("export", "person", "--config", str(acme.config), *words)


def test_a_person_can_be_told_everything_that_is_kept(acme: Box) -> None:
    """Values with their sources, every record, what changed, what was done, the stays and the runs; whatever the state holds of her stands in it."""
    told = orjson.loads(export(acme, ANNA).stdout)
    assert told["fields"]["last_name"] == {**told["fields"]["last_name"], "value": NAME, "from": "hubspot"}
    assert {record["system"]: record["kind"] for record in told["records"]} == {"hubspot": "contact", "salesforce": "lead"}
    assert any(change["fields"].get("lifecyclestage", {}).get("after") == "salesqualifiedlead" for change in told["changes"])
    assert {action["sort"] for action in told["actions"]} >= {"decision", "new record", "changed record"}
    assert [stay["stage"] for stay in told["stays"]] == ["mql", "sql"]
    assert {run["run"] for run in told["runs"]} >= {action["run"] for action in told["actions"]}
    assert {"key": "email", "value": ANNA} in told["recognised_by"]
    assert BEN not in orjson.dumps(told).decode()


def test_what_became_of_records_is_told(tmp_path: Path) -> None:
    """A contact that was merged into a new one, a Lead that was deleted, and two records about which something was said: where they went, what they had."""
    office = Office(tmp_path)
    first = office.hub.create({"email": ANNA, "lastname": NAME, "city": "Ulm"})
    office.run()
    office.clock.at += 3600
    second = office.hub.by_hand.create({"email": "other@acme.example", "lastname": NAME})
    survivor = office.hub.by_hand.merge(first, second)
    office.crm.delete(office.person(ANNA)["Id"])
    office.run()
    session = office.session
    with session.store.write() as tx:
        systems = accounts.bound(tx, session.workspace)
        known = links.by_refs(tx, session.workspace, systems["hub"], [Ref("contact", first), Ref("contact", survivor)])
        one, other = sorted(link.id for link in known.values())
        sameness.decide(tx, session.workspace, [sameness.SameRow(one, other, None, 1_000)])
    with session.store.read() as tx:
        file = find_dossier(tx, session.workspace, systems, ANNA)
        told = dossier_json(tx, file, {number: name for name, number in systems.items()}, 0, [], [])
    places = [change["record"] for change in told["changes"] if "record" in change]
    assert {"before": "there", "after": "deleted"} in places
    assert next(place for place in places if place["before"] == f"contact {first}")["after"] == f"contact {survivor}"
    assert all("" not in change["fields"] for change in told["changes"])
    assert [(each["said"], each["written"], {record["id"] for record in each["records"]}) for each in told["said_about_records"]] == [
        ("two humans'", None, {first, survivor})
    ]


def test_the_file_of_a_person_is_its_owners_alone(acme: Box, tmp_path: Path) -> None:
    """`--out` writes with mode 0600; after `forget` there is nothing to tell."""
    out = tmp_path / "anna.json"
    assert export(acme, ANNA, "--out", str(out)).exit_code == 0
    assert out.stat().st_mode & 0o777 == 0o600
    number = orjson.loads(out.read_bytes())["person"]
    assert orjson.loads(export(acme, number).stdout)["records"] == orjson.loads(out.read_bytes())["records"]
    acme.run("forget", number, "--yes")
    assert export(acme, ANNA).exit_code == 2


def test_records_that_nobody_could_tell_apart_go_with_the_address(tmp_path: Path) -> None:
    """Two Leads of one address and two names are a question; forgetting the address takes both and the question with them, and neither comes back."""
    office = Office(tmp_path)
    leads = [office.crm.create("Lead", {"Email": ANNA, "LastName": name, "Company": "Acme"}) for name in (NAME, "Other")]
    office.run()
    session = office.session
    with leases.acquire(session.store, session.workspace, "test"), session.store.write() as tx:
        file = find_dossier(tx, session.workspace, accounts.bound(tx, session.workspace), ANNA.upper())
        assert (file.row, sorted(link.ref for link in file.records)) == (None, sorted(leads))
        assert forget(tx, session.workspace, file, 1)["action"] == 1
    office.crm.edit(leads[0], {"Title": "CEO"})
    assert office.plan().pulled["crm"].forgotten >= 1
    with session.store.read() as tx:
        assert holds.groups(tx, session.workspace) == []
        assert links.counts(tx, session.workspace) == {}


def test_an_address_of_two_people_names_nobody_alone(tmp_path: Path) -> None:
    """Whoever shares an address is to be named by number; the other one keeps it, and is told of."""
    office = Office(tmp_path)
    for address in (ANNA, BEN):
        office.hub.by_hand.create({"email": address, "lastname": address})
    office.run()
    session = office.session
    with session.store.write() as tx:
        systems = accounts.bound(tx, session.workspace)
        ben = find_dossier(tx, session.workspace, systems, BEN)
        keys.insert(tx, session.workspace, [("email", ANNA, ben.records[0].id)])  # a secondary address, for example
        with pytest.raises(ConfigurationError, match="several people: p1, p2"):
            find_dossier(tx, session.workspace, systems, ANNA)
        anna = find_dossier(tx, session.workspace, systems, "p1" if ben.persons == [2] else "p2")
        assert (anna.addresses, list(anna.also)) == ([ANNA], ben.persons)
        forget(tx, session.workspace, anna, 1)
        assert find_dossier(tx, session.workspace, systems, BEN).records == ben.records


def test_a_program_that_reads_is_told_of_and_forgetting_again_cleans(acme: Box) -> None:
    """A reader in the middle of its transaction keeps the old rows in the -wal file; that is said, and the same command cleans up when it has ended."""
    acme.add('\n[state]\nurl = "sqlite:///stagesync.db?timeout=0.1"\n')
    with closing(sqlite3.connect(state_of(acme), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM person").fetchone()
        told = acme.run("forget", ANNA, "--yes")
    assert told.exit_code == 0, told.stderr
    assert "Another program has the state open" in told.stdout
    again = acme.run("forget", ANNA)
    assert (again.exit_code, again.stdout) == (0, "They were forgotten before.\n")
    assert not files_with(PERSONAL, files(acme))
