"""The wheel is the product: what is in it works without this folder around it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest
from house import ROOT, project_files, pyproject, room_files

IMPORT_ALL = """
import importlib, pathlib, sys
import stagesync
root = pathlib.Path(sys.argv[1])
for path in sorted(root.rglob("*.py")):
    name = ".".join(path.relative_to(root.parent).with_suffix("").parts).removesuffix(".__init__")
    if ".migrations." in name:  # run by Alembic in its own context, not imported
        continue
    module = importlib.import_module(name)
    assert module.__file__ == str(path), f"{name} came from {module.__file__}"
    print(name)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built, without the network, from a copy of the project's files alone."""
    source = tmp_path_factory.mktemp("source")
    for path in project_files():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, source / path)
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-build-isolation", "--no-deps", "--wheel-dir", str(out), str(source)]
    built = subprocess.run(build, check=False, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return next(out.glob("stagesync-*.whl"))


def test_the_wheel_holds_every_file_of_the_rooms(wheel: Path) -> None:
    """Code, default maps, presets, migrations and type markers are all inside, and nothing else is."""
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert inside == {f"stagesync/{path.as_posix()}" for path in room_files()}


def test_the_wheel_registers_command_and_connectors(wheel: Path) -> None:
    """The command and the built-in connectors are found the way a plugin's are: by entry points."""
    entries = ConfigParser(delimiters=("=",))
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt"))
        entries.read_string(archive.read(name).decode())
    project = pyproject()["project"]
    assert dict(entries["console_scripts"]) == project["scripts"]
    assert dict(entries["stagesync.connectors"]) == project["entry-points"]["stagesync.connectors"]


def test_the_wheel_works_outside_the_repository(wheel: Path, tmp_path: Path) -> None:
    """Every module imports from an installed wheel, in a fresh interpreter far from this folder."""
    target = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(target)
    env = {**os.environ, "PYTHONPATH": str(target)}
    command = [sys.executable, "-W", "error", "-c", IMPORT_ALL, str(target / "stagesync")]
    imported = subprocess.run(command, check=False, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert imported.returncode == 0, imported.stderr
    assert "stagesync.model" in imported.stdout.split()
