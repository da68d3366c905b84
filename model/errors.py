"""Everything that stops a run, grouped by what the caller must do about it.

    StagesyncError
      ConfigurationError   exit 2   mend the configuration
      CredentialError      exit 2   mend the credential or its rights
      NewerSchema          exit 2   use a newer stagesync
      SafetyStop           exit 3   look at the plan, then approve it
      Busy                 exit 3   another run is under way
      Unreachable          exit 4   try again later
      QuotaSpent           exit 4   try again when the quota is back
      StateError           exit 5   mend the disk or the database

A message says what is wrong, where, and what to do next. It never holds a secret or personal data.
Refusals of single rows are not errors but values: see `writes.Rejected`.
"""

from __future__ import annotations


class StagesyncError(Exception):
    """A reason to stop. `what` happened, `where`, and the `next_step` for the reader."""

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next_step = next_step

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        remedy = f"\n  -> {self.next_step}" if self.next_step else ""
        return f"{self.what}{place}{remedy}"


class ConfigurationError(StagesyncError):
    """The configuration cannot be used. `problems` holds every one of them, not only the first."""

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", next_step: str = "", problems: tuple[str, ...] = ()) -> None:
        super().__init__(what, where=where, next_step=next_step)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  - {problem}" for problem in self.problems)])


class CredentialError(StagesyncError):
    """A system refused the credential, or the credential lacks a right."""

    exit_code = 2


class NewerSchema(StagesyncError):
    """The state was written by a newer version of this program."""

    exit_code = 2


class SafetyStop(StagesyncError):
    """A guard stopped the run before the first write."""

    exit_code = 3


class Busy(StagesyncError):
    """Somebody else's run holds this workspace."""

    exit_code = 3


class Unreachable(StagesyncError):
    """A system does not answer, or answers nonsense."""

    exit_code = 4


class QuotaSpent(StagesyncError):
    """The daily quota, or our share of it, is used up."""

    exit_code = 4


class StateError(StagesyncError):
    """The state cannot be read or written."""

    exit_code = 5
