"""Writing what waits into the file: a new one beside it, whole and on the disk, that takes its name in one step."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ...model.errors import StateError, Unreachable
from .layout import Layout
from .mirror import Mirror
from .reading import Print, print_of

_PAGE = 2_000


def fold(path: Path, mirror: Mirror, layout: Layout, known: Print | None, sending: Callable[[], None]) -> None:
    """Put all that waits into the file. `known`: the print of the version that the mirror knows.

    A crash leaves either file whole. Which of them it is tells the print of the new one, which is remembered before it takes the name.
    Raises `Busy`, `Unreachable` where somebody changed the file meanwhile, `StateError`.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    with mirror.changing():
        left = mirror.get("fresh")  # of a run that was killed while it wrote
        mirror.set("fresh", fresh.name)
    try:
        if left is not None:
            path.with_name(left).unlink(missing_ok=True)
        mode = stat.S_IMODE(path.stat().st_mode) if known is not None else 0o600
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            fresh.chmod(mode)
            _write(file, mirror, layout)
            file.flush()
            os.fsync(file.fileno())
        new = print_of(fresh)
        with mirror.changing():
            mirror.set("folding", new)
        sending()
        if print_of(path) != known:
            raise Unreachable("somebody changed the file while it was written", where=str(path), next_step="run again: both will be in it")
        fresh.replace(path)
        _keep_name(path)
    except OSError as error:
        raise StateError(
            f"the file cannot be written: {error.strerror}",
            where=str(path),
            next_step="make room, or get the right to write there; nothing is lost",
        ) from None
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
    settle(mirror, new)


def _keep_name(path: Path) -> None:
    """The folder is on the disk too: the file must not be the old one again after the mirror was told that it is not."""
    with suppress(OSError):  # some systems cannot open folders, and need not
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def settle(mirror: Mirror, now: Print | None) -> None:
    """The file with this print holds everything."""
    with mirror.changing():
        mirror.settle()
        mirror.set("file", now)
        mirror.set("young", value=False)
        mirror.set("folding", None)
        mirror.set("fresh", None)


def _write(file: BinaryIO, mirror: Mirror, layout: Layout) -> None:
    """Mark, header and rows; a last row without a line end gets one where something follows."""
    newline = layout.encode(layout.dialect.newline)
    ends = tuple(layout.encode(end) for end in ("\n", "\r"))
    file.write(layout.dialect.mark)
    file.write(layout.before)
    open_end, number = bool(layout.before) and not layout.before.endswith(ends), -1
    while rows := mirror.each(number, _PAGE):
        number = rows[-1].number
        for row in rows:
            if open_end:
                file.write(newline)
            file.write(row.raw)
            open_end = not row.raw.endswith(ends)
