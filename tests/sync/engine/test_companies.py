"""People are linked to the records of their companies: found by domain or by name, made where that is allowed, and never taken from where somebody put them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from lab import Lab
from moving import WAY, Move, move
from office import FALLBACK, Office

from stagesync.model.companies import FIELD, Company, host_of, read_company
from stagesync.model.shadow import OTHER, SAME, ShadowRow
from stagesync.sandbox.faults import Fault
from stagesync.state.links import LinkRow
from stagesync.sync import engine
from stagesync.sync.sending import failures
from stagesync.sync.shadows.shadowing import Edit, Look, judge
from stagesync.sync.undoing.undo import plan_undo

ANNA, BEA = "anna@ash.example", "bea@bell.example"
CONTACTS = {"kind": "contact", "fallback": {"LastName": FALLBACK["LastName"]}}


def linking(**companies: str) -> dict[str, Any]:
    """What an office is told so that the org's Contacts are made and linked."""
    return {"overrides": {"crm": {"create": CONTACTS, "companies": companies}}}


def accounts(office: Office) -> dict[str, str]:
    """Name -> id of the org's Accounts, each name once."""
    rows = list(office.crm.rows("Account"))
    assert len({row["Name"] for row in rows}) == len(rows), rows
    return {row["Name"]: row["Id"] for row in rows}


def company_of(office: Office, email: str) -> str | None:
    """The name of the Account to which the Contact with that address is linked."""
    id = office.person(email, "Contact").get("AccountId")
    return next((name for name, each in accounts(office).items() if each == id), None)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Move]:
    """A portal and an org with nobody in them, whose Contacts are to be linked by domain."""
    with move(tmp_path) as made:
        made.box.replace("[systems.salesforce.create]\n", '[systems.salesforce.companies]\nby = "domain"\n\n[systems.salesforce.create]\nkind = "contact"\n')
        made.box.replace(', Company = "[not provided]"', "")
        yield made


def test_a_migration_links_everybody_whose_company_is_known(empty: Move) -> None:
    """The survey counts the companies; one is found by its website, one made for several people, one of two Accounts is nobody's, a free mail address none."""
    empty.people(3, company="Acme Inc")
    for number, (domain, company) in enumerate((("beta.example", "Beta GmbH"), ("gmail.com", "Gamma"), ("two.example", "Two"))):
        empty.hub.create({"email": f"q{number}@{domain}", "lastname": f"Q{number}", "company": company})
    empty.crm.create("Account", {"Name": "BETA Holding", "Website": "https://www.Beta.example/about"})
    empty.crm.create("Account", {"Name": "Two A", "Website": "two.example"})
    empty.crm.create("Account", {"Name": "Two B", "Website": "two.example"})
    told = empty.json("survey", *WAY)
    counted = {name: told["companies"][name] for name in ("people", "there", "missing", "several", "refused")}
    assert counted == {"people": 5, "there": 1, "missing": 1, "several": 1, "refused": 0}
    page = empty.box.config.with_name("survey.html")
    text = empty.phase("survey", "--html", str(page)).stdout
    assert "Companies of salesforce, looked for by domain: 5 people would be linked to one" in text
    assert "Companies of salesforce, looked for by domain" in page.read_text("utf-8")
    assert len(list(empty.crm.rows("Account"))) == 3, "a survey makes none"

    done = empty.load()
    assert (done.exit_code, "6 created, 1 rejected" in done.stdout) == (1, True), done.stdout
    names = {row["Id"]: row["Name"] for row in empty.crm.rows("Account")}
    linked = {row["Email"]: names.get(row.get("AccountId")) for row in empty.crm.rows("Contact")}
    assert linked == dict.fromkeys(("p0@acme.example", "p1@acme.example", "p2@acme.example"), "Acme Inc") | {
        "q0@beta.example": "BETA Holding",
        "q1@gmail.com": None,
        "q2@two.example": None,
    }
    proof = empty.phase("verify")
    assert (proof.exit_code, "1 record of salesforce without a company: several records may be it" in proof.stdout) == (0, True), proof.stdout
    assert "Nobody can tell which of several records the company's is" in empty.box.run("errors").stdout
    assert 'company record: "Two <two.example>"' in empty.box.run("why", "q2@two.example", "company_record").stdout
    assert [row["properties"]["company"] for row in empty.box.worlds.hubspot.contacts() if row["properties"]["email"] == "q0@beta.example"] == ["Beta GmbH"]

    contact = next(row for row in empty.crm.rows("Contact") if row["Email"] == "p0@acme.example")
    empty.crm.edit(contact["Id"], {"AccountId": None})
    proof = empty.phase("verify")
    assert (proof.exit_code, 'company record: (blank) there, "Acme Inc <acme.example>" agreed' in proof.stdout) == (1, True), proof.stdout


