"""Deletions that travel on: told as what they are, and at the price of one batch."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import orjson
from cli_box import Box, box, cli


def test_an_archived_record_is_counted_and_not_looked_for(tmp_path: Path) -> None:
    """With `policy = "archive"` a deleted Lead archives its contact: one write in the last line, no look for what is gone, and then quiet."""
    with box(tmp_path, people=0) as place:
        place.add('[delete]\npolicy = "archive"\n')
        people = [{"LastName": "Berg", "Company": "Firm", "Email": f"{name}@firm.example"} for name in ("ann", "bea", "cy")]
        lead, *_ = [place.worlds.salesforce.create("Lead", values) for values in people]
        assert place.run("sync", "--yes").exit_code == 0
        place.later(3600)
        place.worlds.salesforce.delete(lead)
        place.reset()
        told = place.json("sync", "--yes")
        assert (told["updated"], told["hubspot.writes"], told["held"]) == (1, 1, 0)
        assert place.worlds.hubspot.calls["POST /crm/v3/objects/contacts/batch/archive"] == 1
        assert place.worlds.hubspot.calls["GET /crm/v3/objects/contacts/{id}"] == 0
        place.later(3600)
        assert "0 writes: everything agrees" in place.run("sync").stdout


def funnel(place: Box) -> tuple[dict[str, tuple[int, ...]], dict[str, int]]:
    """(in, out, end) of the rows of the report in which anybody was, and what became of those who entered MQL."""
    whole = orjson.loads(cli("funnel", "report", "--config", str(place.config), "--json").stdout)["whole"]
    volume = {row["id"] or row["kind"]: (row["entered"], row["left"], row["end"]) for row in whole["volume"] if row["entered"]}
    return volume, next({name: row[name] for name in ("entered", "on", "gone", "waiting")} for row in whole["conversion"] if row["id"] == "mql")


def test_who_was_deleted_everywhere_counts_nowhere(tmp_path: Path) -> None:
    """The report is as high as there are people: who was deleted, or forgotten, has left their stage, and counts again once they are restored."""
    with box(tmp_path, people=0) as place:
        place.add('[delete]\npolicy = "archive"\n')
        ann, bea, _ = [
            place.worlds.salesforce.create("Lead", {"LastName": "Berg", "Company": "Firm", "Email": f"{name}@firm.example", "Status": "Marketing Qualified"})
            for name in ("ann", "bea", "cy")
        ]
        assert place.run("sync", "--yes").exit_code == 0
        assert funnel(place) == ({"mql": (3, 0, 3), "all": (3, 0, 3)}, {"entered": 3, "on": 0, "gone": 0, "waiting": 3})
        place.later(3600)
        for lead in (ann, bea):
            place.worlds.salesforce.delete(lead)
        place.run("sync", "--yes")
        gone = {"mql": (3, 2, 1), "gone": (2, 0, 2), "all": (3, 2, 1)}
        assert funnel(place) == (gone, {"entered": 3, "on": 0, "gone": 2, "waiting": 1})
        told = cli("funnel", "report", "--config", str(place.config)).stdout
        assert "(no record left)" in told
        for who in ("p1", "ann@firm.example"):
            assert "no record  no record is left: archived in hubspot" in place.run("why", who).stdout
        place.later(3600)
        place.worlds.salesforce.undelete(ann)
        place.run("sync", "--yes")
        back = {"mql": (4, 2, 2), "gone": (2, 1, 1), "all": (4, 2, 2)}
        assert funnel(place) == (back, {"entered": 3, "on": 0, "gone": 1, "waiting": 2})
        assert place.run("forget", "cy@firm.example", "--yes").exit_code == 0
        assert funnel(place)[0] == {"mql": (4, 3, 1), "gone": (3, 1, 2), "all": (4, 3, 1)}
        *_, last = csv.DictReader(io.StringIO(cli("export", "ledger", "--config", str(place.config)).stdout.removeprefix("\ufeff")))
        assert (last["person"], last["origin"], last["stage"], last["evidence"]) == ("p3", "gone", "", "")
