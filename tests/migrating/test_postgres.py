"""`stagesync migrate` on a PostgreSQL state: each phase tells what it tells on SQLite, and leaves the same in both systems."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from moving import WAY, Move, fates, move

OWN = frozenset({"digest", "seconds", "own_s", "vendor_s", "costs", "quota", "calls", "people"})
"""What is each run's own: times, how the vendors' calls are met, and numbers of people, which a rehearsal lists."""


def test_each_phase_is_as_on_sqlite(tmp_path: Path, postgres_url: str) -> None:
    """Survey, a rehearsal that is put back, load, proof, cutover with an edit, a new person and a deletion before it, and the proof after that."""
    ours, theirs = _moved(tmp_path / "postgres", postgres_url), _moved(tmp_path / "sqlite", None)
    for phase, told in ours.items():
        assert told == theirs[phase], phase
    assert fates(ours["load"]) == {"created": 9, "matched": 1, "excluded": 1}
    assert [ours[phase]["proved"] for phase in ("verify", "proof")] == [True, True]


def _moved(folder: Path, url: str | None) -> dict[str, Any]:
    """What each phase tells, and what stands in the org in the end."""
    folder.mkdir()
    with move(folder) as made:
        if url is not None:
            made.box.add(f'\n[state]\nurl = "{url}"\n')
        first, *_, last = made.people(9, lifecyclestage="lead", jobtitle="Head")
        made.box.later(60)
        made.hub.edit(first, {"lifecyclestage": "marketingqualifiedlead"})
        made.hub.create({"lastname": "Nameless"})
        made.hub.create({"email": "out@acme.example", "lastname": "Lee0", "phone": "+4930123456"})
        made.hub.opt_out("out@acme.example")
        made.crm.create("Lead", {"Email": "p3@acme.example", "LastName": "Lee3", "Company": "Acme", "Title": "Boss"})
        told = {"survey": made.json("survey", *WAY)}
        told["rehearse"] = made.json("rehearse", "--yes", "--people", "4")
        told["undo"] = made.json("rehearse", "--undo")
        told["again"] = made.json("survey")
        told["load"] = made.json("load", "--approve", told["again"]["digest"])
        told["verify"] = made.json("verify")
        made.hub.edit(first, {"jobtitle": "Chief"})
        made.hub.create({"email": "late@acme.example", "lastname": "Late"})
        made.hub.archive(last)
        told["cutover"] = made.json("cutover", "--two-way")
        told["proof"] = made.json("verify")
        return {**{phase: _shared(found) for phase, found in told.items()}, "org": _org(made)}


def _shared(told: Any) -> Any:
    """Without what is each run's own."""
    if isinstance(told, dict):
        return {name: _shared(value) for name, value in told.items() if name not in OWN}
    return [_shared(each) for each in told] if isinstance(told, list) else told


def _org(made: Move) -> list[tuple[Any, ...]]:
    names = ("Email", "LastName", "Title", "Status", "HasOptedOutOfEmail")
    return sorted(tuple(str(row.get(name)) for name in names) for row in made.crm.rows("Lead"))
