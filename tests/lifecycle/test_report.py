"""The numbers of a funnel, held against a count that knows nothing of how they are counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import count, islice, pairwise, zip_longest
from statistics import median
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import linked

from stagesync.lifecycle.funnel import Funnel
from stagesync.lifecycle.presets import PRESETS, default_funnel, preset
from stagesync.lifecycle.report import By, Conversion, Days, Part, Report, Volume, report
from stagesync.lifecycle.tally import Frame, tally
from stagesync.lifecycle.units import Unit, units_of
from stagesync.model.stays import GONE, StayKind
from stagesync.state import accounts, entries
from stagesync.state.entries import NewEntry
from stagesync.state.report import Ledger
from stagesync.state.store import Store, Tx

DAY = 86_400_000
SINCE, UNTIL, NOW = 100, 200, 250
_numbers = count(1)


class Seen(NamedTuple):
    """A stay as the count below sees it."""

    pass_no: int
    place: str | None
    stage: str | None
    start: int
    observed: bool
    first: bool
    group: str | None
    clock: str | None


def counted(tx: Tx, ws: int, funnel: Funnel, by: By | None = None, since: int | None = SINCE, until: int = UNTIL) -> Report:
    """The report as the program makes it."""
    column = by if by in ("source", "owner") else None
    ledger = Ledger(list(funnel.stages), list(funnel.sides), since or 0, until, NOW, column)
    frame = Frame(funnel, since or 0, until, "cohort" if by == "cohort" else "group" if by else None)
    return report(funnel, since, until, by, tally(frame, ledger.stays(tx, ws), ledger.kind))


def seen(funnel: Funnel, history: Sequence[NewEntry], by: By | None = None) -> list[Seen]:
    """One person's stays, times straightened."""
    found: list[Seen] = []
    for each in history:
        start = each.entered_seen if each.entered_at is None else min(each.entered_at, each.entered_seen)
        start = max([start, *(other.start for other in found)])
        stage = each.stage if each.stage in funnel.stages and each.side is None else None
        place = GONE if each.origin == "gone" else stage if each.side is None else each.side if each.side in funnel.sides else None
        late = each.met == 0 or (each.met is None and each.due_at is not None and each.due_at < NOW)
        clock = None if each.due_at is None else "met" if each.met == 1 else "missed" if late else "running"
        group = None if by is None else each.source if by == "source" else each.owner
        if by == "cohort":
            begun = next((other.start for other in found if other.pass_no == each.pass_no), start)
            group = datetime.fromtimestamp(begun / 1000, UTC).strftime("%Y-%m")
        found.append(Seen(each.pass_no, place, stage, start, each.entered_at is None, each.origin == "first", group, clock))
    return found


def place_at(stays: Sequence[Seen], moment: int) -> Seen | None:
    """Where somebody was right before a moment."""
    return next((stay for stay in reversed(stays) if stay.start < moment), None)


def there(stays: Sequence[Seen]) -> list[Seen]:
    """Without the times in which they had no record."""
    return [stay for stay in stays if stay.place != GONE]


def within(moment: int) -> bool:
    """In the period."""
    return SINCE <= moment < UNTIL


def key(stay: Seen) -> tuple[str | None, str | None]:
    """Group and place."""
    return stay.group, stay.place


def check_volume(people: Sequence[Sequence[Seen]], group: str | None, row: Volume) -> None:
    """People before the period, those who came from another place in it, those who went, and people at its end."""
    mine = (group, GONE if row.kind == "gone" else row.id or None)
    arrivals = [after for stays in people for before, after in pairwise([None, *stays]) if after and key(after) == mine and (not before or key(before) != mine)]
    departures = [after for stays in people for before, after in pairwise(stays) if key(before) == mine and key(after) != mine]
    assert row.start == sum(1 for stays in people if (stay := place_at(stays, SINCE)) and key(stay) == mine)
    assert row.end == sum(1 for stays in people if (stay := place_at(stays, UNTIL)) and key(stay) == mine)
    assert row.entered == sum(within(stay.start) for stay in arrivals)
    assert row.left == sum(within(stay.start) for stay in departures)
    assert row.observed == sum(within(stay.start) and stay.observed for stay in arrivals)
    assert row.met == sum(within(stay.start) and stay.first for stay in arrivals)


