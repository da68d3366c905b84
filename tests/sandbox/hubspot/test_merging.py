"""Merges and privacy deletions in the HubSpot world: new ids, the most recent value, and no way back."""

from __future__ import annotations

from hubspot_wire import CONTACTS, STAGE, T0, Portal
from hypothesis import given
from hypothesis import strategies as st

from stagesync.sandbox.hubspot import Habits


def test_merge_mints_a_new_id(portal: Portal) -> None:
    """Both old ids lead to the new one, single writes by them work, and the trail tells of them."""
    ids = portal.world.load([{"email": "a@example.com", STAGE: "lead"}, {"email": "b@example.com", STAGE: "customer"}])
    merged = portal.call("POST", f"{CONTACTS}/merge", {"primaryObjectId": ids[0], "objectIdToMerge": ids[1]})
    new = merged.json["id"]
    assert merged.status == 200 and new not in ids
    names = f"{STAGE},hs_merged_object_ids,hs_calculated_merged_vids,hs_additional_emails,email"
    by_old = [portal.get(old, f"properties={names}") for old in ids]
    assert [(answer.status, answer.json["id"]) for answer in by_old] == [(200, new)] * 2
    shown = by_old[0].json["properties"]
    assert (shown[STAGE], shown["email"], shown["hs_additional_emails"]) == ("customer", "a@example.com", "b@example.com")
    assert shown["hs_merged_object_ids"] == ";".join(ids)
    assert shown["hs_calculated_merged_vids"] == ";".join(f"{old}:{int(T0 * 1000)}" for old in ids)
    assert portal.patch(ids[1], city="Bonn").json["id"] == new
    assert [row["id"] for row in portal.call("GET", CONTACTS).json["results"]] == [new]


def test_merge_takes_the_most_recent_value(portal: Portal) -> None:
    """Later values win per property, and a later cleared one beats an older filled one."""
    ids = portal.world.load([{"email": "a@example.com", "city": "Bonn", "phone": "1"}, {"email": "b@example.com", "city": "Ulm", "zip": "5"}])
    portal.world.clock.advance(1)
    portal.patch(ids[1], city="Kiel")
    portal.patch(ids[0], phone="")
    portal.world.clock.advance(1)
    new = portal.world.merge(*ids)
    shown = portal.get(new, "properties=city,phone,zip").json["properties"]
    assert (shown["city"], shown["phone"], shown["zip"]) == ("Kiel", None, "5")
    assert [version["value"] for version in portal.history(new, "city")] == ["Kiel", "Bonn", "Ulm"]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["city", "phone"]), st.sampled_from(["x", "y", ""])), max_size=12), st.booleans())
def test_merge_keeps_the_last_word(edits: list[tuple[bool, str, str]], lag: bool) -> None:
    """Whatever was written to the two before, each property of the merged contact has what was written last to either."""
    portal = Portal(Habits(search_lag_s=60.0 if lag else 0.0))
    ids = portal.world.load([{"email": "a@example.com"}, {"email": "b@example.com"}])
    expected: dict[str, str | None] = {"city": None, "phone": None}
    current: dict[tuple[bool, str], str] = {}
    for second, name, value in edits:
        portal.world.clock.advance(1)
        portal.patch(ids[second], **{name: value})
        if current.get((second, name), "") != value:
            current[second, name] = value
            expected[name] = value or None
    shown = portal.get(portal.world.merge(*ids), "properties=city,phone").json["properties"]
    assert {name: shown[name] for name in expected} == expected


def test_merge_may_keep_the_primary_id() -> None:
    """Accounts that opted in keep the primary's id; only the other leads on."""
    portal = Portal(Habits(merge_preserves_primary_id=True))
    ids = portal.world.load([{"email": "a@example.com"}, {"email": "b@example.com"}])
    assert portal.world.merge(*ids) == ids[0]
    assert portal.get(ids[1]).json["id"] == ids[0]
    assert portal.get(ids[0], "properties=hs_merged_object_ids").json["properties"]["hs_merged_object_ids"] == ids[1]


def test_merges_chain(portal: Portal) -> None:
    """An id leads through several merges to where the person lives today."""
    ids = portal.world.load([{"email": f"p{i}@example.com"} for i in range(3)])
    last = portal.world.merge(portal.world.merge(ids[0], ids[1]), ids[2])
    assert {portal.get(each).json["id"] for each in ids} == {last}
    assert portal.call("POST", f"{CONTACTS}/merge", {"primaryObjectId": ids[0], "objectIdToMerge": ids[1]}).status == 400


def test_privacy_delete_is_for_good(portal: Portal) -> None:
    """A purged contact is in no list; an unknown address is accepted too."""
    number = portal.world.load([{"email": "a@example.com"}])[0]
    assert portal.call("POST", f"{CONTACTS}/gdpr-delete", {"objectId": "a@example.com", "idProperty": "email"}).status == 204
    assert portal.get(number).status == portal.get(number, "archived=true").status == 404
    assert portal.call("POST", f"{CONTACTS}/gdpr-delete", {"objectId": "zz@example.com", "idProperty": "email"}).status == 204
