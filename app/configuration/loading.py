"""The configuration file, read whole: what it means, or everything that is wrong with it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, cast

from ...lifecycle.authority import Authority
from ...lifecycle.authority_table import read_authority
from ...lifecycle.funnel import Funnel
from ...lifecycle.overlay import read_funnel
from ...lifecycle.presets import default_funnel
from ...lifecycle.sla import read_sla
from ...mapping.fields import GROUPS
from ...mapping.problems import Problems
from ...model.errors import ConfigurationError
from ..serving.listen import read_listen
from ..serving.notify import read_notify
from ..serving.timetable import read_timetable
from .config import Config
from .maps import compile_unasked
from .rules import SECTIONS as RULE_SECTIONS
from .rules import read_domains, read_rules
from .secrets import read_secret
from .system_config import read_system
from .tables import Table
from .toml_file import read_toml

DEFAULT_FILE = "stagesync.toml"
SECTIONS = (
    "workspace",
    "state",
    "systems",
    "fields",
    "funnel",
    "stage",
    "first_meeting",
    "conflict",
    "delete",
    "guard",
    "sla",
    "teams",
    "authority",
    "signals",
    "schedule",
    "serve",
    "notify",
    *RULE_SECTIONS,
)
GUARDS = ("creates", "fills", "updates", "clears", "archives", "lowerings", "people")
CONFLICTS = ("furthest", "latest")
DELETES = ("hold", "archive", "ignore")


def config_path(given: Path | None) -> Path:
    """The file that is meant: the option, `STAGESYNC_CONFIG`, or `stagesync.toml` here."""
    return given or Path(os.environ.get("STAGESYNC_CONFIG") or DEFAULT_FILE)


def load(given: Path | None) -> Config:
    """Read the file. Raises `ConfigurationError` with all problems, each with its TOML path and a remedy."""
    config, problems = read(given)
    if problems or config is None:
        raise mistakes(given, problems)
    return config


def read(given: Path | None) -> tuple[Config | None, tuple[str, ...]]:
    """The configuration as far as it can be read, and everything that is wrong with it; None where nobody can tell which stages or systems there are.

    Raises `ConfigurationError` for a file that cannot be read at all.
    """
    path = config_path(given)
    problems = Problems()
    root = Table("", read_toml(path), problems)
    root.only(SECTIONS)
    funnel, names = read_funnel(root.table("funnel").values, problems.add), list(root.table("systems").values)
    config = _read(root, path, funnel or default_funnel(), problems)
    if funnel is None or len(config.systems) < len(names):
        return None, tuple(problems.found)
    if problems.found:
        _check_mapping(config, problems)
    return config, tuple(problems.found)


def mistakes(given: Path | None, problems: Sequence[str]) -> ConfigurationError:
    """What is wrong with the file, as an error."""
    return ConfigurationError(
        f"the configuration has {len(problems)} mistake{'s' if len(problems) > 1 else ''}",
        where=str(config_path(given)),
        next_step="mend what is listed below, then run `stagesync check`",
        problems=tuple(problems),
    )


def _read(root: Table, path: Path, funnel: Funnel, problems: Problems) -> Config:
    folder = path.resolve().parent
    tables = root.table("systems")
    systems = {name: system for name in tables.values if (system := read_system(name, tables.table(name), folder)) is not None}
    if not tables.values:
        problems.add("systems", "no system is configured", 'Write [systems.hubspot] and below it connector = "hubspot"')
    names = list(tables.values)
    sections = {name: root.table(name) for name in SECTIONS if name not in ("systems", "fields", "funnel", "sla", "teams", "authority", *RULE_SECTIONS)}
    plain = {"workspace": ("name",), "state": ("url", "password"), "stage": ("conflict",), "conflict": ("tie",), "delete": ("policy",), "signals": ("keep",)}
    for name, keys in plain.items():
        sections[name].only(keys)
    fields = root.table("fields").values
    return Config(
        path=path,
        workspace=_workspace(sections["workspace"], path),
        state_url=_state_url(sections["state"], folder),
        systems=systems,
        fields=fields,
        funnel=funnel,
        stage_conflict=cast("Literal['furthest', 'latest']", sections["stage"].word("conflict", CONFLICTS, "furthest")),
        winners=_winners(sections["first_meeting"], names),
        order=_order(sections["conflict"], names),
        deletes=cast("Literal['hold', 'archive', 'ignore']", sections["delete"].word("policy", DELETES, "hold")),
        guard=_guard(sections["guard"]),
        signals=sections["signals"].flag("keep", bool(root.values.get("qualify") or root.values.get("score"))),
        sla=read_sla(root.values, funnel, problems.add),
        authority=_authority(root, funnel, names, problems),
        rules=read_rules(root.values, funnel, folder, problems),
        domains=read_domains(root.values, funnel, folder),
        timetable=read_timetable(sections["schedule"]),
        listen=read_listen(sections["serve"]),
        notify=read_notify(sections["notify"], folder),
        notes=tuple(problems.notes),
    )


def _check_mapping(config: Config, problems: Problems) -> None:
    """The maps as far as they can be judged without asking the accounts, so that their mistakes are told with the others."""
    try:
        compile_unasked(config)
    except ConfigurationError as error:
        problems.found.extend(error.problems)


def _authority(root: Table, funnel: Funnel, names: list[str], problems: Problems) -> Authority | None:
    """Who may move whom. A funnel that is wrong itself says nothing of its teams."""
    if any(problem.startswith("funnel.") for problem in problems.found):
        return None
    return read_authority(root.values, funnel, names, problems.add)


def _workspace(table: Table, path: Path) -> str:
    name = table.text("name", path.stem)
    if not re.fullmatch(r"[\w .@+-]{1,64}", name):
        table.problems.add(table.at("name"), "is no name for a workspace", "Use at most 64 letters, digits, blanks and . @ + - _")
    return name


def _state_url(table: Table, folder: Path) -> str:
    """The url of the state; files are relative to the configuration."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    given = table.values.get("url", "sqlite:///stagesync.db")
    secret = read_secret(given, table.at("url"), folder, table.problems, clear=True)
    try:
        url = make_url(secret.reveal() if secret is not None else "sqlite:///stagesync.db")
    except ArgumentError:
        table.problems.add(table.at("url"), "cannot be understood", 'Write url = "sqlite:///stagesync.db" or url = "postgresql://user@host/name"')
        return ""
    if "password" in table.values:
        password = read_secret(table.values["password"], table.at("password"), folder, table.problems, clear=False)
        url = url.set(password=password.reveal() if password is not None else None)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:" and not url.database.startswith("file:"):
        url = url.set(database=str(folder / Path(url.database).expanduser()))
    return url.render_as_string(hide_password=False)


def _winners(table: Table, names: list[str]) -> Mapping[str, str]:
    table.only([*GROUPS, "default"])
    allowed = [*names, "newest"]
    default = table.word("default", allowed, "") if "default" in table.values else None
    winners = {group: table.word(group, allowed, "") if group in table.values else default for group in GROUPS}
    return {group: winner for group, winner in winners.items() if winner}


def _order(table: Table, names: list[str]) -> Mapping[str, int] | None:
    """Ties go by the order in which the systems stand in the file, where nothing else is said."""
    if table.values.get("tie") == "ask":
        return None
    said = table.words("tie", names) or []
    return {name: rank for rank, name in enumerate(dict.fromkeys([*said, *names]))}


def _guard(table: Table) -> Mapping[str, tuple[int, float]]:
    from ...sync.deciding.guard import DEFAULT_LIMITS

    table.only(GUARDS)
    limits: dict[str, tuple[int, float]] = {}
    for kind in GUARDS:
        if kind in table.values:
            each, standard = table.table(kind), DEFAULT_LIMITS[kind]
            each.only(("count", "share"))
            limits[kind] = (int(each.number("count", standard.count)), float(each.number("share", standard.share, most=1)))
    return limits
