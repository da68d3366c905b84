"""A batch that is refused as a whole: each row gets its own outcome, the good ones land, and few calls are spent on finding the bad ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from doors import Door
from hypothesis import given
from hypothesis import strategies as st
from office import Office

from stagesync.app.crew import as_they_end, in_threads
from stagesync.connectors.splitting import ENOUGH, Outcomes, Refusal, at_once, in_turn, sorted_out
from stagesync.model.errors import ConfigurationError, QuotaSpent
from stagesync.model.records import Ref
from stagesync.model.writes import Applied, Deferred, Rejected
from stagesync.sandbox.base import json_response
from stagesync.sandbox.wire import Request, Response
from stagesync.sync.sending import failures

POISON = "poison"


@dataclass
class Vendor:
    """Takes a batch, or refuses it as a whole because of the `bad` places; `names` so many of them."""

    bad: frozenset[int]
    names: int = 0
    calls: int = 0
    landed: list[int] = field(default_factory=list[int])

    def send(self, places: Sequence[int]) -> Outcomes | Refusal:
        """One call."""
        self.calls += 1
        found = [place for place in places if place in self.bad]
        if found:
            return Refusal(found[: self.names], lambda place: Rejected("BAD", str(place)))
        self.landed += places
        return {place: Applied(Ref("lead", str(place))) for place in places}


@given(st.integers(1, 200), st.data())
def test_each_row_has_its_outcome_and_each_good_one_lands_once(rows: int, data: st.DataObject) -> None:
    """Wherever the bad rows are, and however many a refusal names: who landed is told so, once; who is bad is refused, or left for later, never taken."""
    bad = data.draw(st.frozensets(st.integers(0, rows - 1)))
    vendor = Vendor(bad, names=data.draw(st.integers(0, 3)))
    found = sorted_out(range(rows), vendor.send)
    assert sorted(found) == list(range(rows))
    assert sorted(vendor.landed) == sorted(place for place, each in found.items() if isinstance(each, Applied))
    assert set(vendor.landed).isdisjoint(bad)
    assert {place for place, each in found.items() if isinstance(each, Rejected)} <= bad
    if len(bad) < ENOUGH or len(bad) <= rows * 0.05:
        assert set(found) - set(vendor.landed) == bad
        assert not any(isinstance(each, Deferred) for each in found.values())


@pytest.mark.parametrize("place", [0, 49, 63, 99])
def test_one_bad_row_in_a_hundred_costs_few_calls(place: int) -> None:
    """Nobody names it: about twice as many calls as the hundred can be halved. It is named: one call more."""
    silent, outspoken = Vendor(frozenset({place})), Vendor(frozenset({place}), names=1)
    assert len([each for each in sorted_out(range(100), silent.send).values() if isinstance(each, Applied)]) == 99
    assert silent.calls <= 15
    sorted_out(range(100), outspoken.send)
    assert outspoken.calls == 2


def test_a_batch_of_nothing_but_bad_rows_is_not_searched_to_the_end() -> None:
    """After twenty of them the rest waits, and whoever sent the batch can tell that it is no bad row."""
    vendor = Vendor(frozenset(range(200)))
    found = sorted_out(range(200), vendor.send)
    assert len([each for each in found.values() if isinstance(each, Rejected)]) == ENOUGH
    assert vendor.calls < 60


def test_what_stops_everything_takes_nothing_from_what_is_known() -> None:
    """The quota ends in the middle of the search: what landed is told, the rest comes again later; before anything landed it stops everything."""
    vendor = Vendor(frozenset({3}))

    def until_spent(places: Sequence[int]) -> Outcomes | Refusal:
        if vendor.calls == 2:
            raise QuotaSpent("the day is over", where="vendor")
        return vendor.send(places)

    found = sorted_out([4, 5, 3, 6], until_spent)
    assert [type(found[place]) for place in (4, 5, 3, 6)] == [Applied, Applied, Deferred, Deferred]
    vendor.calls = 2
    with pytest.raises(QuotaSpent):
        sorted_out([4, 5], until_spent)


@dataclass
class Strict(Door):
    """Refuses a whole call for one row with the poison in it. `kind`: how it says so. `writes`: the calls that change something."""

    kind: str
    writes: list[int] = field(default_factory=list[int])

    def answer(self, request: Request, fault: Any = None) -> Response:
        """The world's answer, or a no to everything."""
        rows = _rows(request)
        if rows is None:
            return super().answer(request, fault)
        self.writes.append(len(rows))
        bad = [row for row in rows if POISON in orjson.dumps(row).decode()]
        return _refusal(self.kind) if bad else super().answer(request, fault)


