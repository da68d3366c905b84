"""`stagesync qualify`: what the company's own rules say of people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded

_HELP = """Show the qualification rules, and what they say of people.

Example: stagesync qualify preview --rule fits
"""

qualify = typer.Typer(name="qualify", help=_HELP, no_args_is_help=True)


@qualify.command("list")
@guarded
def list_(config: ConfigOption = None, json: JsonOption = False) -> int:
    """List the rules in their order, what each may do, whom it concerns, and the scores.

    Example: stagesync qualify list
    """
    from ..configuration.loading import load
    from ..terminal import output
    from ..views.qualify import rules_json, rules_text

    rules = load(config).rules
    if json:
        output.say_json(rules_json(rules))
    else:
        output.say_all(rules_text(rules))
    return 0


@qualify.command()
@guarded
def explain(
    who: Annotated[str, typer.Argument(metavar="WHO", help="An e-mail address, our number (p12), SYSTEM:ID, or - to read them from stdin.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Show each condition of each rule with the person's own value, from the state alone.

    Example: stagesync qualify explain anna@acme.example
    """
    from .. import wiring
    from ..configuration.loading import load
    from ..courses import people, subjects
    from ..courses.previewing import rulebook
    from ..terminal import output
    from ..views.qualify import explained_json, explained_text

    loaded = load(config)
    rules = rulebook(loaded)
    told: list[dict[str, Any]] = []
    with wiring.opened(loaded) as place:
        persons = sorted(people.chosen(place.store, place.id, place.bound(), [who]) or ())
        found = subjects.chosen_subjects(place.store, persons, place.clock.now_ms(), with_signals=loaded.signals)
        for number, (row, subject) in enumerate(found):
            if json:
                told.append(explained_json(rules, row, subject))
            else:
                output.say_all([*([""] if number else []), *explained_text(rules, row, subject)])
    if json:
        output.say_json({"people": told})
    return 0


@qualify.command()
@guarded
def preview(
    rule: Annotated[str | None, typer.Option("--rule", metavar="NAME", help="This rule alone. [default: all]", show_default=False)] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write everybody whom a rule would move into FILE.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Say whom each rule would promote or reject now, and why, whatever its mode. Changes nothing; looks at the state that the last run left.

    Example: stagesync qualify preview --rule fits --csv fits.csv
    """
    from contextlib import ExitStack

    from .. import wiring
    from ..configuration.loading import load
    from ..courses.previewing import Taker, chosen, into_csv, rulebook
    from ..courses.previewing import preview as look
    from ..terminal import output
    from ..views.qualify import Examples, preview_json, preview_text

    loaded = load(config)
    rules = rulebook(loaded)
    examples = Examples(None if json else 10)
    with ExitStack() as stack:
        place = stack.enter_context(wiring.opened(loaded))
        takers: list[Taker] = [examples.take, *([stack.enter_context(into_csv(csv))] if csv is not None else [])]
        seen = look(rules, place, chosen(rules, rule), takers)
    if json:
        output.say_json(preview_json(rules, seen, examples))
    else:
        output.say_all(preview_text(rules, seen, examples, csv))
    return 0
