"""Opening hours and the agreement on acceptance."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stagesync.lifecycle.business_hours import HOUR_MS, Calendar
from stagesync.lifecycle.presets import default_funnel, preset
from stagesync.lifecycle.sla import Sla, read_sla
from stagesync.model.stages import StageReading

NINE_TO_FIVE = (9 * 60, 17 * 60)
OFFICE = (*[NINE_TO_FIVE] * 5, None, None)
BERLIN = Calendar("Europe/Berlin", OFFICE, frozenset({date(2026, 12, 25), date(2026, 12, 28)}))
SMALLEST = {"from": ["mql"], "to": "sal", "hours": 24}


def ms(text: str, zone: str = "Europe/Berlin", fold: int = 0) -> int:
    """The moment at which the clock on the wall shows this."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


def read(**table: Any) -> Sla | None:
    """The agreement of a table without mistakes."""
    return read_sla({"sla": table}, default_funnel(), lambda *told: pytest.fail(str(told)))


DUE = [
    ("2026-06-01T09:00", 8, "2026-06-01T17:00", "a whole day ends with the day"),
    ("2026-06-01T10:30", 2, "2026-06-01T12:30", "within one day"),
    ("2026-06-05T16:00", 2, "2026-06-08T10:00", "over a weekend"),
    ("2026-06-06T12:00", 1, "2026-06-08T10:00", "it begins on a Saturday"),
    ("2026-06-01T20:00", 1, "2026-06-02T10:00", "it begins after hours"),
    ("2026-06-01T05:00", 1, "2026-06-01T10:00", "it begins before hours"),
    ("2026-06-01T17:00", 1, "2026-06-02T10:00", "the closing moment is closed"),
    ("2026-12-24T16:00", 2, "2026-12-29T10:00", "over holidays and a weekend"),
    ("2026-03-27T15:00", 24, "2026-04-01T15:00", "over the change to summer time"),
    ("2026-10-23T15:00", 24, "2026-10-28T15:00", "over the change to winter time"),
    ("2026-06-06T12:00", 0, "2026-06-06T12:00", "no hours at all"),
    ("2026-06-01T09:00", 0.5, "2026-06-01T09:30", "half an hour"),
]


@pytest.mark.parametrize(("start", "hours", "due", "_why"), DUE, ids=[why for *_, why in DUE])
def test_hours_are_counted_while_it_is_open(start: str, hours: float, due: str, _why: str) -> None:
    """Nights, weekends and holidays do not count, and 09:00 is 09:00 on the wall in summer and in winter."""
    assert BERLIN.add(ms(start), hours) == ms(due)


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)],
    ids=["spring", "autumn", "summer"],
)
def test_a_day_that_is_open_throughout_has_the_hours_that_it_has(day: str, hours: int) -> None:
    """From midnight to midnight there are 23 hours on one day of the year and 25 on another."""
    around = Calendar("Europe/Berlin", ((0, 1440),) * 7)
    assert around.open_ms(ms(f"{day}T00:00"), ms(f"{day}T23:59") + 60_000) == hours * HOUR_MS


def test_hours_around_the_change_of_clocks_are_those_on_the_wall() -> None:
    """From 01:00 to 04:00 there are two hours when 02:00 to 03:00 is left out, and four when it comes twice; a shift that is left out has none."""
    nightly = Calendar("Europe/Berlin", ((60, 240),) * 7)
    assert nightly.open_ms(ms("2026-03-29T00:00"), ms("2026-03-29T12:00")) == 2 * HOUR_MS
    assert nightly.open_ms(ms("2026-10-25T00:00"), ms("2026-10-25T12:00")) == 4 * HOUR_MS
    left_out = Calendar("Europe/Berlin", ((150, 180),) * 7)
    assert left_out.open_ms(ms("2026-03-29T00:00"), ms("2026-03-29T12:00")) == 0


def test_a_day_that_a_zone_left_out_is_no_day() -> None:
    """Samoa went from 29 to 31 December 2011, so that three days on the calendar are two days' work."""
    samoa = Calendar("Pacific/Apia", (NINE_TO_FIVE,) * 7)
    assert samoa.open_ms(ms("2011-12-29T00:00", "Pacific/Apia"), ms("2012-01-01T00:00", "Pacific/Apia")) == 16 * HOUR_MS