def check_age(people: Sequence[Sequence[Seen]], group: str | None, row: Days) -> None:
    """Since when those who are there at the end have been in that place."""
    ages: list[int] = []
    for stays in people:
        last = place_at(stays, UNTIL)
        if last is not None and key(last) == (group, row.id or None):
            since = last.start
            for stay in reversed(there(stays[: stays.index(last)])):
                if stay.place != last.place:
                    break
                since = stay.start
            ages.append(UNTIL - since)
    assert row.count == len(ages)
    assert row.median == (median(ages) / DAY if ages else None)


def passes_of(people: Sequence[Sequence[Seen]]) -> Iterator[list[Seen]]:
    """Everybody's passes."""
    for stays in people:
        for number in sorted({stay.pass_no for stay in stays}):
            yield [stay for stay in stays if stay.pass_no == number]


def check_conversion(funnel: Funnel, people: Sequence[Sequence[Seen]], group: str | None, unit: Unit, row: Conversion) -> None:
    """The first entry of each pass in the period, and where the pass stood after it."""
    told = {"entered": 0, "on": 0, "rejected": 0, "recycled": 0, "beside": 0, "gone": 0, "waiting": 0, "observed": 0}
    for whole in passes_of(people):
        stays = there(whole)
        for number, stay in enumerate(stays):
            if stay.stage in unit.stages and within(stay.start) and not (number and stays[number - 1].stage in unit.stages):
                if stay.group == group:
                    last = stays[-1].place
                    on = any(later.stage and funnel.position(later.stage) > unit.top for later in stays[number:])
                    sides = {"rejected": funnel.rejections, "recycled": funnel.reentries, "beside": funnel.sides}
                    fate = "on" if on else next((name for name, places in sides.items() if last in places), "gone" if whole[-1].place == GONE else "waiting")
                    told["entered"] += 1
                    told["observed"] += stay.observed
                    told[fate] += 1
                break
    assert {name: getattr(row, name) for name in told} == told


def times(funnel: Funnel, people: Sequence[Sequence[Seen]], group: str | None, unit: Unit) -> list[int]:
    """From the first entry of each pass to the first stay further, where that lies in the period."""
    found: list[int] = []
    for stays in map(there, passes_of(people)):
        first = next((number for number, stay in enumerate(stays) if stay.stage in unit.stages), None)
        if first is not None and stays[first].group == group:
            further = next((stay for stay in stays[first:] if stay.stage and funnel.position(stay.stage) > unit.top), None)
            found += [further.start - stays[first].start] if further and within(further.start) else []
    return found


def check_part(funnel: Funnel, people: Sequence[Sequence[Seen]], group: str | None, part: Part) -> None:
    """Everything that is told of a group."""
    for row in part.volume:
        if row.kind in ("stage", "side", "none", "gone"):
            check_volume(people, group, row)
    for row in part.age:
        check_age(people, group, row)
    for unit, conversion, velocity in zip(units_of(funnel), part.conversion, part.velocity, strict=True):
        check_conversion(funnel, people, group, unit, conversion)
        expected = times(funnel, people, group, unit)
        assert velocity.count == len(expected)
        assert velocity.median == (median(expected) / DAY if expected else None)
        assert velocity.ninety is None or sum(time <= round(velocity.ninety * DAY) for time in expected) * 10 >= 9 * len(expected)
    starts = [stay for stays in people for stay in stays if stay.group == group and within(stay.start)]
    clocks = [sum(stay.clock == clock and stay.stage == row.id for stay in starts) for row in part.acceptance for clock in ("met", "missed", "running")]
    assert [number for row in part.acceptance for number in (row.met, row.missed, row.running)] == clocks
    begun = [stays[0] for stays in passes_of(people) if stays[0].group == group and within(stays[0].start)]
    assert (part.passes.begun, part.passes.again) == (len(begun), sum(stay.pass_no > 1 for stay in begun))
    check_refusals(funnel, people, group, part)


