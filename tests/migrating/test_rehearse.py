"""`stagesync migrate rehearse`: a few who show what will happen to all, read back, and put back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moving import WAY, Move, fates, move

from stagesync.sync.migrating.spread import Spread


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Move]:
    """A portal and an org with nobody in them."""
    with move(tmp_path) as made:
        yield made


def test_those_go_first_who_show_the_most(empty: Move) -> None:
    """Of thirty, six: one of each stage, one who is there already, letters beyond English, the longest name; and only they are written."""
    empty.people(27, lifecyclestage="lead")
    empty.hub.create({"email": "c@acme.example", "lastname": "Cee", "lifecyclestage": "customer"})
    empty.hub.create({"email": "z@acme.example", "lastname": "Žižek", "lifecyclestage": "lead"})
    empty.hub.create({"email": "l@acme.example", "lastname": "L" * 60, "lifecyclestage": "lead"})
    empty.crm.create("Lead", {"Email": "p9@acme.example", "LastName": "Lee9", "Company": "Acme"})
    empty.json("survey", *WAY)
    told = empty.json("rehearse", "--yes", "--people", "6")
    shows = {trait for example in told["chosen"] for trait in example["shows"]}
    assert {"stage: lifecyclestage=customer", "stage: lifecyclestage=lead", "there", "letters: last_name", "longest: last_name"} <= shows
    assert (len(told["people"]), told["created"], told["landed"]) == (6, 5, True)
    assert len(list(empty.crm.rows("Lead"))) == 6


def test_a_rehearsal_wants_a_yes(empty: Move) -> None:
    """Without a terminal, exit 3 and no write; without a survey, exit 2."""
    empty.people(2)
    assert empty.phase("rehearse", *WAY).exit_code == 2
    empty.json("survey", *WAY)
    stopped = empty.phase("rehearse")
    assert (stopped.exit_code, "stagesync migrate rehearse --yes" in stopped.stderr) == (3, True)
    assert empty.box.written() == []


def test_a_rehearsal_that_is_put_back_was_never_there(empty: Move) -> None:
    """What was made is archived, what was changed is as before; the load then moves these people like all others, each once, and the proof holds."""
    empty.people(15, jobtitle="Head")
    lead = empty.crm.create("Lead", {"Email": "p3@acme.example", "LastName": "Lee3", "Company": "Acme", "Title": "Boss"})
    first = fates(empty.json("survey", *WAY))
    told = empty.json("rehearse", "--yes", "--people", "15")
    assert (told["created"], empty.lead("p3@acme.example")["Title"]) == (14, "Head")
    back = empty.json("rehearse", "--undo")
    assert back["people"] == 15
    assert [(row["Id"], row["Title"]) for row in empty.crm.rows("Lead")] == [(lead, "Boss")]
    assert fates(empty.json("survey")) == first
    assert empty.load().exit_code == 0
    assert sorted(row["Email"] for row in empty.crm.rows("Lead")) == sorted(f"p{number}@acme.example" for number in range(15))
    assert empty.lead("p3@acme.example")["Title"] == "Head"
    assert empty.phase("verify").exit_code == 0
    assert empty.phase("rehearse", "--undo").exit_code == 2


def test_a_refusal_in_the_rehearsal_is_told(empty: Move) -> None:
    """Something that the target does not take shows with a few, not with all: exit 1."""
    empty.people(3)
    empty.json("survey", *WAY)
    empty.crm.fail_rows("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", times=1, kind="Lead")
    result = empty.phase("rehearse", "--yes")
    assert (result.exit_code, "Not all of it arrived as wanted" in result.stdout) == (1, True)


@given(st.integers(1, 40), st.integers(0, 400))
def test_a_few_are_spread_over_all(size: int, count: int) -> None:
    """Never more than asked for, all where there are no more, in their order, and from the second half too."""
    spread: Spread[int] = Spread(size)
    for number in range(count):
        spread.add(number)
    chosen = spread.chosen
    assert len(chosen) == count if count <= size else size // 2 <= len(chosen) <= size
    assert chosen == sorted(set(chosen))
    assert size < 4 or count <= size or chosen[-1] >= count // 2


def test_a_rehearsal_in_which_nobody_arrives_says_so(empty: Move) -> None:
    """A required field that nobody mapped: no record is made, the survey says why, and the rehearsal names who is left, exit 1."""
    empty.crm.define("Lead", "Region__c", nillable=False)
    empty.people(3)
    survey = empty.json("survey", *WAY)
    assert [(each["fate"], each["why"], each["records"]) for each in survey["fates"]] == [("held", "a required field has no value", 3)]
    told = empty.phase("rehearse", "--yes")
    assert told.exit_code == 1
    assert "0 people of hubspot went to salesforce" in told.stdout and "Without a record there: p1, p2, p3" in told.stdout
