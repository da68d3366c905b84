"""Where a secret comes from: an environment variable, a file, the system's keyring. In clear only for a server on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ...mapping.problems import Problems
from ...model.ports import Secret

SOURCES = ("env", "file", "keyring")
_REMEDY = 'Write { env = "VARIABLE" }, { file = "path" } or { keyring = "service/name" }'


def read_secret(value: object, path: str, folder: Path, problems: Problems, *, clear: bool, rotates: bool = False) -> Secret | None:
    """The secret that the value at a TOML `path` names; None where it cannot be had, which is told in `problems`.

    `folder`: what a file's name is relative to. `clear`: it may stand there as it is. `rotates`: the vendor may replace it, so that it needs a place
    that can be written.
    """
    if isinstance(value, str):
        if clear and value:
            return Secret(value)
        what = "is empty" if not value else "stands in the configuration in clear, which is allowed only where the system's address is on this machine"
        problems.add(path, what, _REMEDY)
        return None
    spec = cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
    if len(spec) != 1 or next(iter(spec)) not in SOURCES or not isinstance(next(iter(spec.values())), str) or not next(iter(spec.values())):
        problems.add(path, "does not say where the secret is", _REMEDY)
        return None
    source, name = next(iter(spec.items()))
    if rotates and source == "env":
        problems.add(path, "is a token that may be replaced by the vendor, and an environment variable cannot be rewritten", 'Use { file = "path" } or keyring')
        return None
    match source:
        case "env":
            found = _from_env(name, path, problems)
        case "file":
            found = _from_file(folder / name, path, problems)
        case _:
            found = _from_keyring(name, path, problems)
    if found is not None and not found.strip():
        problems.add(path, f"the secret in {source} {name} is empty", "Put the secret there")
        return None
    return Secret(found.strip()) if found is not None else None


def _from_env(name: str, path: str, problems: Problems) -> str | None:
    found = os.environ.get(name)
    if found is None:
        problems.add(path, f"the environment variable {name} is not set", f"Set it: export {name}=...")
    return found


def _from_file(file: Path, path: str, problems: Problems) -> str | None:
    try:
        found = file.expanduser().read_text("utf-8")
        open_to_all = file.expanduser().stat().st_mode & 0o077
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "no reason given").lower() if isinstance(error, OSError) else "it is not text"
        problems.add(path, f"the file {file} cannot be read: {reason}", "Write the secret into it, readable by you alone (mode 600)")
        return None
    if open_to_all and os.name == "posix":
        problems.note(f"{path}: others on this machine may read {file}; make it yours alone: chmod 600 {file}")
    return found


def split_keyring(name: str) -> tuple[str, str]:
    """`service/name` -> its two parts; without a slash the service is `stagesync`."""
    service, slash, user = name.rpartition("/")
    return (service, user) if slash and service else ("stagesync", user)


def _from_keyring(name: str, path: str, problems: Problems) -> str | None:
    import keyring
    from keyring.errors import KeyringError

    service, user = split_keyring(name)
    try:
        found = keyring.get_password(service, user)
    except KeyringError as error:
        problems.add(path, f"the keyring cannot be used: {error}", "Unlock it, or use { file = ... }")
        return None
    if found is None:
        problems.add(path, f"the keyring holds no {name}", f"Put it there: keyring set {service} {user}")
    return found
