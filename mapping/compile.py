"""From configuration and the accounts' descriptions to compiled maps. All mistakes are found in one go."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..model.records import Native, Value
from .catalogue import Entry, lay_over
from .choices import Offer, Translation, align
from .company_tables import company_rules
from .countries import country_code
from .criteria import asked_fields, compile_include
from .defaults import KindDefaults, parse_defaults
from .fields import Field, Silent
from .keys import key_reader, primary_reader
from .maps import DescribedField, FieldMap, KindMap, Maps, SystemInput, SystemMap, Writer
from .normalise import Shape, make_reader, make_writer
from .owner_tables import Spot, find_owners
from .owners import Owners
from .places import Place, System, find_places
from .problems import Problems, closest
from .signal_tables import find_signals
from .signals import SignalMap
from .stage_tables import Source, compile_stages
from .stages import StageMap
from .vocabulary import Vocabulary

_CREATE_WORDS = ("kind", "fallback")


@dataclass(frozen=True, slots=True)
class _Desk:
    """What is known of all systems together while each one's maps are made."""

    places: Sequence[Place]
    fields: Mapping[str, Field]
    unblank: frozenset[str]
    translations: Mapping[tuple[str, str, str], Translation]
    owners: Mapping[Spot, Owners]
    words: Vocabulary
    zones: Mapping[str, ZoneInfo]
    signals: bool
    problems: Problems


def compile_maps(
    fields: Mapping[str, Any],
    systems: Mapping[str, SystemInput],
    *,
    stages: Mapping[str, int],
    sides: Collection[str],
    groups: Mapping[str, Sequence[str]] | None = None,
    alike: Mapping[str, str] | None = None,
    signals: bool = False,
    asked: Collection[str] = (),
    told: Problems | None = None,
) -> Maps:
    """The maps of one workspace.

    `fields`: the user's `[fields.*]`. `systems`: by the name in `[systems.NAME]`. `stages`: the funnel's stage ids with their positions; `sides`: its side
    states; `groups`: its groups of stages; `alike`: stage -> its counterpart in the default funnel, of which the vendors' default maps speak (None: the
    stages of the same name); `signals`: events that stand in records' fields are read; `asked`: fields that are looked at even if one system alone has
    them. Raises `ConfigurationError` with all mistakes, each with its TOML path and a remedy; with `told` they are collected there instead, and the maps
    are made of what is right.
    """
    problems, words = Problems() if told is None else told, Vocabulary(stages, sides, groups or {}, alike)
    known = [System(name, given, parse_defaults(given.defaults)) for name, given in sorted(systems.items())]
    zones = {system.name: _zone(system, problems) for system in known}
    entries = lay_over(fields, systems.keys(), words, problems)
    found, owners = find_owners(entries, find_places(entries, known, problems), problems)
    places = _wanted(entries, found, known, asked, problems)
    mapped = {name: entry.field for name, entry in entries.items() if any(place.field == name for place in places)}
    desk = _Desk(places, mapped, _unblank(places, mapped, known), _translations(entries, places), owners, words, zones, signals, problems)
    compiled = {system.name: _system(system, desk) for system in known}
    if told is None:
        problems.stop()
    filled = tuple(field for field in mapped.values() if field.fill is not None)
    return Maps(mapped, compiled, tuple(problems.notes), _digest(mapped, compiled, known, stages, entries), filled)


def _wanted(entries: Mapping[str, Entry], places: list[Place], systems: Sequence[System], asked: Collection[str], problems: Problems) -> list[Place]:
    """Without the fields that only one system has, unless a rule or an inclusion criterion asks for them: there is nobody to agree with."""
    asked = frozenset(asked).union(*(asked_fields(_table(system, "include")) for system in systems))
    where: dict[str, set[str]] = defaultdict(set)
    for place in places:
        where[place.field].add(place.system)
    told = {field for field, entry in entries.items() if entry.field.fill is not None or entry.field.type == "company"}  # by ourselves, so one system is enough
    lonely = {field for field, of in where.items() if len(of) < 2 <= len(systems) and field not in asked and field not in told}
    for field in sorted(lonely):
        if entries[field].own:
            problems.note(f"{field} is mapped in {', '.join(where[field])} only, so there is nothing to keep the same")
    return [place for place in places if place.field not in lonely]


def _zone(system: System, problems: Problems) -> ZoneInfo:
    """The account's time zone; its region is checked on the way, since both come with the system."""
    region = system.given.region
    if region is not None and country_code(region) != region:
        problems.add(f"systems.{system.name}.region", f"{region!r} is not a country code", "Write two capital letters, such as DE")
    try:
        return ZoneInfo(system.given.zone)
    except (ZoneInfoNotFoundError, ValueError):
        problems.add(f"systems.{system.name}", f"the account's time zone {system.given.zone!r} is not known on this machine", "Install the package tzdata")
        return ZoneInfo("UTC")


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


