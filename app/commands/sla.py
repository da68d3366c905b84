"""`stagesync sla`: who is to be accepted by when, and whether that is kept."""

from __future__ import annotations

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded


@guarded
def sla(config: ConfigOption = None, json: JsonOption = False) -> int:
    """Show who waits for acceptance and until when, whom nobody answered in time, and how many were this month.

    Example: stagesync sla
    """
    from .. import wiring
    from ..configuration.loading import load
    from ..standing.accepting import look
    from ..terminal import output
    from ..views.sla import sla_json, sla_text

    with wiring.opened(load(config)) as place, place.store.read() as tx:
        found = look(tx, place)
    if json:
        output.say_json(sla_json(found))
    else:
        output.say_all(sla_text(found))
    return 0
