"""What goes along in a migration beside the plain fields: ids and dates of the source, owners, keys; and files at either end."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_box import cli
from moving import WAY, Move, approval, fates, move
from pages import Structure

HISTORY = """
[fields.source_id]
type = "text"
policy = "always hubspot"
hubspot = "hs_object_id"
salesforce = { lead = "HubSpot_Id__c" }

[fields.created]
type = "datetime"
policy = "always hubspot"
hubspot = "createdate"
salesforce = { lead = "Original_Create_Date__c" }

[fields.mql_date]
type = "datetime"
stage = "mql"
salesforce = { lead = "MQL_Date__c" }

[systems.hubspot.keys]
source_id = "hs_object_id"

[systems.salesforce.keys]
source_id = "HubSpot_Id__c"
"""


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Move]:
    """A portal and an org with nobody in them."""
    with move(tmp_path) as made:
        yield made


def test_ids_and_dates_of_the_source_go_along(empty: Move) -> None:
    """The id in the old system, the day somebody was created there, and when they became an MQL there stand in fields of the new record; who was brought
    over before by hand is known by the id, whatever their address is."""
    for name, kind in (("HubSpot_Id__c", "string"), ("Original_Create_Date__c", "datetime"), ("MQL_Date__c", "datetime")):
        empty.crm.define("Lead", name, type=kind)
    empty.crm.define("Contact", "HubSpot_Id__c")  # a key is looked for in every kind of record
    empty.box.add(HISTORY)
    empty.box.later(-48 * 3600)
    anna, ben = (empty.hub.create({"email": f"{name}@acme.example", "lastname": name, "lifecyclestage": "lead"}) for name in ("anna", "ben"))
    empty.box.later(24 * 3600)
    empty.hub.edit(anna, {"lifecyclestage": "marketingqualifiedlead"})
    empty.box.later(24 * 3600)
    empty.crm.create("Lead", {"Email": "ben@home.example", "LastName": "ben", "Company": "Acme", "HubSpot_Id__c": ben})
    done = empty.load()
    assert done.exit_code == 0, done.stderr
    made = empty.lead("anna@acme.example")
    created = {each["id"]: each["properties"]["createdate"] for each in empty.hub.contacts()}
    assert made["HubSpot_Id__c"] == anna
    assert str(made["Original_Create_Date__c"])[:10] == created[anna][:10]
    assert str(made["Original_Create_Date__c"])[:10] < str(made["MQL_Date__c"])[:10]
    assert fates(empty.json("verify")) == {"created": 1, "matched": 1}
    assert empty.lead("ben@acme.example")["HubSpot_Id__c"] == ben
    assert empty.phase("verify").exit_code == 0


BORN = """
[fields.created]
type = "datetime"
policy = "always hubspot"
hubspot = "createdate"
salesforce = { lead = "CreatedDate" }
"""


@pytest.mark.parametrize("permitted", [True, False])
def test_the_day_of_creation_is_given_to_new_records_alone(empty: Move, permitted: bool) -> None:
    """With the permission to set audit fields, a new Lead is as old as its contact, and is never told so again. Without it, or for one that is there
    already, the survey and the proof say that it cannot be had, and nothing fails."""
    empty.crm.org.change_habits({"audit_fields": permitted})
    empty.box.add(BORN)
    empty.crm.create("Lead", {"Email": "p0@acme.example", "LastName": "Lee0", "Company": "Acme"})
    empty.box.later(-48 * 3600)
    _, second = empty.people(2)
    empty.box.later(48 * 3600)
    told = empty.json("survey", *WAY)
    assert {each["arrives"] for each in told["fields"] if each["field"] == "created"} == {permitted}
    assert empty.phase("load", "--approve", told["digest"]).exit_code == 0
    empty.hub.edit(second, {"jobtitle": "Head"})
    assert empty.json("cutover")["updated"] == 1
    born = {each["properties"]["email"]: str(each["properties"]["createdate"])[:19] for each in empty.hub.contacts()}
    as_old = {name: str(empty.lead(f"{name}@acme.example")["CreatedDate"])[:19] == born[f"{name}@acme.example"] for name in ("p0", "p1")}
    assert as_old == {"p0": False, "p1": permitted}
    proof = empty.json("verify")
    unprovable = [each["records"] for each in proof["unprovable"] if (each["system"], each["field"]) == ("salesforce", "created")]
    assert (proof["proved"], unprovable) == (True, [1 if permitted else 2])


def test_owners_go_by_their_address(empty: Move) -> None:
    """Whoever owns somebody in the old system owns them in the new one, where both know the address; whom nobody knows there is left to the org."""
    kim, lee = (empty.hub.add_owner(f"{name}@vendor.example", name, "Rep") for name in ("kim", "lee"))
    names = {"Username": "kim", "LastName": "Rep", "Name": "Rep", "UserType": "Standard", "IsActive": True}
    user = empty.crm.org.plant("User", {**names, "Email": "kim@vendor.example"})
    for name, owner in (("anna", kim), ("ben", lee)):
        empty.hub.create({"email": f"{name}@acme.example", "lastname": name, "hubspot_owner_id": owner})
    assert empty.load().exit_code == 0
    assert empty.lead("anna@acme.example")["OwnerId"] == user
    assert empty.lead("ben@acme.example")["OwnerId"] != user
    assert empty.phase("verify").exit_code == 0


CSV = "Record ID,First Name,Last Name,Email,Job Title,Lifecycle Stage,Company\n"


def test_a_file_is_moved_into_a_system(empty: Move) -> None:
    """An old system's export goes to Salesforce through all phases; the file stays as it is, byte for byte."""
    rows = "".join(f"{number},Ann,Lee{number},p{number}@acme.example,Boss,lead,Acme\n" for number in range(8))
    file = empty.box.config.with_name("old.csv")
    file.write_text(f"{CSV}{rows}99,,Nameless,,,,\n", "utf-8")
    before = file.read_bytes()
    empty.box.add('\n[systems.old]\nconnector = "csv"\npath = "old.csv"\n')
    told = empty.json("survey", "--from", "old", "--to", "salesforce")
    assert (fates(told), told["adds_up"]) == ({"created": 8, "excluded": 1}, True)
    assert empty.json("rehearse", "--yes", "--people", "3")["created"] == 3
    assert empty.phase("load", "--approve", told["digest"]).exit_code == 0
    assert empty.lead("p7@acme.example")["Title"] == "Boss"
    assert empty.phase("verify").exit_code == 0
    assert empty.phase("cutover").exit_code == 0
    assert file.read_bytes() == before


