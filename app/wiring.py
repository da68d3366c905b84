"""The only place that builds things: from a configuration to a session that the engine can run.

with opened(config) as place, held(place, "sync"), connected(place, progress) as session:
    engine.plan(session)
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial

from ..connectors.contract import Connector, Ports, Telling
from ..connectors.probing import Laboratory, Probing
from ..connectors.readonly import ReadOnly, refuse
from ..lifecycle.policy import Policy
from ..model.errors import ConfigurationError
from ..model.ports import Clock
from ..state import accounts as bindings
from ..state import leases
from ..state.inbox_reader import StateInbox, StateOutbox
from ..state.limits import StoreLimiter
from ..state.store import Store, open_store, reopen_store
from ..sync.deciding.desk import Desk, Settings, System
from ..sync.deciding.guard import DEFAULT_LIMITS, Limit
from ..sync.session import Connected, Progress, Session, quiet
from . import accounts
from .clock import SystemClock
from .configuration.config import Config
from .configuration.maps import compile_for
from .configuration.stored import check_stored_stages
from .configuration.system_config import SystemConfig
from .configuration.teams import resolve
from .crew import as_they_end, in_threads
from .shadows import check_kind
from .terminal import output
from .tokens import token_store


@dataclass(frozen=True, slots=True)
class Place:
    """The open state of one workspace. `id`: the workspace's number."""

    config: Config
    store: Store
    id: int
    clock: Clock

    def bound(self) -> dict[str, int]:
        """System name -> account number, for the configured systems that were seen before."""
        with self.store.read() as tx:
            known = bindings.bound(tx, self.id)
        return {name: account for name, account in known.items() if name in self.config.systems}


@contextmanager
def opened(config: Config, clock: Clock | None = None) -> Iterator[Place]:
    """Open the state. Raises `StateError`, `NewerSchema`, `ConfigurationError`."""
    store = open_store(config.state_url)
    try:
        with store.write() as tx:
            workspace = bindings.workspace(tx, config.workspace, shadow=config.shadow)
        check_kind(config, workspace)
        yield Place(config, store, workspace.id, clock or SystemClock())
    finally:
        store.close()


@contextmanager
def looked_at(config: Config) -> Iterator[Place]:
    """Open a state that is there already, only to look at it: nothing is written, not even that somebody looked.

    Raises `StateError`, `NewerSchema`, and `ConfigurationError` where the state knows no workspace of that name.
    """
    store = reopen_store(config.state_url)
    try:
        with store.read() as tx:
            known = bindings.workspaces(tx)
        if config.workspace not in known:
            names = ", ".join(sorted(known)) or "none"
            raise ConfigurationError(
                f"the state has no workspace {config.workspace!r} (it has: {names})",
                where="workspace.name",
                next_step='a workspace is named after its file: write [workspace] name = "..." to mean the one in use',
            )
        check_kind(config, known[config.workspace])
        yield Place(config, store, known[config.workspace].id, SystemClock())
    finally:
        store.close()


def held(place: Place, command: str) -> AbstractContextManager[leases.Lease]:
    """Hold the workspace's lease. Raises `Busy` where somebody else does."""
    return leases.acquire(place.store, place.id, f"stagesync {command} on {socket.gethostname()}, pid {os.getpid()}")


def open_connector(place: Place, system: SystemConfig) -> Connector:
    """The system's connector, ready to call; a shadow's can only look."""
    beside = (place.config.state_url, place.config.workspace)
    inbox, outbox = (StateInbox(*beside), StateOutbox(*beside)) if isinstance(system.plugin, Telling) else (None, None)
    answers = accounts.answers(place.store, place.id, system)
    connector = system.plugin.open(system.name, system.settings, replace(_ports(place, system), inbox=inbox, outbox=outbox, answers=answers))
    return ReadOnly(system.name, connector) if place.config.shadow else connector


