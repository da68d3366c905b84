"""`stagesync export person`: one person's whole file as JSON, in words that somebody outside can follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...state import changes, runs
from ...state.actions import ActionRow
from ...state.changes import RECORD, ChangeRow
from ...state.inbox import EventRow
from ...state.links import LinkRow
from ...state.outbox import LetterRow
from ...state.people import PersonRow
from ...state.store import Tx
from ...sync.actors import NOBODY
from ...sync.people.dossier import Dossier
from . import words
from .lifecycle import lifecycle_json
from .said import address, said_json

_SORTS = {"decide": "decision", "overrule": "overruled value", "hold": "open question", "create": "new record", "update": "changed record"}


def dossier_json(tx: Tx, file: Dossier, names: Mapping[int, str], now: int, events: Sequence[EventRow], letters: Sequence[LetterRow]) -> dict[str, Any]:
    """The file as one object; times are UTC. `names`: account -> system. `events`, `letters`: what inbox and outbox hold of them."""
    told = [row.run for row in file.signals] + [row.run for row in file.actions]
    history = changes.of_links(tx, [link.id for link in file.records])
    told += [row.run for rows in history.values() for row in rows]
    return {
        "about": "everything that stagesync keeps of this person",
        "made": words.stamp(now),
        "person": f"p{file.row.id}" if file.row is not None else None,
        **(_person(tx, file.row) if file.row is not None else {}),
        "recognised_by": [{"key": key, "value": value} for key, value in file.keys],
        "records": [_record(link, names) for link in file.records],
        "changes": [
            {
                **address(link, names),
                "at": words.stamp(row.at),
                "seen": words.stamp(row.seen_at),
                "by": row.author,
                "run": row.run,
                "fields": {name: {"before": pair[0], "after": pair[1]} for name, pair in row.values.items() if name != RECORD},
                **_whereabouts(row),
            }
            for link in file.records
            for row in history.get(link.id, ())
        ],
        "actions": [_action(row, {link.id: link for link in file.records}, names) for row in file.actions],
        "said_about_records": said_json(tx, [link.id for link in file.records], names),
        "signals": [
            {
                "kind": row.kind,
                "at": words.stamp(row.at),
                "heard": words.stamp(row.seen_at),
                "source": row.source,
                "id": row.key,
                "attributes": dict(row.attributes),
                "run": row.run,
            }
            for row in file.signals
        ],
        "inbox": [{"system": row.system, "received": words.stamp(row.received), "id": row.key, "state": row.state, "body": row.body} for row in events],
        "outbox": [{"system": row.system, "made": words.stamp(row.made), "id": row.key, "state": row.state, "body": row.body} for row in letters],
        "runs": [_run(tx, number) for number in sorted({number for number in told if number is not None})],
    }


def _person(tx: Tx, row: PersonRow) -> dict[str, Any]:
    fields = {name: {"value": entry[0], "version": entry[1], "from": entry[2], "at": words.stamp(entry[3])} for name, entry in row.canonical.items()}
    stage = {"stage": row.stage, "side": row.side, "reason": row.reason, "pass": row.pass_no, "version": row.stage_version}
    return {"stage": stage, "fields": fields, "notes": row.notes or {}, "look_again": words.stamp(row.review_at), **lifecycle_json(tx, row, NOBODY)}


def _whereabouts(row: ChangeRow) -> dict[str, Any]:
    """What became of the record itself; of one that moved, also the values that it had."""
    place: Any = row.values.get(RECORD)
    return {} if place is None else {"record": {"before": place[0], "after": place[1], **({"values": place[2]} if len(place) > 2 else {})}}


def _record(link: LinkRow, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        **address(link, names),
        "state": link.state,
        "last_modified": words.stamp(link.stamp) if link.stamp else None,
        "last_modified_by": link.author,
        "fields": link.seen,
        "agreed_before": link.agreed,
        "carries_versions": link.carried,
        "notes": link.claim or {},
    }


def _action(row: ActionRow, records: Mapping[int, LinkRow], names: Mapping[int, str]) -> dict[str, Any]:
    link = records.get(row.link) if row.link is not None else None
    where = address(link, names) if link is not None else {"system": names.get(row.account)} if row.account is not None else {}
    told = {"sort": _SORTS.get(row.op, row.op), "state": row.state, "why": row.reason, **where, "fields": row.fields, "details": row.payload}
    asked = {"question": row.question, "field": row.field, "answer": row.answer} if row.question else {}
    return {"run": row.run, **told, **asked, **({"result": row.result} if row.result is not None else {})}


def _run(tx: Tx, number: int) -> dict[str, Any]:
    row = runs.by_id(tx, number)
    return {"run": number, "kind": row.kind if row else None, "started": words.stamp(row.started_at) if row else None}
