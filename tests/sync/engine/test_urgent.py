"""A stage change goes before a phone fix, however many of those there are."""

from __future__ import annotations

from pathlib import Path

from cli_box import Box, box

PEOPLE = 230
"""More than two of HubSpot's batches."""


def test_a_stage_change_goes_before_everything_else(tmp_path: Path) -> None:
    """Somebody corrects everybody's phone, and moves the last of them: the first write to Salesforce is that move, with its other fields."""
    with box(tmp_path, people=0) as made:
        for each in range(PEOPLE):
            values = {"email": f"p{each}@acme.example", "lastname": f"Lee{each}", "lifecyclestage": "marketingqualifiedlead"}
            made.worlds.hubspot.by_hand.create(values)
        assert made.run("sync", "--yes").exit_code == 0
        made.later(3600)
        for each in made.worlds.hubspot.contacts():
            values = {"phone": f"+49 30 90{each['id'][-4:].zfill(4)}", "jobtitle": "Head"}
            if each["properties"]["email"] == f"p{PEOPLE - 1}@acme.example":
                values["lifecyclestage"] = "salesqualifiedlead"
            made.worlds.hubspot.by_hand.edit(each["id"], values)
        assert made.run("sync", "--yes", "--limit", "1").exit_code in (0, 1)
        assert written(made) == [f"p{PEOPLE - 1}@acme.example"]
        assert made.run("sync", "--yes").exit_code == 0
        assert len(written(made)) == PEOPLE
        assert made.run("verify").exit_code == 0


def written(made: Box) -> list[str]:
    """Whose title has arrived in Salesforce."""
    return [str(row["Email"]) for row in made.worlds.salesforce.rows("Lead") if row.get("Title") == "Head"]
