"""When somebody must be looked at again although nothing happens, because time alone can change whether a condition holds. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable

from .conditions import Bound, Condition, Leaf, leaves
from .scores import Score
from .terms import DAY_MS, Case, Days


def ageing(condition: Condition) -> tuple[Leaf, ...]:
    """The parts of a condition that time alone can change."""
    return tuple(leaf for leaf in leaves(condition) if any(term.ageing is not None for term in leaf.terms))


def next_review(parts: Iterable[Leaf], case: Case) -> int | None:
    """The earliest moment at which one of these parts may change, in milliseconds; None where none ever does by itself. `parts`: those that are `ageing`.

    Exact to the day for days, and for scores that only fall, compared with a number; every day for other computations, until they have settled.
    """
    return min((found for leaf in parts if (found := _leaf(leaf, case)) is not None), default=None)


def _leaf(leaf: Leaf, case: Case) -> int | None:
    if any(case.plain(term) is None for term in leaf.terms):
        return None
    ends = [end for term in leaf.terms if term.ageing is not None and (end := term.ageing.settles(case)) is not None]
    if not ends:
        return None
    bound = leaf.bound
    if bound is not None and isinstance(bound.term.ageing, Days):
        return _days(bound, bound.term.ageing, case)
    if bound is not None and isinstance(bound.term.ageing, Score) and bound.term.ageing.only_falls and _turns_once(bound):
        return _fall(leaf, max(ends), case)
    return case.subject.now + DAY_MS


def _turns_once(bound: Bound) -> bool:
    """A number that only falls towards 0 passes this one at most once."""
    return bound.relation not in ("==", "!=") or bound.number == 0


def _days(bound: Bound, days: Days, case: Case) -> int | None:
    """The day on which a count of days passes the number."""
    start, count, number = days.start(case), days.count(case), bound.number
    if start is None or count is None or not math.isfinite(number):
        return None
    if bound.relation in (">", "<="):
        turns = [math.floor(number) + 1]
    elif bound.relation in (">=", "<"):
        turns = [math.ceil(number)]
    else:
        turns = [int(number), int(number) + 1] if number == int(number) else []
    following = [turn for turn in turns if turn > count]
    return start + min(following) * DAY_MS if following else None


def _fall(leaf: Leaf, end: int, case: Case) -> int | None:
    """The day, counted from now, on which a score that only falls has passed the number."""
    now, present = case.subject.now, leaf.holds(case)
    still, turned = 0, math.ceil((end - now) / DAY_MS)
    if leaf.holds(case.at(now + turned * DAY_MS)) is present:
        return None
    while turned - still > 1:
        middle = (still + turned) // 2
        if leaf.holds(case.at(now + middle * DAY_MS)) is present:
            still = middle
        else:
            turned = middle
    return now + turned * DAY_MS
