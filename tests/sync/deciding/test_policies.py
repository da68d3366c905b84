"""Which value stands: the policies of a field, the times of both sides, the order of systems, and somebody's answer."""

from __future__ import annotations

import pytest
from merging import CITY, HUB, ORDER, Table, by, decided, met

from stagesync.sync.deciding.desk import Asked, Settings
from stagesync.sync.deciding.merge import Hub, Rules, Side, merge


def test_always() -> None:
    """The named system wins every conflict, and is put back into whoever edits against it."""
    assert decided(HUB, ("a", "edited", "Ulm"), ("b", "edited", "Kiel"), field=by("always", "b")).hub.value == "Kiel"
    against = decided(HUB, ("a", "edited", "Ulm"), ("b", "same", "Bonn"), field=by("always", "b"))
    assert (against.hub.value, dict(against.losers)) == ("Bonn", {0: "always b"})
    assert decided(HUB, ("a", "same", "Bonn"), ("b", "edited", None), field=by("always", "b")).hub.value is None


def test_prefer_unless_blank() -> None:
    """The named system wins as long as it says something; blank, it leaves the field to the others."""
    field = by("prefer", "b")
    assert decided(HUB, ("a", "edited", "Ulm"), ("b", "edited", "Kiel"), field=field).hub.value == "Kiel"
    assert decided(HUB, ("a", "edited", "Ulm"), ("b", "edited", None), field=field).hub.value in ("Ulm", None)
    assert decided(Hub(None, 3, "b"), ("a", "edited", "Ulm"), ("b", "same", None), field=field).hub.value == "Ulm"


def test_fill_blank() -> None:
    """Blanks are filled from whoever knows; what a system has of its own stays, and later edits do not travel over it."""
    table = Table(("a", "b", "c"), fields=[by("fill")])
    table.put("a", city="Bonn")
    table.put("b", city=None)
    table.put("c", city="Ulm", stamp=9)
    table.round()
    assert table.says() == {"a": "Bonn", "b": "Bonn", "c": "Ulm"}
    table.put("c", city="Kiel")
    table.round()
    assert table.says() == {"a": "Bonn", "b": "Bonn", "c": "Kiel"}


def test_never() -> None:
    """A field that never travels is left alone."""
    table = Table(("a", "b"), fields=[by("never")])
    table.put("a", city="Bonn")
    table.put("b", city=None)
    decision = table.round()
    assert table.says() == {"a": "Bonn", "b": None}
    assert decision.canonical == {}


def test_ask() -> None:
    """Under `ask` a conflict waits for somebody, also where a tie-break or times would decide."""
    assert decided(HUB, ("a", "edited", "Ulm"), ("b", "edited", "Kiel"), field=by("ask")).hold == "ask"
    assert decided(HUB, ("a", "edited", "Ulm"), ("b", "same", "Bonn"), field=by("ask")).hub.value == "Ulm"


def test_times_come_first() -> None:
    """Where all contenders' times are known, the later entry wins against the order of systems."""
    sides = [Side("a", "edited", "Ulm", 0, 100), Side("b", "edited", "Kiel", 0, 200)]
    assert merge(CITY, HUB, sides, Rules(ORDER, timed=True)).hub == Hub("Kiel", 4, "b", 200)


def test_one_unknown_time_is_no_time() -> None:
    """A time on one side alone decides nothing."""
    sides = [Side("a", "edited", "Ulm"), Side("b", "edited", "Kiel", 0, 200)]
    assert merge(CITY, HUB, sides, Rules(ORDER, timed=True)).hub.value == "Ulm"


def test_times_are_asked_for_only_where_they_can_decide() -> None:
    """A true conflict asks for times; one edit does not."""
    conflict = [Side("a", "edited", "Ulm"), Side("b", "edited", "Kiel")]
    assert merge(CITY, HUB, conflict, Rules(ORDER)).untimed
    assert not merge(CITY, HUB, conflict[:1], Rules(ORDER)).untimed


def test_ties_without_an_order_are_held() -> None:
    """Nobody said who goes first: held, with what each says."""
    assert decided(HUB, ("a", "edited", "Ulm"), ("b", "edited", "Kiel"), order=None).hold == "conflict"


@pytest.mark.parametrize(("answer", "value"), [("a", "Ulm"), ("b", "Kiel"), ("hub", "Bonn"), ("newest", "Kiel")])
def test_an_answer_decides(answer: str, value: str) -> None:
    """Somebody's answer ends a hold: a system's value, the newest, or what was agreed before."""
    sides = [Side("a", "edited", "Ulm", 5), Side("b", "edited", "Kiel", 7)]
    verdict = merge(CITY, HUB, sides, Rules(None, answer=answer, timed=True))
    assert (verdict.hub.value, verdict.hold) == (value, None)


def test_an_answer_to_other_choices_counts_for_nothing() -> None:
    """Somebody edited after the question was shown: it is asked anew."""
    table = met(settings=Settings(order=None))
    table.put("a", city="Ulm")
    table.put("b", city="Kiel")
    table.round()
    table.put("b", city="Jena")
    decision = table.round(answers={"city": Asked("b", {"a": "Ulm", "b": "Kiel"})})
    assert [hold.choices for hold in decision.holds] == [{"a": "Ulm", "b": "Jena"}]
