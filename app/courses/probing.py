"""What `stagesync probe` does: is it a test account, does somebody want this, and what is found out about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...connectors.contract import AccountId
from ...connectors.probing import Finding, Laboratory
from ...mapping.problems import closest
from ...model.errors import ConfigurationError, SafetyStop
from .. import accounts, wiring
from ..configuration.loading import load
from ..configuration.system_config import SystemConfig
from ..terminal import output
from ..terminal.interrupts import abrupt
from ..views import probe as view
from ..wiring import Place


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says. `account`: the id of the account that is meant."""

    yes: bool = False
    account: str | None = None
    json: bool = False


def probe(config_file: Path | None, name: str, wishes: Wishes) -> int:
    """Ask twice, make the experiments, keep and show what they gave. Exit 1 where something could not be removed again.

    Raises `SafetyStop` for a production account and where nobody agrees, `ConfigurationError` for a system of which there is nothing to ask.
    """
    with abrupt(), wiring.opened(load(config_file)) as place:
        return find_out(place, name, wishes)


def find_out(place: Place, name: str, wishes: Wishes) -> int:
    """The same in an open state."""
    system = _system(place, name)
    laboratory = wiring.open_laboratory(place, system)
    try:
        kind = laboratory.permit()
        known = _known(place, system)
        about = view.Account(name, known.identity, kind)
        _ask(about, laboratory, wishes)
        with wiring.held(place, "probe"):
            found = _carry_out(place, known, laboratory)
    finally:
        laboratory.close()
    if wishes.json:
        output.say_json(view.as_json(about, laboratory.experiments, found))
    else:
        output.say_all(view.text(about, laboratory.experiments, found))
    return int(any(each.left for each in found))


def _system(place: Place, name: str) -> SystemConfig:
    known = place.config.systems
    if name not in known:
        raise ConfigurationError(f"no system is called {name!r}", where="SYSTEM", next_step=closest(name, list(known)))
    return known[name]


def _known(place: Place, system: SystemConfig) -> accounts.Known:
    connector = wiring.open_connector(place, system)
    try:
        return accounts.ask(place.store, place.id, system, connector, place.clock.now_ms())
    finally:
        connector.close()


def _ask(about: view.Account, laboratory: Laboratory, wishes: Wishes) -> None:
    """Two answers: whether, and where. Raises `SafetyStop` where one is missing or is another account."""
    asked = about.identity.id
    if wishes.account is not None and wishes.account != asked:
        raise SafetyStop(
            f"nothing was written: {about.system} is the account {asked}, and --account names another", where="--account", next_step="mend one of them"
        )
    if wishes.yes and wishes.account is not None:
        return
    if wishes.json or not output.interactive():
        raise SafetyStop("nothing was written: experiments want two answers", where="probe", next_step=f"run it at a terminal, or add --yes --account {asked}")
    for line in view.announced(about, laboratory.experiments):
        output.tell(line)
    if not _agreed(about.identity, wishes):
        raise SafetyStop("nothing was written: you said no", where="probe")


def _agreed(identity: AccountId, wishes: Wishes) -> bool:
    import typer

    try:
        if not wishes.yes and not typer.confirm("Make these experiments?", default=False, err=True):
            return False
        return wishes.account is not None or typer.prompt("Type the account's id to say where", err=True).strip() == identity.id
    except typer.Abort:
        return False


def _carry_out(place: Place, known: accounts.Known, laboratory: Laboratory) -> Sequence[Finding]:
    """Each finding is kept at once, so that one that breaks off later takes none away."""
    found: list[Finding] = []
    for experiment in laboratory.experiments:
        output.tell(f"{experiment.name} ...")
        found.append(laboratory.find_out(experiment))
        accounts.remember_finding(place.store, known.account, found[-1], place.clock.now_ms())
    return found
