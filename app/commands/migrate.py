"""`stagesync migrate`: moves everybody from one system to another, phase by phase."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import INTERRUPTED, guarded

FromOption = Annotated[str | None, typer.Option("--from", metavar="SYSTEM", help="The system that people come from. [default: as before]", show_default=False)]
ToOption = Annotated[str | None, typer.Option("--to", metavar="SYSTEM", help="The system that they go to. [default: as before]", show_default=False)]
HtmlOption = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write one page to mail or print, with pictures, into FILE.")]

_HELP = """Move everybody from one system to another: survey, rehearse, load, verify, cutover. Each phase can be broken off at any time and started again.

Without a phase it shows how far the migration has come, and what is next.

Example: stagesync migrate survey --from hubspot --to salesforce
"""

migrate = typer.Typer(name="migrate", help=_HELP, invoke_without_command=True)


@migrate.callback()
def standing(context: typer.Context, from_: FromOption = None, to: ToOption = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """How far the migration has come, unless a phase follows."""
    if context.invoked_subcommand is None:
        _standing(config, from_, to, json=json)
    elif from_ or to or config is not None or json:
        raise typer.BadParameter(f"write the options after the phase: stagesync migrate {context.invoked_subcommand} ...")


@guarded
def _standing(config: Path | None, from_: str | None, to: str | None, *, json: bool) -> None:
    from .. import wiring
    from ..configuration.loading import load
    from ..migrating.work import Way, known_of
    from ..terminal import output
    from ..views.migrate import standing_json, standing_text

    with wiring.opened(load(config)) as place, place.store.read() as tx:
        way = Way(from_, to)
        known = known_of(tx, place, way)
    told = standing_json(known) if json else list(standing_text(known, way))
    if isinstance(told, dict):
        output.say_json(told)
    else:
        output.say_all(told)


def _expect_folder(html: Path | None) -> None:
    from ..terminal.files import expect_folder

    if html is not None:
        expect_folder(html, "--html")


def _write(html: Path | None, page: str) -> None:
    from ..terminal import output
    from ..terminal.files import write_private

    if html is not None:
        write_private(html, page)
        output.tell(f"{html} is the page")


@migrate.command()
@guarded
def survey(
    from_: FromOption = None,
    to: ToOption = None,
    html: HtmlOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Read both systems and tell what would become of everybody: counts, fields, stages, duplicates, what would not fit, and the cost. Writes to neither.

    Example: stagesync migrate survey --from hubspot --to salesforce
    """
    from ..migrating.survey import survey as look
    from ..migrating.work import Way
    from ..terminal import output
    from ..views.migrate_html import survey_page
    from ..views.migrate_survey import survey_json, survey_text

    _expect_folder(html)
    found = look(config, Way(from_, to))
    _write(html, survey_page(found))
    output.say_json(survey_json(found)) if json else output.say_all(survey_text(found))
    return 0


@migrate.command()
@guarded
def rehearse(
    people: Annotated[int, typer.Option("--people", metavar="N", min=1, help="So many people.")] = 20,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Answer yes.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Put back what rehearsals wrote; the load then moves their people like all others.")] = False,
    from_: FromOption = None,
    to: ToOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Move a few people who show what will happen to all (each stage, the longest values, owners, letters beyond English), and read them back.

    Example: stagesync migrate rehearse --people 20
    """
    from ..migrating import rehearse as rehearsal
    from ..migrating.work import Way
    from ..terminal import output
    from ..views.migrate_rehearse import put_back_json, put_back_text, rehearsed_json, rehearsed_text

    if undo:
        back = rehearsal.put_back(config, Way(from_, to))
        output.say_json(put_back_json(back)) if json else output.say_all(put_back_text(back))
        return int(bool(back.refused or back.broken))
    found = rehearsal.rehearse(config, Way(from_, to), people, yes=yes)
    output.say_json(rehearsed_json(found)) if json else output.say_all(rehearsed_text(found))
    return INTERRUPTED if found.stopped else 0 if found.landed else 1


@migrate.command()
@guarded
def load(
    approve: Annotated[str | None, typer.Option("--approve", metavar="DIGEST", help="Approve what the survey with this digest showed.")] = None,
    from_: FromOption = None,
    to: ToOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Move everybody, with their history. Stopped or killed at any time and started again, it goes on where it was.

    Example: stagesync migrate load --approve 6c517ce5299c6152
    """
    from ..migrating.load import load as move
    from ..migrating.work import Way
    from ..terminal import output
    from ..views.migrate_load import loaded_json, loaded_text

    found, code = move(config, Way(from_, to), approve)
    output.say_json(loaded_json(found)) if json else output.say_all(loaded_text(found))
    return code


@migrate.command()
@guarded
def verify(from_: FromOption = None, to: ToOption = None, html: HtmlOption = None, config: ConfigOption = None, json: JsonOption = False) -> int:
    """Read both systems now, compare every person and mapped field, and account for every record. Writes nothing; exit 1 on any difference.

    Example: stagesync migrate verify --json
    """
    from ..migrating.proof import prove
    from ..migrating.work import Way
    from ..terminal import output
    from ..views.migrate_html import proof_page
    from ..views.migrate_load import proof_json, proof_text

    _expect_folder(html)
    found = prove(config, Way(from_, to))
    _write(html, proof_page(found))
    output.say_json(proof_json(found)) if json else output.say_all(proof_text(found))
    return 0 if found.proved else 1


@migrate.command()
@guarded
def cutover(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Answer yes: to many creates, fills or updates.")] = False,
    two_way: Annotated[bool, typer.Option("--two-way", help="Let count from now on what only the target knew; the next sync brings it to the source.")] = False,
    from_: FromOption = None,
    to: ToOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Bring over what changed since the load, as often as you like, and say what rules from then on.

    Example: stagesync migrate cutover
    """
    from ..migrating.cutover import cut_over
    from ..migrating.work import Way
    from ..terminal import output
    from ..views.migrate_cutover import cut_over_json, cut_over_text

    found, code = cut_over(config, Way(from_, to), yes=yes, two_way=two_way)
    output.say_json(cut_over_json(found)) if json else output.say_all(cut_over_text(found))
    return code
