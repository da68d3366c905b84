"""Several requests of one connector at once: a thread each, because the vendors' clients block."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

Result = TypeVar("Result")
_WAITING = 2
"""No work is begun while so many results wait to be taken."""


def in_threads(works: Sequence[Callable[[], Result]], most: int) -> list[Result]:
    """As `Abreast` of the contract. What has not begun when one fails, or when somebody breaks in, is not begun."""
    if len(works) < 2:
        return [work() for work in works]
    with ThreadPoolExecutor(min(most, len(works))) as pool:
        futures = [pool.submit(copy_context().run, work) for work in works]  # what they log is of the same run
        try:
            return [future.result() for future in futures]
        finally:
            pool.shutdown(cancel_futures=True)


def as_they_end(more: Callable[[], Callable[[], Result] | None], most: int) -> Generator[Result, None, None]:
    """As `Flow` of the contract. Where nobody is quick enough to take what ends, few are begun: what waits takes memory."""
    running: set[Future[Result]] = set()
    with ThreadPoolExecutor(most) as pool:
        try:
            while True:
                while len(running) < most and sum(each.done() for each in running) < _WAITING and (work := more()) is not None:
                    running.add(pool.submit(copy_context().run, work))
                if not running:
                    return
                ended = wait(running, return_when=FIRST_COMPLETED).done.pop()
                running.remove(ended)
                yield ended.result()
        finally:
            pool.shutdown(cancel_futures=True)
