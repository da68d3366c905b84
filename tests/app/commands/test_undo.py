"""`stagesync undo` over real sockets: shown first, asked for, carried out, and told by `runs`, `why` and the exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from cli_box import Box, box


def edited(place: Box) -> tuple[str, int]:
    """Two agreed people, one edit in HubSpot carried over by a run: the Lead's id and the run's number."""
    lead = ""
    for name in ("ann", "bea"):
        values = {"LastName": "Berg", "Company": "Firm", "Email": f"{name}@firm.example", "City": "Bonn"}
        lead = place.worlds.salesforce.create("Lead", values)
    assert place.run("sync", "--yes").exit_code == 0
    place.later(3600)
    contact = next(each for each in place.worlds.hubspot.contacts() if each["properties"]["email"] == "bea@firm.example")
    place.worlds.hubspot.edit(contact["id"], {"city": "Mainz", "jobtitle": "Head"})
    place.later(3600)
    assert place.run("sync").exit_code == 0
    place.later(3600)
    return lead, place.json("runs")["runs"][0]["run"]


def shown_of(place: Box, lead: str) -> dict[str, Any]:
    """The Lead as somebody sees it."""
    return next(dict(row) for row in place.worlds.salesforce.rows("Lead") if row["Id"] == lead)


def test_undo_is_shown_asked_for_and_carried_out(tmp_path: Path) -> None:
    """A dry run writes nothing, without a yes it stops with 3, with one it writes; `runs` tells it, and a second one finds nothing."""
    with box(tmp_path, people=0) as place:
        lead, run = edited(place)
        place.reset()
        shown = place.run("undo", str(run), "--dry-run")
        assert shown.exit_code == 0 and "city" in shown.stdout and f"stagesync undo {run} --yes" in shown.stdout
        assert "Stays as somebody entered it there" in shown.stdout
        asked = place.run("undo", str(run))
        assert asked.exit_code == 3 and "an undo wants a yes" in asked.stderr and place.written() == []
        told = place.json("undo", str(run), "--yes")
        assert (told["updated"], told["undoes"], told["refused"]) == (1, run, [])
        assert shown_of(place, lead)["City"] == "Bonn"
        place.later(3600)
        assert f"undo of run {run}: 1 updated" in place.run("runs").stdout
        assert f"undo of run {run}" in place.run("why", "bea@firm.example", "city").stdout
        assert "is left as it is since an undo" in place.run("why", "bea@firm.example", "city").stdout
        again = place.run("undo", str(run), "--yes")
        assert again.exit_code == 0 and f"Nothing is left to undo of run {run}" in again.stdout
        assert "0 writes" in place.run("sync").stdout


def test_a_stored_undo_is_applied_by_its_digest(tmp_path: Path) -> None:
    """`--dry-run` stores the plan like any other, and `apply` carries exactly that out."""
    with box(tmp_path, people=0) as place:
        lead, run = edited(place)
        digest = place.json("undo", str(run), "--dry-run")["digest"]
        assert place.run("apply", "--approve", digest).exit_code == 0
        assert shown_of(place, lead)["City"] == "Bonn"


def test_what_is_refused_is_named_and_makes_the_exit_code_one(tmp_path: Path) -> None:
    """A field that somebody edited since stays, is told by name, and the rest goes back."""
    with box(tmp_path, people=0) as place:
        lead, run = edited(place)
        place.worlds.salesforce.edit(lead, {"City": "Trier"})
        done = place.run("undo", str(run), "--yes")
        assert done.exit_code == 1 and "somebody edited it since" in done.stdout
        assert (shown_of(place, lead)["City"], shown_of(place, lead)["Title"]) == ("Trier", None)


def test_a_guard_stops_an_undo_like_any_plan(tmp_path: Path) -> None:
    """Archiving many records at once is more than `--yes` may answer: it wants the digest."""
    with box(tmp_path, people=0) as place:
        for number in range(15):
            place.worlds.hubspot.create({"email": f"p{number}@firm.example", "lastname": f"P{number}"})
        assert place.run("sync", "--yes").exit_code == 0
        place.later(3600)
        run = place.json("runs")["runs"][0]["run"]
        place.reset()
        stopped = place.run("undo", str(run), "--yes", "--json")
        assert place.written() == []
        assert stopped.exit_code == 3 and "archives in salesforce" in stopped.stderr
        assert place.run("apply", "--approve", orjson.loads(stopped.stdout)["digest"]).exit_code == 0
        assert not list(place.worlds.salesforce.rows("Lead"))


def test_a_run_that_never_was(tmp_path: Path) -> None:
    """A number that no run has is a mistake of whoever typed it."""
    with box(tmp_path, people=0) as place:
        gone = place.run("undo", "7")
        assert gone.exit_code == 2 and "there is no run 7" in gone.stderr