def _system(system: System, desk: _Desk) -> SystemMap:
    path, problems = f"systems.{system.name}", desk.problems
    tables = problems.table(f"{path}.stages", system.given.overrides.get("stages", {}))
    for kind in tables:
        if kind not in system.kinds:
            problems.add(f"{path}.stages.{kind}", f"{system.name} has no kind {kind!r}", closest(kind, system.kinds))
    create = problems.table(f"{path}.create", system.given.overrides.get("create", {}))
    for key in create:
        if key not in _CREATE_WORDS:
            problems.add(f"{path}.create.{key}", "is not a setting of creates", closest(key, _CREATE_WORDS))
    usual = system.defaults.create_kind if system.defaults.create_kind in system.kinds else next(iter(system.kinds), "")
    create_kind = str(create.get("kind") or usual)
    if create_kind not in system.kinds:
        problems.add(f"{path}.create.kind", f"{system.name} has no kind {create_kind!r}", closest(create_kind, system.kinds))
    fallback = problems.table(f"{path}.create.fallback", create.get("fallback", {}))
    told = find_signals(system, desk.zones[system.name], problems)  # looked at in any case, for what somebody wrote wrong
    kinds = {
        kind: _kind(
            system,
            kind,
            told[kind] if desk.signals else (),
            problems.table(f"{path}.stages.{kind}", tables.get(kind, {})),
            fallback if kind == create_kind else None,
            desk,
        )
        for kind in system.kinds
    }
    companies = company_rules(system, problems)
    asked = problems.table(f"{path}.include", system.given.overrides.get("include", {}))
    return SystemMap(system.name, kinds, create_kind, compile_include(asked, f"{path}.include", desk.words.names, desk.fields, problems), companies)


def _stages(system: System, kind: str, table: Mapping[str, Any], desk: _Desk) -> StageMap | None:
    described, defaults = system.described(kind), system.defaults.kinds.get(kind)
    source = Source(
        where=f"{system.name} {kind}",
        defaults=desk.words.say(defaults.stages) if defaults is not None else {},
        own=table,
        path=f"systems.{system.name}.stages.{kind}",
        fields=described.fields if described is not None else None,
        words=desk.words,
    )
    stage = compile_stages(source, desk.problems)
    if stage is None:
        desk.problems.note(f"{system.name} {kind} holds no stage: it is not read or written there")
    return stage


def _check_evidence(places: Sequence[Place], stage: StageMap | None, problems: Problems) -> None:
    """What is evidence for the stage is decided as a whole, not merged as a field besides."""
    for place in places:
        if stage is not None and place.name.native in stage.writes:
            what = f"{place.name.native} is evidence for the stage, and cannot be a field besides"
            problems.add(place.name.path or f"fields.{place.field}", what, "Remove the field, or drop it from the stage map")


def _field_map(place: Place, country: str | None, system: System, desk: _Desk) -> FieldMap:
    field, described, native, strings = desk.fields[place.field], place.described, place.name.native, system.defaults.strings
    shape = Shape(
        type=described.type if described is not None else field.type,
        zone=desk.zones[system.name],
        length=described.length if described is not None else None,
        scale=described.scale if described is not None else None,
        strings=strings,
        seconds=system.defaults.seconds,
        unblank=place.field in desk.unblank,
        country=country,
        region=system.given.region,
        countries=_countries(described) if field.type == "country" and described is not None else None,
        translation=desk.translations.get((place.system, place.kind, place.field)),
        owners=desk.owners.get((place.system, place.kind, place.field), Owners()),
        by="name" if _table(system, "companies").get("by") == "name" else "domain",
    )
    writer, lossy = make_writer(field.type, shape)
    owner = _belongs(system, place.kind).get(native)
    if owner is not None:
        writer = _only_true(writer)
    homeless = owner is not None and not any((each.system, each.kind, each.name.native) == (place.system, place.kind, owner) for each in desk.places)
    open_to_us = place.name.write and "." not in native and not homeless
    writable = open_to_us and (described is None or described.writable)
    creatable = open_to_us and (described is None or described.creatable)
    if not writable:
        why = "is written by the system itself or only readable" if place.name.write and "." not in native else "is only readable there"
        desk.problems.note(f"{place.system} {place.kind} cannot carry writes of {place.field}: {native} {why}")
    blank_is_false = field.type == "boolean" and _never_blank(described, strings)
    return FieldMap(field.name, native, make_reader(field.type, shape), writer, writable, creatable, lossy, blank_is_false, place.name.shows, field.sticky)


def _belongs(system: System, kind: str) -> Mapping[str, str]:
    return system.defaults.kinds[kind].belongs if kind in system.defaults.kinds else {}


