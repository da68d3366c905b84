"""The log of a service: one form for all who speak, and nobody's data in it."""

from __future__ import annotations

import subprocess
import sys

import orjson

PROGRAM = """
import logging
import structlog
from stagesync.app import logs

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
"""


def test_every_line_is_json_without_anybodys_data() -> None:
    """Our lines and the libraries' are objects with time and level; addresses, numbers and tokens are replaced; of an error type and place are told."""
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    lines = [orjson.loads(line) for line in told.stderr.splitlines()]
    assert [line["event"].partition(" ")[0] for line in lines] == ["run", "bound", "Retrying", "Exception"]
    assert lines[0]["run"] == 7
    assert lines[0]["reason"] == "<e-mail>, <number> and *** were there"
    assert lines[0]["slot"] == "2026-05-04T10:00:00.000Z"
    assert lines[1]["workspace"] == "acme"
    assert lines[2]["logger"] == "urllib3.connectionpool"
    assert lines[3]["error"].startswith("ValueError at ")
    assert all(line["level"] and line["timestamp"].endswith("Z") for line in lines)
    assert "anna" not in told.stderr
    assert "Traceback" not in told.stderr
