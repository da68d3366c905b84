"""The calls that a condition can make, such as `count("form")` or `contains(job_title, "intern")`. Pure.

Their arguments are names, and texts in quotes; each call stands for one value, computed when it is first needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ...model.records import Signal, Value
from .terms import Case, Days, Term, in_words, moment, plain, whole
from .tokens import Mistake, Token

Argument: TypeAlias = Term | str
"""A value to look at, or a text."""

Maker: TypeAlias = Callable[["Call"], Term]


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it was written. `token`: its name."""

    token: Token
    arguments: Sequence[Argument]
    example: str

    @property
    def text(self) -> str:
        """It, written in one way."""
        return f"{self.token.text}({', '.join(each.text if isinstance(each, Term) else in_words(each) for each in self.arguments)})"

    def wrong(self) -> Mistake:
        """The arguments are not what it needs."""
        return Mistake(f"{self.token.text} cannot be used so", self.token.at, f"Write {self.example}")

    def term(self) -> Term:
        """The first argument, which is a value."""
        if not self.arguments or isinstance(self.arguments[0], str):
            raise self.wrong()
        return self.arguments[0]

    def texts(self, start: int, least: int, most: int) -> list[str]:
        """The arguments from one on, which are texts, in one case."""
        found = [each.casefold() for each in self.arguments[start:] if isinstance(each, str)]
        if not least <= len(found) <= most or len(found) < len(self.arguments) - start or "" in found:
            raise self.wrong()
        return found


def _signals(texts: Sequence[str]) -> Callable[[Case], Iterator[Signal]]:
    """The signals that are meant by a kind; by a kind and a text in any attribute; by a kind, an attribute and a text in it. Newest first."""
    kind, name, part = texts[0], texts[1] if len(texts) == 3 else None, texts[-1]
    if len(texts) == 1:
        return lambda case: iter(case.signals(kind))

    def says(signal: Signal) -> bool:
        return any((name is None or attribute.casefold() == name) and part in str(plain(value) or "") for attribute, value in signal.attributes.items())

    return lambda case: (signal for signal in case.signals(kind) if says(signal))


def _count(call: Call) -> Term:
    found = _signals(call.texts(0, 1, 3))
    return Term(call.text, lambda case: sum(1 for _ in found(case)), looks_at_signals=True)


def _any(call: Call) -> Term:
    found = _signals(call.texts(0, 1, 3))
    return Term(call.text, lambda case: next(found(case), None) is not None, looks_at_signals=True)


def _days_since(call: Call) -> Term:
    if call.arguments and isinstance(call.arguments[0], Term):
        term = call.arguments[0]
        if len(call.arguments) > 1 or term.ageing is not None:
            raise call.wrong()
        days = Days(lambda case: moment(case.shown(term)))
        return Term(call.text, days.count, days, term.looks_at_signals)
    found = _signals(call.texts(0, 1, 3))
    days = Days(lambda case: next((signal.at for signal in found(case)), None))
    return Term(call.text, days.count, days, looks_at_signals=True)


def _last(call: Call) -> Term:
    kind, name = call.texts(0, 2, 2)

    def find(case: Case) -> Value:
        newest = next(iter(case.signals(kind)), None)
        return None if newest is None else next((value for attribute, value in newest.attributes.items() if attribute.casefold() == name), None)

    return Term(call.text, find, looks_at_signals=True)


def _contains(call: Call) -> Term:
    term, parts = call.term(), call.texts(1, 1, 50)

    def find(case: Case) -> bool:
        value = case.plain(term)
        return isinstance(value, str) and any(part in value for part in parts)

    return Term(call.text, find, term.ageing, term.looks_at_signals)


def _has(call: Call) -> Term:
    term, phrases = call.term(), [whole(phrase) for phrase in call.texts(1, 1, 50)]

    def find(case: Case) -> bool:
        value = case.plain(term)
        return isinstance(value, str) and any(phrase.search(value) for phrase in phrases)

    return Term(call.text, find, term.ageing, term.looks_at_signals)


def _blank(call: Call) -> Term:
    term = call.term()
    if len(call.arguments) > 1:
        raise call.wrong()
    return Term(call.text, lambda case: case.plain(term) is None, None, term.looks_at_signals)


_ON_VALUES: Mapping[str, tuple[Maker, str]] = {
    "contains": (_contains, 'contains(job_title, "chief", "head of")'),
    "has": (_has, 'has(job_title, "intern")'),
    "blank": (_blank, "blank(budget)"),
}
_ON_SIGNALS: Mapping[str, tuple[Maker, str]] = {
    "count": (_count, 'count("form"), count("form", "e-book") or count("form", "title", "e-book")'),
    "any": (_any, 'any("form"), any("form", "e-book") or any("form", "title", "e-book")'),
    "days_since": (_days_since, 'days_since("form"), days_since("form", "e-book") or days_since(demo_date)'),
    "last": (_last, 'last("call", "outcome")'),
}
CALLS: Mapping[str, tuple[Maker, str]] = {**_ON_VALUES, **_ON_SIGNALS}
"""All of them: how it is made, and an example."""
CALLS_ON_VALUES = _ON_VALUES
"""Those that look at no signals: what the condition of a single signal can make."""


def make(token: Token, arguments: Sequence[Argument], calls: Mapping[str, tuple[Maker, str]]) -> Term:
    """The value that a call stands for. Raises `Mistake`."""
    maker, example = calls[token.text]
    return maker(Call(token, arguments, example))
