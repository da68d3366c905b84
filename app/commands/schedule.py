"""`stagesync schedule`: when each workspace runs next, and how its last run ended."""

from __future__ import annotations

from ..terminal.options import ConfigsArgument, JsonOption
from ..terminal.shell import guarded


@guarded
def schedule(configs: ConfigsArgument = None, json: JsonOption = False) -> int:
    """Show next and last runs of each workspace and what its timetable costs in API calls. From the state alone, whether the service runs or not.

    Example: stagesync schedule acme.toml
    """
    from .. import wiring
    from ..serving.files import find
    from ..terminal import output
    from ..views.schedule import look, schedule_json, schedule_text

    found = find(configs or ())
    for _, error in found.broken:
        output.tell(f"stagesync: {error}")
    standings = []
    for config in found.configs:
        with wiring.opened(config) as place, place.store.read() as tx:
            standings.append(look(tx, place.id, config, place.clock.now_ms()))
    if json:
        output.say_json({"workspaces": [schedule_json(each) for each in standings]})
    else:
        for each in standings:
            output.say_all(schedule_text(each))
    return 2 if found.broken else 0
