"""Inclusion: who belongs into a system. Looked at on the merged person, so that it does not matter which system knew it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, cast

from ..model.records import Value
from .countries import country_code
from .maps import Include
from .problems import Problems, closest

Criterion = Callable[[Mapping[str, Value], str | None], str | None]

_WORDS = ("min_stage", "has_email", "not_opted_out", "countries", "equals")


def compile_include(table: Mapping[str, Any], path: str, stages: Mapping[str, int], fields: Collection[str], problems: Problems) -> Include:
    """The test that `[systems.NAME.include]` describes: (canonical values, stage) -> None where included, else the reason in words.

    `stages`: the funnel's positions by id. `fields`: the canonical fields that may be asked about.
    """
    criteria: list[Criterion] = []
    for word, wanted in table.items():
        made = _criterion(word, wanted, f"{path}.{word}", stages, fields, problems)
        criteria.extend(made)

    def include(values: Mapping[str, Value], stage: str | None) -> str | None:
        for criterion in criteria:
            reason = criterion(values, stage)
            if reason is not None:
                return reason
        return None

    return include


def asked_fields(table: Mapping[str, Any]) -> frozenset[str]:
    """The canonical fields that an `include` table asks about."""
    asked = {field for word, field in (("has_email", "email"), ("not_opted_out", "email_opt_out"), ("countries", "country")) if table.get(word)}
    equals = table.get("equals")
    return frozenset(asked | set(cast("Mapping[str, Any]", equals) if isinstance(equals, Mapping) else ()))


def _criterion(word: str, wanted: Any, path: str, stages: Mapping[str, int], fields: Collection[str], problems: Problems) -> list[Criterion]:
    match word, wanted:
        case "min_stage", str():
            if wanted in stages:
                return [_min_stage(wanted, stages)]
            problems.add(path, f"{wanted!r} is not a stage of the funnel", closest(wanted, stages))
        case (("has_email" | "not_opted_out"), bool()):
            field = "email" if word == "has_email" else "email_opt_out"
            if wanted and field not in fields:
                problems.add(path, f"no system carries the field {field}", f"Map [fields.{field}], or remove this line")
            elif wanted:
                return [_has_email if word == "has_email" else _not_opted_out]
        case "countries", list():
            codes = {name: country_code(name) for name in cast("list[Any]", wanted)}
            for name in (name for name, code in codes.items() if code is None):
                problems.add(path, f"{name!r} is not a country", "Write names or ISO codes, such as DE")
            return [_equals("country", frozenset(codes.values()))]
        case "equals", dict():
            table = cast("dict[str, Any]", wanted)
            for field in (field for field in table if field not in fields):
                problems.add(f"{path}.{field}", "is not a mapped field", closest(field, fields))
            return [_equals(field, _folded(values)) for field, values in table.items()]
        case _ if word in _WORDS:
            example = 'min_stage = "mql", has_email = true, countries = ["DE"], equals = { industry = ["Software"] }'
            problems.add(path, f"{wanted!r} does not fit here", f"For example {example}")
        case _:
            problems.add(path, "is not a criterion", closest(word, _WORDS))
    return []


def _min_stage(least: str, stages: Mapping[str, int]) -> Criterion:
    bar = stages[least]

    def criterion(_values: Mapping[str, Value], stage: str | None) -> str | None:
        if stage is not None and stages.get(stage, -1) >= bar:
            return None
        return f"the stage is {stage or 'not known'}, below {least}"

    return criterion


def _has_email(values: Mapping[str, Value], _stage: str | None) -> str | None:
    return "has no e-mail address" if values.get("email") is None else None


def _not_opted_out(values: Mapping[str, Value], _stage: str | None) -> str | None:
    return "has opted out of e-mail" if values.get("email_opt_out") is True else None


def _folded(values: object) -> frozenset[Value]:
    listed = cast("list[Value]", values) if isinstance(values, list) else [cast("Value", values)]
    return frozenset(value.casefold() if isinstance(value, str) else value for value in listed)


def _equals(field: str, wanted: frozenset[Value]) -> Criterion:
    folded = _folded(list(wanted))

    def criterion(values: Mapping[str, Value], _stage: str | None) -> str | None:
        value = values.get(field)
        if (value.casefold() if isinstance(value, str) else value) in folded:
            return None
        return f"{field.replace('_', ' ')} is {'blank' if value is None else 'none of those that are wanted'}"

    return criterion
