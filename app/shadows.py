"""The shadow of a workspace: the same configuration over a state of its own, which is never written from and never taken for the real one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sqlalchemy import URL

from ..model.errors import ConfigurationError
from ..state.accounts import Workspace
from .configuration.config import Config


def shadow_of(config: Config) -> Config:
    """This workspace as a shadow. Whatever `[state]` says, its state is a file beside the configuration; and it tells nobody anything by `[notify]`."""
    file = shadow_file(config)
    return replace(config, shadow=True, notify=None, state_url=URL.create("sqlite", database=str(file)).render_as_string())


def shadow_file(config: Config) -> Path:
    """Where the shadow remembers: `NAME.shadow.db`. To end a shadow for good, its files are removed."""
    return config.path.resolve().parent / f"{config.workspace}.shadow.db"


def check_kind(config: Config, workspace: Workspace) -> None:
    """Raises `ConfigurationError` where a state is a shadow's and the configuration is real, or the other way round."""
    if workspace.shadow == config.shadow:
        return
    if config.shadow:
        raise ConfigurationError(
            "this state is a real one, and no shadow goes on from it", where=str(shadow_file(config)), next_step="give `[state] url` another file"
        )
    raise ConfigurationError(
        "this state is a shadow's: what was decided in it was never written",
        where="state.url",
        next_step="name another file, or leave `[state] url` out; the real start begins with a first meeting of its own",
    )
