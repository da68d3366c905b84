"""What may be configured for a file, checked before it is opened."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

ColumnType = Literal["text", "email", "number", "boolean", "date", "datetime", "multichoice"]
_SAMPLE = datetime(2001, 11, 23, 16, 5, 9, tzinfo=UTC)


class CsvSettings(BaseModel):
    """The keys of `[systems.NAME]` with `connector = "csv"`.

    `path`: .csv, .tsv or .jsonl. `key`: the column, or the columns, by which a row is known again (default: an id column, else the address). `modified`: the
    column with the time of a row's last change. `types`: column -> its type, text where nothing is said. `columns`: the header of a file that is made when
    something is written first. `complete`: what the file no longer holds is gone; else absence says nothing. `encoding`, `delimiter`, `decimal` (what
    stands before the decimals of numbers): where what the file shows is not to be believed. `dates`, `times`: how a date, and a date with a time, is
    written (as in Python's `strftime`); `zone`: of times without one. `separator`: between several choices in one cell. `mirror`: where what was read and
    written is kept (default: beside the file).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    kind: Literal["contact", "lead"] = "contact"
    key: tuple[str, ...] = ()
    modified: str | None = None
    types: Mapping[str, ColumnType] = Field(default_factory=dict)
    columns: tuple[str, ...] = ()
    complete: bool = False
    encoding: str | None = None
    decimal: Literal[",", "."] | None = None
    delimiter: str | None = None
    dates: str | None = None
    times: str | None = None
    zone: str = "UTC"
    separator: str = Field(default=";", min_length=1, max_length=5)
    mirror: Path | None = None

    @field_validator("path", "mirror")
    @classmethod
    def _beside_the_configuration(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        """Links are followed here, so that the file behind one is replaced and not the link."""
        folder = (info.context or {}).get("folder", Path())
        return None if path is None else (folder / path.expanduser()).resolve()

    @field_validator("key", mode="before")
    @classmethod
    def _one_or_several(cls, key: object) -> object:
        return (key,) if isinstance(key, str) else key

    @field_validator("columns")
    @classmethod
    def _different(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(columns)) < len(columns) or not all(column.strip() for column in columns):
            raise ValueError("need names that are all different, and none that is blank")
        return columns

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str | None) -> str | None:
        try:
            return None if encoding is None else codecs.lookup(encoding).name
        except LookupError:
            raise ValueError("is no encoding that is known here: write utf-8, utf-16, cp1252, iso8859-1 or another one of Python's") from None

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, delimiter: str | None) -> str | None:
        delimiter = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}.get(delimiter or "", delimiter)
        if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
            raise ValueError("is one character, or the word tab")
        return delimiter

    @field_validator("dates", "times")
    @classmethod
    def _reversible(cls, form: str | None) -> str | None:
        try:
            good = form is None or datetime.strptime(_SAMPLE.strftime(form), form).replace(tzinfo=UTC).date() == _SAMPLE.date()
        except ValueError:
            good = False
        if not good:
            raise ValueError('does not say year, month and day: write it as "%d.%m.%Y", or "%d.%m.%Y %H:%M"')
        return form

    @field_validator("zone")
    @classmethod
    def _zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (OSError, ValueError, KeyError):
            raise ValueError('is no time zone: write it as "Europe/Berlin"') from None
        return zone

    @property
    def lines(self) -> bool:
        """The file holds a JSON object in each line."""
        return self.path.suffix.lower() in (".jsonl", ".ndjson")

    @property
    def mirror_path(self) -> Path:
        """Where what was read and written is kept."""
        return self.mirror or self.path.with_name(self.path.name + ".stagesync")