def _rows(request: Request) -> list[Any] | None:
    """What a call writes; None for all other calls."""
    if request.path.endswith(("/batch/create", "/batch/update")):
        return orjson.loads(request.body)["inputs"]
    if "/composite/sobjects" in request.path and request.method in ("POST", "PATCH"):
        return orjson.loads(request.body).get("records")
    return None


def _refusal(kind: str) -> Response:
    match kind:
        case "hub, named":
            bad = [{"isValid": False, "message": "not allowed", "error": "INVALID_OPTION", "name": "city", "propertyValue": POISON}]
            told = {"status": "error", "message": f"Property values were not valid: {orjson.dumps(bad).decode()}", "category": "VALIDATION_ERROR"}
            return json_response(told, 400)
        case "hub, unnamed":
            return json_response({"status": "error", "message": "Invalid input JSON", "category": "VALIDATION_ERROR"}, 400)
        case _:
            return json_response([{"errorCode": "JSON_PARSER_ERROR", "message": "Cannot deserialize instance of boolean from VALUE_STRING value"}], 400)


class StrictOffice(Office):
    """An office before whose systems stands somebody strict."""

    kind = ""

    def way_to(self, world: Any) -> Any:
        """HubSpot or Salesforce, as the kind says."""
        if (self.kind[:3] == "hub") != (world is self.hub):
            return world
        self.strict = Strict(world, self.kind)
        return self.strict


class HubNamed(StrictOffice):
    """HubSpot names the value."""

    kind = "hub, named"


class HubSilent(StrictOffice):
    """HubSpot names nothing."""

    kind = "hub, unnamed"


class CrmSilent(StrictOffice):
    """Salesforce cannot parse the call."""

    kind = "crm"


def crowded(office: StrictOffice, people: int, bad: int) -> None:
    """So many new people in the other system, of whom every so many'th is poisoned."""
    every = people // bad if bad else people + 1
    for number in range(people):
        city = POISON if bad and number % every == every - 1 and number // every < bad else "Bonn"
        if office.kind[:3] == "hub":
            office.crm.create("Lead", {"Email": f"p{number}@a.example", "LastName": "Ash", "Company": "A", "City": city})
        else:
            office.hub.create({"email": f"p{number}@a.example", "lastname": "Ash", "city": city})


@pytest.mark.parametrize("kind", [HubNamed, HubSilent, CrmSilent])
@pytest.mark.parametrize(("bad", "calls"), [(1, 15), (5, 60)])
def test_a_bad_row_fails_alone(kind: type[StrictOffice], bad: int, calls: int, tmp_path: Path) -> None:
    """One or five in a hundred, refused as a whole: the others land in the same run, once, and the search costs a fraction of a call for each."""
    office = kind(tmp_path)
    crowded(office, 100, bad)
    report = office.run()
    name = office.kind[:3]
    assert (report.systems[name].created, report.systems[name].rejected, report.systems[name].skipped) == (100 - bad, bad, 0)
    assert len(office.strict.writes) <= calls
    with office.session.store.read() as tx:
        assert sum(cause.count for cause in failures.causes(tx, office.session.workspace)) == bad
    before = len(office.strict.writes)
    assert office.run().writes == 0
    assert len(office.strict.writes) == before


