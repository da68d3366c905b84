"""`stagesync undo`: put back what a run wrote."""

from __future__ import annotations

from typing import Annotated

import typer

from ..terminal.options import ConfigOption, JsonOption, OnlyOption
from ..terminal.shell import guarded


@guarded
def undo(
    run: Annotated[int, typer.Argument(metavar="RUN", help="The number of the run, as `stagesync runs` shows it.")],
    config: ConfigOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Answer yes.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go back and what would not, and stop.")] = False,
    only: OnlyOption = None,
    json: JsonOption = False,
) -> int:
    """Put back what a run wrote, except where somebody has edited since. An undo can be undone.

    Example: stagesync undo 12 --dry-run
    """
    from ..courses import undoing

    return undoing.undo(config, run, undoing.Wishes(yes=yes, dry_run=dry_run, only=tuple(only or ()), json=json))
