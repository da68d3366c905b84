"""`stagesync init`: a few questions, and a configuration that explains itself."""

from __future__ import annotations

from ..terminal.options import ConfigOption
from ..terminal.shell import guarded


@guarded
def init(config: ConfigOption = None) -> int:
    """Ask a few questions and write stagesync.toml. An existing file is never overwritten.

    Example: stagesync init --config acme.toml
    """
    from ..configuration import starting
    from ..configuration.loading import config_path

    return starting.start(config_path(config))
