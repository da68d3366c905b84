"""Conditions: what `when` says, read once, and whether it holds for somebody. Pure.

    company_domain and country in target_countries and not (score_fit < 50 or has(job_title, "intern"))

A condition is leaves, joined by `and`, `or`, `not` and parentheses. A leaf is a value that is there (neither blank, false nor 0), a comparison, or
`value in list`. Whatever is compared with a blank is not so, whichever way it is compared; so is a number compared with a text that is none, which is told.

What a leaf computes is computed by CEL, the Common Expression Language, which can do nothing else. The leaves are kept apart so that `explain` can
show each with its value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from .calls import Argument, Maker, make
from .terms import Case, Plain, Term, as_number, plain
from .tokens import Mistake, Token, nearest, tokenise

_DEEPEST = 50
_RELATIONS = ("==", "!=", "<", "<=", ">", ">=")
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SUMS = ("+", "-", "*", "/")
_KINDS = {str: "text", float: "a number", bool: "true or false"}


class Bound(NamedTuple):
    """A leaf that compares one value with one number."""

    term: Term
    relation: str
    number: float


@dataclass(frozen=True, slots=True)
class Leaf:
    """One test of a condition. `bound`: where it is as simple as that."""

    text: str
    terms: tuple[Term, ...]
    holds: Callable[[Case], bool]
    bound: Bound | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions that belong together; `not` has one."""

    text: str
    word: Literal["and", "or", "not"]
    parts: tuple[Condition, ...]

    def holds(self, case: Case) -> bool:
        """Looked at from the left, no further than is needed."""
        if self.word == "and":
            return all(part.holds(case) for part in self.parts)
        if self.word == "or":
            return any(part.holds(case) for part in self.parts)
        return not self.parts[0].holds(case)


Condition: TypeAlias = Leaf | Group


@dataclass(frozen=True, slots=True)
class Scope:
    """What a condition may speak of. `attributes`: any other name is an attribute of the signal that is looked at."""

    terms: Mapping[str, Term]
    lists: Mapping[str, frozenset[Plain]]
    calls: Mapping[str, tuple[Maker, str]]
    attributes: bool = False

    @property
    def names(self) -> Collection[str]:
        """Whatever has a name here."""
        return {*self.terms, *self.lists, *self.calls}


def leaves(condition: Condition) -> Iterator[Leaf]:
    """All tests of a condition, in their order."""
    if isinstance(condition, Leaf):
        yield condition
    else:
        for part in condition.parts:
            yield from leaves(part)


def read_condition(text: str, scope: Scope) -> Condition:
    """The condition that a text means. Raises `Mistake`."""
    reader = _Reader(text, tokenise(text, scope.names), scope)
    condition = reader.either(0)
    if reader.at < len(reader.tokens):
        extra = reader.tokens[reader.at]
        raise Mistake(f"{extra.text!r} is one too many", extra.at, "Drop it, or open a parenthesis before it")
    return condition


class _Reader:
    """One walk over the words of a condition."""

    def __init__(self, text: str, tokens: Sequence[Token], scope: Scope) -> None:
        self.text = text
        self.tokens = tokens
        self.scope = scope
        self.at = 0

    def either(self, depth: int) -> Condition:
        return self.joined("or", lambda: self.joined("and", lambda: self.one(depth)))

    def joined(self, word: Literal["and", "or"], read: Callable[[], Condition]) -> Condition:
        first, parts = self.at, [read()]
        while self.next_is(word):
            self.at += 1
            parts.append(read())
        return parts[0] if len(parts) == 1 else Group(self.said(first), word, tuple(parts))

    def one(self, depth: int) -> Condition:
        if depth > _DEEPEST:
            raise Mistake("goes too deep", self.tokens[self.at - 1].at, "Make two rules of it")
        first = self.at
        if self.next_is("not"):
            self.at += 1
            part = self.one(depth + 1)
            return Group(self.said(first), "not", (part,))
        end = self.closing(first) if self.next_is("(") else None
        if end is None or (end + 1 < len(self.tokens) and not self.tokens[end + 1].is_sign("and", "or", ")")):
            return self.leaf()
        self.at += 1
        condition = self.either(depth + 1)
        if self.at != end:
            raise Mistake(f"{self.tokens[self.at].text!r} is one too many", self.tokens[self.at].at, "Drop it")
        self.at += 1
        return condition

    def leaf(self) -> Leaf:
        first, depth = self.at, 0
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if depth == 0 and token.is_sign("and", "or", ")"):
                break
            depth += token.is_sign("(", "[") - token.is_sign(")", "]")
            self.at += 1
        if self.at == first:
            at = self.tokens[first].at if first < len(self.tokens) else len(self.text)
            raise Mistake("something is missing here", at, "Write a name or a comparison")
        return _LeafReader(self.said(first), self.tokens[first : self.at], self.scope).leaf()

    def closing(self, opened: int) -> int:
        """Where the parenthesis is closed."""
        depth = 0
        for number in range(opened, len(self.tokens)):
            depth += self.tokens[number].is_sign("(") - self.tokens[number].is_sign(")")
            if depth == 0:
                return number
        raise Mistake("the parenthesis is never closed", self.tokens[opened].at, "Close it with )")

    def next_is(self, *words: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at].is_sign(*words)

    def said(self, first: int) -> str:
        """What was written from that word to here, on one line."""
        return " ".join(self.text[self.tokens[first].at : self.tokens[self.at - 1].end].split())


