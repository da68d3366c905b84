"""The pure merge: each row of its table, and its rules by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from merging import CITY, HUB, TIES, Table, by, decided, met, plain, short

from stagesync.mapping.fields import Field, Policy
from stagesync.model.records import Actor, FieldChange
from stagesync.sync.deciding.desk import Settings
from stagesync.sync.deciding.merge import Hub, Rules, Say, Side, Verdict, merge

OPT_OUT = Field("email_opt_out", "boolean", "consent", sticky=True)


# -- the table


def test_same_and_current_is_nothing() -> None:
    """Unchanged and up to date: nothing happens."""
    assert met().round().changed == {}


def test_same_and_older_is_owed_a_write() -> None:
    """Unchanged, but not up to date: the system is written."""
    table = met(settings=TIES)
    table.put("a", city="Ulm")
    table.round(fails=["b"])
    decision = table.round()
    assert [(view.system.name, view.values) for view in decision.views if view.values] == [("b", {"city": "Ulm"})]
    assert decision.overruled == []


def test_changed_and_current_is_an_edit() -> None:
    """Changed by somebody who saw the current value: a new version, for all."""
    table = met()
    table.put("b", city="Ulm")
    decision = table.round()
    assert decision.changed["city"][:3] == ["Bonn", "Ulm", 2]
    assert table.says() == {"a": "Ulm", "b": "Ulm", "c": "Ulm"}


def test_changed_and_older_is_a_true_conflict() -> None:
    """Changed by somebody who had not seen the current value: the policy decides, and what loses is on record."""
    table = met(settings=TIES)
    table.put("a", city="Ulm")
    table.round(fails=["b"])
    table.put("b", city="Kiel")
    decision = table.round()
    assert table.says() == {"a": "Ulm", "b": "Ulm", "c": "Ulm"}
    assert [(lost.system, lost.value, lost.winner) for lost in decision.overruled] == [("b", "Kiel", "Ulm")]


def test_changed_to_what_the_hub_holds_is_agreed() -> None:
    """Somebody typed what we were about to write: agreed, nothing is written, no conflict."""
    table = met(settings=TIES)
    table.put("a", city="Ulm")
    table.round(fails=["b"])
    table.put("b", city="Ulm")
    decision = table.round()
    assert not any(view.values for view in decision.views)
    assert decision.overruled == []
    assert table.links["b"].carried["city"] == 2


# -- the rules


def test_contenders_are_decided_at_once() -> None:
    """Two edits on top of the current version contend with each other, never with the value that both have seen."""
    verdict = decided(HUB, ("a", "same", "Bonn"), ("b", "edited", "Ulm"), ("c", "edited", "Kiel"))
    assert (verdict.hub.value, dict(verdict.losers)) == ("Ulm", {2: "conflict: b goes first (tie)"})
    assert verdict.replaced is None


def test_two_changed_while_a_third_is_owed() -> None:
    """While a field is held, the system that is owed an older version of it is not written either."""
    table = met(settings=Settings(order=None))
    table.put("a", city="Ulm")
    table.round(fails=["b", "c"])
    table.put("a", city="Kiel")
    table.put("b", city="Jena")
    decision = table.round()
    assert [hold.field for hold in decision.holds] == ["city"]
    assert not any(view.values for view in decision.views)
    assert table.says() == {"a": "Kiel", "b": "Jena", "c": "Bonn"}


def test_a_loser_carries_nothing_and_is_put_back() -> None:
    """What is overruled counts as agreed at version 0, so that its system is owed the winner even if the first write fails."""
    table = met(settings=TIES)
    table.put("a", city="Ulm")
    table.put("b", city="Kiel")
    table.round(fails=["b"])
    assert table.links["b"].carried["city"] == 0
    table.round()
    assert table.says()["b"] == "Ulm"


@pytest.mark.parametrize("policy", [Policy("two-way"), Policy("always", "b")])
def test_a_replaced_value_that_its_system_never_saw_go_is_on_record(policy: Policy) -> None:
    """A canonical value that gives way to somebody who had not seen it is overruled too, also under `always`."""
    verdict = decided(Hub("Ulm", 4, "c"), ("b", "behind", "Kiel"), ("c", "same", "Ulm"), field=replace(CITY, policy=policy))
    assert verdict.hub.value == "Kiel"
    assert verdict.replaced


def test_a_replaced_clear_is_on_record() -> None:
    """A clear that loses a conflict is a value that somebody entered: it is on record like any other."""
    assert decided(Hub(None, 4, "c"), ("a", "behind", "Kiel"), ("c", "same", None)).replaced
    assert decided(Hub(None, 4, "c"), ("a", "first", "Kiel"), ("c", "same", None)).replaced


def test_first_meeting_of_a_new_person() -> None:
    """A new person begins blank and all records meet at once, so nobody's value is an edit of another's."""
    verdict = decided(Hub(), ("a", "first", None), ("b", "first", "Ulm"), ("c", "first", "Ulm"))
    assert (verdict.hub, dict(verdict.losers)) == (Hub("Ulm", 1, "b"), {})


@pytest.mark.parametrize("policy", [Policy("two-way"), Policy("always", "a"), Policy("prefer", "a"), Policy("ask")])
def test_blank_never_beats_a_value_at_first_meeting(policy: Policy) -> None:
    """Whatever the policy, a blank says nothing when records meet."""
    verdict = decided(Hub(), ("a", "first", None), ("b", "first", "Ulm"), field=replace(CITY, policy=policy))
    assert (verdict.hub.value, dict(verdict.losers), verdict.hold) == ("Ulm", {}, None)


def test_first_meeting_is_held_without_an_answer() -> None:
    """Both filled and different: held, until somebody names a winner for the group."""
    assert decided(Hub(), ("a", "first", "Bonn"), ("b", "first", "Ulm")).hold == "first"
    assert decided(Hub(), ("a", "first", "Bonn"), ("b", "first", "Ulm"), winner="b").hub.value == "Ulm"


def test_first_meeting_newest() -> None:
    """With `newest`, the record that was modified last wins, whatever the order of systems."""
    sides = [Side("a", "first", "Bonn", 5), Side("b", "first", "Ulm", 7)]
    assert merge(CITY, Hub(), sides, Rules(None, "newest")).hub.value == "Ulm"


def test_a_newcomer_meets_what_is_agreed() -> None:
    """A third record that meets a known person contends with the canonical value, and a named winner that is absent leaves it."""
    assert decided(HUB, ("a", "same", "Bonn"), ("c", "first", "Kiel"), winner="b").hub.value == "Bonn"
    assert decided(HUB, ("a", "same", "Bonn"), ("c", "first", "Kiel"), winner="c").hub.value == "Kiel"
    assert decided(HUB, ("a", "same", "Bonn"), ("c", "first", None), winner="c") == Verdict(HUB)


def test_clearing_is_an_edit() -> None:
    """An emptied field is emptied everywhere."""
    table = met()
    table.put("c", city=None)
    table.round()
    assert table.says() == {"a": None, "b": None, "c": None}


def test_clears_false_puts_it_back() -> None:
    """Where clearing does not travel, it is overruled and the value comes back."""
    table = met(fields=[replace(CITY, clears=False)])
    table.put("c", city=None)
    decision = table.round()
    assert table.says() == {"a": "Bonn", "b": "Bonn", "c": "Bonn"}
    assert [lost.value for lost in decision.overruled] == [None]


def test_an_opt_out_is_sticky() -> None:
    """True travels at once; false on top of it is held until somebody decides."""
    assert decided(Hub(None, 1, "a"), ("a", "same", None), ("b", "edited", True), field=OPT_OUT).hub.value is True
    held = decided(Hub(True, 2, "b"), ("a", "edited", False), ("b", "same", True), field=OPT_OUT)
    assert (held.hold, held.hub.value) == ("consent", True)
    assert decided(Hub(True, 2, "b"), ("a", "edited", False), ("b", "same", True), field=OPT_OUT, answer="a").hub.value is False


def test_an_opt_out_beats_its_contradiction() -> None:
    """Two edits at once, in and out: out."""
    verdict = decided(Hub(None, 1, "a"), ("a", "edited", False), ("b", "edited", True), field=OPT_OUT)
    assert (verdict.hub.value, verdict.hold) == (True, None)


def test_agreement_made_by_hand_lifts_a_hold() -> None:
    """Contenders are collected anew in each run: once they agree, nothing is held."""
    table = met(settings=Settings(order=None))
    table.put("a", city="Ulm")
    table.put("b", city="Kiel")
    assert table.round().holds
    table.put("b", city="Ulm")
    assert not table.round().holds
    assert table.says() == {"a": "Ulm", "b": "Ulm", "c": "Ulm"}


def test_an_edit_that_is_put_back_is_taken_back() -> None:
    """Whoever puts a value back to what was agreed, while it is a question, has no part in it any more: the other's edit counts."""
    table = met(settings=Settings(order=None))
    table.put("a", city="Ulm")
    table.put("b", city="Kiel")
    assert table.round().holds
    table.put("a", city="Bonn")
    decision = table.round()
    assert (decision.holds, decision.overruled) == ([], [])
    assert table.says() == {"a": "Kiel", "b": "Kiel", "c": "Kiel"}


