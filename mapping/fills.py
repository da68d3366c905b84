"""The fields that the lifecycle fills, as the configuration names them.

[fields.mql_date]
type = "datetime"                    # or "date": the moment is kept all the same, and a native date holds its day in the account's zone
stage = "mql"                        # a stage or a group: when the person entered it, in the present pass
hubspot = "mql_date"
salesforce = { lead = "MQL_Date__c" }

[fields.disqualified_reason]
side = "disqualified"                # a side state: when, or ...
what = "reason"                      # ... why the person was put there
hubspot = "disqualified_reason"
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .fields import LIFECYCLE, Field, Fill, What
from .problems import Problems, closest
from .vocabulary import Vocabulary

WORDS = ("stage", "side", "what")
_WHAT = ("entered", "reason")
_MEANINGLESS = ("policy", "clears", "sticky", "translate", "fallback")
_TYPES: Mapping[What, tuple[str, ...]] = {"entered": ("datetime", "date"), "reason": ("text",)}


def filled(path: str, name: str, group: str, said: Mapping[str, Any], words: Vocabulary, problems: Problems) -> Field:
    """The field that this table describes; where it is wrong, one that fills nothing, and the mistake is told."""
    for word in _MEANINGLESS:
        if word in said:
            problems.add(f"{path}.{word}", "means nothing where the lifecycle sets the field", "Remove it")
    what = _what(path, said, problems)
    allowed = _TYPES[what]
    if said.get("type", allowed[0]) not in allowed:
        told = "the moment when somebody entered a place" if what == "entered" else "a reason"
        problems.add(f"{path}.type", f"{said['type']!r} cannot hold {told}", f"Allowed: {', '.join(allowed)}")
    return Field(name, "datetime" if what == "entered" else "text", group, LIFECYCLE, fill=_fill(path, said, what, words, problems))


def _fill(path: str, said: Mapping[str, Any], what: What, words: Vocabulary, problems: Problems) -> Fill | None:
    if "stage" in said and "side" in said:
        problems.add(path, "names a stage and a side state", "Keep one of them, and give the other a field of its own")
    elif "side" in said:
        return _of_side(path, said["side"], what, words, problems)
    elif "stage" in said:
        return _of_stage(path, said["stage"], what, words, problems)
    else:
        problems.add(f"{path}.what", "does not say of which place", 'Add stage = "..." or side = "..."')
    return None


def _what(path: str, said: Mapping[str, Any], problems: Problems) -> What:
    what = said.get("what", "entered")
    if what not in _WHAT:
        problems.add(f"{path}.what", f"{what!r} is nothing that the lifecycle knows", f"Allowed: {', '.join(_WHAT)}")
    return "reason" if what == "reason" else "entered"


def _of_side(path: str, said: object, what: What, words: Vocabulary, problems: Problems) -> Fill | None:
    side = problems.text(f"{path}.side", said)
    if side is None:
        return None
    if side in words.sides:
        return Fill(what, side, side=side)
    problems.add(f"{path}.side", f"{side!r} is not a side state of the funnel", closest(side, words.sides))
    return None


def _of_stage(path: str, said: object, what: What, words: Vocabulary, problems: Problems) -> Fill | None:
    stage = problems.text(f"{path}.stage", said)
    if what == "reason":
        problems.add(f"{path}.what", "only a side state has a reason", 'Write side = "..." instead of stage')
        return None
    if stage is None:
        return None
    if stage in words.sides:
        return Fill(what, stage, side=stage)
    if stage in words.names:
        return Fill(what, stage, stages=frozenset(words.groups.get(stage, (stage,))))
    problems.add(f"{path}.stage", f"{stage!r} is neither a stage, a group nor a side state of the funnel", closest(stage, (*words.names, *words.sides)))
    return None
