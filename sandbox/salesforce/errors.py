"""What Salesforce answers when it refuses: an array with `errorCode` for a whole call, `statusCode` per row in a collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ..wire import Response

JSON = {"Content-Type": "application/json;charset=UTF-8"}


class Refused(ValueError):
    """Salesforce says no. `status` is the HTTP status when one call asked for one thing; a collection reports it per row instead."""

    def __init__(self, code: str, message: str, fields: Sequence[str] | None = None, status: int = 400, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = fields
        self.status = status
        self.extra = extra or {}


def refused_row(code: str, message: str, fields: Sequence[str] = (), status: int = 400) -> Refused:
    """A refusal that belongs to one row: its body always has `fields`, even when empty."""
    return Refused(code, message, list(fields), status)


def refused_body(error: Refused) -> list[dict[str, Any]]:
    """The body of a refused call (Salesforce REST, Status Codes and Error Responses)."""
    body: dict[str, Any] = {**error.extra, "message": error.message, "errorCode": error.code}
    if error.fields is not None:
        body["fields"] = list(error.fields)
    return [body]


def row_error(error: Refused) -> dict[str, Any]:
    """One entry of `errors` in a row's result (sObject Collections)."""
    return {"statusCode": error.code, "message": error.message, "fields": list(error.fields or ())}


def json_answer(value: object, status: int = 200, *, pretty: bool = False) -> Response:
    """A JSON answer, indented when the client asked for `X-PrettyPrint: 1`."""
    return Response(status, dict(JSON), orjson.dumps(value, option=orjson.OPT_INDENT_2 if pretty else 0))


def not_found() -> Refused:
    """The answer for a resource or record that is not there."""
    return Refused("NOT_FOUND", "The requested resource does not exist", status=404)