def test_owners_of_a_file_are_known_by_address_or_name(empty: Move) -> None:
    """An address, a name, an address that nobody has there, a name that nobody has: the user, the user, the fallback, and whoever Salesforce chooses."""
    users = {row["Email"]: row["Id"] for row in empty.crm.rows("User") if row["Email"] and row["IsActive"]}
    names = {row["Id"]: row["Name"] for row in empty.crm.rows("User")}
    first, second = sorted(users)[:2]
    owners = (first.upper(), names[users[second]], "left@old.example", "Nobody Here")
    rows = "".join(f"{number},Lee{number},p{number}@acme.example,Acme,{owner}\n" for number, owner in enumerate(owners))
    empty.box.config.with_name("old.csv").write_text(f"Record ID,Last Name,Email,Company,Contact owner\n{rows}", "utf-8")
    empty.box.add(f'\n[systems.old]\nconnector = "csv"\npath = "old.csv"\n[fields.owner]\nfallback = {{ salesforce = "{second}" }}\n')
    way = ("--from", "old", "--to", "salesforce")
    assert empty.phase("load", "--approve", empty.json("survey", *way)["digest"]).exit_code == 0
    assert [empty.lead(f"p{number}@acme.example")["OwnerId"] for number in range(3)] == [users[first], users[second], users[second]]
    assert empty.lead("p3@acme.example")["OwnerId"] in names
    assert empty.phase("verify").exit_code == 0


