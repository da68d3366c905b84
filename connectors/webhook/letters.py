"""What a write says to a system that takes events. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ...model.events import Letter
from ...model.writes import Step
from .events import STAGE


def letters_of(step: Step, mark: str, ref: str, id: str, now: int) -> list[Letter]:
    """The events of one step, in their order. `ref`: the record, as we call it; `id`: as the receiver does. The keys tell this step from every other one."""
    at = datetime.fromtimestamp(now / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def letter(sort: str, kind: str, told: Mapping[str, Any]) -> Letter:
        return Letter(ref, f"msg_{mark}_{step.id}_{step.number}{sort}", {"type": kind, "timestamp": at, "data": {"id": id, **told}})

    if step.operation == "archive":
        return [letter("d", "contact.deleted", {})]
    fields = {native: value for native, value in step.values.items() if native != STAGE}
    found = [letter("u", "contact.updated", {"new": step.operation == "create", "fields": fields})] if fields or step.operation == "create" else []
    if STAGE in step.values:
        found.append(letter("s", "stage.changed", _moved(step)))
    return found


def _moved(step: Step) -> dict[str, Any]:
    to, move = step.values[STAGE], step.move
    return {"from": move.before, "to": to, "reason": move.reason, "pass": move.pass_no} if move is not None else {"to": to}
