"""Reading a file into its mirror: row by row against what is remembered, so that only what is different counts as a change.

Where something waits to be written into the file, and somebody has edited the file meanwhile, both hold: cell by cell, and theirs where both did.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from stat import S_ISDIR
from typing import Any, BinaryIO

from ...model.errors import ConfigurationError, StateError, Unreachable
from .decimals import Decimals
from .forms import Cells, Form, Line, form_of
from .layout import Layout, Reader, choose_key
from .mirror import Mirror, Row
from .settings import CsvSettings
from .sniff import sniff

_BATCH = 2_000
_BUFFER = 1 << 16
_YOUNG_NS = 2_000_000_000
"""A file may change once more within one tick of its clock, which on some disks is two seconds; until then its time proves nothing."""

Print = list[int]
"""What tells a file from its other versions: size, time of the last change, place on the disk."""


def print_of(path: Path) -> Print | None:
    """The file's, as it is now; None where there is none. Raises `StateError`, and `ConfigurationError` for a folder."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"the file cannot be looked at: {error.strerror}", where=str(path), next_step="get the right to read it") from None
    if S_ISDIR(found.st_mode):
        raise ConfigurationError("that is a folder, not a file", where=str(path), next_step="name a file in it")
    return [found.st_size, found.st_mtime_ns, found.st_ino]