def check_refusals(funnel: Funnel, people: Sequence[Sequence[Seen]], group: str | None, part: Part) -> None:
    """Passes that were in the line in the period, and moves out of it."""
    worked = {
        (number, stay.pass_no)
        for number, stays in enumerate(people)
        for stay, after in zip_longest(stays, stays[1:])
        if stay.stage and stay.start < UNTIL and (after is None or after.start >= SINCE) and first_of(stays, stay).group == group
    }
    passes = [stays for stays in passes_of(people) if stays[0].group == group]
    sides = [{after.place for before, after in pairwise(there(stays)) if before.stage and not after.stage and within(after.start)} for stays in passes]
    assert part.passes.worked == len(worked)
    assert part.passes.rejected == sum(bool(places & funnel.rejections) for places in sides)
    assert part.passes.recycled == sum(bool(places & funnel.reentries) for places in sides)


def first_of(stays: Sequence[Seen], stay: Seen) -> Seen:
    """The stay with which its pass began."""
    return next(each for each in stays if each.pass_no == stay.pass_no)


def history(draw: st.DrawFn, person: int, funnel: Funnel) -> list[NewEntry]:
    """Anything that a ledger can hold of a person: steps forward, back and beside, second passes, strange stages, clocks that disagree, and no record left."""
    moment, number, found = 0, 1, list[NewEntry]()
    for step in range(draw(st.integers(1, 7))):
        moment += draw(st.integers(0, 90))
        told = draw(st.none() | st.integers(-30, 30))
        side = draw(st.sampled_from([None, None, None, *funnel.sides, "limbo"]))
        stage = draw(st.sampled_from([None, *funnel.stages, "bygone"]))
        last = next((stay for stay in reversed(found) if stay.origin != "gone"), None)
        if last is not None and draw(st.sampled_from([False, False, False, True])):
            turned = last._replace(entered_at=None if told is None else moment + told, entered_seen=moment, due_at=None, met=None)
            gone = found[-1].origin == "gone"
            found.append(turned._replace(origin="back") if gone else turned._replace(stage=None, side=None, origin="gone"))
            continue
        number += last.side in funnel.reentries and side is None if last is not None else 0
        due = draw(st.none() | st.integers(0, 300)) if side is None else None
        entry = NewEntry(person, number, stage, side, None, None if told is None else moment + told, moment, origin=draw(st.sampled_from(["first", "history"])))
        entry = entry._replace(source=draw(st.sampled_from([None, "Web", "=1+1"])), owner="ann@acme.example", due_at=due)
        entry = entry._replace(met=draw(st.sampled_from([None, 0, 1])) if due is not None else None, origin=entry.origin if step == 0 else "run")
        found.append(entry)
    return found


@st.composite
def ledgers(draw: st.DrawFn) -> tuple[Funnel, list[list[NewEntry]]]:
    """A funnel and the histories of some people, who are nobody's before."""
    funnel = preset(draw(st.sampled_from(PRESETS)))
    return funnel, [history(draw, next(_numbers), funnel) for _ in range(draw(st.integers(0, 6)))]


def write(tx: Tx, people: Sequence[Sequence[NewEntry]], ws: int) -> None:
    """Let everybody enter one place after the other, as runs do."""
    for step in range(max(map(len, people), default=0)):
        entries.enter(tx, ws, [stays[step] for stays in people if len(stays) > step])


