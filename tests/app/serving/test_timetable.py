"""When a workspace is due: intervals, cron expressions, time zones and the days on which clocks are changed."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagesync.app.configuration.tables import Table
from stagesync.app.serving.timetable import DAY_MS, Timetable, read_timetable
from stagesync.mapping.problems import Problems

BERLIN = ZoneInfo("Europe/Berlin")
MOMENTS = st.integers(0, 4_000_000_000_000)


def ms(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def read(text: str) -> tuple[Timetable, list[str]]:
    """The timetable of a `[schedule]` table, and what is wrong with it."""
    problems = Problems()
    return read_timetable(Table("schedule", tomllib.loads(text), problems)), problems.found


def fires(cron: str, start: datetime, number: int) -> list[str]:
    """The next times in Berlin, as UTC."""
    timetable, slot, found = Timetable(cron=cron, zone="Europe/Berlin"), ms(start), list[str]()
    for _ in range(number):
        slot = timetable.following(slot)
        found.append(datetime.fromtimestamp(slot / 1000, UTC).strftime("%d %H:%M"))
    return found


@given(slot=MOMENTS, late=st.integers(0, 10 * DAY_MS), every=st.integers(1_000, DAY_MS))
def test_missed_slots_are_passed_over(slot: int, late: int, every: int) -> None:
    """The next slot lies after now, at most one interval away, and on the grid of the last one."""
    following = Timetable(every).following(slot + late, slot)
    assert slot + late < following <= slot + late + every
    assert (following - slot) % every == 0


@given(slot=MOMENTS, early=st.integers(0, DAY_MS))
def test_a_slot_is_not_given_twice_by_a_clock_that_was_set_back(slot: int, early: int) -> None:
    """The next slot lies after the last one, whatever the clock says."""
    for timetable in (Timetable(60_000), Timetable(cron="*/5 * * * *")):
        assert timetable.following(max(slot - early, 0), slot) > slot


def test_an_interval_without_a_last_slot_is_due_at_once() -> None:
    """A workspace that was never run by a service is run when the service starts; one with a cron expression waits for its time."""
    now = ms(datetime(2026, 5, 4, 10, 1, tzinfo=UTC))
    assert Timetable(60_000).following(now) == now
    assert Timetable(cron="0 12 * * *").following(now) == ms(datetime(2026, 5, 4, 12, tzinfo=UTC))


def test_cron_goes_by_the_clock_of_its_zone() -> None:
    """Nine in the morning in Berlin is another moment in winter than in summer, and the weekend is left out."""
    assert fires("0 9 * * mon-fri", datetime(2026, 3, 27, 12, tzinfo=BERLIN), 2) == ["30 07:00", "31 07:00"]
    assert fires("0 9 * * mon-fri", datetime(2026, 3, 26, 12, tzinfo=BERLIN), 1) == ["27 08:00"]


def test_the_day_when_clocks_go_forward() -> None:
    """A time in the hour that is left out is met an hour later, once; quarter hours go on without a gap or a double."""
    start = datetime(2026, 3, 29, 0, 40, tzinfo=BERLIN)
    assert fires("30 2 * * *", start, 2) == ["29 01:30", "30 00:30"]
    assert fires("*/30 * * * *", start, 4) == ["29 00:00", "29 00:30", "29 01:00", "29 01:30"]


def test_the_day_when_clocks_go_back() -> None:
    """A time in the hour that comes twice is met twice; quarter hours go on without a gap."""
    start = datetime(2026, 10, 25, 1, 40, tzinfo=BERLIN)
    assert fires("30 2 * * *", start, 3) == ["25 00:30", "25 01:30", "26 01:30"]
    assert fires("*/30 * * * *", start, 5) == ["25 00:00", "25 00:30", "25 01:00", "25 01:30", "25 02:00"]


@given(slot=MOMENTS, jitter=st.integers(0, DAY_MS))
def test_jitter_is_the_same_for_whoever_asks(slot: int, jitter: int) -> None:
    """It is below its limit, and two machines come to the same moment."""
    one, other = Timetable(jitter_ms=jitter), Timetable(jitter_ms=jitter)
    assert slot <= one.due("acme", slot) <= slot + jitter
    assert one.due("acme", slot) == other.due("acme", slot)


def test_jitter_spreads_workspaces() -> None:
    """Many workspaces of one timetable begin at different moments."""
    timetable = Timetable(jitter_ms=60_000)
    assert len({timetable.due(f"w{number}", 0) for number in range(50)}) > 40


def test_runs_of_the_fullest_day() -> None:
    """By which a timetable's cost is told: of an interval, and of a cron expression whose days differ."""
    saturday = ms(datetime(2026, 5, 2, 10, tzinfo=UTC))
    assert Timetable(60_000).runs_a_day(saturday) == 1_440
    assert Timetable(cron="*/15 8-17 * * mon-fri").runs_a_day(saturday) == 40
    assert Timetable(cron="* * * * *").runs_a_day(saturday) == 1_440


def test_what_is_written_is_what_is_meant() -> None:
    """Lengths in all units, and the default: a fast poll."""
    assert read("") == (Timetable(60_000, None, "UTC", 0), [])
    assert read('every = "15m"\njitter = "1.5s"') == (Timetable(900_000, None, "UTC", 1_500), [])
    assert read('every = "2h"')[0].every_ms == 7_200_000
    assert read('cron = "*/15  8-18 * * MON-FRI"\nzone = "Asia/Tokyo"') == (Timetable(60_000, "*/15 8-18 * * mon-fri", "Asia/Tokyo", 0), [])
    assert str(read('every = "90s"\njitter = "10s"')[0]) == "every 90 s, up to 10 s later"
    assert str(read('cron = "0 6 * * *"')[0]) == "0 6 * * * (UTC)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('every = "soon"', "schedule.every: 'soon' is no length of time from 1 s to 31 d"),
        ("every = 60", "schedule.every: 60 is no length of time"),
        ('every = "0.5s"', "is no length of time from 1 s"),
        ('jitter = "32d"', "schedule.jitter: '32d' is no length of time from 0 s to 31 d"),
        ('every = "1m"\ncron = "0 6 * * *"', "schedule: has both `every` and `cron`"),
        ('cron = "0 6 * *"', "schedule.cron: cannot be understood"),
        ('cron = "61 6 * * *"', "schedule.cron: cannot be understood"),
        ('cron = "0 0 31 2 *"', "schedule.cron: cannot be understood: there is no such day"),
        ('cron = "0 6 * * 1-5"', "numbers of days of the week mean different days"),
        ('cron = "0 6 1 * mon"', "limits the day of the month and the day of the week"),
        ('zone = "Mars/Olympus"', "schedule.zone: there is no time zone 'Mars/Olympus'"),
        ('evry = "1m"', "schedule.evry: there is no such key. Did you mean every"),
    ],
)
def test_mistakes_are_told_with_their_place(text: str, said: str) -> None:
    """Each with its TOML path and what would be right."""
    found = read(text)[1]
    assert any(said in problem for problem in found), found
