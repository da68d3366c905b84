"""Around every command: mistakes become one clear message and the right exit code, never a traceback."""

from __future__ import annotations

import errno
import functools
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

import typer

from ...model.errors import ConfigurationError, StagesyncError, StateError
from . import streams
from .output import tell

P = ParamSpec("P")
INTERRUPTED = 130
BUG = 70
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Files of ours turn this into an error of their own: what is left is the output."""
_debug = False


def set_debug(on: bool) -> None:
    """Whether tracebacks are shown."""
    global _debug  # noqa: PLW0603 - one switch of the whole program, set once before a command runs
    _debug = on


def guarded(command: Callable[P, int | None]) -> Callable[P, None]:
    """The command, whose result is the exit code (None is 0), as something that exits."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        raise typer.Exit(_code(lambda: command(*args, **kwargs)))

    return run


def program(app: Callable[[], object]) -> int:
    """The exit code of the whole program. What is said outside of any command, such as its help, ends as a command's result would."""
    return _code(lambda: _outside(app))


def _outside(app: Callable[[], object]) -> int:
    try:
        app()
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):  # of which Typer makes a mistake
            raise ended.__context__ from None
        return int(ended.code or 0)
    return 0


def _code(command: Callable[[], int | None]) -> int:
    try:
        code = command() or 0
        sys.stdout.flush()
        return code
    except StagesyncError as error:
        if _debug:
            traceback.print_exc()
        tell(f"stagesync: {error}")
        return error.exit_code
    except (typer.Exit, typer.Abort):
        raise
    except KeyboardInterrupt:
        tell("stagesync: interrupted; nothing is lost: the next run goes on from here")
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has gone (`| head`): that is no mistake
        streams.drop_output()
        return 0
    except OSError as error:
        return _by_the_system(error)
    except Exception as error:  # noqa: BLE001 - the last place that can turn a bug into a message
        return _bug(error)


def _by_the_system(error: OSError) -> int:
    """What the operating system refuses: room for the output, or a look at a file or folder that somebody has named."""
    if error.errno in _NO_ROOM:
        streams.drop_output()
        tell(f"stagesync: the result cannot be written: {error.strerror} (stdout)\n  -> make room, or send it elsewhere; what was done is on record")
        return StateError.exit_code
    if isinstance(error, PermissionError) and error.filename is not None:
        tell(f"stagesync: this user may not look there: {error.strerror} ({error.filename})\n  -> get the right to, or name another file")
        return ConfigurationError.exit_code
    return _bug(error)


def _bug(error: Exception) -> int:
    """Type and place only: the message of an unforeseen error may hold somebody's data."""
    if _debug:
        traceback.print_exc()
    tell(f"stagesync: this is a bug in stagesync: {place_of(error)}")
    tell("  -> run `stagesync --debug ...` for the details, and report them; the state is as the last step left it")
    return BUG


def place_of(error: BaseException) -> str:
    """An unforeseen error's type, and where in our own code it came up."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"{os.sep}site-packages{os.sep}" not in frame.filename] or frames
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "an unknown place"
    return f"{type(error).__name__} at {place}"
