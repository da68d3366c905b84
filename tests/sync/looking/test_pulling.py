"""How pages become observations of the state: a place that cost something is kept before the next page is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from lab import OneByOne
from office import Office

from stagesync.connectors.contract import Connector
from stagesync.connectors.readonly import ReadOnly
from stagesync.model.records import Page, Query
from stagesync.sync.looking.pulling import cursor_of, pull_all
from stagesync.sync.looking.verify import verify
from stagesync.sync.session import Session


class Slow(ReadOnly):
    """Begins something, and takes its time. `meanwhile` is done behind its first page."""

    def __init__(self, connector: Connector, meanwhile: Callable[[], None], *, keep: bool) -> None:
        super().__init__("hub", connector)
        self.meanwhile, self.keep = meanwhile, keep

    def pull(self, query: Query) -> Iterator[Page]:
        """Two places, and nobody at either."""
        yield Page((), "begun", 1, notes=("it takes its time",), keep=self.keep)
        self.meanwhile()
        yield Page((), "ended", 2)


def slow(office: Office, meanwhile: Callable[[], None], tell: Callable[[str], None], *, keep: bool) -> Session:
    """A session over the office's portal alone, read slowly, in one thread."""
    account, hub = next((account, each) for account, each in office.session.systems.items() if each.name == "hub")
    systems = {account: replace(hub, connector=Slow(hub.connector, meanwhile, keep=keep))}
    return replace(office.session, systems=systems, beside=OneByOne(Random(0)), tell=tell)


@pytest.mark.parametrize("keep", [True, False])
def test_a_place_that_cost_something_is_kept_at_once(keep: bool, tmp_path: Path) -> None:
    """Whoever dies behind such a page goes on from there; other empty pages wait for more."""
    office = Office(tmp_path)
    account = next(account for account, each in office.session.systems.items() if each.name == "hub")
    kept: list[str | None] = []
    told: list[str] = []

    def look() -> None:
        with office.session.store.read() as tx:
            kept.append(cursor_of(tx, office.session.workspace, account))

    found = pull_all(slow(office, look, told.append, keep=keep), 1)
    look()
    assert kept == ["begun" if keep else None, "ended"]
    assert (told, found["hub"].notes) == (["hub: it takes its time"], ("it takes its time",))


def test_a_proof_says_how_it_reads_too(tmp_path: Path) -> None:
    """At once: it may take long."""
    told: list[str] = []
    verify(slow(Office(tmp_path), lambda: None, told.append, keep=True))
    assert told == ["hub: it takes its time"]
