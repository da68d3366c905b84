"""How we recognise our own writes where nobody told us the app's id: by what the history says of a write that surely was ours."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...model.records import Native, Ref
from ...model.writes import Applied, Outcome, Step
from .client import Client
from .read import batch_read
from .rows import instant_ms

_WITHIN_MS = 2_000


class Sample(NamedTuple):
    """One value that we wrote, and when by the vendor's clock."""

    ref: Ref
    name: str
    value: Native
    at: int


def sample_of(step: Step, outcome: Outcome) -> Sample | None:
    """A value of this step that was stored as it was sent."""
    if not isinstance(outcome, Applied) or outcome.stored is None:
        return None
    stored = outcome.stored
    name = next((name for name, value in step.values.items() if value is not None and stored.values.get(name) == value), None)
    return Sample(outcome.ref, name, step.values[name], stored.stamp) if name is not None else None


def learned_app(client: Client, sample: Sample) -> str | None:
    """The app id that the history shows for the sample; None where it cannot be told. One call."""
    for row in batch_read(client, [sample.ref.id], (), history=(sample.name,)):
        versions: list[dict[str, Any]] = (row.get("propertiesWithHistory") or {}).get(sample.name) or []
        for version in versions:
            ours = version.get("value") == sample.value and abs(instant_ms(version["timestamp"]) - sample.at) <= _WITHIN_MS
            if ours and version.get("sourceType") == "INTEGRATION" and version.get("sourceId"):
                return str(version["sourceId"])
    return None