def test_lossy_storage_is_compared_in_its_own_form() -> None:
    """A system that keeps three letters of a longer value has not edited it, and its three letters never travel."""
    table = Table(("a", "b"), maps={"b": [short("city", 3)]})
    table.put("a", city="Berlin")
    table.put("b", city=None)
    table.round()
    assert table.says() == {"a": "Berlin", "b": "Ber"}
    decision = table.round()
    assert not any(view.values for view in decision.views)
    table.put("b", city="Ulm")
    table.round()
    assert table.says() == {"a": "Ulm", "b": "Ulm"}


def test_a_shortened_value_met_anew_is_the_fuller_one() -> None:
    """When records meet, the short form is no contradiction of the long one."""
    table = Table(("a", "b"), maps={"b": [short("city", 3)]})
    table.put("a", city="Berlin")
    table.put("b", city="Ber")
    decision = table.round()
    assert (decision.holds, table.hub()) == ([], "Berlin")


def test_absent_is_not_empty() -> None:
    """A field that did not come with the record is neither an edit nor a blank."""
    table = met()
    link = table.links["b"]
    table.links["b"] = link._replace(seen={})
    table.put("a", city="Ulm")
    decision = table.round()
    assert decision.holds == []
    assert table.says()["a"] == table.says()["c"] == "Ulm"
    assert table.hub() == "Ulm"


