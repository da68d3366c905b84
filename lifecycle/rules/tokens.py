"""The words of a condition, as somebody wrote it in the configuration, each with its place. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["text", "number", "name", "word", "sign"]

LONGEST = 2_000
"""Signs of one condition. What is longer is no rule that a person reads."""

_WORDS = ("and", "or", "not", "in", "true", "false")
_PARTS = (
    r"(?P<text>\"(?:[^\"\\]|\\[\"'\\])*\"|'(?:[^'\\]|\\[\"'\\])*')",
    r"(?P<number>\d[\d_]*(?:\.\d+)?(?!\w))",
    r"(?P<name>[^\W\d]\w*)",
    r"(?P<sign>==|!=|<=|>=|[<>+\-*/()\[\],])",
    r"(?P<blank>\s+)",
)
_STRANGE = {
    "=": "Write == to compare",
    "&": "Write and",
    "|": "Write or",
    "!": "Write not",
    ".": 'A name has no parts: write score_fit, or contains(job_title, "chief")',
    "`": 'Write texts in "quotes"',
    '"': 'Close the quotes. Inside of them \\" and \\\\ are the only signs after a \\',
    "'": "Close the quotes. Inside of them \\' and \\\\ are the only signs after a \\",
}


class Mistake(Exception):
    """What is wrong with a condition, at which sign of it (from 0), and the remedy."""

    def __init__(self, what: str, at: int, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.at = at
        self.remedy = remedy


class Token(NamedTuple):
    """One word. `text`: what it means (a quoted text without its quotes), `at` and `end`: where it stands."""

    kind: Kind
    text: str
    at: int
    end: int

    def is_sign(self, *signs: str) -> bool:
        """It is one of these signs or words."""
        return self.kind in ("sign", "word") and self.text in signs


def tokenise(text: str, names: Collection[str]) -> list[Token]:
    """The words in their order. `names`: the known ones, so that one such as `lead-score` is not taken for a difference. Raises `Mistake`."""
    if len(text) > LONGEST:
        raise Mistake(f"has {len(text):,} signs, and {LONGEST:,} are the most", LONGEST, "Make two rules of it, or keep what it lists under [lists]")
    odd = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True) if not name.isidentifier())
    pattern = re.compile("|".join([rf"(?P<odd>(?:{odd})(?![\w-]))", *_PARTS] if odd else _PARTS))
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = pattern.match(text, at)
        if match is None:
            raise Mistake(f"{text[at]!r} cannot stand here", at, _STRANGE.get(text[at], 'Write names, numbers, "texts", comparisons, and, or, not'))
        if match.lastgroup != "blank":
            found.append(_token(match))
        at = match.end()
    return found


def _token(match: re.Match[str]) -> Token:
    said, place = match[0], (match.start(), match.end())
    match match.lastgroup:
        case "text":
            return Token("text", re.sub(r"\\(.)", r"\1", said[1:-1]), *place)
        case "number":
            return Token("number", said.replace("_", ""), *place)
        case "sign":
            return Token("sign", said, *place)
        case "name" if said in _WORDS:
            return Token("word", said, *place)
        case _:
            return Token("name", said, *place)


def nearest(word: str, known: Iterable[str]) -> str:
    """A remedy that names what was probably meant, else what there is."""
    names = sorted(set(known))
    by_folded = {name.casefold(): name for name in names}
    near = [by_folded[name] for name in get_close_matches(word.casefold(), by_folded, 3, 0.6)]
    if near:
        return f"Did you mean {', '.join(near)}?"
    return f"Known: {', '.join(names[:12])}{' ...' if len(names) > 12 else ''}" if names else "There is none"
