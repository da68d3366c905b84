"""How pages become observations of the state: a place that cost something is kept before the next page is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from lab import OneByOne
from office import Office

from stagesync.connectors.readonly import ReadOnly
from stagesync.model.records import Page, Query
from stagesync.sync.looking.pulling import cursor_of, pull_all


@pytest.mark.parametrize("keep", [True, False])
def test_a_place_that_cost_something_is_kept_at_once(keep: bool, tmp_path: Path) -> None:
    """Whoever dies behind such a page goes on from there; other empty pages wait for more."""
    office = Office(tmp_path)
    session = office.session
    account = next(account for account, connected in session.systems.items() if connected.name == "hub")
    kept: list[str | None] = []

    class Slow(ReadOnly):
        """Begins something, and takes its time."""

        def pull(self, query: Query) -> Iterator[Page]:
            yield Page((), "begun", 1, notes=("it takes its time",), keep=keep)
            with session.store.read() as tx:
                kept.append(cursor_of(tx, session.workspace, account))
            yield Page((), "ended", 2)

    hub = session.systems[account]
    systems = {account: replace(hub, connector=Slow("hub", hub.connector))}
    told: list[str] = []
    found = pull_all(replace(session, systems=systems, beside=OneByOne(Random(0)), tell=told.append), 1)
    assert kept == ["begun" if keep else None]
    assert (told, found["hub"].notes) == (["hub: it takes its time"], ("it takes its time",))
    with session.store.read() as tx:
        assert cursor_of(tx, session.workspace, account) == "ended"
