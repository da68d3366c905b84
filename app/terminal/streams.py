"""The program's three streams, whatever they lead to: a terminal, a file on a full disk, a reader who has gone, or nothing at all."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

_MODES = {"stdin": "r", "stdout": "w", "stderr": "w"}


class _Notes(io.FileIO):
    """What is told beside the result. Whoever does not listen any more stops nothing: a run that writes goes on."""

    def write(self, text: Any, /) -> int | None:
        try:
            return super().write(text)
        except OSError:
            return len(memoryview(text))


def prepare() -> None:
    """Before anything is said: there are three streams, every name can be written to them, and what is told on stderr stops nothing."""
    for name, mode in _MODES.items():
        if getattr(sys, name) is None:  # closed by whoever started us: the next file that is opened, even the state, would have its number
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name in letters that the terminal does not have
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    notes = io.BufferedWriter(_Notes(sys.stderr.fileno(), "w", closefd=False))
    sys.stderr = io.TextIOWrapper(notes, encoding, errors="backslashreplace", line_buffering=True)


def drop_output() -> None:
    """What could not be written to stdout is given up, or it would be tried once more when the program ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