def test_a_system_is_moved_into_a_file(empty: Move) -> None:
    """A portal goes into a file that is made for it, owners by their addresses, and the proof reads it back."""
    empty.people(5, lifecyclestage="customer", hubspot_owner_id=empty.hub.add_owner("kim@vendor.example", "Kim", "Rep"))
    empty.box.add('\n[systems.out]\nconnector = "csv"\npath = "out.csv"\ncolumns = ["Record ID", "Email", "Last Name", "Lifecycle Stage", "Owner Email"]\n')
    surveyed = empty.phase("survey", "--from", "hubspot", "--to", "out")
    assert empty.phase("load", "--approve", approval(surveyed.stdout)).exit_code == 0
    lines = empty.box.config.with_name("out.csv").read_text("utf-8-sig").splitlines()
    assert sorted(line.split(",")[1] for line in lines[1:]) == [f"p{number}@acme.example" for number in range(5)]
    assert {line.split(",")[4] for line in lines[1:]} == {"kim@vendor.example"}
    assert empty.phase("verify").exit_code == 0
    assert list(empty.crm.rows("Lead")) == []


def test_a_file_is_moved_into_hubspot(empty: Move) -> None:
    """Line breaks, letters of any script and an opt-out arrive, who is there is brought up to date; a row that cannot be read is named before and after, and
    nobody about whom there is a question is taken for an example."""
    rows = (
        '1,Cé,Çelik,c@acme.example,"Head, Sales\nEMEA",lead,Ačme',
        "2,Ann,Ash,ash@acme.example,Boss,customer,Acme",
        "3,Bo,Ash,ash@acme.example,,customer,Acme",
    )
    file = empty.box.config.with_name("old.csv")
    file.write_text(CSV + "\n".join([*rows, "4,Short,Row", "5,Dee,Dow,dow@acme.example,Clerk,marketingqualifiedlead,Acme\n"]), "utf-8")
    empty.hub.create({"email": "dow@acme.example", "lastname": "Dow", "jobtitle": "Boss", "lifecyclestage": "lead"})
    empty.box.add('\n[systems.old]\nconnector = "csv"\npath = "old.csv"\n')
    told = empty.json("survey", "--from", "old", "--to", "hubspot")
    assert fates(told) == {"created": 1, "matched": 1, "held": 2}
    assert [each["finding"] for each in told["unread"]] == ["line 6 has 3 cells where the header has 7"]
    rehearsed = empty.json("rehearse", "--yes", "--people", "2")
    assert ([each["record"] for each in rehearsed["chosen"]], rehearsed["landed"]) == (["old:1", "old:5"], True)
    assert empty.phase("load", "--approve", told["digest"]).exit_code == 0
    found = {str(each["properties"]["email"]): each["properties"] for each in empty.hub.contacts()}
    assert (found["c@acme.example"]["jobtitle"], found["c@acme.example"]["lastname"]) == ("Head, Sales\nEMEA", "Çelik")
    assert (found["dow@acme.example"]["jobtitle"], found["dow@acme.example"]["lifecyclestage"]) == ("Clerk", "marketingqualifiedlead")
    proof = empty.phase("verify")
    assert (proof.exit_code, "line 6 has 3 cells" in proof.stdout) == (0, True), proof.stdout


def test_leads_and_contacts_are_moved_into_a_file(empty: Move) -> None:
    """An org with both kinds goes into one file, each person once, and the proof reads it back."""
    empty.crm.create("Lead", {"Email": "lead@acme.example", "LastName": "Lee", "Company": "Acme", "Status": "Working - Contacted", "HasOptedOutOfEmail": True})
    empty.crm.create("Contact", {"Email": "contact@acme.example", "LastName": "Con", "Title": "Boss"})
    empty.box.add('\n[systems.out]\nconnector = "csv"\npath = "out.csv"\ncolumns = ["Record ID", "Email", "Last Name", "Job Title", "Lifecycle Stage"]\n')
    told = empty.json("survey", "--from", "salesforce", "--to", "out")
    assert fates(told) == {"created": 2}
    assert empty.phase("load", "--approve", told["digest"]).exit_code == 0
    lines = empty.box.config.with_name("out.csv").read_text("utf-8-sig").splitlines()
    assert sorted(line.split(",")[1:4] for line in lines[1:]) == [["contact@acme.example", "Con", "Boss"], ["lead@acme.example", "Lee", ""]]
    assert empty.phase("verify").exit_code == 0
    assert empty.phase("cutover").exit_code == 0