def test_a_plan_counts_companies_and_their_calls_as_the_survey_does(empty: Move) -> None:
    """Who looks at a plan is told what is there, what would be made, and what that costs; nothing is made."""
    empty.people(3, company="Acme Inc")
    plan, survey = empty.box.json("plan"), empty.json("survey", *WAY)
    assert plan["companies"] == {"salesforce": survey["companies"]}
    (told,) = [each for each in plan["cost"] if each["system"] == "salesforce"]
    (cost,) = [each for each in survey["costs"] if each["system"] == "salesforce"]
    assert (told["companies"], told["calls"]) == (cost["calls"]["companies"], cost["calls"]["companies"] + cost["calls"]["writing"])
    text = empty.box.run("plan").stdout
    assert f"about {told['calls']} API calls, {told['companies']} of them for companies" in text
    assert "Companies of salesforce, looked for by domain: 3 people would be linked to one\n      1  are not there and would be made" in text
    assert list(empty.crm.rows("Account")) == []


def test_a_rehearsal_that_is_undone_leaves_the_accounts_and_says_so(empty: Move) -> None:
    """The Contacts go, the Accounts that were made for them stay, and the load finds them."""
    empty.people(2, company="Acme Inc")
    empty.json("survey", *WAY)
    rehearsed = empty.phase("rehearse", "--yes")
    assert rehearsed.exit_code == 0, rehearsed.stdout + rehearsed.stderr
    run = empty.box.json("runs")["runs"][0]["run"]
    for words in (("--dry-run",), ("--yes",)):
        assert "Companies that the run made in salesforce stay there" in empty.box.run("undo", str(run), *words).stdout
    assert list(empty.crm.rows("Contact")) == []
    assert empty.load().exit_code == 0
    assert len(list(empty.crm.rows("Account"))) == 1


def test_nothing_is_made_where_missing_companies_are_left(tmp_path: Path) -> None:
    """By name, however it is written; who has none there stays without, which is no refusal, and is linked once somebody has made it and says so."""
    office = Office(tmp_path, **linking(by="name", missing="leave"))
    office.crm.create("Account", {"Name": "The Bell, Ltd."})
    office.hub.create({"email": BEA, "lastname": "Bell", "company": "THE BELL"})
    office.hub.create({"email": ANNA, "lastname": "Ash", "company": "Äsh & Sons"})
    office.quiet()
    assert (company_of(office, BEA), company_of(office, ANNA), list(accounts(office))) == ("The Bell, Ltd.", None, ["The Bell, Ltd."])
    office.crm.create("Account", {"Name": "Ash and Sons"})
    office.crm.create("Account", {"Name": "Äsh & Sons AG"})
    assert failures.retry(office.session.store, office.session.workspace, lambda failure: True, office.clock.now_ms()) == 1
    office.session = office.reopened()
    report = office.run()
    assert (company_of(office, ANNA), report.rejected, office.run().writes) == ("Äsh & Sons AG", 0, 0)


