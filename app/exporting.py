"""What `stagesync export` does."""

from __future__ import annotations

from pathlib import Path

import orjson

from ..state import accounts
from . import output, wiring
from .config import load
from .files import write_private
from .mail import Mail
from .views.dossier import dossier_json


def person(who: str, out: Path | None, path: Path | None) -> int:
    """Everything that is known of one person. Raises `ConfigurationError` where nobody is meant, `StateError` where the file cannot be written."""
    with wiring.opened(load(path)) as place, Mail.of(place) as mail, place.store.read() as tx:
        systems = accounts.bound(tx, place.id)
        names = {account: name for name, account in systems.items()}
        file = mail.find_dossier(tx, place.id, systems, who)
        told = dossier_json(tx, file, names, place.clock.now_ms(), mail.events(file, names), mail.letters(file, names))
    text = orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()
    if out is None:
        output.say(text)
    else:
        write_private(out, text + "\n")
        output.say(f"{out} holds everything that is known of them.")
    return 0
