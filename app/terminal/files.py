"""Writing a file of ours: whole or not at all, readable by its owner alone."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ...model.errors import ConfigurationError, StateError


def expect_folder(path: Path, option: str) -> None:
    """There is a folder for the file that an option names, and the file is none itself. Raises `ConfigurationError`."""
    if path.is_dir():
        raise ConfigurationError("that is a folder, not a file", where=f"{option} {path}", next_step="name a file in it")
    if not path.resolve().parent.is_dir():
        raise ConfigurationError("the folder does not exist", where=f"{option} {path}", next_step="create it, or name another file")


def write_private(path: Path, text: str, *, replace: bool = True) -> None:
    """The file is there with all of its text, on the disk, or it is as before. Raises `FileExistsError` without `replace`, else `StateError`."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            fresh.replace(path)
        else:
            path.hardlink_to(fresh)
    except FileExistsError:
        raise
    except OSError as error:
        raise StateError(f"the file cannot be written: {error.strerror}", where=str(path), next_step="make room, or get the right to write there") from None
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
