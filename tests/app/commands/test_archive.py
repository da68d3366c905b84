"""Deletions that travel on: told as what they are, and at the price of one batch."""

from __future__ import annotations

from pathlib import Path

from cli_box import box


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
