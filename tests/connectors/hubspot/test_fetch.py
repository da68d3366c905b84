"""Looking at certain contacts in HubSpot: every fate is told, and who changed what when."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot_portal import Portal, update

from stagesync.model.records import Actor, Gone, Moved, Present, Record, Ref
from stagesync.sandbox.hubspot.habits import Habits


@pytest.mark.parametrize("follows", [False, True])
def test_fetch_tells_every_fate(follows: bool) -> None:
    """There, merged, archived, erased, and no id at all: each is told apart, whether batch reads follow merges or not."""
    portal = Portal(Habits(batch_read_follows_merges=follows))
    there, one, two, binned, erased = (portal.contact(number) for number in range(5))
    merged = portal.world.merge(one, two)
    portal.world.archive(binned)
    portal.world.gdpr_delete(erased)
    seen = portal.seen(there, one, binned, erased, merged)
    assert isinstance(seen[0], Present)
    assert seen[1] == Moved(Ref("contact", one), Ref("contact", merged), "merged")
    assert isinstance(seen[2], Gone)
    assert (seen[2].why, seen[2].at) == ("deleted", portal.clock.now_ms())
    assert seen[3] == Gone(Ref("contact", erased), why="erased")
    assert isinstance(seen[4], Present)
    assert "not the id" in portal.seen("anna@x.example")[0].reason


def test_history_tells_who_and_when_and_our_own() -> None:
    """Versions come newest first; a user's edit is a user's; ours is recognised once something of ours was written."""
    portal = Portal()
    id = portal.contact(1, lifecyclestage="lead")
    portal.clock.sleep(5)
    portal.written(update(1, id, firstname="Ours"))
    portal.clock.sleep(5)
    portal.world.edit(id, {"firstname": "Theirs"})
    (seen,) = portal.seen(id, history=("firstname",))
    newest, ours, first = seen.history["firstname"]
    assert [change.value for change in (newest, ours, first)] == ["Theirs", "Ours", "First1"]
    assert newest.at > ours.at > first.at
    assert (newest.actor.kind, newest.actor.own) == ("user", False)
    assert (ours.actor.kind, ours.actor.own) == ("integration", True)
    assert portal.connector.identity().own_actor == ours.actor.id


def test_without_anything_of_ours_nothing_is_own() -> None:
    """An integration's write is not taken for ours on a guess; with the configured app id it is."""
    portal = Portal()
    id = portal.contact(1)
    portal.written(update(1, id, firstname="Ours"))
    stranger = portal.reopened()
    seen: Any = stranger.fetch([Ref("contact", id)], {"contact": ("firstname",)}, ("firstname",))[0]
    actor: Actor = seen.history["firstname"][0].actor
    assert (actor.kind, actor.own) == ("integration", False)
    known = Portal(app_id=actor.id)
    other = known.contact(1)
    known.written(update(1, other, firstname="Ours"))
    seen = known.reopened().fetch([Ref("contact", other)], {"contact": ()}, ("firstname",))[0]
    assert seen.history["firstname"][0].actor.own


def test_find_by_a_unique_property_and_by_id() -> None:
    """A property with unique values is a key like the address; so is the record's own id."""
    portal = Portal()
    portal.world.define("crm_id", "CRM id", unique=True)
    id = portal.contact(1, crm_id="00Q1")
    for key, value in (("crm_id", "00Q1"), ("hs_object_id", id)):
        assert portal.connector.find("contact", key, [value], ("email",)) == [Record(Ref("contact", id), portal.clock.now_ms(), {"email": "p1@people.example"})]
