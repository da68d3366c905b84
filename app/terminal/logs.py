"""The log of a service, and of commands that nobody watches: lines for people on a terminal, JSON otherwise, one form for us and for the libraries.

No line holds personal data or a secret: what looks like one is replaced in every text, and of an unforeseen error only type and place are told.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog

from ...connectors.manners import plain
from .shell import place_of

_LIBRARIES = ("apscheduler", "httpx", "httpcore", "urllib3", "uvicorn", "uvicorn.error", "uvicorn.access", "simple_salesforce", "hubspot", "apprise")
_LONGEST = 1_000
_OURS = frozenset({"timestamp", "level", "slot", "url", "file", "timetable"})
"""Fields that hold nothing of anybody's; times and addresses of machines would be taken for telephone numbers."""
_Event = MutableMapping[str, Any]


def configure(least: int = logging.INFO) -> logging.Handler:
    """Let this program log to stderr, ours from `least` on; what takes in the libraries' lines, which speak up from WARNING on."""
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
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),  # a line and its end at once, as the handler below does: no thread comes between
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
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    return handler


@contextmanager
def speaking() -> Iterator[None]:
    """Let a command log for the length of the block; on a terminal, where it speaks in sentences, only what libraries warn of."""
    handler = configure(logging.CRITICAL if sys.stderr.isatty() else logging.INFO)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        structlog.reset_defaults()


@contextmanager
def about(workspace: str) -> Iterator[None]:
    """Every line within the block bears the workspace, and the run from `run_begins` on: also those of threads that carry the context on."""
    with structlog.contextvars.bound_contextvars(workspace=workspace):
        try:
            yield
        finally:
            structlog.contextvars.unbind_contextvars("run")


def run_begins(run: int) -> None:
    """This run has begun, or is carried out from here on."""
    structlog.contextvars.bind_contextvars(run=run)


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
