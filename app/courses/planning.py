"""Showing a plan: on the screen, as JSON, as a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ...model.errors import ConfigurationError
from ...sync.engine import PlanReport
from ...sync.sending.companies import named_companies
from ...sync.session import Session
from ..terminal import output
from ..terminal.files import expect_folder
from ..views.plan import plan_json, plan_text
from ..views.plan_files import write_plan

SUFFIXES = (".json", ".csv", ".html")


def check_out(out: Path) -> None:
    """Refuse a file that cannot be written before anything is read. Raises `ConfigurationError`."""
    if out.suffix.lower() not in SUFFIXES:
        raise ConfigurationError(
            f"a plan cannot be written as {out.suffix or 'a file without an ending'}", where="--out", next_step=f"end the name in {', '.join(SUFFIXES)}"
        )
    expect_folder(out, "--out")


def with_companies(session: Session, report: PlanReport) -> PlanReport:
    """The plan for somebody who looks at it: whether the companies that it names are there is asked now. Raises what the connectors raise."""
    named = {each.name: found for each in session.systems.values() if (found := named_companies(session, each, report.run)) is not None and found.people}
    return replace(report, companies=named)


def show(session: Session, report: PlanReport, *, json: bool, out: Path | None) -> None:
    """Print the plan, and write it to a file if one is named. Raises what the connectors raise."""
    report = with_companies(session, report)
    if out is not None:
        write_plan(session, report, out)
        output.tell(f"{out} has every change of the plan")
    if json:
        output.say_json(plan_json(session, report))
    else:
        output.say_all(plan_text(session, report))
