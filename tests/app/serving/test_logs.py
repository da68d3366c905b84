"""The log of a service: one form for all who speak, and nobody's data in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson
import structlog
from cli_box import box

PROGRAM = """
import logging
import structlog
from stagesync.app.terminal import logs
from stagesync.app.crew import in_threads
from stagesync.sync.beside import THREADS

logs.configure()
log = structlog.get_logger("stagesync.service")
token = "-".join(("pat", "na1", "0a1b2c3d"))
log.info("run ended", workspace="acme", run=7, reason=f"anna@acme.example, +49 30 1234567 and {token} were there", slot="2026-05-04T10:00:00.000Z")
log.debug("not told")
with structlog.contextvars.bound_contextvars(workspace="acme"):
    log.warning("bound")
logging.getLogger("urllib3.connectionpool").warning("Retrying after %s", "/contacts/anna@acme.example?hapikey=1")
logging.getLogger("httpx").info("HTTP Request: GET https://example.invalid/anna@acme.example")
try:
    raise ValueError("anna@acme.example")
except ValueError:
    logging.getLogger("uvicorn.error").exception("Exception in ASGI application")


def source(system):
    logging.getLogger("httpx").warning(f"read {system}")
    yield system


with logs.about("acme"):
    log.info("before")
    logs.run_begins(7)
    THREADS.run([lambda: logging.getLogger("urllib3").warning("one"), lambda: log.info("two")])
    in_threads([lambda: log.info("three"), lambda: logging.getLogger("urllib3").warning("four")], 2)
    list(THREADS.merge({1: source("hubspot"), 2: source("salesforce")}))
log.info("after")
"""


def test_every_line_is_json_without_anybodys_data() -> None:
    """Our lines and the libraries' are objects with time and level; addresses, numbers and tokens are replaced; of an error type and place are told."""
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    lines = [orjson.loads(line) for line in told.stderr.splitlines()]
    assert [line["event"].partition(" ")[0] for line in lines[:4]] == ["run", "bound", "Retrying", "Exception"]
    assert lines[0]["run"] == 7
    assert lines[0]["reason"] == "<e-mail>, <number> and *** were there"
    assert lines[0]["slot"] == "2026-05-04T10:00:00.000Z"
    assert lines[1]["workspace"] == "acme"
    assert lines[2]["logger"] == "urllib3.connectionpool"
    assert lines[3]["error"].startswith("ValueError at ")
    assert all(line["level"] and line["timestamp"].endswith("Z") for line in lines)
    assert "anna" not in told.stderr
    assert "Traceback" not in told.stderr
    before, *during, after = lines[4:]
    assert sorted(line["event"] for line in during) == ["four", "one", "read hubspot", "read salesforce", "three", "two"]
    assert {(line["workspace"], line["run"]) for line in during} == {("acme", 7)}, "threads of a run and libraries in them speak of it"
    assert ("run" in before, before["workspace"]) == (False, "acme")
    assert not {"run", "workspace"} & after.keys()


def test_a_command_that_nobody_watches_logs_its_run(tmp_path: Path) -> None:
    """Where stderr is no terminal, its last line there is one of the service's kind, also where it broke off; the sentence for people comes besides."""
    with box(tmp_path, people=0) as made:
        made.worlds.hubspot.by_hand.create({"email": "anna.canary@acme.example", "lastname": "Canary"})
        for words, expected in (
            (("plan",), {"run": 1, "state": "planned", "people": 1, "writes": 0}),
            (("sync", "--yes"), {"run": 2, "state": "applied", "people": 1, "writes": 1, "held": 0, "rejected": 0, "new_holds": 0}),
            (("undo", "2"), {"run": 3, "state": "planned", "level": "error"}),
            (("verify",), {}),
        ):
            told = made.run(*words).stderr.splitlines()
            line = orjson.loads(told[0])
            assert line.items() >= {"event": "command ended", "command": words[0], "workspace": "box", "level": "info", **expected}.items()
            assert ("run" in line) == ("run" in expected)
            assert [each.startswith("stagesync: stopped before the first write") for each in told[1:2]] == [True] * ("reason" in line)
            assert "canary" not in str(told).lower()
    assert not structlog.is_configured()
