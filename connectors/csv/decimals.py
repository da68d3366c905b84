"""Which decimal mark the numbers of a column have, found out while its rows are read. What may be a thousand or a little more than one is never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...model.errors import ConfigurationError
from .amounts import Mark, shown

_STEP = 'write decimal = "," or decimal = "." in its table'
_WORDS: Mapping[Mark, str] = {",": "a decimal comma", ".": "a decimal point"}


@dataclass(slots=True)
class Decimals:
    """The columns of numbers of the file `where`. `before`: what an earlier version of it showed. `whole`: columns in which nobody writes three decimals."""

    where: str
    before: Mapping[str, Mark]
    whole: frozenset[str]
    _proved: dict[str, tuple[Mark, int]] = field(default_factory=dict[str, tuple[Mark, int]])
    _unclear: dict[str, int] = field(default_factory=dict[str, int])

    def look(self, name: str, cell: str, line: int) -> None:
        """One cell. Raises `ConfigurationError` where it proves another mark than an earlier one."""
        mark = shown(cell)
        if mark is None:
            return
        if mark == "either":
            mark = None if name not in self.whole else "," if "." in cell else "."
        if mark is None:
            self._unclear.setdefault(name, line)
            return
        first, there = self._proved.setdefault(name, (mark, line))
        if first != mark:
            what = f"line {there} has {_WORDS[first]} in the column {name}, and line {line} has {_WORDS[mark]}"
            raise ConfigurationError(what, where=self.where, next_step=f"correct one of them, or {_STEP}")

    def found(self) -> dict[str, Mark]:
        """Column -> its mark. Raises `ConfigurationError` where nothing in a column tells what a number in it is."""
        marks: dict[str, Mark] = {**self.before, **{name: mark for name, (mark, _) in self._proved.items()}}
        for name, line in self._unclear.items():
            if name not in marks:
                what = f"line {line} has a number in the column {name} that may be thousands, or have three decimals; no other number there tells which"
                raise ConfigurationError(what, where=self.where, next_step=_STEP)
        return marks
