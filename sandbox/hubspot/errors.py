"""What HubSpot answers when it refuses: one exception that carries the answer, and the known shapes."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from ..wire import Response

Detail = Mapping[str, Any]


def correlation_id() -> str:
    """A fresh id of the form that HubSpot logs calls under."""
    return str(UUID(int=random.getrandbits(128), version=4))


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(status, {"Content-Type": "application/json;charset=utf-8", **(headers or {})}, orjson.dumps(value))


@dataclass
class Refused(Exception):
    """The call, or one row of a batch, is refused with `status` and an error body; every part of the body but the message is optional."""

    status: int
    message: str
    category: str | None = None
    context: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    errors: Sequence[Detail] = ()
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def body(self) -> dict[str, Any]:
        """The error as the body of a whole answer."""
        return {"status": "error", "message": self.message, "correlationId": correlation_id(), **self._optional(), **self.extra}

    def row(self, context: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """The error as one entry of `errors` in an answer with status 207."""
        row = {
            "status": "error",
            "category": self.category or "OBJECT_NOT_FOUND",
            "message": self.message,
            "context": {**self.context, **context},
            **self.extra,
        }
        return {**row, "errors": list(self.errors)} if self.errors else row

    def response(self) -> Response:
        """The error as a whole answer."""
        return answer(self.body(), self.status)

    def _optional(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.context:
            found["context"] = self.context
        if self.errors:
            found["errors"] = list(self.errors)
        if self.category:
            found["category"] = self.category
        return found


def invalid(message: str, errors: Sequence[Detail] = ()) -> Refused:
    """400 VALIDATION_ERROR."""
    return Refused(400, message, "VALIDATION_ERROR", errors=errors)


@dataclass(frozen=True)
class BadValue:
    """One property value that is not acceptable; `error` is HubSpot's name of the reason, such as INVALID_OPTION."""

    name: str
    value: str
    error: str
    message: str


def invalid_values(bad: Sequence[BadValue], *, only_in_message: bool) -> Refused:
    """400 for one or more bad values: as JSON text at the end of the message, and, on newer paths, as `errors` too."""
    told = [{"isValid": False, "message": each.message, "error": each.error, "name": each.name, "propertyValue": each.value} for each in bad]
    message = "Property values were not valid: " + orjson.dumps(told).decode()
    if only_in_message:
        return invalid(message)
    return invalid(message, [{"message": each.message, "code": each.error, "context": {"propertyName": [each.name]}} for each in bad])


def already_exists(existing: str) -> Refused:
    """409 for an e-mail address that another contact has; the other's id is only in the message."""
    return Refused(409, f"Contact already exists. Existing ID: {existing}", "CONFLICT")


def no_such_contact(given: str) -> Refused:
    """404: without a category for a number (or an address), with one and the id for anything that is no number."""
    if given.isdecimal() or "@" in given:
        return Refused(404, "resource not found")
    return Refused(404, "Object not found. objectId are usually numeric.", "OBJECT_NOT_FOUND", {"id": [given]})


def missing_scopes(scopes: Sequence[str]) -> Refused:
    """403 that names the scopes of which one would do."""
    detail = {"message": "One or more of the following scopes are required.", "context": {"requiredGranularScopes": list(scopes)}}
    return Refused(403, "This app hasn't been granted all required scopes to make this call.", "MISSING_SCOPES", errors=[detail])
