"""Anna, whom both systems know already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from office import Office

ANNA = "anna@a.example"


def known(folder: Path, **options: Any) -> tuple[Office, str]:
    """An office in which Anna is known to both systems; her id in HubSpot."""
    office = Office(folder, **options)
    contact = office.hub.create({"email": ANNA, "lastname": "Ash", "city": "Bonn", "lifecyclestage": "marketingqualifiedlead"})
    office.run()
    office.later()
    return office, contact


def leads(office: Office) -> list[dict[str, Any]]:
    """All live Leads that are not converted."""
    return [dict(row) for row in office.crm.rows("Lead") if not row.get("IsConverted")]
