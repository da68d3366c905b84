"""Somebody with a file: writes it, edits rows in it, deletes some, in the way of a spreadsheet; and the connector that looks at it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from salesforce_org import Hand

from stagesync.connectors.csv.connector import FileConnector
from stagesync.connectors.csv.settings import CsvSettings
from stagesync.model.records import Native, Page, Query, Record, Ref

HEADER = ("Record ID", "Email", "First Name", "Last Name", "Job Title", "Lifecycle Stage", "Notes")


class Clerk:
    """The system `list` in a folder. `ending`: of the file. What is given besides are its settings."""

    def __init__(self, folder: Path, ending: str = "csv", header: Sequence[str] = HEADER, **given: Any) -> None:
        self.path = folder / f"people.{ending}"
        self.header, self.given = tuple(header), given
        self.clock = Hand()
        self.connector = self.open()

    def open(self) -> FileConnector:
        """Another connector for the same file."""
        return FileConnector("list", CsvSettings(path=self.path, **self.given), self.clock, lambda: None)

    # -- the file

    @property
    def is_json(self) -> bool:
        """The file holds objects."""
        return self.path.suffix == ".jsonl"

    def rows(self) -> list[dict[str, str]]:
        """What stands in the file."""
        text = self.path.read_bytes().decode("utf-8-sig")
        if self.is_json:
            return [json.loads(line) for line in text.splitlines()]
        return list(csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if self.path.suffix == ".tsv" else ","))

    def save(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """The file with these rows and no others."""
        text = io.StringIO(newline="")
        if self.is_json:
            text.writelines(json.dumps(dict(row)) + "\n" for row in rows)
        else:
            writer = csv.DictWriter(text, self.header, delimiter="\t" if self.path.suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
        self.path.write_bytes(text.getvalue().encode())

    def create(self, values: Mapping[str, Native]) -> Ref:
        """One more row."""
        rows = self.rows()
        id = str(max((int(row["Record ID"]) for row in rows), default=100) + 1)
        self.save([*rows, {"Record ID": id, **values}])
        return Ref("contact", id)

    def edit(self, ref: Ref, values: Mapping[str, Native]) -> None:
        """Other values in a row; None empties a cell."""
        self.save([{**row, **values} if row["Record ID"] == ref.id else row for row in self.rows()])

    def delete(self, ref: Ref) -> None:
        """A row less."""
        self.save([row for row in self.rows() if row["Record ID"] != ref.id])

    # -- the connector

    def pull(self, cursor: str | None = None, fields: Sequence[str] | None = None) -> list[Page]:
        """All pages from a cursor on."""
        return list(self.connector.pull(Query({"contact": tuple(fields or self.header)}, cursor)))

    def records(self, cursor: str | None = None) -> dict[str, Record]:
        """What the pages tell, by id."""
        return {record.ref.id: record for page in self.pull(cursor) for record in page.records}
