"""From configuration and the accounts' descriptions to compiled maps. All mistakes are found in one go."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, cast
from zoneinfo import ZoneInfo

from ..model.records import Native, Value, Values
from .catalogue import Entry, lay_over
from .choices import Offer, Translation, align
from .countries import country_code
from .criteria import asked_fields, compile_include
from .defaults import parse_defaults
from .fields import Field, Unmappable
from .maps import DescribedField, FieldMap, KindMap, Maps, SystemInput, SystemMap
from .normalise import Shape, make_reader, make_writer
from .places import Place, System, find_places
from .problems import Problems, closest
from .stage_tables import Source, compile_stages
from .stages import StageMap
from .text import as_text, read_email, read_text

_CREATE_WORDS = ("kind", "fallback")


def compile_maps(fields: Mapping[str, Any], systems: Mapping[str, SystemInput], *, stages: Mapping[str, int], sides: Collection[str]) -> Maps:
    """The maps of one workspace.

    `fields`: the user's `[fields.*]`. `systems`: by the name in `[systems.NAME]`. `stages`: the funnel's stage ids with their positions; `sides`: its side
    states. Raises `ConfigurationError` with all mistakes, each with its TOML path and a remedy.
    """
    problems = Problems()
    known = [System(name, given, parse_defaults(given.defaults)) for name, given in sorted(systems.items())]
    entries = lay_over(fields, systems.keys(), problems)
    places = _wanted(entries, find_places(entries, known, problems), known, problems)
    mapped = {name: entry.field for name, entry in entries.items() if any(place.field == name for place in places)}
    translations = _translations(entries, places)
    compiled: dict[str, SystemMap] = {}
    for system in known:
        own = [place for place in places if place.system == system.name]
        compiled[system.name] = _system(system, own, mapped, _unblank(places, mapped, known), translations, stages, sides, problems)
    problems.stop()
    return Maps(mapped, compiled, tuple(problems.notes), _digest(mapped, compiled, known, stages))


def _wanted(entries: Mapping[str, Entry], places: list[Place], systems: Sequence[System], problems: Problems) -> list[Place]:
    """Without the fields that only one system has, unless an inclusion criterion asks for them: there is nobody to agree with."""
    asked = frozenset[str]().union(*(asked_fields(_table(system, "include")) for system in systems))
    where: dict[str, set[str]] = defaultdict(set)
    for place in places:
        where[place.field].add(place.system)
    lonely = {field for field, of in where.items() if len(of) < 2 <= len(systems) and field not in asked}
    for field in sorted(lonely):
        if entries[field].own:
            problems.note(f"{field} is mapped in {', '.join(where[field])} only, so there is nothing to keep the same")
    return [place for place in places if place.field not in lonely]


def _table(system: System, key: str) -> Mapping[str, Any]:
    found = system.given.overrides.get(key, {})
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}


def _unblank(places: Sequence[Place], fields: Mapping[str, Field], systems: Sequence[System]) -> frozenset[str]:
    """Booleans that some system cannot leave blank: there, and so everywhere, blank is read as false."""
    strings = {system.name: system.defaults.strings for system in systems}
    return frozenset(place.field for place in places if fields[place.field].type == "boolean" and _never_blank(place.described, strings[place.system]))


def _never_blank(described: DescribedField | None, strings: bool) -> bool:
    """A checkbox that travels as a JSON boolean is never null (Salesforce docs, Object Reference, Primitive Data Types); one sent as text may be."""
    return not strings and (described is None or described.type == "boolean")


def _translations(entries: Mapping[str, Entry], places: Sequence[Place]) -> Mapping[tuple[str, str, str], Translation]:
    """(system, kind, field) -> dictionary, for all choice fields; made for all systems at once, so that equal options meet."""
    found: dict[tuple[str, str, str], Translation] = {}
    for name, entry in entries.items():
        if entry.field.type in ("choice", "multichoice"):
            own = [place for place in places if place.field == name]
            for place, translation in zip(own, align([_offer(place, entry) for place in own]), strict=True):
                found[place.system, place.kind, name] = translation
    return found


def _offer(place: Place, entry: Entry) -> Offer:
    described = place.described
    options = [(option.value, option.label) for option in described.options if option.active] if described is not None else []
    return Offer(options, described is not None and described.restricted, entry.translate.get(place.system, {}))


def _system(
    system: System,
    places: Sequence[Place],
    fields: Mapping[str, Field],
    unblank: frozenset[str],
    translations: Mapping[tuple[str, str, str], Translation],
    stages: Mapping[str, int],
    sides: Collection[str],
    problems: Problems,
) -> SystemMap:
    path = f"systems.{system.name}"
    stage_tables = _table(system, "stages")
    for kind in stage_tables:
        if kind not in system.kinds:
            problems.add(f"{path}.stages.{kind}", f"{system.name} has no kind {kind!r}", closest(kind, system.kinds))
    create = _table(system, "create")
    for key in create:
        if key not in _CREATE_WORDS:
            problems.add(f"{path}.create.{key}", "is not a setting of creates", closest(key, _CREATE_WORDS))
    create_kind = str(create.get("kind") or system.defaults.create_kind or next(iter(system.kinds), ""))
    if create_kind not in system.kinds:
        problems.add(f"{path}.create.kind", f"{system.name} has no kind {create_kind!r}", closest(create_kind, system.kinds))
    kinds: dict[str, KindMap] = {}
    for kind in system.kinds:
        own = {place.field: _field_map(place, places, system, fields, place.field in unblank, translations, problems) for place in places if place.kind == kind}
        described = system.described(kind)
        defaults = system.defaults.kinds.get(kind)
        source = Source(
            f"{system.name} {kind}",
            defaults.stages if defaults is not None else {},
            cast("Mapping[str, Any]", stage_tables.get(kind, {})),
            f"{path}.stages.{kind}",
            described.fields if described is not None else None,
            tuple(stages),
            tuple(sides),
        )
        stage = compile_stages(source, problems)
        if stage is None:
            problems.note(f"{system.name} {kind} holds no stage: it is not read or written there")
        _check_evidence(own, stage, places, problems)
        kinds[kind] = _kind(system, kind, own, stage, create if kind == create_kind else {}, problems)
    include = compile_include(_table(system, "include"), f"{path}.include", stages, fields, problems)
    return SystemMap(system.name, kinds, create_kind, include)


def _check_evidence(fields: Mapping[str, FieldMap], stage: StageMap | None, places: Sequence[Place], problems: Problems) -> None:
    """What is evidence for the stage is decided as a whole, not merged as a field besides."""
    for name, each in fields.items():
        if stage is not None and each.native in stage.writes:
            path = next((place.name.path for place in places if place.field == name and place.name.native == each.native and place.name.path), f"fields.{name}")
            problems.add(path, f"{each.native} is evidence for the stage, and cannot be a field besides", "Remove the field, or drop it from the stage map")


def _field_map(
    place: Place,
    places: Sequence[Place],
    system: System,
    fields: Mapping[str, Field],
    unblank: bool,
    translations: Mapping[tuple[str, str, str], Translation],
    problems: Problems,
) -> FieldMap:
    field, described, native = fields[place.field], place.described, place.name.native
    country = next((other.name.native for other in places if other.kind == place.kind and fields[other.field].type == "country"), None)
    strings = system.defaults.strings
    shape = Shape(
        type=described.type if described is not None else field.type,
        zone=ZoneInfo(system.given.zone),
        length=described.length if described is not None else None,
        scale=described.scale if described is not None else None,
        strings=strings,
        seconds=system.defaults.seconds,
        unblank=unblank,
        country=country,
        region=system.given.region,
        countries=_countries(described) if field.type == "country" and described is not None else None,
        translation=translations.get((place.system, place.kind, place.field)),
    )
    writer, lossy = make_writer(field.type, shape)
    open_to_us = place.name.write and "." not in native
    writable = open_to_us and (described is None or described.writable)
    creatable = open_to_us and (described is None or described.creatable)
    if not writable:
        why = "is written by the system itself or only readable" if place.name.write and "." not in native else "is only readable there"
        problems.note(f"{place.system} {place.kind} cannot carry writes of {place.field}: {native} {why}")
    blank_is_false = field.type == "boolean" and _never_blank(described, strings)
    return FieldMap(field.name, native, make_reader(field.type, shape), writer, writable, creatable, lossy, blank_is_false)


def _countries(described: DescribedField) -> Mapping[str, str]:
    """Code -> the account's own value, where countries are a picklist."""
    found: dict[str, str] = {}
    for option in described.options:
        code = country_code(option.value) or country_code(option.label)
        if option.active and code is not None:
            found.setdefault(code, option.value)
    return found


