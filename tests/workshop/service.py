"""A real `stagesync serve` in a process of its own, its log, and what it answers."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson

T = TypeVar("T")
RUN = (sys.executable, "-c", "from stagesync.app.main import run; run()")


def until(there: Callable[[], T | None], within_s: float = 30.0) -> T:
    """Wait for something to be there."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if found := there():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


@dataclass
class Service:
    """One running service. `port` is told by its log."""

    process: subprocess.Popen[bytes]
    log: Path

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        """What it has logged so far, of one kind if given."""
        whole = [line for line in self.log.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
        told = [orjson.loads(line) for line in whole if line.startswith(b"{")]
        return [line for line in told if event in (None, line["event"])]

    def runs(self, outcome: str | None = None) -> list[dict[str, Any]]:
        """Runs that ended, with one outcome if given."""
        return [line for line in self.lines("run ended") if outcome in (None, line["outcome"])]

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(until(lambda: self.lines("listening"))[0]["url"].rpartition(":")[2])

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def metric(self, name: str) -> float:
        """The value of one sample, such as `stagesync_runs_total{outcome="done",workspace="box"}`; 0 where there is none."""
        found = [line for line in self.get("/metrics")[1].splitlines() if line.startswith(f"{name} ")]
        return float(found[0].rpartition(" ")[2]) if found else 0.0

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


@contextmanager
def serving(log: Path, *configs: Path) -> Iterator[Service]:
    """A service over these configurations, killed at the end if it still runs."""
    with log.open("wb") as err:
        process = subprocess.Popen([*RUN, "serve", *map(str, configs)], stdout=err, stderr=err)
    try:
        yield Service(process, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
