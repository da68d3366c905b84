"""A workspace on a sandbox of its own: the worlds in one process, each run of ours in another."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson

_READY_WITHIN_S, _EACH_S = 300, 0.001
_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Box:
    """`folder` holds the configuration and the state; `urls` leads to the worlds by the name of their system."""

    folder: Path
    urls: Mapping[str, str]

    @property
    def config(self) -> Path:
        """The configuration that points at the worlds."""
        return self.folder / "stagesync.toml"

    @property
    def database(self) -> Path:
        """The state, once a run has been made."""
        return self.folder / "stagesync.db"

    def hand(self, system: str, name: str, posted: Mapping[str, Any]) -> Any:
        """Let somebody's hand do something in a world."""
        answer = httpx.post(f"{self.urls[system]}/_sandbox/{name}", content=orjson.dumps(posted), timeout=_PATIENCE_S)
        return orjson.loads(answer.raise_for_status().content)

    def look(self, system: str, name: str) -> Any:
        """Look at a world past its API."""
        return orjson.loads(httpx.get(f"{self.urls[system]}/_sandbox/{name}", timeout=_PATIENCE_S).raise_for_status().content)

    def later(self, seconds: float = 7200) -> None:
        """Time passes in both worlds: every overlap window closes."""
        for system in self.urls:
            self.hand(system, "clock", {"advance_s": seconds})

    def calls(self) -> dict[str, int]:
        """API calls by system since the last look, which begins anew."""
        counted = {system: sum(self.look(system, "calls").values()) for system in self.urls}
        for system in self.urls:
            self.hand(system, "calls/reset", {})
        return counted

    def run(self, what: str = "sync") -> dict[str, Any]:
        """One run in a process of its own; see `bench.measured`. Raises `CalledProcessError`."""
        ran = subprocess.run([sys.executable, "-m", "bench.measured", what, str(self.config)], check=True, stdout=subprocess.PIPE)
        return orjson.loads(ran.stdout)


@contextmanager
def box(people_each: int, overlap: float | None) -> Iterator[Box]:
    """Worlds with so many people each, of whom this share is in both; None: all are in HubSpot, and Salesforce is empty. Gone with the block."""
    with tempfile.TemporaryDirectory(prefix="stagesync-bench-") as name:
        folder = Path(name)
        command = [sys.executable, "-m", "bench.world", name, str(people_each), "none" if overlap is None else str(overlap)]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as world:
            try:
                config = _wait_for(folder / "stagesync.toml", world, _READY_WITHIN_S + people_each * _EACH_S)
                systems = tomllib.loads(config.read_text())["systems"]
                yield Box(folder, {"hubspot": systems["hubspot"]["base_url"], "salesforce": systems["salesforce"]["instance_url"]})
            finally:
                world.terminate()


def _wait_for(file: Path, world: subprocess.Popen[bytes], patience_s: float) -> Path:
    deadline = time.monotonic() + patience_s
    while not file.exists():
        if world.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the sandbox did not start; what it printed says why")
        time.sleep(0.05)
    return file