Part: TypeAlias = Term | Token
"""A value to look at; or a literal, a sign, or the name of a list, as written."""


class _LeafReader:
    """One walk over the words of a leaf."""

    def __init__(self, text: str, tokens: Sequence[Token], scope: Scope) -> None:
        self.text = text
        self.tokens = tokens
        self.scope = scope
        self.first = tokens[0]

    def leaf(self) -> Leaf:
        parts = list(self.parts())
        words = [each.text for each in parts if isinstance(each, Token) and each.kind in ("sign", "word")]
        if "in" in words:
            return self.membership(parts)
        match parts:
            case [Term() as term]:
                return Leaf(self.text, (term,), lambda case: bool(case.plain(term)), Bound(term, "!=", 0.0))
            case [Token(kind="word", text="true" | "false") as token]:
                return Leaf(self.text, (), lambda case: token.text == "true")
            case [Token(kind="text" | "number")]:
                raise Mistake(f"{self.text} stands alone", self.first.at, "Compare something with it")
            case _:
                return self.comparison(parts)

    def parts(self) -> Iterator[Part]:
        """Names and calls as the values that they stand for."""
        at = 0
        while at < len(self.tokens):
            token = self.tokens[at]
            following = self.tokens[at + 1] if at + 1 < len(self.tokens) else None
            if token.kind != "name":
                if token.is_sign("and", "or"):
                    raise Mistake(f"{token.text!r} cannot stand inside of a comparison", token.at, "Compare first, then join with and, or, not")
                yield token
            elif following is not None and following.is_sign("("):
                end = self.end_of_call(at)
                yield self.call(token, self.tokens[at + 2 : end])
                at = end
            elif token.text in self.scope.lists and at and self.tokens[at - 1].is_sign("in"):
                yield token
            else:
                yield self.term(token)
            at += 1

    def term(self, token: Token) -> Term:
        name = token.text
        if name in self.scope.terms:
            return self.scope.terms[name]
        if name in self.scope.lists:
            raise Mistake(f"{name!r} is a list", token.at, f"Write country in {name}")
        if name in self.scope.calls:
            raise Mistake(f"{name!r} needs to know of what", token.at, f"Write {self.scope.calls[name][1]}")
        if self.scope.attributes:
            folded = name.casefold()
            return Term(name, lambda case: next((value for attribute, value in case.values.items() if attribute.casefold() == folded), None))
        if name in ("null", "none", "None", "NULL", "blank"):
            raise Mistake(f"nothing can be compared with {name}", token.at, "Write blank(budget) or not blank(budget)")
        raise Mistake(f"there is no {name!r}", token.at, nearest(name, [*self.scope.terms, *self.scope.lists]))

    def end_of_call(self, at: int) -> int:
        for number in range(at + 2, len(self.tokens)):
            if self.tokens[number].is_sign(")"):
                return number
        raise Mistake("the parenthesis is never closed", self.tokens[at + 1].at, "Close it with )")

    def call(self, token: Token, inside: Sequence[Token]) -> Term:
        if token.text not in self.scope.calls:
            raise Mistake(f"there is no {token.text}(...)", token.at, nearest(token.text, self.scope.calls))
        arguments: list[Argument] = []
        for number, each in enumerate(inside):
            fits = each.is_sign(",") if number % 2 else each.kind in ("name", "text")
            if not fits:
                raise Mistake(f"{each.text!r} cannot stand here", each.at, f"Write {self.scope.calls[token.text][1]}")
            if not number % 2:
                arguments.append(each.text if each.kind == "text" else self.term(each))
        if inside and not len(inside) % 2:
            raise Mistake("something is missing here", inside[-1].end, f"Write {self.scope.calls[token.text][1]}")
        return make(token, arguments, self.scope.calls)

    def membership(self, parts: list[Part]) -> Leaf:
        """`value in list`, `value not in ["a", "b"]`."""
        at = next(number for number, each in enumerate(parts) if isinstance(each, Token) and each.is_sign("in"))
        match parts[:at]:
            case [Term() as term]:
                negated = False
            case [Term() as term, Token(kind="word", text="not")]:
                negated = True
            case _:
                remedy = 'Write country in target_countries. Whether a text is part of another is contains(job_title, "chief")'
                raise Mistake("one value alone must stand before in", self.first.at, remedy)
        members = self.members(parts[at + 1 :])
        kinds = frozenset(type(member) for member in members)

        def holds(case: Case) -> bool:
            value = case.plain(term)
            if value is None:
                return False
            if type(value) not in kinds:
                value = as_number(value) if float in kinds else value
                if not _comparable(self.text, {type(value), *kinds}, case):
                    return False
            return (value in members) is not negated

        return Leaf(self.text, (term,), holds)

    def members(self, parts: list[Part]) -> frozenset[Plain]:
        match parts:
            case [Token(kind="name", text=name)] if name in self.scope.lists:
                return self.scope.lists[name]
            case [Token(text="[", kind="sign"), *inside, Token(text="]", kind="sign")] if len(inside) % 2 and all(map(_is_comma, inside[1::2])):
                found = [self.literal(each) for each in inside[::2]]
                self.alike([type(each) for each in found])
                return frozenset(found)
            case _:
                remedy = f'Write in ["DE", "AT"], or a list of [lists]: {", ".join(self.scope.lists) or "there is none yet"}'
                raise Mistake("a list must stand behind in", self.tokens[-1].at, remedy)

    def literal(self, part: Part) -> Plain:
        if isinstance(part, Token) and part.kind == "text":
            return plain(part.text)
        if isinstance(part, Token) and part.kind == "number":
            return float(part.text)
        raise Mistake("a list holds texts in quotes and numbers", self.first.at, 'Write in ["DE", "AT"]')

    def alike(self, kinds: Collection[type]) -> None:
        if len(set(kinds)) > 1:
            raise Mistake(f"compares {' with '.join(sorted({_KINDS[each] for each in kinds}))}", self.first.at, 'Numbers have no quotes: 50, not "50"')

    def comparison(self, parts: list[Part]) -> Leaf:
        """What CEL computes: its values are `v0`, `v1`, ... there."""
        relations = [each for each in parts if isinstance(each, Token) and each.is_sign(*_RELATIONS)]
        if len(relations) > 1:
            raise Mistake("compares twice", relations[1].at, "Write 10 < employees and employees < 50")
        strange = next((each for each in parts if isinstance(each, Token) and each.is_sign("not", "[", "]", ",")), None)
        if strange is not None:
            raise Mistake(f"{strange.text!r} cannot stand here", strange.at, "Compare first, then join with and, or, not")
        terms = {f"v{number}": each for number, each in enumerate(parts) if isinstance(each, Term)}
        kinds: set[type] = {_KIND_OF[each.kind, each.text in ("true", "false")] for each in parts if isinstance(each, Token) and each.kind != "sign"}
        if any(isinstance(each, Token) and each.is_sign(*_SUMS) for each in parts):
            kinds.add(float)
        self.alike(kinds)
        program = self.compiled(parts)
        return Leaf(self.text, tuple(terms.values()), lambda case: _computed(program, self.text, terms, kinds, case), _bound(parts))

    def compiled(self, parts: list[Part]) -> Any:
        from cel import compile as compile_cel

        source = " ".join(f"v{number}" if isinstance(each, Term) else _cel(each) for number, each in enumerate(parts))
        try:
            return compile_cel(source)
        except ValueError:
            raise Mistake(f"{self.text!r} is no comparison", self.first.at, "Write for example score_fit + score_interest >= 70") from None


