"""`stagesync serve`: run workspaces by the clock, as a service."""

from __future__ import annotations

from ..options import ConfigsArgument
from ..shell import guarded


@guarded
def serve(configs: ConfigsArgument = None) -> int:
    """Run every workspace by its timetable until SIGTERM or Ctrl-C, and answer at /healthz, /readyz and /metrics.

    A guard that stops a run is left to somebody: nothing is written until they approve. The first run of a workspace is made by hand.

    Example: stagesync serve acme.toml
    """
    from ..serving import run

    return run.serve(configs or ())