def _kind(system: System, kind: str, fields: Mapping[str, FieldMap], stage: StageMap | None, create: Mapping[str, Any], problems: Problems) -> KindMap:
    defaults, described = system.defaults.kinds.get(kind), system.described(kind)
    path = f"systems.{system.name}"
    keys = {**(defaults.keys if defaults is not None else {}), **_own_keys(system, kind, problems)}
    if described is not None:
        keys = {key: tuple(native for native in natives if native in described.fields) for key, natives in keys.items()}
    fallback: dict[str, Native] = {**(defaults.fallback if defaults is not None else {}), **create.get("fallback", {})}
    for native in fallback:
        if described is not None and native not in described.fields:
            problems.add(f"{path}.create.fallback.{native}", f"{system.name} {kind} has no field {native!r}", closest(native, described.fields))
    required = dict.fromkeys(defaults.required if defaults is not None else ())
    if described is not None:
        required.update(dict.fromkeys(name for name, each in described.fields.items() if each.required))
    natives = {each.native for each in fields.values()}
    stage_natives = stage.natives if stage is not None else ()
    if kind == (create.get("kind") or system.defaults.create_kind):
        for native in required:
            if native not in natives and native not in fallback and native not in stage_natives:
                problems.note(f'{system.name} {kind} demands {native} on create, which nothing fills: give [{path}.create] fallback = {{ {native} = "..." }}')
    reason = (stage.reason,) if stage is not None and stage.reason is not None else ()
    asks = {*natives, *stage_natives, *reason, *(native for own in keys.values() for native in own)}
    email = fields["email"].native if "email" in fields else None
    return KindMap(kind, fields, stage, tuple(sorted(asks)), _key_reader(keys), _primary(email), fallback, tuple(required))


