"""`stagesync signal`: events that are evidence for a stage, told from outside the systems, and what is known of somebody."""

from __future__ import annotations

from typing import Annotated

import typer

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded

_HELP = """Tell events that are evidence for a stage, and list those of a person.

Example: stagesync signal add usage.jsonl
"""

signal = typer.Typer(name="signal", help=_HELP, no_args_is_help=True)


@signal.command()
@guarded
def add(
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON objects, one a line, as docs/signals.md describes them; - reads them from stdin.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Keep events that somebody else saw: all of the file, or nothing where a line is wrong. Told again they count once. Other runs need not wait.

    Example: stagesync signal add usage.jsonl
    """
    from ..courses import signals

    return signals.add(file, config, json=json)


@signal.command("list")
@guarded
def list_(
    who: Annotated[str, typer.Argument(metavar="WHO", help="An e-mail address, our number (p12), SYSTEM:ID, or - to read them from stdin.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """List what somebody did, the newest first.

    Example: stagesync signal list anna@acme.example
    """
    from ..courses import signals

    return signals.show(who, config, json=json)
