"""Sends the planned writes of one system: look again, mark sent, write, write down what came of it, read back.

Everything is journalled before it is sent and after it is answered, so that a crash leaves nothing but intents that can be looked up.
One system's writes go in the order of the plan; several systems are written side by side by the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ...connectors.contract import Bulk
from ...model.errors import StagesyncError
from ...model.records import Gone, Moved, Present, Record, Ref
from ...model.writes import Applied, Deferred, Move, Operation, Outcome, Rejected, Step, Unknown
from ...state import actions, links, people
from ...state.actions import ActionRow
from ...state.people import PersonRow
from ...state.store import Tx
from ..deciding.claims import STAGE
from ..deciding.creation import KEY
from ..looking.observe import Seen, absorb
from ..session import Connected, Session
from .fault import fault, is_fault
from .linking import resolve, unlinked
from .outcome import Landed, Ledger, fields_of, people_of
from .reading_back import read_back

MAX_BLOCK = 2_000
OPERATIONS: tuple[Operation, ...] = ("archive", "update", "create")
_TURNS: tuple[tuple[Operation, bool], ...] = (("update", True), *((op, False) for op in OPERATIONS))
ROUNDS = 2
"""So many times as many requests as can be under way at once travel in one write, so that the wait for a far vendor is met once for all of them.
New records that need no look beforehand have another way: a write goes on while what came of the one before it is written down, and as many travel in two."""

STEPS = 2
"""Rows that one write may take (a stage that goes back is cleared, then set): so many looks' worth are taken at once, lest batches be half empty."""


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A write that was begun. `outcomes` waits for its end; it raises what stopped everything, as often as it is asked."""

    rows: Sequence[ActionRow] = ()
    outcomes: Callable[[], Sequence[Outcome]] = tuple


@dataclass(slots=True)
class Sender:
    """The writes of one system in one run. `started`: when the run began, in ms. `limit`: at most so many records (None: all)."""

    session: Session
    connected: Connected
    run: int
    started: int
    limit: int | None = None
    ledger: Ledger = field(init=False)
    _broken: set[int] = field(default_factory=set[int])
    _answered: int = 0
    _under_way: _UnderWay = _UnderWay()
    _bulk: Bulk | None = None
    _unread: list[ActionRow] = field(default_factory=list[ActionRow])

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.session.workspace, self.run, self.connected)

    def send(self) -> None:
        """Send all that is planned. Raises what stops everything (`QuotaSpent`, `Unreachable` ...): what is done by then is on record.

        Raises `ConfigurationError` where the system refuses too many.

        A change of stage goes before all others. Then one kind of write after another, so that batches are full; what frees a unique value (an update)
        goes before what needs it (a create).
        """
        if not self.connected.system.looks:
            self.connected.connector.write(())  # what it keeps back for a later moment may be due
        with self.session.store.read() as tx:
            counted = actions.tally(tx, self.run)
        for op, urgent in _TURNS:
            if planned := counted.get((self.connected.system.account, op, "planned")):
                self._send_all(op, planned, urgent=urgent)

    def send_these(self, rows: Sequence[ActionRow]) -> None:
        """Send only these of the planned rows, as `send` would."""
        for op in OPERATIONS:
            if mine := [row for row in rows if row.op == op and row.account == self.connected.system.account]:
                self._bulk = self._paying(op, len(mine))
                self._send_block(mine)

    def send_again(self, rows: Sequence[ActionRow]) -> None:
        """Send what may have been sent before, under the numbers that it had then: a system that cannot be looked at knows it by them."""
        refs = self._refs(rows)
        for group in self._groups(sorted(rows, key=lambda row: row.id), refs):
            self._send_group(group, refs)

    def _send_all(self, op: Operation, planned: int, *, urgent: bool) -> None:
        self._bulk = self._paying(op, planned)
        try:
            self._send_planned(op, self._block(op), urgent=urgent)
        finally:
            under_way, self._under_way = self._under_way, _UnderWay()
            self._unread.extend(self._ended(under_way))
        self._finish()

    def _send_planned(self, op: str, size: int, *, urgent: bool) -> None:
        after = 0
        while (self.limit is None or self.limit > 0) and not self.session.stop() and not self._at_fault():
            with self.session.store.read() as tx:
                account, most = self.connected.system.account, size if self.limit is None else min(size, self.limit)
                planned = actions.of_run(tx, self.run, ("planned",), after, most, op=op, account=account, urgent=urgent)
            if not planned:
                return
            after = planned[-1].id
            self.limit = None if self.limit is None else self.limit - len(planned)
            self._send_block(planned, ahead=op == "create" and self._needs_no_look())
            self.session.progress(f"{self.connected.name}: writing", self.ledger.count.writes)

    def _paying(self, op: Operation, planned: int) -> Bulk | None:
        """Jobs, where so many that are `planned` should travel in them."""
        bulk = self.connected.connector.capabilities.bulk
        return bulk if bulk is not None and bulk.pays(op, planned) else None

    def _block(self, op: Operation) -> int:
        """How many rows are taken from the plan at once."""
        if self._bulk is not None:
            return self._bulk.most
        capabilities = self.connected.connector.capabilities
        return MAX_BLOCK if op == "create" else max(1, min(STEPS * capabilities.reread * capabilities.abreast, MAX_BLOCK))

    def _needs_no_look(self) -> bool:
        """Nothing but writes is asked of the system for its new records, and several requests may be under way at once."""
        capabilities = self.connected.connector.capabilities
        return capabilities.abreast > 1 and self._key() in capabilities.unique

    def _send_block(self, rows: Sequence[ActionRow], *, ahead: bool = False) -> None:
        """`ahead`: the last write may still be under way when it comes back."""
        updates = self._look_again([row for row in rows if row.op != "create"])
        creates = self._look_up([row for row in rows if row.op == "create"])
        ready = sorted([*updates, *creates], key=lambda row: (row.step, row.id))
        refs = self._refs(ready)
        for group in self._groups(ready, refs, 1 if ahead else ROUNDS):
            if ready[-1].step == 1 and (self.session.stop() or self._at_fault()):  # between the steps of a write there is no good place to stop
                break
            self._unread.extend(self._send_group(group, refs, ahead=ahead))
        if not ahead:
            self._finish()

    def _finish(self) -> None:
        """Read back what is to be read. Raises `ConfigurationError` where too much was refused."""
        for start in range(0, len(self._unread), MAX_BLOCK):
            read_back(self.session, self.ledger, self._unread[start : start + MAX_BLOCK], self._now())
        self._unread.clear()
        if self._at_fault():
            raise fault(self.connected.name, self._answered, self.ledger.causes)

    def _at_fault(self) -> bool:
        return is_fault(self._answered, self.ledger.causes.total())

    # -- before

    def _refs(self, rows: Sequence[ActionRow]) -> dict[int, Ref]:
        with self.session.store.read() as tx:
            known = links.by_ids(tx, [row.link for row in rows if row.link is not None])
        return {link: row.address for link, row in known.items()}

    def _look_again(self, rows: Sequence[ActionRow]) -> list[ActionRow]:
        """Read the records just before they are written; whoever was edited meanwhile is left to the next plan."""
        if not rows or not self.connected.system.looks:
            return list(rows)
        refs = self._refs(rows)
        first = [row for row in rows if row.step == 1]
        fields = fields_of((row.payload["kind"], {**row.payload["values"], **row.payload.get("before", {})}) for row in rows)
        answers = self.connected.connector.fetch([refs[row.link or 0] for row in first], fields)
        good: set[int] = set()
        seen, skipped = Seen(), list[ActionRow]()
        for row, answer in zip(first, answers, strict=True):
            if isinstance(answer, Present) and undrifted(row, answer.record):
                good.add(row.link or 0)
            else:
                seen.take(answer)
                skipped.append(row)
        steps = [row for row in rows if row.step > 1 and row.link in {other.link for other in skipped}]
        self._leave([*skipped, *steps], seen)
        return [row for row in rows if row.link in good or (row.step > 1 and row not in steps and row.link not in self._broken)]

    def _key(self) -> str:
        """The native field by which a new record is known."""
        maps = self.connected.system.map
        return maps.kinds[maps.create_kind].fields[KEY].native

    def _look_up(self, rows: Sequence[ActionRow]) -> list[ActionRow]:
        """Before a record is made, its address is looked up, unless the vendor itself refuses a second one."""
        maps = self.connected.system.map.kinds
        if not rows or not self.connected.system.looks:
            return list(rows)
        native = self._key()
        if native in self.connected.connector.capabilities.unique:
            return list(rows)
        wanted = {str(row.payload["values"][native]).lower(): row for row in rows}
        seen, taken = Seen(), set[int]()
        for name, other in maps.items():
            if KEY not in other.fields:
                continue
            for record in self.connected.connector.find(name, other.fields[KEY].native, list(wanted), other.asks):
                row = wanted.get(str(record.values.get(other.fields[KEY].native)).lower())
                if row is not None:
                    seen.records.append(record)
                    taken.add(row.id)
        self._leave([row for row in rows if row.id in taken], seen)
        return [row for row in rows if row.id not in taken]

    def _leave(self, rows: Sequence[ActionRow], seen: Seen) -> None:
        """Not written now: what was seen instead goes into the state, and the people stay due."""
        if not rows:
            return
        now = self._now()
        with self.session.store.write() as tx:
            actions.set_state(tx, [row.id for row in rows], "skipped")
            absorb(tx, self.session.workspace, self.connected.system, seen, self.run, now)
            people.mark_due(tx, self.session.workspace, people_of(rows), now)
        self._broken.update(row.link for row in rows if row.link is not None)
        self.ledger.count.skipped += len(rows)

    def _now(self) -> int:
        """Later than the start of the run, so that what becomes due now survives its end."""
        return max(self.session.clock.now_ms(), self.started + 1)

    # -- the write

    def _groups(self, rows: Sequence[ActionRow], refs: Mapping[int, Ref], rounds: int = ROUNDS) -> Iterator[list[tuple[ActionRow, Step]]]:
        """Rows that may travel in one request; a later step only after the earlier ones."""
        capabilities = self.connected.connector.capabilities
        several, bulk = capabilities.abreast * (rounds if capabilities.abreast > 1 else 1), self._bulk
        moves = {} if self.connected.system.looks else self._moves(rows)
        for number in sorted({row.step for row in rows}):
            grouped: dict[str, tuple[int, list[tuple[ActionRow, Step]]]] = {}
            for row in rows:
                if row.step == number and row.link not in self._broken:
                    step = _step(row, refs, moves.get(row.id))
                    key, size = capabilities.batch(step)
                    grouped.setdefault(key, (size, []))[1].append((row, step))
            for request, group in grouped.values():
                size = bulk.most if bulk is not None and bulk.takes(group[0][1].operation, len(group)) else request * several
                for start in range(0, len(group), size):
                    yield group[start : start + size]

    def _moves(self, rows: Sequence[ActionRow]) -> dict[int, Move]:
        """Action -> what there is to know of the stage that it writes."""
        with self.session.store.read() as tx:
            persons = people.by_ids(tx, people_of(rows))
        return {row.id: _move(row, persons.get(row.person or 0)) for row in rows if STAGE in row.fields or STAGE in row.payload.get("carried", {})}

    def _send_group(self, group: Sequence[tuple[ActionRow, Step]], refs: Mapping[int, Ref], *, ahead: bool = False) -> list[ActionRow]:
        """One write. Returns the rows that were acknowledged but whose stored value must be read; `ahead`: of the write before it."""
        group = [(row, step) for row, step in group if row.link not in self._broken]
        if not group:
            return []
        with self.session.store.write() as tx:
            actions.set_state(tx, [row.id for row, _ in group], "sent")
        return self._follow(group) if ahead else self._ended(self._prepared(group))

    def _follow(self, group: Sequence[tuple[ActionRow, Step]]) -> list[ActionRow]:
        """Begin this write when the one before it has ended: a connector is used from one thread at a time. What came of that is written down meanwhile."""
        before = self._under_way
        try:
            before.outcomes()
        except StagesyncError:
            self._unsend([row for row, _ in group])
            raise
        write = self._prepared(group)
        self._under_way = _UnderWay(write.rows, self.session.beside.start(write.outcomes))
        return self._ended(before)

    def _prepared(self, group: Sequence[tuple[ActionRow, Step]]) -> _UnderWay:
        """The write of these rows, which has not begun."""
        try:
            group = self._linked(group)
        except StagesyncError:
            self._unsend([row for row, _ in group])
            raise
        steps = [step for _, step in group]
        return _UnderWay([row for row, _ in group], partial(self.connected.connector.write, steps) if steps else tuple)

    def _ended(self, write: _UnderWay) -> list[ActionRow]:
        if not write.rows:
            return []
        try:
            outcomes = write.outcomes()
        except StagesyncError:
            self._unsend(write.rows)
            raise
        return self._write_down(write.rows, outcomes)

    def _linked(self, group: Sequence[tuple[ActionRow, Step]]) -> Sequence[tuple[ActionRow, Step]]:
        """The batch with the companies' records to which its people are linked; what cannot be linked is written down."""
        resolved = resolve(self.connected, group)
        if resolved is None:
            return group
        with self.session.store.write() as tx:
            actions.set_payloads(tx, resolved.changed)
        if resolved.failed:
            self._write_down([row for row, _ in resolved.failed], [outcome for _, outcome in resolved.failed])
        return resolved.ready

    def _unsend(self, rows: Sequence[ActionRow]) -> None:
        """The connector refused to send (a spent quota, a lost credential): nothing was done."""
        with self.session.store.write() as tx:
            actions.set_state(tx, [row.id for row in rows], "skipped")
            people.mark_due(tx, self.session.workspace, people_of(rows), self._now())

    def _write_down(self, rows: Sequence[ActionRow], outcomes: Sequence[Outcome]) -> list[ActionRow]:
        landed: list[Landed] = []
        acknowledged: list[tuple[ActionRow, Ref]] = []
        refused: list[tuple[ActionRow, Rejected]] = []
        deferred: list[tuple[ActionRow, Deferred]] = []
        unknown: list[tuple[ActionRow, Unknown]] = []
        for row, outcome in zip(rows, outcomes, strict=True):
            match outcome:
                case Applied(stored=Record() as stored):
                    landed.append(Landed(row, stored))
                case Applied(ref=ref) if row.op == "archive":  # nothing is left that could be read back
                    landed.append(Landed(row, Record(ref, 0, {})))
                case Applied(ref=ref) if not self.connected.system.looks:  # what was acknowledged counts as stored
                    landed.append(Landed(row, Record(ref, self.session.clock.now_ms(), row.payload["values"])))
                case Applied(ref=ref):
                    acknowledged.append((row, ref))
                case Rejected():
                    refused.append((row, outcome))
                case Deferred():
                    deferred.append((row, outcome))
                case Unknown():
                    unknown.append((row, outcome))
        now, refusals = self._now(), self.ledger.count.rejected
        with self.session.store.write() as tx:
            if landed:
                self.ledger.land(tx, landed, now)
            results = [(row.id, "sent", _place(row, ref), row.attempts + 1) for row, ref in acknowledged]
            made = [(item.row, item.record.ref) for item in landed if item.row.op == "create"]
            results += [(row.id, "unknown", {"reason": why.reason}, row.attempts + 1) for row, why in unknown]
            results += [(row.id, "skipped", {"reason": why.reason}, row.attempts + 1) for row, why in deferred]
            results += [(row.id, "applied", _place(row, ref), row.attempts + 1) for row, ref in made]  # by which an undo finds it again
            actions.set_results(tx, results)
            people.mark_due(tx, self.session.workspace, people_of(row for row, _ in deferred), now)
            if refused:
                self._refuse(tx, refused, now)
        self._answered += len(landed) + len(acknowledged) + self.ledger.count.rejected - refusals
        self._broken.update(row.link for row, _ in [*refused, *deferred, *unknown] if row.link is not None)
        self.ledger.count.unknown += len(unknown)
        self.ledger.count.skipped += len(deferred)
        return [row._replace(result={"kind": ref.kind, "ref": ref.id}) for row, ref in acknowledged]

    def _refuse(self, tx: Tx, refused: Sequence[tuple[ActionRow, Rejected]], now: int) -> None:
        """A row that met a record that moved or is gone is moot: the link follows. The others are parked."""
        seen = Seen()
        moot: list[ActionRow] = []
        known = links.by_ids(tx, [row.link for row, _ in refused if row.link is not None])
        for row, why in refused:
            address = known[row.link].address if row.link in known else None
            if address is not None and why.moved is not None:
                seen.moved.append(Moved(address, why.moved, "merged"))
                moot.append(row)
            elif address is not None and why.gone:
                seen.gone.append(Gone(address))
                moot.append(row)
        if moot:
            actions.set_state(tx, [row.id for row in moot], "skipped")
            absorb(tx, self.session.workspace, self.connected.system, seen, self.run, now)
            self.ledger.count.skipped += len(moot)
        self.ledger.reject(tx, [(row, why) for row, why in refused if row not in moot], now)


def _place(row: ActionRow, ref: Ref) -> dict[str, str]:
    """What is kept of where a write ended, and of why a new record is linked to no company."""
    return {"kind": ref.kind, "ref": ref.id, **unlinked(row)}


def undrifted(row: ActionRow, record: Record) -> bool:
    """Every field that is to be written still holds what the plan saw. One that the record does not show may hold anything."""
    before = row.payload.get("before", {})
    return all(native in record.values and record.values[native] == value for native, value in before.items())


def _move(row: ActionRow, person: PersonRow | None) -> Move:
    """A new record comes from no stage."""
    before, after, _, reason = row.fields.get(STAGE) or (None, person.stage if person is not None else None, None, row.reason)
    return Move(before, after, str(reason), person.pass_no if person is not None else 1)


def _step(row: ActionRow, refs: Mapping[int, Ref], move: Move | None) -> Step:
    ref = refs[row.link] if row.link is not None else None
    operation = row.op if row.op in ("create", "archive") else "update"
    return Step(row.id, row.step, operation, row.payload["kind"], ref, row.payload["values"], row.payload.get("address"), move)
