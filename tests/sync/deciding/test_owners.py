"""Owners in the merge, whatever people do in whatever order: a silent owner is no edit, no blank, and nobody's to overwrite."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from merging import Table

from stagesync.mapping.fields import Field, Policy, Silent
from stagesync.mapping.maps import FieldMap
from stagesync.mapping.owners import Owners, owner_reader, owner_writer
from stagesync.sync.deciding.desk import Asked, Settings

OWNER = Field("owner", "owner", "other", clears=False)
TIES = Settings({"other": "newest"}, {"crm": 0, "hub": 1})
THEIRS = (None, "h-ann", "h-ken", "h-lea", "h-left")
OURS = ("c-ann", "c-ken", "c-bob", "queue")


def mapped(owners: Owners) -> FieldMap:
    """An owner field with these owners."""
    return FieldMap("owner", "owner", owner_reader(owners), owner_writer(owners), writable=True, creatable=True, lossy=owners.fallback is not None)


def table(fallback: bool = False, settings: Settings = TIES, field: Field = OWNER) -> Table:
    """Ann and Ken own in both, Lea in `hub` only; Bob in `crm` only, in whose stead `hub` has Ken if there is a `fallback`."""
    hub = Owners({"h-ann": "ann", "h-ken": "ken"}, {"ann": "h-ann", "ken": "h-ken", "lea": "h-lea"}, "h-ken" if fallback else None)
    crm = Owners({"c-ann": "ann", "c-ken": "ken", **({"c-bob": "bob"} if fallback else {})}, {"ann": "c-ann", "ken": "c-ken", "bob": "c-bob"})
    return Table(("crm", "hub"), (field,), settings, {"hub": [mapped(hub)], "crm": [mapped(crm)]})


def email(at: Table, system: str) -> str | None:
    """Who owns the record there, in our terms; `-` where that says nothing."""
    native = at.links[system].seen["owner"]
    try:
        return None if native is None else str(at.maps[system][0].read(native, {}))
    except Silent:
        return "-"


EDITS = st.tuples(st.just("hub"), st.sampled_from(THEIRS)) | st.tuples(st.just("crm"), st.sampled_from(OURS))
ROUNDS = st.lists(st.tuples(st.lists(EDITS, max_size=3), st.sampled_from([(), (), ("hub",), ("crm",)])), max_size=6)


@given(st.sampled_from(THEIRS), st.sampled_from(OURS), ROUNDS, st.booleans(), st.sampled_from([TIES, Settings({"other": "hub"}, {"hub": 0, "crm": 1})]))
def test_owners_come_to_rest(
    theirs: str | None, ours: str, rounds: Sequence[tuple[Sequence[tuple[str, str | None]], Sequence[str]]], fallback: bool, settings: Settings
) -> None:
    """Nobody is asked, who says nothing is replaced only by a later choice, both agree where both speak, and then nothing moves."""
    at, now, typed = table(fallback, settings), 2, {"hub": 1, "crm": 2}
    at.put("hub", 1, owner=theirs)
    at.put("crm", 2, owner=ours)
    for edits, fails in [((), ()), *rounds, ((), ())]:
        stood = at.says("owner")
        for system, native in edits:
            now += 1
            at.put(system, now, owner=native)
        typed |= {system: at.links[system].stamp for system in typed if at.says("owner")[system] != stood[system]}
        before = {system: email(at, system) for system in typed}
        decision = at.round(fails=fails)
        assert (decision.holds, decision.wants) == ([], {})
        for view in decision.views:
            here, there = view.system.name, {"hub": "crm", "crm": "hub"}[view.system.name]
            if view.values and before[here] == "-":
                assert typed[there] > typed[here]
            assert view.values.get("owner", "") is not None
    if "-" not in (email(at, "hub"), email(at, "crm")):
        assert at.maps["hub"][0].write(email(at, "crm")) == at.links["hub"].seen["owner"]
    rest = at.round()
    assert not any(view.values or view.touched for view in rest.views)
    assert (rest.changed, rest.overruled) == ({}, [])


@given(st.sampled_from(THEIRS), st.sampled_from(("c-bob", "queue")))
def test_a_first_meeting_with_silence_writes_nothing(theirs: str | None, ours: str) -> None:
    """Without a fallback, whatever owns the contact: a Lead whose owner says nothing is not written, nor does it write."""
    at = table()
    at.put("hub", 1, owner=theirs)
    at.put("crm", 2, owner=ours)
    decision = at.round()
    assert not any(view.values for view in decision.views)
    assert (decision.holds, decision.overruled) == ([], [])


@pytest.mark.parametrize("policy", ["always", "prefer"])
def test_an_authority_that_says_nothing(policy: str) -> None:
    """Salesforce's word counts always: while a queue has the Lead, what was agreed stays. Unless blank: then HubSpot may choose."""
    at = table(field=Field("owner", "owner", "other", Policy("always" if policy == "always" else "prefer", "crm"), clears=False))
    at.put("hub", 1, owner="h-ann")
    at.put("crm", 2, owner="c-ann")
    at.round()
    at.put("crm", 3, owner="queue")
    at.round()
    at.put("hub", 4, owner="h-ken")
    at.round()
    assert at.says("owner") == ({"crm": "queue", "hub": "h-ann"} if policy == "always" else {"crm": "c-ken", "hub": "h-ken"})


def test_an_answer_of_the_silent_side_decides_nothing() -> None:
    """A question that is answered with a system that says nothing meanwhile stays a question: it never empties anything."""
    at = table(settings=Settings())
    at.put("hub", 1, owner="h-ann")
    at.put("crm", 2, owner="c-ken")
    (hold,) = at.round().holds
    assert hold.choices == {"crm": "ken", "hub": "ann"}
    at.put("crm", 3, owner="queue")
    at.round(answers={"owner": Asked("crm", hold.choices)})
    assert at.says("owner") == {"crm": "queue", "hub": "h-ann"}


def test_the_newest_answer_is_one_that_was_given() -> None:
    """Of three systems the one that was typed last says nothing: the newest of the others is meant, and nothing is emptied."""
    ids = {"ann": "ann", "ken": "ken"}
    at = Table(("a", "b", "c"), (OWNER,), Settings(), {name: [mapped(Owners(ids, ids))] for name in "abc"})
    at.put("a", 1, owner="ann")
    at.put("b", 2, owner="ken")
    at.put("c", 3, owner="queue")
    (hold,) = at.round().holds
    at.round(answers={"owner": Asked("newest", hold.choices)})
    assert at.says("owner") == {"a": "ken", "b": "ken", "c": "queue"}
