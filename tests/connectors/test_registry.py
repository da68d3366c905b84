"""Connectors are found by entry points; a broken one concerns nobody else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stagesync.connectors.registry import GROUP, find, listed
from stagesync.model.errors import ConfigurationError


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three packages of strangers, installed: one that works, one that fails on import, one that is no connector."""
    (tmp_path / "stranger_good.py").write_text(
        'class P:\n    name = "good"\n    settings = dict\n    def defaults(self): return {}\n    def open(self, *a): ...\nplugin = P()\n'
    )
    (tmp_path / "stranger_bad.py").write_text('raise RuntimeError("no licence")\n')
    (tmp_path / "stranger_odd.py").write_text("plugin = 1\n")
    for name in ("good", "bad", "odd"):
        about = tmp_path / f"stranger_{name}-1.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: stranger-{name}\nVersion: 1\n")
        (about / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = stranger_{name}:plugin\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in ("good", "bad", "odd"):
        sys.modules.pop(f"stranger_{name}", None)


def test_the_built_in_ones_are_registered() -> None:
    """Both vendors come through the same door as a stranger's connector."""
    assert {"hubspot", "salesforce"} <= {each.name for each in listed() if each.plugin is not None}
    assert find("hubspot").name == "hubspot"


def test_an_unknown_connector_names_the_known_ones() -> None:
    """A mistyped word in the configuration is answered with its place and what there is."""
    with pytest.raises(ConfigurationError) as caught:
        find("hubspott", where="systems.marketing.connector")
    assert caught.value.where == "systems.marketing.connector"
    assert "hubspot, salesforce" in caught.value.next_step


@pytest.mark.usefixtures("strangers")
def test_a_broken_one_is_listed_and_not_fatal() -> None:
    """The others work, and the list says what is wrong with it."""
    found = {each.name: each for each in listed()}
    assert found["good"].plugin is not None
    assert found["bad"].plugin is None
    assert "no licence" in found["bad"].problem
    assert "lacks name, settings" in found["odd"].problem
    assert find("good").name == "good"


@pytest.mark.usefixtures("strangers")
@pytest.mark.parametrize("name", ["bad", "odd"])
def test_asking_for_a_broken_one_says_why(name: str) -> None:
    """Only then it is an error."""
    with pytest.raises(ConfigurationError, match="cannot be loaded"):
        find(name)
