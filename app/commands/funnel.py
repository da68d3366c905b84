"""`stagesync funnel`: which stages there are, and whether the systems can say them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded
from .funnel_report import report

SvgOption = Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Also draw it into FILE.")]

_HELP = """Show the funnels that there are, and check the one that is configured.

Example: stagesync funnel show hubspot
"""

funnel = typer.Typer(name="funnel", help=_HELP, no_args_is_help=True)
funnel.command()(report)


@funnel.command("list")
@guarded
def list_(json: JsonOption = False) -> int:
    """List the funnels that ship with the program. Needs no configuration.

    Example: stagesync funnel list
    """
    from ..terminal import output
    from ..views.funnel import funnels_json, funnels_text

    if json:
        output.say_json(funnels_json())
    else:
        output.say_all(funnels_text())
    return 0


@funnel.command()
@guarded
def show(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="A funnel of `funnel list`. [default: the configured one]", show_default=False)] = None,
    svg: SvgOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Draw a funnel: positions, parallel stages, teams, side states. With NAME it needs no configuration.

    Example: stagesync funnel show waterfall-2012 --svg waterfall.svg
    """
    from ..courses import funnels

    funnels.show(funnels.chosen(name, config), svg, json=json)
    return 0


@funnel.command()
@guarded
def check(svg: SvgOption = None, config: ConfigOption = None, json: JsonOption = False) -> int:
    """Hold the configured funnel against the accounts: what each stage is written as and read back as. Reads only; exit 2 where it cannot be used.

    Example: stagesync funnel check
    """
    import sys

    from ..courses import funnels
    from ..terminal import output
    from ..terminal.interrupts import abrupt
    from ..views.funnel import plain

    with abrupt():
        report = funnels.check(config)
    funnels.draw(report.funnel, svg)
    if json:
        output.say_json(report.as_json())
    else:
        output.say_all(plain(list(report.lines()), sys.stdout.encoding))
    return report.found.exit_code


@funnel.command()
@guarded
def seed(
    config: ConfigOption = None,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="Stop after N people; the next call goes on there.")] = None,
    json: JsonOption = False,
) -> int:
    """Read the vendors' own histories once, so that the ledger knows how people came to where the first sync met them. Writes to no system.

    Example: stagesync funnel seed --limit 1000
    """
    from ..courses import seeding

    return seeding.seed(config, limit, json=json)
