"""Salesforce's own troubles, by name, each as Salesforce words it."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from ..faults import TROUBLES as ANYWHERE
from ..faults import Fault
from .errors import Refused, refused_body


def limit_exceeded() -> Refused:
    """403: the calls of the last 24 hours are used up (REST API Developer Guide, Status Codes and Error Responses)."""
    return Refused("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)


_REFUSALS = {
    "limit of the day": limit_exceeded(),
    "limit of long calls": Refused("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.", status=403),
    "error 500": Refused("UNKNOWN_EXCEPTION", "An unexpected error occurred.", status=500),
    "error 503": Refused("SERVER_UNAVAILABLE", "The server is busy.", status=503),
}


def _as_fault(refused: Refused) -> Fault:
    return Fault("status", status=refused.status, body=orjson.dumps(refused_body(refused)).decode())


TROUBLES: Mapping[str, Fault] = {**ANYWHERE, **{name: _as_fault(refused) for name, refused in _REFUSALS.items()}}