def test_another_rule_links_whom_the_first_could_not(tmp_path: Path) -> None:
    """Somebody with a free mail address has no domain to go by; once companies are known by name, they are linked too."""
    office = Office(tmp_path, **linking(by="domain"))
    office.crm.create("Contact", {"Email": "old@gmail.com", "LastName": "Older"})
    for email in ("new@gmail.com", "old@gmail.com"):
        office.hub.create({"email": email, "lastname": "Older" if email.startswith("old") else "Newer", "company": "Acme"})
    office.quiet()
    assert (company_of(office, "new@gmail.com"), company_of(office, "old@gmail.com"), accounts(office)) == (None, None, {})
    office.overrides = {**office.overrides, **linking(by="name")["overrides"]}
    office.session = office.reopened()
    office.quiet()
    assert (company_of(office, "new@gmail.com"), company_of(office, "old@gmail.com")) == ("Acme", "Acme")


def test_a_contact_that_somebody_moved_stays(tmp_path: Path) -> None:
    """Where a Contact was put by hand it stays, whatever its company says elsewhere; that Account's name travels as any edit does."""
    office = Office(tmp_path, **linking(by="name"))
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "company": "Acme"})
    office.quiet()
    assert company_of(office, ANNA) == "Acme"
    other = office.crm.create("Account", {"Name": "Other"})
    office.later()
    office.crm.edit(office.person(ANNA, "Contact")["Id"], {"AccountId": other})
    office.quiet()
    assert (company_of(office, ANNA), office.contact(ANNA)["company"]) == ("Other", "Other")
    office.later()
    office.hub.edit(contact, {"company": "Third"})
    office.quiet()
    assert (company_of(office, ANNA), office.contact(ANNA)["company"]) == ("Other", "Third")
    assert "Third" not in accounts(office)


def test_a_link_of_ours_follows_the_company(tmp_path: Path) -> None:
    """Whoever changes company is moved to its Account, where the link was ours; taken away by hand, it is not set again for the same company."""
    office = Office(tmp_path, **linking(by="name"))
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "company": "Acme"})
    office.quiet()
    office.later()
    office.hub.edit(contact, {"company": "Bell"})
    office.quiet()
    assert (company_of(office, ANNA), sorted(accounts(office))) == ("Bell", ["Acme", "Bell"])
    office.later()
    office.crm.edit(office.person(ANNA, "Contact")["Id"], {"AccountId": None})
    office.quiet()
    assert (company_of(office, ANNA), office.contact(ANNA)["company"]) == (None, "Bell")


def test_a_link_that_is_undone_is_not_set_again(tmp_path: Path) -> None:
    """A Contact that was there without an Account loses the link, keeps everything else, and the Account stays."""
    office = Office(tmp_path, **linking(by="name"))
    office.crm.create("Contact", {"Email": ANNA, "LastName": "Ash"})
    office.hub.create({"email": ANNA, "lastname": "Ash", "company": "Acme"})
    run = office.run().run
    assert company_of(office, ANNA) == "Acme"
    made = plan_undo(office.session, run)
    assert made.companies == {"crm"}
    engine.apply(office.session, made.plan.run, planned=made.plan)
    assert (company_of(office, ANNA), list(accounts(office))) == (None, ["Acme"])
    office.quiet()
    assert (company_of(office, ANNA), office.contact(ANNA)["company"]) == (None, "Acme")


class Companies(Lab):
    """Four people of three companies, one of whom is there already, before their first run. `planned`: calls and commits before its first write."""

    planned: tuple[int, int] = (0, 0)

    def _ask(self, planned: engine.PlanReport) -> None:
        self.planned = (self.calls["crm"], self.commits)
        super()._ask(planned)


def begun(folder: Path) -> Companies:
    """A lab that is about to make its first run."""
    lab = Companies(folder, **linking(by="domain"))
    lab.crm.create("Account", {"Name": "There", "Website": "www.there.example"})
    lab.crm.create("Contact", {"Email": "cy@new.example", "LastName": "Cole"})
    people = (("a@acme.example", "Ash", "Acme"), ("b@acme.example", "Bell", "Acme"), ("cy@new.example", "Cole", "New"), ("d@there.example", "Dole", "There"))
    for address, last, company in people:
        lab.hub.create({"email": address, "lastname": last, "company": company})
    return lab


