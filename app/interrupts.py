"""Ctrl-C and SIGTERM: asked once, a run finishes the batch in hand and stops; asked twice, it ends at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from .output import tell
from .shell import INTERRUPTED

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def gentle() -> Iterator[threading.Event]:
    """For the length of the block the first signal sets the event; a second one ends the program, which loses nothing."""
    stop = threading.Event()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(INTERRUPTED)
        stop.set()
        tell("stagesync: stopping after the batch in hand (once more: at once)")

    with _handled(handle):
        yield stop


@contextmanager
def abrupt() -> Iterator[None]:
    """For the length of the block SIGTERM does what Ctrl-C does: it raises `KeyboardInterrupt`."""
    with _handled(signal.default_int_handler):
        yield


@contextmanager
def _handled(handler: signal.Handlers | object) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield
        return
    before = {number: signal.signal(number, handler) for number in _SIGNALS}  # pyright: ignore[reportArgumentType]  # any callable of the right form
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