def test_the_opening_is_open_and_the_closing_is_closed() -> None:
    """Open times are half-open intervals."""
    assert BERLIN.is_open(ms("2026-06-01T09:00"))
    assert BERLIN.is_open(ms("2026-06-01T17:00") - 1)
    assert not BERLIN.is_open(ms("2026-06-01T17:00"))
    assert not BERLIN.is_open(ms("2026-06-01T09:00") - 1)
    assert not BERLIN.is_open(ms("2026-12-25T12:00"))


def test_what_is_never_open_is_said() -> None:
    """A calendar without open days ends with an error, not in a loop without end."""
    with pytest.raises(OverflowError):
        Calendar("UTC", (None,) * 7).add(ms("2026-06-01T09:00"), 1)


ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Pacific/Apia", "America/Havana", "America/Sao_Paulo", "Africa/Cairo"]
MOMENTS = st.integers(ms("2009-01-01T00:00"), ms("2029-01-01T00:00"))
SHIFTS = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda shift: shift[0] + 60 <= shift[1])


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Any week that has an open day, in zones whose clocks change at different times, by half an hour, or by a day."""
    week = draw(st.lists(st.none() | SHIFTS, min_size=7, max_size=7).filter(any))
    return Calendar(draw(st.sampled_from(ZONES)), tuple(week), draw(st.frozensets(st.dates(date(2009, 1, 1), date(2028, 12, 31)), max_size=5)))


@given(calendars(), MOMENTS, st.integers(0, 100 * 60))
@example(Calendar("Pacific/Apia", (NINE_TO_FIVE,) * 7), ms("2011-12-29T08:00", "Pacific/Apia"), 17 * 60)
def test_what_is_due_is_so_many_open_hours_away(calendar: Calendar, at: int, minutes: int) -> None:
    """Counted in open time the due moment is exactly the agreed hours away, it is the first such moment, and it ends open time."""
    due = calendar.add(at, minutes / 60)
    assert calendar.open_ms(at, due) == minutes * 60_000
    if minutes:
        assert calendar.open_ms(at, due - 1) == minutes * 60_000 - 1
        assert calendar.is_open(due - 1)
    else:
        assert due == at


@given(calendars(), MOMENTS, st.integers(0, 10**10), st.integers(0, 10**10))
def test_open_time_adds_up(calendar: Calendar, at: int, one: int, other: int) -> None:
    """Open time from here to there and on to yonder is that from here to yonder, is never negative, and never more than the time that passes."""
    there, yonder = at + one, at + one + other
    assert calendar.open_ms(at, there) + calendar.open_ms(there, yonder) == calendar.open_ms(at, yonder)
    assert 0 <= calendar.open_ms(at, there) <= one


@given(calendars(), MOMENTS, st.integers(0, 10**9), st.integers(0, 60), st.integers(0, 60))
def test_later_or_longer_is_never_due_earlier(calendar: Calendar, at: int, later: int, hours: int, more: int) -> None:
    """The due moment is monotone in both."""
    assert calendar.add(at, hours) <= calendar.add(at + later, hours) <= calendar.add(at + later, hours + more)


def test_an_agreement_has_a_clock_with_a_beginning_and_an_end() -> None:
    """The clock starts where somebody stands in the line, and accepting, passing by, and putting beside the line all answer."""
    sla = read(**{**SMALLEST, "from": ["mql", "PQL"]}, zone="Europe/Berlin")
    assert sla is not None
    funnel = default_funnel()
    assert sla.starts == {"mql", "pql"}
    assert sla.starts_at(StageReading("pql"))
    assert not sla.starts_at(StageReading("mql", "recycled"))
    assert not sla.starts_at(StageReading("lead"))
    assert not sla.starts_at(StageReading())
    answers = [
        StageReading("sal"),
        StageReading("customer"),
        StageReading("mql", "disqualified", "No budget"),
        StageReading("mql", "recycled"),
        StageReading(side="nurture"),
    ]
    assert all(sla.answered(funnel, place) for place in answers)
    assert not any(sla.answered(funnel, place) for place in (StageReading("lead"), StageReading("pql"), StageReading("gone"), StageReading()))
    assert sla.due(ms("2026-06-01T09:00")) == ms("2026-06-03T17:00")


def test_a_group_is_its_stages() -> None:
    """In the waterfall any of the stages that go by the name MQL starts the clock, by id or label, and SGL beside SAL is an answer."""
    funnel = preset("waterfall-2012")
    sla = read_sla({"sla": {**SMALLEST, "from": ["MQL"]}}, funnel, lambda *told: pytest.fail(str(told)))
    assert sla is not None
    assert sla.starts == set(funnel.groups["mql"].stages)
    assert sla.answered(funnel, StageReading("sgl"))


def test_without_a_table_there_is_no_agreement() -> None:
    """Most companies have none."""
    assert read_sla({}, default_funnel(), lambda *told: pytest.fail(str(told))) is None


def test_times_and_dates_may_be_written_as_toml_has_them() -> None:
    """Text or TOML's own times and dates mean the same."""
    text = read(**SMALLEST, open="08:30", close="24:00", days=["Sat"], holidays=["2026-12-25"])
    table = tomllib.loads('open = 08:30:00\nclose = "24:00"\ndays = ["sat"]\nholidays = [2026-12-25]')
    assert text == read(**SMALLEST, **table)
    assert text is not None
    assert text.calendar == Calendar("UTC", (*[None] * 5, (510, 1440), None), frozenset({date(2026, 12, 25)}))