_KIND_OF: Mapping[tuple[str, bool], type] = {("text", False): str, ("text", True): str, ("number", False): float, ("word", True): bool}


def _is_comma(part: Part) -> bool:
    return isinstance(part, Token) and part.is_sign(",")


def _cel(token: Token) -> str:
    if token.kind == "text":
        return json.dumps(token.text.casefold(), ensure_ascii=False)
    return repr(float(token.text)) if token.kind == "number" else token.text


def _bound(parts: list[Part]) -> Bound | None:
    match parts:
        case [Term() as term, Token(kind="sign", text=relation), Token(kind="number", text=number)] if relation in _RELATIONS:
            return Bound(term, relation, float(number))
        case [Token(kind="number", text=number), Token(kind="sign", text=relation), Term() as term] if relation in _RELATIONS:
            return Bound(term, _TURNED.get(relation, relation), float(number))
        case _:
            return None


def _computed(program: Any, text: str, terms: Mapping[str, Term], kinds: Collection[type], case: Case) -> bool:
    values: dict[str, Plain] = {}
    for name, term in terms.items():
        value = values[name] = case.plain(term)
        if value is None:
            return False
    found = {type(value) for value in values.values()}.union(kinds)
    if len(found) > 1:
        values = {name: as_number(value) for name, value in values.items()} if str not in kinds else values
        if not _comparable(text, {type(value) for value in values.values()}.union(kinds), case):
            return False
    try:
        return bool(program.execute(values))
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError):
        case.troubles[text] = "cannot be computed"
        return False


def _comparable(text: str, kinds: Collection[type], case: Case) -> bool:
    if len(kinds) > 1:
        case.troubles[text] = f"compares {' with '.join(sorted(_KINDS[each] for each in kinds))}"
        return False
    return True
