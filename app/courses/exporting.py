"""What `stagesync export` does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import orjson

from ...state import accounts
from .. import wiring
from ..configuration.loading import load
from ..configuration.maps import compile_unasked
from ..mail import Mail
from ..terminal import output
from ..terminal.files import expect_folder, write_private
from ..views import export_rows
from ..views.dossier import dossier_json
from ..views.export_files import STDOUT, form_of, write_table
from ..views.export_rows import Row


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


Table = Literal["people", "ledger", "links"]


def table(what: Table, out: Path, form: str | None, path: Path | None) -> int:
    """One of the tables that the state holds, row by row. Raises `ConfigurationError` for a file of another kind, `StateError` where it cannot be written."""
    named = form_of(out, form)
    if out != STDOUT:
        expect_folder(out, "--out")
    with wiring.opened(load(path)) as place:
        columns, rows = _table(place, what)
        count = write_table(out, named, columns, rows)
    output.tell(f"{count:,} row{'' if count == 1 else 's'}{'' if out == STDOUT else f' in {out}'}")
    return 0


def _table(place: wiring.Place, what: Table) -> tuple[Sequence[str], Iterable[Row]]:
    match what:
        case "people":
            fields, systems = list(compile_unasked(place.config).fields), list(place.config.systems)
            taken = {*export_rows.PEOPLE, *fields}
            named = [f"{name} record" if name in taken else name for name in systems]
            return (*export_rows.PEOPLE, *fields, *named), export_rows.each_person(place.store, place.id, fields, systems)
        case "ledger":
            return export_rows.LEDGER, export_rows.each_stay(place.store, place.id)
        case "links":
            return export_rows.LINKS, export_rows.each_link(place.store, place.id)
