"""`stagesync forget`: erase what is kept of a person."""

from __future__ import annotations

from typing import Annotated

import typer

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded


@guarded
def forget(
    who: Annotated[str, typer.Argument(metavar="WHO", help="An e-mail address, our number (p12), SYSTEM:ID, or - to read them from stdin.")],
    yes: Annotated[bool, typer.Option("--yes", help="Erase without asking.")] = False,
    lift: Annotated[bool, typer.Option("--lift", help="Let somebody who was forgotten come in again; WHO is their e-mail address.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Erase all that stagesync keeps of somebody, but for a hash by which they are left alone from then on. Deletes nobody in any system.

    Example: stagesync forget anna@acme.example
    """
    from ..courses import forgetting

    return forgetting.lift(who, config, json=json) if lift else forgetting.forget(who, config, yes=yes, json=json)
