"""Signals as lines of JSON, checked as they come in: from a file, from a pipe, and in the same form from whoever posts them.

    {"kind": "usage", "at": "2026-03-01T09:30:00Z", "source": "product", "id": "e-4711", "email": "anna@acme.example", "attributes": {"feature": "export"}}

`at`: ISO 8601 with a time zone, or milliseconds since 1970. `source` and `id` make it the same event when it is told again; without an id the whole line does.
Whom it is about, in one of four ways: `email` · `person` (p12) · `system` and `ref` (an id, or KIND/ID) · `key` and `value` (a configured match key).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, ValidationError, field_validator, model_validator

from ...mapping.keys import key_value
from ...mapping.signal_tables import SIGNAL_KIND
from ...model.errors import ConfigurationError
from ...model.records import Signal
from ...state.store import Store
from ...sync.looking.reported import Kept, Named, Nobody, Reach, Report, keep

LONGEST_LINE = 100_000
_SHOWN = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FROM, _AHEAD = 10**11, 24 * 3600 * 1000
"""Smaller numbers (before March 1973) are seconds; what lies further ahead than a day is no event."""

_Word = Annotated[str, Field(min_length=1, max_length=200)]
_Scalar = StrictStr | StrictBool | StrictInt | StrictFloat | None
_TYPES = ("str", "bool", "int", "float", "constrained-str")
_WORDS = {"missing": "is missing", "extra_forbidden": "there is no such key", "string_too_short": "is blank"}


class Told(BaseModel):
    """One line, as it may be written."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: str
    at: str | int
    source: _Word
    id: _Word | int | None = None
    email: _Word | None = None
    person: str | None = None
    system: _Word | None = None
    ref: _Word | None = None
    key: _Word | None = None
    value: _Word | None = None
    attributes: dict[_Word, _Scalar] = Field(default_factory=dict[str, Any], max_length=100)

    @field_validator("kind")
    @classmethod
    def _kind(cls, kind: str) -> str:
        if not SIGNAL_KIND.fullmatch(kind):
            raise ValueError("use up to 40 small letters, digits and _")
        return kind

    @field_validator("source", "id", "ref", "value")
    @classmethod
    def _printable(cls, text: str | int | None) -> str | int | None:
        if isinstance(text, str) and not text.isprintable():
            raise ValueError("holds a character that cannot be printed")
        return text

    @field_validator("at")
    @classmethod
    def _at(cls, at: str | int) -> int:
        if isinstance(at, str):
            try:
                moment = datetime.fromisoformat(at)
            except ValueError as error:
                raise ValueError("is no time: write 2026-03-01T09:30:00Z, or milliseconds since 1970") from error
            if moment.tzinfo is None:
                raise ValueError("tells no time zone: write 2026-03-01T09:30:00Z, or +01:00 at its end")
            at = (moment - _EPOCH) // timedelta(milliseconds=1)
        if at < _FROM:
            raise ValueError("lies before 1973: milliseconds since 1970 are meant, not seconds")
        return at

    @field_validator("person")
    @classmethod
    def _number(cls, person: str | None) -> str | None:
        if person is not None and not (person[:1] == "p" and person[1:].isdecimal() and len(person) < 20):
            raise ValueError("is no number of ours: write p12")
        return person

    @model_validator(mode="after")
    def _somebody(self) -> Told:
        ways = [
            self.email is not None,
            self.person is not None,
            self.system is not None or self.ref is not None,
            self.key is not None or self.value is not None,
        ]
        if sum(ways) != 1:
            raise ValueError("say in one way whom it is about: email, person, system and ref, or key and value")
        if (self.system is None) != (self.ref is None) or (self.key is None) != (self.value is None):
            raise ValueError("system goes with ref, and key with value")
        return self


@dataclass(frozen=True, slots=True)
class Door:
    """What a report may name. `keys`: the match keys that are configured; `systems`: name -> its kinds of record."""

    keys: Collection[str]
    systems: Mapping[str, tuple[str, ...]]


