"""Looking into one table of the configuration: what is there has the right type, what is unknown is told with the key that was meant."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ...mapping.problems import Problems, closest


@dataclass(frozen=True, slots=True)
class Table:
    """One TOML table at its path. Every mistake goes to `problems`, and a default takes the value's place."""

    path: str
    values: Mapping[str, Any]
    problems: Problems

    def at(self, key: str) -> str:
        """The full TOML path of a key."""
        return f"{self.path}.{key}" if self.path else key

    def only(self, known: Iterable[str]) -> None:
        """Tell every key that is not known."""
        names = list(known)
        for key in self.values:
            if key not in names:
                self.problems.add(self.at(key), "there is no such key", closest(key, names))

    def table(self, key: str) -> Table:
        """A table inside this one; empty where it is missing."""
        value = self.values.get(key, {})
        if not isinstance(value, Mapping):
            self.problems.add(self.at(key), "must be a table", f"Write [{self.at(key)}] and its keys below it")
            value = {}
        return Table(self.at(key), cast("Mapping[str, Any]", value), self.problems)

    def text(self, key: str, default: str) -> str:
        """A text that is not blank."""
        value = self.values.get(key, default)
        if isinstance(value, str) and (value.strip() or value == default):
            return value
        self.problems.add(self.at(key), "must be text", f'For example {key} = "{default or "..."}"')
        return default

    def word(self, key: str, allowed: Sequence[str], default: str) -> str:
        """One word of several."""
        value = self.values.get(key, default)
        if isinstance(value, str) and value in allowed:
            return value
        self.problems.add(self.at(key), f"{value!r} is not allowed here", f"Allowed: {', '.join(allowed)}")
        return default

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.values.get(key, default)
        if isinstance(value, bool):
            return value
        self.problems.add(self.at(key), f"{value!r} is neither true nor false", "Write true or false, without quotes")
        return default

    def number(self, key: str, default: float, most: float | None = None) -> float:
        """A number that is not negative."""
        value = self.values.get(key, default)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= (most if most is not None else value):
            return value
        self.problems.add(self.at(key), f"{value!r} is not a number from 0{'' if most is None else f' to {most:g}'}", f"For example {key} = {default:g}")
        return default

    def words(self, key: str, allowed: Collection[str]) -> list[str] | None:
        """A list of allowed words; None where it is missing or wrong."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, list) and all(isinstance(each, str) and each in allowed for each in cast("list[Any]", value)):
            return cast("list[str]", value)
        self.problems.add(self.at(key), "must be a list of names that are known here", f"Known: {', '.join(sorted(allowed))}")
        return None
