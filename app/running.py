"""The common course of the commands that run the engine: open, hold the lease, connect, and look after trouble."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from ..model.errors import ConfigurationError, CredentialError
from ..state import actions
from ..sync.engine import RunReport
from ..sync.session import Session
from . import accounts, wiring
from .configuration.config import Config
from .memory import frugal
from .terminal.journal import journal
from .terminal.output import tell
from .terminal.progress import Display, shown


@dataclass(frozen=True, slots=True)
class Running:
    """A command that holds the workspace."""

    place: wiring.Place
    session: Session
    display: Display


@contextmanager
def running(command: str, config: Config, approved: str | None = None) -> Iterator[Running]:
    """Everything that a run needs, for the length of the block."""
    with frugal():
        for note in config.notes:
            tell(f"note: {note}")
        with ExitStack() as stack:
            kept = stack.enter_context(journal(command, config.workspace))
            place = stack.enter_context(wiring.opened(config))
            stack.enter_context(wiring.held(place, command))
            stack.callback(kept.count, place)
            display = stack.enter_context(shown())
            session = stack.enter_context(wiring.connected(place, display, approved=approved))
            stack.enter_context(doubting(session))
            yield Running(place, replace(session, begun=kept.begun, tell=kept.tell), display)


@contextmanager
def doubting(session: Session) -> Iterator[None]:
    """A refused credential or a set-up that does not fit may mean that the accounts have changed: they are looked at again in the next run."""
    try:
        yield
    except (ConfigurationError, CredentialError):
        _doubt(session, session.systems)
        raise


def after(session: Session, report: RunReport) -> None:
    """A rejection that names a field may mean that the account has changed: it is looked at again in the next run."""
    with session.store.read() as tx:
        rejected = actions.of_run(tx, report.run, ("rejected",), 0, 1_000)
    _doubt(session, {row.account for row in rejected if row.account is not None and (row.result or {}).get("field")})


def _doubt(session: Session, doubtful: Container[int]) -> None:
    for account in session.systems:
        if account in doubtful:
            accounts.forget(session.store, account)
