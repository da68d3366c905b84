"""Asking a developer account what no document tells: experiments, each with throw-away records of its own.

An experiment is a question and a way to find its answer on a *bench*, which makes the records and takes them away again, also where the
experiment fails. What an account or a credential does not allow is no error: the question stays open here, and the finding says why.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from ..model.errors import Busy, StagesyncError, StateError
from ..model.ports import Clock
from .contract import Plugin, Ports
from .manners import MaybeDone

PAUSE_S = 5.0
LOOKS = 6
"""At most so many looks are taken by `rested` and `awaited`, with pauses in between."""


class Untold(Exception):
    """This account gives no answer; the text says why, without anybody's data."""


class Bench(Protocol):
    """Where one experiment makes its records."""

    def outwait(self) -> None:
        """Wait until nothing that was sent without an answer can arrive any more (`Capabilities.lands_s`)."""
        ...

    def clear(self) -> str:
        """Remove all that was made, found by its own names, so that records are found too whose making was not answered. Raises nothing:
        gives a sentence about what could not be removed, empty where all is gone."""
        ...


B_contra = TypeVar("B_contra", bound=Bench, contravariant=True)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Experiment(Generic[B_contra]):
    """One question that the vendor's documents leave open.

    `handled`: what stagesync does, whatever the answer. `habit`: the switch of the sandbox's world. `calls`: at most so many, clearing up included.
    `leaves`: what stays in the account afterwards. `answer`: finds it out; raises `Untold`.
    """

    name: str
    question: str
    handled: str
    habit: str
    calls: int
    leaves: str
    answer: Callable[[B_contra], str]


@dataclass(frozen=True, slots=True)
class Finding:
    """What an experiment gave: the answer, or None and `why` there is none. `left`: what could not be removed, and by which name it is found."""

    name: str
    answer: str | None
    why: str = ""
    left: str = ""


@dataclass(frozen=True, slots=True)
class Laboratory:
    """One account, ready for its experiments.

    `permit` gives what kind of account it is, and raises `SafetyStop` for anything but a test account. `bench` gives a fresh one for a token.
    """

    experiments: Sequence[Experiment[Any]]
    permit: Callable[[], str]
    bench: Callable[[str], Bench]
    close: Callable[[], None]

    def find_out(self, experiment: Experiment[Any]) -> Finding:
        """Carry out one experiment, and clear up. Raises `Busy` and `StateError`; every other trouble is the reason why there is no answer."""
        bench = self.bench(secrets.token_hex(4))
        answer, why = None, ""
        try:
            answer = experiment.answer(bench)
        except Untold as reason:
            why = str(reason)
        except (Busy, StateError):
            raise
        except MaybeDone as lost:
            why = lost.what
            bench.outwait()
        except StagesyncError as error:
            why = error.what
        finally:
            left = bench.clear()
        return Finding(experiment.name, answer, why, left)


@runtime_checkable
class Probing(Plugin, Protocol):
    """What a plugin has in addition whose vendor leaves questions open."""

    def laboratory(self, system: str, settings: Any, ports: Ports) -> Laboratory:
        """The account's laboratory; makes no call yet."""
        ...


def rested(look: Callable[[], T], clock: Clock) -> T:
    """What `look` gives once it stays the same: vendors work on a new record for some seconds. Looks at most `LOOKS` times. Raises `Untold`."""
    before = look()
    for _ in range(LOOKS - 1):
        clock.sleep(PAUSE_S)
        now = look()
        if now == before:
            return now
        before = now
    raise Untold(f"a new record did not come to rest within {LOOKS * PAUSE_S:g} seconds: does automation work on it?")


def awaited(look: Callable[[], bool], clock: Clock) -> bool:
    """Whether `look` comes true within half a minute."""
    for attempt in range(LOOKS):
        if attempt:
            clock.sleep(PAUSE_S)
        if look():
            return True
    return False
