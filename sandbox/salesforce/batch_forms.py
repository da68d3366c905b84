"""How Bulk API 1.0 is written: in JSON or XML, and rows in JSON or CSV (Bulk API Developer Guide).

What is posted is answered in the form in which it came; what is asked for, in the form of the job's content type, with XML for a job in CSV. That, and a
`Content-Type` without a charset, are what public clients rely on.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import orjson

from ..wire import Request, Response
from . import trees
from .bulk import CSV, NULL
from .errors import Refused

SPACE = "http://www.force.com/2009/06/asyncapi/dataload"
NOTHING_FOUND = b"Records not found for this query"
"""What a query without rows answers in CSV."""
_XML, _JSON = {"Content-Type": "application/xml"}, {"Content-Type": "application/json"}


def speaks_json(request: Request) -> bool:
    """By what it sends."""
    return "json" in request.headers.get("content-type", "").lower()


def heard(request: Request) -> dict[str, Any]:
    """What was posted about a job: its members by name. Raises Refused for what is no such thing."""
    if not speaks_json(request):
        try:
            return {each.tag.rpartition("}")[2]: (each.text or "").strip() for each in trees.read(request.body)}
        except Refused as refused:
            raise Refused("InvalidXML", refused.message) from None
    try:
        found = orjson.loads(request.body or b"null")
    except orjson.JSONDecodeError as error:
        raise Refused("ClientInputError", f"Failed to parse JSON: {error}") from None
    if not isinstance(found, dict):
        raise Refused("ClientInputError", "Failed to parse JSON: an object is expected")
    return found


def told(name: str, values: Mapping[str, Any], *, json: bool, status: int = 200) -> Response:
    """One thing, or under the name of each the things that a list holds."""
    if json:
        return Response(status, dict(_JSON), orjson.dumps(values))
    root = Element(name, xmlns=SPACE)
    _fill(root, values)
    return _written(root, status)


def result_ids(ids: Sequence[str], *, json: bool) -> Response:
    """Under which ids the rows of a query are to be had."""
    if json:
        return Response(200, dict(_JSON), orjson.dumps(list(ids)))
    root = Element("result-list", xmlns=SPACE)
    for id in ids:
        SubElement(root, "result").text = id
    return _written(root, 200)


def rows_in(body: bytes, *, json: bool) -> list[dict[str, Any]]:
    """The rows of a batch. In CSV an empty cell leaves a field alone. Raises Refused for what is no list of records."""
    if json:
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise Refused("ClientInputError", f"Failed to parse JSON: {error}") from None
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise Refused("ClientInputError", "a batch is a list of records")
        return found
    try:
        lines = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused("ClientInputError", f"Failed to parse CSV: {error}") from None
    return [{name: None if cell == NULL else cell for name, cell in line.items() if name and cell} for line in lines]


def sheet(head: Sequence[str], lines: Sequence[Sequence[str]]) -> Response:
    """Rows as CSV, every cell in quotes."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([head, *lines])
    return Response(200, dict(CSV), text.getvalue().encode())


def _fill(parent: Element, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                _fill(SubElement(parent, name), each)
            elif each is not None:
                SubElement(parent, name).text = str(each).lower() if isinstance(each, bool) else str(each)


def _written(root: Element, status: int) -> Response:
    return Response(status, dict(_XML), tostring(root, encoding="UTF-8", xml_declaration=True))
