"""What `stagesync export` does."""

from __future__ import annotations

from pathlib import Path

import orjson

from ..state import accounts
from ..sync.dossier import find_dossier
from . import output, wiring
from .config import load
from .files import write_private
from .views.dossier import dossier_json


def person(who: str, out: Path | None, path: Path | None) -> int:
    """Everything that is known of one person. Raises `ConfigurationError` where nobody is meant, `StateError` where the file cannot be written."""
    with wiring.opened(load(path)) as place, place.store.read() as tx:
        systems = accounts.bound(tx, place.id)
        told = dossier_json(tx, find_dossier(tx, place.id, systems, who), {account: name for name, account in systems.items()}, place.clock.now_ms())
    text = orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()
    if out is None:
        output.say(text)
    else:
        write_private(out, text + "\n")
        output.say(f"{out} holds everything that is known of them.")
    return 0
