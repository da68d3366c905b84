"""Tables as .csv, .tsv or .jsonl, written row by row: the file is whole or not there, and only its owner may read it."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TextIO, cast, get_args

import orjson

from ...model.errors import ConfigurationError
from ...model.formulas import guarded
from .export_rows import Row
from .plan_files import whole_file

Form = Literal["csv", "tsv", "jsonl"]
STDOUT = Path("-")


def form_of(out: Path, given: str | None) -> Form:
    """As it is asked for, or by the file's ending; a table on stdout is CSV where nothing is said. Raises `ConfigurationError`."""
    named = given or (out.suffix.lower().removeprefix(".") if out != STDOUT else "csv")
    if named not in get_args(Form):
        where = f"--format {given}" if given else f"--out {out}"
        raise ConfigurationError("such a file cannot be written", where=where, next_step="end the name in .csv, .tsv or .jsonl, or say --format")
    return cast("Form", named)


def write_table(out: Path, form: Form, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Write all rows; returns how many. Raises `StateError` where that cannot be done."""
    with _opened(out, form) as file:
        return _FORMS[form](file, columns, rows)


@contextmanager
def _opened(out: Path, form: Form) -> Iterator[TextIO]:
    if out == STDOUT:
        yield sys.stdout
        return
    with whole_file(out) as file:
        if form != "jsonl":
            file.write("\ufeff")  # the mark by which spreadsheets know UTF-8
        yield file


def _write_csv(file: TextIO, columns: Sequence[str], rows: Iterable[Row]) -> int:
    return _write_cells(csv.writer(file, quoting=csv.QUOTE_ALL), columns, rows)


def _write_tsv(file: TextIO, columns: Sequence[str], rows: Iterable[Row]) -> int:
    return _write_cells(csv.writer(file, dialect="excel-tab"), columns, rows)


def _write_cells(writer: Any, columns: Sequence[str], rows: Iterable[Row]) -> int:
    writer.writerow(columns)
    written = 0
    for row in rows:
        writer.writerow([_cell(value) for value in row])
        written += 1
    return written


def _cell(value: Any) -> str:
    """One value as text. What a spreadsheet might run has an apostrophe in front, but for numbers and telephone numbers, which others import."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return guarded(";".join(value) if isinstance(value, list) else str(value))


def _write_jsonl(file: TextIO, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """An object in each line; what is blank is null."""
    written = 0
    for row in rows:
        file.write(orjson.dumps(dict(zip(columns, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE).decode())
        written += 1
    return written


_FORMS: dict[Form, Callable[[TextIO, Sequence[str], Iterable[Row]], int]] = {"csv": _write_csv, "tsv": _write_tsv, "jsonl": _write_jsonl}
