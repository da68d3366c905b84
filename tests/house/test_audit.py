"""The audit of dependencies: no list within reach is one line, a known vulnerability a failure with its remedy, and acceptance has reason and end."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from house import ROOT
from lean_world import LeanWorld

from stagesync.sandbox.base import json_response
from stagesync.sandbox.server import serve
from stagesync.sandbox.wire import Request, Response

TODAY = date(2026, 11, 29)
KNOWN = {
    "id": "PYSEC-2026-1",
    "aliases": ["CVE-2026-0001"],
    "summary": "somebody may read what is not theirs",
    "affected": [{"package": {"name": "idna", "ecosystem": "PyPI"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.99"}]}]}],
}


@pytest.fixture(scope="module")
def audit() -> Any:
    """The program as a module."""
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["audit"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with two pinned packages, and nothing accepted."""
    pins = ("idna==3.20", "tomli==2.5.0 ; python_full_version < '3.99'")
    (tmp_path / "requirements.txt").write_text("".join(f"{pin} \\\n    --hash=sha256:00\n" for pin in pins), "utf-8")
    place = tmp_path / ".ci"
    place.mkdir()
    (place / "accepted.toml").write_text("", "utf-8")
    return place


@pytest.fixture
def known() -> Iterator[str]:
    """The address of a list that knows something about idna."""

    def asked(request: Request) -> Response:
        return json_response({"vulns": [KNOWN]} if orjson.loads(request.body)["package"]["name"] == "idna" else {})

    with serve(LeanWorld({"POST /v1/query": asked}, Response(404))) as url:
        yield f"{url}/v1/query"


def test_offline_is_no_failure(audit: Any, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One plain line, without the address that could not be reached."""
    assert audit.main(folder, "http://127.0.0.1:9/v1/query", TODAY) == 0
    assert capfd.readouterr() == ("not audited: offline\n", "")


def test_a_known_vulnerability_fails_and_says_what_to_do(audit: Any, folder: Path, known: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Package, version, all names of the vulnerability, and the version that mends it; accepted by any of its names it is no failure, until its day."""
    assert audit.main(folder, known, TODAY) == 1
    out, err = capfd.readouterr()
    assert out == "2 packages audited, known vulnerabilities: 1\n"
    assert err.startswith("idna 3.20: PYSEC-2026-1, CVE-2026-0001\n  -> take 3.99: make lock")
    (folder / "accepted.toml").write_text('[[accept]]\nid = "CVE-2026-0001"\nreason = "never called"\nuntil = 2026-11-29\n', "utf-8")
    assert audit.main(folder, known, TODAY) == 0
    assert audit.main(folder, known, date(2026, 11, 30)) == 1
    assert "was accepted until 2026-11-29" in capfd.readouterr().err


LACKS = ("id = 'X'\nuntil = 2027-01-01", "id = 'X'\nreason = 'so'", "id = 'X'\nreason = 'so'\nuntil = 'soon'", "reason = ''\nuntil = 2027-01-01")


@pytest.mark.parametrize("entry", LACKS)
def test_nothing_is_accepted_without_reason_and_end(audit: Any, entry: str) -> None:
    """Each lack is named, and nothing is accepted."""
    ids, problems = audit.accepted(f"[[accept]]\n{entry}\n", TODAY)
    assert (ids, len(problems)) == (frozenset(), 1)


def test_every_locked_package_is_asked_for(audit: Any) -> None:
    """What is read of requirements.txt is all of it, in the form that the audit takes."""
    text = (ROOT / "requirements.txt").read_text("utf-8")
    pins = audit.pinned(text)
    assert len(pins) == sum("==" in line and "--hash" not in line for line in text.splitlines())
    assert all("\\" not in pin and "--hash" not in pin for pin in pins)
    assert audit.accepted((ROOT / ".ci" / "accepted.toml").read_text("utf-8"), TODAY)[1] == []
