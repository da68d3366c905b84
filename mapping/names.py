"""Names of people: how much alike two of them are. Pure; nothing is ever written so."""

from __future__ import annotations

from rapidfuzz.distance import JaroWinkler

from ..model.spelling import folded

ALIKE, UNLIKE = 0.85, 0.70
"""From here on two names are spellings of one; below this they are two names."""


def likeness(mine: str, theirs: str) -> float | None:
    """0 to 1 for two folded names, None where one is blank. An initial goes with every name that begins with it, but not quite like the name itself."""
    if not mine or not theirs:
        return None
    short, long = sorted((mine, theirs), key=len)
    return 0.9 if len(short) == 1 and long.startswith(short) and short != long else JaroWinkler.similarity(mine, theirs)


def agree(mine: tuple[str, str], theirs: tuple[str, str]) -> bool:
    """Two names, each (first, last), that are one as far as they go: the same, with an initial or a blank in the place of a part, or swapped."""
    one, other = [folded(part) for part in mine], [folded(part) for part in theirs]
    return all(map(_goes_with, one, other)) or (all(one) and one == other[::-1])


def _goes_with(mine: str, theirs: str) -> bool:
    short, long = sorted((mine, theirs), key=len)
    return short == long or not short or (len(short) == 1 and long.startswith(short))


def differ(mine: str | None, theirs: str | None) -> bool:
    """Two names, and no spellings or short forms of one. A blank one contradicts nobody."""
    one, other = folded(mine), folded(theirs)
    alike = likeness(one, other)
    return alike is not None and alike < UNLIKE and not (one.startswith(other) or other.startswith(one))
