"""`stagesync migrate`: how far the migration has come, and what is next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...state.passage import Passage
from ..migrating.work import PHASES, Phase, Way
from . import words

_WHAT: Mapping[Phase, str] = {
    "survey": "read both systems, and see what would become of everybody",
    "rehearse": "move a few people, read them back, and put them back if you like",
    "load": "move everybody",
    "verify": "compare every person and field, and count",
    "cutover": "bring over what changed since, and go on from there",
}


def standing_text(known: Sequence[Passage], way: Way) -> Iterator[str]:
    """The migration that was worked on last, phase by phase, as lines. `way`: the one that somebody asked for."""
    if not known:
        source, target = way.source or "SYSTEM", way.target or "SYSTEM"
        yield f"There is no such migration yet. Next: `stagesync migrate survey --from {source} --to {target}`"
        return
    yield f"Migration from {known[0].source} to {known[0].target}, begun {words.moment(known[0].started_at)} UTC"
    yield from words.table([(phase, _stands(known[0], phase), _WHAT[phase]) for phase in PHASES])
    yield f"Next: {next_step(known[0])}"


def standing_json(known: Sequence[Passage]) -> dict[str, Any]:
    """The same as one object."""
    return {
        "migrations": [
            {"from": each.source, "to": each.target, "started": words.stamp(each.started_at), "phases": each.phases, "next": next_step(each)} for each in known
        ]
    }


def next_step(known: Passage) -> str:
    """The command that comes next."""
    if not known.ended("survey"):
        return f"`stagesync migrate survey --from {known.source} --to {known.target}`"
    if not known.ended("load"):
        begun = "load" in known.phases
        digest = known.phases["survey"]["digest"]
        load = "`stagesync migrate load`, which goes on where it was" if begun else f"`stagesync migrate load --approve {digest}`"
        return load if begun or known.ended("rehearse") else f"`stagesync migrate rehearse`, or {load}"
    if not known.ended("verify"):
        return "`stagesync migrate verify`"
    if not known.ended("cutover"):
        return "`stagesync migrate cutover`, as often as you like"
    return "`stagesync sync`, in the directions that your configuration says"


def _stands(known: Passage, phase: Phase) -> str:
    if known.ended(phase):
        return f"done {words.moment(int(known.phases[phase]['ended_at']))}"
    return "begun" if phase in known.phases else "not yet"
