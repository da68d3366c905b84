"""`stagesync funnel report`: volume, conversion, speed, age and acceptance."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded


class ByWord(StrEnum):
    """What the numbers can be split by."""

    source = "source"
    cohort = "cohort"
    owner = "owner"


def _day(text: str) -> datetime:
    """The beginning of a day in UTC."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is no day. Write it like 2026-10-01") from None


@guarded
def report(
    since: Annotated[datetime | None, typer.Option("--since", metavar="DATE", parser=_day, help="From the beginning of this day (UTC). [default: all]")] = None,
    until: Annotated[datetime | None, typer.Option("--until", metavar="DATE", parser=_day, help="Up to the beginning of this day. [default: now]")] = None,
    by: Annotated[ByWord | None, typer.Option("--by", help="Also split by where people came from, the month in which they came, or who owned them.")] = None,
    json: JsonOption = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print a table for spreadsheets.")] = False,
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Draw it into FILE.")] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write one page to mail or print, with pictures, into FILE.")] = None,
    config: ConfigOption = None,
) -> int:
    """Count the ledger: how many people are where, how many went on and how quickly, whom sales sent away, and who was accepted in time.

    Example: stagesync funnel report --since 2026-10-01 --until 2026-11-01 --html october.html
    """
    from ..courses import reporting
    from ..terminal.interrupts import abrupt

    with abrupt():
        reporting.tell(config, reporting.Asked(since, until, by.value if by else None), reporting.Told(json, csv, svg, html))
    return 0
