"""What-if: a changed configuration replayed over what is stored, shown, and written to a file if one is named."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from ...sync.planning.whatif import Change, Outlook, replay
from .. import wiring
from ..configuration.loading import load
from ..memory import frugal
from ..terminal import output
from ..terminal.files import expect_folder
from ..terminal.progress import shown
from ..views.plan_files import cell, whole_file
from ..views.whatif import whatif_json, whatif_text


def whatif(config_file: Path | None, csv_file: Path | None, *, json: bool) -> None:
    """Replay everybody who is stored. Raises `ConfigurationError`, `StateError`, `NewerSchema`."""
    if csv_file is not None:
        expect_folder(csv_file, "--csv")
    outlook = Outlook()
    config = load(config_file)
    with frugal(), wiring.looked_at(config) as place, shown() as display, wiring.recalled(place, display) as session:
        with _rows(csv_file) as told:
            for change in replay(session, outlook):
                told(change)
        display.hide()
    if csv_file is not None:
        output.tell(f"{csv_file} has every change")
    if json:
        output.say_json(whatif_json(outlook))
    else:
        output.say_all(whatif_text(outlook, config.path))


@contextmanager
def _rows(path: Path | None) -> Iterator[Callable[[Change], None]]:
    """Takes each change: into the file, every cell quoted, or nowhere."""
    if path is None:
        yield lambda _: None
        return
    with whole_file(path) as file:
        file.write("\ufeff")
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(Change._fields)
        yield lambda change: writer.writerow([cell(_plain(each)) for each in change])


def _plain(value: Any) -> Any:
    """What has parts as JSON, the rest as it is."""
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode() if isinstance(value, dict | list) else value
