"""`stagesync report`: how the workspace is, for whoever looks after it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded


@guarded
def report(
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write one page to mail or print, with pictures, into FILE.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> int:
    """Tell how the sync is: what needs you, how fresh each system is, who agrees and who does not, and the last runs. From the state alone, naming nobody.

    Example: stagesync report --html monday.html
    """
    from .. import wiring
    from ..configuration.loading import load
    from ..standing.health import look
    from ..terminal import output
    from ..terminal.files import expect_folder, write_private
    from ..views.health import health_json, health_text
    from ..views.health_html import page

    if html is not None:
        expect_folder(html, "--html")
    with wiring.opened(load(config)) as place, place.store.read() as tx:
        found = look(tx, place)
    if html is not None:
        write_private(html, page(found))
        output.tell(f"{html} is the page")
    if json:
        output.say_json(health_json(found))
    elif html is None:
        output.say_all(health_text(found))
    return 0