def test_unreadable_is_not_empty() -> None:
    """A value that cannot be understood is held with its system named; it clears nothing, and the others go on."""
    table = met()
    table.put("b", city="?")
    table.put("a", city="Ulm")
    decision = table.round()
    assert [(hold.field, hold.about) for hold in decision.holds] == [("city", "b")]
    assert table.says() == {"a": "Ulm", "b": "?", "c": "Ulm"}


def test_nobody_s_spelling_is_rewritten() -> None:
    """Equal in our terms is equal: the two ways to write it both stay."""
    folded = replace(plain("city"), read=lambda native, values: str(native).casefold() if native is not None else None)
    table = Table(("a", "b"), maps={"a": [folded], "b": [folded]})
    table.put("a", city="BONN")
    table.put("b", city="Bonn")
    table.round()
    assert table.says() == {"a": "BONN", "b": "Bonn"}


def test_field_times_from_history_decide_a_conflict() -> None:
    """Reconciliation takes the newest version's time from each vendor's history."""
    table = met(settings=TIES)
    table.put("a", city="Ulm")
    table.put("b", city="Kiel")
    somebody = Actor("user")
    table.round(history={"a": {"city": FieldChange("Ulm", 10, somebody)}, "b": {"city": FieldChange("Kiel", 20, somebody)}})
    assert table.says() == {"a": "Kiel", "b": "Kiel", "c": "Kiel"}


