"""`stagesync verify`: whether all systems agree now, and where they do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...model.companies import NONE_FOUND, SEVERAL_FOUND
from ...sync.looking.verify import Verification
from . import words

_MEANING: Mapping[str, str] = {
    "in_sync": "every mapped field agrees",
    "drifted": "at least one field differs, and nothing holds it",
    "held": "differs, and waits for an answer (`stagesync holds`)",
    "frozen": "differs, and is excluded by the configuration",
    "orphans": "a record that belongs to nobody, or a link without its record",
    "ambiguous": "set aside: nobody can tell whose record it is (`stagesync holds`)",
    "duplicates": "a second record of a linked person, left alone",
    "forgotten": "a record of somebody who was forgotten, left alone",
}

_UNLINKED: Mapping[str, str] = {
    NONE_FOUND: "there is no record of it, and none may be made",
    SEVERAL_FOUND: "several records may be it, and nobody is linked by guess (`stagesync errors` names the people)",
}


def verify_text(found: Verification, shown: int = 20) -> list[str]:
    """The counts with their meaning, the first drifted records, and the verdict, as lines."""
    counts = _counts(found)
    lines = ["Records, compared with what was agreed:"]
    lines += words.table(
        [(f"{number:,}", name.replace("_", " "), _MEANING[name]) for name, number in counts.items() if number or name in ("in_sync", "drifted")]
    )
    if found.unprovable:
        lines.append("Cannot be proved, because the system cannot carry the value or its own value may stay:")
        lines += words.table([(f"{count:,}", system, words.label(name)) for (system, name), count in sorted(found.unprovable.items())])
    lines += [f"{words.count(count, 'record')} of {system} without a company: {_UNLINKED[code]}" for (system, code), count in sorted(found.unlinked.items())]
    lines += [f"{system}: {finding}" for system, finding in found.unread]
    lines += [f"{system} cannot be looked at: what it was told, and what it told, is on record only" for system in found.unseen]
    for drift in found.drifts[:shown]:
        lines.append(f"drifted: p{drift.person}, {drift.system} {drift.kind} {drift.ref}")
        for name, theirs, ours, refused in drift.fields:
            why = ", which the system refused" if refused else f", {found.rules[name]}" if name in found.rules else ""
            lines.append(f"    {words.label(name)}: {words.value(theirs)} there, {words.value(ours)} agreed{why}")
    lines += [f"orphan: {orphan.system} {orphan.kind} {orphan.ref}: {orphan.why}" for orphan in found.lost[:shown]]
    hidden = found.drifted + found.orphans - len(found.drifts[:shown]) - len(found.lost[:shown])
    if hidden > 0:
        lines.append(f"... and {hidden:,} more")
    agree = "All systems that can be looked at agree." if found.unseen else "All systems agree."
    verdict = agree if found.proved else "The systems do not agree: `stagesync sync` brings together what it may; then verify again."
    return [*lines, verdict]


def verify_json(found: Verification) -> dict[str, Any]:
    """The same as one object; drifted and orphaned records as far as they were kept."""
    return {
        **_counts(found),
        "proved": found.proved,
        "unprovable": [{"system": system, "field": name, "records": count} for (system, name), count in sorted(found.unprovable.items())],
        "unlinked": [{"system": system, "code": code, "records": count} for (system, code), count in sorted(found.unlinked.items())],
        "unseen": list(found.unseen),
        "unread": [{"system": system, "finding": finding} for system, finding in found.unread],
        "drifts": [
            {
                "person": drift.person,
                "system": drift.system,
                "kind": drift.kind,
                "ref": drift.ref,
                "fields": [
                    {"field": name, "there": theirs, "agreed": ours, "refused": refused, "rule": found.rules.get(name)}
                    for name, theirs, ours, refused in drift.fields
                ],
            }
            for drift in found.drifts
        ],
        "orphaned": [{"system": orphan.system, "kind": orphan.kind, "ref": orphan.ref, "why": orphan.why} for orphan in found.lost],
    }


def _counts(found: Verification) -> dict[str, int]:
    return {name: getattr(found, name) for name in _MEANING}
