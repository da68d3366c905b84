"""`stagesync check`: everything that would keep a sync from working, all at once."""

from __future__ import annotations

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded


@guarded
def check(config: ConfigOption = None, json: JsonOption = False) -> int:
    """Look at configuration, credentials, rights, fields, stage values and quota, and at what webhooks need. Reads only; exit 2 where something must be mended.

    Example: stagesync check
    """
    from ..courses import checking
    from ..terminal import output
    from ..terminal.interrupts import abrupt

    with abrupt():
        found = checking.check(config)
    if json:
        output.say_json(found.as_json())
    else:
        for line in found.lines():
            output.say(line)
    return found.exit_code
