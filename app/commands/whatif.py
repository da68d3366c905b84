"""`stagesync whatif`: what a changed configuration would do, before it is switched on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..terminal.options import JsonOption
from ..terminal.shell import guarded


@guarded
def whatif(
    config: Annotated[
        Path,
        typer.Option("--config", "-c", help="The changed configuration. It names the state and, by [workspace] name, the workspace that is in use."),
    ],
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Also write every change to FILE, one line each.")] = None,
    json: JsonOption = False,
) -> int:
    """Replay what is stored under a changed mapping, funnel or rules: which people and stages would change. Asks no system and writes nothing.

    Example: stagesync whatif --config new.toml
    """
    from ..courses import replaying
    from ..terminal.interrupts import abrupt

    with abrupt():
        replaying.whatif(config, csv, json=json)
    return 0
