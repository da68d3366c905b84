"""`stagesync resolve`: answer a group of open questions."""

from __future__ import annotations

from typing import Annotated

import typer

from ..terminal.options import ConfigOption, JsonOption, OnlyOption
from ..terminal.shell import guarded


@guarded
def resolve(
    group: Annotated[str, typer.Argument(metavar="GROUP", help="The group's id, as `stagesync holds` shows it.")],
    use: Annotated[
        str,
        typer.Option(
            "--use",
            metavar="SYSTEM|newest|hub|RULE|same|skip",
            help="An answer that `stagesync holds` names: a system's value, what was agreed before (hub), a rule's word, one human (same); or skip.",
        ),
    ],
    only: OnlyOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Answer all questions of a group at once. The next sync acts on it.

    Example: stagesync resolve 3fa91c --use newest
    """
    from ...sync.people import holds
    from .. import wiring
    from ..configuration.config import load
    from ..courses import people
    from ..terminal import output
    from ..views.holds import resolved_text

    with wiring.opened(load(config)) as place, wiring.held(place, "resolve"):
        chosen = people.chosen(place.store, place.id, place.bound(), only)
        answered = holds.resolve(place.store, place.id, group, use, chosen, place.clock.now_ms())
    if json:
        output.say_json({"group": group, "use": use, "answered": answered})
    else:
        output.say_all(resolved_text(group, use, answered))
    return 0
