"""`stagesync serve`: run workspaces by the clock, as a service."""

from __future__ import annotations

from typing import Annotated

import typer

from ..terminal.options import ConfigsArgument
from ..terminal.shell import guarded


@guarded
def serve(
    configs: ConfigsArgument = None,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Only look on: nothing is ever written, and `stagesync shadow report` tells what would have been.")
    ] = False,
) -> int:
    """Run every workspace by its timetable until SIGTERM or Ctrl-C, and answer at /healthz, /readyz and /metrics.

    A guard that stops a run is left to somebody: nothing is written until they approve. The first run of a workspace is made by hand.

    With --shadow nothing is ever written, the first run included.

    Example: stagesync serve acme.toml
    """
    from ..serving import run

    return run.serve(configs or (), shadow=shadow)
