"""Whoever stands before a world of the sandbox: each call passes by them, and they answer in its place if they like. Nobody waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stagesync.sandbox.wire import Request, Response


@dataclass
class Door:
    """Before `world`. As it is, it lets everything pass."""

    world: Any

    def arrive(self, request: Request) -> Any:
        """The call sets out."""
        return self.world.arrive(request)

    def pause_s(self, request: Request, fault: Any) -> float:
        """No waiting."""
        return 0.0

    def wait(self, seconds: float) -> None:
        """No waiting."""

    def answer(self, request: Request, fault: Any = None) -> Response:
        """The world's answer."""
        return self.world.answer(request, fault)
