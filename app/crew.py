"""Several requests of one connector at once: a thread each, because the vendors' clients block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Result = TypeVar("Result")


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
