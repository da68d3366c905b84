"""The documents hold together: their links lead somewhere and their configuration examples can be read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from house import ROOT, project_files

DOCUMENTS = [path for path in project_files() if path.suffix == ".md"]
LINK = re.compile(r"\]\((?P<target>[^)\s]+)(?:\s+\"[^\"]*\")?\)")
FENCE = re.compile(r"^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```\s*$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6}\s+(.*)$", re.MULTILINE)


def test_links_lead_somewhere() -> None:
    """Every relative link names a file of the project, and every anchor a heading in it."""
    broken = [
        f"{document}: {link['target']}"
        for document in DOCUMENTS
        for link in LINK.finditer(FENCE.sub("", (ROOT / document).read_text()))
        if not _resolves(document, link["target"])
    ]
    assert broken == []


def test_configuration_examples_can_be_read() -> None:
    """Every fenced piece of TOML parses."""
    unreadable = []
    for document in DOCUMENTS:
        for fence in FENCE.finditer((ROOT / document).read_text()):
            try:
                tomllib.loads(fence["text"] if fence["language"] == "toml" else "")
            except tomllib.TOMLDecodeError as error:
                unreadable.append(f"{document}: {error}")
    assert unreadable == []


def _resolves(document: Path, target: str) -> bool:
    if re.match(r"[a-z]+:", target):
        return True
    name, _, anchor = target.partition("#")
    linked = (ROOT / document.parent / name) if name else ROOT / document
    if not linked.exists() or not linked.resolve().is_relative_to(ROOT):
        return False
    return not anchor or linked.suffix != ".md" or anchor in _anchors(linked.read_text())


def _anchors(text: str) -> set[str]:
    """The names under which headings are reached: lower case, punctuation gone, spaces to hyphens (GitHub's way)."""
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in HEADING.findall(FENCE.sub("", text))}
