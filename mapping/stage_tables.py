"""From the TOML of a stage map to the compiled one: the user's rows over the default ones, resolved against the account's own options."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

from ..model.records import Native
from .choices import fold
from .defaults import Table
from .maps import DescribedField
from .problems import Problems, closest
from .stages import Rule, StageMap, Words, word
from .vocabulary import Vocabulary

_TABLE_WORDS = ("values", "ignore", "instead", "rules", "write", "reason", "replace")
_RULE_WORDS = ("when", "stage", "side", "closed", "least", "at")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the stage map of one kind comes from. `fields`: the kind as the account has it (None: not known). `path`: of the user's table."""

    where: str
    defaults: Table
    own: Table
    path: str
    fields: Mapping[str, DescribedField] | None
    words: Vocabulary

    @property
    def stages(self) -> Collection[str]:
        """The funnel's stages."""
        return self.words.stages

    @property
    def sides(self) -> Collection[str]:
        """The funnel's side states."""
        return self.words.sides

    @property
    def meanings(self) -> frozenset[str]:
        """Everything that a value may mean; a group means its first stage."""
        return frozenset((*self.words.names, *self.sides))


def compile_stages(source: Source, problems: Problems) -> StageMap | None:
    """The stage map of one kind; None where it has none. Mistakes of the user's go to `problems`, what cannot be expressed becomes a note."""
    _check_words(source, problems)
    if source.own.get("replace") is True:
        source = replace(source, defaults={})
    rules = tuple(_rules(source, problems))
    words = tuple(_words(source, problems))
    settings = dict(_settings(source, problems))
    reason = problems.text(f"{source.path}.reason", source.own["reason"]) if "reason" in source.own else source.defaults.get("reason")
    if reason is not None and not _has(source, reason):
        problems.add(f"{source.path}.reason", f"{source.where} has no field {reason!r}", closest(reason, source.fields or ()))
    if not rules and not words:
        return None
    direct = {meaning for each in words for meaning in each.writes} | set(settings)
    expressed = _expressed(source, direct, problems)
    _tell(source, expressed, problems)
    times = [rule.at for rule in rules if rule.at is not None]
    evidence = dict.fromkeys([native for rule in rules for native in rule.when] + times + [each.native for each in words])
    exact = {native for rule in rules for native, wanted in rule.when.items() if not isinstance(wanted, bool)} | {each.native for each in words}
    written = {each.native for each in words} | {native for setting in settings.values() for native in setting}
    extra = (reason,) if reason is not None else ()
    return StageMap(
        natives=(*evidence, *(native for native in written if native not in evidence)),
        writes=frozenset(native for native in (*written, *extra) if _writable(source, native)),
        lossy={meaning: other for meaning, other in expressed.items() if other != meaning},
        expressed=expressed,
        sides=frozenset(source.sides),
        rules=rules,
        words=words,
        settings=settings,
        probes=frozenset(evidence) - exact,
        reason=reason,
        floored=any(rule.beyond is not None for rule in rules),
    )


def _check_words(source: Source, problems: Problems) -> None:
    for key in source.own:
        if key not in _TABLE_WORDS:
            problems.add(f"{source.path}.{key}", "is not part of a stage map", closest(key, _TABLE_WORDS))


def _has(source: Source, native: str) -> bool:
    return source.fields is None or native in source.fields


def _writable(source: Source, native: str) -> bool:
    return "." not in native and (source.fields is None or (native in source.fields and source.fields[native].writable))


def _both(source: Source, key: str, problems: Problems) -> Iterator[tuple[Table, str | None]]:
    """The rows of a list of tables, the user's first: (row, its path or None for a default)."""
    for number, row in enumerate(problems.rows(f"{source.path}.{key}", source.own[key]) if key in source.own else ()):
        yield row, f"{source.path}.{key}[{number}]"
    for row in cast("Sequence[Table]", source.defaults.get(key, ())):
        yield row, None


def _means(source: Source, row: Table, path: str | None, problems: Problems) -> tuple[str | None, str | None] | None:
    """The stage and side of a row; None where the funnel has not got them."""
    stage, side = row.get("stage"), row.get("side")
    names = source.words.names
    if (stage is None or stage in names) and (side is None or side in source.sides) and (stage or side):
        return source.words.stage(stage) if stage else None, side
    if path is not None:
        if stage is None and side is None:
            problems.add(path, "says neither stage nor side", 'Add stage = "..." or side = "..."')
        elif stage is not None and stage not in names:
            problems.add(f"{path}.stage", f"{stage!r} is not a stage of the funnel", closest(str(stage), names))
        else:
            problems.add(f"{path}.side", f"{side!r} is not a side state of the funnel", closest(str(side), source.sides))
    return None


