"""A vendor's server with no more than the tests give it: JSON by path, 404 for the rest, no `Date`, no headers of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stagesync.sandbox.base import BaseWorld, json_response
from stagesync.sandbox.faults import Fault
from stagesync.sandbox.wire import Request, Response


class LeanWorld(BaseWorld):
    """`answers`: "METHOD /path" -> a value, answered as JSON with status 200, or a function from request to response. `missing`: what everything else gets."""

    def __init__(self, answers: Mapping[str, Any], missing: Response) -> None:
        super().__init__()
        self.answers = dict(answers)
        self.missing = missing

    def template(self, request: Request) -> str:
        """Each path counts for itself."""
        return request.path

    def answer(self, request: Request, fault: Fault | None = None) -> Response:
        """The answer that was given for this path."""
        found: Any = self.answers.get(f"{request.method} {request.path}")
        if found is None:
            return self.missing
        if not callable(found):
            return json_response(found)
        made: Any = found(request)
        return made
