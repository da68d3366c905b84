"""`stagesync verify`: proves that the systems agree."""

from __future__ import annotations

from ..terminal.options import ConfigOption, JsonOption
from ..terminal.shell import guarded


@guarded
def verify(config: ConfigOption = None, json: JsonOption = False) -> int:
    """Read all systems now and compare every linked record. Writes nothing; exit 1 where something drifted.

    Example: stagesync verify
    """
    from ...sync.looking.verify import verify as compare
    from ..configuration.loading import load
    from ..running import running
    from ..terminal import output
    from ..terminal.interrupts import abrupt
    from ..views.verify import verify_json, verify_text

    with abrupt(), running("verify", load(config)) as run:
        found = compare(run.session)
    if json:
        output.say_json(verify_json(found))
    else:
        output.say_all(verify_text(found))
    return 0 if found.proved else 1