def _rules(source: Source, problems: Problems) -> Iterator[Rule]:
    for row, path in _both(source, "rules", problems):
        for key in row if path is not None else ():
            if key not in _RULE_WORDS:
                problems.add(f"{path}.{key}", "is not part of a rule", closest(key, _RULE_WORDS))
        meaning = _means(source, row, path, problems)
        when = problems.table(f"{path}.when", row.get("when", {}))
        missing = [native for native in when if not _has(source, native)]
        for native in missing if path is not None else ():
            problems.add(f"{path}.when.{native}", f"{source.where} has no field {native!r}", closest(native, source.fields or ()))
        if meaning is None and path is None and row.get("closed"):
            meaning = None, None  # whatever such a record says in other funnels, it can be no more written in this one
        if meaning is None or missing or not when:
            continue
        wanted = {native: _wanted(value) for native, value in when.items()}
        yield Rule(wanted, *meaning, bool(row.get("closed", False)), _beyond(source, row, meaning, path, problems), _at(source, row, path, problems))


def _beyond(source: Source, row: Table, meaning: tuple[str | None, str | None], path: str | None, problems: Problems) -> frozenset[str] | None:
    """The stages at or after a rule's own, where the rule says no more than that the person has come at least so far."""
    if row.get("least") is not True:
        return None
    stage, side = meaning
    if path is not None and (stage is None or side is not None):
        problems.add(f"{path}.least", "goes with a stage alone", "A side state holds or does not")
    place = source.words.stages[stage] if stage is not None else 0
    return frozenset(name for name, position in source.words.stages.items() if position >= place and name != stage)


def _at(source: Source, row: Table, path: str | None, problems: Problems) -> str | None:
    """The field with the time of what a rule says at least; a default may name one that the account does not have."""
    if "at" not in row:
        return None
    native = problems.text(f"{path}.at", row["at"])
    if native is not None and not _has(source, native):
        if path is not None:
            problems.add(f"{path}.at", f"{source.where} has no field {native!r}", closest(native, source.fields or ()))
        return None
    if path is not None and row.get("least") is not True:
        problems.add(f"{path}.at", "goes with least = true", "Leave it out: of a field of its own the vendor's history tells the time")
    return native


def _wanted(value: object) -> frozenset[Native] | bool:
    if isinstance(value, bool):
        return value
    listed = cast("list[Native]", value) if isinstance(value, list) else [cast("Native", value)]
    return frozenset(word(each) for each in listed)


def _words(source: Source, problems: Problems) -> Iterator[Words]:
    own = problems.table(f"{source.path}.values", source.own.get("values", {}))
    default = cast("Mapping[str, Mapping[str, Sequence[str]]]", source.defaults.get("values", {}))
    for native in dict.fromkeys([*own, *default]):
        said = own.get(native, {})
        if said is False:
            continue
        path = f"{source.path}.values.{native}"
        if not isinstance(said, Mapping):
            problems.add(path, "is not a table", 'Write one line per stage, such as mql = "MQL", or false to drop the default')
            continue
        if not _has(source, native):
            if native in own:
                problems.add(path, f"{source.where} has no field {native!r}", closest(native, source.fields or ()))
            continue
        compiled = _field_words(source, native, cast("Mapping[str, Any]", said), default.get(native, {}), problems)
        if compiled.reads:
            yield compiled


def _field_words(source: Source, native: str, own: Mapping[str, Any], default: Mapping[str, Sequence[str]], problems: Problems) -> Words:
    """One field's values, resolved against the account's options. Values with an option are claimed by their internal value before their label."""
    listed = list(_listed(source, f"{source.path}.values.{native}", own, default, problems))
    _check_twice(listed, problems)
    options = source.fields[native].options if source.fields is not None else ()
    by_value = {fold(option.value): option for option in options}
    by_label = {fold(option.label): option for option in reversed(options)}
    reads: dict[Native, str] = {}
    for by in (by_value, by_label):
        for line in listed:
            for option in (by.get(fold(value)) for value in line.values):
                if option is not None:
                    reads.setdefault(word(option.value), line.meaning)
    writes: dict[str, str] = {}
    for line in listed:
        for value in line.values:
            option = by_value.get(fold(value)) or by_label.get(fold(value))
            claimed = reads.setdefault(word(value if option is None else option.value), line.meaning) == line.meaning
            if option is not None and claimed and option.active and not option.done:
                writes.setdefault(line.meaning, option.value)
            elif option is None and not options and claimed:
                writes.setdefault(line.meaning, value)
            elif option is None and options and line.path is not None:  # a default may name what the account does not have
                known = [name for each in options for name in (each.value, each.label)]
                problems.add(line.path, f"{source.where}.{native} has no value {value!r}", f"{closest(value, known)} Or add the value in the account")
    return Words(
        native=native,
        reads=reads,
        writes=writes if _writable(source, native) else {},
        labels={word(option.value): option.label for option in options},
        ignored=_ignored(source, native, [option.value for option in options if option.done], problems),
        sides_only=all(meaning in source.sides for meaning in reads.values()),
    )


