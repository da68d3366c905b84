"""`stagesync export`: what the state knows, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..options import ConfigOption
from ..shell import guarded

_HELP = """Write down what stagesync knows.

Example: stagesync export person anna@acme.example --out anna.json
"""

export = typer.Typer(name="export", help=_HELP, no_args_is_help=True)


@export.command()
@guarded
def person(
    who: Annotated[str, typer.Argument(metavar="WHO", help="An e-mail address, our number (p12), or SYSTEM:ID.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write to this file, which only its owner may read. [default: stdout]")] = None,
    config: ConfigOption = None,
) -> int:
    """Write everything that is known of one person as JSON: for somebody who asks what is kept of them.

    Example: stagesync export person anna@acme.example --out anna.json
    """
    from .. import exporting

    return exporting.person(who, out, config)
