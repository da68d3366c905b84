"""`stagesync runs`: what was run, and how it ended."""

from __future__ import annotations

from typing import Annotated

import typer

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded


@guarded
def runs(
    config: ConfigOption = None,
    last: Annotated[int, typer.Option("--last", metavar="N", min=1, help="So many, the newest first.")] = 20,
    json: JsonOption = False,
) -> int:
    """List the latest runs with their numbers. Those in which nothing happened are let go after a day.

    Example: stagesync runs --last 5
    """
    from .. import wiring
    from ..configuration.loading import load
    from ..terminal import output
    from ..views.runs import runs_json, runs_text

    with wiring.opened(load(config)) as place, place.store.read() as tx:
        if json:
            output.say_json(runs_json(tx, place.id, last))
        else:
            output.say_all(runs_text(tx, place.id, last))
    return 0
