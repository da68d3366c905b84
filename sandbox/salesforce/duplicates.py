"""The org's duplicate rules: a new person with the e-mail and last name of one that is already there."""

from __future__ import annotations

from typing import Any

from .errors import Refused
from .fields import Row
from .org import Org

PEOPLE = ("Lead", "Contact")
MESSAGE = "Use one of these records?"


def check_duplicates(org: Org, kind: str, row: Row, *, allow_save: bool) -> None:
    """Raise DUPLICATES_DETECTED if a rule fires. `allow_save` passes a rule that only alerts, never one that blocks."""
    rule = org.habits.duplicate_rules
    if rule == "off" or kind not in PEOPLE or not row.get("Email") or (rule == "alert" and allow_save):
        return
    matches = [(other_kind, other["Id"]) for other_kind in PEOPLE for other in org.store.tables[other_kind].find("Email", [row["Email"]]) if _same(row, other)]
    if matches:
        raise Refused("DUPLICATES_DETECTED", MESSAGE, [], extra={org.habits.duplicate_result_key: _result(kind, matches, allow_save=rule == "alert")})


def _same(row: Row, other: Row) -> bool:
    return not other.get("IsDeleted") and not other.get("IsConverted") and str(other.get("LastName")).lower() == str(row.get("LastName")).lower()


def _result(kind: str, matches: list[tuple[str, str]], *, allow_save: bool) -> dict[str, Any]:
    """The duplicate result of a single-record call; collections leave it out."""
    found: list[dict[str, Any]] = []
    for other in dict.fromkeys(name for name, _ in matches):
        records = [
            {"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0, "record": {"attributes": {"type": name}, "Id": id}}
            for name, id in matches
            if name == other
        ]
        found.append(
            {
                "entityType": other,
                "errors": [],
                "matchEngine": "FuzzyMatchEngine",
                "matchRecords": records,
                "rule": f"Standard_{other}_Match_Rule",
                "size": len(records),
                "success": True,
            }
        )
    return {
        "allowSave": allow_save,
        "duplicateRule": f"Standard_{kind}_Duplicate_Rule",
        "duplicateRuleEntityType": kind,
        "errorMessage": MESSAGE,
        "matchResults": found,
    }
