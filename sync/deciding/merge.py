"""The merge of one field of one person over any number of systems. Pure.

The hub keeps a canonical value and its version; each link keeps the native value last agreed and the version that it last
carried. A link's say on the field is one of:

    first    it has never met this person's field
    same     unchanged since it was agreed
    agreed   changed, but to what the hub holds already: it does not contend, yet if that gives way, so does this, and is on record
    edited   changed on top of the current version
    behind   changed while it was still owed a newer version: a true conflict
    silent   what stands there says nothing, whether it changed or not: it neither contends nor is put back

All contenders are decided at once, so the result depends neither on the order nor on the names of the systems
(a tie goes by an order that the configuration fixes). A loser is owed a write; a held field is left alone everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from ...mapping.fields import Field
from ...model.records import Value

Say: TypeAlias = Literal["first", "same", "agreed", "edited", "behind", "silent"]


class Side(NamedTuple):
    """One link's say on one field. `at`: when the value was entered there (ms), where field-level history tells it."""

    system: str
    say: Say
    value: Value
    stamp: int = 0
    at: int | None = None


class Hub(NamedTuple):
    """The canonical value. Version 0: nothing was ever known. `at`: the field-level time of its origin, where known."""

    value: Value = None
    version: int = 0
    source: str = ""
    at: int | None = None


class Rules(NamedTuple):
    """How this person's conflicts are decided.

    `order`: system -> rank, the tie-break, or None to hold ties. `winner`: the answer for first meetings of this field's group
    (a system, "newest", or None: hold). `answer`: somebody's answer to this field's hold (a system, "newest", "hub").
    `timed`: field-level times were looked up already.
    """

    order: Mapping[str, int] | None
    winner: str | None = None
    answer: str | None = None
    timed: bool = False


class Verdict(NamedTuple):
    """What becomes of the field.

    `hub`: the canonical value from now on. `losers`: index of a side -> the rule that overruled it (it is put back).
    `kept`: sides that keep their own value without being written (policy `fill blank`). `replaced`: the rule under which a canonical value
    that its system never saw replaced was overruled. `hold`: the kind of question, if it cannot be decided. `untimed`: field-level times are needed first.
    """

    hub: Hub
    reason: str = ""
    losers: Mapping[int, str] = {}
    kept: frozenset[int] = frozenset()
    replaced: str | None = None
    hold: str | None = None
    untimed: bool = False


def same_value(field: Field, one: Value, other: Value) -> bool:
    """Equal in our terms: for a boolean, blank and false are the same."""
    if field.type == "boolean":
        return bool(one) is bool(other)
    return one == other


def is_blank(field: Field, value: Value) -> bool:
    """Nothing was said: no value, or a box that is not ticked."""
    return value is None or (value is False and field.type == "boolean")


def merge(field: Field, hub: Hub, sides: Sequence[Side], rules: Rules) -> Verdict:
    """Decide one field. `sides` may come in any order."""
    verdict = _decide(field, hub, sides, rules)
    if verdict.hub.version == hub.version:
        return verdict
    gave_way = {index: verdict.reason for index, side in enumerate(sides) if side.say == "agreed" and not same_value(field, side.value, verdict.hub.value)}
    return verdict._replace(losers={**verdict.losers, **gave_way})


def _decide(field: Field, hub: Hub, sides: Sequence[Side], rules: Rules) -> Verdict:
    """What becomes of the contenders, and of the hub's value."""
    pool = [index for index, side in enumerate(sides) if _contends(field, side)]
    if not pool:
        return Verdict(hub)
    if rules.answer is not None:
        answered = _answered(field, hub, sides, rules.answer)
        if answered is not None:
            return _won(field, hub, sides, pool, answered[0], answered[1], f"answered: {rules.answer}")
    if field.sticky:
        return _sticky(field, hub, sides, pool)
    if field.policy.kind == "fill":
        return _fill(field, hub, sides, pool)
    if field.policy.kind in ("always", "prefer"):
        ruled = _authority(field, hub, sides, pool)
        if ruled is not None:
            return ruled
    return _open_contest(field, hub, sides, pool, rules)


