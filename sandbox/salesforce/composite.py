"""Several calls in one: `/composite` (25 subrequests, one API call) and `/composite/batch` (25, each an API call)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from ..wire import Request, Response
from .call import Call, listed
from .errors import Refused

MOST = 25
MOST_COLLECTIONS = 5
_REFERENCE = re.compile(r"@\{(\w+)((?:\.\w+|\[\d+\])*)\}")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_COLLECTED = re.compile(r"/(?:query|queryAll|composite/sobjects)(?:[/?]|$)")

Serve = Callable[[Request], Response]


def composite(call: Call, serve: Serve) -> Response:
    """Answer POST `/composite`; each subrequest may have headers of its own, and use what an earlier one answered."""
    posted = call.posted()
    asked = _subrequests(posted, "compositeRequest", ("method", "url", "referenceId"))
    if len(asked) > MOST or sum(bool(_COLLECTED.search(one["url"])) for one in asked) > MOST_COLLECTIONS:
        raise Refused("LIMIT_EXCEEDED", f"a composite request has at most {MOST} subrequests, {MOST_COLLECTIONS} of them queries or collections")
    all_or_none = posted.get("allOrNone") is True
    answers: dict[str, Any] = {}
    found: list[dict[str, Any]] = []
    if all_or_none:
        call.org.store.begin()
    for one in asked:
        name = str(one["referenceId"])
        if all_or_none and any(answer["httpStatusCode"] >= 400 for answer in found):
            break
        response = serve(_request(call, one["method"], _filled(one["url"], answers), _filled(one.get("body"), answers), one.get("httpHeaders") or {}))
        answers[name] = orjson.loads(response.body) if response.body else None
        found.append({"body": answers[name], "httpHeaders": _shown(response), "httpStatusCode": response.status, "referenceId": name})
    if all_or_none and any(answer["httpStatusCode"] >= 400 for answer in found):
        call.org.store.roll_back()
        found = _halted(asked, found)
    elif all_or_none:
        call.org.store.keep()
    return call.answer({"compositeResponse": found})


def batch(call: Call, serve: Serve) -> Response:
    """Answer POST `/composite/batch`."""
    posted = call.posted()
    asked = _subrequests(posted, "batchRequests", ("method", "url"))
    if len(asked) > MOST:
        raise Refused("LIMIT_EXCEEDED", f"a batch has at most {MOST} subrequests")
    results: list[dict[str, Any]] = []
    for one in asked:
        if posted.get("haltOnError") is True and any(result["statusCode"] >= 400 for result in results):
            results.append({"statusCode": 412, "result": [{"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per request"}]})
            continue
        url = one["url"]
        response = serve(_request(call, one["method"], url if url.startswith("/") else f"/services/data/{url}", one.get("richInput"), {}))
        results.append({"statusCode": response.status, "result": orjson.loads(response.body) if response.body else None})
    return call.answer({"hasErrors": any(result["statusCode"] >= 400 for result in results), "results": results})


def _subrequests(posted: dict[str, Any], name: str, needed: tuple[str, ...]) -> list[dict[str, Any]]:
    """The subrequests of the body, each with the texts that it needs. Raises JSON_PARSER_ERROR."""
    asked = list(listed(posted, name))
    for one in asked:
        missing = [text for text in needed if not isinstance(one, dict) or not isinstance(one.get(text), str)]
        if missing:
            raise Refused("JSON_PARSER_ERROR", f"{name}: missing {', '.join(missing)} at [line:1, column:1]")
    return asked


def _request(call: Call, method: str, url: str, body: Any, headers: dict[str, str]) -> Request:
    parts = urlsplit(url)
    inherited = {"authorization": call.request.headers.get("authorization", ""), "content-type": "application/json"}
    own = {name.lower(): value for name, value in headers.items()}
    return Request(method.upper(), unquote(parts.path), parts.query, {**inherited, **own}, b"" if body is None else orjson.dumps(body))


def _filled(value: Any, answers: dict[str, Any]) -> Any:
    """The value with `@{ref.field}` replaced by what the subrequest `ref` answered."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: str(_looked_up(match, answers)), value)
    if isinstance(value, dict):
        return {name: _filled(inner, answers) for name, inner in value.items()}
    return [_filled(inner, answers) for inner in value] if isinstance(value, list) else value


def _looked_up(match: re.Match[str], answers: dict[str, Any]) -> Any:
    found: Any = answers.get(match.group(1))
    for name, index in _STEP.findall(match.group(2)):
        try:
            found = found[name] if name else found[int(index)]
        except (KeyError, IndexError, TypeError):
            raise Refused("PROCESSING_HALTED", f"Invalid reference specified. No value for {match.group(0)} found") from None
    return found


def _shown(response: Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name == "Location"}


def _halted(asked: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With allOrNone one failure undoes all; the others are told so."""
    undone = [{"errorCode": "PROCESSING_HALTED", "message": "The transaction was rolled back since another operation in the same transaction failed."}]
    failed = {answer["referenceId"]: answer for answer in found if answer["httpStatusCode"] >= 400}
    names = [one["referenceId"] for one in asked]
    return [failed.get(name) or {"body": undone, "httpHeaders": {}, "httpStatusCode": 400, "referenceId": name} for name in names]
