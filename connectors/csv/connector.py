"""A file as a system: its rows are records, its columns fields. Used from one thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from ...model.errors import Busy, ConfigurationError, SafetyStop, Unreachable
from ...model.ports import Clock
from ...model.records import Gone, Native, Observation, Page, Present, Query, Record, Ref
from ...model.writes import Outcome, Step, Write
from ..contract import AccountId, Capabilities, FieldDescription, KindDescription, SystemDescription, Usage
from .folding import fold, settle
from .forms import Cells
from .layout import Layout, Reader, made
from .mirror import Mirror, Row
from .reading import Print, print_of, read_file
from .settings import CsvSettings
from .writing import write

_PAGE = 1_000
_AT_ONCE = 2_000
_SHOWN, _LISTED = 20, 200
"""So many rows that cannot be read are told one by one after each reading, and by `check`."""

Getters = Sequence[tuple[str, Callable[[Cells], Native]]]


class FileConnector:
    """One file. What is written is acknowledged when it is in the mirror, on the disk; the file itself is written once, when the connector is closed."""

    def __init__(self, system: str, settings: CsvSettings, clock: Clock, sending: Callable[[], None]) -> None:
        self._system, self._settings, self._clock, self._sending = system, settings, clock, sending
        self._calls = 0
        self._writes = False
        self._opened: Mirror | None = None
        self._reader: Reader | None = None
        unique = frozenset(settings.key) if len(settings.key) == 1 else frozenset[str]()
        self.capabilities = Capabilities(lambda step: (step.operation, _AT_ONCE), reread=_AT_ONCE, history=0, unique=unique, lands_s=0)

    def identity(self) -> AccountId:
        """It has no id of its own: its name in the configuration is one, so that another file may take its place."""
        self._calls += 1
        return AccountId("csv", self._system, self._settings.path.name, self._settings.zone)

    def describe(self) -> SystemDescription:
        """The columns, and what is wrong with the file."""
        reader = self._look()
        key, types = reader.layout.key, {name: reader.column(name).type for name in reader.form.columns}
        fields = {name: FieldDescription(name, name, kind, writable=name not in key, creatable=True, unique=key == (name,)) for name, kind in types.items()}
        findings = self._problems(reader, _LISTED)
        if self._is_timeless(reader):
            findings.append(f'the times in {reader.modified} cannot be read, so that the file\'s own time counts: say how they are written, in times = "..."')
        return SystemDescription({self._settings.kind: KindDescription(self._settings.kind, fields)}, tuple(findings))

    def pull(self, query: Query) -> Iterator[Page]:
        """All rows, or those that changed since the cursor. A file that did not change is not read: `sweep` has nothing to add.

        What an earlier run was told is written, and did not come to put into the file, is put there in the end.
        """
        reader, mirror = self._look(), self._mirror()
        self._writes = self._writes or mirror.waits()
        get = self._getters(reader, query.fields.get(self._settings.kind, ()))
        of, _, number = (query.cursor or "").partition(":")
        seq, anew = (int(number), False) if of == mirror.mark and number.isdecimal() else (0, True)
        while rows := mirror.since(seq, _PAGE):
            seq = rows[-1].seq
            gone = [] if anew else [Gone(Ref(self._settings.kind, row.ref or ""), row.stamp) for row in rows if row.state == "gone"]
            yield Page(self._records(reader, rows, get), f"{mirror.mark}:{seq}", self._clock.now_ms(), gone)
        yield Page([], f"{mirror.mark}:{seq}", self._clock.now_ms(), findings=tuple(self._problems(reader, _SHOWN)))

    def fetch(self, refs: Sequence[Ref], fields: Mapping[str, tuple[str, ...]], history: tuple[str, ...] = ()) -> Sequence[Observation]:
        """The rows as they are now, with what waits to be written."""
        reader, kind = self._look(), self._settings.kind
        rows = self._mirror().by_refs({ref.id for ref in refs if ref.kind == kind})
        found = {record.ref: record for record in self._records(reader, list(rows.values()), self._getters(reader, fields.get(kind, ())))}
        return [Present(found[ref]) if ref in found else Gone(ref) for ref in refs]

    def find(self, kind: str, key: str, values: Sequence[str], fields: tuple[str, ...]) -> Sequence[Record]:
        """The rows with one of these words in the column, whatever their case."""
        reader, mirror = self._look(), self._mirror()
        if kind != self._settings.kind or key not in reader.form.columns:
            return []
        if key not in mirror.named():
            self._index(reader, key)
        rows = mirror.with_words(key, [value.strip().lower() for value in values])
        return self._records(reader, rows, self._getters(reader, fields))

    def expand(self, write: Write) -> Sequence[Step]:
        """One step."""
        return (Step(write.id, 1, write.operation, write.kind, write.ref, write.values),)

    def write(self, steps: Sequence[Step]) -> Sequence[Outcome]:
        """Keep the steps, in one transaction. Raises `Busy`, and `StateError` where they cannot be kept: nothing is done then."""
        self._sending()
        reader, mirror = self._look(), self._mirror()
        self._writes = True
        return write(mirror, reader, self._settings.kind, steps, self._clock.now_ms())

    def usage(self) -> Usage:
        """Looks at the file."""
        return Usage(self._calls)

    def close(self) -> None:
        """Put what was written into the file, and give back the mirror. Raises what `fold` raises; what was to be written is kept then."""
        if self._opened is None:
            return
        try:
            if self._writes and self._opened.waits():
                with suppress(Busy, SafetyStop):  # whoever took over puts it there; a shadow leaves it to whoever may
                    self._look()
                    self._fold()
        finally:
            self._opened.close()
            self._opened = None

    # -- the file

    def _mirror(self) -> Mirror:
        if self._opened is None:
            self._opened = Mirror(self._settings.mirror_path)
        return self._opened

    def _look(self) -> Reader:
        """The file as it is now: read if it is another one than the mirror knows. Raises what `read_file` raises."""
        self._calls += 1
        mirror, now = self._mirror(), print_of(self._settings.path)
        self._begin_anew(mirror)
        stored, known = mirror.get("layout"), mirror.get("file")
        if self._reader is None and stored is not None:
            self._reader = Reader(self._settings, Layout.from_json(stored))
        if now is None or (now[0] == 0 and known is None and self._settings.columns):
            self._make(mirror, now, known)
        elif now == mirror.get("folding"):
            settle(mirror, now)
        elif now != known or mirror.get("young") or self._reader is None:
            with mirror.changing():
                layout = read_file(self._settings, mirror, self._reader, now)
            self._reader = Reader(self._settings, layout)
        assert self._reader is not None
        return self._reader

    def _begin_anew(self, mirror: Mirror) -> None:
        """What was read under other settings means something else."""
        given = self._settings
        means = [list(given.key), given.encoding, given.delimiter, given.modified, given.times, given.zone, *filter(None, [given.decimal])]
        before = mirror.get("means")
        if before == means:
            return
        if before is not None and mirror.waits():
            raise ConfigurationError(
                "the settings of the file changed while something still waits to be written into it",
                where=str(given.path),
                next_step="run once with key, encoding, delimiter, modified, times, zone and decimal as they were",
            )
        with mirror.changing():
            mirror.clear()
            mirror.set("means", means)
        self._reader = None

    def _make(self, mirror: Mirror, now: Print | None, known: Print | None) -> None:
        """A file that is not there, or has nothing in it, is begun when something is written."""
        where = str(self._settings.path)
        if known is not None:
            raise Unreachable("the file is not there any more; nobody is taken for deleted by that", where=where, next_step="put it back")
        if not self._settings.columns:
            raise ConfigurationError("there is no such file", where=where, next_step="mend path; to have the file made, give its columns")
        layout = made(self._settings)
        if self._reader is None or self._reader.layout != layout:
            with mirror.changing():
                mirror.set("layout", layout.to_json())
                mirror.set("file", now)
            self._reader = Reader(self._settings, layout)

    def _fold(self) -> None:
        mirror, reader = self._mirror(), self._reader
        if reader is not None and mirror.waits():
            fold(self._settings.path, mirror, reader.layout, mirror.get("file"), self._sending)

    # -- rows

    def _is_timeless(self, reader: Reader) -> bool:
        """Nothing can be made of the column with the time of the last change."""
        name = reader.modified
        rows = [row for row in self._mirror().since(0, _PAGE) if row.state == "there"] if name is not None else []
        cells = [each for each in reader.form.parse(reader.layout.decode(row.raw) for row in rows) if each[reader.form.place(name or "")]]
        return bool(cells) and all(reader.time(each) is None for each in cells)

    def _getters(self, reader: Reader, names: Sequence[str]) -> Getters:
        return [(name, reader.getter(name)) for name in names if name in reader.form.columns]

    def _records(self, reader: Reader, rows: Sequence[Row], get: Getters) -> list[Record]:
        there = [row for row in rows if row.state in ("there", "absent")]
        cells = reader.form.parse(reader.layout.decode(row.raw) for row in there)
        kind = self._settings.kind
        return [Record(Ref(kind, row.ref or ""), row.stamp, {name: of(each) for name, of in get}) for row, each in zip(there, cells, strict=True)]

    def _index(self, reader: Reader, key: str) -> None:
        """Learn by which words rows are found in a column that nobody asked for before."""
        mirror, id = self._mirror(), 0
        with mirror.changing():
            while rows := mirror.after(id, _PAGE):
                id = rows[-1].id
                there = [row for row in rows if row.state in ("there", "absent")]
                cells = reader.form.parse(reader.layout.decode(row.raw) for row in there)
                mirror.add_words(word for row, each in zip(there, cells, strict=True) for word in reader.words((key,), each, row.id))
            mirror.set("named", [*mirror.named(), key])

    def _problems(self, reader: Reader, most: int) -> list[str]:
        """What is wrong with the rows, and what had to be guessed."""
        count, first = self._mirror().problems(most)
        told = [f"line {number} {what}" for number, what in first]
        if count > len(first):
            told.append(f"{count - len(first):,} more rows cannot be read")
        if reader.layout.dialect.guess:
            line = self._mirror().get("foreign")
            seen = "" if line is None else f", first in line {line}"
            what = f"it is no UTF-8 and was read as {reader.layout.dialect.encoding}{seen}"
            told.append(f'{what}: look whether its letters are right, and give encoding = "..."')
        return told
