"""`stagesync apply`: carry out a stored plan."""

from __future__ import annotations

from typing import Annotated

import typer

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded


@guarded
def apply(
    approve: Annotated[str, typer.Option("--approve", metavar="DIGEST", help="The digest that `stagesync plan` showed.")],
    config: ConfigOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Apply nothing at all if anybody was edited since the plan was made.")] = False,
    json: JsonOption = False,
) -> int:
    """Carry out exactly the plan that was shown. People who were edited since are left to the next run.

    Example: stagesync apply --approve 3f9a1c22d0e4
    """
    from ..courses import syncing

    return syncing.sync(config, syncing.Wishes(approve=approve, strict=strict, json=json))
