"""`stagesync duplicates`: records of one system that may be the same human's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded

_HELP = """Find records of one system that may be the same human's, and take somebody's decisions about them.

Example: stagesync duplicates find hubspot --out review.csv
"""

duplicates = typer.Typer(name="duplicates", help=_HELP, no_args_is_help=True)


@duplicates.command()
@guarded
def find(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="The system whose records are compared, as they were read last.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Write the groups to FILE: .csv to decide in, or .html to look at.")],
    at_least: Annotated[int, typer.Option("--at-least", min=1, max=100, help="Propose pairs with so many points and more.")] = 50,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Compare the records of a system by e-mail, phone, name and company, and write what may be duplicates for somebody to decide. Merges nothing.

    Example: stagesync duplicates find hubspot --out review.csv
    """
    from ..courses import duplicates as work

    return work.find(system, out, at_least, config, json=json)


@duplicates.command()
@guarded
def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The reviewed .csv, with same or different in the column `decision`.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Take the decisions of a reviewed file: all of them, or none. The next sync acts on them; nothing is changed in any system by this.

    Example: stagesync duplicates apply review.csv
    """
    from ..courses import duplicates as work

    return work.apply(file, config, json=json)
