"""Steps into the mirror: each row as it shall stand in the file, and what stands there until then."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from ...model.records import Ref
from ...model.writes import Applied, Outcome, Rejected, Step
from .layout import Reader
from .mirror import Mirror, Row


def write(mirror: Mirror, reader: Reader, kind: str, steps: Sequence[Step], now: int) -> Sequence[Outcome]:
    """Keep the steps whole, in one transaction; one outcome for each."""
    with mirror.changing():
        writing = _Writing(mirror, reader, kind, now, mirror.by_refs([step.ref.id for step in steps if step.ref is not None]))
        outcomes = [writing.take(step) for step in steps]
        writing.store()
    return outcomes


class _Writing:
    def __init__(self, mirror: Mirror, reader: Reader, kind: str, now: int, rows: dict[str, Row]) -> None:
        self._mirror, self._reader, self._kind, self._now, self._rows = mirror, reader, kind, now, rows
        self._written: dict[int, Row] = {}
        self._new: set[int] = set()
        self._number, self._id = mirror.last()
        self._seq = int(mirror.get("seq"))

    def take(self, step: Step) -> Outcome:
        """What becomes of one step."""
        if step.kind != self._kind:
            return Rejected("NO_SUCH_KIND", f"the file holds no {step.kind}s")
        cells: dict[str, str] = {}
        for name, value in step.values.items():
            if not self._reader.form.has(name):
                return Rejected("NO_SUCH_COLUMN", f"the file has no column {name}", name)
            cells[name] = self._reader.cell(name, value)
            if (why := self._reader.unfit(name, cells[name])) is not None:
                return Rejected("NOT_WRITABLE", f"the value {why}", name)
        if step.operation == "create":
            return self._create(cells)
        row = self._rows.get(step.ref.id) if step.ref is not None else None
        if row is None or row.state == "gone":
            return Rejected("GONE", "the row is no longer there", gone=True)
        if row.state == "absent":
            return Rejected("NOT_IN_FILE", "the row does not stand in the file any more: it is not put back there")
        return self._archive(row) if step.operation == "archive" else self._update(row, cells)

    def _create(self, cells: dict[str, str]) -> Outcome:
        key = self._reader.layout.key
        if len(key) == 1 and not cells.get(key[0]) and self._reader.column(key[0]).type != "email":
            cells[key[0]] = f"stagesync-{secrets.token_hex(8)}"
        raw = self._reader.changed(b"", cells)
        ref = self._ref(raw)
        if not ref:
            return Rejected("NO_KEY", f"a row needs something in the columns {' and '.join(key)}", key[0])
        there = self._rows.get(ref) or self._mirror.by_refs([ref]).get(ref)
        if there is not None and there.state != "gone":
            return Rejected("EXISTS", f"there is a row with this {' and '.join(key)} already", key[0], existing=Ref(self._kind, ref))
        self._number += 1
        if there is None:
            self._id += 1
            self._new.add(self._id)
            self._keep(Row(self._id, self._number, ref, "there", self._now, 0, raw, b""))
        else:  # it was there before
            base = there.base if there.base is not None else b""
            self._keep(there._replace(number=self._number, state="there", raw=raw, base=base))
        return Applied(Ref(self._kind, ref))

    def _update(self, row: Row, cells: Mapping[str, str]) -> Outcome:
        different = self._reader.different(row.raw, cells)
        for name in self._reader.layout.key:
            if name in different:
                return Rejected("KEY", "the row is known by this column: it cannot be changed here", name)
        if different:
            self._keep(row._replace(raw=self._reader.changed(row.raw, different), base=row.base if row.base is not None else row.raw))
        return Applied(Ref(self._kind, row.ref or ""))

    def _archive(self, row: Row) -> Outcome:
        base = row.raw if row.base is None else row.base or None  # what never stood in the file has nothing to wait for
        self._keep(row._replace(state="gone", raw=b"", base=base))
        return Applied(Ref(self._kind, row.ref or ""))

    def _ref(self, raw: bytes) -> str:
        return self._reader.ref(next(iter(self._reader.form.parse([self._reader.layout.decode(raw)]))))

    def _keep(self, row: Row) -> None:
        self._seq += 1
        row = row._replace(seq=self._seq, stamp=max(row.stamp + 1, self._now))
        self._rows[row.ref or ""] = self._written[row.id] = row

    def store(self) -> None:
        """Put the rows into the mirror, with the words by which they are found."""
        rows, form = list(self._written.values()), self._reader.form
        self._mirror.put([row for row in rows if row.id in self._new])
        self._mirror.change([row for row in rows if row.id not in self._new])
        self._mirror.set("seq", self._seq)
        if named := self._mirror.named():
            there = [row for row in rows if row.state == "there"]
            cells = form.parse(self._reader.layout.decode(row.raw) for row in there)
            words = [word for row, each in zip(there, cells, strict=True) for word in self._reader.words(named, each, row.id)]
            self._mirror.keep_words([row.id for row in rows], words)
