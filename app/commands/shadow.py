"""`stagesync shadow`: try the program without letting it write anything."""

from __future__ import annotations

import typer

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded

_HELP = """Look on without ever writing: what stagesync would have done, and what another tool did.

`stagesync serve --shadow` looks by the clock. See docs/shadow.md.
"""

shadow = typer.Typer(name="shadow", help=_HELP, no_args_is_help=True)


@shadow.command()
@guarded
def run(config: ConfigOption = None) -> int:
    """Look once, now, and remember what would have been written. Writes to no system, and sends nothing.

    Example: stagesync shadow run
    """
    from ...sync import engine
    from ...sync.shadows.shadow import follow
    from ..configuration.loading import load
    from ..running import running
    from ..shadows import shadow_of
    from ..terminal import output
    from ..terminal.interrupts import abrupt
    from ..views import words

    with abrupt(), running("shadow run", shadow_of(load(config))) as work:
        planned = engine.plan(work.session)
        found = follow(work.session, planned)
    output.say(
        f"Looked at {words.count(found.people, 'person', 'people')} with something to settle, and wrote nothing. `stagesync shadow report` tells the rest."
    )
    return 0


@shadow.command()
@guarded
def report(config: ConfigOption = None, json: JsonOption = False) -> int:
    """Tell what would have been written since the shadow began, what others wrote, where they differ and why. From the shadow's state alone.

    Example: stagesync shadow report
    """
    from ..configuration.loading import load
    from ..shadows import shadow_of
    from ..standing.shadow_report import look
    from ..terminal import output
    from ..views.shadow import shadow_json, shadow_text

    found = look(shadow_of(load(config)))
    if json:
        output.say_json(shadow_json(found))
    else:
        output.say_all(shadow_text(found))
    return 0