def _contends(field: Field, side: Side) -> bool:
    return side.say in ("edited", "behind") or (side.say == "first" and not is_blank(field, side.value))


def _answered(field: Field, hub: Hub, sides: Sequence[Side], answer: str) -> tuple[Value, str] | None:
    if answer == "hub":
        return hub.value, hub.source
    told = [side for side in sides if answer in ("newest", side.system) and side.say != "silent"]
    if not told:
        return None
    best = max(told, key=lambda side: (side.at or side.stamp, not is_blank(field, side.value), repr(side.value)))
    return best.value, best.system


def _won(field: Field, hub: Hub, sides: Sequence[Side], pool: Sequence[int], value: Value, source: str, reason: str) -> Verdict:
    """`value` is canonical from now on; every contender that says otherwise is a loser."""
    losers = {index: reason for index in pool if not same_value(field, sides[index].value, value)}
    if same_value(field, value, hub.value):
        return Verdict(hub, reason, losers)
    unseen = hub.version > 0 and not any(sides[index].say == "edited" for index in pool)  # a blank too: somebody cleared it
    at = next((sides[index].at for index in pool if sides[index].system == source and same_value(field, sides[index].value, value)), None)
    return Verdict(Hub(value, hub.version + 1, source, at), reason, losers, replaced=reason if unseen else None)


def _sticky(field: Field, hub: Hub, sides: Sequence[Side], pool: Sequence[int]) -> Verdict:
    """Consent: true never loses to false without somebody's decision."""
    told = next((sides[index] for index in sorted(pool, key=lambda i: sides[i].system) if not is_blank(field, sides[index].value)), None)
    if told is not None and is_blank(field, hub.value):
        return _won(field, hub, sides, pool, told.value, told.system, f"{told.system} says so, and an opt-out stays")
    if not is_blank(field, hub.value) and any(is_blank(field, sides[index].value) for index in pool):
        return Verdict(hub, hold="consent")
    return _won(field, hub, sides, pool, hub.value if not is_blank(field, hub.value) else sides[pool[0]].value, hub.source, "agreed")


def _fill(field: Field, hub: Hub, sides: Sequence[Side], pool: Sequence[int]) -> Verdict:
    """Only blanks are filled; what each system has of its own stays."""
    filled = [index for index in pool if not is_blank(field, sides[index].value)]
    kept = frozenset(filled)
    if filled and is_blank(field, hub.value):
        first = min((sides[index] for index in filled), key=lambda side: (side.stamp, side.system))
        return Verdict(Hub(first.value, hub.version + 1, first.system, first.at), f"fills blanks, from {first.system}", kept=kept)
    return Verdict(hub, "fill blank: kept as it is", kept=kept)


def _authority(field: Field, hub: Hub, sides: Sequence[Side], pool: Sequence[int]) -> Verdict | None:
    """`always S`, `prefer S unless blank`: None where S has nothing to say, so that the others decide among themselves."""
    system = field.policy.system or ""
    mine = [index for index, side in enumerate(sides) if side.system == system]
    if not mine:
        return None
    speaking = [index for index in mine if index in pool and not (field.policy.kind == "prefer" and is_blank(field, sides[index].value))]
    rule = f"{field.policy.kind} {system}" + (" unless blank" if field.policy.kind == "prefer" else "")
    if speaking:
        best = max((sides[index] for index in speaking), key=lambda side: (side.stamp, repr(side.value)))
        return _won(field, hub, sides, pool, best.value, system, rule)
    if all(is_blank(field, sides[index].value) for index in mine) and (field.policy.kind == "prefer" or is_blank(field, hub.value)):
        return None
    return _won(field, hub, sides, pool, hub.value, hub.source, rule)


