"""`stagesync migrate load` and `verify`: what was moved, and the proof of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..migrating.load import Loaded, quota_text
from ..migrating.proof import Proof
from . import words
from .migrate_fates import DONE, asked_text, fates_json, fates_text
from .seeding import seeding_json, seeding_text
from .verify import verify_json, verify_text

_COUNTED = ("created", "updated", "archived", "rejected", "skipped", "unknown")


def loaded_text(found: Loaded) -> Iterator[str]:
    """What the load wrote and what became of everybody, as lines."""
    counts = ", ".join(f"{count:,} {name}" for name in _COUNTED if (count := getattr(found.count, name))) or "0 writes"
    rate = f", {found.count.writes / found.seconds:,.0f} a second" if found.count.writes and found.seconds >= 1 else ""
    yield f"{found.target}: {counts} in {found.seconds:,.1f} s{rate}"
    if found.quota:
        yield f"  {quota_text(found.quota)}"
    yield f"What became of the records of {found.source}"
    yield from fates_text(found.fates, DONE)
    yield from asked_text(found.new_holds)
    if found.seeding is not None:
        yield from seeding_text(found.seeding)
    if found.count.rejected:
        yield "`stagesync errors` tells what was refused and what helps; `stagesync retry`, then load again."
    yield "Next: `stagesync migrate verify`" if found.whole and not found.fates.of("open") else "Next: `stagesync migrate load` once more"


def loaded_json(found: Loaded) -> dict[str, Any]:
    """The same as one object."""
    return {
        "from": found.source,
        "to": found.target,
        "runs": found.runs,
        **{name: getattr(found.count, name) for name in _COUNTED},
        "seconds": round(found.seconds, 3),
        "quota": {system: {"used": used, "of": limit} for system, (used, limit) in found.quota.items()},
        "fates": fates_json(found.fates),
        "histories": seeding_json(found.seeding) if found.seeding is not None else None,
    }


def proof_text(found: Proof) -> Iterator[str]:
    """The sum, the comparison and the verdict, as lines."""
    yield f"{found.source} has {words.count(found.read, 'record')} now. Of these"
    yield from fates_text(found.fates, DONE)
    yield from sum_text(found)
    yield ""
    *compared, verdict = verify_text(found.compared)
    yield from compared
    for (system, name), count in sorted(found.compared.differing.items()):
        yield f"  {words.count(count, 'record')} of {system} with another {words.label(name)}"
    yield verdict if found.compared.proved else "They do not agree: `stagesync migrate cutover` brings over what changed since; then verify again."
    yield "Proved: every record is accounted for, and every mapped field agrees." if found.proved else "Not proved: see above."
    yield "Next: `stagesync migrate cutover`"


def sum_text(found: Proof) -> Iterator[str]:
    """The equation, as far as it holds."""
    gap = found.read - found.fates.records
    if found.adds_up:
        yield "  that is all of them"
    elif gap:
        yield f"  {words.count(abs(gap), 'record')} {'came' if gap > 0 else 'went'} since the last run"
    else:
        yield "  that is not all of them"


def proof_json(found: Proof) -> dict[str, Any]:
    """The same as one object."""
    return {
        **verify_json(found.compared),
        "from": found.source,
        "to": found.target,
        "read": found.read,
        "fates": fates_json(found.fates),
        "adds_up": found.adds_up,
        "differing": [{"system": system, "field": name, "records": count} for (system, name), count in sorted(found.compared.differing.items())],
        "agree": found.compared.proved,
        "proved": found.proved,
    }
