"""`stagesync export`: what the state knows, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..terminal.options import ConfigOption
from ..terminal.shell import guarded

_HELP = """Write down what stagesync knows.

Example: stagesync export people --out people.csv
"""

TableOption = Annotated[
    Path, typer.Option("--out", metavar="FILE", help="Write to this file, .csv, .tsv or .jsonl, which only its owner may read; - is stdout.")
]
FormatOption = Annotated[str | None, typer.Option("--format", metavar="FORM", help="csv, tsv or jsonl; without it the file's ending says, and stdout is csv.")]

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
    from ..courses import exporting

    return exporting.person(who, out, config)


@export.command()
@guarded
def people(out: TableOption = Path("-"), form: FormatOption = None, config: ConfigOption = None) -> int:
    """Write everybody: stage, side state, pass, the fields that are kept the same, and their records by system.

    Example: stagesync export people --out people.csv
    """
    from ..courses import exporting

    return exporting.table("people", out, form, config)


@export.command()
@guarded
def ledger(out: TableOption = Path("-"), form: FormatOption = None, config: ConfigOption = None) -> int:
    """Write the whole ledger: who was in which stage from when until when, by whom and on what evidence. It names nobody but owners.

    Example: stagesync export ledger --out ledger.csv
    """
    from ..courses import exporting

    return exporting.table("ledger", out, form, config)


@export.command()
@guarded
def links(out: TableOption = Path("-"), form: FormatOption = None, config: ConfigOption = None) -> int:
    """Write which record of which system belongs to whom, by number: no name, no address.

    Example: stagesync export links --out links.jsonl
    """
    from ..courses import exporting

    return exporting.table("links", out, form, config)
