"""What the ledger and the rules know of one person, for `why`: where they have been, and what each rule said."""

from __future__ import annotations

from typing import Any

from ...state import entries
from ...state.entries import EntryRow
from ...state.people import PersonRow
from ...state.store import Tx
from . import words


def lifecycle_text(tx: Tx, row: PersonRow) -> list[str]:
    """The stays in their order, and the rules that spoke of the person, as lines under their stage."""
    stays = entries.of_people(tx, [row.id]).get(row.id, [])
    lines = ["  Where they have been", *words.table([_stay(stay) for stay in stays], 4)] if stays else []
    rules = [(name, _said(note)) for name, note in _rules(row).items()]
    return [*lines, *(["  What the rules say (`stagesync qualify explain`)", *words.table(rules, 4)] if rules else [])]


def lifecycle_json(tx: Tx, row: PersonRow) -> dict[str, Any]:
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
                "evidence": stay.evidence,
                "run": stay.run,
                "answer_due": words.stamp(stay.due_at),
                "answered_in_time": None if stay.met is None else bool(stay.met),
            }
            for stay in entries.of_people(tx, [row.id]).get(row.id, [])
        ],
        "rules": {name: {"outcome": note[0], "mode": note[1], "pass": note[2], "reason": note[3]} for name, note in _rules(row).items()},
    }


def _rules(row: PersonRow) -> dict[str, list[Any]]:
    return (row.notes or {}).get("rules", {})


def _stay(stay: EntryRow) -> tuple[str, str, str, str]:
    place = ", ".join(part for part in (stay.stage, f"{stay.side} ({stay.reason})" if stay.side and stay.reason else stay.side) if part) or "no stage"
    since = words.moment(stay.entered_at) if stay.entered_at is not None else f"before {words.moment(stay.entered_seen)}" if stay.origin == "first" else ""
    return (since or f"seen {words.moment(stay.entered_seen)}", f"pass {stay.pass_no}", place, stay.evidence + (f" ({stay.actor})" if stay.actor else ""))


def _said(note: list[Any]) -> str:
    outcome, mode, pass_no, reason = note
    return f"{outcome}{f': {reason}' if reason else ''} ({mode}, pass {pass_no})"
