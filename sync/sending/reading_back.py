"""What is stored after a write is looked at, never believed from its acknowledgement; what somebody typed on top of it meanwhile is an edit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...model.records import Present, Record, Ref
from ...state import actions, links, people
from ...state.actions import ActionRow
from ..looking.observe import Seen, absorb
from ..session import Connected, Session
from .outcome import Landed, Ledger, fields_of, landed_once, people_of


def read_back(session: Session, ledger: Ledger, rows: Sequence[ActionRow], now: int) -> None:
    """Read what is stored after acknowledged writes (`result` names the ref), and end the actions."""
    connected = ledger.connected
    refs = [Ref(str((row.result or {})["kind"]), str((row.result or {})["ref"])) for row in rows]
    answers = connected.connector.fetch(refs, session.asks(connected.system.account))
    met = _met_an_edit(session, connected, [(row, answer) for row, answer in zip(rows, answers, strict=True) if isinstance(answer, Present)])
    landed: list[Landed] = []
    seen, lost = Seen(), list[ActionRow]()
    for row, answer in zip(rows, answers, strict=True):
        if isinstance(answer, Present):
            landed.append(Landed(row, answer.record, ours=row.id not in met and _by_us(connected, answer.record)))
        else:
            seen.take(answer)
            lost.append(row)
    with session.store.write() as tx:
        if landed:
            ledger.land(tx, landed, now)
        if lost:
            actions.set_state(tx, [row.id for row in lost], "applied")
            ledger.remember_made(tx, [row for row in lost if row.op == "create"])
            absorb(tx, session.workspace, connected.system, seen, ledger.run, now)
            people.mark_due(tx, session.workspace, people_of(lost), now)


def _by_us(connected: Connected, record: Record) -> bool:
    return record.author is None or connected.own_actor is None or record.author == connected.own_actor


def _met_an_edit(session: Session, connected: Connected, read: Sequence[tuple[ActionRow, Present]]) -> set[int]:
    """The writes of which something else is stored although the vendor's history shows ours: somebody typed on top of it.

    Only where records do not tell who wrote them last. What the vendor made of our own value (trimmed, ignored) is no edit.
    """
    odd = [(row, answer.record) for row, answer in read if answer.record.author is None and row.link is not None and not _as_sent(row, answer.record)]
    if not odd or not connected.connector.capabilities.history:
        return set()
    fields = fields_of((record.ref.kind, row.payload["values"]) for row, record in odd)
    natives = tuple(sorted(set().union(*fields.values())))
    with session.store.read() as tx:
        known = links.by_ids(tx, [row.link for row, _ in odd if row.link is not None])
    found: set[int] = set()
    for (row, record), answer in zip(odd, connected.connector.fetch([record.ref for _, record in odd], fields, natives), strict=True):
        sent = {native: value for native, value in row.payload["values"].items() if record.values.get(native, value) != value}
        since = known[row.link or 0].stamp
        if isinstance(answer, Present) and (landed_once(answer, sent, since) or _typed_after(answer, sent, since)):
            found.add(row.id)
    return found


def _typed_after(answer: Present, natives: Iterable[str], since: int) -> bool:
    """The newest version of one of these fields is a human's, and younger than what the plan saw."""
    newest = [versions[0] for native in natives if (versions := answer.history.get(native))]
    return any(change.actor.kind in ("user", "import") and change.at > since for change in newest)


def _as_sent(row: ActionRow, record: Record) -> bool:
    return all(record.values.get(native, value) == value for native, value in row.payload["values"].items())
