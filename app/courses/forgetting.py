"""What `stagesync forget` does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...mapping.keys import key_value
from ...model.errors import ConfigurationError, SafetyStop, StateError
from ...state import accounts, forgotten
from ...state.erasing import scrub
from ...state.inbox import inbox_path
from ...state.store import Tx
from ...sync.people import forget as forgetting
from ...sync.people.dossier import EMAIL, Dossier
from .. import wiring
from ..configuration.loading import load
from ..mail import Mail
from ..shadows import shadow_file
from ..terminal import output
from ..views import words
from ..wiring import Place
from . import people
from .traces import files_with


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What is to be told of one person: no word that names them beside their records' addresses."""

    name: str
    rows: Mapping[str, int]
    records: tuple[tuple[str, str, str], ...]
    also: tuple[int, ...]


def forget(who: str, path: Path | None, *, yes: bool, json: bool) -> int:
    """Ask, erase, and tell what is left to do elsewhere. Raises `ConfigurationError` where nobody is meant, `SafetyStop` without a yes."""
    with wiring.opened(load(path)) as place, wiring.held(place, "forget"), Mail.of(place) as mail:
        with place.store.read() as tx:
            systems = accounts.bound(tx, place.id)
            whos = people.named([who])
            found = [file for name in whos if (file := _find(tx, place.id, systems, name, mail)) is not None]
        files = list({(*file.persons, *(link.id for link in file.records), *file.keys): file for file in found}.values())
        names = {account: name for name, account in systems.items()}
        _ask(files, names, yes=yes, json=json)
        events = [mail.erase(file, names) for file in files]  # first: were we stopped in between, nobody would be found by that name any more
        with place.store.write() as tx:
            now = place.clock.now_ms()
            forgetting.prepare(tx, place.id, now)
            told = [_told(file, forgetting.forget(tx, place.id, file, now), names, gone) for file, gone in zip(files, events, strict=True)]
        clean = _scrubbed(place) and mail.scrub()
        left = _left_in(place, [address for file in files for address in file.addresses] or [address for name in whos if (address := key_value(EMAIL, name))])
    if json:
        output.say_json(_json(told, left, clean=clean))
    else:
        output.say_all(_text(told, left, clean=clean))
    return 0


def lift(who: str, path: Path | None, *, json: bool) -> int:
    """Let somebody come in again. Raises `ConfigurationError` where nobody of that address was forgotten."""
    address = key_value(EMAIL, who)
    if address is None:
        raise ConfigurationError("this is no e-mail address, and nothing else is known of people who were forgotten", where="WHO", next_step="give the address")
    with wiring.opened(load(path)) as place, wiring.held(place, "forget"), place.store.write() as tx:
        if not forgotten.lift(tx, place.id, (EMAIL, address)):
            raise ConfigurationError("nobody with this address was forgotten", where="WHO", next_step="check how it is spelled")
    if json:
        output.say_json({"lifted": True})
    else:
        output.say("They may come in again: each of their records is taken up when it next changes in its system.")
    return 0


def _find(tx: Tx, ws: int, systems: Mapping[str, int], name: str, mail: Mail) -> Dossier | None:
    """Their file; None for somebody who was forgotten already, of whom only the files of the state may still hold something."""
    try:
        return mail.find_dossier(tx, ws, systems, name)
    except ConfigurationError:
        address = key_value(EMAIL, name)
        if address is None or not forgotten.covered(tx, ws, [(EMAIL, address)]):
            raise
        return None


def _scrubbed(place: Place) -> bool:
    try:
        return scrub(place.store)
    except StateError as error:
        what = f"everything is erased, but traces may be left in the database's files: {error.what}"
        raise StateError(what, where=error.where, next_step=f"{error.next_step}; `stagesync forget` of the same address then cleans them") from None


def _ask(files: Sequence[Dossier], names: Mapping[int, str], *, yes: bool, json: bool) -> None:
    """Raises `SafetyStop` where nobody agrees."""
    if yes or not files:
        return
    if json or not output.interactive():
        raise SafetyStop("nothing was erased: it cannot be undone", where="forget", next_step="look with `stagesync export person WHO`, then add --yes")
    import typer

    for file in files:
        records = ", ".join(" ".join(each) for each in _records(file, names))
        output.tell(f"{_name(file)}: {records or 'no record'}")
    output.tell("All that is kept of them is erased, and cannot be brought back. Nobody is deleted in any system.")
    try:
        agreed = typer.confirm("Erase?", default=False, err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise SafetyStop("nothing was erased: you said no", where="forget")


def _name(file: Dossier) -> str:
    return f"p{file.row.id}" if file.row is not None else "somebody who was not matched yet"


def _records(file: Dossier, names: Mapping[int, str]) -> tuple[tuple[str, str, str], ...]:
    """Their records that are still there: (system, kind, id)."""
    there = [link for link in file.records if link.state not in ("gone", "moved")]
    return tuple((names.get(link.account, f"account {link.account}"), link.kind, link.ref) for link in there)


def _told(file: Dossier, rows: Mapping[str, int], names: Mapping[int, str], events: int) -> Forgotten:
    return Forgotten(_name(file), {**rows, **({"event": events} if events else {})}, _records(file, names), file.also)


def _left_in(place: Place, addresses: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """(the state's own files that still hold an address, copies of the state and what a shadow remembers, of which some may)."""
    path, shadow = place.store.path, shadow_file(place.config)
    shadows = [each for each in (shadow, inbox_path(shadow)) if each.exists()]
    if path is None:
        return [], shadows
    files = (path, inbox_path(path))
    own = [each for file in files for each in (file, file.with_name(file.name + "-wal"))]
    begin = tuple(f"{file.name}." for file in files)
    copies = sorted(each for each in path.parent.iterdir() if each.name.startswith(begin) and each.suffix in (".bak", ".part"))
    return files_with(addresses, own), [*copies, *shadows]


def _text(told: Sequence[Forgotten], left: tuple[list[Path], list[Path]], *, clean: bool) -> Iterator[str]:
    if not told:
        yield "They were forgotten before."
    for each in told:
        yield f"{each.name} is forgotten: {words.count(sum(each.rows.values()), 'row')} erased; of the ledger, stages and times stay."
        if each.records:
            yield "  Nobody was deleted in any system. These records are still there, and are left alone from now on:"
            yield from (f"    {' '.join(record)}" for record in each.records)
        for person in each.also:
            yield f"  p{person} has one of their addresses too, and keeps it."
    own, copies = left
    if not clean:
        yield "Another program has the state open: its -wal file may hold what was erased. When it has ended, run this again."
    elif own:
        yield "The state still names one of the addresses, in rows of other people: " + ", ".join(map(str, own))
    if copies:
        yield "Copies of the state, and what a shadow remembers, still hold what was erased: delete them, and any backup of your own:"
        yield from (f"    {copy}" for copy in copies)


def _json(told: Sequence[Forgotten], left: tuple[list[Path], list[Path]], *, clean: bool) -> dict[str, Any]:
    own, copies = left
    return {
        "forgotten": [
            {
                "person": each.name,
                "rows": dict(each.rows),
                "records": [{"system": system, "kind": kind, "id": ref} for system, kind, ref in each.records],
                "also": [f"p{person}" for person in each.also],
            }
            for each in told
        ],
        "clean": clean and not own,
        "still_in": [str(each) for each in own],
        "copies": [str(each) for each in copies],
    }
