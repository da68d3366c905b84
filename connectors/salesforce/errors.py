"""What Salesforce's refusals mean: the one place that reads its error codes, and its sentences where they alone tell.

A refused call has a list of `errorCode`, `message`, `fields`; a refused row of a collection has `statusCode` instead. Gateways in front of it answer in
HTML or not at all (REST API Developer Guide, Status Codes and Error Responses; SOAP API Developer Guide, StatusCode).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from ...model.errors import ConfigurationError, CredentialError, QuotaSpent, StagesyncError, Unreachable
from ...model.records import Ref
from ...model.writes import Applied, Deferred, Outcome, Rejected, Unknown
from ..manners import Answer, MaybeDone, NotDone, plain, retry_after
from .rows import KINDS_BY_PREFIX, id15, id18


class Expired(StagesyncError):
    """The access token is not valid any more; nothing was done."""


class Hidden(ConfigurationError):
    """A field that was asked for is not there for this user."""


class Closed(CredentialError):
    """An object that was asked for is not there for this user."""


class Unserved(ConfigurationError):
    """Nothing is served where it was asked for."""


class Refused(Unreachable):
    """The org does not carry out such a call, for a reason of which we know nothing better to do."""


class TooSlow(MaybeDone):
    """The call took longer than it may: a query two minutes, anything else ten (Salesforce Developer Limits, API Request Limits: timeouts)."""


NOT_FOR_US = (Hidden, Closed, Unserved, Refused, TooSlow)
"""What a query raises that this org does not answer, now or ever, although the org itself is well: what is good to know and not needed goes without."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason why a call or a row was refused."""

    code: str
    message: str = ""
    fields: tuple[str, ...] = ()

    @property
    def field(self) -> str | None:
        """The field at fault: named in `fields`, or only in the sentence about a column that is not there."""
        if self.fields:
            return self.fields[0]
        found = _COLUMN.search(self.message)
        return found.group(1) if found else None


_COLUMN = re.compile(r"No such column '([\w.]+)'|[Bb]ad field names?[^:]*: *\[?(\w+)")
_PERSON = re.compile(rf"\b((?:{'|'.join(KINDS_BY_PREFIX)})[0-9A-Za-z]{{12}}(?:[0-9A-Z]{{3}})?)\b")

LOCK_PAUSE_S = 5.0
LIMIT_PAUSE_S = 60.0
APPROVAL_PAUSE_S = 3600.0

_DEFERRED = {
    "UNABLE_TO_LOCK_ROW": LOCK_PAUSE_S,
    "SERVER_UNAVAILABLE": LIMIT_PAUSE_S,
    "REQUEST_LIMIT_EXCEEDED": LIMIT_PAUSE_S,
    "UNKNOWN_EXCEPTION": LIMIT_PAUSE_S,
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": 0.0,
    "PROCESSING_HALTED": 0.0,
    "ENTITY_IS_LOCKED": APPROVAL_PAUSE_S,
}
"""Refusals that pass by themselves, and the seconds after which it is worth asking again. ENTITY_IS_LOCKED: somebody has to approve the record first."""

_ELSEWHERE = frozenset({"CANNOT_UPDATE_CONVERTED_LEAD", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "INVALID_ID_FIELD", "NOT_FOUND"})

UNPARSED = "JSON_PARSER_ERROR"
"""A value that is not of the field's type makes the body malformed, and then the whole call is refused (REST API Developer Guide, sObject Collections)."""

_UNKNOWN_FIELD = frozenset({"INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE"})
_TOO_SLOW = frozenset({"QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG"})
_DISABLED = frozenset({"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"})
_GONE_LOCATORS = frozenset({"INVALID_QUERY_LOCATOR", "QUERY_CURSOR_NOT_FOUND"})


def refusals(data: Any) -> list[Refusal]:
    """The reasons in the body of a refused call, a list or its only entry; none where it is not Salesforce that speaks."""
    listed: list[Any] = data if isinstance(data, list) else [data]
    return [refusal(each) for each in listed if isinstance(each, dict) and ("errorCode" in each or isinstance(data, list))]


def refusal(error: dict[str, Any]) -> Refusal:
    """One entry of a list of errors, a call's or a row's."""
    fields = error.get("fields")
    code = error.get("statusCode") or error.get("errorCode") or ""
    return Refusal(str(code), str(error.get("message", "")), tuple(str(field) for field in fields) if isinstance(fields, list) else ())


def judge(answer: Answer, where: str, now_ms: int) -> None:
    """Raise what stops a call or calls for another attempt. Every other refusal goes back to the caller, who knows what was asked."""
    if answer.ok:
        return
    found = refusals(answer.data)
    code = found[0].code if found else ""
    if code == "REQUEST_LIMIT_EXCEEDED":
        raise _limit(found[0], where, retry_after(answer.headers, now_ms))
    if code in _DISABLED:
        raise CredentialError(f"this org or user has no API access ({code})", where=where, next_step='ask an administrator for the permission "API Enabled"')
    if code in _TOO_SLOW:
        raise TooSlow("a query took longer than two minutes, or a call longer than ten", where=where, next_step="run again later, or map fewer fields")
    match answer.status:
        case 401:
            raise Expired("the access token is not accepted", where=where)
        case 429:
            raise NotDone("too many requests", where=where, next_step="run again later", retry_after=retry_after(answer.headers, now_ms))
        case 420 | 408:
            raise MaybeDone("the request found no way to the org", where=where, next_step="run again later", retry_after=retry_after(answer.headers, now_ms))
        case status if status >= 500:
            said = f" {code}" if code else ""
            raise MaybeDone(f"HTTP {status}{said}", where=where, next_step="run again later", retry_after=retry_after(answer.headers, now_ms))
        case status if not found:
            raise _no_json(answer, where)
        case _:
            return