@given(ledgers(), st.sampled_from([None, "source", "owner", "cohort"]))
def test_the_report_is_the_naive_count(sqlite_store: Store, told: tuple[Funnel, list[list[NewEntry]]], by: By | None) -> None:
    """Whatever people went through, each number of each group is what counting one person after the other gives."""
    funnel, people = told
    with sqlite_store.write() as tx:
        ws = accounts.workspace(tx, f"w{next(_numbers)}").id
        entries.replace(tx, ws, {stays[0].person: stays for stays in people})  # as it stands: `enter` would straighten some of the times
        found, other = counted(tx, ws, funnel, by), counted(tx, ws, funnel)
    straight = [seen(funnel, stays, by) for stays in people]
    if by is None:
        check_part(funnel, straight, None, found.whole)
    for part in found.parts:
        check_part(funnel, straight, part.group, part)
    assert found.whole == other.whole
    everybody = found.whole.volume[-1]
    came = [after for stays in straight for before, after in pairwise([None, *stays]) if after and (before is None or before.place == GONE)]
    went = [after for stays in straight for after in stays if after.place == GONE]
    assert (everybody.entered, everybody.left) == tuple(sum(within(stay.start) for stay in moved) for moved in (came, went))
    for column in ("start", "end"):
        assert sum(getattr(row, column) for row in found.whole.volume if row.kind in ("stage", "side", "none")) == getattr(everybody, column)
    assert (everybody.kind, everybody.end) == ("all", sum(1 for stays in straight if (stay := place_at(stays, UNTIL)) and stay.place != GONE))


@given(ledgers(), st.integers(2, 30))
def test_many_who_came_the_same_way_count_as_each_alone(sqlite_store: Store, told: tuple[Funnel, list[list[NewEntry]]], copies: int) -> None:
    """A way by which many come is judged once: their numbers are those of one, times as many, and each keeps times of their own."""
    funnel, people = told
    crowd = [[each._replace(person=number) for each in stays] for stays in people for number in islice(_numbers, copies)]
    with sqlite_store.write() as tx:
        one, many = (accounts.workspace(tx, f"w{next(_numbers)}").id for _ in range(2))
        entries.replace(tx, one, {stays[0].person: stays for stays in people})
        entries.replace(tx, many, {stays[0].person: stays for stays in crowd})
        alone, found = counted(tx, one, funnel).whole, counted(tx, many, funnel).whole
    for table in ("volume", "conversion", "velocity", "age", "acceptance"):
        for row, rows in zip(getattr(alone, table), getattr(found, table), strict=True):
            same = {name: value * copies if isinstance(value, int) else value for name, value in asdict(row).items()}
            assert {name: value for name, value in asdict(rows).items() if name != "ninety"} == {
                name: value for name, value in same.items() if name != "ninety"
            }
    assert asdict(found.passes) == {name: value * copies for name, value in asdict(alone.passes).items()}


def test_each_of_a_crowd_keeps_times_of_their_own() -> None:
    """Twenty people go the same way at different speed: the median is that of all of them."""
    kinds = [StayKind(1, "lead", False, False, False, None, "in", "in"), StayKind(1, "mql", False, False, False, None, "in", "after")]
    stays = [(person, row, DAY * (1 + row * person), None) for person in range(1, 21) for row in (0, 1)]
    found = report(default_funnel(), None, 30 * DAY, None, tally(Frame(default_funnel(), 0, 30 * DAY), stays, kinds.__getitem__))
    lead, mql = found.whole.velocity[1], next(row for row in found.whole.age if row.id == "mql")
    assert (lead.count, lead.median, lead.ninety) == (20, 10.5, 18.0)
    assert (mql.count, mql.median, mql.ninety) == (20, 18.5, 26.0)


def entry(person: int, stage: str | None, at: int | None, side: str | None = None, **more: Any) -> NewEntry:
    """A stay whose vendor told when it began, or did not."""
    return NewEntry(person, 1, stage, side, None, at, 150 if at is None else at + 1, **more)


