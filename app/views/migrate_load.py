"""`stagesync migrate load` and `verify`: what was moved, and the proof of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...sync.migrating.fates import SAYS_MORE
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
    yield f"Proved: every record is accounted for. {proof_sentence(found)}" if found.proved else f"Not proved: {proof_sentence(found)}"
    yield "Next: `stagesync migrate cutover`"


def proof_sentence(found: Proof) -> str:
    """What is proved and of whom it is not; or what stands against it."""
    if not found.proved:
        return f"{', '.join(_against(found))}."
    if found.complete:
        return "Everybody arrived, and every mapped field agrees."
    whose = "All arrived" if found.arrived == found.read else f"{found.arrived:,} of {words.count(found.read, 'record')} arrived"
    still_open, staying = ", ".join(_still_open(found)), ", ".join(_staying(found))
    but = f" but in {still_open}" if still_open else ""
    return f"{whose}, and every mapped field agrees{but}{f'; {staying}' if staying else ''}."


def _still_open(found: Proof) -> Iterator[str]:
    """Records of which not every field agrees, for a reason that is no failure."""
    told = found.compared
    for count, why in (
        (told.held, "about which something is asked"),
        (told.frozen, "that the configuration excludes by now"),
        (sum(told.unlinked.values()), "that could be linked to no company"),
    ):
        if count:
            yield f"{words.count(count, 'record')} {why}"


def _staying(found: Proof) -> Iterator[str]:
    """Records of the source that are not in the target, or not with all that they say, and why that is no failure."""
    told = found.fates
    for count, one, several in (
        (told.of("held"), "waits for an answer (`stagesync holds`)", "wait for an answer (`stagesync holds`)"),
        (told.of("excluded"), "was left out by a rule", "were left out by a rule"),
        (told.told["duplicate", SAYS_MORE], "is a second record of which more stays behind", "are second records of which more stays behind"),
    ):
        if count:
            yield f"{count:,} {one if count == 1 else several}"


def _against(found: Proof) -> Iterator[str]:
    """Why it is not proved."""
    for count, why in (
        (found.fates.of("rejected"), "refused there (`stagesync errors`)"),
        (found.fates.of("open"), "not moved yet"),
        (found.fates.of("gone"), "deleted there since"),
        (abs(found.read - found.fates.records), "come or gone since the last run"),
        (found.compared.drifted, "with a field that differs"),
        (found.compared.orphans, "without a person, or with a link to what is not there"),
    ):
        if count:
            yield f"{words.count(count, 'record')} {why}"


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
        "arrived": found.arrived,
        "complete": found.complete,
    }
