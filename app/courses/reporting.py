"""`stagesync funnel report`: the ledger counted, and told as text, JSON, CSV, a picture or a page."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ...lifecycle.report import By, Report, report
from ...lifecycle.tally import Frame, tally
from ...model.errors import ConfigurationError
from ...state.report import Ledger
from ...state.store import Tx
from .. import wiring
from ..configuration.loading import load
from ..terminal import output
from ..terminal.files import expect_folder, write_private
from ..views.funnel import plain


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to see. `since` and `until`: the beginning of these days, in UTC."""

    since: datetime | None = None
    until: datetime | None = None
    by: By | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Where it goes: text, unless `json` or `csv`; and files."""

    json: bool = False
    csv: bool = False
    svg: Path | None = None
    html: Path | None = None


def tell(config_file: Path | None, asked: Asked, told: Told) -> None:
    """Print the report, and write the files. Raises `ConfigurationError` where the period is none, or a file or the library that draws it is missing."""
    if told.json and told.csv:
        raise ConfigurationError("a report is printed in one form at a time", where="--json --csv", next_step="keep one of them")
    for option, path in (("--svg", told.svg), ("--html", told.html)):
        if path is not None:
            expect_folder(path, option)
    config = load(config_file)
    with wiring.opened(config) as place, place.store.read() as tx:
        found = read(tx, place, asked)
    _write(found, config.workspace, told)
    _print(found, config.workspace, told)


def read(tx: Tx, place: wiring.Place, asked: Asked) -> Report:
    """Count the ledger of a workspace. Raises `ConfigurationError` where the period ends before it begins."""
    funnel, now = place.config.funnel, place.clock.now_ms()
    since, until = _ms(asked.since), min(now, _ms(asked.until) or now)
    if since is not None and since >= until:
        raise ConfigurationError("the period ends before it begins", where="--since", next_step="name an earlier day, or a later one with --until")
    ledger = Ledger(list(funnel.stages), list(funnel.sides), since or 0, until, now, asked.by if asked.by in ("source", "owner") else None)
    frame = Frame(funnel, since or 0, until, None if asked.by is None else "cohort" if asked.by == "cohort" else "group")
    return report(funnel, since, until, asked.by, tally(frame, ledger.stays(tx, place.id), ledger.kind))


def _write(found: Report, workspace: str, told: Told) -> None:
    if told.svg is not None:
        from ..views.report_charts import picture

        write_private(told.svg, picture(found, workspace))
        output.tell(f"{told.svg} is the picture")
    if told.html is not None:
        from ..views.report_html import page

        write_private(told.html, page(found, workspace))
        output.tell(f"{told.html} is the page")


def _print(found: Report, workspace: str, told: Told) -> None:
    from ..views.report import report_text
    from ..views.report_data import report_csv, report_json

    if told.json:
        output.say_json(report_json(found, workspace))
    elif told.csv:
        sys.stdout.write(report_csv(found))
    elif told.svg is None and told.html is None:
        output.say_all(plain(report_text(found, workspace), sys.stdout.encoding))


def _ms(day: datetime | None) -> int | None:
    return None if day is None else int(day.replace(tzinfo=UTC).timestamp() * 1000)
