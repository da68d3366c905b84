"""Values that chase each other: when a change only goes on with a quarrel, and when it is a change like any other."""

from __future__ import annotations

from itertools import cycle, islice

from hypothesis import given
from hypothesis import strategies as st

from stagesync.state.actions import ActionRow
from stagesync.sync.deciding.decision import UNDO
from stagesync.sync.deciding.loops import PUT_BACK, ROUNDS, WINDOW_MS, Flip, flips_of, quarrel

VALUES = st.lists(st.text(max_size=3) | st.none() | st.booleans(), min_size=2, max_size=5, unique_by=repr)
SYSTEMS = st.lists(st.sampled_from(["hub", "crm", "hub2"]), min_size=2, max_size=3, unique=True)
GAPS = st.integers(0, WINDOW_MS // 20)


def told(values: list[object], systems: list[str], gap: int, length: int) -> list[Flip]:
    """The values one after the other, each brought by the next of the systems, `gap` ms apart."""
    round_, who = islice(cycle(values), length + 1), islice(cycle(systems), length)
    shown = list(round_)
    return [Flip(before, after, by, number * gap) for number, (before, after, by) in enumerate(zip(shown, shown[1:], who, strict=False))]


def caught(flips: list[Flip]) -> int | None:
    """Which of the changes is the first that would not be made."""
    return next((number for number, flip in enumerate(flips) if quarrel(flips[:number], flip)), None)


def row(op: str, before: object, after: object, by: str = "", **more: object) -> tuple[int, ActionRow]:
    """A row of the journal about one city."""
    memory = {"canonical": {"city": [after, 2, by, 0]}}
    plain = ActionRow(1, 1, 1, None, 1, 1, op, {"city": [before, after, 2, "why"]}, memory, "applied", "why", None, "city", None, None, 0)
    return 5, plain._replace(**more)


def test_the_journal_tells_who_brought_what() -> None:
    """Decisions by their source, and what a policy put back as two changes: the value came, and went."""
    told = [row("decide", "A", "B", "hub"), row("overrule", "C", "B"), row("decide", "B", "D", "crm")]
    flips = [Flip("A", "B", "hub", 5), Flip("B", "C", "crm", 5), Flip("C", "B", PUT_BACK, 5), Flip("B", "D", "crm", 5)]
    assert flips_of(told, "city", {1: "crm"}) == flips
    assert flips_of(told, "phone", {1: "crm"}) == []


def test_somebodys_decision_begins_anew() -> None:
    """What went before an answer or an undo does not count."""
    before, after = row("decide", "A", "B", "hub"), row("decide", "B", "A", "crm")
    for decided in (row("hold", None, None), row("decide", "B", "A", UNDO)):
        assert flips_of([before, decided, after], "city", {1: "crm"}) == [Flip("B", "A", "crm", 5)]
    assert len(flips_of([before, row("hold", None, None, field="phone"), after], "city", {1: "crm"})) == 2


def test_two_systems_are_stopped_before_the_fourth_change() -> None:
    """DE, Germany, DE, Germany: three changes are made, the fourth is asked about, naming both."""
    flips = told(["DE", "Germany"], ["crm", "hub"], 1_000, 9)
    assert caught(flips) == 3
    assert quarrel(flips[:3], flips[3]) == ("crm", "hub")


@given(VALUES, SYSTEMS, GAPS)
def test_any_circle_is_stopped_before_its_third_round(values: list[object], systems: list[str], gap: int) -> None:
    """However many values and systems stand in a circle, nobody brings a value back for the second time in a week without being asked about."""
    flips = told(values, systems, gap, 4 * len(values) + 1)
    assert caught(flips) == ROUNDS * len(values) - 1


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["hub", "crm"])), min_size=12, max_size=40))
def test_no_quarrel_goes_on_for_ever(moves: list[tuple[int, str]]) -> None:
    """Whatever the order of few values, of those changes that are made and were brought in turns no more are made than each value has rounds."""
    made: list[Flip] = []
    value = 0
    for at, (after, _) in enumerate(moves):
        flip = Flip(value, after, ("hub", "crm")[len(made) % 2], at)
        if after != value and not quarrel(made, flip):
            made.append(flip)
            value = after
    assert len(made) <= 4 * (ROUNDS + 1)


@given(VALUES, GAPS, st.integers(4, 20))
def test_one_system_alone_may_change_its_mind(values: list[object], gap: int, length: int) -> None:
    """Somebody who goes to and fro in one system corrects nobody but themselves."""
    assert caught(told(values, ["hub"], gap, length)) is None


@given(VALUES, SYSTEMS, st.integers(4, 20))
def test_over_the_months_a_value_may_come_back(values: list[object], systems: list[str], length: int) -> None:
    """A title that really goes back and forth, a few days between, is no quarrel."""
    assert caught(told(values, systems, WINDOW_MS // 2 + 1, length)) is None


@given(st.lists(st.integers(), unique=True, min_size=4, max_size=12), SYSTEMS)
def test_new_values_are_no_quarrel(values: list[object], systems: list[str]) -> None:
    """As long as nothing comes back, the systems may take turns as often as they like."""
    assert caught(told(values, systems, 1, len(values) - 1)) is None
