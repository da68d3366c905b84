"""What the ledger and the rules know of one person, for `why`: where they have been, and what each rule said."""

from __future__ import annotations

from typing import Any

from ...state import entries
from ...state.entries import GONE, EntryRow
from ...state.people import PersonRow
from ...state.store import Tx
from ...sync.actors import Actors
from . import words


def lifecycle_text(tx: Tx, row: PersonRow, actors: Actors, at: int | None = None) -> list[str]:
    """The stays in their order, and the rules that spoke of the person, as lines under their stage. `at`: only what had begun by that moment (ms)."""
    lines = ["  Where they have been", *words.table([_stay(stay, actors) for stay in stays], 4)] if (stays := _stays(tx, row.id, at)) else []
    rules = [(name, _said(note)) for name, note in _rules(row).items()]
    return [*lines, *(["  What the rules say (`stagesync qualify explain`)", *words.table(rules, 4)] if rules else [])]


def lifecycle_json(tx: Tx, row: PersonRow, actors: Actors, at: int | None = None) -> dict[str, Any]:
    """The same as one object."""
    return {
        "stays": [
            {
                "stage": stay.stage,
                "side": stay.side,
                "reason": stay.reason,
                "pass": stay.pass_no,
                "entered": words.stamp(stay.entered_at),
                "entered_seen": words.stamp(stay.entered_seen),
                "left": words.stamp(stay.left_at),
                "left_seen": words.stamp(stay.left_seen),
                "system": stay.system,
                "actor": stay.actor,
                "by": actors.actor(stay.system or "", stay.actor) or None,
                "evidence": stay.evidence,
                "run": stay.run,
                "origin": stay.origin,
                "answer_due": words.stamp(stay.due_at),
                "answered_in_time": None if stay.met is None else bool(stay.met),
            }
            for stay in _stays(tx, row.id, at)
        ],
        "rules": {name: {"outcome": note[0], "mode": note[1], "pass": note[2], "reason": note[3]} for name, note in _rules(row).items()},
    }


def _stays(tx: Tx, person: int, at: int | None) -> list[EntryRow]:
    """Those that had begun by then, by the vendor's clock where it told; what ended later had not."""
    stays = entries.of_people(tx, [person]).get(person, [])
    if at is None:
        return stays
    begun = [stay for stay in stays if (stay.entered_seen if stay.entered_at is None else stay.entered_at) <= at]
    return [stay._replace(left_at=None, left_seen=None) if _left(stay) > at else stay for stay in begun]


def _left(stay: EntryRow) -> int:
    return stay.left_at if stay.left_at is not None else stay.left_seen or 0


def _rules(row: PersonRow) -> dict[str, list[Any]]:
    return (row.notes or {}).get("rules", {})


def _stay(stay: EntryRow, actors: Actors) -> tuple[str, str, str, str]:
    place = ", ".join(part for part in (stay.stage, f"{stay.side} ({stay.reason})" if stay.side and stay.reason else stay.side) if part)
    place = place or ("no record" if stay.origin == GONE else "no stage")
    since = words.moment(stay.entered_at) if stay.entered_at is not None else f"before {words.moment(stay.entered_seen)}" if stay.origin == "first" else ""
    return (
        since or f"seen {words.moment(stay.entered_seen)}",
        f"pass {stay.pass_no}",
        place,
        stay.evidence + (f", by {who}" if (who := actors.actor(stay.system or "", stay.actor)) else ""),
    )


def _said(note: list[Any]) -> str:
    outcome, mode, pass_no, reason = note
    return f"{outcome}{f': {reason}' if reason else ''} ({mode}, pass {pass_no})"
