"""The vendors' own export files, with the dirt of real life, load into the worlds; what cannot be loaded is explained."""

from __future__ import annotations

import runpy
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path

import pytest
from house import ROOT
from hypothesis import given
from hypothesis import strategies as st

from stagesync.sandbox.csv_files import ExportError, Loaded, read_table
from stagesync.sandbox.files_hubspot import load_hubspot
from stagesync.sandbox.files_salesforce import load_salesforce
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.moments import day_first, moment, number
from stagesync.sandbox.salesforce import SalesforceWorld
from stagesync.sandbox.worlds import build_from_csv

EXAMPLES = ROOT / "examples"
LEAD, LEAD_18 = "00Q5g00000ABCde", "00Q5g00000ABCdeEAH"


def written(folder: Path, text: str | bytes, name: str = "export.csv") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def hubspot(folder: Path, text: str | bytes, zone: tzinfo = UTC) -> tuple[HubSpotWorld, list[dict[str, str]], Loaded]:
    """A world with the contacts of a HubSpot export."""
    world = HubSpotWorld()
    loaded = load_hubspot(world, written(folder, text), zone)
    return world, [contact["properties"] for contact in world.contacts()], loaded


def salesforce(folder: Path, text: str | bytes) -> tuple[SalesforceWorld, Loaded]:
    """A world with the people of a Salesforce export."""
    world = SalesforceWorld()
    return world, load_salesforce(world, written(folder, text))


def test_the_examples_load() -> None:
    """Both example files hold people of all sorts, and every one of them arrives."""
    worlds = build_from_csv(EXAMPLES / "hubspot-contacts.csv", EXAMPLES / "salesforce-leads-contacts.csv")
    contacts = [contact["properties"] for contact in worlds.hubspot.contacts()]
    leads, people = list(worlds.salesforce.rows("Lead")), list(worlds.salesforce.rows("Contact"))
    assert len(contacts) == len(worlds.hubspot_file.ids) > 2_000
    assert len(leads) + len(people) == len(worlds.salesforce_file.ids) > 2_000
    known = {contact["email"] for contact in contacts if "email" in contact}
    there = {row["Email"].lower() for row in (*leads, *people) if "Email" in row}
    assert 0.4 < len(known & there) / len(known | there) < 0.8
    assert {"Webinar attended", "Notes from the fair"} == {column for column, _ in worlds.hubspot_file.custom}
    assert ("Territory", "Lead.Territory__c") in worlds.salesforce_file.custom
    assert any("\n" in contact.get("notes_from_the_fair", "") for contact in contacts)
    converted = [row for row in leads if row["IsConverted"]]
    assert converted
    assert all(worlds.salesforce.org.row(row["ConvertedContactId"])[0] == "Contact" for row in converted)
    assert all(row["SystemModstamp"] < "2025-06-02" for row in (*leads, *people))


def test_the_examples_are_what_their_script_writes() -> None:
    """The files can be made again, byte for byte, so they say what the generator says."""
    made = runpy.run_path(str(EXAMPLES / "make.py"))["files"]()
    assert {name: (EXAMPLES / name).read_bytes() == content for name, content in made.items()} == dict.fromkeys(made, True)


def test_hubspot_columns_go_by_label_or_internal_name(tmp_path: Path) -> None:
    """Labels, internal names, any case of either, and a byte order mark mean the same; a second column of one property becomes a custom one."""
    text = "\ufeffRecord ID - Contact,FIRST NAME,lastname,Email,Phone,Lifecycle stage,email\n77,Ann,Berg,Ann@Firm.example,+49 30 1,Customer,x@y.example\n"
    world, (contact,), loaded = hubspot(tmp_path, text)
    assert loaded.ids == ("77",)
    assert {name: contact[name] for name in ("firstname", "lastname", "email", "phone", "lifecyclestage")} == {
        "firstname": "Ann",
        "lastname": "Berg",
        "email": "ann@firm.example",
        "phone": "+49 30 1",
        "lifecyclestage": "customer",
    }
    assert loaded.custom == (("email", "email_2"),)
    assert world.create({"email": "next@firm.example"}) != "77"


def test_hubspot_values_go_by_label_or_internal_value(tmp_path: Path) -> None:
    """Choices by label, ticks in any spelling, numbers with separators; a custom stage becomes an option after the known ones."""
    text = "Email,Lifecycle Stage,Lead Status,Unsubscribed from all email,Marketing emails opened,Additional email addresses\n"
    text += 'a@x.example,Marketing Qualified Lead,In Progress,Yes,"1,204",B@x.example; c@x.example\nd@x.example,SAL,IN_PROGRESS,false,,\n'
    world, (first, second), _ = hubspot(tmp_path, text)
    assert (first["lifecyclestage"], first["hs_lead_status"], first["hs_email_optout"]) == ("marketingqualifiedlead", "IN_PROGRESS", "true")
    assert (first["hs_email_open"], first["hs_additional_emails"]) == ("1204", "b@x.example;c@x.example")
    assert (second["lifecyclestage"], second["hs_lead_status"]) == ("SAL", "IN_PROGRESS")
    assert [option.label for option in world.portal.catalogue.by_name["lifecyclestage"].options][-2:] == ["Other", "SAL"]
    assert "a@x.example" in world.portal.optouts