def open_laboratory(place: Place, system: SystemConfig) -> Laboratory:
    """Where a system's account is asked what no document tells. Raises `ConfigurationError` for one of which there is nothing to ask."""
    if not isinstance(system.plugin, Probing):
        raise ConfigurationError("there is nothing to find out about such a system", where=f"systems.{system.name}", next_step="name a CRM")
    return system.plugin.laboratory(system.name, system.settings, _ports(place, system))


def _ports(place: Place, system: SystemConfig) -> Ports:
    limiter, tokens = StoreLimiter(place.store, place.clock), token_store(place.config.path, system)
    sending = partial(refuse, system.name) if place.config.shadow else partial(leases.sending, place.store, place.id)
    return Ports(place.clock, limiter, tokens, sending, abreast=in_threads, flow=as_they_end)


@contextmanager
def connected(place: Place, progress: Progress = quiet, *, approved: str | None = None, any_age: bool = False) -> Iterator[Session]:
    """A session over all configured systems. `approved`: allows another account by digest. `any_age`: what is known of the accounts may be old."""
    with ExitStack() as stack:
        connectors: dict[str, Connector] = {}
        for name, system in place.config.systems.items():
            connectors[name] = open_connector(place, system)
            stack.callback(connectors[name].close)
        yield _session(place, connectors, _known(place, connectors, approved, any_age=any_age), progress)


def recalled(place: Place, progress: Progress = quiet) -> AbstractContextManager[Session]:
    """A session over the accounts as they were seen last, however long ago: no system is asked. Raises `ConfigurationError` where one was never seen so."""
    for name, system in place.config.systems.items():
        if accounts.recall(place.store, place.id, system, None) is None:
            raise ConfigurationError(
                "this account was not looked at yet with these settings", where=f"systems.{name}", next_step="run `stagesync check` with this configuration"
            )
    return connected(place, progress, any_age=True)


def _known(place: Place, connectors: dict[str, Connector], approved: str | None, *, any_age: bool) -> dict[str, accounts.Known]:
    """Every system's account; those that must be asked are asked side by side."""
    now = place.clock.now_ms()
    found = {name: accounts.recall(place.store, place.id, system, None if any_age else now) for name, system in place.config.systems.items()}
    missing = [name for name, known in found.items() if known is None]

    def ask(name: str) -> accounts.Known:
        return accounts.ask(place.store, place.id, place.config.systems[name], connectors[name], now, approved)

    if missing:
        with ThreadPoolExecutor(len(missing)) as pool:
            asked = {name: pool.submit(copy_context().run, ask, name) for name in missing}  # in our context: what they log is of this workspace
            found |= {name: each.result() for name, each in asked.items()}
    return {name: known for name, known in found.items() if known is not None}


def _session(place: Place, connectors: dict[str, Connector], known: dict[str, accounts.Known], progress: Progress) -> Session:
    config = place.config
    maps = compile_for(config, {name: (each.identity, each.description) for name, each in known.items()})
    check_stored_stages(place.store, config.workspace, place.id, config.funnel, maps)
    systems = {
        known[name].account: System(name, known[name].account, maps.systems[name], system.direction, system.creates, connectors[name].capabilities.looks)
        for name, system in config.systems.items()
    }
    authority = resolve(config.authority, {name: each.description for name, each in known.items()})[0] if config.authority is not None else None
    policy = Policy(authority, config.rules, config.sla, config.domains)
    desk = Desk(systems, maps, config.funnel, Settings(config.winners, config.order, config.stage_conflict, config.deletes), policy)
    open_ones = {
        account: Connected(system, connectors[system.name], (each := known[system.name]).identity.own_actor, each.description.users)
        for account, system in systems.items()
    }
    limits = {**DEFAULT_LIMITS, **{kind: Limit(count, share) for kind, (count, share) in config.guard.items()}}
    return Session(place.store, config.workspace, place.id, open_ones, desk, place.clock, limits, progress, output.tell, signals=config.signals)
