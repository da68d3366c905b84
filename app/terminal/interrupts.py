"""Ctrl-C and SIGTERM: asked once, a run finishes the batch in hand and stops, or what only reads breaks off; asked twice, either ends at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from .shell import INTERRUPTED

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_OFTEN_S = 0.1


@contextmanager
def gentle() -> Iterator[threading.Event]:
    """For the length of the block the first signal sets the event; a second one ends the program, which loses nothing."""
    stop = threading.Event()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(INTERRUPTED)
        stop.set()
        _say("stagesync: stopping after the batch in hand (once more: at once)")

    with _handled(handle):
        yield stop


def _say(text: str) -> None:
    """A signal may have come in the middle of a line that we were telling, so this goes past the stream."""
    with suppress(OSError):
        os.write(sys.stderr.fileno(), f"{text}\n".encode())


class Service:
    """For a program that runs until it is told to stop. From now on the first signal ends `wait`, a second one ends the program at once.

    The main thread looks often instead of waiting for an event: a signal that the system gives to another thread wakes nobody.
    """

    def __init__(self) -> None:
        self._asked = False
        for number in _SIGNALS:
            signal.signal(number, self._handle)

    def _handle(self, _signal: int, _frame: FrameType | None) -> None:
        if self._asked:
            os._exit(INTERRUPTED)
        self._asked = True

    def wait(self) -> None:
        """Until the first signal."""
        while not self._asked:
            time.sleep(_OFTEN_S)


@contextmanager
def abrupt() -> Iterator[None]:
    """For the length of the block SIGTERM does what Ctrl-C does: it raises `KeyboardInterrupt`.

    From then on a second signal ends the program, which loses nothing: calls that are under way may take their time to come back.
    """

    def handle(_signal: int, _frame: FrameType | None) -> None:
        for number in _SIGNALS:
            signal.signal(number, _leave)
        raise KeyboardInterrupt

    with _handled(handle):
        yield


def _leave(_signal: int, _frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)


@contextmanager
def _handled(handler: signal.Handlers | object) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield
        return
    before = {number: signal.signal(number, handler) for number in _SIGNALS}  # pyright: ignore[reportArgumentType]  # any callable of the right form
    try:
        yield
    finally:
        for number, earlier in before.items():
            if signal.getsignal(number) is not _leave:
                signal.signal(number, earlier)