def read_line(line: bytes, door: Door, now: int) -> Report:
    """One report. Raises `ValueError` with all that is wrong with it; values are not repeated, they may be somebody's data."""
    if len(line) > LONGEST_LINE:
        raise ValueError(f"is longer than {LONGEST_LINE:,} bytes")
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError("is no JSON") from error
    if not isinstance(found, dict):
        raise ValueError("is no JSON object")
    try:
        told = Told.model_validate(found)
    except ValidationError as error:
        raise ValueError("; ".join(_problems(error))) from None
    at = int(told.at)
    if at > now + _AHEAD:
        raise ValueError("at: lies in the future")
    key = str(told.id) if told.id is not None else hashlib.sha256(orjson.dumps(found, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return Report(Signal(told.kind, at, told.source, key, dict(told.attributes)), _about(told, door))


def _problems(error: ValidationError) -> list[str]:
    """One for each place: what may be of several types is told by each of them otherwise."""
    found: dict[str, list[str]] = {}
    for each in error.errors(include_input=False, include_url=False, include_context=False):
        place = ".".join(str(part) for part in each["loc"] if part not in _TYPES)
        what = _WORDS.get(each["type"]) or str(each["msg"]).removeprefix("Value error, ")
        found.setdefault(place, []).append(what[:1].lower() + what[1:])
    words = {place: whats[0] if len(whats) == 1 else "is neither text nor a number nor true or false" for place, whats in found.items()}
    return [f"{place}: {what}" if place else what for place, what in words.items()]


def _about(told: Told, door: Door) -> Named:
    if told.person is not None:
        return Named(person=int(told.person[1:]))
    if told.system is not None and told.ref is not None:
        if told.system not in door.systems:
            raise ValueError(f"system: there is no system of that name; known: {', '.join(door.systems)}")
        kind, slash, id_ = told.ref.partition("/")
        return Named(record=(told.system, kind, id_) if slash else (told.system, None, told.ref))
    key, value = ("email", told.email) if told.email is not None else (told.key or "", told.value)
    if key not in door.keys:
        raise ValueError(f"key: is not configured; known: {', '.join(sorted(door.keys))}")
    normal = key_value(key, value or "")
    if normal is None:
        raise ValueError("email: is no e-mail address" if key == "email" else "value: is blank")
    return Named(key=(key, normal))


def read_file(lines: Iterable[bytes], door: Door, now: int) -> tuple[list[int], list[Report]]:
    """All reports, with the numbers of their lines; blank lines are passed over. Raises `ConfigurationError` with every line that is wrong."""
    numbers: list[int] = []
    reports: list[Report] = []
    wrong: list[str] = []
    for number, line in enumerate(lines, 1):
        bare = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
        if bare:
            try:
                reports.append(read_line(bare, door, now))
                numbers.append(number)
            except ValueError as error:
                wrong.append(f"line {number}: {error}")
    if wrong:
        raise refused(wrong)
    return numbers, reports


def refused(wrong: Collection[str]) -> ConfigurationError:
    """Nothing is kept of a file with mistakes; all of them are told, as far as they can be read."""
    shown = [*islice(wrong, _SHOWN), *([f"... and {len(wrong) - _SHOWN:,} more"] if len(wrong) > _SHOWN else [])]
    count = f"{len(wrong):,} line{'s' if len(wrong) > 1 else ''}"
    return ConfigurationError(f"{count} cannot be used; nothing was kept", next_step="mend what is listed below, and add the file again", problems=tuple(shown))


def keep_all(store: Store, workspace: int, systems: Mapping[str, Reach], numbered: tuple[list[int], list[Report]], now: int) -> Kept:
    """Keep what was read, in one transaction. Raises `ConfigurationError` where a line names somebody who cannot be."""
    numbers, reports = numbered
    try:
        with store.write() as tx:
            return keep(tx, workspace, systems, reports, now)
    except Nobody as error:
        raise refused([f"line {numbers[place]}: {why}" for place, why in error.found]) from None