def test_hubspot_dates_are_in_the_accounts_zone(tmp_path: Path) -> None:
    """13:45 two hours east of Greenwich is 11:45 UTC."""
    text = "Email,Create Date,Last Modified Date\na@x.example,2024-03-05 13:45,2024-07-05 13:45\n"
    _, (contact,), _ = hubspot(tmp_path, text, timezone(timedelta(hours=2)))
    assert (contact["createdate"], contact["lastmodifieddate"]) == ("2024-03-05T11:45:00Z", "2024-07-05T11:45:00Z")


def test_hubspot_owners_become_users(tmp_path: Path) -> None:
    """Owners stand in the file by name: known ones are found, new ones are added once."""
    text = "Email,Contact owner\na@x.example,Ann Berg\nb@x.example,Zoë Quist\nc@x.example,zoë quist\n"
    world, contacts, _ = hubspot(tmp_path, text)
    assert contacts[0]["hubspot_owner_id"] == "70101"
    assert contacts[1]["hubspot_owner_id"] == contacts[2]["hubspot_owner_id"]
    assert [owner.email for owner in world.portal.owners if owner.last_name == "Quist"] == ["zoe-quist@owners.example"]


def test_headers_may_be_missing_or_repeated(tmp_path: Path) -> None:
    """An empty header with values below gets a name, one without values is forgotten, a repeated one is told apart."""
    text = "Email,,Notes,,Notes,日本語\na@x.example,kept,one,,two,三\n"
    _, (contact,), loaded = hubspot(tmp_path, text)
    assert [contact[name] for _, name in loaded.custom] == ["kept", "one", "two", "三"]
    assert [column for column, _ in loaded.custom] == ["Column 2", "Notes", "Notes (2)", "日本語"]


@pytest.mark.parametrize(
    "content",
    [
        "Email,First Name\na@x.example,Jürgen\n".encode("cp1252"),
        "Email;First Name\r\na@x.example;Jürgen\r\n\r\n".encode(),
        "Email\tFirst Name\na@x.example\tJürgen\n".encode("utf-16"),
        '\ufeff"Email","First Name"\n"a@x.example"," Jürgen "'.encode(),
        "Email,First Name,\na@x.example,Jürgen,,,\n".encode(),
    ],
    ids=["windows-1252", "semicolons and CRLF", "tabs and UTF-16", "BOM, quotes, no last line break", "empty cells beyond the header"],
)
def test_encodings_and_separators(tmp_path: Path, content: bytes) -> None:
    """What spreadsheets and report options make of a file is read as it was meant."""
    _, (contact,), _ = hubspot(tmp_path, content)
    assert (contact["email"], contact["firstname"]) == ("a@x.example", "Jürgen")


def test_a_salesforce_report_goes_by_labels(tmp_path: Path) -> None:
    """Labels, 15-character ids, the reader's locale, currency, and the footer of a report."""
    text = '"Lead ID","First Name","Last Name","Company / Account","Email","Email Opt Out","Mobile","Lead Status",'
    text += '"Employees","Annual Revenue","Create Date","Lead Owner","Street"\n'
    text += f'"{LEAD}","Ann","Berg","Firm","Ann@firm.example","1","030 1","Nurturing","1,200","USD 1,500,000.50","3/5/2024, 1:45 PM","Riley Rep","One\nTwo"\n'
    text += '\n"All Leads"\n"Copyright (c) 2000-2024 salesforce.com, inc. All rights reserved."\n"Confidential Information - Do Not Distribute"\n'
    world, loaded = salesforce(tmp_path, text)
    (lead,) = world.rows("Lead")
    assert loaded.ids == (LEAD_18,)
    assert (lead["Id"], lead["Name"], lead["Company"], lead["HasOptedOutOfEmail"], lead["Status"]) == (LEAD_18, "Ann Berg", "Firm", True, "Nurturing")
    assert (lead["NumberOfEmployees"], lead["AnnualRevenue"], lead["Street"]) == (1200, 1_500_000.5, "One\nTwo")
    assert lead["CreatedDate"] == lead["SystemModstamp"] == "2024-03-05T13:45:00.000+0000"
    assert lead["Lead_Owner__c"] == "Riley Rep"
    assert "Nurturing" in {row["ApiName"] for row in world.rows("LeadStatus")}


