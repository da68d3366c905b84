"""The story that the histories of somebody's records tell, whatever stands in them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from stagesync.lifecycle.presets import default_funnel
from stagesync.mapping.stages import StageMap, Words
from stagesync.model.records import Actor, FieldChange
from stagesync.sync.past.timeline import Past as Remembered
from stagesync.sync.past.timeline import trace

FUNNEL = default_funnel()
STAGES = ("lead", "mql", "sal", "sql")
SIDES = (None, "nurture", "disqualified")


def spoken() -> StageMap:
    """A map whose native values are our own words."""
    described = {"Stage": STAGES, "Side": SIDES[1:]}
    stage, side = (
        Words(native, {word: word for word in named}, {word: word for word in named}, {}, None, native == "Side") for native, named in described.items()
    )
    own = {word: word for word in (*STAGES, *SIDES[1:])}
    return StageMap(("Stage", "Side"), frozenset({"Stage", "Side"}), {}, own, frozenset(SIDES[1:]), (), (stage, side), {}, frozenset())


MAP = spoken()
EVENTS = st.lists(st.tuples(st.integers(1, 9), st.sampled_from(["Stage", "Side"]), st.integers(0, 3), st.booleans()), max_size=6)


def past(system: str, link: int, events: Sequence[tuple[int, str, int, bool]]) -> Remembered:
    """A record with these versions, of which each has its own moment."""
    versions: dict[str, list[FieldChange]] = {"Stage": [], "Side": []}
    for at, native, number, own in sorted({at: (at, native, number, own) for at, native, number, own in events}.values()):
        value = STAGES[number] if native == "Stage" else SIDES[number % 3]
        versions[native].insert(0, FieldChange(value, at, Actor("user", "1", own)))
    return Remembered(system, link, MAP, {native: found[0].value if found else None for native, found in versions.items()}, versions)


@given(EVENTS, EVENTS)
def test_a_story_does_not_depend_on_who_is_asked_first(one: Sequence[tuple[int, str, int, bool]], other: Sequence[tuple[int, str, int, bool]]) -> None:
    """Nor is anybody ever in a place twice in a row, or there before the stay before; and a record of ours alone tells nothing."""
    pasts = [past("a", 1, one), past("b", 2, other)]
    story = trace(FUNNEL, pasts)
    assert story == trace(FUNNEL, pasts[::-1])
    assert all(before.state.reading != after.state.reading for before, after in pairwise(story))
    assert [arrival.at for arrival in story] == sorted(arrival.at or 0 for arrival in story)
    assert [arrival for arrival in story if (arrival.at or 0) <= 5] == trace(FUNNEL, pasts, until=5)
    assert trace(FUNNEL, [past("a", 1, [(*event[:3], True) for event in one])]) == []


@given(EVENTS)
def test_one_record_alone_tells_what_it_said(events: Sequence[tuple[int, str, int, bool]]) -> None:
    """Then every move is somebody's who saw the present place, and the story ends where the record stands."""
    alone = past("a", 1, [(*event[:3], False) for event in events])
    story, now = trace(FUNNEL, [alone]), MAP.read(alone.seen)
    if now is not None and story:
        assert now.stage in (None, story[-1].state.stage)
        assert now.side == story[-1].state.side
