"""`stagesync why`: how a person's values came to be."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded


@guarded
def why(
    who: Annotated[str, typer.Argument(metavar="WHO", help="An e-mail address, our number (p12), SYSTEM:ID, or - to read them from stdin.")],
    field: Annotated[str | None, typer.Argument(metavar="[FIELD]", help="One field, such as phone or stage. [default: all]", show_default=False)] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="How it stood then: at the end of a day (2026-11-29) or at a time (2026-11-29T14:30), in UTC unless it has an offset."
        ),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Tell what each system says, who changed it, which rule decided, what was overruled and what comes next.

    Example: stagesync why anna@acme.example phone --at 2026-11-29
    """
    from .. import wiring
    from ..configuration.loading import load
    from ..courses import people
    from ..terminal import moments, output
    from ..views.why import why_json, why_text

    with wiring.opened(load(config)) as place, wiring.connected(place, any_age=True) as session:
        people.check_field(session.desk, field)
        moment = None if at is None else moments.end_of(at, "--at", place.clock.now_ms())
        persons = sorted(people.chosen(place.store, place.id, place.bound(), [who]) or ())
        with place.store.read() as tx:
            told: list[dict[str, Any]] = []
            for number, person in enumerate(persons):
                if json:
                    told.append(why_json(tx, session, person, field, moment))
                    continue
                output.say_all([*([""] if number else []), *why_text(tx, session, person, field, moment)])
    if json:
        output.say_json({"people": told})
    return 0