def test_what_is_proposed_is_a_side_state_or_a_stage() -> None:
    """By id or label, in any case."""
    found = [read(**SMALLEST, breach="propose", proposal=said) for said in ("recycled", "Recycled", "lead", "Lead")]
    assert [sla.proposal for sla in found if sla] == [StageReading(side="recycled")] * 2 + [StageReading("lead")] * 2


MISTAKES: list[tuple[object, list[str]]] = [
    (7, ["sla"]),
    ({}, ["sla.from", "sla.hours", "sla.to"]),
    ({"from": "mql", "to": "sal", "hours": "a day"}, ["sla.from", "sla.hours"]),
    ({"from": ["mql", "nosuch", 3], "to": "none", "hours": True}, ["sla.from", "sla.from", "sla.hours", "sla.to"]),
    ({**SMALLEST, "from": ["customer", "sal"]}, ["sla.from", "sla.from"]),
    ({**SMALLEST, "zone": "Berlin"}, ["sla.zone"]),
    ({**SMALLEST, "zone": "../etc/passwd"}, ["sla.zone"]),
    ({**SMALLEST, "zone": 3}, ["sla.zone"]),
    ({**SMALLEST, "zone": ""}, ["sla.zone"]),
    ({**SMALLEST, "days": ["monday"]}, ["sla.days"]),
    ({**SMALLEST, "days": []}, ["sla.days"]),
    ({**SMALLEST, "open": "9", "close": "17:60"}, ["sla.close", "sla.open"]),
    ({**SMALLEST, "open": "17:00", "close": "09:00"}, ["sla.close"]),
    ({**SMALLEST, "close": "24:01"}, ["sla.close"]),
    ({**SMALLEST, "open": 9}, ["sla.open"]),
    ({**SMALLEST, "holidays": "2026-12-25"}, ["sla.holidays"]),
    ({**SMALLEST, "holidays": ["25.12.2026", 7, datetime(2026, 12, 25, tzinfo=UTC)]}, ["sla.holidays"] * 3),
    ({**SMALLEST, "breach": "lower"}, ["sla.breach"]),
    ({**SMALLEST, "breach": "propose"}, ["sla.proposal"]),
    ({**SMALLEST, "proposal": "limbo"}, ["sla.proposal"]),
    ({**SMALLEST, "hours": 100_000}, ["sla.hours"]),
    ({**SMALLEST, "hours": -1, "limit": 3}, ["sla.hours", "sla.limit"]),
]  # fmt: skip


@pytest.mark.parametrize(("said", "paths"), MISTAKES, ids=[str(number) for number in range(len(MISTAKES))])
def test_every_mistake_is_told_with_its_place(said: object, paths: list[str]) -> None:
    """All mistakes of a table come at once, each with its path and a remedy."""
    told: list[tuple[str, str, str]] = []
    read_sla({"sla": said}, default_funnel(), lambda *mistake: told.append(mistake))
    assert sorted(path for path, _, _ in told) == paths
    assert all(what and remedy for _, what, remedy in told)
