"""Reading a TOML file of somebody's: whatever is wrong with it as a whole, said with the place."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from ...model.errors import ConfigurationError


def read_toml(path: Path) -> dict[str, Any]:
    """The file's tables. Raises `ConfigurationError` where there is no file, it may not be read, or it is not TOML."""
    where = str(path)
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise ConfigurationError(
            "there is no configuration file", where=where, next_step="run `stagesync init` to write one, or name it with --config"
        ) from None
    except IsADirectoryError:
        raise ConfigurationError("the configuration is a folder, not a file", where=where, next_step="name the file with --config") from None
    except UnicodeDecodeError:
        raise ConfigurationError("the file is not text in UTF-8", where=where, next_step="save it again as UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"the file cannot be read: {error.strerror}", where=where, next_step="give this user the right to read it") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"the file is not TOML: {error}", where=where, next_step="mend that line; config.example.toml shows every key") from None
