"""Collecting everything that is wrong with the mapping part of a configuration, each with its TOML path and a remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from ..model.errors import ConfigurationError


@dataclass(slots=True)
class Problems:
    """The mistakes found so far, and notes: what works less than one might expect, but works."""

    found: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])

    def add(self, path: str, what: str, remedy: str) -> None:
        """One mistake of somebody's at this TOML path."""
        line = f"{path}: {what}. {remedy}"
        if line not in self.found:
            self.found.append(line)

    def note(self, sentence: str) -> None:
        """Something that cannot be carried. Told once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def table(self, path: str, said: object) -> Mapping[str, Any]:
        """What was said, if it is a table; else a mistake, and an empty one."""
        if isinstance(said, Mapping):
            return cast("Mapping[str, Any]", said)
        self.add(path, "is not a table", f"Write [{path}] and one setting per line below it")
        return {}

    def rows(self, path: str, said: object) -> Sequence[Mapping[str, Any]]:
        """What was said, if it is a list of tables."""
        if isinstance(said, list) and all(isinstance(each, Mapping) for each in cast("list[object]", said)):
            return cast("list[Mapping[str, Any]]", said)
        self.add(path, "is not a list of tables", f"Write [[{path}]] before each row")
        return ()

    def text(self, path: str, said: object) -> str | None:
        """One text."""
        if isinstance(said, str) and said:
            return said
        self.add(path, f"{said!r} is not a text", "Write one value in quotes")
        return None

    def words(self, path: str, said: object) -> Sequence[str]:
        """One text or a list of texts."""
        if isinstance(said, str):
            return (said,)
        if isinstance(said, list) and all(isinstance(each, str) for each in cast("list[object]", said)):
            return cast("list[str]", said)
        self.add(path, f"{said!r} is not a text", "Write one value in quotes, or several in brackets")
        return ()

    def stop(self) -> None:
        """Raise `ConfigurationError` with all mistakes, if there are any."""
        if self.found:
            raise ConfigurationError(
                f"the mapping has {len(self.found)} mistake{'s' if len(self.found) > 1 else ''}",
                next_step="mend what is listed below, then run `stagesync check`",
                problems=tuple(self.found),
            )


def closest(word: str, known: Iterable[str], limit: int = 3) -> str:
    """`Did you mean X, Y?` with the names that look most alike, else `Known: ...`; a remedy that ends a sentence."""
    from rapidfuzz import fuzz, process, utils

    names = sorted(set(known))
    alike = [name for name, _, _ in process.extract(word, names, scorer=fuzz.WRatio, processor=utils.default_process, limit=3 * limit, score_cutoff=60)]
    near = sorted(alike, key=lambda name: -fuzz.ratio(word, name, processor=utils.default_process))[:limit]
    if near:
        return f"Did you mean {', '.join(near)}?"
    return f"Known: {', '.join(names[:12])}{' ...' if len(names) > 12 else ''}" if names else "There is none"