def _open_contest(field: Field, hub: Hub, sides: Sequence[Side], pool: Sequence[int], rules: Rules) -> Verdict:
    """Two-way: one distinct value is the new version; several are decided by time, winner or tie-break, or held."""
    met = [index for index in pool if sides[index].say == "first"]
    if not field.clears:
        spoken = [index for index in pool if not is_blank(field, sides[index].value)]
        if not spoken:
            return _won(field, hub, sides, pool, hub.value, hub.source, "clearing does not propagate here (clears = false)")
    elif met:
        spoken = [index for index in pool if not is_blank(field, sides[index].value)]
    else:
        spoken = list(pool)
    hub_contends = _hub_contends(field, hub, sides, pool)
    values = _distinct(field, [sides[index].value for index in spoken] + ([hub.value] if hub_contends else []))
    if len(values) == 1:
        source = _origin(rules, [sides[index] for index in spoken if same_value(field, sides[index].value, values[0])])
        name = source.system if source else hub.source
        return _won(field, hub, sides, pool, values[0], name, f"first seen in {name}" if met and source else f"edited in {name}")
    if field.policy.kind == "ask":
        return Verdict(hub, hold="ask")
    if met:
        return _first_meeting(field, hub, sides, pool, spoken, hub_contends, rules)
    return _conflict(field, hub, sides, pool, spoken, hub_contends, rules)


def _origin(rules: Rules, alike: Sequence[Side]) -> Side | None:
    """Of several who say the same, the one that goes first in a tie: as whose value it contends from now on is no matter of names."""
    return min(alike, key=lambda side: (-_rank(rules, side.system), -(side.at or 0), side.system), default=None)


def _hub_contends(field: Field, hub: Hub, sides: Sequence[Side], pool: Sequence[int]) -> bool:
    """The canonical value stands beside the contenders unless one of them has seen it; a blank one never stands at a first meeting."""
    if hub.version == 0 or any(sides[index].say == "edited" for index in pool):
        return False
    return not is_blank(field, hub.value) or all(sides[index].say == "behind" for index in pool)


def _distinct(field: Field, values: Sequence[Value]) -> list[Value]:
    found: list[Value] = []
    for value in values:
        if not any(same_value(field, value, other) for other in found):
            found.append(value)
    return found


def _first_meeting(field: Field, hub: Hub, sides: Sequence[Side], pool: Sequence[int], spoken: Sequence[int], hub_contends: bool, rules: Rules) -> Verdict:
    if rules.winner is None:
        return Verdict(hub, hold="first")
    if rules.winner == "newest":
        best = max((sides[index] for index in spoken), key=lambda side: (side.stamp, _rank(rules, side.system), repr(side.value)))
        return _won(field, hub, sides, pool, best.value, best.system, f"first meeting: {best.system} is newer")
    chosen = [sides[index] for index in spoken if sides[index].system == rules.winner]
    if chosen:
        best = max(chosen, key=lambda side: (side.stamp, repr(side.value)))
        return _won(field, hub, sides, pool, best.value, best.system, f"first meeting: {best.system} wins this group")
    if hub_contends:
        return _won(field, hub, sides, pool, hub.value, hub.source, "first meeting: what is agreed already stays")
    return Verdict(hub, hold="first")


def _conflict(field: Field, hub: Hub, sides: Sequence[Side], pool: Sequence[int], spoken: Sequence[int], hub_contends: bool, rules: Rules) -> Verdict:
    """A true conflict: the later entry where every contender's time is known, else the tie-break, else a hold."""
    entries = [(sides[index].at, sides[index].system, sides[index].value) for index in spoken]
    if hub_contends:
        entries.append((hub.at, hub.source, hub.value))
    if not rules.timed:
        return Verdict(hub, untimed=True)
    times = [at for at, _, _ in entries if at is not None]
    if len(times) == len(entries):
        latest = [entry for entry in entries if entry[0] == max(times)]
        if len(_distinct(field, [value for _, _, value in latest])) == 1:
            return _won(field, hub, sides, pool, latest[0][2], latest[0][1], f"conflict: entered later in {latest[0][1]}")
    if rules.order is None:
        return Verdict(hub, hold="conflict")
    _, system, value = min(entries, key=lambda entry: (-_rank(rules, entry[1]), entry[1], repr(entry[2])))
    return _won(field, hub, sides, pool, value, system, f"conflict: {system} goes first (tie)")


def _rank(rules: Rules, system: str) -> int:
    """Higher goes first."""
    return -rules.order[system] if rules.order is not None and system in rules.order else -1_000_000