def ended(lab: Lab) -> Mapping[str, str | None]:
    """Address -> company, once nothing is left to do."""
    lab.calm()
    lab.quiet()
    assert sorted(accounts(lab)) == ["Acme", "New", "There"]
    return {str(row["Email"]): company_of(lab, str(row["Email"])) for row in lab.crm.rows("Contact")}


LINKED = {"a@acme.example": "Acme", "b@acme.example": "Acme", "cy@new.example": "New", "d@there.example": "There"}


def test_a_run_that_dies_anywhere_makes_no_second_account(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Before each call and around every second commit since the first write: one Account for each company in the end, and everybody is linked."""
    whole = begun(tmp_path_factory.mktemp("state"))
    whole.round()
    (calls, commits), (all_calls, all_commits) = whole.planned, (whole.calls["crm"], whole.commits)
    assert (ended(whole), all_calls - calls >= 7) == (LINKED, True)
    places = [("crm", number) for number in range(calls + 1, all_calls + 1)]
    places += [("commit" if number % 4 < 2 else "committed", number) for number in range(commits + 1, all_commits + 1, 2)]
    for place in places:
        lab = begun(tmp_path_factory.mktemp("state"))
        lab.dies_at = place
        lab.round()
        assert "-- died, started again" in lab.story, place
        assert ended(lab) == LINKED, (place, lab.story)
        lab.store.close()


@pytest.mark.parametrize("way", ["lost_before", "lost_after"])
def test_an_answer_that_is_lost_makes_no_second_account(tmp_path: Path, way: Any) -> None:
    """What became of Accounts that were being made is looked up."""
    lab = begun(tmp_path)
    lab.crm.faults.add(Fault(way, match="POST /services/data/v66.0/composite/sobjects"))
    lab.round()
    assert ended(lab) == LINKED


def test_death_once_accounts_were_made_waits_for_what_may_still_arrive(tmp_path: Path) -> None:
    """The program dies when its Accounts are there and nobody has heard of them: they are found."""
    lab = begun(tmp_path)

    def die() -> None:
        lab.dead = True

    lab.after = ("crm", "POST /services/data/v66.0/composite/sobjects", die)
    lab.round()
    assert ended(lab) == LINKED


def test_many_people_go_in_bulk_with_their_accounts(tmp_path: Path) -> None:
    """A job carries the ids of the Accounts, records of one Account beside each other."""
    office = Office(tmp_path, crm_settings={"bulk_from": 10}, **linking(by="name"))
    for number in range(12):
        office.hub.create({"email": f"p{number}@x.example", "lastname": f"P{number}", "company": f"Company {number % 3}"})
    office.quiet()
    assert {company_of(office, f"p{number}@x.example") for number in range(12)} == {"Company 0", "Company 1", "Company 2"}


def test_a_shadow_takes_any_link_for_the_one_it_would_have_set() -> None:
    """To which record another tool has linked somebody is not held against it."""
    link = LinkRow(5, 2, "contact", "003", 1, "linked", 0, {"AccountId": "001"}, {}, {FIELD: 0}, None, None)
    waiting = ShadowRow(7, 1, 2, 5, "update", FIELD, None, "Acme <acme.example>", 1, "linked", False, False, None, 1)
    for after, verdict in (("001", SAME), (None, OTHER)):
        judged = judge(Look(1, 2, {}, [waiting], {(2, 5, FIELD): Edit("000", after, after, "crm", 2, "user 1")}, [link], versions={FIELD: 1}))
        assert [row.verdict for row in judged.closed] == [verdict]


def test_a_company_is_told_as_one_text() -> None:
    """Whatever a name holds, what was told is read again; web addresses are compared by their host."""
    for company in (Company("Acme Inc"), Company("Acme Inc", "acme.example"), Company("A <b> c", "d.example")):
        assert read_company(str(company)) == company
    hosts = ("https://www.Acme.example/about?x", "acme.example.", "acme.example:8080", "", "acme", None)
    assert [host_of(url) for url in hosts] == ["acme.example", "acme.example", "acme.example", None, None, None]
