"""What HubSpot's refusals mean: the one place where its errors become ours.

The body's fields are all optional, gateways answer in HTML, and some facts stand only in the message (HubSpot docs, Error handling).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from ...model.errors import ConfigurationError, CredentialError, QuotaSpent, Unreachable
from ...model.records import Ref
from ...model.writes import Rejected
from ..manners import Answer, MaybeDone, NotDone, plain, retry_after

KIND = "contact"

_EXISTING = re.compile(r"Existing ID: (\d+)")
"""The id of the contact that has the address already: HubSpot tells it in prose only."""
_LIST = re.compile(r"\[\{.*\}\]", re.DOTALL)
_LOCKED_S = 2.0
_WINDOW_S = 10.0
_SECOND_S = 1.0
_HOPELESS = frozenset({525, 526})
"""No encrypted connection came about behind the gateway. Of 522, no answer in time, nobody can say what was done (HubSpot docs, Error handling)."""
_ROWS_AT_FAULT = frozenset({400, 404, 409})


def body(answer: Answer) -> Mapping[str, Any]:
    """The error's body; empty where it is no JSON object."""
    return answer.data if isinstance(answer.data, dict) else {}


def judge(answer: Answer, *, where: str, now_ms: int) -> None:
    """Raise what concerns the whole call. HubSpot's refusals of rows (400, 404, 409) pass: the caller knows what it asked. The same from a
    gateway, in HTML, say nothing about rows: a page "not found" must never make contacts look deleted.

    Raises `NotDone` (429, 423, 477: nothing was done), `MaybeDone` (5xx), `QuotaSpent`, `CredentialError`, `Unreachable`, `ConfigurationError`.
    """
    status = answer.status
    if answer.ok or (status in _ROWS_AT_FAULT and isinstance(answer.data, dict)):
        return
    told = _told(answer)
    if status == 429:
        raise _limited(answer, told, where, now_ms)
    if status == 423:
        wait = max(_LOCKED_S, retry_after(answer.headers, now_ms) or 0.0)
        raise NotDone(f"HubSpot has locked what we ask for{told}", where=where, next_step="run again in a moment", retry_after=wait)
    if status == 477:
        wait = retry_after(answer.headers, now_ms) or 3600.0
        what = f"HubSpot is moving this account to another data centre{told}"
        raise NotDone(what, where=where, next_step=f"run again in {wait / 3600:.1f} hours", retry_after=wait)
    if status == 401:
        raise CredentialError(f"HubSpot does not accept the credential{told}", where=where, next_step="check the token: was it rotated, or the app removed?")
    if status == 403:
        raise _forbidden(answer, told, where)
    if status in _HOPELESS:
        raise Unreachable(f"HubSpot cannot be reached (status {status})", where=where, next_step="check the network; if it stays, ask HubSpot's support")
    if (status >= 500 and status != 501) or status == 408:
        raise MaybeDone(
            f"HubSpot has trouble (status {status}){told}", where=where, next_step="run again later", retry_after=retry_after(answer.headers, now_ms)
        )
    raise ConfigurationError(f"HubSpot did not understand the call (status {status}){told}", where=where, next_step="check `base_url` and `api_version`")


def _told(answer: Answer) -> str:
    """What HubSpot says, fit for a message; the correlation id is what its support asks for."""
    told = body(answer)
    message = plain(str(told.get("message") or ""), 200)
    number = told.get("correlationId") or answer.headers.get("x-hubspot-correlation-id")
    return (f': "{message}"' if message else "") + (f" [correlation {number}]" if number else "")


def _limited(answer: Answer, told: str, where: str, now_ms: int) -> Exception:
    """429 has three shapes: daily, ten-second window, and searches per second, which bears no policy name (seen in public recordings).

    One that does not say which limit it is may be that of ten seconds, which a second does not wait out.
    """
    said = body(answer)
    policy = str(said.get("policyName") or "")
    message = str(said.get("message") or "").lower()
    if policy == "DAILY" or "daily" in message:
        return QuotaSpent(
            f"the daily quota of the HubSpot account is used up{told}", where=where, next_step="run again after midnight in the account's time zone"
        )
    wait = retry_after(answer.headers, now_ms)
    if wait is None:
        window = policy or message
        wait = _SECOND_S if "secondly" in window.lower() and "ten_secondly" not in window.lower() else _WINDOW_S
    return NotDone(f"HubSpot asks us to slow down{told}", where=where, next_step="run again in a minute; other tools share this limit", retry_after=wait)


