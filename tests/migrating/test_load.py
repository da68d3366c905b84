"""`stagesync migrate load` and `verify`: everybody moves within what the survey showed, and the counts add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from moving import WAY, Move, approval, fates, move
from pages import Structure

from stagesync.app.migrating.proof import Proof
from stagesync.app.terminal.progress import pace
from stagesync.app.views.migrate_load import proof_sentence
from stagesync.state import entries, people
from stagesync.state.store import open_store
from stagesync.sync.looking.verify import Verification
from stagesync.sync.migrating.fates import SAYS_MORE, SAYS_NO_MORE, Fate, Fates


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Move]:
    """A portal and an org with nobody in them."""
    with move(tmp_path) as made:
        yield made


def test_everybody_moves_and_it_is_proved(empty: Move) -> None:
    """New ones are made, those who are there are brought up to date, who stays behind is counted; nothing is written to the source, and a second load
    writes nothing."""
    empty.people(5, lifecyclestage="marketingqualifiedlead")
    empty.hub.create({"lastname": "Nameless"})
    empty.crm.create("Lead", {"Email": "p0@acme.example", "LastName": "Lee0", "Company": "Acme", "Title": "Boss"})
    done = empty.load()
    assert done.exit_code == 0, done.stderr
    assert "4 created, 1 updated" in done.stdout
    assert '"writes": 5' in done.stderr, "the log's last line counts all runs of the load"
    assert (empty.lead("p1@acme.example")["Status"], empty.lead("p0@acme.example")["Title"]) == ("Marketing Qualified", "Boss")
    assert not [call for call in empty.box.written() if "/crm/" in call]
    proof = empty.phase("verify")
    assert (
        proof.exit_code,
        "Proved: every record is accounted for. 5 of 6 records arrived, and every mapped field agrees; 1 was left out by a rule." in proof.stdout,
    ) == (0, True), proof.stdout
    assert fates(empty.json("verify")) == {"created": 4, "matched": 1, "excluded": 1}
    empty.box.reset()
    again = empty.phase("load")
    assert (again.exit_code, empty.box.written()) == (0, [])


def test_nothing_is_loaded_without_the_surveys_digest(empty: Move) -> None:
    """No survey, no answer, or the digest of another one: each is refused with the next step, and nothing is written."""
    empty.people(2)
    assert "the survey comes first" in empty.phase("load", *WAY).stderr
    digest = empty.json("survey", *WAY)["digest"]
    assert "the survey comes first" in empty.phase("load", "--from", "salesforce", "--to", "hubspot").stderr
    stopped = empty.phase("load")
    assert (stopped.exit_code, approval(stopped.stderr)) == (3, digest)
    assert empty.phase("load", "--approve", "0123abcd").exit_code == 2
    assert empty.phase("verify").exit_code == 2
    assert empty.box.written() == []


def test_more_than_the_survey_showed_is_stopped(empty: Move) -> None:
    """Sixty people who came after the survey are more than the guard lets through beyond it; a new survey shows them."""
    empty.people(3)
    digest = empty.json("survey", *WAY)["digest"]
    for number in range(60):
        empty.hub.create({"email": f"late{number}@acme.example", "lastname": "Late"})
    stopped = empty.phase("load", "--approve", digest)
    assert (stopped.exit_code, "63 creates in salesforce" in stopped.stderr) == (3, True), stopped.stderr
    assert empty.box.written() == []
    assert empty.load().exit_code == 0


def test_a_changed_mapping_wants_a_new_survey(empty: Move) -> None:
    """What was approved was approved under the maps of that time."""
    empty.people(1)
    digest = empty.json("survey", *WAY)["digest"]
    empty.box.add('\n[fields.job_title]\npolicy = "always hubspot"\n')
    stopped = empty.phase("load", "--approve", digest)
    assert (stopped.exit_code, "changed since the survey" in stopped.stderr) == (3, True)


def test_a_difference_is_found_wherever_it_is(empty: Move) -> None:
    """An edit in the source, an edit in the target, somebody new, somebody deleted there: each is told, and the exit code is 1."""
    contact, *_ = empty.people(4, jobtitle="Head")
    assert empty.load().exit_code == 0
    empty.hub.edit(contact, {"jobtitle": "Chief"})
    empty.crm.edit(empty.lead("p1@acme.example")["Id"], {"Title": "Boss"})
    empty.crm.delete(empty.lead("p2@acme.example")["Id"])
    empty.hub.create({"email": "new@acme.example", "lastname": "New"})
    assert empty.phase("verify").exit_code == 1
    told = empty.json("verify")
    assert {(each["system"], each["field"]): each["records"] for each in told["differing"]} == {("hubspot", "job_title"): 1, ("salesforce", "job_title"): 1}
    assert {each["why"] for each in told["orphaned"]} == {"a record that no run has read yet", "linked, but no longer there"}
    assert (told["read"], told["adds_up"], told["proved"]) == (5, False, False)


def test_consent_is_never_loosened(empty: Move) -> None:
    """Who has opted out in the source has opted out in the target; who has there, and not here, stays so."""
    empty.people(2)
    empty.box.worlds.hubspot.by_hand.opt_out("p0@acme.example")
    empty.crm.create("Lead", {"Email": "p1@acme.example", "LastName": "Lee1", "Company": "Acme", "HasOptedOutOfEmail": True})
    assert empty.load().exit_code == 0
    assert empty.lead("p0@acme.example")["HasOptedOutOfEmail"] is True
    assert empty.lead("p1@acme.example")["HasOptedOutOfEmail"] is True
    assert empty.phase("verify").exit_code == 0


def test_a_refused_record_is_counted_as_such(empty: Move) -> None:
    """The target's own rule refuses one of three: the others arrive, the sum names it, and the load says so by its exit code."""
    empty.people(3)
    empty.crm.fail_rows("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", times=1, kind="Lead")
    done = empty.load()
    assert (done.exit_code, "refused there" in done.stdout) == (1, True), done.stdout
    assert fates(empty.json("verify")) == {"created": 2, "rejected": 1}
    proof = empty.phase("verify")
    assert (proof.exit_code, "Not proved: 1 record refused there (`stagesync errors`).\n" in proof.stdout) == (1, True), proof.stdout


