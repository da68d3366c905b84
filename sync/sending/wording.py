"""A vendor's sentence about a refused row, fit to be kept and shown: without the values that were sent. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ADDRESS = re.compile(r"[^\s@\"'<>\[\]]+@[^\s@\"'<>\[\]]+")
_BEGINNING = 20
"""A value this long is known by its beginning: a sentence may quote it cut."""
HIDDEN = "<value>"


def without_values(sentence: str, values: Iterable[object]) -> str:
    """The sentence with each of the values, and whatever looks like an e-mail address, replaced."""
    given = {str(value).strip() for value in values if value is not None and not isinstance(value, bool)}
    for text in sorted((text for text in given if len(text) > 1), key=lambda text: (-len(text), text)):
        sentence = _long(sentence, text) if len(text) > _BEGINNING else re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", HIDDEN, sentence)
    return _ADDRESS.sub("<e-mail>", sentence)


def _long(sentence: str, text: str) -> str:
    """Without the value, as far as it is quoted."""
    start = sentence.find(text[:_BEGINNING])
    if start < 0:
        return sentence
    end = start
    while end < len(sentence) and end - start < len(text) and sentence[end] == text[end - start]:
        end += 1
    return sentence[:start] + HIDDEN + _long(sentence[end:], text)
