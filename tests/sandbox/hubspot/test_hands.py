"""Hands in the HubSpot world: workflows, and whoever edits over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot_wire import STAGE, Portal


def test_workflows_run_after_the_save(portal: Portal) -> None:
    """A workflow rewrites a value a moment after whoever saved it, as automation; what it saves is looked at again, later."""
    portal.world.workflow("jobtitle", {"CEO": "Chief", "Chief": "Boss"})
    number = portal.world.create({"email": "a@example.com", "jobtitle": "CEO"})
    assert portal.get(number, "properties=jobtitle").json["properties"]["jobtitle"] == "CEO"
    for title in ("Chief", "Boss", "Boss"):
        portal.world.clock.advance(1)
        assert portal.get(number, "properties=jobtitle").json["properties"]["jobtitle"] == title
    assert portal.history(number, "jobtitle")[0]["sourceType"] == "AUTOMATION_PLATFORM"
    with pytest.raises(LookupError, match="no property nothing_such"):
        portal.world.workflow("nothing_such", {})


def test_hands_over_http(portal: Portal) -> None:
    """The same hands by HTTP: define, load, edit, create, merge, archive, restore, purge, habits, records."""

    def hand(called: str, /, **posted: Any) -> Any:
        answer = portal.call("POST", f"/_sandbox/hands/{called}", posted)
        assert answer.status == 200, answer.json
        return answer.json

    hand("define", name="score_x", label="Score", type="number", field_type="number")
    first, second = hand("load", kind="contact", rows=[{"email": "a@example.com", "score_x": "5"}, {"email": "b@example.com", STAGE: "customer"}])["ids"]
    hand("edit", id=second, values={STAGE: "lead", "num_conversion_events": "2"})
    assert portal.history(second, "num_conversion_events")[0]["sourceType"] == "CALCULATED"
    third = hand("create", values={"email": "c@example.com"})["id"]
    merged = hand("merge", primary=first, other=second)["id"]
    hand("archive", id=third)
    hand("restore", id=third)
    hand("gdpr-delete", id=third)
    hand("habits", search_lag_s=3)
    assert portal.world.habits.search_lag_s == 3
    records = portal.call("GET", "/_sandbox/records", query="kind=contact").json
    assert [record["id"] for record in records] == [merged] and records[0]["properties"]["score_x"] == "5"
    assert "POST hands" not in portal.call("GET", "/_sandbox/calls").json


@pytest.mark.parametrize(
    ("name", "posted"),
    [
        ("edit", {"id": "5", "values": {}}),
        ("create", {"values": {"nothing_such": "x"}}),
        ("habits", {"nothing_such": True}),
        ("habits", {"search_lag_s": "long"}),
        ("load", {"rows": [{"nothing_such": "x"}]}),
        ("load", {"rows": [{"hs_object_id": "7"}, {"hs_object_id": "7"}]}),
        ("restore", {"id": "7"}),
        ("define", {"name": "Bad Name", "label": "x"}),
    ],
)
def test_impossible_hands_are_told(portal: Portal, name: str, posted: dict[str, Any]) -> None:
    """A hand that cannot do what is asked says so with 400 and a reason."""
    answer = portal.call("POST", f"/_sandbox/hands/{name}", posted)
    assert answer.status == 400 and name in answer.json["error"]
