"""Owners by e-mail: who says something, who is written, and what the configuration is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapping_accounts import field, kind, maps, org, portal

from stagesync.connectors.contract import Option
from stagesync.mapping.fields import Silent
from stagesync.mapping.maps import FieldMap, Maps
from stagesync.model.errors import ConfigurationError

Crew = Mapping[str, str]
"""Id -> address; an address in brackets is that of somebody who left."""
THEIRS: Crew = {"70101": "Ann@x.example", "70102": "ken@x.example", "70103": "(gone@x.example)", "70104": ""}
OURS: Crew = {"005A": "ann@x.example", "005B": "bob@x.example", "005C": "gone@x.example", "005D": "ANN@x.example", "005E": "(ken@x.example)"}


def crew(people: Crew) -> tuple[Option, ...]:
    """The people as options of an owner field."""
    return tuple(Option(id, address.strip("()"), order, active=not address.startswith("(")) for order, (id, address) in enumerate(people.items()))


def owned(theirs: Crew = THEIRS, ours: Crew = OURS, **said: Any) -> Maps:
    """Maps of two accounts with these owners; `said`: the user's `[fields.owner]`."""
    left = portal(extra=(field("hubspot_owner_id", "reference", options=crew(theirs)),))
    right = org(extra=(field("OwnerId", "reference", options=crew(ours)),))
    return maps({"owner": said} if said else {}, described=(left, right))


def both(compiled: Maps) -> tuple[FieldMap, FieldMap]:
    """The owner of a HubSpot contact and of a Salesforce Lead."""
    return kind(compiled, "hubspot", "contact").fields["owner"], kind(compiled, "salesforce", "lead").fields["owner"]


def test_an_owner_of_both_systems_is_known_by_address() -> None:
    """The address is the same whatever its case, and leads to the id of the other system; of two users with one address the first is given the record."""
    theirs, ours = both(owned())
    assert theirs.native == "hubspot_owner_id"
    assert kind(owned(), "salesforce", "contact").fields["owner"].native == ours.native == "OwnerId"
    assert theirs.read("70101", {}) == ours.read("005A", {}) == ours.read("005D", {}) == "ann@x.example"
    assert (theirs.write("ann@x.example"), ours.write("ann@x.example")) == ("70101", "005A")
    assert theirs.read(None, {}) is None


@pytest.mark.parametrize("id", ["00GQ", "70102", "70103", "70104", "005B", "005C", "005E", "", 7, True])
def test_whom_the_other_does_not_know_says_nothing(id: Any) -> None:
    """A queue, an unknown id, somebody who left, and somebody without an active namesake in the other system are neither a value nor a blank."""
    theirs, ours = both(owned())
    for each in (theirs, ours):
        with pytest.raises(Silent):
            each.read(id, {})


@pytest.mark.parametrize("address", [None, "bob@x.example", "gone@x.example", "nobody@x.example"])
def test_nobody_is_written_for_whom_there_is_no_owner(address: str | None) -> None:
    """Without a fallback there is nothing to write; a blank owner least of all."""
    with pytest.raises(Silent):
        both(owned())[0].write(address)


def test_a_fallback_gets_what_nobody_there_owns() -> None:
    """With a fallback in HubSpot every Salesforce owner says something, and whoever HubSpot lacks becomes the fallback there; a queue stays silent."""
    theirs, ours = both(owned(fallback={"hubspot": "Ken@x.example"}))
    assert ours.read("005B", {}) == "bob@x.example"
    assert theirs.write("bob@x.example") == theirs.write("gone@x.example") == "70102"
    assert (theirs.lossy, ours.lossy) == (True, False)
    for id in ("00GQ", "005E"):
        with pytest.raises(Silent):
            ours.read(id, {})
    assert theirs.write("ann@x.example") == "70101"
    with pytest.raises(Silent):
        ours.write("ken@x.example")


def test_what_is_silent_is_counted_once() -> None:
    """Owners without a namesake are told as a number, not by name."""
    notes = [note for note in owned().notes if note.startswith("owner")]
    assert notes == [
        "owner says nothing for 1 of 2 owners in hubspot: nobody active has their address in another system",
        "owner says nothing for 2 of 3 owners in salesforce: nobody active has their address in another system",
    ]


def test_without_a_common_owner_nothing_is_carried() -> None:
    """Two accounts whose owners have nothing in common keep theirs: the field is not even read, and a note says why."""
    compiled = owned(ours={"005I": "integration@x.example"})
    assert "owner" not in compiled.fields
    assert "OwnerId" not in kind(compiled, "salesforce", "lead").asks
    assert "owner is not carried: nobody owns records in two systems under the same e-mail address" in compiled.notes


