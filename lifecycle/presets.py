"""The funnels that ship with the program, and the way from one to another."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..model.errors import ConfigurationError
from .funnel import Crosswalk, Funnel
from .parsing import parse

DEFAULT = "hubspot"
PRESETS = (DEFAULT, "siriusdecisions", "handoff", "inbound-jp", "scored", "mckinsey", "waterfall-2012")


@cache
def preset_table(name: str) -> Mapping[str, Any]:
    """The TOML of a preset, in the format that `parsing` describes. `name`: one of `PRESETS`."""
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text("utf-8"))


@cache
def preset(name: str) -> Funnel:
    """A funnel that ships with the program. Raises `ConfigurationError` for another name."""
    if name not in PRESETS:
        raise ConfigurationError(f"there is no funnel {name!r}", where="funnel", next_step=f"choose one of {', '.join(PRESETS)}")
    mistakes: list[str] = []
    funnel = parse(preset_table(name), lambda path, what, _: mistakes.append(f"{path}: {what}"))
    if funnel is None or mistakes:
        raise ValueError(f"the preset {name} is broken: {mistakes}")
    return funnel


def default_funnel() -> Funnel:
    """HubSpot's stages with SAL, PQL and service-qualified; what is used where nobody chose another."""
    return preset(DEFAULT)


def crosswalk(source: Funnel, target: Funnel) -> Crosswalk:
    """The way from one funnel to another: its own table, and for stages that are not in it the stage of the same id, where there is one."""
    own = source.crosswalks[target.name].stages if target.name in source.crosswalks else {}
    same = {stage: stage for stage in source.stages if stage in target.stages}
    return Crosswalk(source.name, target.name, {stage: found for stage in source.stages if (found := own.get(stage, same.get(stage))) is not None})
