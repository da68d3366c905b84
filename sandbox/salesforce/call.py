"""One authorised REST call: the request, and where in the API it points."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from ..wire import Request, Response
from .errors import Refused, json_answer, refused_row
from .org import Org
from .writes import Manners

_ALLOW_SAVE = re.compile(r"allowsave\s*=\s*true", re.IGNORECASE)


@dataclass(frozen=True)
class Call:
    """`base` is `/services/data/v59.0`, `parts` the path behind it; `collected` calls get no details of duplicates."""

    org: Org
    request: Request
    version: int
    parts: tuple[str, ...]

    @property
    def base(self) -> str:
        return f"/services/data/v{self.version}.0"

    @property
    def manners(self) -> Manners:
        """What the call's headers say about side effects; without `Sforce-Auto-Assign` assignment rules run."""
        headers = self.request.headers
        allow_save = _ALLOW_SAVE.search(headers.get("sforce-duplicate-rule-header", "")) is not None
        return Manners(assign=headers.get("sforce-auto-assign", "TRUE"), allow_save=allow_save)

    def answer(self, value: object, status: int = 200) -> Response:
        """A JSON answer in the form that the client asked for."""
        return json_answer(value, status, pretty=self.request.headers.get("x-prettyprint") == "1")

    def posted(self) -> dict[str, Any]:
        """The JSON object in the body. Raises JSON_PARSER_ERROR."""
        try:
            found = orjson.loads(self.request.body or b"null")
        except orjson.JSONDecodeError as error:
            raise Refused("JSON_PARSER_ERROR", f"{error} at [line:1, column:1]") from None
        if not isinstance(found, dict):
            raise Refused("JSON_PARSER_ERROR", "The request body must be a JSON object at [line:1, column:1]")
        return found


def listed(posted: Mapping[str, Any], name: str) -> Sequence[Any]:
    """A list that the body must have. Raises JSON_PARSER_ERROR."""
    found = posted.get(name)
    if not isinstance(found, list):
        raise Refused("JSON_PARSER_ERROR", f"Unrecognized or missing list '{name}' at [line:1, column:1]")
    return found


def malformed_id(given: object) -> Refused:
    """The answer for an id that is none."""
    return refused_row("MALFORMED_ID", f"malformed id {given}")
