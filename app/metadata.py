"""What an account looks like, as it is kept in the state between runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..connectors.contract import AccountId, FieldDescription, KindDescription, Option, SystemDescription
from ..connectors.probing import Finding

FINDINGS = "findings"
"""Where the row holds what `stagesync probe` found: name of the experiment -> {"answer", "at"}. It is the account's, whichever credential asked."""


def to_json(fingerprint: str, identity: AccountId, description: SystemDescription, findings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The account's metadata row. `fingerprint`: of the credential that saw it so. `findings`: as the row held them before."""
    return {"fingerprint": fingerprint, "identity": asdict(identity), "description": asdict(description), FINDINGS: dict(findings or {})}


def with_finding(stored: Mapping[str, Any], finding: Finding, now: int) -> dict[str, Any]:
    """The row with what an experiment gave; without an answer it stays as it was."""
    if finding.answer is None:
        return dict(stored)
    return {**stored, FINDINGS: {**stored.get(FINDINGS, {}), finding.name: {"answer": finding.answer, "at": now}}}


def answers(stored: Mapping[str, Any]) -> dict[str, str]:
    """What experiments found out, by their names."""
    return {name: str(each["answer"]) for name, each in stored.get(FINDINGS, {}).items()}


def from_json(stored: Mapping[str, Any]) -> tuple[AccountId, SystemDescription]:
    """The inverse of `to_json`. Raises `KeyError` or `TypeError` for a row of another version, which is then read anew."""
    description = stored["description"]
    kinds = {name: KindDescription(kind["kind"], _fields(kind["fields"]), kind["creatable"]) for name, kind in description["kinds"].items()}
    return AccountId(**stored["identity"]), SystemDescription(kinds, tuple(description["findings"]), description["users"])


def _fields(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, FieldDescription]:
    fields: dict[str, FieldDescription] = {}
    for name, spec in stored.items():
        told: dict[str, Any] = {**spec, "options": tuple(Option(**option) for option in spec["options"])}
        fields[name] = FieldDescription(**told)
    return fields
