"""`stagesync migrate`: moves everybody from one system to another, phase by phase."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..options import ConfigOption, JsonOption
from ..shell import guarded

FromOption = Annotated[str | None, typer.Option("--from", metavar="SYSTEM", help="The system that people come from. [default: as before]", show_default=False)]
ToOption = Annotated[str | None, typer.Option("--to", metavar="SYSTEM", help="The system that they go to. [default: as before]", show_default=False)]
HtmlOption = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write one page to mail or print, with pictures, into FILE.")]

_HELP = """Move everybody from one system to another: survey, rehearse, load, verify, cutover. Each phase can be broken off at any time and started again.

Without a phase it shows how far the migration has come, and what is next.

Example: stagesync migrate survey --from hubspot --to salesforce
"""

migrate = typer.Typer(name="migrate", help=_HELP, invoke_without_command=True)


@migrate.callback()
def standing(context: typer.Context, config: ConfigOption = None, json: JsonOption = False) -> None:
    """How far the migration has come, unless a phase follows."""
    if context.invoked_subcommand is None:
        _standing(config, json=json)
    elif config is not None or json:
        raise typer.BadParameter(f"write the options after the phase: stagesync migrate {context.invoked_subcommand} ...")


@guarded
def _standing(config: Path | None, *, json: bool) -> None:
    from .. import output, wiring
    from ..config import load
    from ..views.migrate import standing_json, standing_text

    with wiring.opened(load(config)) as place, place.store.read() as tx:
        told = standing_json(tx, place.id) if json else list(standing_text(tx, place.id))
    if isinstance(told, dict):
        output.say_json(told)
    else:
        output.say_all(told)


@migrate.command()
@guarded
def survey(
    from_: FromOption = None,
    to: ToOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Read both systems and tell what would become of everybody: counts, fields, stages, duplicates, what would not fit, and the cost. Writes to neither.

    Example: stagesync migrate survey --from hubspot --to salesforce
    """
    from .. import output
    from ..migrating.survey import survey as look
    from ..migrating.work import Way
    from ..views.migrate_survey import survey_json, survey_text

    found = look(config, Way(from_, to))
    if json:
        output.say_json(survey_json(found))
    else:
        output.say_all(survey_text(found))
    return 0
