"""`stagesync sandbox`: the two worlds on this machine, for anyone's client."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..terminal.shell import guarded


@guarded
def sandbox(
    hubspot_port: Annotated[int, typer.Option("--hubspot-port", metavar="P", min=0, max=65535, help="Port of the HubSpot-like world; 0 is any free one.")] = 0,
    salesforce_port: Annotated[int, typer.Option("--salesforce-port", metavar="Q", min=0, max=65535, help="Port of the Salesforce-like world, likewise.")] = 0,
    people: Annotated[int | None, typer.Option("--people", metavar="N", min=0, help="Invent so many people. [default: 1000]", show_default=False)] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="S", help="The same seed invents the same people. [default: 1]", show_default=False)] = None,
    hubspot_csv: Annotated[Path | None, typer.Option("--hubspot-csv", metavar="FILE", help="Load this export file of HubSpot instead.")] = None,
    salesforce_csv: Annotated[Path | None, typer.Option("--salesforce-csv", metavar="FILE", help="Load this export file of Salesforce instead.")] = None,
    latency: Annotated[float, typer.Option("--latency", metavar="MS", min=0, help="Let every call take so many milliseconds longer.")] = 0,
    write_config: Annotated[
        Path | None, typer.Option("--write-config", metavar="FILE", help="Write a configuration that points here, once both ports listen.")
    ] = None,
) -> int:
    """Run a HubSpot-like and a Salesforce-like world on this machine until Ctrl-C.

    Example: stagesync sandbox --people 1000 --seed 7 --write-config box.toml
    """
    from ..showing import sandboxes

    worlds = sandboxes.built(people, seed, hubspot_csv, salesforce_csv)
    return sandboxes.run(worlds, hubspot_port, salesforce_port, latency, write_config)