class Forbidden(CredentialError):
    """The credential is good, and may not do this. `scopes`: of which one would do, where HubSpot says so."""

    def __init__(self, what: str, *, where: str = "", next_step: str = "", scopes: Sequence[str] = ()) -> None:
        super().__init__(what, where=where, next_step=next_step)
        self.scopes = scopes


def _forbidden(answer: Answer, told: str, where: str) -> Exception:
    scopes = sorted({scope for each in _details(body(answer)) for scope in named(each, "requiredGranularScopes") + named(each, "requiredScopes")})
    if scopes:
        what = f"the HubSpot app lacks a scope: {' or '.join(scopes)}"
        return Forbidden(what, where=where, next_step="add the scope to the app or Service Key, then run again", scopes=scopes)
    return Forbidden(f"HubSpot forbids this{told}", where=where, next_step="check the scopes of the app or Service Key, and the user's rights")


def unexpected(answer: Answer, *, where: str) -> ConfigurationError:
    """A refusal (400, 404, 409) of a call that only reads."""
    return ConfigurationError(
        f"HubSpot refuses the call (status {answer.status}){_told(answer)}", where=where, next_step="check `base_url`, `api_version` and the mapped fields"
    )


def strange(what: str = "HubSpot's answer has a shape that we do not know", *, where: str) -> Unreachable:
    """An answer that is JSON, but not what HubSpot says: better no answer than half of one."""
    return Unreachable(what, where=where, next_step="check `base_url`, `api_version` and any proxy in between")


def objects(told: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects in a list of an answer to a write; whatever else stands there says nothing."""
    found = told.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _details(error: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The error itself and its parts, as far as they are objects."""
    parts = error.get("errors")
    return [error, *(each for each in parts if isinstance(each, dict))] if isinstance(parts, list) else [error]


def named(error: Mapping[str, Any], key: str) -> list[str]:
    """A list in the error's context: `ids`, `objectWriteTraceId`, `propertyName`, the scopes that are missing."""
    context = error.get("context")
    found = context.get(key) if isinstance(context, dict) else None
    return [str(each) for each in found] if isinstance(found, list) else []


class BadValue(NamedTuple):
    """One refused property: HubSpot's name of the reason, its sentence, and the value (None where it is not told)."""

    name: str
    code: str
    message: str
    value: str | None


def bad_values(error: Mapping[str, Any]) -> list[BadValue]:
    """What is wrong with single properties: from the JSON at the message's end, which tells the values too, else from `errors`."""
    told = [
        BadValue(str(each["name"]), str(each.get("error") or ""), str(each.get("message") or ""), _text(each.get("propertyValue")))
        for each in _listed(str(error.get("message") or ""))
        if each.get("name")
    ]
    listed = _details(error)[1:]
    return told or [
        BadValue(name, str(each.get("code") or ""), str(each.get("message") or ""), None) for each in listed for name in named(each, "propertyName")
    ]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _listed(message: str) -> list[Mapping[str, Any]]:
    match = _LIST.search(message)
    if match is None:
        return []
    try:
        parts = orjson.loads(match.group())
    except orjson.JSONDecodeError:
        return []
    return [each for each in parts if isinstance(each, dict)]


def rejection(error: Mapping[str, Any], sent: Iterable[str] = ()) -> Rejected:
    """One row's refusal, as a value; of several bad properties the first that the row `sent` is named.

    The reason is HubSpot's sentence without addresses, long numbers and tokens: it is kept in the state, and shown.
    """
    message = str(error.get("message") or "HubSpot gives no reason")
    category = str(error.get("category") or error.get("status") or "error")
    clash = _EXISTING.search(message)
    if clash is not None:
        return Rejected("CONFLICT", plain(message), field="email", existing=Ref(KIND, clash.group(1)))
    bad = bad_values(error)
    if bad:
        mine = set(sent)
        first = next((each for each in bad if each.name in mine), bad[0])
        return Rejected(first.code or category, plain(first.message or message), field=first.name)
    code = next((str(part["code"]) for part in _details(error)[1:] if part.get("code")), category)
    return Rejected(code, plain(message), gone=category == "OBJECT_NOT_FOUND" or message == "resource not found")