@pytest.mark.parametrize("kind", [HubNamed, HubSilent, CrmSilent])
@pytest.mark.parametrize("bad", [6, 100])
def test_many_bad_rows_are_a_fault_of_the_set_up(kind: type[StrictOffice], bad: int, tmp_path: Path) -> None:
    """Six in a hundred stop the run with exit 2 after the good ones have landed; of a hundred the search ends early, and nothing is taken that was refused."""
    office = kind(tmp_path)
    crowded(office, 100, bad)
    with pytest.raises(ConfigurationError) as caught:
        office.run()
    assert caught.value.exit_code == 2
    assert len(office.strict.writes) <= 70
    world = office.hub.contacts() if office.kind[:3] == "hub" else office.crm.rows("Lead")
    assert len(list(world)) == 100 - bad


class Stopping(Vendor):
    """Takes so many calls and then no more: the day's quota is spent, and nothing is done."""

    def __init__(self, bad: frozenset[int], takes: int) -> None:
        super().__init__(bad)
        self.takes = takes

    def send(self, places: Sequence[int]) -> Outcomes | Refusal:
        """One call. Raises `QuotaSpent`."""
        if self.calls >= self.takes:
            raise QuotaSpent("spent")
        return super().send(places)


@given(st.integers(1, 60), st.integers(1, 9), st.integers(0, 12), st.booleans(), st.data())
def test_what_stops_some_of_several_calls_defers_their_rows_alone(rows: int, size: int, takes: int, beside: bool, data: st.DataObject) -> None:
    """One after the other or at once: who landed is told so, who did not is left for later; it is raised only where nothing was done at all."""
    vendor = Stopping(data.draw(st.frozensets(st.integers(0, rows - 1), max_size=2)), takes)
    try:
        found = at_once(range(rows), size, vendor.send, lambda works: in_threads(works, 3)) if beside else in_turn(range(rows), size, vendor.send)
    except QuotaSpent:
        assert vendor.landed == []
        return
    assert sorted(found) == list(range(rows))
    assert sorted(vendor.landed) == sorted(place for place, each in found.items() if isinstance(each, Applied))


def test_a_batch_of_which_too_much_is_refused_is_not_sent_to_its_end() -> None:
    """What is wrong with the set-up is wrong with every row: ten thousand refusals tell no more than a few."""
    vendor = Vendor(frozenset(range(10_000)), names=100)
    found = in_turn(range(10_000), 100, vendor.send)
    assert vendor.calls < 200
    assert sum(isinstance(each, Rejected) for each in found.values()) < 1_000
    assert sum(isinstance(each, Deferred) for each in found.values()) > 9_000


def test_works_are_done_at_once_and_told_in_their_order() -> None:
    """Each waits for all others to have begun; what one raises is raised once none is under way, and what has not begun is not begun."""
    gate = threading.Barrier(4, timeout=10)
    assert in_threads([lambda number=number: (gate.wait(), number)[1] for number in range(4)], 4) == [0, 1, 2, 3]
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 0:
            raise QuotaSpent("spent")

    with pytest.raises(QuotaSpent):
        in_threads([partial(work, number) for number in range(1_000)], 1)
    assert len(begun) < 1_000


def test_a_flow_hands_on_what_ends_and_asks_for_more() -> None:
    """As many as may be are under way at once and no more; over when there is none left. What one raises is raised, and nothing is begun after it or after the
    end of whoever takes the results."""
    gate = threading.Barrier(4, timeout=10)
    waiting = [*range(40)]
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        gate.wait()
        return number

    def more() -> Callable[[], int] | None:
        return partial(work, waiting.pop(0)) if waiting else None

    assert sorted(as_they_end(more, 4)) == [*range(40)]
    waiting, begun = [*range(4)], []
    flow = as_they_end(more, 4)
    next(flow)
    waiting.append(99)
    flow.close()
    assert sorted(begun) == [0, 1, 2, 3]
    works = iter([partial(int, "1"), partial(int, "no number"), *[partial(begun.append, 100)] * 50])
    with pytest.raises(ValueError, match="no number"):
        list(as_they_end(lambda: next(works, None), 1))
    assert 100 not in begun
