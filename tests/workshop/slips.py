"""Slips in a table of the configuration: what is told of them, as somebody reads it, and that each is told by one line of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import pytest

from stagesync.lifecycle.parsing import Tell

Made = TypeVar("Made")


def told_by(read: Callable[[Tell], Made]) -> tuple[Made, list[str]]:
    """What a reader makes of a table, and the lines that it tells: the TOML path, what is wrong, and what to do."""
    told: list[str] = []
    return read(lambda path, what, remedy: told.append(f"{path}: {what}. {remedy}")), told


def each_of(slips: Sequence[tuple[str, str]]) -> pytest.MarkDecorator:
    """A test for each `text` with one slip, and how the line begins that is `said` of it."""
    return pytest.mark.parametrize(("text", "said"), slips, ids=[str(number) for number in range(len(slips))])


def expect_one(told: Sequence[str], said: str) -> None:
    """One slip gives one line."""
    assert [line[: len(said)] for line in told] == [said], told
