"""The rules of the house that no other tool checks: its rooms, its packages, its size, what may be said in it."""

from __future__ import annotations

import ast
import re
import socket
import sys
import time
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from house import BESIDE, ROOMS, ROOT, project_files, pyproject, room_files

LONGEST_MODULE = 400
IN_THE_TREE = [path for path in project_files() if path.suffix == ".py"]
IN_THE_ROOMS = [path for path in room_files() if path.suffix == ".py"]

MACHINE = re.compile(r"(?<![\w.])/(?:work|farm|root|tmp|opt|home/\w+)/[A-Za-z0-9]")
REGISTRY = re.compile(r"index[-_]url|pypi[.]org|pythonhosted[.]org|registry[.]npmjs|find[-]links")
WAIVER = re.compile(r"#\s*(?:noqa\b(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?|(?:type|pyright):\s*ignore\b(?:\[[^\]]*\])?)(?P<reason>.*)")


def test_the_folders_are_the_rooms_and_what_stands_beside_them() -> None:
    """A new top-level folder is a decision about the house, so it is made here and not by accident."""
    folders = {path.parts[0] for path in project_files() if len(path.parts) > 1}
    assert set(ROOMS) <= folders <= set(ROOMS) | set(BESIDE)


def test_every_folder_with_modules_is_a_listed_package() -> None:
    """The wheel holds what pyproject.toml lists, so the list and the tree are the same."""
    tree = {".".join(("stagesync", *path.parent.parts)) for path in IN_THE_ROOMS}
    assert pyproject()["tool"]["setuptools"]["packages"] == sorted(tree)


def test_every_package_is_one_on_purpose() -> None:
    """A folder of modules has its own __init__.py: only stagesync itself is an implicit namespace."""
    assert {str(path.parent) for path in IN_THE_ROOMS if not (ROOT / path).with_name("__init__.py").is_file()} == set()


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_typed_for_its_users(room: str) -> None:
    """Each portion of the namespace carries its own py.typed, since none stands above them."""
    assert (ROOT / room / "py.typed").is_file()


def test_modules_hold_one_idea() -> None:
    """A module that outgrows 400 lines has a second idea that wants a place of its own."""
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in IN_THE_TREE}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_nothing_names_a_machine_or_a_registry() -> None:
    """What is written here holds on every machine: no path of one, no address that packages come from."""
    found = [f"{path}:{number}: {line.strip()[:120]}" for path, number, line in _lines() if MACHINE.search(line) or REGISTRY.search(line)]
    assert found == []


def test_every_waiver_has_its_reason_beside_it() -> None:
    """A rule that is switched off says why on the same line."""
    found = []
    for path in IN_THE_TREE:
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
            waived = WAIVER.search(line)
            if waived and "re.compile" not in line and len(waived["reason"].strip(" #-:()")) < 8:
                found.append(f"{path}:{number}: {line.strip()}")
    assert found == []


def test_every_library_in_use_is_declared() -> None:
    """An import that works only because another package happens to bring it would break for a user of the wheel."""
    project = pyproject()["project"]
    declared = {_plain(name) for names in (project["dependencies"], *project["optional-dependencies"].values()) for name in names}
    owners = packages_distributions()
    undeclared = {
        f"{path} imports {name}"
        for path in IN_THE_ROOMS
        for name in _imports(path)
        if name not in sys.stdlib_module_names and name != "stagesync" and declared.isdisjoint(_plain(owner) for owner in owners.get(name, []))
    }
    assert undeclared == set()


def test_what_calls_itself_pure_is_held_to_it() -> None:
    """A module of sync whose docstring says Pure is under the contract that the core does no I/O."""
    contracts = {contract["name"]: contract for contract in pyproject()["tool"]["importlinter"]["contracts"]}
    held = {name for name in contracts["The core does no I/O"]["source_modules"] if name.startswith("stagesync.sync.")}
    modules = [path for path in IN_THE_ROOMS if path.parts[0] == "sync"]
    pure = {
        ".".join(("stagesync", *path.with_suffix("").parts)) for path in modules if "Pure." in (ast.get_docstring(ast.parse((ROOT / path).read_text())) or "")
    }
    assert {name for name in pure if not any(name == room or name.startswith(f"{room}.") for room in held)} == set()


def test_the_network_is_out_of_reach() -> None:
    """The guard over all tests refuses a connection beyond this machine, and a look-up of a name."""
    with socket.socket() as beyond, pytest.raises(pytest.fail.Exception, match="leave this machine"):
        beyond.connect(("192.0.2.1", 80))
    with pytest.raises(pytest.fail.Exception, match="looks up"):
        socket.getaddrinfo("example.com", 80)


def test_long_sleeps_are_refused() -> None:
    """The guard over all tests refuses to wait."""
    with pytest.raises(pytest.fail.Exception, match="must not wait"):
        time.sleep(60)


def _lines() -> Iterator[tuple[Path, int, str]]:
    """Every line of every text file of the project."""
    for path in project_files():
        try:
            text = (ROOT / path).read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            yield path, number, line


def _imports(path: Path) -> set[str]:
    """The top-level names that a module imports absolutely, wherever in it."""
    tree = ast.parse((ROOT / path).read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module}
    return {name.partition(".")[0] for name in names}


def _plain(requirement: str) -> str:
    """The normalised name of a requirement (PEP 503), without its extras and versions."""
    name = re.match(r"[\w.-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()
