"""Which account stands behind each system, and what it looks like: from the state where that is fresh, else asked.

Asked anew when the credential or address changed, after a day, and after trouble that points at it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ..connectors.contract import AccountId, Connector, SystemDescription
from ..connectors.probing import Finding
from ..model.errors import ConfigurationError, SafetyStop
from ..state import accounts
from ..state.store import Store, Tx
from . import metadata
from .configuration.system_config import SystemConfig

FRESH_MS = 24 * 3600 * 1000
ACCOUNT_DIGEST = "account-"
"""How the digests begin by which somebody allows another account behind a name."""


@dataclass(frozen=True, slots=True)
class Known:
    """One system's account: its number in the state, whose it is, and what it looks like."""

    account: int
    identity: AccountId
    description: SystemDescription


def recall(store: Store, workspace: int, system: SystemConfig, now: int | None) -> Known | None:
    """The account as the state knows it, if it is fresh at `now` (None: however old). None where it must be asked."""
    with store.read() as tx:
        account = accounts.bound(tx, workspace).get(system.name)
        stored = accounts.metadata(tx, account) if account is not None else None
    if account is None or stored is None:
        return None
    value, at = stored
    if value.get("fingerprint") != system.fingerprint or (now is not None and not at <= now < at + FRESH_MS):
        return None
    try:
        return Known(account, *metadata.from_json(value))
    except (KeyError, TypeError):
        return None


def ask(store: Store, workspace: int, system: SystemConfig, connector: Connector, now: int, approved: str | None = None) -> Known:
    """Ask the system who it is and what it looks like, and keep that. `approved`: the digest by which somebody allowed another account.

    Raises `SafetyStop` where the name stood for another account so far, and whatever the connector raises.
    """
    identity = connector.identity()
    description = connector.describe()
    with store.write() as tx:
        account = accounts.account(tx, identity.vendor, identity.id, identity.name)
        _bind(tx, workspace, system.name, account, identity, approved)
        before, _ = accounts.metadata(tx, account) or ({}, 0)
        accounts.set_metadata(tx, account, metadata.to_json(system.fingerprint, identity, description, before.get(metadata.FINDINGS)), now)
    return Known(account, identity, description)


def _bind(tx: Tx, workspace: int, name: str, account: int, identity: AccountId, approved: str | None) -> None:
    bound = accounts.bound(tx, workspace)
    twin = next((other for other, number in bound.items() if number == account and other != name), None)
    if twin is not None:
        raise ConfigurationError(
            f"{name} and {twin} are the same account ({identity.vendor} {identity.id})",
            where=f"systems.{name}",
            next_step="remove one of them, or give it its own",
        )
    before = accounts.bind(tx, workspace, name, account)
    if before is None:
        return
    known = accounts.by_id(tx, before)
    digest = ACCOUNT_DIGEST + hashlib.sha256(f"{workspace} {name} {before} {account}".encode()).hexdigest()[:12]
    if approved != digest:
        raise SafetyStop(
            f"{name} is another account now: {identity.vendor} {identity.id} {identity.name}".rstrip()
            + f", so far it was {known.vendor} {known.ref} {known.name}".rstrip(),
            where=f"systems.{name}",
            next_step=f"mend the credential; or set another [workspace] name to begin anew; or, if it is meant, run `stagesync sync --approve {digest}`",
        )


def remember_finding(store: Store, account: int, finding: Finding, now: int) -> None:
    """Keep what an experiment gave, beside the account's description. One that found no answer leaves an older answer as it is."""
    with store.write() as tx:
        stored, at = accounts.metadata(tx, account) or ({}, 0)
        accounts.set_metadata(tx, account, metadata.with_finding(stored, finding, now), at)


def answers(store: Store, workspace: int, system: SystemConfig) -> dict[str, str]:
    """What experiments found out about the account behind a system; nothing where its credential is another than when it was last asked who it is."""
    with store.read() as tx:
        account = accounts.bound(tx, workspace).get(system.name)
        stored, _ = (accounts.metadata(tx, account) if account is not None else None) or ({}, 0)
    return metadata.answers(stored) if stored.get("fingerprint") == system.fingerprint else {}


def forget(store: Store, account: int) -> None:
    """What is known of the account is doubtful: the next run asks again."""
    with store.unguarded() as tx:
        accounts.doubt(tx, account)
