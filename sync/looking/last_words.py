"""What a record said last that lives on as another one, and what of it goes on: evidence for the stage, and an opt-out that nobody has heard.

All else was chosen by whoever merged the two and saw both. An opt-out is nobody's to drop.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...mapping.fields import Unmappable
from ...mapping.maps import FieldMap
from ...model.records import Moved, Record, Ref, Values
from ...state.links import LinkRow
from ..deciding.claims import STAGE
from ..deciding.consent import UNHEARD
from ..deciding.desk import System


def last_words(moved: Iterable[Moved], system: System, known: Collection[Ref]) -> Iterator[Record]:
    """The last states of merged records that are to be kept: of those that are known, and of any that tells an opt-out, so that it is heard once."""
    for each in moved:
        if each.record is not None and each.why == "merged" and (each.ref in known or any(_opt_outs(system, each.ref, each.record.values))):
            yield each.record


def in_order(moved: Sequence[Moved]) -> list[Moved]:
    """What went into a record that went on itself goes first, so that what it said is handed on all the way."""
    left = {each.ref for each in moved}
    return sorted(moved, key=lambda each: each.to not in left)


def handed_on(system: System, moved: Moved, old: LinkRow | None, known: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be noted with the new record, of which so much is `known` already. `old`: None where it was followed before, or nobody knew it."""
    notes = _evidence(system, moved, old) if "converted" not in known else {}
    unheard = _unheard(system, moved, old) if old is not None else set[str]()
    return {**notes, UNHEARD: sorted(unheard.union(known.get(UNHEARD, ())))} if unheard else notes


def _evidence(system: System, moved: Moved, old: LinkRow | None) -> dict[str, Any]:
    """What the old record says about the stage, kept with the new one: a conversion is evidence that a Contact has no field for.

    With it goes the version of the stage that the old record carried: that is what whoever converted it had before them.
    """
    kind = system.map.kinds.get(moved.ref.kind)
    if moved.record is None or moved.why != "converted" or kind is None or kind.stage is None:
        return {}
    reading = kind.stage.read(moved.record.values)
    if reading is None:
        return {}
    seen = old.carried.get(STAGE) if old is not None and old.state == "linked" else None
    return {"converted": [reading.stage, reading.side, reading.reason], **({"converted_seen": seen} if seen is not None else {})}


def _unheard(system: System, moved: Moved, old: LinkRow) -> set[str]:
    """The fields in which it says that its human has opted out, as far as that was not agreed before it went."""
    said = {**old.seen, **(moved.record.values if moved.record is not None else {})}
    told = _opt_outs(system, moved.ref, said)
    news = {each.field for each in told if each.field not in old.carried or each.native in old.agreed or old.seen.get(each.native) != said[each.native]}
    return news.union((old.claim or {}).get(UNHEARD, ()))


def _opt_outs(system: System, ref: Ref, values: Values) -> Iterator[FieldMap]:
    kind = system.map.kinds.get(ref.kind)
    for each in kind.fields.values() if kind is not None else ():
        if each.sticky and values.get(each.native) is not None and _says(each, values):
            yield each


def _says(field: FieldMap, values: Values) -> bool:
    try:
        return bool(field.read(values[field.native], values))
    except Unmappable:
        return False
