"""`stagesync resolve`: answer a group of open questions."""

from __future__ import annotations

from typing import Annotated

import typer

from ..terminal.options import ConfigOption, JsonOption, OnlyAskedOption
from ..terminal.shell import guarded


@guarded
def resolve(
    group: Annotated[str, typer.Argument(metavar="GROUP", help="The group's id, as `stagesync holds` shows it.")],
    use: Annotated[
        str,
        typer.Option(
            "--use",
            metavar="SYSTEM|newest|hub|RULE|same|different|skip",
            help="An answer that `stagesync holds` names: a system's value, what was agreed before (hub), a rule's word, one human or several "
            "(same, different); or skip.",
        ),
    ],
    only: OnlyAskedOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Answer all questions of a group at once, or those about some people (--only). The next sync acts on it.

    Example: stagesync resolve 3fa91c --use newest

    Example: stagesync resolve 3fa91c --use different --only anna@acme.example
    """
    from ...sync.people.answers import resolve as answer
    from .. import wiring
    from ..configuration.loading import load
    from ..courses import people
    from ..terminal import output
    from ..views.holds import resolved_text

    with wiring.opened(load(config)) as place, wiring.held(place, "resolve"):
        chosen = people.asked(place.store, place.id, place.bound(), only)
        answered = answer(place.store, place.id, group, use, chosen, place.clock.now_ms())
    if json:
        output.say_json({"group": group, "use": use, "answered": answered})
    else:
        output.say_all(resolved_text(group, use, answered))
    return 0
