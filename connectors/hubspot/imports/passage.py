"""The whole way of new contacts by imports: a trial, what arrived of it to the letter, then the rest.

Every row has an outcome, and none is made twice whenever the program dies: an import may only create, an address is unique in HubSpot, and one that was posted
is never posted again. Who is not seen to have arrived is looked up by the address: made since and other than it was sent, nobody can say whose it is, and
the outcome is unknown; not made at all, it goes by a batch, which says why in the usual words.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ....model.errors import ConfigurationError, StagesyncError
from ....model.records import Record
from ....model.writes import Applied, Step, Unknown
from ...splitting import Outcomes
from ..client import Client
from ..errors import Forbidden
from ..export.cells import Cell
from ..export.layout import CREATED, Contact
from ..export.trial import Picks
from ..export.ways import Unusable
from ..owners import OWNER, listed
from ..read import find
from ..rows import EMAIL, instant_ms, keyed
from . import calls
from .harvest import harvested
from .sheet import Form, Row, as_sent, columns_of, content, readers, rows_of
from .ways import LEAST, Unfit

_GOES_ON = "an import has not come to its end"
_NEITHER = "HubSpot shows something else than was sent"
_LOST = "nobody can say whether HubSpot took the import"


@dataclass(slots=True)
class Passage:
    """How imports go in this run. `good`: forms that arrived as they were sent, None before a trial; `owners`: their addresses, None where nobody has asked;
    `remarks`: what somebody may want to know."""

    client: Client
    least: int = LEAST
    ended: bool = False
    good: set[Form] | None = None
    owners: Mapping[str, str] | None = None
    remarks: list[str] = field(default_factory=list[str])

    def deliver(self, steps: Mapping[int, Step], fields: Collection[str]) -> Outcomes:
        """Make the contacts of these steps, as far as imports can. Those of which nothing is told were not made. Raises what stops everything as long as surely
        nothing was done."""
        found: Outcomes = {}
        try:
            rows = self._fit(steps)
            if self.good is None and len(rows) >= self.least:
                found |= self._tried(rows, fields)
            rows = [row for row in rows if row.place not in found and self.good is not None and row.forms() <= self.good]
            if len(rows) >= self.least and not self.ended:
                found |= self._sent(rows, fields)
        except Unfit as unfit:
            self._end(unfit.why)
        except StagesyncError:
            if not found:
                raise
        return found

    def _fit(self, steps: Mapping[int, Step]) -> list[Row]:
        if self.ended:
            return []
        told = self.client.expected(self.client.get(self.client.paths.properties))
        if self.owners is None and any(step.values.get(OWNER) for step in steps.values()):
            self.owners = self._addresses()
        return rows_of(steps, readers(keyed(told.get("results"), "name", where=self.client.system)), self.owners or {})

    def _addresses(self) -> dict[str, str]:
        """Owner -> address. Without the right to see them, contacts with an owner go by batches."""
        try:
            return {str(each.get("id")): str(each.get("email") or "") for each in listed(self.client, archived=False)}
        except (Forbidden, ConfigurationError):
            return {}

    def _end(self, why: str) -> None:
        """No more of them in this run."""
        if not self.ended:
            self.remarks.append(f"imports would spare calls, but cannot be used, because {why}: contacts go by batches, as far as the calls of today suffice")
        self.ended = True

    # -- the trial

    def _tried(self, rows: Sequence[Row], fields: Collection[str]) -> Outcomes:
        """A few hundred that show each form in each property, and read again by their addresses: what has arrived is believed from then on. The export that
        will tell of the others must show the same of them."""
        calls.allowed(self.client)
        rows = _picked(rows)
        since = self.client.server_time
        told = self._ended(calls.posted(self.client, columns_of(rows), content(rows)))
        records = self._looked(rows, since, fields) if isinstance(told, calls.Told) else told
        if isinstance(records, Unknown):
            return self._given_up(rows, records)
        found = _outcomes(rows, records)
        arrived = [row for row in rows if isinstance(found.get(row.place), Applied)]
        self._learn(rows, records)
        if not arrived:
            self._end("of a trial nobody arrived as they were sent")
        elif 2 * len(self._harvested(arrived, since, len(arrived), fields)) < len(arrived):
            self._end("an export does not show the contacts of a trial as they are")
        return found

    # -- the rest

    def _sent(self, rows: Sequence[Row], fields: Collection[str]) -> Outcomes:
        since = self.client.server_time
        told = self._ended(calls.posted(self.client, columns_of(rows), content(rows)))
        if isinstance(told, Unknown):
            return self._given_up(rows, told)
        found = self._harvested(rows, since, told.created, fields)
        rest = [row for row in rows if row.place not in found]
        records = self._looked(rest, since, fields) if rest else {}
        return found | (self._given_up(rest, records) if isinstance(records, Unknown) else _outcomes(rest, records))

    def _ended(self, told: calls.Told | None) -> calls.Told | Unknown:
        """The import at its end, or why that is not to be had."""
        if told is None:
            return Unknown(_LOST)
        try:
            told = calls.ended(self.client, told.id)
        except StagesyncError as lost:
            return Unknown(lost.what)
        return told if told.state in calls.ENDED else Unknown(_GOES_ON)

    def _given_up(self, rows: Sequence[Row], why: Unknown) -> Outcomes:
        self._end(why.reason)
        return dict.fromkeys((row.place for row in rows), why)

    def _learn(self, rows: Sequence[Row], records: Mapping[str, Record]) -> None:
        """Good are the forms that always arrived as they were sent."""
        cells = [(name, cell, records[row.address].values.get(name)) for row in rows if row.address in records for name, cell in row.cells.items()]
        bad = {(name, cell.form) for name, cell, value in cells if not as_sent(name, cell, value)}
        self.good = {(name, cell.form) for name, cell, _ in cells} - bad
        if bad:
            names = ", ".join(sorted({name for name, _ in bad}))
            self.remarks.append(f"imports do not store every value of {names} as it is sent: contacts with such values go by batches")

    def _harvested(self, rows: Sequence[Row], since: int, made: int | None, fields: Collection[str]) -> Outcomes:
        """What an export tells. Without one they are looked up."""
        try:
            return harvested(self.client, since, made, rows, fields)
        except Unusable as error:
            self._end(f"no export tells what came of them: {error.why}")
        except StagesyncError as error:
            self._end(f"no export tells what came of them: {error.what}")
        return {}

    def _looked(self, rows: Sequence[Row], since: int, fields: Collection[str]) -> dict[str, Record] | Unknown:
        """Address -> the contact that was made since."""
        names = dict.fromkeys([*columns_of(rows), *fields, CREATED])
        try:
            records = find(self.client, EMAIL, [row.address for row in rows], [*names])
        except StagesyncError as lost:
            return Unknown(lost.what)
        return {str(each.values.get(EMAIL) or "").lower(): each for each in records if instant_ms(str(each.values.get(CREATED) or "0")) >= since}


def _picked(rows: Sequence[Row]) -> list[Row]:
    """Some that show each form in each property, and some from all over."""
    names, picks = columns_of(rows), Picks()
    for number, row in enumerate(rows):
        picks.offer(Contact(str(number), [row.cells.get(name, Cell(None, "")) for name in names]))
    return [rows[int(number)] for number in picks.all()]


def _outcomes(rows: Sequence[Row], records: Mapping[str, Record]) -> Outcomes:
    """Of those that were made."""
    there = [(row, records[row.address]) for row in rows if row.address in records]
    return {row.place: Applied(record.ref, record) if row.arrived(record.values) else Unknown(_NEITHER) for row, record in there}
