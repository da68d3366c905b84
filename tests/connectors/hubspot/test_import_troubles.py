"""Imports that meet trouble on their way: everybody has an outcome that is true, nobody is lost, and nobody is there twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from import_stand import BATCH, EXPORT, POST, Stand, address, kinds, people, person, stand

from stagesync.connectors.contract import Lasting
from stagesync.model.errors import Busy, QuotaSpent, StagesyncError
from stagesync.model.writes import Applied, Deferred, Outcome, Rejected, Step, Unknown
from stagesync.sandbox.faults import TROUBLES, Fault

MANY = 260


@pytest.fixture
def large() -> Iterator[Stand]:
    """A portal with imports and exports that take no time."""
    with stand() as made:
        yield made


def test_a_lost_answer_is_found_by_name(large: Stand) -> None:
    """HubSpot took it: nothing is posted again, and all is told as if the answer had come."""
    large.world.faults.add(Fault("lost_after", POST))
    assert set(kinds(large.written(people(MANY)))) == {"Applied"}
    calls = large.calls()
    assert (calls[POST], calls["GET /crm/v3/imports"]) == (2, 2)


def test_an_import_that_nobody_can_find_is_not_posted_again(large: Stand) -> None:
    """Whether HubSpot took it nobody can say: unknown, and no more imports in this run."""
    large.world.faults.add(Fault("lost_before", POST))
    outcomes = large.written(people(900))
    assert set(kinds(outcomes)) == {"Applied", "Unknown"}
    stored = large.stored()
    assert all((address(step) in stored) is isinstance(outcome, Applied) for step, outcome in zip(people(900), outcomes, strict=True))
    assert large.passage.remarks[-1].startswith("imports would spare calls, but cannot be used, because nobody can say whether HubSpot took the import")


def test_an_import_that_arrives_late_doubles_nobody(large: Stand) -> None:
    """Nobody could see it, so they were made by batches: it may only create, and leaves them as they are."""
    large.written(people(MANY))
    steps = [person(1_000 + number) for number in range(MANY)]
    under_way = large.late("/imports")
    assert set(kinds(large.written(steps))) == {"Unknown"}
    assert set(kinds(large.written(steps[:200]))) == {"Applied"}
    for step in steps[:200]:
        large.world.edit(large.stored()[address(step)]["id"], {"firstname": "Edited"})
    assert under_way.pop()().status == 200
    assert large.reopen().landed()
    stored = large.stored()
    assert len(stored) == 30 + 2 * MANY
    assert {stored[address(step)]["firstname"] for step in steps[:200]} == {"Edited"}


CALLED = {
    "definitions": "GET /crm/v3/properties/contacts",
    "owners": "GET /crm/v3/owners",
    "listed": "GET /crm/v3/imports",
    "posted": POST,
    "waited for": "GET /crm/v3/imports/5",
    "looked up": "POST /crm/v3/objects/contacts/batch/read",
    "counted": "POST /crm/v3/objects/contacts/search",
    "exported": EXPORT,
    "export waited for": "GET /crm/v3/exports/",
    "fetched": "GET /export-files/",
    "by a batch": BATCH,
}
"""The calls of the whole way, by the beginning of their method and path."""
TROUBLE = {name: TROUBLES[name] for name in ("lost before", "lost after", "page 200")}


def hold(large: Stand, steps: Sequence[Step], outcomes: Sequence[Outcome]) -> None:
    """Applied is there once as it is told, deferred is not there and does not come later; sent again, everybody is there once."""
    large.world.faults.clear()
    large.clock.at += 90_000
    assert large.reopen().landed()
    stored = large.stored()
    for step, outcome in zip(steps, outcomes, strict=True):
        if isinstance(outcome, Applied) and outcome.stored is not None:
            assert outcome.ref.id == stored[address(step)]["id"]
        elif isinstance(outcome, Applied | Deferred):
            assert (address(step) in stored) is isinstance(outcome, Applied)
        else:
            assert isinstance(outcome, Unknown | Rejected)
    large.written([step for step, outcome in zip(steps, outcomes, strict=True) if not isinstance(outcome, Applied)])
    assert large.stored().keys() >= {address(step) for step in steps}


@pytest.mark.parametrize("call", CALLED)
@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize(("skip", "times"), [(0, 1), (1, 40)])
def test_trouble_at_any_call_loses_and_doubles_nobody(call: str, trouble: str, skip: int, times: int) -> None:
    """Once, or from the second such call on."""
    with stand(import_takes_s=6.0, export_takes_s=4.0) as large:
        steps = [*people(240), person(999, lastname="line\nbreak")]
        large.world.faults.add(replace(TROUBLE[trouble], match=CALLED[call], times=times, skip=skip))
        try:
            outcomes = large.written(steps)
        except StagesyncError:
            outcomes = [Deferred("surely not done", 0) for _ in steps]
        hold(large, steps, outcomes)


@pytest.mark.parametrize("left", range(0, 60, 6))
def test_a_quota_that_is_spent_on_the_way_is_never_told_as_not_done(left: int) -> None:
    """Wherever the calls of the day end: what was posted is unknown where nobody can look any more, and what was not is left to another day."""
    with stand(import_takes_s=6.0, export_takes_s=4.0, daily_max=1_000) as large:
        large.world.limits.today = 900 - left
        steps = [*people(240), person(999, lastname="line\nbreak")]
        try:
            outcomes = large.written(steps)
        except QuotaSpent:
            outcomes = [Deferred("surely not done", 0) for _ in steps]
            assert large.calls().get(POST, 0) == 0
        large.switch(daily_max=1_000_000)
        hold(large, steps, outcomes)


@pytest.mark.parametrize("more", [1, 40])
def test_a_refusal_behind_the_trial_is_not_raised_over_it(more: int, large: Stand) -> None:
    """What the trial made is told; the others go by batches, or are left to another day."""
    steps = people(MANY)
    spent = large.world.troubles["limit of the day"]
    large.world.faults.add(replace(spent, match=POST, skip=1))
    if more > 1:
        large.world.faults.add(replace(spent, match=BATCH, times=more))
    outcomes = large.written(steps)
    assert set(kinds(outcomes)) == ({"Applied"} if more == 1 else {"Applied", "Deferred"})
    assert large.calls()[POST] == 2
    hold(large, steps, outcomes)


def test_a_run_that_was_taken_over_posts_nothing(large: Stand) -> None:
    """Another run writes now."""
    large.watch.passes = 0
    with pytest.raises(Busy):
        large.written(people(MANY))
    assert (large.calls().get(POST, 0), len(large.stored())) == (0, 30)


def test_another_program_waits_for_the_imports_of_a_dead_one(large: Stand) -> None:
    """Those that go on are found by whoever comes next and waited for, ten minutes at most; of imports that are not ours nobody minds."""
    large.switch(import_takes_s=1_000.0)
    large.world.faults.add(Fault("status", CALLED["waited for"], status=404, body="{}", times=99))
    assert set(kinds(large.written(people(MANY)))) == {"Applied", "Unknown"}
    large.world.faults.clear()
    connector = large.reopen()
    assert isinstance(connector, Lasting)
    assert not connector.landed()
    assert connector.landed()
    assert len(large.stored()) == 30 + MANY


def test_imports_of_somebody_are_not_waited_for(large: Stand) -> None:
    """Only ours have our name."""
    large.switch(import_takes_s=100_000.0)
    large.world.faults.add(Fault("status", CALLED["waited for"], status=404, body="{}", times=99))
    large.written(people(MANY))
    large.world.faults.clear()
    for each in large.world.imports.all():
        each.asked = replace(each.asked, name="Trade fair")
    assert large.reopen().landed()
    large.switch(scopes=["crm.objects.contacts.read"])
    assert large.reopen().landed()


def test_an_import_that_cannot_even_be_looked_for_is_never_told_as_not_done() -> None:
    """The answer is lost, and HubSpot is out of reach from then on: whether it took the import nobody can say."""
    with stand(import_takes_s=6.0) as large:
        steps = people(MANY)
        large.world.faults.add(Fault("lost_after", POST))
        large.world.faults.add(Fault("lost_before", CALLED["listed"], skip=1, times=40))
        outcomes = large.written(steps)
        assert "Unknown" in kinds(outcomes)
        assert large.calls()[POST] == 1
        hold(large, steps, outcomes)
