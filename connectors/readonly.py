"""A system that is only looked at, whatever anybody asks of its connector: each request that would change something stops here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn

from ..model.errors import SafetyStop
from ..model.records import Observation, Page, Query, Record, Ref
from ..model.writes import Outcome, Step, Write
from .contract import AccountId, Capabilities, Connector, SystemDescription, Usage


def refuse(system: str) -> NoReturn:
    """What takes the place of `Ports.sending`: no request that changes something leaves for this system. Raises `SafetyStop`."""
    raise SafetyStop("a shadow writes to no system, and this would have written", where=system, next_step="nothing was sent; please report it as a bug")


class ReadOnly:
    """The connector of `system` without its `write`. Everything else is the connector's own."""

    def __init__(self, system: str, connector: Connector) -> None:
        self._system, self._connector = system, connector

    @property
    def capabilities(self) -> Capabilities:
        """As the connector has them: a plan is made as if it could be carried out."""
        return self._connector.capabilities

    def identity(self) -> AccountId:
        """Whose data it is."""
        return self._connector.identity()

    def describe(self) -> SystemDescription:
        """What the account looks like."""
        return self._connector.describe()

    def pull(self, query: Query) -> Iterator[Page]:
        """What is new."""
        return self._connector.pull(query)

    def fetch(self, refs: Sequence[Ref], fields: Mapping[str, tuple[str, ...]], history: tuple[str, ...] = ()) -> Sequence[Observation]:
        """These records, now."""
        return self._connector.fetch(refs, fields, history)

    def find(self, kind: str, key: str, values: Sequence[str], fields: tuple[str, ...]) -> Sequence[Record]:
        """The records with these values."""
        return self._connector.find(kind, key, values, fields)

    def expand(self, write: Write) -> Sequence[Step]:
        """The steps that a write would take: nothing is sent for that."""
        return self._connector.expand(write)

    def write(self, steps: Sequence[Step]) -> Sequence[Outcome]:
        """Raises `SafetyStop`."""
        refuse(self._system)

    def usage(self) -> Usage:
        """What reading has cost."""
        return self._connector.usage()

    def close(self) -> None:
        """Give back connections."""
        self._connector.close()