def test_whoever_waits_or_was_left_out_has_not_arrived(empty: Move, tmp_path: Path) -> None:
    """The proof holds, and says of whom it does: who waits for an answer and who was left out are counted, on the page, the terminal and for programs."""
    empty.people(3)
    empty.hub.create({"lastname": "Nameless"})
    empty.hub.create({"email": "info@acme.example", "lastname": "Ash"})
    empty.crm.create("Lead", {"Email": "info@acme.example", "LastName": "Birch", "Company": "Acme"})
    assert empty.load().exit_code == 0, "the survey has asked already"
    page = tmp_path / "proof.html"
    proof = empty.phase("verify", "--html", str(page))
    told = "3 of 5 records arrived, and every mapped field agrees; 1 waits for an answer (`stagesync holds`), 1 was left out by a rule."
    assert (proof.exit_code, f"Proved: every record is accounted for. {told}\n" in proof.stdout) == (0, True), proof.stdout
    text = page.read_text("utf-8")
    assert 'class="verdict asks"' in text and "Everybody arrived" not in text
    assert "✓ 3 of 5 records arrived" in "".join(Structure(text).text["p"])
    found = empty.json("verify")
    assert (found["proved"], found["complete"], found["arrived"], found["read"]) == (True, False, 3, 5)


@pytest.mark.parametrize(
    ("told", "compared", "sentence"),
    [
        ({("created", ""): 2, ("duplicate", SAYS_NO_MORE): 1}, Verification(), "Everybody arrived, and every mapped field agrees."),
        (
            {("matched", ""): 3},
            Verification(held=1, frozen=2),
            "All arrived, and every mapped field agrees but in 1 record about which something is asked, 2 records that the configuration excludes by now.",
        ),
        (
            {("created", ""): 1, ("duplicate", SAYS_MORE): 2},
            Verification(),
            "All arrived, and every mapped field agrees; 2 are second records of which more stays behind.",
        ),
        ({("created", ""): 1, ("open", ""): 2}, Verification(drifted=1), "2 records not moved yet, 1 record with a field that differs."),
        (
            {("created", ""): 1, ("gone", ""): 1},
            Verification(orphans=1),
            "1 record deleted there since, 1 record come or gone since the last run, 1 record without a person, or",
        ),
    ],
)
def test_the_proof_says_of_whom_it_holds(told: dict[tuple[Fate, str], int], compared: Verification, sentence: str) -> None:
    """What is still asked, excluded, or said by a second record alone is no failure, and not passed over; what is one is counted."""
    found = Proof("hubspot", "salesforce", 0, 3, compared, Fates(sum(told.values()), Counter(told)))
    assert proof_sentence(found).startswith(sentence)
    assert found.proved == (not any(name in ("open", "gone") for name, _ in told))
    assert found.complete == (sentence == "Everybody arrived, and every mapped field agrees.")


def test_the_ledger_has_the_stages_of_the_past(empty: Move) -> None:
    """When somebody became what in the source, in which order, is in the ledger after the load, with its own times."""
    empty.box.later(-3 * 3600)
    contact = empty.hub.create({"email": "anna@acme.example", "lastname": "Ash", "lifecyclestage": "subscriber"})
    for stage in ("lead", "marketingqualifiedlead"):
        empty.box.later(3600)
        empty.hub.edit(contact, {"lifecyclestage": stage})
    assert empty.load().exit_code == 0
    with open_store(f"sqlite:///{empty.box.config.with_name('stagesync.db')}").read() as tx:
        (anna,) = people.each(tx, 1, 0, 10)
        stays = entries.of_people(tx, [anna.id])[anna.id]
    assert [(stay.stage, stay.origin) for stay in stays] == [("subscriber", "history"), ("lead", "history"), ("mql", "history")]
    entered = [stay.entered_at // 60_000 for stay in stays if stay.entered_at is not None]
    assert [later - sooner for sooner, later in pairwise(entered)] == [60, 60]


@pytest.mark.parametrize(
    ("count", "total", "done", "seconds", "told"),
    [
        (5, None, 0, 0.0, "5"),
        (1200, 5000, 1000, 10.0, "1,200 of 5,000 (24 %), 100 a second, 38 s left"),
        (200, 100_000, 200, 10.0, "200 of 100,000 (0 %), 20 a second, 83 min left"),
        (1, 1_000_000, 1, 0.5, "1 of 1,000,000 (0 %)"),
        (50, 50, 50, 5.0, "50 of 50 (100 %), 10 a second"),
    ],
)
def test_progress_tells_rate_and_time_left(count: int, total: int | None, done: int, seconds: float, told: str) -> None:
    """As far as both can be known by then."""
    assert pace(count, total, done, seconds) == told
