"""Trouble on the way: what goes wrong with a call, chosen by tests, the demo or somebody's hands."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

FaultKind = Literal["status", "lost_before", "lost_after", "delay", "truncated", "short_page", "missing_rows", "missing_fields"]


@dataclass(frozen=True)
class Fault:
    """One planned failure.

    `skip` calls that match pass unharmed first, then `times` calls are hit. `match` is a prefix of "METHOD /path"
    ("" matches every call). `status` and `body`/`content_type`/`headers` belong to kind "status"; `seconds` to "delay".
    "lost_before": the world never sees the call. "lost_after": it is carried out, the answer is lost.
    "short_page": a page of `rows` rows, with its link to the next one. "missing_rows": the last `rows` rows are left out of the answer.
    "missing_fields": `fields` are left out of every row of the answer. All three are carried out.
    """

    kind: FaultKind
    match: str = ""
    skip: int = 0
    times: int = 1
    status: int = 500
    body: str = ""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0
    rows: int = 1
    fields: tuple[str, ...] = ()


PROXY_PAGE = "<!DOCTYPE html><html><head><title>Gateway</title></head><body><h1>Please try again</h1></body></html>"
"""What a proxy on the way says in a vendor's place."""

TROUBLES: Mapping[str, Fault] = {
    "lost before": Fault("lost_before"),
    "lost after": Fault("lost_after"),
    "truncated": Fault("truncated"),
    **{f"page {status}": Fault("status", status=status, body=PROXY_PAGE, content_type="text/html") for status in (200, 502, 503)},
    "short page": Fault("short_page"),
    "missing row": Fault("missing_rows"),
}
"""Troubles that any vendor's calls meet, by name: a seed picks one, `replace` says where and how often. Each world adds its own in `troubles`."""


class FaultPlan:
    """The faults that are still to come, in the order in which they were planned."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: list[tuple[Fault, int, int]] = []

    def add(self, fault: Fault) -> None:
        """Plan one more fault."""
        with self._lock:
            self._left.append((fault, fault.skip, fault.times))

    def clear(self) -> None:
        """Forget every fault that has not happened yet."""
        with self._lock:
            self._left.clear()

    def hit(self, call: str) -> Fault | None:
        """The fault that strikes this call ("METHOD /path"), if any; it is used up by being asked for."""
        with self._lock:
            for index, (fault, skip, times) in enumerate(self._left):
                if not call.startswith(fault.match):
                    continue
                if skip > 0:
                    self._left[index] = (fault, skip - 1, times)
                    continue
                if times > 1:
                    self._left[index] = (fault, 0, times - 1)
                else:
                    del self._left[index]
                return fault
        return None
