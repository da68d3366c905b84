"""Names, to compare them: without case, accents and punctuation, a company's without its legal form. Nothing is ever written so."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_WORDS = re.compile(r"[^\W_]+")
_FORM = re.compile(r"(?:ab|ag|bv|co|company|corp|corporation|gmbh|group|holding|inc|incorporated|kg|limited|llc|llp|ltd|nv|oy|plc|sa|sarl|se|spa|srl|the)")
"""A word of a company's name that says only of what form it is."""


@lru_cache(16_384)
def folded(text: str | None) -> str:
    """The words of a name without case, accents and punctuation, parted by one blank; empty where nothing is left."""
    if not text:
        return ""
    plain = text if text.isascii() else "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join(_WORDS.findall(plain.casefold()))


@lru_cache(16_384)
def firm(text: str | None) -> str:
    """A company's name, folded and without its legal form (`Acme GmbH` is `acme`), unless nothing else is there."""
    words = folded(text).split()
    return " ".join(word for word in words if not _FORM.fullmatch(word)) or " ".join(words)
