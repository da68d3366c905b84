"""The demo on somebody's own export files: what a first sync would link, fill, write and hold, with the plan as a page."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.text import Text

from ...model.errors import ConfigurationError
from ...sandbox.csv_files import ExportError, Loaded
from ...sandbox.worlds import Worlds, build_from_csv
from ...sync import engine
from ...sync.session import Session
from ..views import words
from ..views.listing import each_chunk
from ..views.plan import plan_text
from ..views.plan_files import whole_file
from ..views.plan_html import write_html
from .demo_stand import standing

DEFAULT_OUT = Path("stagesync-plan.html")


def show_files(console: Console, hubspot_csv: Path | None, salesforce_csv: Path | None, out: Path | None) -> int:
    """Load both files into sandbox worlds, plan a first sync, show it, and write it to `out`. Writes nothing else anywhere.

    Raises `ConfigurationError` where only one file is given, or one cannot be loaded, or `out` cannot be written.
    """
    if hubspot_csv is None or salesforce_csv is None:
        raise ConfigurationError("one export file alone makes no pair", where="demo", next_step="give both --hubspot-csv and --salesforce-csv")
    page = out or DEFAULT_OUT
    if page.suffix.lower() != ".html" or not page.resolve().parent.is_dir():
        raise ConfigurationError("the page cannot be written there", where=f"--out {page}", next_step="name a file that ends in .html, in a folder that exists")
    try:
        loaded = build_from_csv(hubspot_csv, salesforce_csv)
    except ExportError as error:
        raise ConfigurationError(str(error), next_step="mend the file, or export it again") from None
    _say(console, "What a first sync would do with your own data. It is loaded into two worlds on this machine; nothing leaves it.")
    for name, path, file in (("hubspot", hubspot_csv, loaded.hubspot_file), ("salesforce", salesforce_csv, loaded.salesforce_file)):
        for line in _told(name, path, file):
            _say(console, line)
    with standing(Worlds(loaded.hubspot, loaded.salesforce), winners=False) as stand:
        stand.later()
        with stand.session("demo") as session:
            report = engine.plan(session)
            _say(console, "")
            for line in (*_linked(session, report.run), *plan_text(session, report, approvable=False)):
                _say(console, line)
            with whole_file(page) as file:
                changes = write_html(session, report, file, approvable=False)
    _say(console, "")
    _say(console, f"Every one of the {changes:,} changes, with its reason: {page.resolve()}")
    _say(console, "Where records differ at the first meeting, nobody was told to win here, so each difference is asked about.")
    _say(console, "`stagesync init` asks for one winner in each group of fields.")
    return 0


def _told(name: str, path: Path, file: Loaded) -> list[str]:
    lines = [f"  {name}: {len(file.ids):,} records from {path.name}"]
    if file.custom:
        lines.append(f"    columns that became custom fields: {', '.join(dict.fromkeys(column for column, _ in file.custom))}")
    if file.ignored:
        lines.append(f"    columns that were left out: {', '.join(file.ignored)}")
    return lines


def _linked(session: Session, run: int) -> list[str]:
    """How many people were found in both systems, and how many records are a second one of somebody."""
    both = alone = duplicates = 0
    for rows, _ in each_chunk(session, run):
        for row in rows:
            if row.op == "decide":
                several = len(row.payload["links"]) > 1
                both, alone = both + several, alone + (not several)
                duplicates += len(row.payload["duplicates"])
    lines = [f"{both + alone:,} people: {both:,} stand in both systems and would be linked, {alone:,} stand in one."]
    if duplicates:
        several = words.count(duplicates, "record is", "records are")
        lines.append(f"{several} a second one of the same person in the same system, and would be left alone.")
    return [*lines, ""]


def _say(console: Console, text: str) -> None:
    console.print(Text(text), soft_wrap=True)
