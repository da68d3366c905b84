"""What an account looks like, as it is kept in the state between runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..connectors.contract import AccountId, FieldDescription, KindDescription, Option, SystemDescription


def to_json(fingerprint: str, identity: AccountId, description: SystemDescription) -> dict[str, Any]:
    """The account's metadata row. `fingerprint`: of the credential that saw it so."""
    return {"fingerprint": fingerprint, "identity": asdict(identity), "description": asdict(description)}


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
