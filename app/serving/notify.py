"""Whom to tell of what: the `[notify]` table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ...model.ports import Secret
from ..configuration.secrets import read_secret
from ..configuration.tables import Table
from .timetable import read_span

KINDS = ("holds", "stops", "failures", "breaches")


@dataclass(frozen=True, slots=True)
class Notify:
    """`urls`: addresses as apprise writes them, which hold credentials. `on`: kinds of news. `quiet_ms`: no second message before that is over.

    `people`: messages name the people whom they concern.
    """

    urls: tuple[Secret, ...]
    on: tuple[str, ...] = KINDS
    quiet_ms: int = 900_000
    people: bool = False


def read_notify(table: Table, folder: Path) -> Notify | None:
    """The `[notify]` table; None without one: nobody is told."""
    if not table.values:
        return None
    table.only(("urls", "on", "quiet", "people"))
    given = table.values.get("urls")
    if not isinstance(given, list) or not given:
        table.problems.add(table.at("urls"), "must be a list of addresses", 'For example urls = [{ env = "SLACK_URL" }]')
        return None
    urls = [read_secret(url, f"{table.at('urls')}[{number}]", folder, table.problems, clear=False) for number, url in enumerate(cast("Sequence[Any]", given))]
    on = table.words("on", KINDS)
    return Notify(
        tuple(url for url in urls if url is not None), KINDS if on is None else tuple(on), read_span(table, "quiet", 900_000, 0), table.flag("people", False)
    )
