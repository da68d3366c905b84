"""What the outside gives to the parts: time, pacing, and a place for tokens that rotate. Wired by `app`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .events import Letter, Pending, Told


class Clock(Protocol):
    """Time. Tests bring their own."""

    def now_ms(self) -> int:
        """The present moment in milliseconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` in any `seconds`."""

    calls: int
    seconds: float


class Limiter(Protocol):
    """Pacing that all users of one account share."""

    def take(self, bucket: str, rate: Rate) -> None:
        """Wait until one more call may be made. `bucket` names account and limit: `hubspot:4710017:search`."""
        ...


class TokenStore(Protocol):
    """Where refresh tokens that rotate are kept between runs (keyring or a 0600 file)."""

    def load(self, name: str) -> str | None:
        """The stored token, or None."""
        ...

    def save(self, name: str, token: str) -> None:
        """Store the token before the old one is forgotten."""
        ...


class Inbox(Protocol):
    """What systems told one workspace by themselves. Raises `StateError`."""

    def mark(self) -> str | None:
        """What tells this inbox from another one, in which the numbers begin anew; None while it is empty."""
        ...

    def take(self, system: str, after: int, n: int) -> Sequence[Told]:
        """The next events of the system after this number, at most `n`, in their order."""
        ...

    def finish(self, system: str, upto: int, now: int) -> None:
        """What came up to this number is in the state for good."""
        ...

    def times(self, system: str, refs: Iterable[str]) -> Mapping[str, Mapping[str, int]]:
        """Record -> field -> when what was told of it last had happened (ms); records of which nothing was told are left out."""
        ...

    def note(self, system: str, found: Mapping[str, Mapping[str, int]], parked: Mapping[int, str]) -> None:
        """Keep such times, and set events aside that cannot be understood: number -> code."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...


class Outbox(Protocol):
    """What one workspace has to tell systems that take events. Raises `StateError`."""

    def mark(self) -> str:
        """What tells this outbox from another one, in which the numbers begin anew."""
        ...

    def post(self, system: str, letters: Sequence[Letter], now: int) -> None:
        """Keep letters to be sent, each once by its key."""
        ...

    def waiting(self, system: str, after: int, n: int) -> Sequence[Pending]:
        """The next letters that are not delivered yet, in their order; also those that are not due."""
        ...

    def delivered(self, id: int) -> None:
        """This one arrived."""
        ...

    def failed(self, id: int, attempts: int, due: int | None, code: str) -> None:
        """This one did not, and is tried again when it is due; with None it is given up."""
        ...

    def standing(self, system: str) -> tuple[int, int]:
        """How often in a row the endpoint has failed, and until when it is left alone (ms)."""
        ...

    def set_standing(self, system: str, failures: int, until: int) -> None:
        """Remember it."""
        ...

    def name(self, system: str, ours: str, theirs: str) -> None:
        """The receiver calls this record by an id of its own."""
        ...

    def ours(self, system: str, refs: Iterable[str]) -> Mapping[str, str]:
        """The receiver's id -> ours, of those that it gave."""
        ...

    def theirs(self, system: str, refs: Iterable[str]) -> Mapping[str, str]:
        """Our id -> the receiver's, of those that it gave."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...


class Secret:
    """A credential. It shows itself to nobody who does not ask for it by name."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The credential itself: only for the request that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)
