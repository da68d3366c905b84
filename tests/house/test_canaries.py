"""The look for secrets through the whole suite finds what it is meant to find: a session in which each kind of leak was planted fails and names them all."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from canaries import SECRETS, addresses_in, secrets_in
from house import ROOT

PLANTED = """
import logging, sqlite3, sys
import typer
from typer.testing import CliRunner
from stagesync.model.errors import StagesyncError

SECRET = "{secret}"
app = typer.Typer()

@app.command()
def say(word: str) -> None:
    typer.echo(f"hello anna@acme.example and {{word}}", err=True)

def test_file(tmp_path):
    (tmp_path / "box.toml").write_text(SECRET)
    state = sqlite3.connect(tmp_path / "state.db")
    state.execute("PRAGMA journal_mode = wal")
    state.execute("CREATE TABLE t (x)")
    state.execute("INSERT INTO t VALUES (?)", [SECRET])
    state.commit()
    (tmp_path / "kept").hardlink_to(tmp_path / "state.db-wal")
    state.close()

def test_print():
    print(SECRET)

def test_log():
    logging.getLogger("x").warning("met bert@acme.example")

def test_error():
    StagesyncError("no", where=SECRET)

def test_stderr():
    CliRunner().invoke(app, ["cleo@acme.example"])
"""
CONFTEST = """
from canaries import Canaries

def pytest_configure(config):
    config.pluginmanager.register(Canaries(config), "canaries")
"""


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_every_kind_of_leak_is_found(workers: tuple[str, ...]) -> None:
    """In a state's log, on stdout, in a log record, in an error, on stderr, with workers and without; the report itself does not tell the secret."""
    with tempfile.TemporaryDirectory() as place:  # outside of the folder that our own session looks through
        folder = Path(place)
        (folder / "test_planted.py").write_text(PLANTED.format(secret=SECRETS[0]), "utf-8")
        (folder / "conftest.py").write_text(CONFTEST, "utf-8")
        (folder / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT / 'tests' / 'workshop'}\n", "utf-8")
        words = ["-q", "-p", "no:cacheprovider", "--rootdir", place, "--basetemp", str(folder / "made"), *workers, place]
        done = subprocess.run([sys.executable, "-m", "pytest", *words], cwd=place, check=False, capture_output=True, text=True)
    assert "5 passed" in done.stdout
    assert done.returncode == 1, done.stdout
    found = [line.strip() for line in done.stdout.splitlines() if line.startswith("  ")]
    wanted = ("state.db", "kept", "Captured stdout call", "a log record of x", "a StagesyncError", "stderr")
    assert len(found) == len(wanted), found
    assert [place for place in wanted if not any(place in line for line in found)] == []
    assert [line for line in found if "toml" in line or "cleo" in line] == []
    assert SECRETS[0] not in done.stdout


def test_what_is_a_canary() -> None:
    """Every named secret, and tokens that the worlds hand out; an address is one of a person, unless it was typed."""
    for secret in (*SECRETS, f"oauth-{'0a' * 16}", "00D5g000000ABCD!AQabcdef12"):
        assert secrets_in(b'{"x": "' + secret.encode() + b'"}') == [f"{secret[:8]}***"]
    assert secrets_in(b"pat-sandbox, oauth-2, 00D5g000000H0B1EAK") == []
    assert addresses_in("met anna@acme.example, bert@mail.acme.example and <e-mail>", "anna@acme.example") == ["bert@mail.acme.example"]