def test_owners_that_cannot_be_seen_are_not_carried() -> None:
    """A credential that may not list owners makes a note, not a mistake, whatever the fallback."""
    compiled = owned(theirs={}, fallback={"hubspot": "ken@x.example"})
    assert "owner" not in compiled.fields
    assert "hubspot contact cannot carry owner: nobody can be seen who owns records there" in compiled.notes


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"fallback": {"hubspot": "anna@x.example"}}, r"fields.owner.fallback.hubspot: nobody active in hubspot has .*Did you mean ann@x.example"),
        ({"fallback": {"hubspot": "gone@x.example"}}, "nobody active in hubspot"),
        ({"fallback": {"hubpost": "ken@x.example"}}, r"there is no system 'hubpost'. Did you mean hubspot"),
        ({"fallback": {"hubspot": 7}}, "7 is not a text"),
        ({"fallback": "ken@x.example"}, "fields.owner.fallback: is not a table"),
        ({"clears": True}, "fields.owner.clears: a record always has an owner"),
        ({"type": "text", "fallback": {"hubspot": "ken@x.example"}}, "only an owner has a fallback"),
    ],
)
def test_each_mistake_about_owners_is_answered(said: dict[str, Any], words: str) -> None:
    """A fallback must be somebody active in a system that exists, and an owner is never cleared."""
    with pytest.raises(ConfigurationError) as caught:
        owned(**said)
    assert any(re.search(words, problem) for problem in caught.value.problems), caught.value.problems


def test_a_fallback_changes_the_meaning() -> None:
    """Another fallback is another configuration, so that the plan is shown first; another owner in the account is none."""
    plain, more = owned(), owned(ours={**OURS, "005F": "new@x.example"})
    assert plain.digest == more.digest
    assert len({plain.digest, owned(fallback={"hubspot": "ken@x.example"}).digest, owned(fallback={"hubspot": "ann@x.example"}).digest}) == 3


ADDRESSES = [f"{name}@x.example" for name in "abcd"]
CREWS = st.dictionaries(
    st.integers(1, 9).map(lambda number: f"id{number}"), st.sampled_from([*ADDRESSES, *(f"({each})" for each in ADDRESSES), ""]), min_size=1
)


@given(CREWS, CREWS, st.booleans())
def test_writing_an_owner_is_the_inverse_of_reading(theirs: Crew, ours: Crew, fallback: bool) -> None:
    """Whatever the crews: what an id says, written back, says the same; and what is written in the other system is silent or somebody active there."""
    alive = sorted(address for address in theirs.values() if address.endswith("example"))
    compiled = owned(theirs, ours, **({"fallback": {"hubspot": alive[0]}} if fallback and alive else {}))
    if "owner" not in compiled.fields:
        assert not set(alive) & set(ours.values())
        return
    left, right = both(compiled)
    for here, there, people in ((left, right, theirs), (right, left, ours)):
        for id in [*people, "queue"]:
            try:
                said = here.read(id, {})
            except Silent:
                continue
            assert people[id] == said == here.read(here.write(said), {})
            others = ours if there is right else theirs
            assert others[str(there.write(said))] == (said if said in others.values() else alive[0])


def told_by(crew_: Crew, names: Mapping[str, str] | None = None, **said: Any) -> tuple[FieldMap, Maps]:
    """The owner of an org whose Leads stand beside a portal that holds owners as text, as a file does."""
    users = tuple(replace(option, name=(names or {}).get(option.value, "")) for option in crew(crew_))
    left = portal(extra=(field("owner_words", "text"),))
    right = org(extra=(field("OwnerId", "reference", options=users),))
    compiled = maps({"owner": {"hubspot": "owner_words", "salesforce": {"lead": "OwnerId"}, **said}}, described=(left, right))
    return kind(compiled, "hubspot", "contact").fields["owner"], compiled


NAMES = {"005A": "Ann Ash", "005B": "Bob Bäcker", "005E": "Ken Kay", "005F": "Ann Ash", "005G": "Cy Dee"}
PEOPLE: Crew = {"005A": "Ann@x.example", "005B": "bob@x.example", "005E": "(ken@x.example)", "005F": "ash@x.example", "005G": "cy@x.example"}


@pytest.mark.parametrize(
    ("text", "address"),
    [("Bob@X.example", "bob@x.example"), (" bob@x.example ", "bob@x.example"), ("BOB BACKER", "bob@x.example"), ("Cy Dee", "cy@x.example"), ("", None)],
)
def test_a_system_without_users_tells_owners_by_address_or_name(text: str, address: str | None) -> None:
    """Whatever the case and the accents; a blank says that there is none."""
    told, compiled = told_by(PEOPLE, NAMES)
    assert told.read(text, {}) == address
    if address is not None:
        assert told.write(address) == address
        assert kind(compiled, "salesforce", "lead").fields["owner"].write(address) == {"bob@x.example": "005B", "cy@x.example": "005G"}[address]


@pytest.mark.parametrize("text", ["Ann Ash", "Ken Kay", "ken@x.example", "Somebody Else", "who@x.example", "@"])
def test_a_name_of_several_and_a_stranger_say_nothing(text: str) -> None:
    """Two have one name, one has left, and nobody knows the others: the file is left as it is, and nobody is asked."""
    with pytest.raises(Silent):
        told_by(PEOPLE, NAMES)[0].read(text, {})
    with pytest.raises(Silent):
        told_by(PEOPLE, NAMES)[0].write(None)


def test_a_fallback_gets_whom_only_the_file_knows_by_address() -> None:
    """An address is told and becomes the fallback there; a name alone stays silent. Each owner of the org can be told to the file."""
    told, compiled = told_by(PEOPLE, NAMES, fallback={"salesforce": "bob@x.example"})
    ours = kind(compiled, "salesforce", "lead").fields["owner"]
    assert told.read("Who@x.example", {}) == "who@x.example"
    assert ours.write("who@x.example") == "005B"
    assert told.write(ours.read("005F", {})) == "ash@x.example"
    with pytest.raises(Silent):
        told.read("Somebody Else", {})
