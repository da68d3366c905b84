"""What only shows in a process of its own: signals, a terminal, ports, what is loaded."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from cli_box import Box, box, cli
from service import until
from terminal import RUN, at_terminal, read_until

HEAVY = ("sqlalchemy", "pydantic", "orjson", "hubspot", "simple_salesforce", "requests", "httpx", "phonenumbers", "starlette", "uvicorn", "alembic", "keyring")
posix = pytest.mark.skipif(os.name != "posix", reason="signals and terminals are other things there")


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Box]:
    """Both worlds with enough people for several batches; every call takes a moment."""
    with box(tmp_path, people=600) as made:
        made.worlds.hubspot.latency_s = made.worlds.salesforce.latency_s = 0.03
        yield made


@contextmanager
def sandbox(*words: str) -> Iterator[subprocess.Popen[str]]:
    """`stagesync sandbox` in a process of its own."""
    process = subprocess.Popen([*RUN, "sandbox", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def get(port: int, path: str) -> Any:
    """The JSON that a world answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return orjson.loads(connection.getresponse().read())
    finally:
        connection.close()


def port_of(key: str, config: Path) -> int:
    """The port in a written configuration."""
    found = re.search(rf'{key} = "http://127.0.0.1:(\d+)"', config.read_text("utf-8"))
    assert found is not None
    return int(found.group(1))


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_runs_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    """The configuration appears when both ports listen, works as it is, and a signal ends the sandbox with exit 0."""
    config = tmp_path / "box.toml"
    with sandbox("--people", "20", "--seed", "5", "--write-config", str(config)) as process:
        until(config.exists)
        assert get(port_of("base_url", config), "/_sandbox/calls") == {}
        first = cli("sync", "--yes", "--config", str(config))
        assert first.exit_code in (0, 1), first.stderr
        assert cli("sync", "--config", str(config)).exit_code == 0
        assert cli("verify", "--config", str(config)).exit_code == 0
        assert get(port_of("instance_url", config), "/_sandbox/calls") != {}
        process.send_signal(number)
        assert process.wait(timeout=10) == 0
    assert sorted(path.name for path in tmp_path.iterdir() if "sync" not in path.name) == ["box.toml"]


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    """Exit 2, and no configuration is written."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = tmp_path / "box.toml"
        result = cli("sandbox", "--hubspot-port", str(taken.getsockname()[1]), "--salesforce-port", "0", "--people", "1", "--write-config", str(config))
    assert result.exit_code == 2
    assert "a port cannot be used" in result.stderr
    assert not config.exists()


def test_export_files_come_in_pairs_and_are_read_with_care(tmp_path: Path) -> None:
    """One file alone, files together with invented people, and a file that is none: exit 2 with what to do."""
    bad = tmp_path / "bad.csv"
    bad.write_text("nothing,useful\n1,2\n", "utf-8")
    for words, said in (
        (("--hubspot-csv", str(bad)), "give both"),
        (("--hubspot-csv", str(bad), "--salesforce-csv", str(bad), "--people", "3"), "either invented or loaded"),
        (("--hubspot-csv", str(bad), "--salesforce-csv", str(bad)), "bad.csv"),
        (("--hubspot-csv", str(tmp_path / "none.csv"), "--salesforce-csv", str(bad)), "none.csv"),
    ):
        result = cli("sandbox", *words)
        assert result.exit_code == 2, words
        assert said in result.stderr


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_sync_finishes_its_batch_and_goes_on_next_time(full: Box, number: signal.Signals) -> None:
    """After the first batch: the last line is printed, what is left is said, exit 130; the next runs end where an unbroken one would have."""
    process = subprocess.Popen([*RUN, "sync", "--yes", "--config", str(full.config)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: any("batch/create" in call or "batch/update" in call for call in full.calls()))
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert out.splitlines()[-1].startswith("people=")
    left = re.search(r"stopped when asked to; ([\d,]+) writes are left for the next run", err)
    assert left is not None, err
    assert left.group(1) != "0"
    assert "Traceback" not in err
    cli("sync", "--yes", "--config", str(full.config))
    assert cli("sync", "--config", str(full.config)).exit_code == 0
    assert cli("verify", "--config", str(full.config)).exit_code == 0


@posix
def test_an_interrupted_plan_leaves_nothing_behind(full: Box) -> None:
    """While it reads, a signal ends the run at once with exit 130 and nothing is written anywhere."""
    process = subprocess.Popen([*RUN, "plan", "--config", str(full.config)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: "GET /crm/v3/objects/contacts" in full.calls())
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert full.written() == []
    assert full.run("plan").exit_code == 0


@posix
@pytest.mark.parametrize(("answer", "code"), [("n", 3), ("y", 0)])
def test_on_a_terminal_the_first_run_is_asked_about(tmp_path: Path, answer: str, code: int) -> None:
    """Somebody at a terminal sees the plan and decides: no is exit 3 with nothing written, yes goes on."""
    with box(tmp_path, people=0) as made:
        made.worlds.hubspot.by_hand.create({"email": "ann@acme.example", "lastname": "Lee"})
        with at_terminal("sync", "--config", str(made.config)) as (process, ours):
            shown = read_until(ours, b"Go on?")
            assert b"this is the first run" in shown.lower()
            os.write(ours, answer.encode() + b"\n")
            assert b'"event"' not in shown + read_until(ours, None), "the log is for those who look later"
        assert process.returncode == code
        assert len(list(made.worlds.salesforce.rows("Lead"))) == (1 if answer == "y" else 0)


def test_help_loads_nothing_heavy() -> None:
    """`stagesync --help` comes without the libraries that take their time to load."""
    program = f"import sys; import stagesync.app.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"