def test_both_databases_tell_the_same(store: Store) -> None:
    """Numbers by stage and by source, with rows that arrive out of the order of people, on SQLite and on PostgreSQL."""
    people = [
        [entry(1, "lead", 50, source="Web"), entry(1, "mql", 110, source="Web", due_at=120, met=1), entry(1, "sal", 115, source="Web")],
        [entry(2, "mql", 120, source="Fair", due_at=130), entry(2, "mql", None, "disqualified", source="Fair")],
        [entry(3, "pql", 130, due_at=999, origin="first"), entry(3, "bygone", 140)],
        [entry(4, "mql", 10)],
        [entry(5, "mql", 120, source="Fair"), entry(5, None, 140, source="Fair", origin="gone")],
    ]
    with store.write() as tx:
        ws, strangers = accounts.workspace(tx, "main").id, accounts.workspace(tx, "other").id
        write(tx, people, ws)
        linked(tx, ws, 2, 3)
        entries.enter(tx, strangers, [entry(99, "mql", 110)])
    with store.read() as tx:
        found = counted(tx, ws, default_funnel(), "source")
    volume = {row.id or row.kind: (row.start, row.entered, row.left, row.end) for row in found.whole.volume if row.kind != "all" and (row.start or row.entered)}
    beside = {"disqualified": (0, 1, 0, 1), "none": (0, 1, 0, 1), "gone": (0, 1, 0, 1)}
    assert volume == {"lead": (1, 0, 1, 0), "mql": (1, 3, 3, 1), "pql": (0, 1, 1, 0), "sal": (0, 1, 0, 1), **beside}
    mql = next(row for row in found.whole.conversion if row.id == "mql")
    assert (mql.entered, mql.on, mql.rejected, mql.gone, mql.waiting, mql.rate) == (3, 1, 1, 1, 0, 1 / 3)
    assert [(row.id, row.met, row.missed, row.running) for row in found.whole.acceptance] == [("mql", 1, 1, 0), ("pql", 0, 0, 1)]
    assert [part.group for part in found.parts] == [None, "Fair", "Web"]
    everybody = found.whole.volume[-1]
    assert (everybody.start, everybody.entered, everybody.left, everybody.end, everybody.met) == (2, 3, 1, 4, 1)


def test_without_a_beginning_everything_entered() -> None:
    """A report without --since begins before everybody: nobody was there, and who is there now has come."""
    kinds = [StayKind(1, "lead", False, False, True, None, "in", "in"), StayKind(1, "mql", False, True, False, None, "in", "after")]
    found = report(
        default_funnel(), None, 30 * DAY, None, tally(Frame(default_funnel(), 0, 30 * DAY), [(1, 0, 10 * DAY, None), (1, 1, 12 * DAY, None)], kinds.__getitem__)
    )
    lead, mql = found.whole.velocity[1], next(row for row in found.whole.age if row.id == "mql")
    assert (lead.id, lead.count, lead.median, lead.ninety, lead.observed) == ("lead", 1, 2.0, 2.0, 1)
    assert (mql.count, mql.median, mql.observed) == (1, 18.0, 1)


def test_numbers_that_do_not_add_up_are_refused() -> None:
    """A row that is wrong says so by itself, whoever makes it."""
    with pytest.raises(ArithmeticError, match="do not add up"):
        Volume("mql", "MQL", "stage", 1, 2, 0, 4, 0, 0)
    with pytest.raises(ArithmeticError):
        Conversion("mql", "MQL", ("mql",), 3, 4, 0, 0, 0, 0, -1, 0)


@pytest.mark.parametrize("name", PRESETS)
def test_units_are_what_people_can_leave_by_going_on(name: str) -> None:
    """Every stage but those at the end, every position that several share, every group; each set of stages once."""
    funnel = preset(name)
    units = units_of(funnel)
    sets = [frozenset(unit.stages) for unit in units]
    assert len(set(sets)) == len(sets)
    assert {unit.id for unit in units if len(unit.stages) == 1} == {stage.id for column in funnel.columns[:-1] for stage in column}
    assert all(frozenset(stage.id for stage in column) in sets for column in funnel.columns[:-1])
    assert all(unit.top < len(funnel.columns) - 1 for unit in units)
