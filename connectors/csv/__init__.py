"""A file as a system: .csv, .tsv or .jsonl. The plugin; everything heavy is loaded when it is used, so that `--help` stays quick."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..contract import Connector, Ports


class CsvPlugin:
    """What the entry point `csv` gives."""

    name = "csv"

    @property
    def settings(self) -> type[Any]:
        """The keys of a `[systems.NAME]` table with `connector = "csv"`."""
        from .settings import CsvSettings

        return CsvSettings

    def defaults(self) -> Mapping[str, Any]:
        """The columns of HubSpot's and Salesforce's own exports."""
        return tomllib.loads(files(__name__).joinpath("defaults.toml").read_text(encoding="utf-8"))

    def open(self, system: str, settings: Any, ports: Ports) -> Connector:
        """The file's connector; nothing is read yet."""
        from .connector import FileConnector

        return FileConnector(system, settings, ports.clock, ports.sending)


plugin = CsvPlugin()
