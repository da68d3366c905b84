"""SOQL, from text to a tree. It knows a part of the language and refuses the rest with MALFORMED_QUERY, as Salesforce refuses nonsense."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .errors import Refused
from .stamps import parse, parse_date


@dataclass(frozen=True)
class Constant:
    """A value written in the query. Text keeps its exact form in `value`; moments are in stored form."""

    kind: Literal["text", "number", "boolean", "null", "datetime", "date"]
    value: str | float | bool | None


@dataclass(frozen=True)
class Compare:
    """`field op value`; `op` is one of = != < <= > >= like in not-in includes excludes."""

    field: str
    op: str
    values: tuple[Constant, ...] = ()
    query: Select | None = None


@dataclass(frozen=True)
class Both:
    """Every part must hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Either:
    """One part must hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Negation:
    """The part must not hold."""

    part: Condition


Condition: TypeAlias = Compare | Both | Either | Negation


@dataclass(frozen=True)
class Order:
    """One sort key."""

    field: str
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True)
class Select:
    """One query. `fields` is empty for COUNT()."""

    text: str
    fields: tuple[str, ...]
    source: str
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0


MAX_OFFSET = 2000
MAX_STRING = 4000
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^'\\]|\\.)*')
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d(?![\dT]))
    | (?P<number>[+-]?\d+(?:\.\d+)?(?![\w.-]))
    | (?P<name>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)
    | (?P<mark><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "N": "\n", "r": "\r", "R": "\r", "t": "\t", "T": "\t", "b": "\b", "B": "\b", "f": "\f", "F": "\f"}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_RESERVED = {
    "select",
    "from",
    "where",
    "and",
    "or",
    "not",
    "order",
    "by",
    "limit",
    "offset",
    "asc",
    "desc",
    "nulls",
    "like",
    "in",
    "includes",
    "excludes",
    "group",
    "having",
}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind == "name" else self.text


def malformed(query: str, at: int, message: str) -> Refused:
    """MALFORMED_QUERY with the place in the query, as Salesforce points at it."""
    return Refused("MALFORMED_QUERY", f"{pointer(query, at)}{message}")


def pointer(query: str, at: int) -> str:
    """The lines that show where in a query something is wrong."""
    start = max(0, at - 40)
    return f"\n{query[start : at + 40]}\n{' ' * (at - start)}^\nERROR at Row:1:Column:{at + 1}\n"


def unescape(query: str, quoted: str, at: int, *, like: bool = False) -> str:
    """The text inside a quoted string. For LIKE, `\\_` and `\\%` stay as they are, to be read by the pattern."""

    def one(match: re.Match[str]) -> str:
        code, char = match.groups()
        if code:
            return chr(int(code, 16))
        if char in "_%" and like:
            return match.group(0)
        if char not in _ESCAPES:
            raise malformed(query, at, f"Illegal escape sequence: \\{char}")
        return "\\\\" if like and char == "\\" else _ESCAPES[char]

    return _ESCAPE.sub(one, quoted[1:-1])


def parse_soql(query: str) -> Select:
    """The tree of a query. Raises Refused (MALFORMED_QUERY, NUMBER_OUTSIDE_VALID_RANGE) for what it does not understand."""
    reader = _Reader(query)
    try:
        found = reader.select()
    except RecursionError:
        raise malformed(query, 0, "the query is nested too deeply") from None
    if reader.now.kind != "end":
        raise reader.unexpected()
    return found


def _tokens(query: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    end = len(query.rstrip())
    while at < end:
        match = _TOKEN.match(query, at)
        if match is None or match.lastgroup is None:
            at += len(query[at:]) - len(query[at:].lstrip())
            raise malformed(query, at, f"unexpected token: '{query[at]}'")
        found.append(_Token(match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup)))
        at = match.end()
    return [*found, _Token("end", "<EOF>", end)]


class _Reader:
    """Reads one token after the other."""

    def __init__(self, query: str) -> None:
        self.query = query
        self._tokens = _tokens(query)
        self._next = 0

    @property
    def now(self) -> _Token:
        return self._tokens[self._next]

    def unexpected(self) -> Refused:
        return malformed(self.query, self.now.at, f"unexpected token: '{self.now.text}'")

    def step(self) -> _Token:
        token = self.now
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def taken(self, *words: str) -> bool:
        """Step over these words if they come next."""
        following = [token.word for token in self._tokens[self._next : self._next + len(words)]]
        if following != list(words):
            return False
        self._next += len(words)
        return True

    def need(self, word: str) -> None:
        if not self.taken(word):
            raise self.unexpected()

    def name(self) -> str:
        if self.now.kind != "name" or self.now.word in _RESERVED:
            raise self.unexpected()
        return self.step().text

    def whole(self) -> int:
        if self.now.kind != "number" or not self.now.text.isdigit():
            raise self.unexpected()
        return int(self.step().text)

    def select(self) -> Select:
        start = self.now.at
        self.need("select")
        fields: list[str] = []
        if not self.taken("count", "(", ")"):
            fields.append(self.name())
            while self.taken(","):
                fields.append(self.name())
        self.need("from")
        source = self.name()
        where = self.condition() if self.taken("where") else None
        order = self.order() if self.taken("order", "by") else ()
        limit = self.whole() if self.taken("limit") else None
        offset = self.whole() if self.taken("offset") else 0
        if offset > MAX_OFFSET:
            raise Refused("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}")
        return Select(self.query[start:], tuple(fields), source, where, order, limit, offset)

    def order(self) -> tuple[Order, ...]:
        found = [self.order_key()]
        while self.taken(","):
            found.append(self.order_key())
        return tuple(found)

    def order_key(self) -> Order:
        field = self.name()
        descending = self.taken("desc")
        if not descending:
            self.taken("asc")
        last = self.taken("nulls", "last")
        if not last:
            self.taken("nulls", "first")
        return Order(field, descending, last)

    def condition(self) -> Condition:
        """Conditions joined by AND or by OR; mixing both needs parentheses, and so does a NOT that does not come first."""
        first = Negation(self.simple()) if self.taken("not") else self.simple()
        joint = self.now.word
        if joint not in {"and", "or"}:
            return first
        parts: list[Condition] = [first]
        while self.taken(joint):
            parts.append(self.simple())
        if self.now.word in {"and", "or"}:
            raise self.unexpected()
        return Both(tuple(parts)) if joint == "and" else Either(tuple(parts))

    def simple(self) -> Condition:
        if self.taken("("):
            inner = self.condition()
            self.need(")")
            return inner
        field = self.name()
        operator = self.step()
        if operator.word in {"=", "!=", "<>", "<", "<=", ">", ">="}:
            return Compare(field, "!=" if operator.word == "<>" else operator.word, (self.constant(),))
        if operator.word == "like":
            return Compare(field, "like", (self.constant(like=True),))
        if operator.word == "not" and self.taken("in"):
            return self.listed(field, "not-in")
        if operator.word in {"in", "includes", "excludes"}:
            return self.listed(field, operator.word)
        raise malformed(self.query, operator.at, f"unexpected token: '{operator.text}'")

    def listed(self, field: str, op: str) -> Condition:
        self.need("(")
        if self.now.word == "select" and op in {"in", "not-in"}:
            inner = self.select()
            self.need(")")
            return Compare(field, op, (), inner)
        values = [self.constant()]
        while self.taken(","):
            values.append(self.constant())
        self.need(")")
        return Compare(field, op, tuple(values))

    def constant(self, *, like: bool = False) -> Constant:
        token = self.step()
        try:
            match token.kind, token.word:
                case "text", _:
                    text = unescape(self.query, token.text, token.at, like=like)
                    if len(text) > MAX_STRING:
                        raise malformed(self.query, token.at, f"string literal longer than {MAX_STRING} characters")
                    return Constant("text", text)
                case "number", text:
                    return Constant("number", float(text) if "." in text else int(text))
                case "datetime", text:
                    return Constant("datetime", parse(text))
                case "date", text:
                    return Constant("date", parse_date(text))
                case "name", "true" | "false":
                    return Constant("boolean", token.word == "true")
                case "name", "null":
                    return Constant("null", None)
                case _:
                    raise malformed(self.query, token.at, f"unexpected token: '{token.text}'")
        except Refused:
            raise
        except ValueError:
            raise malformed(self.query, token.at, f"invalid date or dateTime: '{token.text}'") from None
