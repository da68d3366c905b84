"""Runs in which nothing happened are let go after a day, and nothing else changes for anybody who asks."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from office import Office
from rows import Home, new_actions, new_links

from stagesync.app.views.runs import runs_json
from stagesync.app.views.status import status_json
from stagesync.app.views.why import why_json
from stagesync.model.records import Signal
from stagesync.state import changes, people, runs, signals, thinning
from stagesync.state.runs import RunRow
from stagesync.state.signals import NewSignal
from stagesync.state.store import Store, Tx
from stagesync.state.thinning import KEPT, KEPT_MS
from stagesync.sync.undoing.undo import plan_undo

DAY_MS = 86_400_000
MINUTE_MS = 60_000
QUIET: dict[str, Any] = {
    "people": 0,
    "created": 0,
    "updated": 0,
    "archived": 0,
    "rejected": 0,
    "new_holds": 0,
    "stops": [],
    "open_holds": 3,
    "live": {"hub": 9},
}
LOUD: list[dict[str, Any]] = [{**QUIET, name: 1} for name in ("created", "updated", "archived", "rejected", "new_holds", "overruled", "drifted", "breached")]
LOUD += [{**QUIET, "stops": [["creates", "too many"]]}, {**QUIET, "promoted": [["fits", "shadow", 2]]}, {**QUIET, "approved": True}]
ENDED = "running", "planned", "applying", "superseded", "stopped", "broken"


def ran(tx: Tx, ws: int, at: int, counts: dict[str, Any], state: str = "applied", kind: str = "sync") -> int:
    """A run that began and ended; its number."""
    number = runs.start(tx, ws, kind, at, "maps")
    runs.finish(tx, number, at + 300, state, counts, "digest")
    return number


def thinned(store: Store, ws: int, now: int) -> int:
    """Thin out as the runs of three days do, one an hour; how many runs went."""
    gone = 0
    for hour in range(73):
        with store.write() as tx:
            gone += thinning.thin(tx, ws, now - (72 - hour) * 60 * MINUTE_MS)
    return gone


def all_of(store: Store, ws: int) -> list[RunRow]:
    """Every run of a workspace."""
    with store.read() as tx:
        return runs.recent(tx, ws, 10_000)


def test_only_old_runs_in_which_nothing_happened_go(store: Store) -> None:
    """What wrote, asked, was refused, stopped or approved, is no sync, or has a change, a signal or an action of its own stays; so does another workspace."""
    random, now = Random(4), 10 * DAY_MS
    quiet: list[int] = []
    with store.write() as tx:
        home, other = Home(tx), Home(tx, "second")
        [link] = new_links(tx, home, 1)
        for number in range(700):
            at = now - 3 * DAY_MS + number * 5 * MINUTE_MS
            match random.randrange(12):
                case 0:
                    ran(tx, home.ws, at, random.choice(LOUD))
                case 1:
                    ran(tx, home.ws, at, QUIET, random.choice(ENDED))
                case 2:
                    ran(tx, home.ws, at, QUIET, kind="undo")
                case 3:
                    changes.insert(tx, home.ws, [(link.id, None, None, at, ran(tx, home.ws, at, QUIET), None, {})])
                case 4:
                    told = NewSignal(None, None, None, Signal("form", at, "hub", f"k{number}"))
                    signals.add(tx, home.ws, [told], at, ran(tx, home.ws, at, QUIET))
                case 5:
                    new_actions(tx, home, {"run": ran(tx, home.ws, at, QUIET), "state": "held", "op": "hold"})
                case 6:
                    ran(tx, other.ws, at, QUIET)
                case _:
                    quiet.append(ran(tx, home.ws, at, QUIET))
    before, others = all_of(store, home.ws), all_of(store, other.ws)
    newest = {row.id for row in before[:KEPT]}
    due = {row.id for row in before if row.id in quiet and row.id not in newest and row.started_at < now - KEPT_MS}
    assert len(due) > 100
    assert thinned(store, home.ws, now) == len(due)
    assert all_of(store, home.ws) == [row for row in before if row.id not in due]
    assert all_of(store, other.ws) == others
    assert thinned(store, home.ws, now) == 0
    assert thinned(store, home.ws, now + 9 * DAY_MS) > 0
    assert {row.id for row in all_of(store, home.ws)} >= newest, "the newest stay however old they are"


def test_nothing_else_changes_for_anybody_who_asks(tmp_path: Path) -> None:
    """A life with edits, a question and quiet days between: `why`, `status` and every other run are told as before, and the first run can still be undone."""
    office = Office(tmp_path, fields={"phone": {"policy": "ask"}})
    id = office.hub.create({"email": "anna@a.example", "firstname": "Anna", "lastname": "Ash", "lifecyclestage": "lead", "phone": "+49301111111"})
    first = office.run().run
    idle(office)
    office.hub.edit(id, {"city": "Bonn", "lifecyclestage": "marketingqualifiedlead"})
    office.later()
    office.run()
    idle(office)
    office.hub.edit(id, {"phone": "+49302222222"})
    office.crm.edit(office.person("anna@a.example")["Id"], {"Phone": "+49303333333"})
    office.later()
    office.run()
    idle(office)
    office.later(2 * 86_400)
    before, told = len(all_of(office.session.store, office.session.workspace)), shown(office)
    assert told["questions"]
    last = office.run().run
    kept = all_of(office.session.store, office.session.workspace)
    assert 100 < before + 1 - len(kept) <= 200
    assert shown(office, without=last) == told
    with office.session.store.read() as tx:
        assert runs.last(tx, office.session.workspace) == kept[0]
    undone = plan_undo(office.session, first)
    assert undone.target.id == first
    assert office.hub.contacts()


def idle(office: Office) -> None:
    """A service that looks every minute for an hour and a half, and finds nothing: rows as its runs leave them."""
    quiet = office.run()
    assert (quiet.writes, quiet.new_holds) == (0, 0)
    with office.session.store.write() as tx:
        row = runs.by_id(tx, quiet.run)
        assert row is not None
        assert thinning.is_quiet(row.counts)
        for _ in range(90):
            office.later(60)
            ran(tx, office.session.workspace, office.clock.now_ms(), row.counts)


def shown(office: Office, without: int = 0) -> dict[str, Any]:
    """What the commands show, less the quiet runs and the one that thinned them out."""
    workspace = office.session.workspace
    with office.session.store.read() as tx:
        status = status_json(tx, workspace, "office", ())
        listed = runs_json(tx, workspace, 10_000)["runs"]
        return {
            "why": [why_json(tx, office.session, row.id) for row in people.each(tx, workspace, 0, 10)],
            "runs": [row for row in listed if row["run"] != without and not (row["state"] == "applied" and thinning.is_quiet(row["counts"]))],
            **{name: value for name, value in status.items() if name != "last_run"},
        }
