"""Many refusals in one system are no bad rows but a fault of the configuration, or of the account: the run stops before it makes more of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ...model.errors import ConfigurationError

LEAST = 20
"""So many writes must have been answered before their refusals say anything."""
SHARE = 0.05
_NAMED = 3


def is_fault(answered: int, refused: int) -> bool:
    """More than a twentieth was refused, of at least twenty."""
    return answered >= LEAST and refused > SHARE * answered


def fault(system: str, answered: int, causes: Mapping[tuple[str, str], int]) -> ConfigurationError:
    """What stops the run. `causes`: (vendor's code, field) -> refusals; they hold names, never values."""
    refused = sum(causes.values())
    most = sorted(causes.items(), key=lambda item: (-item[1], item[0]))[:_NAMED]
    told = ", ".join(f"{code}{f' in {field}' if field else ''} {count:,}" for (code, field), count in most)
    return ConfigurationError(
        f"{system} refused {refused:,} of {answered:,} writes ({told}{', ...' if len(causes) > _NAMED else ''}): that is no bad row but a fault of the set-up",
        where=f"systems.{system}",
        next_step="`stagesync errors` names each cause and its remedy; mend it, then `stagesync retry` and `stagesync sync`. What was written is on record",
    )
