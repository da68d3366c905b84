"""HubSpot's own troubles, by name, each as HubSpot words it."""

from __future__ import annotations

from collections.abc import Mapping

from ..faults import TROUBLES as ANYWHERE
from ..faults import Fault
from .errors import Refused
from .limits import daily, secondly, ten_secondly

_REFUSALS = {
    "limit of the day": daily(),
    "limit of ten seconds": ten_secondly(),
    "limit of searches": secondly(),
    "error 500": Refused(500, "internal error"),
    "error 502": Refused(502, "Bad Gateway"),
    "error 503": Refused(503, "Service Unavailable"),
}


def _as_fault(refused: Refused) -> Fault:
    return Fault("status", status=refused.status, body=refused.response().body.decode())


TROUBLES: Mapping[str, Fault] = {**ANYWHERE, **{name: _as_fault(refused) for name, refused in _REFUSALS.items()}}
