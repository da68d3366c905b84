"""A file as somebody's system: opened by its connector, read, written, and looked into."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from salesforce_org import Hand

from stagesync.connectors.csv.connector import FileConnector
from stagesync.connectors.csv.settings import CsvSettings
from stagesync.model.records import Gone, Native, Query, Record, Ref
from stagesync.model.writes import Outcome, Step


def opened(path: Path, sending: Callable[[], None] = lambda: None, **given: Any) -> FileConnector:
    """The connector of a file."""
    return FileConnector("list", CsvSettings(path=path, **given), Hand(), sending)


def write(connector: FileConnector, operation: Any, ref: str | None, values: Mapping[str, Native]) -> Outcome:
    """One step."""
    (outcome,) = connector.write([Step(1, 1, operation, "contact", None if ref is None else Ref("contact", ref), values)])
    return outcome


def table(path: Path, encoding: str = "utf-8-sig", delimiter: str = ",") -> list[list[str]]:
    """The cells of a file, header included."""
    return list(csv.reader(io.StringIO(path.read_bytes().decode(encoding), newline=""), delimiter=delimiter))


def values_of(path: Path, *fields: str, **given: Any) -> dict[str, Mapping[str, Native]]:
    """What a connector that knows nothing of the file yet reads in it."""
    connector = opened(path, mirror=path.with_suffix(".again"), **given)
    records = {record.ref.id: record.values for page in connector.pull(Query({"contact": fields})) for record in page.records}
    connector.close()
    path.with_suffix(".again").unlink()
    return records


def pulled(connector: FileConnector, *fields: str, cursor: str | None = None) -> tuple[list[Record], list[Gone], tuple[str, ...], str]:
    """Records, what is gone, findings and the last cursor."""
    pages = list(connector.pull(Query({"contact": fields}, cursor)))
    return [record for page in pages for record in page.records], [gone for page in pages for gone in page.gone], tuple(pages[-1].findings), pages[-1].cursor


def told(path: Path, given: bytes, **settings: Any) -> tuple[dict[str, Mapping[str, Any]], tuple[str, ...]]:
    """What a file with these bytes tells of the columns A and B, by its key K, and its problems. Reading it changes nothing in it."""
    path.write_bytes(given)
    more: dict[str, Any] = {"key": "K", **settings}
    connector = opened(path, **more)
    records, _, findings, _ = pulled(connector, "A", "B")
    connector.close()
    assert path.read_bytes() == given
    return {record.ref.id: record.values for record in records}, findings