def _own_keys(system: System, kind: str, problems: Problems) -> Mapping[str, tuple[str, ...]]:
    """`[systems.NAME.keys]`: match key -> native field, or a table by kind."""
    found: dict[str, tuple[str, ...]] = {}
    described = system.described(kind)
    for key, said in _table(system, "keys").items():
        native = cast("Mapping[str, Any]", said).get(kind) if isinstance(said, Mapping) else said
        if native is None:
            continue
        if described is not None and native not in described.fields:
            path = f"systems.{system.name}.keys.{key}"
            problems.add(path, f"{system.name} {kind} has no field {native!r}", closest(str(native), described.fields))
        found[key] = (str(native),)
    return found


def _key_reader(keys: Mapping[str, Sequence[str]]) -> Callable[[Values], tuple[tuple[str, str], ...]]:
    """The match keys of a record, each once, in the order in which they are listed (the primary address first)."""
    listed = [(key, native, _email_key if key == "email" else _text_key) for key, natives in keys.items() for native in natives]

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


def _email_key(part: str, record: Values) -> str | None:
    try:
        return cast("str | None", read_email(part, record))
    except Unmappable:
        return None


def _text_key(part: str, record: Values) -> str | None:
    text = cast("str | None", read_text(part, record))
    return None if text is None else text.casefold()


def _primary(native: str | None) -> Callable[[Values], str | None]:
    def primary(values: Values) -> str | None:
        value: Value = None if native is None else values.get(native)
        return None if value is None else _email_key(as_text(value), values)

    return primary


def _digest(fields: Mapping[str, Field], systems: Mapping[str, SystemMap], known: Sequence[System], stages: Mapping[str, int]) -> str:
    """A fingerprint of what the configuration means; options, lengths and rights of the account are not part of it."""
    meaning: dict[str, Any] = {
        "fields": [[field.name, field.type, field.group, str(field.policy), field.clears, field.sticky] for field in fields.values()],
        "stages": dict(stages),
        "systems": {
            name: {
                "create": system.create_kind,
                "kinds": {
                    kind: [
                        [[each.field, each.native, each.writable] for each in kind_map.fields.values()],
                        None if kind_map.stage is None else kind_map.stage.meaning(),
                        dict(kind_map.create_fallback),
                    ]
                    for kind, kind_map in system.kinds.items()
                },
            }
            for name, system in systems.items()
        },
        "given": {system.name: [system.given.zone, system.given.region, *(_table(system, key) for key in ("include", "keys", "create"))] for system in known},
    }
    return hashlib.sha256(json.dumps(meaning, sort_keys=True, default=str).encode()).hexdigest()[:16]
