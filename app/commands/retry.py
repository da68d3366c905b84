"""`stagesync retry`: what was refused is tried once more."""

from __future__ import annotations

from typing import Annotated

import typer

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded


@guarded
def retry(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[GROUP|WHO]...",
            help="A group's id, as `stagesync errors` shows it, or people: an e-mail address, our number (p12), SYSTEM:ID, or - for stdin. None: all.",
        ),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Let the next sync try again what a system refused, or an event that could not be understood or delivered, after you mended the cause.

    Example: stagesync retry 3fa91c
    """
    from .. import wiring
    from ..configuration.loading import load
    from ..courses import retrying
    from ..terminal import output

    with wiring.opened(load(config)) as place, wiring.held(place, "retry"):
        writes, events = retrying.retry(place, what or ())
    if json:
        output.say_json({"retried": writes, "events": events})
    else:
        output.say_all(retrying.told(writes, events))
    return 0
