"""The options that all commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="The configuration file. [default: stagesync.toml, or what STAGESYNC_CONFIG names]", show_default=False),
]
ConfigsArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[CONFIG]...",
        help="Configuration files, or folders of *.toml. [default: stagesync.toml, or what STAGESYNC_CONFIG names]",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="WHO",
        help="Only these people: an e-mail address, our number (p12), SYSTEM:ID, or - to read them from stdin. May be given several times.",
    ),
]
OnlyAskedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="WHO",
        help="Only what is asked about these: an e-mail address, our number (p12), SYSTEM:ID (of a second record: that record alone), or - to read them "
        "from stdin. May be given several times.",
    ),
]
