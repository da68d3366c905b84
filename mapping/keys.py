"""Match keys: by what a record is recognised as the same person's, in one form for all systems."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from ..model.records import Value, Values
from .fields import Unmappable
from .text import as_text, read_email, read_text


def key_value(key: str, text: str) -> str | None:
    """The form of one value of a match key under which it is looked up: an address as such, all else as text without regard to case; None for none."""
    return (_email if key == "email" else _text)(text, {})


def key_reader(keys: Mapping[str, Sequence[str]]) -> Callable[[Values], tuple[tuple[str, str], ...]]:
    """The match keys of a record, each once, in the order in which they are listed (the primary address first)."""
    listed = [(key, native, _email if key == "email" else _text) for key, natives in keys.items() for native in natives]

    def read(values: Values) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        for key, native, normal in listed:
            value = values.get(native)
            if value is None:
                continue
            for part in as_text(value).split(";"):
                word = normal(part, values)
                if word is not None and (key, word) not in found:
                    found.append((key, word))
        return tuple(found)

    return read


def _email(part: str, record: Values) -> str | None:
    try:
        return cast("str | None", read_email(part, record))
    except Unmappable:
        return None


def _text(part: str, record: Values) -> str | None:
    text = cast("str | None", read_text(part, record))
    return None if text is None else text.casefold()


def primary_reader(native: str | None) -> Callable[[Values], str | None]:
    """The record's own address, of those that it may have."""

    def primary(values: Values) -> str | None:
        value: Value = None if native is None else values.get(native)
        return None if value is None else _email(as_text(value), values)

    return primary