def test_a_page_for_the_survey_and_one_for_the_proof(empty: Move, tmp_path: Path) -> None:
    """Each is one file with pictures that names nobody and needs nothing from outside, readable by its owner alone."""
    empty.people(3, lifecyclestage="lead")
    before, after = tmp_path / "survey.html", tmp_path / "proof.html"
    surveyed = empty.phase("survey", *WAY, "--html", str(before))
    assert empty.phase("load", "--approve", approval(surveyed.stdout)).exit_code == 0
    assert empty.phase("verify", "--html", str(after)).exit_code == 0
    for page, told in (
        (before, {"new there", "lifecyclestage=lead", "In salesforce: 3 new records (3 by calls; about 1 API call)"}),
        (after, {"new there", "in sync"}),
    ):
        text = page.read_text("utf-8")
        structure = Structure(text)
        assert told <= {said.strip() for kind in ("th", "td", "p") for said in structure.text[kind]}
        assert "<svg" in text and "<script" not in text and "@acme.example" not in text and "src=" not in text
        assert page.stat().st_mode & 0o777 == 0o600
    assert "✓ Everybody arrived, and every mapped field agrees." in structure.text["p"]


def test_likely_duplicates_are_proposed_before_anything_moves(empty: Move) -> None:
    """Two records with one name and one telephone number under different addresses: the survey counts them and says where somebody decides."""
    for address in ("anna.ash@acme.example", "ash@home.example"):
        empty.hub.create({"email": address, "firstname": "Anna", "lastname": "Ash", "phone": "+4930123456", "company": "Acme GmbH"})
    empty.people(2)
    assert empty.json("survey", *WAY)["alike"] == {"groups": 1, "records": 2}
    assert "stagesync duplicates find hubspot --out review.csv" in empty.phase("survey").stdout


def test_what_somebody_decided_about_duplicates_shows_in_the_next_survey(empty: Move) -> None:
    """Two contacts are one human: one goes, the other is counted as a second record, and it is told that what it alone says stays behind."""
    for address, more in (("anna.ash@acme.example", {}), ("ash@home.example", {"jobtitle": "CEO"})):
        empty.hub.create({"email": address, "firstname": "Anna", "lastname": "Ash", "phone": "+4930123456", "company": "Acme GmbH", **more})
    empty.people(2)
    assert fates(empty.json("survey", *WAY)) == {"created": 4}
    review, config = empty.box.config.with_name("review.csv"), str(empty.box.config)
    assert cli("duplicates", "find", "hubspot", "--out", str(review), "--config", config).exit_code == 0
    lines = list(csv.DictReader(io.StringIO(review.read_text("utf-8-sig"), newline="")))
    with review.open("w", newline="") as file:
        table = csv.DictWriter(file, list(lines[0]))
        table.writeheader()
        for line in lines:
            keeps = line["emails"] == "anna.ash@acme.example"
            table.writerow({**line, "survivor": "yes" if keeps else "", "decision": "" if keeps else "same"})
    assert cli("duplicates", "apply", str(review), "--config", config).exit_code == 0
    told = empty.json("survey", *WAY)
    assert (fates(told), told["adds_up"], told["alike"]["groups"]) == ({"created": 3, "duplicate": 1}, True, 0)
    assert [each["why"] for each in told["fates"] if each["fate"] == "duplicate"] == ["a second record of the same person; what it alone says stays behind"]
