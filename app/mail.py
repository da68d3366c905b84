"""What lies in inbox and outbox about one person: found, and erased, with all that the state knows of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from ..mapping.keys import key_value
from ..model.errors import ConfigurationError
from ..state import inbox, outbox
from ..state.erasing import scrub
from ..state.inbox import EventRow
from ..state.inbox_schema import alias, event, letter, told
from ..state.outbox import LetterRow
from ..state.store import Store, Tx
from ..sync.people.dossier import EMAIL, Dossier, find_dossier
from .wiring import Place


@dataclass(frozen=True, slots=True)
class Mail:
    """The inbox of one workspace, where there is one."""

    store: Store | None
    workspace: str

    @staticmethod
    @contextmanager
    def of(place: Place) -> Iterator[Mail]:
        """Open for a moment. Raises `StateError`."""
        with inbox.inbox_of(place.config.state_url) as store:
            yield Mail(store, place.config.workspace)

    def find_dossier(self, tx: Tx, ws: int, systems: Mapping[str, int], who: str) -> Dossier:
        """The file of whoever is meant, also where only an event names them by their address. Raises `ConfigurationError` where nobody is meant."""
        try:
            return find_dossier(tx, ws, systems, who)
        except ConfigurationError:
            address = key_value(EMAIL, who)
            if address is None or not (self._naming([address], ()) or self._letters([address], ())):
                raise
            return Dossier(None, (), ((EMAIL, address),), (), ())

    def events(self, file: Dossier, names: Mapping[int, str]) -> list[EventRow]:
        """All events that name this person. `names`: account -> system."""
        return self._naming(file.addresses, _refs(file, names))

    def letters(self, file: Dossier, names: Mapping[int, str]) -> list[LetterRow]:
        """All events of ours about this person that are not delivered. `names`: account -> system."""
        return self._letters(file.addresses, _refs(file, names))

    def _letters(self, addresses: Iterable[str], refs: Iterable[tuple[str, str]]) -> list[LetterRow]:
        if self.store is None:
            return []
        with self.store.read() as tx:
            return outbox.naming(tx, self.workspace, addresses, refs)

    def _naming(self, addresses: Iterable[str], refs: Iterable[tuple[str, str]]) -> list[EventRow]:
        if self.store is None:
            return []
        with self.store.read() as tx:
            return inbox.naming(tx, self.workspace, addresses, refs)

    def erase(self, file: Dossier, names: Mapping[int, str]) -> int:
        """Erase them; how many."""
        if self.store is None:
            return 0
        found, unsent = [row.id for row in self.events(file, names)], [row.id for row in self.letters(file, names)]
        with self.store.write() as tx:
            refs = _refs(file, names)
            return inbox.erase(tx, self.workspace, found, refs) + outbox.erase(tx, self.workspace, unsent, refs)

    def scrub(self) -> bool:
        """Let nothing be left of erased events in the inbox's own files; False where another program keeps something in them."""
        return self.store is None or scrub(self.store, [event, told, letter, alias])


def _refs(file: Dossier, names: Mapping[int, str]) -> list[tuple[str, str]]:
    """Their records: (system, id)."""
    return [(names[link.account], link.ref) for link in file.records if link.account in names]