def test_a_system_that_is_only_read_is_not_written() -> None:
    """`direction = "read"`: its edits travel, nothing is written there, and it is owed nothing."""
    table = met(directions={"a": "read"})
    table.put("a", city="Ulm")
    table.round()
    table.put("b", city="Kiel")
    decision = table.round()
    assert table.says() == {"a": "Ulm", "b": "Kiel", "c": "Kiel"}
    assert not any(view.values for view in table.round().views)
    assert decision.holds == []


def test_a_system_that_is_only_written_is_put_back() -> None:
    """`direction = "write"`: what somebody types there does not count."""
    table = met(directions={"c": "write"})
    table.put("c", city="Ulm")
    decision = table.round()
    assert table.says() == {"a": "Bonn", "b": "Bonn", "c": "Bonn"}
    assert [lost.value for lost in decision.overruled] == ["Ulm"]


def test_a_frozen_record_is_left_alone_and_merged_later() -> None:
    """Excluded, its record is neither written nor heard; included again, it goes on from the version last carried."""
    excluded = {"c"}
    table = met(include=lambda system, values: "not wanted" if system in excluded else None, settings=TIES)
    table.put("a", city="Ulm")
    table.put("c", city="Kiel")
    table.round()
    assert table.says() == {"a": "Ulm", "b": "Ulm", "c": "Kiel"}
    excluded.clear()
    decision = table.round()
    assert table.says() == {"a": "Ulm", "b": "Ulm", "c": "Ulm"}
    assert [lost.value for lost in decision.overruled] == ["Kiel"]


@pytest.mark.parametrize("order", [{"a": 0, "b": 1}, {"b": 0, "a": 1}, None])
def test_whoever_goes_on_from_what_both_said_has_the_last_word(order: Any) -> None:
    """The other's word gives way to the one that was typed over the same value, whatever the order of systems; it is on record and put back once."""
    table = met(names=("a", "b"), settings=Settings(order=order))
    table.put("a", city="Ulm")
    table.round(fails=["b"])
    table.put("a", city="Kiel")
    table.put("b", city="Ulm")
    decision = table.round()
    assert [(each.system, each.value, each.winner, each.rule) for each in decision.overruled] == [("b", "Ulm", "Kiel", "edited in a")]
    assert table.says() == {"a": "Kiel", "b": "Kiel"}
    assert not any(view.values or view.touched for view in table.round().views)


@pytest.mark.parametrize("order", [{"a": 0, "b": 1}, {"b": 0, "a": 1}, None])
def test_the_short_form_of_what_the_hub_holds_is_the_same_word(order: Any) -> None:
    """So it is where the other can only say a shorter form of it: that contends no more than the whole."""
    table = met(names=("a", "b"), settings=Settings(order=order), maps={"b": [short("city", 3)]})
    table.put("a", city="Hamburg")
    table.round(fails=["b"])
    table.put("a", city="Kiel")
    table.put("b", city="Ham")
    decision = table.round()
    assert [(each.system, each.value, each.winner) for each in decision.overruled] == [("b", "Hamburg", "Kiel")]
    assert table.says() == {"a": "Kiel", "b": "Kie"}


@pytest.mark.parametrize("say", ["edited", "behind"])
def test_a_loser_that_said_what_the_hub_holds_is_on_record(say: Say) -> None:
    """Whatever the rule by which the hub's value is replaced: whoever had just typed it too is overruled with it."""
    verdict = decided(HUB, ("a", say, "Kiel"), ("b", "agreed", "Bonn"), ("c", "same", "Bonn"), field=by("always", "a"))
    assert (verdict.hub.value, dict(verdict.losers)) == ("Kiel", {1: "always a"})
