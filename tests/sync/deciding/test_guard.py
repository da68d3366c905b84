"""What stops a run before the first write: each limit at its edge, and what `--yes` answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from office import Office

from stagesync.state import leases
from stagesync.sync import engine
from stagesync.sync.deciding.guard import DEFAULT_LIMITS, LIFTED_BY_YES, Limit, Situation, limits_from, weigh

CALM = Situation(
    writes={}, linked={"hub": 100, "crm": 100}, live={"hub": 100, "crm": 100}, before={"hub": 100, "crm": 100}, first_run=False, mapping_changed=False
)


def kinds(situation: Situation, limits: Mapping[str, Limit] = DEFAULT_LIMITS) -> list[str]:
    """The kinds of stops."""
    return [stop.kind for stop in weigh(situation, limits)]


@pytest.mark.parametrize("kind", sorted(DEFAULT_LIMITS))
def test_each_kind_stops_just_above_its_limit(kind: str) -> None:
    """Up to the count or the share, whichever is more, goes through; one more stops."""
    limit = DEFAULT_LIMITS[kind]
    for linked in (0, 100, 10_000):
        allowed = max(limit.count, int(limit.share * linked))
        at_edge = replace(CALM, linked={"crm": linked}, writes={("crm", kind): allowed})
        assert kinds(at_edge) == []
        assert kinds(replace(at_edge, writes={("crm", kind): allowed + 1})) == [kind]


def test_each_system_is_weighed_by_itself() -> None:
    """Many writes in one system are not hidden by the size of another."""
    situation = replace(CALM, linked={"hub": 100_000, "crm": 100}, writes={("hub", "clears"): 200, ("crm", "clears"): 20})
    (stop,) = weigh(situation)
    assert "crm" in stop.sentence
    assert "20 clears" in stop.sentence


def test_an_empty_side_stops() -> None:
    """A system that had records and shows none is a wrong account or a lost right, not a wave of deletions."""
    assert kinds(replace(CALM, live={"hub": 100, "crm": 0})) == ["empty"]
    assert kinds(replace(CALM, live={"hub": 100, "crm": 0}, before={"hub": 100})) == []


def test_first_run_and_changed_mapping_ask_once() -> None:
    """The first run asks as the first run, whatever the mapping."""
    assert kinds(replace(CALM, first_run=True, mapping_changed=True)) == ["first"]
    assert kinds(replace(CALM, mapping_changed=True)) == ["mapping"]


def test_yes_answers_what_adds_and_never_what_takes_away() -> None:
    """`--yes` lifts the first run, a changed mapping, creates, fills, updates and many people; never deletions, clears, lowerings or an empty side."""
    assert {"first", "mapping", "creates", "fills", "updates", "people"} == LIFTED_BY_YES
    writes = {("crm", kind): 1_000_000 for kind in DEFAULT_LIMITS}
    stops = weigh(replace(CALM, writes=writes, live={"hub": 100, "crm": 0}, first_run=True))
    assert {stop.kind for stop in stops if not stop.by_yes} == {"empty", "archives", "clears", "lowerings"}
    assert [stop.by_yes for stop in stops] == sorted(stop.by_yes for stop in stops)


def test_limits_of_the_configuration() -> None:
    """The `[guard]` table is laid over the defaults, kind by kind."""
    limits = limits_from({"clears": {"count": 0, "share": 0.0}})
    assert kinds(replace(CALM, writes={("crm", "clears"): 1}), limits) == ["clears"]
    assert limits["updates"] == DEFAULT_LIMITS["updates"]


@given(st.sampled_from(sorted(DEFAULT_LIMITS)), st.integers(0, 5_000), st.integers(0, 5_000), st.integers(0, 20_000))
def test_more_writes_never_pass_where_fewer_stop(kind: str, some: int, more: int, linked: int) -> None:
    """A guard that stops a number of writes stops every greater number."""
    fewer = replace(CALM, linked={"crm": linked}, writes={("crm", kind): some})
    greater = replace(fewer, writes={("crm", kind): some + more})
    assert not kinds(fewer) or kinds(greater)


def test_a_stopped_plan_writes_nothing(tmp_path: Path) -> None:
    """Sixty records cleared by somebody's mistake: the plan names the guard, nothing is written, and it stays due."""
    office = Office(tmp_path)
    ids = office.hub.load([{"email": f"p{number}@a.example", "lastname": "Ash", "city": "Bonn"} for number in range(60)])
    office.run()
    office.later()
    for each in ids:
        office.hub.edit(each, {"city": ""})
    planned = office.plan()
    assert [stop.kind for stop in planned.stops] == ["clears"]
    assert [row["City"] for row in office.crm.rows("Lead")] == ["Bonn"] * 60
    assert [stop.kind for stop in office.plan().stops] == ["clears"]


def test_an_emptied_system_stops(tmp_path: Path) -> None:
    """All Leads deleted: the plan stands still with the question whether it is the right account."""
    office = Office(tmp_path)
    office.hub.load([{"email": f"p{number}@a.example", "lastname": "Ash"} for number in range(3)])
    office.run()
    office.later()
    for row in list(office.crm.rows("Lead")):
        office.crm.delete(row["Id"])
    assert "empty" in [stop.kind for stop in office.plan().stops]
    assert "empty" in [stop.kind for stop in office.plan().stops], "a second look makes it no better"
    planned = office.plan()
    with leases.acquire(office.session.store, office.session.workspace, "test"):
        engine.apply(office.session, planned.run, stored=True)
    assert office.plan().stops == (), "somebody approved it"


def test_as_good_as_empty_stops() -> None:
    """A system that shows less than a tenth of what it had is asked about too."""
    assert kinds(replace(CALM, live={"hub": 100, "crm": 9})) == ["empty"]
    assert kinds(replace(CALM, live={"hub": 100, "crm": 10})) == []


def test_a_share_of_all_people_stops() -> None:
    """Kinds of change that are each within their limits may together touch most people."""
    writes = {("hub", "updates"): 300, ("crm", "fills"): 300}
    many = replace(CALM, linked={"hub": 1_000, "crm": 1_000}, writes=writes, written=501, people=1_000)
    assert kinds(many) == ["people"]
    assert kinds(replace(many, written=500)) == []
    assert "501 people would be written" in weigh(many)[0].sentence
