"""`stagesync migrate rehearse`: who went first, and whether they arrived as wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from ...sync.migrating.rehearsal import Trait
from ..migrating.rehearse import PutBack, Rehearsed
from . import words
from .undo import stays
from .verify import verify_json, verify_text

_SAID = {
    "stage": "a stage",
    "there": "somebody who is there already",
    "owner": "an owner",
    "letters": "letters beyond English",
    "longest": "the longest value of a field",
    "filled": "a field with a value",
    "sparse": "hardly any value",
}


def rehearsed_text(found: Rehearsed) -> Iterator[str]:
    """Who, what was written, and how it reads back, as lines."""
    shown = Counter(trait[0] for example in found.chosen for trait in example.traits)
    went = len(found.people) - len(found.left)
    yield f"{words.count(went, 'person', 'people')} of {found.source} went to {found.target} in run {found.report.run}"
    yield from words.table([(f"{count:,}", f"{'examples' if count > 1 else 'example'} of {_SAID[kind]}") for kind, count in shown.items()])
    count = found.report.systems[found.target]
    told = [f"{number:,} {name}" for name in ("created", "updated", "rejected", "skipped", "unknown") if (number := getattr(count, name))]
    yield f"{found.target}: {', '.join(told) or '0 writes'}; read back:"
    yield from (f"  {line}" for line in verify_text(found.compared)[1:-1])
    if found.left:
        named = ", ".join(f"p{number}" for number in found.left)
        yield f"Without a record there: {named} (`stagesync why` and `stagesync holds` say why)."
    if found.landed:
        yield "All of it arrived as wanted. Look at them there, too."
    else:
        yield "Not all of it arrived as wanted: `stagesync errors` and `stagesync why p...` tell more."
    yield f"Next: `stagesync migrate load --approve {found.digest}`; if you like, `stagesync migrate rehearse --undo` first."


def rehearsed_json(found: Rehearsed) -> dict[str, Any]:
    """The same as one object."""
    count = found.report.systems[found.target]
    return {
        "from": found.source,
        "to": found.target,
        "run": found.report.run,
        "chosen": [{"record": example.name, "shows": [_trait(trait) for trait in example.traits]} for example in found.chosen],
        "people": list(found.people),
        "left": list(found.left),
        "created": count.created,
        "updated": count.updated,
        "rejected": count.rejected,
        "landed": found.landed,
        "compared": verify_json(found.compared),
    }


def _trait(trait: Trait) -> str:
    kind, what = trait
    return f"{kind}: {what}" if what else kind


def put_back_text(found: PutBack) -> Iterator[str]:
    """What was undone and what was not, as lines."""
    for made, report in found.undone:
        done = f"{words.count(report.writes, 'record')} put back" if report is not None else "nothing was left to put back"
        yield f"Run {made.target.id}: {done}"
        yield from stays(made)
    for run in found.broken:
        yield f"Run {run} broke off: nobody can tell yet what became of it, so it is not put back; the load finishes it"
    yield f"The load moves {words.count(found.people, 'person', 'people')} as if they had never been."
    yield "Next: `stagesync migrate survey` once more, since the plan has changed; then rehearse again, or load."


def put_back_json(found: PutBack) -> dict[str, Any]:
    """The same as one object."""
    undone = [(made.target.id, report.writes if report is not None else 0, len(made.refusals)) for made, report in found.undone]
    return {
        "undone": [{"run": run, "records": records, "refused": refusals} for run, records, refusals in undone],
        "people": found.people,
        "broken": list(found.broken),
    }