def _limit(refused: Refusal, where: str, pause: float | None) -> StagesyncError:
    """The daily limit stops everything, the one for long-running calls passes; only the sentence tells (`ConcurrentRequests ... Limit exceeded.`)."""
    if "concurrent" in refused.message.lower():
        return NotDone("too many long calls at once in this org", where=where, next_step="run again later", retry_after=pause)
    return QuotaSpent("the org's API calls of the last 24 hours are used up", where=where, next_step="run again when others used less, or ask for more calls")


def beyond(answer: Answer) -> str:
    """Where an answer leads away to, for a sentence: the host alone."""
    host = urlsplit(answer.headers.get("location", "")).hostname
    return f": {host}" if host else ""


def _no_json(answer: Answer, where: str) -> StagesyncError:
    status = answer.status
    if status == 403:
        return CredentialError("access is refused without a reason (HTTP 403)", where=where, next_step="check IP ranges, the proxy and `instance_url`")
    if 300 <= status < 400:
        return ConfigurationError(
            f"the org answers from another address{beyond(answer)}", where=where, next_step="set `instance_url` to the org's My Domain address"
        )
    return Refused(f"HTTP {status} without a reason", where=where, next_step="check `instance_url` and any proxy in between")


def names_unknown_field(refused: Refusal) -> bool:
    """The refusal is about a field that is not there for this user."""
    return refused.code in _UNKNOWN_FIELD


def locator_gone(answer: Answer) -> bool:
    """The rest of a query cannot be had any more: cursors live for two days."""
    return any(each.code in _GONE_LOCATORS for each in refusals(answer.data))


def stopped(answer: Answer, where: str) -> StagesyncError:
    """The error for a *read* that was refused."""
    refused = next(iter(refusals(answer.data)), Refusal(f"HTTP {answer.status}"))
    field = refused.field
    said = f"{refused.code}: {plain(' '.join(refused.message.split()))}"
    if refused.code in _UNKNOWN_FIELD:
        what = f"the field `{field}` is not there, or this user may not see it" if field else said
        return Hidden(what, where=where, next_step="take it out of the map, or give the user read access to it (field-level security)")
    if refused.code == "INVALID_TYPE" or refused.code.startswith("INSUFFICIENT_ACCESS"):
        return Closed(said, where=where, next_step="give the user read access to Lead and Contact")
    if answer.status == 410 or refused.code in ("UNSUPPORTED_API_VERSION", "NOT_FOUND"):
        return Unserved(said, where=where, next_step="check `instance_url` and `api_version`, and that the user may see Lead and Contact")
    return Refused(said, where=where, next_step="run again; if it stays, the code tells what Salesforce does not like")


def outcome(refused: Refusal) -> Outcome:
    """What a refused *row* means. A trigger or flow that failed has a code of its own and may hide a lock, which only its sentence shows."""
    if refused.code in _TOO_SLOW:
        return Unknown(refused.code)
    pause = LOCK_PAUSE_S if "UNABLE_TO_LOCK_ROW" in refused.message else _DEFERRED.get(refused.code)
    if pause is not None:
        return Deferred(f"{refused.code}: {plain(refused.message)}", pause)
    return Rejected(refused.code, plain(refused.message), refused.field, existing=_existing(refused))


def done(kind: str, ref: Ref | None, id: Any) -> Outcome:
    """What a row means that says of itself that it was written. `ref`: of which record it must be. One that names another says nothing of ours."""
    told = id or (ref.id if ref is not None else None)
    if not isinstance(told, str):
        return Unknown("the row's result has no id")
    if ref is not None and id15(told) != id15(ref.id):
        return Unknown("the row's result names another record")
    return Applied(Ref(kind, id18(told)))


def is_elsewhere(found: Outcome) -> TypeGuard[Rejected]:
    """The record itself may be gone or moved, and must be looked up; where a field is named, it is a record that the field points at."""
    return isinstance(found, Rejected) and found.code in _ELSEWHERE and found.field in (None, "Id")


def _existing(refused: Refusal) -> Ref | None:
    """The record that has the unique value already: named in the sentence of DUPLICATE_VALUE only, which is in the language of our user."""
    found = _PERSON.search(refused.message) if refused.code == "DUPLICATE_VALUE" else None
    return Ref(KINDS_BY_PREFIX[found.group(1)[:3]], id18(found.group(1))) if found else None


def whole_refusal(answer: Answer) -> Refusal:
    """Why a whole collection was refused: nothing was done."""
    return next(iter(refusals(answer.data)), Refusal(f"HTTP {answer.status}"))


def holds(refused: Refusal, names: Iterable[str]) -> bool:
    """The row has the field that is not there; the others may go without it."""
    field = refused.field
    return field is not None and refused.code in _UNKNOWN_FIELD and any(name.lower() == field.lower() for name in names)