def test_a_data_loader_file_goes_by_api_names(tmp_path: Path) -> None:
    """API names in any case, ISO stamps, true and false; references to records outside the file are left out, and said."""
    text = "ID,LASTNAME,COMPANY,STATUS,ISCONVERTED,CONVERTEDCONTACTID,OWNERID,CREATEDDATE,SYSTEMMODSTAMP,SCORE__C\n"
    text += f"{LEAD_18},Berg,Firm,Closed - Converted,true,0035g00000ABCdeAAH,0055g00000ABCdeAAA,2024-03-05T13:45:00.000Z,2024-03-06 10:00:00,17\n"
    world, loaded = salesforce(tmp_path, text)
    (lead,) = world.rows("Lead")
    assert loaded.ignored == ("OWNERID",)
    assert (lead["IsConverted"], lead.get("ConvertedContactId"), lead["SCORE__c"]) == (True, None, "17")
    assert (lead["CreatedDate"], lead["SystemModstamp"]) == ("2024-03-05T13:45:00.000+0000", "2024-03-06T10:00:00.000+0000")


@pytest.mark.parametrize(
    ("header", "lead", "contact"),
    [
        ("Id,Last Name,Company / Account,City", f"{LEAD},Berg,Firm,Köln", "0035g00000ABCde,Berg,Firm,Köln"),
        ("Lead/Contact,Last Name,Company / Account,City", "Lead,Berg,Firm,Köln", "Contact,Berg,Firm,Köln"),
        ("Lead ID,Contact ID,Last Name,Company / Account,City", f"{LEAD},,Berg,Firm,Köln", ",0035g00000ABCde,Berg,Firm,Köln"),
    ],
    ids=["by id", "by a column", "by two id columns"],
)
def test_leads_and_contacts_share_a_file(tmp_path: Path, header: str, lead: str, contact: str) -> None:
    """The same columns mean a Lead's own company and city, or a Contact's account and mailing city."""
    world, _ = salesforce(tmp_path, f"{header}\n{lead}\n{contact}\n")
    (one,), (other,), (account,) = world.rows("Lead"), world.rows("Contact"), world.rows("Account")
    assert (one["Company"], one["City"]) == ("Firm", "Köln")
    assert (other["AccountId"], other["MailingCity"], account["Name"]) == (account["Id"], "Köln", "Firm")


def test_contacts_of_one_company_share_their_account(tmp_path: Path) -> None:
    """Without account ids the name decides, in any case; what the file says of the account goes to it."""
    text = (
        "Contact ID,Full Name,Account Name,Website,Mailing City\n0035g00000ABCde,Ann van Berg,Firm,https://firm.example,Köln\n0035g00000ABCdf,Ken Mori,FIRM,,\n"
    )
    world, _ = salesforce(tmp_path, text)
    (account,) = world.rows("Account")
    people = list(world.rows("Contact"))
    assert account["Website"] == "https://firm.example"
    assert [(row["FirstName"], row["LastName"], row["AccountId"]) for row in people] == [("Ann van", "Berg", account["Id"]), ("Ken", "Mori", account["Id"])]


def test_a_repeated_person_counts_once(tmp_path: Path) -> None:
    """Reports repeat a person; equal lines are one."""
    world, _ = salesforce(tmp_path, f"Lead ID,Last Name,Lead Status\n{LEAD},Berg,New\n{LEAD},Berg,New\n")
    assert len(list(world.rows("Lead"))) == 1


