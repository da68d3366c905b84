"""Where a program's words go: a full disk, a reader who has gone, closed streams, letters that a terminal does not have, a second Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_box import Box, box
from moving import WAY, Move, move
from service import until
from terminal import RUN

pytestmark = pytest.mark.skipif(os.name != "posix", reason="streams and signals are other things there")
on_a_full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Two people who are in both worlds."""
    with box(tmp_path_factory.mktemp("known"), people=0) as made:
        for email, name in (("sato@acme.example", "佐藤"), ("ann@acme.example", "Lee")):
            made.worlds.hubspot.by_hand.create({"email": email, "lastname": name})
        assert made.run("sync", "--yes").exit_code == 0
        yield made


def program(made: Box, *words: str, **how: Any) -> subprocess.CompletedProcess[bytes]:
    """A command of `stagesync` as a process of its own."""
    heard = {} if how.keys() & {"stdout", "stderr", "preexec_fn"} else {"capture_output": True}
    return subprocess.run([*RUN, *words, "--config", str(made.config)], timeout=60, check=False, **heard, **how)


@on_a_full_disk
@pytest.mark.parametrize("words", [("status",), ("plan", "--json"), ("why", "ann@acme.example"), ("export", "people"), ("migrate", "survey", *WAY)])
def test_a_result_that_cannot_be_written_is_said(known: Box, words: tuple[str, ...]) -> None:
    """A full disk behind stdout: exit 5 with what to do, and no bug."""
    with Path("/dev/full").open("wb") as full:
        ended = program(known, *words, stdout=full, stderr=subprocess.PIPE)
    assert (ended.returncode, b"the result cannot be written: No space left" in ended.stderr, b"Traceback" in ended.stderr) == (5, True, False), ended.stderr


@on_a_full_disk
@pytest.mark.parametrize("words", [("--help",), ("migrate", "survey", "--help")])
def test_help_ends_as_any_result_that_cannot_be_written(words: tuple[str, ...]) -> None:
    """A full disk is exit 5 with what to do, a reader who has gone no mistake; no traceback either way."""
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run([*RUN, *words], timeout=60, check=False, stdout=full, stderr=subprocess.PIPE)
    assert (ended.returncode, b"the result cannot be written: No space left" in ended.stderr, b"Traceback" in ended.stderr) == (5, True, False), ended.stderr
    ours, theirs = os.pipe()
    os.close(ours)
    left = subprocess.run([*RUN, *words], timeout=60, check=False, stdout=theirs, stderr=subprocess.PIPE)
    os.close(theirs)
    assert (left.returncode, left.stderr) == (0, b""), left.stderr


def test_notes_that_nobody_reads_stop_nothing(tmp_path: Path) -> None:
    """`migrate load 2>&1 | head` or a full disk for the log: everybody is moved all the same."""
    with move(tmp_path) as made:
        made.people(3)
        digest = made.json("survey", *WAY)["digest"]
        ours, theirs = os.pipe()
        os.close(ours)
        ended = program(made.box, "migrate", "load", "--approve", digest, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        assert (ended.returncode, len(list(made.crm.rows("Lead")))) == (0, 3)
        assert b"3 created" in ended.stdout


@pytest.mark.parametrize(("words", "closed", "code"), [
    (("sync",), (0, 1, 2), 0),
    (("sync",), (2,), 0),
    (("status",), (1,), 0),
    (("why", "-"), (0,), 2),
    (("forget", "ann@acme.example"), (0,), 3),
])  # fmt: skip
def test_closed_streams_are_as_empty_ones(known: Box, words: tuple[str, ...], closed: tuple[int, ...], code: int) -> None:
    """As some services start their programs: nobody answers and nobody listens, and the exit code is the same."""

    def close() -> None:
        for number in closed:
            os.close(number)

    assert program(known, *words, stdin=subprocess.DEVNULL, preexec_fn=close).returncode == code


@pytest.mark.parametrize("words", [("why", "sato@acme.example"), ("export", "people"), ("export", "person", "sato@acme.example")])
def test_letters_that_a_terminal_does_not_have_are_spelled_out(known: Box, words: tuple[str, ...]) -> None:
    """A name in another script is no reason to stop."""
    ended = program(known, *words, env={**os.environ, "PYTHONIOENCODING": "cp1252"})
    assert ended.returncode == 0, ended.stderr
    assert rb"\u4f50\u85e4" in ended.stdout


def _migrated(made: Move) -> tuple[str, ...]:
    return ("--approve", made.json("survey", *WAY)["digest"])


PHASES: dict[str, Callable[[Move], tuple[str, ...]]] = {"survey": lambda _: WAY, "load": _migrated}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("phase", PHASES)
def test_a_second_signal_ends_what_waits_for_an_answer(tmp_path: Path, phase: str, number: signal.Signals) -> None:
    """While a slow system is read the first signal breaks off; a second one, before that has come through, ends the program at once, exit 130, no traceback."""
    with move(tmp_path) as made:
        made.people(2)
        words = PHASES[phase](made)
        made.box.reset()
        made.box.worlds.hubspot.latency_s = 3.0
        begun = subprocess.Popen([*RUN, "migrate", phase, *words, "--config", str(made.box.config)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        until(made.box.calls)
        begun.send_signal(number)
        while begun.poll() is None:
            begun.send_signal(number)
        _, told = begun.communicate(timeout=2)
        assert (begun.returncode, b"Traceback" in told) == (130, False), told
        made.box.worlds.hubspot.latency_s = 0.0
        assert made.phase(phase, *words).exit_code == 0
