"""Holds the locked dependencies against the public list of known vulnerabilities (OSV), by pip-audit: `make audit`, a part of `make lint`.

Nothing is resolved or installed: each pinned version of requirements.txt is asked for by name. A machine that cannot reach the list is told so in one line, and
that is no failure; a found vulnerability is one. To live with one for a while, write it into `.ci/accepted.toml`:

    [[accept]]
    id = "PYSEC-2026-1"
    reason = "only concerns its server, which is never started"
    until = 2027-03-31
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PINNED = re.compile(r"^([A-Za-z0-9._-]+==\S+)(?: *;[^\\\n]*)?", re.MULTILINE)
OFFLINE = ("ConnectionError", "ConnectTimeout", "ReadTimeout", "Could not connect", "ServiceError")
"""How pip-audit's errors are called where the list cannot be reached, or does not answer as it should."""
SIDE_BY_SIDE = 4
LONGEST_S = 20.0


class NotAudited(Exception):
    """The list could not be asked; the reason, in a word or two."""


@dataclass(frozen=True)
class Found:
    """One known vulnerability of a version that we use. `mended`: the versions that do not have it."""

    package: str
    version: str
    names: tuple[str, ...]
    mended: tuple[str, ...]

    def __str__(self) -> str:
        remedy = f"take {' or '.join(self.mended)}: make lock ARGS='--upgrade-package {self.package}'" if self.mended else "no version mends it yet"
        return f"{self.package} {self.version}: {', '.join(self.names)}\n  -> {remedy}; or accept it for a while in .ci/accepted.toml"


def pinned(requirements: str) -> list[str]:
    """The pinned versions, without hashes: `name==1.2 ; marker`."""
    return [found.group().strip() for found in PINNED.finditer(requirements)]


def accepted(told: str, today: date) -> tuple[frozenset[str], list[str]]:
    """The vulnerabilities that somebody accepted, and what is wrong with that: no reason, no end, or an end that has passed."""
    ids: set[str] = set()
    problems: list[str] = []
    for entry in tomllib.loads(told).get("accept", []):
        name, until = str(entry.get("id", "?")), entry.get("until")
        if not entry.get("reason") or not isinstance(until, date):
            problems.append(f".ci/accepted.toml: {name} needs a `reason` and an `until`, a date")
        elif until < today:
            problems.append(f".ci/accepted.toml: {name} was accepted until {until}\n  -> take a version that mends it, or decide anew")
        else:
            ids.add(name)
    return frozenset(ids), problems


def ask(packages: Sequence[str], url: str | None) -> list[Found]:
    """What is known of these versions. Raises `NotAudited`."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "requirements.txt"
        listed.write_text("\n".join(packages), "utf-8")
        words = ["-r", str(listed), "--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "5", "--cache-dir", folder]
        command = [sys.executable, "-m", "pip_audit", *words, "--vulnerability-service", "osv", *(["--osv-url", url] if url else [])]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S, check=False)
        except subprocess.TimeoutExpired:
            raise NotAudited("the list of vulnerabilities is too slow") from None
    if done.stdout.startswith("{"):
        return found_in(json.loads(done.stdout))
    if any(name in done.stderr for name in OFFLINE):
        raise NotAudited("offline")
    last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
    raise SystemExit(f"the audit itself failed: {re.sub(r'https?://[^ ]+', '<address>', last[0])}")


def found_in(told: Mapping[str, Any]) -> list[Found]:
    """The vulnerabilities in pip-audit's report."""
    return [
        Found(each["name"], each["version"], (vuln["id"], *vuln.get("aliases", ())), tuple(vuln.get("fix_versions", ())))
        for each in told["dependencies"]
        for vuln in each.get("vulns", ())
    ]


def main(folder: Path = HERE, url: str | None = None, today: date | None = None) -> int:
    """0 where nothing is known, or nobody could be asked; 1 where somebody must do something."""
    packages = pinned((folder.parent / "requirements.txt").read_text("utf-8"))
    ids, problems = accepted((folder / "accepted.toml").read_text("utf-8"), today or date.today())  # noqa: DTZ011  # a day's difference is none here
    parts = [packages[start::SIDE_BY_SIDE] for start in range(SIDE_BY_SIDE) if packages[start::SIDE_BY_SIDE]]
    try:
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            found = [each for part in pool.map(lambda part: ask(part, url), parts) for each in part]
    except NotAudited as reason:
        print(f"not audited: {reason}")  # noqa: T201  # what the command says
        found = []
    else:
        print(f"{len(packages)} packages audited, known vulnerabilities: {len(found)}")  # noqa: T201  # what the command says
    told = [str(each) for each in found if not ids & set(each.names)] + problems
    if told:
        print("\n".join(told), file=sys.stderr)  # noqa: T201  # what the command says
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(url=os.environ.get("AUDIT_URL")))
