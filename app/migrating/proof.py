"""The proof: both systems are read again, every person and mapped field is compared, and every record of the source is accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...sync.looking.verify import Verification, verify
from ...sync.migrating.fates import SAYS_MORE, Fates, fates
from ..terminal.interrupts import abrupt
from .work import Way, under_way


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found. `read`: records that the source has now."""

    source: str
    target: str
    now: int
    read: int
    compared: Verification
    fates: Fates

    @property
    def adds_up(self) -> bool:
        """Every record that the source has now is accounted for."""
        return self.fates.adds_up and self.fates.records == self.read

    @property
    def proved(self) -> bool:
        """Nothing differs, and nobody is missing but by a rule, or for an answer: whom the target refused is."""
        return self.adds_up and self.compared.proved and not self.fates.of("rejected")

    @property
    def arrived(self) -> int:
        """Records of the source whose people are in the target: by their own record, or by another one of theirs."""
        return self.fates.of("created") + self.fates.of("matched") + self.fates.of("duplicate")

    @property
    def complete(self) -> bool:
        """It is proved of everybody and of every field: nobody waits or was left out, and nothing stayed behind or is still asked."""
        told = self.compared
        return self.proved and self.arrived == self.read and not (told.held or told.frozen or told.unlinked or self.fates.told["duplicate", SAYS_MORE])


def prove(config_file: Path | None, way: Way) -> Proof:
    """Read, compare, count. Writes nothing to either system. Raises what the connectors raise."""
    with abrupt(), under_way("verify", config_file, way, after="load") as work:
        source, target = work.pair.source.name, work.pair.target.name
        compared = verify(work.session)
        counted = fates(work.session, work.pair, work.passage.first_run)
        found = Proof(source, target, work.session.clock.now_ms(), compared.read[source], compared, counted)
        told = {"proved": found.proved, "read": found.read, "drifted": compared.drifted, "orphans": compared.orphans}
        work.end("verify", {**told, "fates": [[*key, count] for key, count in sorted(counted.told.items())]})
        return found
