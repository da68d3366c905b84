"""One `[systems.NAME]` table: what belongs to the program, what to the mapping, and what to the connector, which checks its own keys."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from ...mapping.problems import closest
from ...model.errors import ConfigurationError
from ...model.ports import Secret
from .secrets import read_secret
from .tables import Table

Direction = Literal["both", "read", "write"]
OUR_KEYS = ("connector", "direction", "region", "creates")
MAPPING_KEYS = ("include", "create", "keys", "stages", "signals", "companies")
"""Read by `mapping.compile`."""

_NAME = re.compile(r"[A-Za-z][\w-]*")
_NOT_NAMES = ("hub", "newest", "skip", "ask", "default", "sla", "somebody")
"""Words that stand where a system's name may stand."""
_ROTATES = frozenset({"refresh_token"})


@dataclass(frozen=True, slots=True)
class SystemConfig:
    """One system. `settings`: the connector's own, validated. `table`: as it was written, for the mapping.

    `fingerprint` changes with address and credential: what the account looks like is then asked anew. `in_keyring`: its secrets live in the keyring.
    """

    name: str
    connector: str
    plugin: Any
    settings: Any
    table: Mapping[str, Any] = field(repr=False)
    direction: Direction
    region: str | None
    creates: bool
    fingerprint: str
    in_keyring: bool = False


def read_system(name: str, table: Table, folder: Path) -> SystemConfig | None:
    """The system, or None where its mistakes leave nothing to work with; all of them are told in the table's problems."""
    problems = table.problems
    if not _NAME.fullmatch(name) or name in _NOT_NAMES:
        problems.add(table.path, "is no name for a system", "Use letters, digits, - and _; and none of " + ", ".join(_NOT_NAMES))
    region = _region(table)
    direction = cast("Direction", table.word("direction", get_args(Direction), "both"))
    creates = table.flag("creates", True)
    for key in MAPPING_KEYS:
        table.table(key)
    plugin = _plugin(table)
    if plugin is None:
        return None
    settings = _settings(table, plugin.settings, folder)
    if settings is None:
        return None
    keyring = any(isinstance(value, Mapping) and "keyring" in value for value in table.values.values())
    return SystemConfig(name, plugin.name, plugin, settings, table.values, direction, region, creates, fingerprint(plugin.name, settings), keyring)


def _plugin(table: Table) -> Any:
    from ...connectors import registry

    if "connector" not in table.values:
        table.problems.add(table.at("connector"), "is missing", 'Write connector = "hubspot", "salesforce", "webhook" or "csv"')
        return None
    try:
        return registry.find(table.text("connector", ""), where=table.at("connector"))
    except ConfigurationError as error:
        table.problems.add(table.at("connector"), error.what, error.next_step)
        return None


def _region(table: Table) -> str | None:
    from ...mapping.countries import country_code

    region = table.text("region", "")
    code = country_code(region) if region else None
    if region and code is None:
        table.problems.add(table.at("region"), f"{region!r} is not a country", 'Write its ISO code, for example region = "DE"')
    return code


def _settings(table: Table, model: type[Any], folder: Path) -> Any:
    """The connector's settings; None where they are wrong."""
    from pydantic import ValidationError

    known: Mapping[str, Any] = model.model_fields
    table.only([*OUR_KEYS, *MAPPING_KEYS, *known])
    before = len(table.problems.found)
    clear = _on_this_machine(table.values, known)
    given: dict[str, Any] = {}
    for key, value in table.values.items():
        if key in known and "Secret" in str(known[key].annotation):
            several = isinstance(value, list)
            spots = [(table.at(f"{key}[{number}]"), each) for number, each in enumerate(value)] if several else [(table.at(key), value)]
            read = [read_secret(each, path, folder, table.problems, clear=clear, rotates=key in _ROTATES) or Secret("?") for path, each in spots]
            given[key] = read if several else read[0]
        elif key in known:
            given[key] = value
    try:
        settings = model.model_validate(given, context={"folder": folder})
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False, include_context=False):
            _tell(table, each, known)
        return None
    return settings if len(table.problems.found) == before else None


def _tell(table: Table, error: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    path = table.path + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"])
    what = str(error["msg"]).removeprefix("Value error, ")
    remedy = "Write it" if error["type"] == "missing" else "Mend it; config.example.toml shows every key"
    if error["type"] == "extra_forbidden":
        remedy = closest(str(error["loc"][-1]), known)
    table.problems.add(path, what[:1].lower() + what[1:], remedy)


def _on_this_machine(values: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Every address that is given is on this machine, and at least one is."""
    from ...connectors.manners import is_loopback

    addresses = [values[key] for key in known if key.endswith("_url") and key in values]
    return bool(addresses) and all(isinstance(url, str) and is_loopback(url) for url in addresses)


def fingerprint(connector: str, settings: Any) -> str:
    """A mark of the settings, secrets included, that tells nothing of them."""
    told = {key: _revealed(value) for key, value in settings.model_dump().items()}
    return hashlib.sha256(f"{connector} {sorted(told.items())}".encode()).hexdigest()


def _revealed(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else tuple(map(_revealed, value)) if isinstance(value, tuple) else value