def test_new_records_get_ids_of_their_own(tmp_path: Path) -> None:
    """An id that came with a file is not given out again."""
    first = SalesforceWorld().create("Lead", {"LastName": "X", "Company": "Y"})
    world, _ = salesforce(tmp_path, f"Lead ID,Last Name\n{first},Berg\n")
    assert world.create("Lead", {"LastName": "X", "Company": "Y"}) != first


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is empty"),
        ("PK\x03\x04...", "unpack it, or export again as CSV"),
        ("<html><table>", "export again with the format .csv"),
        ("Colour,Shape\nred,round\n", "no column of a HubSpot contact export .* is it the other file"),
        ("Email,Create Date\na@x.example,2024-03-05 10:00\n\nb@x.example,soon\n", r'line 4, column "Create Date": \'soon\' is not a date; write it as'),
        ("Email,Create Date\na@x.example,13/05/2024\nb@x.example,05/13/2024\n", "puts the day first and .* the month; write all dates as"),
        ("Email,First Name\na@x.example,Ann\nb@x.example\n", "line 3: has 1 cells where the header has 2"),
        ("Email,First Name\na@x.example,Ann,Berg\n", "line 2: has 3 cells where the header has 2; put values that hold separators"),
        ('Email,First Name\na@x.example,"Ann\n', "broken quoting"),
        ("Record ID,Email\n1.2E+10,a@x.example\n", r'line 2, column "Record ID": .*a spreadsheet may have turned it'),
        ("Record ID,Email\n7,a@x.example\n8,A@x.example\n", r"line 3, column \"Email\": 'a@x.example' stands in line 2 too"),
        ("Email,Marketing emails opened\na@x.example,many\n", r'column "Marketing emails opened": \'many\' is not a number'),
        ("Email,Unsubscribed from all email\na@x.example,perhaps\n", "neither true nor false; write 1 or 0"),
    ],
)
def test_a_bad_hubspot_file_is_explained(tmp_path: Path, content: str, complaint: str) -> None:
    """One message names the file, the place and the cure; nothing was loaded."""
    world = HubSpotWorld()
    with pytest.raises(ExportError, match=complaint) as caught:
        load_hubspot(world, written(tmp_path, content, "people.csv"))
    assert str(caught.value).startswith("people.csv")
    assert list(world.contacts()) == []


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("First Name,Last Name\nAnn,Berg\n", "line 2: neither Lead nor Contact: add the column Lead ID or Contact ID"),
        (f"Lead ID,Email\n{LEAD},a@x.example\n", "line 2: a Lead without a last name"),
        ("Lead ID,Last Name\n00q5g00000abcdeEAD,Berg\n", 'line 2, column "Lead ID": .* is no record id'),
        (f"Lead ID,Last Name,City\n{LEAD},Berg,Ulm\n{LEAD},Berg,Bonn\n", f"line 3: the id {LEAD} stands in line 2 too, with other values"),
        (f"Lead ID,Last Name,Employees\n{LEAD},Berg,a dozen\n", r'line 2, column "Employees": \'a dozen\' is not a number'),
    ],
)
def test_a_bad_salesforce_file_is_explained(tmp_path: Path, content: str, complaint: str) -> None:
    """One message names the file, the place and the cure; nothing was loaded."""
    world = SalesforceWorld()
    with pytest.raises(ExportError, match=complaint):
        load_salesforce(world, written(tmp_path, content))
    assert [*world.rows("Lead"), *world.rows("Contact"), *world.rows("Account")] == []


def test_a_file_that_is_not_there_is_explained(tmp_path: Path) -> None:
    """A mistyped name is no traceback."""
    with pytest.raises(ExportError, match=r"nowhere\.csv: cannot be read"):
        read_table(tmp_path / "nowhere.csv")


def test_a_cut_off_file_is_no_footer(tmp_path: Path) -> None:
    """A last line that is only short is a broken row, not the end of a report."""
    with pytest.raises(ExportError, match="line 3: has 1 cells"):
        read_table(written(tmp_path, f"Lead ID,Last Name,City\n{LEAD},Berg,Ulm\n00Q5g000"))


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2099, 12, 31)), st.sampled_from(["us", "de", "gb", "iso", "data loader", "jp"]))  # noqa: DTZ001  # written without a zone on purpose
def test_every_form_of_a_moment_is_read_back(at: datetime, form: str) -> None:
    """Whatever locale wrote it, the same minute comes back."""
    at = at.replace(second=0, microsecond=0)
    hour = at.hour % 12 or 12
    text = {
        "us": f"{at.month}/{at.day}/{at.year}, {hour}:{at.minute:02d} {'PM' if at.hour >= 12 else 'AM'}",
        "de": f"{at.day:02d}.{at.month:02d}.{at.year} {at.hour:02d}:{at.minute:02d}",
        "gb": f"{at.day:02d}/{at.month:02d}/{at.year} {at.hour:02d}:{at.minute:02d}",
        "iso": f"{at.isoformat()}.000Z",
        "data loader": f"{at:%Y-%m-%d %H:%M}:00",
        "jp": f"{at.year}/{at.month}/{at.day} {at.hour}:{at.minute:02d}",
    }[form]
    assert moment(text, UTC, day_first=form == "gb" or day_first([text])) == at.replace(tzinfo=UTC)


@given(st.integers(min_value=-(10**12), max_value=10**12), st.sampled_from(["{:,}", "{}", "USD {:,}", "$ {:,.2f}", "{:.1f}"]))
def test_every_form_of_a_number_is_read_back(value: int, form: str) -> None:
    """Separators of thousands and currencies change nothing."""
    assert number(form.format(value)) == value


def test_numbers_of_other_countries() -> None:
    """Dots and blanks count thousands where a comma is the decimal point; one dot alone is a decimal point, except in whole numbers."""
    read = {text: str(number(text)) for text in ("1.234.567,8", "1'200", "1 234,5", "0.125", "1.200", "12.5%")}
    assert read == {"1.234.567,8": "1234567.8", "1'200": "1200", "1 234,5": "1234.5", "0.125": "0.125", "1.200": "1.200", "12.5%": "12.5"}
    assert str(number("1.200", whole=True)) == "1200"