class _Line(NamedTuple):
    """A stage or side state and the values that mean it; `path` where the user said so."""

    meaning: str
    values: Sequence[str]
    path: str | None


def _listed(source: Source, path: str, own: Mapping[str, Any], default: Mapping[str, Sequence[str]], problems: Problems) -> Iterator[_Line]:
    """The user's lines, those of groups after those of stages, then the default ones that they do not replace."""
    for meaning, values in sorted(own.items(), key=lambda line: line[0] in source.words.groups):
        if meaning in source.meanings:
            yield _Line(source.words.stage(meaning), problems.words(f"{path}.{meaning}", values), f"{path}.{meaning}")
        else:
            problems.add(f"{path}.{meaning}", f"{meaning!r} is neither a stage nor a side state of the funnel", closest(meaning, source.meanings))
    replaced = {source.words.stage(meaning) for meaning in own}
    for meaning, values in default.items():
        if meaning in source.meanings and meaning not in replaced:
            yield _Line(meaning, values, None)


def _check_twice(listed: Sequence[_Line], problems: Problems) -> None:
    """One value for two meanings, both written by the user, is a mistake; over a default the user's line simply wins."""
    claimed: dict[str, str] = {}
    for line in listed:
        for value in line.values if line.path is not None else ():
            other = claimed.setdefault(fold(value), line.meaning)
            if other != line.meaning:
                problems.add(str(line.path), f"{value!r} already means {other}", "Keep it in one of the two lines; the other may be written by `instead`")


def _ignored(source: Source, native: str, done: Sequence[str], problems: Problems) -> frozenset[Native] | None:
    """The values that say nothing; None: all that are not listed. A status that means converted says nothing by itself."""
    path = f"{source.path}.ignore"
    own, default = problems.table(path, source.own.get("ignore", {})), cast("Mapping[str, Any]", source.defaults.get("ignore", {}))
    said = [table[native] for table in (own, default) if native in table]
    if any(each is True for each in said):
        return None
    return frozenset(word(value) for each in said for value in problems.words(f"{path}.{native}", each)) | {word(value) for value in done}


def _settings(source: Source, problems: Problems) -> Iterator[tuple[str, Mapping[str, Native]]]:
    taken: set[str] = set()
    for row, path in _both(source, "write", problems):
        meaning = _means(source, row, path, problems)
        if meaning is None:
            continue
        settings = problems.table(f"{path}.set", row.get("set", {}))
        fine = bool(settings)
        for native, value in settings.items():
            described = source.fields.get(native) if source.fields is not None else None
            if source.fields is not None and described is None:
                problems.add(f"{path}.set.{native}", f"{source.where} has no field {native!r}", closest(native, source.fields))
                fine = False
            elif described is not None and described.restricted and value not in ("", *(option.value for option in described.options)):
                names = [option.value for option in described.options]
                problems.add(f"{path}.set.{native}", f"{source.where}.{native} has no value {value!r}", closest(str(value), names))
                fine = False
        for name in meaning:
            if name is not None and name not in taken and fine:
                taken.add(name)
                yield name, {native: (None if value == "" else value) for native, value in settings.items()}


def _expressed(source: Source, direct: Collection[str], problems: Problems) -> Mapping[str, str]:
    """Meaning -> what is written for it: itself, or the first in the chain of `instead` that can be written."""
    said = problems.table(f"{source.path}.instead", source.own.get("instead", {}))
    own = {key: problems.text(f"{source.path}.instead.{key}", value) or key for key, value in said.items()}
    for key, value in own.items():
        for name in (key, value):
            if name not in source.meanings:
                problems.add(f"{source.path}.instead.{key}", f"{name!r} is neither a stage nor a side state of the funnel", closest(name, source.meanings))
    groups = {name: source.words.stage(name) for name in source.words.groups}
    instead: Mapping[str, str] = {**groups, **cast("Mapping[str, str]", source.defaults.get("instead", {})), **source.words.stand_ins, **own}
    found: dict[str, str] = {}
    for meaning in (*source.stages, *source.sides):
        at: str | None = meaning
        tried: set[str] = set()
        while at is not None and at not in direct and at not in tried:
            tried.add(at)
            at = instead.get(at)
        if at is not None and at in direct and at in source.meanings:
            found[meaning] = at
    return found


def _tell(source: Source, expressed: Mapping[str, str], problems: Problems) -> None:
    """What this account has no own value for."""
    other: dict[str, list[str]] = {}
    for meaning in (*source.stages, *source.sides):
        if expressed.get(meaning) != meaning:
            other.setdefault(expressed.get(meaning, ""), []).append(meaning)
    for target, meanings in other.items():
        if target:
            problems.note(f"{source.where} has no value for {', '.join(meanings)}: written there as {target}")
        else:
            problems.note(f"{source.where} cannot express {', '.join(meanings)}: left as it is there")
