"""`stagesync demo`: the main job on two sandbox worlds, or on somebody's export files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..terminal.shell import guarded


@guarded
def demo(
    people: Annotated[int | None, typer.Option("--people", metavar="N", min=100, help="Invent so many people. [default: 3000]", show_default=False)] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="The same seed invents the same people.")] = 1,
    hubspot_csv: Annotated[Path | None, typer.Option("--hubspot-csv", metavar="FILE", help="Your export of HubSpot's contacts.")] = None,
    salesforce_csv: Annotated[Path | None, typer.Option("--salesforce-csv", metavar="FILE", help="Your export of Salesforce's leads or contacts.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where the plan for your files goes. [default: stagesync-plan.html]", show_default=False)
    ] = None,
) -> int:
    """Show a first sync, edits on both sides and a second sync on this machine; or what a sync would do with your own files.

    Example: stagesync demo --hubspot-csv contacts.csv --salesforce-csv leads.csv
    """
    from rich.console import Console

    from ..showing.demo import PEOPLE, run_demo
    from ..terminal.interrupts import abrupt

    with abrupt():
        return run_demo(Console(highlight=False), people or PEOPLE, hubspot_csv, salesforce_csv, out, seed)
