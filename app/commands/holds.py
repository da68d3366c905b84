"""`stagesync holds`: the open questions."""

from __future__ import annotations

from typing import Annotated

import typer

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded


@guarded
def holds(
    group: Annotated[str | None, typer.Argument(metavar="[GROUP]", help="Every case of this group, and not only a few.", show_default=False)] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """List what waits for somebody's answer, in groups that one answer resolves.

    Example: stagesync holds

    Example: stagesync holds 3fa91c
    """
    from .. import wiring
    from ..configuration.loading import load
    from ..terminal import output
    from ..views.holds import holds_json, holds_text

    with wiring.opened(load(config)) as place, wiring.connected(place, any_age=True) as session, place.store.read() as tx:
        if json:
            output.say_json(holds_json(tx, session.desk, place.id, group))
        else:
            output.say_all(holds_text(tx, session.desk, place.id, group))
    return 0
