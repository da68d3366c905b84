"""Opting out: it belongs to the address, and an API of its own writes it, never the property that shows it (HubSpot docs, Subscriptions Preferences).

An address can be opted out that no contact has yet, so it can be done before a contact gets the address. No API takes it back: nothing but an opt-out is ever
written. Doing it twice is the same as doing it once, so a lost answer is no reason not to ask again.

The batch form is for Marketing Hub Enterprise alone, and tells no size: one address a call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

from ...model.errors import ConfigurationError, CredentialError
from ...model.writes import Applied, Deferred, Outcome, Step, Unknown, Write
from ..manners import MaybeDone, NotDone
from .client import Client
from .errors import body, rejection
from .rows import EMAIL

OPT_OUT = "hs_email_optout"
SCOPE = "communication_preferences.read_write"
_SOON_S = 5.0


def trouble(client: Client) -> str | None:
    """Why this credential cannot opt anybody out; None where it can. One call, which reads what kinds of mail there are."""
    try:
        client.expected(client.get(f"{client.paths.preferences}/definitions"))
    except (CredentialError, ConfigurationError) as error:
        return f"opt-outs are read and cannot be written, for which the scope {SCOPE} is needed: {error.what}"
    return None


def addresses(write: Write) -> Iterator[str]:
    """The addresses that an update opts out: the contact's own, unless it has been already, and the one that it is to get."""
    if not write.values.get(OPT_OUT):
        return
    old, new = write.before.get(EMAIL), write.values.get(EMAIL)
    if old and write.before.get(OPT_OUT) != "true":
        yield str(old)
    if new:
        yield str(new)


def opt_out(client: Client, step: Step, address: str) -> Outcome | None:
    """Opt an address out of everything; what stood in the way, or None where it is done."""
    path = f"{client.paths.preferences}/statuses/{quote(address, safe='')}/unsubscribe-all"
    try:
        answer = client.call("POST", path, query=[("channel", "EMAIL")], repeatable=True, changes=True, silent=True)
    except NotDone as wait:
        return Deferred(wait.what, wait.retry_after if wait.retry_after is not None else _SOON_S)
    except MaybeDone as lost:
        return Unknown(lost.what)
    if answer.ok:
        return None
    return replace(rejection(body(answer), step.values), field=OPT_OUT, existing=None, gone=False)  # the refusal is about the address, not about the contact


def write(client: Client, step: Step) -> Outcome:
    """One step that is about an address alone. What the contact then shows is read back: it may be another address that it has now."""
    if step.address is None or step.ref is None:
        raise ValueError(f"step {step.id} opts somebody out and names no address")
    return opt_out(client, step, step.address) or Applied(step.ref)


def first(client: Client, step: Step) -> Outcome | None:
    """Before a contact is made that has opted out, its address is; what stood in the way. As long as nobody knows whether that was done, nothing is made."""
    found = opt_out(client, step, str(step.values[EMAIL])) if step.values.get(OPT_OUT) and step.values.get(EMAIL) else None
    return Deferred(found.reason, _SOON_S) if isinstance(found, Unknown) else found
