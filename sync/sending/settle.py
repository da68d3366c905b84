"""Finds out what became of writes whose outcome nobody knows, by looking at the system. Never by sending them again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from typing import Any

from ...connectors.contract import Lasting
from ...model.errors import Unreachable
from ...model.records import Gone, Native, Observation, Present, Record
from ...state import actions, leases, links, people, presence
from ...state.actions import ActionRow
from ...state.links import LinkRow
from ...state.presence import Cause
from ...state.store import Tx
from ..deciding.creation import KEY
from ..looking.observe import Seen, absorb
from ..session import Connected, Session
from .apply import Sender
from .outcome import Landed, Ledger, fields_of, landed_once, people_of
from .reading_back import read_back


def settle(session: Session, run: int, started: int = 0, ledgers: Mapping[int, Ledger] | None = None) -> int:
    """Resolve every open intent; returns how many there were. A system that is not connected now keeps its intents.

    `started`: when the run began to write, in ms; what becomes due here is later, so that it survives the run's end.
    `ledgers`: account -> where the run that sent them counts what came of them.
    """
    now = max(session.clock.now_ms(), started + 1)
    with session.store.read() as tx:
        intents = actions.open_intents(tx, session.workspace)
    open_ones = [row for row in intents if row.account in session.systems]
    _let_land(session, {row.account for row in open_ones if row.run != run and row.account is not None and not _acknowledged(row)})
    for account, connected in session.systems.items():
        mine = [row for row in open_ones if row.account == account]
        if mine and not connected.system.looks:
            Sender(session, connected, run, started).send_again(mine)
        elif mine and _landed(session, connected, mine, run):
            _settle_system(session, (ledgers or {}).get(account) or Ledger(session.workspace, run, connected), mine, now)
    return len(open_ones)


def _landed(session: Session, connected: Connected, rows: Sequence[ActionRow], run: int) -> bool:
    """What went to the system in bulk has ended there. While it still goes on nobody can say what came of these writes: they stay open.

    Raises `Unreachable` where they are an earlier run's: their people cannot be planned for yet.
    """
    connector, bulk = connected.connector, connected.connector.capabilities.bulk
    many = bulk is not None and sum(not _acknowledged(row) for row in rows) >= bulk.least
    if not many or not isinstance(connector, Lasting) or connector.landed():
        return True
    going = "what was written in bulk is still being carried out there"
    if any(row.run != run for row in rows):
        raise Unreachable(going, where=connected.name, next_step="run again later: nobody can say yet what came of it")
    session.tell(f"{connected.name}: {going}; the next run looks at what came of it")
    return False


def _acknowledged(row: ActionRow) -> bool:
    return row.result is not None and "ref" in row.result


def _let_land(session: Session, accounts: Set[int]) -> None:
    """What a run sent that was killed or superseded may still be carried out: looking before that would find nothing, and the write would be made twice."""
    silent_s = leases.silent_s(session.store)
    if not accounts or silent_s is None:
        return
    systems = [session.systems[account] for account in sorted(accounts)]
    longest = max(connected.connector.capabilities.lands_s for connected in systems)
    left = min(longest, longest - silent_s)  # a clock that was set back makes nobody wait longer
    if left <= 0:
        return
    names = " and ".join(connected.name for connected in systems)
    session.tell(f"waiting {math.ceil(left)} s: a run that broke off had just written to {names}, and that may still arrive there")
    session.clock.sleep(left)


def _settle_system(session: Session, ledger: Ledger, rows: Sequence[ActionRow], now: int) -> None:
    acknowledged = [row for row in rows if _acknowledged(row)]
    known = {row.id for row in acknowledged}
    if acknowledged:
        read_back(session, ledger, acknowledged, now)
    creates = [row for row in rows if row.op == "create" and row.id not in known]
    if creates:
        _settle_creates(session, ledger, creates, now)
    others = [row for row in rows if row.op != "create" and row.id not in known]
    if others:
        _settle_others(session, ledger, others, now)


def _settle_creates(session: Session, ledger: Ledger, rows: Sequence[ActionRow], now: int) -> None:
    """A record with the address that was not there before is the one. As it was sent it has landed; else it is linked and meets the person anew.

    Met anew, what only fills a blank of the vendor (a Lead without a company) would be carried back as if somebody had typed it.
    What has the address as a second one of its own is seen, and left to matching.
    """
    connected = ledger.connected
    found: dict[str, Record] = {}
    key_of = {name: kind.fields[KEY].native for name, kind in connected.system.map.kinds.items() if KEY in kind.fields}
    wanted = {str(row.payload["values"][key_of[row.payload["kind"]]]).lower(): row for row in rows}
    for name, native in key_of.items():
        for record in connected.connector.find(name, native, list(wanted), connected.system.map.kinds[name].asks):
            found.setdefault(str(record.values.get(native)).lower(), record)
    with session.store.write() as tx:
        there = people.by_ids(tx, people_of(rows))
        landed = _landed_creates(tx, session, ledger, {address: row for address, row in wanted.items() if row.person in there}, found)
        if landed:
            ledger.land(tx, landed, now)
            made = [(item.row, item.record.ref) for item in landed]
            actions.set_results(tx, [(row.id, "applied", {"settled": "found", "kind": ref.kind, "ref": ref.id}, row.attempts) for row, ref in made])
        done = {item.row.id for item in landed}
        others = {address: record for address, record in found.items() if address not in wanted or wanted[address].id not in done}
        absorb(tx, session.workspace, connected.system, Seen(records=list(others.values())), ledger.run, now)
        rows_now = links.by_refs(tx, session.workspace, connected.system.account, [record.ref for record in others.values()])
        for address, row in wanted.items():
            if row.id in done:
                continue
            record = others.get(address)
            link = rows_now.get(record.ref) if record is not None else None
            if link is not None and link.person is None and row.person in there:
                links.rewrite(tx, [link._replace(person=row.person, state="linked", carried={}, agreed={})])
            actions.set_results(tx, [(row.id, "applied" if link is not None else "skipped", {"settled": "found" if link else "not there"}, row.attempts)])
            ledger.count.skipped += 1
        presence.follow(tx, session.workspace, dict.fromkeys(people_of(rows), Cause()), now, ledger.run)
        people.mark_due(tx, session.workspace, people_of(rows), now)


def _landed_creates(tx: Tx, session: Session, ledger: Ledger, wanted: Mapping[str, ActionRow], found: Mapping[str, Record]) -> list[Landed]:
    """Those that nobody has seen yet, and that hold every value that was sent."""
    known = links.by_refs(tx, session.workspace, ledger.connected.system.account, [record.ref for record in found.values()])
    fresh = {address: record for address, record in found.items() if address in wanted and record.ref not in known}
    return [Landed(wanted[address], record) for address, record in fresh.items() if _as_sent(wanted[address], record)]


def _as_sent(row: ActionRow, record: Record) -> bool:
    return record.ref.kind == row.payload["kind"] and all(record.values.get(native, value) == value for native, value in row.payload["values"].items())


def _settle_others(session: Session, ledger: Ledger, rows: Sequence[ActionRow], now: int) -> None:
    connected = ledger.connected
    with session.store.read() as tx:
        known = links.by_ids(tx, [row.link for row in rows if row.link is not None])
    rows = [row for row in rows if row.link in known]
    refs = [known[row.link or 0].address for row in rows]
    fields = fields_of((ref.kind, row.payload["values"]) for row, ref in zip(rows, refs, strict=True))
    history = tuple(sorted(set().union(*fields.values()))) if connected.connector.capabilities.history else ()
    answers = connected.connector.fetch(refs, fields, history)
    with session.store.write() as tx:
        for row, answer in zip(rows, answers, strict=True):
            _settle_one(tx, session, ledger, row, known[row.link or 0], answer, now)
        people.mark_due(tx, session.workspace, people_of(rows), now)


def _settle_one(tx: Tx, session: Session, ledger: Ledger, row: ActionRow, link: LinkRow, answer: Observation, now: int) -> None:
    seen = Seen()
    match answer:
        case Present(record=record) if row.op != "archive":
            values: Mapping[str, Native] = row.payload["values"]
            if values.items() <= record.values.items():  # what is not shown is not blank
                ledger.land(tx, [Landed(row, record)], now)
            elif landed_once(answer, values, link.stamp):
                ledger.land(tx, [Landed(row, record, ours=False)], now)
            else:
                _not_done(tx, session, ledger, row, link, answer, now)
            return
        case Present():
            pass  # it was to be archived, and is still there
        case _:
            seen.take(answer)
    absorb(tx, session.workspace, ledger.connected.system, seen, ledger.run, now)
    archived = row.op == "archive" and isinstance(answer, Gone)
    ledger.count.archived += archived
    ledger.count.skipped += not archived
    actions.set_results(tx, [(row.id, "applied" if archived else "skipped", {"settled": type(answer).__name__}, row.attempts)])


def _not_done(tx: Tx, session: Session, ledger: Ledger, row: ActionRow, link: LinkRow, answer: Present, now: int) -> None:
    """Not there: either it never landed, or something stands on top of it, a third value or what was there before. Without a history of fields nobody can
    tell: it is held.

    What was there before counts as typed back only where the write's other fields show that it landed: a row is stored whole or not at all. Then the record
    carries all of it, so that whoever puts another of its fields back has edited it.
    """
    before: Mapping[str, Native] = row.payload.get("before", {})
    record = answer.record
    sent = {native: value for native, value in row.payload["values"].items() if native in record.values}  # what is not shown tells nothing
    landed = any(record.values[native] == value != before.get(native) for native, value in sent.items())
    third = [native for native, value in sent.items() if record.values[native] not in ((value,) if landed else (value, before.get(native)))]
    if landed and not answer.history:
        ledger.land(tx, [Landed(row, record, ours=False)], now)
    else:
        ledger.count.skipped += 1
        actions.set_results(tx, [(row.id, "skipped", {"settled": "not there"}, row.attempts)])
        absorb(tx, session.workspace, ledger.connected.system, Seen(records=[record]), ledger.run, now)
    if third and not answer.history:
        fresh = links.by_ids(tx, [link.id])[link.id]
        undecided: dict[str, Any] = {native: record.values[native] for native in third}
        links.rewrite(tx, [fresh._replace(claim={**(fresh.claim or {}), "undecided": undecided})])
