"""Canaries through the whole suite: every secret of the sandbox is looked for in whatever the tests bring forth, and must be only where it belongs.

Looked into are: what commands say on stdout and stderr, their arguments, what tests print, what is logged, what our errors say, and at the end of the session
every file below pytest's temporary folder: states with their write-ahead logs, plans, reports. Addresses of people are looked for on stderr and in logs.
Configuration files, and files that hold a secret by design, may have it. `conftest` registers this; a finding fails the session and names its place.
"""

from __future__ import annotations

import logging
import mmap
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from stagesync.model.errors import StagesyncError

SECRETS = (
    *("pat-sandbox-token", "00D-sandbox-session", "sandbox-secret", "sandbox-consumer-secret", "sandbox-refresh", "sandbox-password"),
    *("pat-na1-c4n4ry00-hubspot-token-4711", "canary-hubspot-client-secret", "canary-consumer-secret-0815", "canary-wrong-secret"),
)
"""The sandbox's own (docs/sandbox.md), with which all boxes and offices run, and those of test_secrets."""

_LITERAL = tuple(secret.encode() for secret in SECRETS)
_MINTED = (re.compile(rb"oauth-[0-9a-f]{32}"), re.compile(rb"00D\w{12,15}![\w.]{8}"))
"""Tokens that the worlds hand out. Each begins with a literal, which is what makes looking quick."""
_ADDRESS = re.compile(r"[\w.%+-]+@[\w-]+(?:\.[\w-]+)*\.example\b")
_HOLDERS = (".toml", ".tokens.json", "hub.txt", "crm.txt", "refresh.txt", "secret.txt")
"""Files that hold secrets by design, by how their names end; the last ones are what tests name in `{ file = ... }`."""
_SOURCES = re.compile(r"/(source|wheel|test_the_wheel)[^/]*/")
"""Copies of the project itself, in which the sandbox tells its secrets to everybody."""
_LEVEL = logging.WARNING
"""The level from which people see logs without asking for more."""


def secrets_in(content: Any) -> list[str]:
    """The canaries in some bytes, named without being told."""
    found = [secret for secret in _LITERAL if content.find(secret) >= 0] + [hit.group() for minted in _MINTED if (hit := minted.search(content))]
    return sorted({f"{secret[:8].decode()}***" for secret in found})


def addresses_in(text: str, typed: str = "") -> list[str]:
    """Addresses of people, less those that somebody typed into the command itself."""
    return sorted({found for found in _ADDRESS.findall(text) if found not in typed})


class Watch:
    """Everything that was found, and where. One for each process of the tests."""

    def __init__(self) -> None:
        self.leaks: list[str] = []
        self.looked = (0, 0, 0.0)

    def heard(self, text: str | bytes | None, where: str, test: str = "") -> None:
        """Somebody could read this: no secret may be in it."""
        content = text.encode(errors="replace") if isinstance(text, str) else text or b""
        self.leaks += [f"{secret} in {where} of {test or _test()}" for secret in secrets_in(content)]

    def told(self, text: str, where: str, typed: str = "") -> None:
        """This is pasted into tickets: no secret may be in it, and nobody's address."""
        self.heard(text, where)
        self.leaks += [f"the address {found} in {where} of {_test()}" for found in addresses_in(text, typed)]

    def look_through(self, folder: Path) -> None:
        """Every file below the folder."""
        started, files, size = time.perf_counter(), 0, 0
        for path in _files(folder):
            files, size = files + 1, size + path.stat().st_size
            with path.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
                self.leaks += [f"{secret} in {path.relative_to(folder)}" for secret in secrets_in(content)]
        self.looked = (files, size, time.perf_counter() - started)


def _test() -> str:
    return os.environ.get("PYTEST_CURRENT_TEST", "the session").partition(" ")[0]


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_file() or not path.stat().st_size:
            continue
        if not path.name.endswith(_HOLDERS) and not _SOURCES.search(f"/{path.relative_to(folder).as_posix()}"):
            yield path


class _Ear(logging.Handler):
    """Hears every record that reaches the root."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        """Look into it."""
        told = self._watch.told if record.levelno >= _LEVEL else self._watch.heard
        told(self.format(record), f"a log record of {record.name}")


def _listen(watch: Watch) -> None:
    """Stand beside whatever speaks: commands in this process, other programs, logs, and our own errors."""
    invoke, communicate, start, fail = CliRunner.invoke, subprocess.Popen.communicate, subprocess.Popen.__init__, StagesyncError.__init__

    def invoked(self: CliRunner, app: Any, args: Sequence[str] | str | None = None, *more: Any, **options: Any) -> Any:
        done = invoke(self, app, args, *more, **options)
        typed = f"{args} {options.get('input') or ''}"
        watch.heard(typed, "the arguments")
        watch.heard(done.stdout, "stdout")
        watch.told(done.stderr, "stderr", typed)
        return done

    def communicated(self: Any, *given: Any, **options: Any) -> Any:
        out, err = communicate(self, *given, **options)
        watch.heard(out, "a program's stdout")
        watch.heard(err, "a program's stderr")
        return out, err

    def started(self: Any, args: Any, *given: Any, **options: Any) -> None:
        watch.heard(str(args), "a program's arguments")
        start(self, args, *given, **options)

    def failed(self: StagesyncError, *given: Any, **options: Any) -> None:
        fail(self, *given, **options)
        watch.heard(" ".join(map(str, (*self.args, self.where, self.next_step, *options.get("problems", ())))), f"a {type(self).__name__}")

    CliRunner.invoke, subprocess.Popen.communicate, subprocess.Popen.__init__ = invoked, communicated, started
    StagesyncError.__init__ = failed
    logging.getLogger().addHandler(_Ear(watch))


class Canaries:
    """The plugin. With xdist each worker looks at what it brought forth and reports to the one who started it."""

    def __init__(self, config: pytest.Config) -> None:
        self.watch = Watch()
        self.report: Any = getattr(config, "workeroutput", None)
        self.leads = not hasattr(config, "workerinput") and bool(getattr(config.option, "numprocesses", None))
        self.found: list[str] = []
        self.looked: list[tuple[int, int, float]] = []
        _listen(self.watch)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """What a test printed and logged: the last of its reports has all of it."""
        if not self.leads and report.when == "teardown":
            for name, content in report.sections:
                self.watch.heard(content, name, report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Look through the files, before anybody clears them away."""
        if not self.leads:
            factory = getattr(session.config, "_tmp_path_factory", None)
            if factory is not None:
                self.watch.look_through(factory.getbasetemp())
            self.take(self.watch.leaks, self.watch.looked)
        if self.report is not None:
            self.report["canaries"] = (self.found, self.looked)
        elif self.found:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def take(self, leaks: Sequence[str], *looked: tuple[int, int, float]) -> None:
        """One process's findings."""
        self.found += dict.fromkeys(leaks)
        self.looked += looked

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker is done."""
        leaks, looked = getattr(node, "workeroutput", {}).get("canaries", ((), ()))
        self.take(leaks, *map(tuple, looked))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """How much was looked through, and what was found."""
        files, size, seconds = (sum(each) for each in zip(*self.looked, strict=True)) if self.looked else (0, 0, 0.0)
        terminalreporter.write_line(f"canaries: {files} files, {size / 2**20:.0f} MB in {seconds:.1f} s, {len(self.found)} found")
        for leak in self.found:
            terminalreporter.write_line(f"  {leak}", red=True)