def read_file(settings: CsvSettings, mirror: Mirror, before: Reader | None, now: Print) -> Layout:
    """Bring the mirror up to the file, inside a transaction of its own. `before`: how the rows that it has were laid out; `now`: the file's print.

    Raises `Unreachable` where the file changes while it is read, `ConfigurationError` for one that cannot be understood, `StateError`.
    """
    path = settings.path
    young = time.time_ns() - now[1] < _YOUNG_NS
    try:
        dialect = sniff(settings)
        with path.open("rb") as bytes_:
            bytes_.read(len(dialect.mark))
            part = io.BufferedReader(_Part(bytes_, now[0] - len(dialect.mark)), _BUFFER)
            with io.TextIOWrapper(part, encoding=dialect.encoding, errors=dialect.errors, newline="") as text:
                form = form_of(dialect, settings.columns if dialect.lines else ())
                head, lines = form.read(text)
                layout = Layout(dialect, tuple(form.columns), head.encode(dialect.encoding, dialect.errors), ())
                lines, layout = _with_key(settings, layout, before, lines, form)
                reading = _Reading(settings, mirror, before, Reader(settings, layout, form), now[1] // 1_000_000)
                reading.take_all(lines)
                layout = replace(layout, columns=tuple(form.columns), decimals=reading.decimals.found())
    except UnicodeError:
        raise ConfigurationError(
            "the file is not in the encoding that it seems to be in", where=str(path), next_step='write encoding = "..." in its table'
        ) from None
    except ValueError as error:
        raise ConfigurationError(str(error), where=str(path), next_step="export the file again, with its header in the first line") from None
    except OSError as error:
        raise StateError(f"the file cannot be read: {error.strerror}", where=str(path), next_step="get the right to read it") from None
    reading.finish()
    if print_of(path) != now:
        raise Unreachable("the file changed while it was read", where=str(path), next_step="run again when nobody writes to it")
    mirror.set("layout", layout.to_json())
    mirror.set("file", now)
    mirror.set("young", young)
    mirror.set("foreign", 1 if not head.isascii() else reading.foreign)
    mirror.set("folding", None)
    return layout


class _Part(io.RawIOBase):
    """So many bytes of a file and no more: one that grows as fast as it is read would never end."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._left = file, size

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as there is something."""
        found = self._file.read(max(0, min(len(buffer), self._left)))
        buffer[: len(found)] = found
        self._left -= len(found)
        return len(found)


def _with_key(settings: CsvSettings, layout: Layout, before: Reader | None, lines: Iterator[Line], form: Form) -> tuple[Iterator[Line], Layout]:
    """The layout with its key. Of objects the names are known when the first of them was read."""
    first = next(lines, None)
    rest = lines if first is None else _again(first, lines)
    known = tuple(form.columns) or settings.key
    if not known:
        raise ConfigurationError("the file is empty", where=str(settings.path), next_step="export it again, with its header")
    return rest, replace(layout, key=choose_key(settings, known, before.layout.key if before is not None else ()))


def _again(first: Line, rest: Iterator[Line]) -> Iterator[Line]:
    yield first
    yield from rest


@dataclass(slots=True)
class _Reading:
    """One reading. `time`: the file's own, in ms. `foreign`: the first line with a letter beyond ASCII. `_seen`: a bit for each row that was known before."""

    settings: CsvSettings
    mirror: Mirror
    before: Reader | None
    reader: Reader
    time: int
    _seen: bytearray = field(init=False)
    _known: int = field(init=False)
    _id: int = field(init=False)
    _seq: int = field(init=False)
    _end: int = 0
    _problems: int = 0
    _named: list[str] = field(init=False)
    _numbers: list[tuple[str, Any]] = field(init=False)
    _alike: bool = field(init=False)
    decimals: Decimals = field(init=False)
    foreign: int | None = None

    def __post_init__(self) -> None:
        _, self._known = self.mirror.last()
        self._id, self._seq = self._known, int(self.mirror.get("seq"))
        self._seen = bytearray(self._known // 8 + 1)
        self._alike = self.before is None or self.before.layout.is_like(self.reader.layout)
        if not self._alike:
            self.mirror.forget_words()
        self._named = self.mirror.named()
        names = self.reader.numbers
        known = self.before.layout.decimals if self.before is not None else {}
        self.decimals = Decimals(str(self.settings.path), known, frozenset(filter(self.reader.whole, names)))
        self._numbers = [(name, self.reader.form.place(name)) for name in names]
        self.mirror.drop_others()

    # -- what stands in the file

    def take_all(self, lines: Iterator[Line]) -> None:
        """All rows, some at a time."""
        batch: list[Line] = []
        for line in lines:
            batch.append(line)
            if len(batch) == _BATCH:
                self._take(batch)
                batch = []
        self._take(batch)

    def _take(self, batch: Sequence[Line]) -> None:
        reader, others = self.reader, list[tuple[int, bytes, str | None]]()
        rows: dict[str, tuple[Line, Cells]] = {}
        if self.foreign is None and self.reader.layout.dialect.guess:
            self.foreign = next((line.number for line in batch if not line.raw.isascii()), None)
        for line in batch:
            cells, problem = line.cells, line.problem
            ref = ""
            if cells is not None:
                ref = reader.ref(cells)
                problem = self._unusable(line, cells, ref, rows)
            if problem is None and cells is not None:
                rows[ref] = (line, cells)
                for name, place in self._numbers:
                    self.decimals.look(name, cells[place], line.number)
            else:
                others.append((line.number, reader.layout.encode(line.raw), problem))
        self._meet_all(rows, others)
        self._problems += sum(problem is not None for _, _, problem in others)
        self.mirror.put_others(others)
        if batch:
            self._end = batch[-1].number

    def _unusable(self, line: Line, cells: Cells, ref: str, rows: dict[str, tuple[Line, Cells]]) -> str | None:
        if not ref:
            return f"has nothing in the column {' or '.join(self.reader.layout.key)}"
        if self.reader.form.sheet and "E+" in line.raw and (name := self.reader.shortened(cells)) is not None:
            return f"shows {name} as Excel shortens long numbers, so that digits are lost: export it again, and open it in Excel with that column as text"
        return self._twice(rows[ref][0].number) if ref in rows else None

    def _twice(self, number: int) -> str:
        return f"has the same {' and '.join(self.reader.layout.key)} as line {number}"

    def _meet_all(self, rows: dict[str, tuple[Line, Cells]], others: list[tuple[int, bytes, str | None]]) -> None:
        known = self.mirror.by_refs(rows) if rows and self._id else {}
        new: list[Row] = []
        changed: list[Row] = []
        moved: list[tuple[int, int]] = []
        words: list[tuple[str, str, int]] = []
        for ref, (line, cells) in rows.items():
            raw, row = self.reader.layout.encode(line.raw), known.get(ref)
            if row is None:
                self._id += 1
                row = Row(self._id, line.number, ref, "there", self.reader.time(cells) or self.time, self._next(), raw, None)
                new.append(row)
                words += self.reader.words(self._named, cells, row.id)
                continue
            if row.id > self._known or self._seen[row.id >> 3] >> (row.id & 7) & 1:
                others.append((line.number, raw, self._twice(row.number)))
                continue
            self._seen[row.id >> 3] |= 1 << (row.id & 7)
            met = self._meet(row, raw, cells)._replace(number=line.number)
            if met._replace(number=row.number) != row:
                changed.append(met)
                words += self._words(met)
            elif met.number != row.number:
                moved.append((met.number, row.id))
        self.mirror.put(new)
        self.mirror.change(changed)
        self.mirror.move(moved)
        if self._named:
            self.mirror.keep_words([row.id for row in (*new, *changed)], words)

    def _words(self, row: Row) -> list[tuple[str, str, int]]:
        if not self._named or not row.raw:
            return []
        return self.reader.words(self._named, next(iter(self.reader.form.parse([self.reader.layout.decode(row.raw)]))), row.id)

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    def _meet(self, row: Row, raw: bytes, cells: Cells) -> Row:
        """A row that is known, as the file has it now."""
        if self._alike and (raw == row.base or (row.base is None and row.raw == raw and row.state == "there")):
            return row
        before = self.before or self.reader
        theirs, ours = self.reader.texts(raw), before.texts(row.raw) if row.raw else {}
        if row.base is None or not row.base:  # nothing waits; or both have made a row of this name, and theirs holds
            return self._changed(row, raw, None, different=theirs != ours or row.state != "there", cells=cells)
        base = before.texts(row.base)
        if row.state == "gone":
            return row._replace(base=raw) if theirs == base else self._changed(row, raw, None, different=True, cells=cells)
        columns = dict.fromkeys((*theirs, *ours, *base))
        merged = {name: (ours if theirs.get(name) == base.get(name) else theirs).get(name, "") for name in columns}
        news = {name: cell for name, cell in merged.items() if cell != theirs.get(name, "") and self.reader.form.has(name)}
        if not news:
            return self._changed(row, raw, None, different=theirs != ours, cells=cells)
        return self._changed(row, self.reader.changed(raw, news), raw, different=any(merged[name] != ours.get(name, "") for name in columns), cells=cells)

    def _changed(self, row: Row, raw: bytes, base: bytes | None, *, different: bool, cells: Cells) -> Row:
        if not different:
            return row._replace(raw=raw, base=base, state="there")
        stamp = max(row.stamp + 1, self.reader.time(cells) or self.time)
        return row._replace(raw=raw, base=base, state="there", stamp=stamp, seq=self._next())

    # -- what does not

    def finish(self) -> None:
        """Rows that were known and do not stand in the file."""
        after = 0
        while after < self._known and (rows := self.mirror.after(after, _BATCH)):
            after = rows[-1].id
            unseen = [row for row in rows if row.id <= self._known and not self._seen[row.id >> 3] >> (row.id & 7) & 1]
            missed = [self._miss(row) for row in unseen]
            self.mirror.change([row for row, before in zip(missed, unseen, strict=True) if row != before])
        self.mirror.set("seq", self._seq)

    def _miss(self, row: Row) -> Row:
        """What was made here waits on, behind the last row; else absence means what the configuration says, if all rows could be read."""
        if self.before is not None and not self._alike and row.raw:
            row = row._replace(raw=self.reader.changed(b"", self.before.texts(row.raw)))
        if row.state == "there" and row.base == b"":
            self._end += 1
            return row._replace(number=self._end)
        row = row._replace(base=None)
        if row.state == "gone" or not self.settings.complete or self._problems:
            return row if row.state == "gone" else row._replace(state="absent")
        return row._replace(state="gone", raw=b"", stamp=max(row.stamp + 1, self.time), seq=self._next())