def _only_true(write: Writer) -> Writer:
    """What is never taken back: where it is not true, there is nothing to write."""

    def written(value: Value) -> Native:
        if not value:
            raise Silent("it is never taken back there")
        return write(value)

    return written


def _countries(described: DescribedField) -> Mapping[str, str]:
    """Code -> the account's own value, where countries are a picklist."""
    found: dict[str, str] = {}
    for option in described.options:
        code = country_code(option.value) or country_code(option.label)
        if option.active and code is not None:
            found.setdefault(code, option.value)
    return found


def _kind(
    system: System, kind: str, signals: tuple[SignalMap, ...], stage_table: Mapping[str, Any], fallback: Mapping[str, Any] | None, desk: _Desk
) -> KindMap:
    """One kind; `fallback`: the user's, where this is the kind that is created."""
    places = [place for place in desk.places if (place.system, place.kind) == (system.name, kind)]
    country = next((place.name.native for place in places if desk.fields[place.field].type == "country"), None)
    fields = {place.field: _field_map(place, country, system, desk) for place in places}
    stage = _stages(system, kind, stage_table, desk)
    _check_evidence(places, stage, desk.problems)
    defaults, described = system.defaults.kinds.get(kind, KindDefaults()), system.described(kind)
    keys = {**defaults.keys, **_own_keys(system, kind, desk.problems)}
    if described is not None:
        keys = {key: tuple(native for native in natives if native in described.fields) for key, natives in keys.items()}
    evidence = stage.evidence if stage is not None else ()
    natives = {each.native for each in fields.values()}
    required = dict.fromkeys(defaults.required)
    if described is not None:
        required.update(dict.fromkeys(name for name, each in described.fields.items() if each.required))
    filled: dict[str, Native] = {**defaults.fallback, **(fallback or {})}
    if fallback is not None:
        _check_create(system, kind, required, {*natives, *evidence}, filled, desk.problems)
    asks = {*natives, *evidence, *(native for listed in keys.values() for native in listed)}
    hearsay = frozenset(native for each in signals for native in each.natives) - asks
    email = fields["email"].native if "email" in fields else None
    by_native, owner = {each.native: name for name, each in fields.items()}, _belongs(system, kind)
    belongs = {name: by_native[owner[each.native]] for name, each in fields.items() if owner.get(each.native) in by_native}
    asked = tuple(sorted(asks | hearsay))
    return KindMap(kind, fields, stage, asked, key_reader(keys), primary_reader(email), filled, tuple(required), signals, hearsay, belongs)


def _check_create(system: System, kind: str, required: Collection[str], given: Collection[str], fallback: Mapping[str, Native], problems: Problems) -> None:
    """Fallbacks must exist, and what the account demands should come from somewhere."""
    described, path = system.described(kind), f"systems.{system.name}.create"
    for native in fallback:
        if described is not None and native not in described.fields:
            problems.add(f"{path}.fallback.{native}", f"{system.name} {kind} has no field {native!r}", closest(native, described.fields))
    for native in required:
        if native not in given and native not in fallback:
            problems.note(f'{system.name} {kind} demands {native} on create, which nothing fills: give [{path}] fallback = {{ {native} = "..." }}')


def _own_keys(system: System, kind: str, problems: Problems) -> Mapping[str, tuple[str, ...]]:
    """`[systems.NAME.keys]`: match key -> native field, or a table by kind."""
    path, described = f"systems.{system.name}.keys", system.described(kind)
    found: dict[str, tuple[str, ...]] = {}
    for key, said in problems.table(path, system.given.overrides.get("keys", {})).items():
        by_kind = cast("Mapping[str, Any]", said) if isinstance(said, Mapping) else {kind: said}
        native = problems.text(f"{path}.{key}", by_kind[kind]) if kind in by_kind else None
        if native is None:
            continue
        if described is not None and native not in described.fields:
            problems.add(f"{path}.{key}", f"{system.name} {kind} has no field {native!r}", closest(native, described.fields))
        found[key] = (native,)
    return found


def _digest(
    fields: Mapping[str, Field], systems: Mapping[str, SystemMap], known: Sequence[System], stages: Mapping[str, int], entries: Mapping[str, Entry]
) -> str:
    """A fingerprint of what the configuration means; options, lengths and rights of the account are not part of it."""
    meaning: dict[str, Any] = {
        "fields": [
            [field.name, field.type, field.group, str(field.policy), field.clears, field.sticky, *([str(field.fill)] if field.fill is not None else [])]
            for field in fields.values()
        ],
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
        "fallback": {name: dict(entries[name].fallback) for name in fields if entries[name].fallback},
    }
    if linked := {system.name: system.given.overrides["companies"] for system in known if "companies" in system.given.overrides}:
        meaning["companies"] = linked
    return hashlib.sha256(json.dumps(meaning, sort_keys=True, default=str).encode()).hexdigest()[:16]
