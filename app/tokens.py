"""Where refresh tokens that the vendor replaces are kept: the keyring, or a file that only its owner may read."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from ..model.errors import StateError
from .configuration.system_config import SystemConfig
from .terminal.files import write_private

_LOCK = threading.Lock()


class FileTokens:
    """The `TokenStore` port over a JSON file of mode 0600, replaced as a whole so that no crash loses a token."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self, name: str) -> str | None:
        """The stored token, or None."""
        with _LOCK:
            return self._read().get(name)

    def save(self, name: str, token: str) -> None:
        """Store the token, on the disk before this returns. Raises `StateError`."""
        with _LOCK:
            tokens = {**self._read(), name: token}
            write_private(self._path, json.dumps(tokens))

    def _read(self) -> dict[str, Any]:
        try:
            return json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            raise StateError(
                "the file of renewed tokens cannot be read", where=str(self._path), next_step="mend its rights, or remove it and connect again"
            ) from None


class KeyringTokens:
    """The `TokenStore` port over the system's keyring."""

    def load(self, name: str) -> str | None:
        """The stored token, or None."""
        import keyring

        return keyring.get_password("stagesync", name)

    def save(self, name: str, token: str) -> None:
        """Store the token. Raises `StateError`."""
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.set_password("stagesync", name, token)
        except KeyringError as error:
            raise StateError(f"a renewed token cannot be stored: {error}", where="keyring", next_step="unlock the keyring, then connect again") from None


def token_store(config: Path, system: SystemConfig) -> FileTokens | KeyringTokens:
    """Beside the configuration, or in the keyring where the system's secrets come from it."""
    return KeyringTokens() if system.in_keyring else FileTokens(config.resolve().with_suffix(".tokens.json"))
