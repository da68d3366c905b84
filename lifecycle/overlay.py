"""A company's own funnel: a preset, and what the `[funnel]` table of the configuration changes in it. Pure.

    preset = "handoff"                          # what it starts from; the default funnel where nothing stands
    line = [["lead"], ["mql"], ["sql"]]         # another order; what the preset has and this leaves out is gone

    [stages]
    prospect = false                            # dropped; so for groups, side states, moves
    lead = { label = "Contact" }                # changed in this alone
    pql = { label = "PQL", team = "product", beside = "mql" }  # added (or put elsewhere) without another line: beside or after a stage

All other tables are those of `parsing`, laid over the preset's name by name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias, TypeGuard, cast

from .funnel import Funnel
from .parsing import Tell, known, parse
from .presets import DEFAULT, PRESETS, preset, preset_table

_PLACES = ("beside", "after")

Table: TypeAlias = Mapping[str, Any]
Line: TypeAlias = list[list[str]]


def read_funnel(own: Table, tell: Tell) -> Funnel | None:
    """The funnel of a configuration; None where it cannot be one. Every mistake is told with its TOML path; with one told it is not to be used."""
    name = own.get("preset", DEFAULT)
    if name not in PRESETS:
        tell("funnel.preset", f"there is no funnel {name!r}", known(PRESETS))
        return None
    changes = {key: value for key, value in own.items() if key != "preset"}
    if not changes:
        return preset(name)
    funnel = parse(_laid_over(preset_table(name), changes, tell), tell)
    for target, way in funnel.crosswalks.items() if funnel is not None else ():
        if target not in PRESETS:
            tell(f"funnel.crosswalk.{target}", f"there is no funnel {target!r}", known(PRESETS))
            continue
        for stage, other in way.stages.items():
            if other not in preset(target).stages:
                tell(f"funnel.crosswalk.{target}.{stage}", f"{other!r} is not a stage of {target}", known(preset(target).stages))
    return funnel


def _laid_over(base: Table, own: Table, tell: Tell) -> Table:
    """The whole table. What the preset says of stages that are gone goes with them; what the configuration says stays, and may be wrong."""
    merged: dict[str, Any] = {**base, "name": f"{base['name']}, changed", **own}
    for section in ("sides", "groups", "crosswalk"):
        merged[section] = _section(base.get(section, {}), own.get(section, {}))
    merged["stages"] = stages = _section(base["stages"], own.get("stages", {}))
    if not _is_table(stages):
        return merged
    mine = cast("Table", own.get("stages", {}))
    line = own.get("line", base["line"])
    if not _is_line(line):
        return {**merged, "stages": _without_places(stages)}
    merged["line"] = line = _placed(_kept(line, mine), mine, tell)
    listed = {name for beside in line for name in beside}
    merged["stages"] = _without_places({name: spec for name, spec in stages.items() if name in listed or name in mine})
    return {**merged, **_still_true(merged, own, listed)}


def _is_table(said: object) -> TypeGuard[Table]:
    return isinstance(said, Mapping)


def _is_line(said: object) -> TypeGuard[Line]:
    """A list of lists of names; anything else is left to `parse`, which says what is wrong with it."""
    positions = cast("list[object]", said) if isinstance(said, list) else [None]
    return all(isinstance(beside, list) and all(isinstance(name, str) for name in cast("list[object]", beside)) for beside in positions)


def _section(base: Table, own: object) -> object:
    """One table over the other, name by name; `false` drops a name."""
    if not _is_table(own):
        return own
    merged = {**base, **own}
    for name, said in own.items():
        if said is False:
            del merged[name]
        elif _is_table(said) and name in base:
            merged[name] = {**base[name], **said}
    return merged


def _kept(line: Line, stages: Table) -> Line:
    """The positions without the stages that are dropped or put elsewhere."""
    moved = {name for name, spec in stages.items() if spec is False or (_is_table(spec) and any(key in spec for key in _PLACES))}
    return [kept for beside in line if (kept := [name for name in beside if name not in moved]) or not beside]


def _placed(line: Line, stages: Table, tell: Tell) -> Line:
    """With the stages that say beside or after which other they stand; each may name one that was placed before it."""
    for name, spec in stages.items():
        asked = [key for key in _PLACES if _is_table(spec) and key in spec]
        if len(asked) > 1:
            tell(f"funnel.stages.{name}", "says both beside and after", "Keep one of them")
        for key in asked[:1]:
            at = next((number for number, beside in enumerate(line) if spec[key] in beside), None)
            if at is None:
                tell(f"funnel.stages.{name}.{key}", f"{spec[key]!r} is not a stage of the funnel", known(each for beside in line for each in beside))
                at, key = len(line) - 1, "after"  # somewhere, so that it is not told again as a stage without position
            line = [*line[:at], [*line[at], name], *line[at + 1 :]] if key == "beside" else [*line[: at + 1], [name], *line[at + 1 :]]
    return line


def _without_places(stages: Table) -> Table:
    return {name: {key: value for key, value in spec.items() if key not in _PLACES} if _is_table(spec) else spec for name, spec in stages.items()}


def _still_true(merged: Table, own: Table, stages: Collection[str]) -> Table:
    """Groups and crosswalks without what only the preset says of stages that are gone."""
    groups, ways, my_groups, my_ways = merged["groups"], merged["crosswalk"], own.get("groups", {}), own.get("crosswalk", {})
    found: dict[str, Any] = {}
    if _is_table(groups):
        theirs = {name: [each for each in spec["stages"] if each in stages] for name, spec in groups.items() if name not in my_groups}
        found["groups"] = {name: {**spec, "stages": theirs[name]} if name in theirs else spec for name, spec in groups.items() if theirs.get(name, True)}
    if _is_table(ways):
        found["crosswalk"] = {
            target: {stage: other for stage, other in way.items() if stage in stages or stage in my_ways.get(target, {})} if _is_table(way) else way
            for target, way in ways.items()
        }
    return found
