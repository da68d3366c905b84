"""Batches of the HubSpot world: all or nothing for creates, rows lost in silence for updates."""

from __future__ import annotations

import pytest
from hubspot_wire import CONTACTS, STAGE, Portal

from stagesync.sandbox.hubspot import Habits


def test_create_fails_as_a_whole_without_trace_ids(portal: Portal) -> None:
    """One duplicate fails all with a 409 that names the first clash; with unique trace ids the others are created."""
    taken = portal.world.load([{"email": "a@example.com"}])[0]
    rows = [{"properties": {"email": "new@example.com"}}, {"properties": {"email": "a@example.com"}}]
    whole = portal.batch("create", *rows)
    assert whole.status == 409 and taken in whole.json["message"]
    assert len(list(portal.world.contacts())) == 1
    same = portal.batch("create", *[{**row, "objectWriteTraceId": "t"} for row in rows])
    assert same.status == 409
    partial = portal.batch("create", *[{**row, "objectWriteTraceId": f"t{i}"} for i, row in enumerate(rows)])
    assert partial.status == 207 and partial.json["results"][0]["objectWriteTraceId"] == "t0"
    assert (partial.json["errors"][0]["category"], partial.json["errors"][0]["context"]) == ("CONFLICT", {"objectWriteTraceId": ["t1"]})
    assert portal.batch("create", {"properties": {"email": "c@example.com"}}).status == 201


def test_batch_without_inputs_is_complete_and_empty(portal: Portal) -> None:
    """A body without proper inputs answers 2xx and does nothing; more than 100 are refused."""
    for deed in ("create", "update", "upsert", "read"):
        for body in ({}, {"inputs": "x"}, {"inputs": ["x"]}):
            answer = portal.call("POST", f"{CONTACTS}/batch/{deed}", body)
            assert answer.status in (200, 201) and (answer.json["status"], answer.json["results"]) == ("COMPLETE", [])
    assert portal.batch("update", *[{"id": "1", "properties": {}}] * 101).status == 400


def test_batch_update_loses_rows_in_a_2xx(portal: Portal) -> None:
    """Ids from before a merge and addresses as ids are missing from results and errors; unknown ids are told."""
    ids = portal.world.load([{"email": f"p{i}@example.com"} for i in range(3)])
    portal.world.merge(ids[0], ids[1])
    rows = [{"id": each, "properties": {"city": "Bonn"}} for each in (ids[0], "p2@example.com", ids[2])]
    answer = portal.batch("update", *rows)
    assert (answer.status, [row["id"] for row in answer.json["results"]]) == (200, [ids[2]])
    missing = portal.batch("update", {"id": "5", "properties": {"city": "Bonn"}, "objectWriteTraceId": "t"}, rows[2])
    assert (missing.status, missing.json["errors"][0]["context"]) == (207, {"ids": ["5"]})
    traced = portal.batch("update", {"id": "5", "properties": {}, "objectWriteTraceId": "t"})
    assert traced.json["errors"][0]["context"] == {"objectWriteTraceId": ["t"], "ids": ["5"]}


def test_merged_ids_in_batches_are_a_habit() -> None:
    """Told as missing instead of lost, and not followed by batch read, when switched so."""
    portal = Portal(Habits(batch_update_loses_merged_ids=False, batch_read_follows_merges=False))
    ids = portal.world.load([{"email": f"p{i}@example.com"} for i in range(2)])
    portal.world.merge(*ids)
    assert portal.batch("update", {"id": ids[0], "properties": {"city": "Bonn"}}).json["errors"][0]["context"] == {"ids": [ids[0]]}
    assert portal.batch("read", {"id": ids[0]}).json["errors"][0]["context"] == {"ids": [ids[0]]}


@pytest.mark.parametrize("by", ["email", "hs_object_id"])
def test_batch_update_by_non_unique_property(portal: Portal, by: str) -> None:
    """An idProperty of email or hs_object_id refuses the whole call."""
    portal.world.load([{"email": "a@example.com"}])
    answer = portal.batch("update", {"id": "a@example.com", "idProperty": by, "properties": {}})
    assert answer.status == 400 and "non-unique 0-1 property" in answer.json["message"]


