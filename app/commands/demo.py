"""`stagesync demo`: the main job on two worlds on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..shell import guarded


@guarded
def demo(
    people: Annotated[int, typer.Option("--people", metavar="N", min=100, help="Invent so many people.")] = 3_000,
    hubspot_csv: Annotated[Path | None, typer.Option("--hubspot-csv", metavar="FILE", help="Your own people: an export file of HubSpot.")] = None,
    salesforce_csv: Annotated[Path | None, typer.Option("--salesforce-csv", metavar="FILE", help="Your own people: an export file of Salesforce.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where the plan for your own people goes. [default: stagesync-plan.html]", show_default=False)
    ] = None,
) -> int:
    """Show the main job on two worlds on this machine, or what it would do with your own export files. Exit 0 only if both laws held.

    Example: stagesync demo --hubspot-csv contacts.csv --salesforce-csv leads.csv
    """
    from rich.console import Console

    from ..demo import run_demo

    return run_demo(Console(highlight=False), people, hubspot_csv, salesforce_csv, out)
