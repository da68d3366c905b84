"""`stagesync sync`: plan, ask where that is due, and apply."""

from __future__ import annotations

from typing import Annotated

import typer

from ..terminal.options import ConfigOption, JsonOption, OnlyOption
from ..terminal.shell import guarded


@guarded
def sync(
    config: ConfigOption = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Answer yes: to a first run, changed mapping, funnel or rules, and many creates, fills or updates.")
    ] = False,
    approve: Annotated[str | None, typer.Option("--approve", metavar="DIGEST", help="Carry out the stored plan with this digest.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and stop.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="Write at most N records in each system.")] = None,
    canary: Annotated[
        int | None,
        typer.Option("--canary", metavar="N", min=1, help="Write N people first and read them back; the others follow only if all of it landed as wanted."),
    ] = None,
    only: OnlyOption = None,
    json: JsonOption = False,
) -> int:
    """Bring all systems into agreement.

    Example: stagesync sync --yes
    """
    from ..courses import syncing

    return syncing.sync(config, syncing.Wishes(yes=yes, approve=approve, dry_run=dry_run, limit=limit, canary=canary, only=tuple(only or ()), json=json))
