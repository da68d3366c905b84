"""`stagesync plan --out FILE`: the whole plan as a file, written row by row: `.json` loses nothing, `.csv` is for spreadsheets, `.html` for reading."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import orjson

from ...model.errors import ConfigurationError, StateError
from ...model.formulas import FORMULA
from ...state import actions
from ...sync.engine import PlanReport
from ...sync.people.holds import group_id
from ...sync.session import Session
from .listing import Change, each_change, each_chunk
from .plan import plan_json
from .plan_html import write_html


def write_plan(session: Session, report: PlanReport, out: Path) -> int:
    """Write the plan to `out` in the form that its ending names; returns how many rows (HTML: changes). The file appears whole or not at all.

    It holds personal data: only its owner may read it. Raises `ConfigurationError` for another ending, `StateError` where it cannot be written.
    """
    form = _FORMS.get(out.suffix.lower())
    if form is None:
        what = f"a plan cannot be written as {out.suffix or 'a file without an ending'}"
        raise ConfigurationError(what, where="--out", next_step=f"end the name in {', '.join(_FORMS)}")
    with whole_file(out) as file:
        return form(session, report, file)


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A file that takes its name when it is complete, and that only its owner may read. Raises `StateError`."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="") as file:
            yield file
        fresh.replace(path)
    except OSError as error:
        raise StateError(f"the file cannot be written: {error.strerror}", where=str(path), next_step="name another place, or make room") from None
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def _write_json(session: Session, report: PlanReport, file: TextIO) -> int:
    """The summary's object, and in `actions` every stored row with native and canonical values, one on each line."""
    summary = orjson.dumps(plan_json(session, report), default=str).decode()
    file.write(f'{summary[:-1]},"actions":[')
    written = 0
    for rows, records in each_chunk(session, report.run):
        for row in rows:
            system = session.systems.get(row.account) if row.account is not None else None
            record = records.get(row.link) if row.link is not None else None
            values = {
                "action": row.id,
                "person": row.person,
                "system": system.name if system else None,
                "record": {"kind": record.kind, "id": record.ref} if record else None,
                "op": row.op,
                "step": row.step,
                "state": row.state,
                "fields": {name: dict(zip(("before", "after", "version", "reason"), change, strict=True)) for name, change in row.fields.items()},
                "native": row.payload if row.op in actions.WRITES else None,
                "decided": {key: row.payload.get(key) for key in ("new", "canonical", "stage")} if row.op == "decide" else None,
                "choices": row.payload.get("choices") if row.op == "hold" else None,
                "field": row.field,
                "question": row.question,
                "group": group_id(row.question) if row.question else None,
                "reason": row.reason,
            }
            file.write(f"{',' if written else ''}\n{orjson.dumps(values).decode()}")
            written += 1
    file.write("\n]}\n")
    return written


def _write_csv(session: Session, report: PlanReport, file: TextIO) -> int:
    """One line a change, every cell quoted, in UTF-8 with the mark by which spreadsheets know it."""
    file.write("\ufeff")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(Change._fields)
    written = 0
    for change in each_change(session, report.run):
        writer.writerow([cell(each) for each in change])
        written += 1
    return written


def cell(shown: Any) -> str:
    """One cell as text. What a spreadsheet would run as a formula gets an apostrophe in front, which it shows as text."""
    text = "" if shown is None else str(shown).lower() if isinstance(shown, bool) else str(shown)
    return f"'{text}" if text.startswith(FORMULA) else text


_FORMS: dict[str, Callable[[Session, PlanReport, TextIO], int]] = {".json": _write_json, ".csv": _write_csv, ".html": write_html}
