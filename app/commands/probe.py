"""`stagesync probe`: what a vendor's documents leave open is asked of a test account."""

from __future__ import annotations

from typing import Annotated

import typer

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded


@guarded
def probe(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="The name of a system in the configuration.")],
    yes: Annotated[bool, typer.Option("--yes", help="Make experiments without asking whether to; --account must name the account as well.")] = False,
    account: Annotated[str | None, typer.Option("--account", metavar="ID", help="The id of the account that is meant, which else is asked for.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Find out on a developer test account or sandbox how it behaves where the vendor's documents say nothing. It makes throw-away records and removes them.

    A production account is refused.

    Example: stagesync probe hubspot
    """
    from ..courses import probing

    return probing.probe(config, system, probing.Wishes(yes=yes, account=account, json=json))
