"""`stagesync status`: where the workspace stands."""

from __future__ import annotations

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded


@guarded
def status(config: ConfigOption = None, json: JsonOption = False) -> int:
    """Show systems, people by stage, open questions and the last run, from the state alone.

    Example: stagesync status
    """
    from .. import wiring
    from ..configuration.loading import load
    from ..standing.queues import queues
    from ..terminal import output
    from ..views.status import status_json, status_text

    with wiring.opened(load(config)) as place, place.store.read() as tx:
        events = queues(tx, place)
        if json:
            output.say_json(status_json(tx, place.id, place.config.workspace, events))
        else:
            output.say_all(status_text(tx, place.id, place.config.workspace, list(place.config.funnel.stages), events))
    return 0
