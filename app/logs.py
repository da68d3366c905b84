"""The log of a service: lines for a person on a terminal, JSON for a machine otherwise, one form for us and for the libraries.

No line holds personal data or a secret: what looks like one is replaced in every text, and of an unforeseen error only type and place are told.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from ..connectors.manners import plain
from .shell import place_of

_LIBRARIES = ("apscheduler", "httpx", "httpcore", "urllib3", "uvicorn", "uvicorn.error", "uvicorn.access", "simple_salesforce", "hubspot", "apprise")
_LONGEST = 1_000
_OURS = frozenset({"timestamp", "level", "slot", "url", "file", "timetable"})
"""Fields that hold nothing of anybody's; times and addresses of machines would be taken for telephone numbers."""
_Event = MutableMapping[str, Any]


def configure() -> None:
    """Let this program log to stderr. Libraries speak up from WARNING on."""
    human = sys.stderr.isatty()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if human else "iso", utc=not human),
        _no_traceback,
        redact,
    ]
    renderer = structlog.dev.ConsoleRenderer() if human else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            use_get_message=True,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


def redact(_logger: Any, _method: str, event: _Event) -> _Event:
    """Every text without addresses of people, long numbers and tokens."""
    for key, value in event.items():
        if isinstance(value, str) and key not in _OURS:
            event[key] = plain(value, _LONGEST)
    return event


def _no_traceback(_logger: Any, _method: str, event: _Event) -> _Event:
    """An error's own words may hold somebody's data."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = place_of(error)
    event.pop("stack_info", None)
    return event
