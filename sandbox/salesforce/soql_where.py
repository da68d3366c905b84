"""WHERE, from its tree to a test on a row, and to the part of an index where matching rows can be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any

from .errors import Refused
from .fields import NUMBERS, TEXTS, Field, Row
from .ids import normalise
from .rows import AFTER_ALL, BEFORE_ALL, Place
from .soql_parse import Both, Compare, Condition, Constant, Either, Negation

Test = Callable[[Row], bool]
Getter = Callable[[Row], Any]
Key = Callable[[str], str]

_WITHIN = {"<": lt, "<=": le, ">": gt, ">=": ge}
_LIKE_PART = re.compile(r"\\(.)|(.)", re.DOTALL)


@dataclass(frozen=True)
class Column:
    """A field named in a query: how to get its value from a row. `own` is its name if it stands on the row itself, not behind a relationship."""

    field: Field
    get: Getter
    own: str | None


@dataclass(frozen=True)
class Lookup:
    """What a WHERE needs from outside: fields by name, the values of an inner query, and the order of ids."""

    column: Callable[[str], Column]
    inner: Callable[[Compare], frozenset[str]]
    id_key: Key


def compile_where(where: Condition, lookup: Lookup) -> Test:
    """A test for rows. Null follows SOQL: it equals only null, differs from every value, and is neither less nor greater."""
    match where:
        case Both(parts):
            tests = [compile_where(part, lookup) for part in parts]
            return lambda row: all(test(row) for test in tests)
        case Either(parts):
            tests = [compile_where(part, lookup) for part in parts]
            return lambda row: any(test(row) for test in tests)
        case Negation(part):
            inner = compile_where(part, lookup)
            return lambda row: not inner(row)
        case Compare():
            return _compare(where, lookup)


def _compare(where: Compare, lookup: Lookup) -> Test:
    column = lookup.column(where.field)
    field, get = column.field, column.get
    if not field.filterable:
        raise Refused("INVALID_FIELD", f"field '{field.name}' can not be filtered in a query call")
    if where.query is not None:
        if field.type not in {"id", "reference"}:
            raise Refused("MALFORMED_QUERY", f"The left operand '{field.name}' of a semi-join must be an ID or a reference")
        wanted = lookup.inner(where)
        return (lambda row: get(row) in wanted) if where.op == "in" else (lambda row: get(row) not in wanted)
    values = [plain_value(field, one, where.op) for one in where.values]
    match where.op:
        case "=" | "in":
            return _equal(field, get, values)
        case "!=" | "not-in":
            equal = _equal(field, get, values)
            return lambda row: not equal(row)
        case "like":
            return _like(field, get, str(values[0] or ""))
        case "includes" | "excludes":
            return _includes(field, get, values, wanted=where.op == "includes")
        case _:
            return _within(field, get, where.op, values[0], lookup.id_key)


def plain_value(field: Field, constant: Constant, op: str) -> Any:
    """The constant as rows hold it: ids in 18 characters, an empty text as null. Raises Refused if it is of the wrong type."""
    kind = constant.kind
    if kind == "null" or (kind == "text" and constant.value == ""):
        return None
    if field.type in TEXTS or field.type in {"id", "reference", "anyType"}:
        if kind != "text":
            raise Refused("INVALID_FIELD", f"value of filter criterion for field '{field.name}' must be of type string and should be enclosed in quotes")
        return _id_value(field, str(constant.value), op) if field.type in {"id", "reference"} else constant.value
    expected = "number" if field.type in NUMBERS else field.type
    if kind != expected:
        spoken = {"datetime": "dateTime", "number": "double"}.get(expected, expected)
        raise Refused("INVALID_FIELD", f"value of filter criterion for field '{field.name}' must be of type {spoken} and should not be enclosed in quotes")
    return constant.value


def _id_value(field: Field, value: str, op: str) -> str:
    found = normalise(value)
    if found is None or op == "like":
        raise Refused("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {value}" if op != "like" else f"invalid operator on {field.type} field")
    return found


def comparable(field: Field, value: Any) -> Any:
    """A value in the form in which two are equal: text without regard to case, multi-select without regard to order."""
    if field.type == "multipicklist" and isinstance(value, str):
        return frozenset(part.strip().lower() for part in value.split(";"))
    if isinstance(value, str) and field.type in TEXTS and not field.case_sensitive:
        return value.lower()
    return value


def _equal(field: Field, get: Getter, values: Iterable[Any]) -> Test:
    wanted = frozenset(comparable(field, value) for value in values)
    if field.type in TEXTS and not (field.type != "multipicklist" and field.case_sensitive):
        return lambda row: comparable(field, get(row)) in wanted
    return lambda row: get(row) in wanted


def _like(field: Field, get: Getter, pattern: str) -> Test:
    if field.type not in TEXTS or field.type == "multipicklist":
        raise Refused("INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {field.type} field: LIKE")
    found = re.compile("".join(map(_like_part, _LIKE_PART.finditer(pattern))), re.DOTALL if field.case_sensitive else re.DOTALL | re.IGNORECASE)
    return lambda row: (value := get(row)) is not None and found.fullmatch(value) is not None


def _like_part(match: re.Match[str]) -> str:
    wild = {"%": ".*", "_": "."}.get(match.group(0))
    return re.escape(match.group(match.lastindex or 0)) if wild is None else wild


def _includes(field: Field, get: Getter, values: Iterable[Any], *, wanted: bool) -> Test:
    if field.type != "multipicklist":
        raise Refused(
            "INVALID_QUERY_FILTER_OPERATOR", f"INCLUDES and EXCLUDES operators can only be used with multi-select picklist fields, not '{field.name}'"
        )
    groups: list[frozenset[str]] = [comparable(field, value) for value in values if value is not None]

    def test(row: Row) -> bool:
        chosen: frozenset[str] = comparable(field, get(row)) or frozenset()
        return any(group <= chosen for group in groups) == wanted

    return test


def _within(field: Field, get: Getter, op: str, bound: Any, id_key: Key) -> Test:
    if field.type in {"boolean", "multipicklist"}:
        raise Refused("INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {field.type} field: {op}")
    if bound is None:
        raise Refused("INVALID_QUERY_FILTER_OPERATOR", f"invalid operator for null: {op}")
    holds = _WITHIN[op]
    if field.type in {"id", "reference"}:
        limit = id_key(bound)
        return lambda row: (value := get(row)) is not None and holds(id_key(value), limit)
    limit = comparable(field, bound)
    return lambda row: (value := get(row)) is not None and holds(comparable(field, value), limit)


@dataclass(frozen=True)
class Bounds:
    """Where matching rows can be in the order of (stamp, id): after `low`, up to and including `high`; None is no bound."""

    low: Place | None = None
    high: Place | None = None


def stamp_bounds(where: Condition | None, stamp: str, id_key: Key) -> Bounds:
    """The part of the stamp index that a WHERE can match. `(SystemModstamp = T AND Id > X) OR SystemModstamp > T` begins exactly after (T, X)."""
    match where:
        case Compare(field, op, (Constant("datetime", str(moment)),), None) if field.lower() == stamp.lower():
            return _moment_bounds(op, moment)
        case Both(parts):
            return _narrowed([stamp_bounds(part, stamp, id_key) for part in parts], _id_above(parts), id_key)
        case Either(parts):
            all_bounds = [stamp_bounds(part, stamp, id_key) for part in parts]
            lows = [one.low for one in all_bounds if one.low is not None]
            highs = [one.high for one in all_bounds if one.high is not None]
            return Bounds(min(lows) if len(lows) == len(parts) else None, max(highs) if len(highs) == len(parts) else None)
        case _:
            return Bounds()


def _moment_bounds(op: str, moment: str) -> Bounds:
    before, after = (moment, BEFORE_ALL), (moment, AFTER_ALL)
    found = {"=": Bounds(before, after), ">": Bounds(after), ">=": Bounds(before), "<": Bounds(None, before), "<=": Bounds(None, after)}
    return found.get(op, Bounds())


def _narrowed(all_bounds: list[Bounds], id_above: str | None, id_key: Key) -> Bounds:
    low = max((one.low for one in all_bounds if one.low is not None), default=None)
    high = min((one.high for one in all_bounds if one.high is not None), default=None)
    if id_above is not None and low is not None and high is not None and low[0] == high[0]:
        low = max(low, (low[0], id_key(id_above)))
    return Bounds(low, high)


def _id_above(parts: Iterable[Condition]) -> str | None:
    for part in parts:
        match part:
            case Compare(field, ">", (Constant("text", str(value)),), None) if field.lower() == "id":
                return normalise(value)
            case _:
                continue
    return None


def conjuncts(where: Condition | None) -> tuple[Condition, ...]:
    """The conditions that all must hold."""
    if where is None:
        return ()
    if isinstance(where, Both):
        return tuple(inner for part in where.parts for inner in conjuncts(part))
    return (where,)


def id_bound(where: Condition | None) -> str | None:
    """X of an `Id > X` that every row must meet."""
    return _id_above(conjuncts(where))
