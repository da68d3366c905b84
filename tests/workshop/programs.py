"""`stagesync` as a process of its own, started in a fraction of the time: forked from a server that has loaded everything and done nothing yet."""

from __future__ import annotations

import os
import resource
import signal
import sys
from multiprocessing import get_context
from pathlib import Path

from stagesync.app.main import run

LOADED = (
    "programs",
    "stagesync.app.courses.syncing",
    "stagesync.connectors.hubspot",
    "stagesync.connectors.salesforce",
    "hubspot.crm.contacts",
    "simple_salesforce.api",
    "phonenumbers",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.dialects.postgresql.psycopg",
)
_server = get_context("forkserver")
_server.set_forkserver_preload(list(LOADED))


class Ended(AssertionError):
    """The program did not end in time."""


class Program:
    """One run of the command line. What it says goes into files, so that nobody has to listen. `room`: no file of it may grow beyond so many bytes."""

    def __init__(self, folder: Path, *words: str, room: int | None = None) -> None:
        self._said = folder / "said.txt", folder / "told.txt"
        self._process = _server.Process(target=_main, args=(words, room, *map(str, self._said)), daemon=True)
        self._process.start()

    def wait(self, seconds: float = 120.0) -> int | None:
        """Its exit code, below zero for a signal; None if it does not end in this time."""
        self._process.join(seconds)
        return self._process.exitcode

    def ended(self) -> int:
        """Its exit code. Raises where it does not end in two minutes."""
        code = self.wait()
        if code is None:
            self.signal(signal.SIGKILL)
            raise Ended(self.err)
        return code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still lives."""
        if self._process.exitcode is None and self._process.pid is not None:
            os.kill(self._process.pid, number)

    @property
    def out(self) -> str:
        """What it printed."""
        return self._said[0].read_text("utf-8")

    @property
    def err(self) -> str:
        """What it said beside that."""
        return self._said[1].read_text("utf-8")


def _main(words: tuple[str, ...], room: int | None, out: str, err: str) -> None:
    """In the new process: become `stagesync WORDS`."""
    if room is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", buffering=1, closefd=False)  # as it is in every program
    sys.argv = ["stagesync", *words]
    run()
