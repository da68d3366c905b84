"""What the house is made of, for the tests that look at the tree itself."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("app", "connectors", "lifecycle", "mapping", "model", "sandbox", "state", "sync")
BESIDE = (".ci", "bench", "docs", "examples", "tests")


def project_files() -> list[Path]:
    """Every file that belongs to the project, relative to its root, sorted; new ones count before they are committed."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True, text=True)
    return sorted(path for name in set(listed.stdout.split("\0")) if name and (ROOT / (path := Path(name))).is_file())


def room_files() -> list[Path]:
    """The project's files that lie in a room."""
    return [path for path in project_files() if path.parts[0] in ROOMS]


def pyproject() -> dict[str, Any]:
    """The project's own description of itself."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())
