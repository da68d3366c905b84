"""`stagesync errors`: what a system refused for good, and what helps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded


@guarded
def errors(
    config: ConfigOption = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Also write every refused write to FILE, one on each line.")] = None,
    json: JsonOption = False,
) -> int:
    """List the writes that a system refused for good, and the events that could not be understood or delivered, by cause, with what helps against each.

    Example: stagesync errors --csv refused.csv
    """
    from .. import wiring
    from ..configuration.loading import load
    from ..standing.parked_events import groups
    from ..terminal import output
    from ..views.errors import errors_json, errors_text, write_errors_csv

    with wiring.opened(load(config)) as place, place.store.read() as tx:
        events = groups(place)
        if csv is not None:
            output.tell(f"{csv} has {write_errors_csv(tx, place.id, csv):,} refused writes")
        if json:
            output.say_json(errors_json(tx, place.id, events))
        else:
            output.say_all(errors_text(tx, place.id, events))
    return 0
