"""Who may move whom, in the systems' own words: the addresses of the configuration become the user ids that the histories name. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ...connectors.contract import SystemDescription
from ...lifecycle.authority import Authority

_SHORT_ID, _LONG_ID = 15, 18
"""Salesforce shows ids of 15 characters, and adds 3 in its answers, so that they are told apart whatever the case (Object Reference, ID Field Type)."""


def resolve(authority: Authority, accounts: Mapping[str, SystemDescription]) -> tuple[Authority, list[str]]:
    """The same with users as "SYSTEM:user id" only, and what somebody should know: who is not found. `accounts`: by system."""
    found: dict[str, str] = {}
    notes = [f"teams: the users of {system} cannot be seen, so nobody is known by address there" for system in _blind(authority, accounts)]
    named = {user: team for user, team in authority.users.items() if "@" not in user or ":" in user}
    for user, team in authority.users.items():
        if user in named:
            continue
        ids = [f"{system}:{id}" for system, account in accounts.items() for id, address in account.users.items() if address.strip().lower() == user]
        if not ids:
            notes.append(f"teams.{team}.users: no system knows a user with the address {user!r}, so nobody speaks for the team by it")
        found.update(dict.fromkeys(ids, team))
    for user, team in named.items():  # an id says it more exactly than an address
        system, _, id = user.partition(":")
        full = _full_id(id, accounts[system].users) if system in accounts else id
        if system in accounts and accounts[system].users and full not in accounts[system].users:
            notes.append(f"teams.{team}.users: {system} lists no user {id!r}; changes by that id count for the team all the same")
        found[f"{system}:{full}"] = team
    return replace(authority, users=found), notes


def _blind(authority: Authority, accounts: Mapping[str, SystemDescription]) -> Iterator[str]:
    """Systems that show none of their users although some are named by address."""
    if any(":" not in user for user in authority.users):
        yield from (system for system, account in accounts.items() if not account.users)


def _full_id(id: str, users: Mapping[str, str]) -> str:
    """The id as the system's answers have it."""
    return next((known for known in users if len(id) == _SHORT_ID and len(known) == _LONG_ID and known.startswith(id)), id)
