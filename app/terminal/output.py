"""How a command speaks: results on stdout, everything else on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

from ...model.errors import SafetyStop


def say(text: str = "") -> None:
    """One line of the result."""
    print(text)


def say_json(value: Any) -> None:
    """The whole result as one JSON object."""
    import orjson

    print(orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode())


def tell(text: str) -> None:
    """Something for the person, not part of the result."""
    print(text, file=sys.stderr)


def interactive() -> bool:
    """Somebody sits at a terminal and can answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agreed() -> bool:
    """Ask whoever sits at the terminal whether to go on."""
    import typer

    try:
        return typer.confirm("Go on?", default=False, err=True)
    except typer.Abort:  # Ctrl-C, or the end of the input
        return False


def approved(shown: Callable[[], Iterable[str]], otherwise: str) -> bool:
    """Whether whoever sits at the terminal agrees to what is shown; False where nobody does. Raises `SafetyStop` for a no; `otherwise`: what to do then."""
    if not interactive():
        return False
    for line in shown():
        tell(line)
    if not agreed():
        raise SafetyStop("nothing was written: you said no", next_step=otherwise)
    return True


def say_all(lines: Iterable[str]) -> None:
    """Several lines of the result."""
    for line in lines:
        say(line)