def test_batch_update_bad_values(portal: Portal) -> None:
    """A bad value refuses the whole call, and only its row when every row has a trace id."""
    ids = portal.world.load([{"email": f"p{i}@example.com"} for i in range(2)])
    rows = [{"id": ids[0], "properties": {"city": "Bonn"}}, {"id": ids[1], "properties": {"nothing_such": "x"}}]
    assert portal.batch("update", *rows).status == 400
    assert portal.get(ids[0], "properties=city").json["properties"]["city"] is None
    partial = portal.batch("update", *[{**row, "objectWriteTraceId": f"t{i}"} for i, row in enumerate(rows)])
    assert (partial.status, [row["id"] for row in partial.json["results"]]) == (207, [ids[0]])
    assert partial.json["errors"][0]["context"] == {"objectWriteTraceId": ["t1"], "ids": [ids[1]]}
    assert partial.json["errors"][0]["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"


def test_repeats_in_a_batch_have_no_order(portal: Portal) -> None:
    """Clear and set in one batch do not add up: the rows are not applied in the order that was sent."""
    number = portal.world.load([{"email": "a@example.com", STAGE: "customer"}])[0]
    rows = [{"id": number, "properties": {STAGE: ""}}, {"id": number, "properties": {STAGE: "lead"}}]
    assert portal.batch("update", *rows).status == 200
    assert portal.stage(number) is None
    portal.world.switch(batch_repeats="refused")
    assert portal.batch("update", *rows).status == 400


def test_upsert_says_what_is_new(portal: Portal) -> None:
    """Rows are found by address or by a property with unique values, and each result says whether it was created."""
    portal.world.define("stagesync_id", "Our id", unique=True)
    ids = portal.world.load([{"email": "a@example.com", "stagesync_id": "K1"}])
    by_email = portal.batch("upsert", *[{"id": f"{name}@example.com", "idProperty": "email", "properties": {"city": "Bonn"}} for name in "ab"])
    assert [(row["properties"]["email"], row["new"]) for row in by_email.json["results"]] == [("a@example.com", False), ("b@example.com", True)]
    by_key = portal.batch("upsert", {"id": "k1", "idProperty": "stagesync_id", "properties": {"city": "Ulm"}, "objectWriteTraceId": "t"})
    assert [(row["id"], row["new"], row["objectWriteTraceId"]) for row in by_key.json["results"]] == [(ids[0], False, "t")]
    taken = portal.call("POST", CONTACTS, {"properties": {"firstname": "x", "stagesync_id": "K1"}})
    assert (taken.status, taken.json["errors"][0]["code"]) == (400, "CONFLICTING_UNIQUE_VALUE")


def test_partial_upsert_by_email_is_a_habit() -> None:
    """With trace ids one bad row is told in a 207, or fails the whole call when switched so."""
    for partial, status in ((True, 207), (False, 400)):
        portal = Portal(Habits(upsert_by_email_is_partial=partial))
        rows = [{"id": f"p{i}@example.com", "idProperty": "email", "properties": {"phone": "1"}, "objectWriteTraceId": f"t{i}"} for i in range(2)]
        rows[1]["properties"] = {"nothing_such": "x"}
        assert portal.batch("upsert", *rows).status == status


def test_batch_archive(portal: Portal) -> None:
    """Archiving answers 204 and frees the address; the bin shows the record with its old stamp."""
    number = portal.world.load([{"email": "a@example.com", "lastmodifieddate": "2026-01-01T00:00:00Z"}])[0]
    assert portal.batch("archive", {"id": number}, {"id": "5"}).status == 204
    assert portal.get(number).status == 404 and portal.patch(number, city="Bonn").status == 404
    assert portal.get(number, "archived=true").json["updatedAt"] == "2026-01-01T00:00:00Z"
    assert portal.call("POST", CONTACTS, {"properties": {"email": "a@example.com"}}).status == 201
    with pytest.raises(ValueError, match="belongs to another contact"):
        portal.world.restore(number)
