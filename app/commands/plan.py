"""`stagesync plan`: what a sync would do, stored under a digest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..terminal.options import ConfigOption, JsonOption, OnlyOption
from ..terminal.shell import guarded

OutOption = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Also write every planned change to FILE: .json, .csv or .html.")]


@guarded
def plan(config: ConfigOption = None, out: OutOption = None, only: OnlyOption = None, json: JsonOption = False) -> int:
    """Read all systems and show what a sync would do. Writes nothing to any system.

    Example: stagesync plan --out plan.html
    """
    from ...sync import engine
    from ..configuration.loading import load
    from ..courses import people, planning
    from ..running import running
    from ..terminal.interrupts import abrupt

    if out is not None:
        planning.check_out(out)
    with abrupt(), running("plan", load(config)) as run:
        report = engine.plan(run.session, people.named(only))
        run.display.hide()
        planning.show(run.session, report, json=json, out=out)
    return 0
