"""Choices in canonical form: options of different systems are one where their values or labels are alike (case, `_` and `-` aside).

The canonical name is the declared one, else the first of the labels in alphabetical order: it does not depend on which system is asked first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..model.records import Native, Value, Values
from .fields import Unmappable
from .text import as_text, clean

_SPACE = re.compile(r"[\s_-]+")


def fold(word: str) -> str:
    """The form in which options are compared."""
    return _SPACE.sub(" ", word.casefold()).strip()


@dataclass(frozen=True, slots=True)
class Offer:
    """What one native field offers: (value, label) of its active options, whether only those are taken, and the declared translations.

    `declared`: canonical name -> native values, of which the first is written.
    """

    options: Sequence[tuple[str, str]] = ()
    restricted: bool = False
    declared: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])


@dataclass(frozen=True, slots=True)
class Translation:
    """One native field's dictionary: folded native word -> canonical name, and canonical name -> native value."""

    read: Mapping[str, str]
    write: Mapping[str, str]
    order: Mapping[str, int]
    restricted: bool


def align(offers: Sequence[Offer]) -> list[Translation]:
    """The dictionaries of all native fields of one canonical field, in the order of `offers`."""
    names = _names(offers)
    return [_translation(offer, names) for offer in offers]


def _names(offers: Sequence[Offer]) -> Mapping[str, str]:
    """Folded word -> canonical name, over all systems."""
    classes: dict[str, set[str]] = {}
    spelt: dict[str, set[str]] = {}
    for offer in offers:
        values = {fold(value) for value, _ in offer.options}
        for value, label in offer.options:
            alias = fold(label)
            # A label that is another option's value must not tie the two together.
            tied = alias == fold(value) or alias not in values
            _join(classes, {fold(value), alias} if tied else {fold(value)})
            spelt.setdefault(fold(value), set()).add(label if tied else value)
    names = {word: min(set[str]().union(*(spelt.get(other, set[str]()) for other in together))) for word, together in classes.items()}
    for offer in offers:
        for canonical in offer.declared:
            names[fold(canonical)] = canonical
    return {word: name.replace(";", ",") for word, name in names.items()}


def _join(classes: dict[str, set[str]], words: set[str]) -> None:
    together = set(words).union(*(classes.get(word, set[str]()) for word in words))
    for word in together:
        classes[word] = together


def _translation(offer: Offer, names: Mapping[str, str]) -> Translation:
    read = dict(names)
    write: dict[str, str] = {}
    values = {fold(value) for value, _ in offer.options}
    for value, label in offer.options:
        read[fold(value)] = names.get(fold(value), label)
        if fold(label) not in values:
            read[fold(label)] = read[fold(value)]
        write.setdefault(read[fold(value)], value)
    for canonical, natives in offer.declared.items():
        name = canonical.replace(";", ",")
        for native in natives:
            read[fold(native)] = name
        write[name] = natives[0]
    order = {value: position for position, (value, _) in enumerate(offer.options)}
    return Translation(read, write, order, offer.restricted)


def choice_reader(translation: Translation) -> Callable[[Native, Values], Value]:
    """A reader of one choice; a word that nobody offers stays as it is."""
    table = translation.read
    seen: dict[Native, str | None] = {}

    def read(native: Native, _record: Values) -> Value:
        if native is None:
            return None
        try:
            return seen[native]
        except KeyError:
            text = clean(as_text(native))
            found = None if text is None else table.get(fold(text), text.replace(";", ","))
            if len(seen) < 1024:
                seen[native] = found
            return found

    return read


def choice_writer(translation: Translation) -> Callable[[Value], Native]:
    """A writer of one choice. Raises `Unmappable` where the field takes only its options and has none of that name."""

    def write(value: Value) -> Native:
        return None if value is None else _native(translation, as_text(value))

    return write


def _native(translation: Translation, name: str) -> str:
    found = translation.write.get(name)
    if found is None:
        found = translation.write.get(translation.read.get(fold(name), name))
    if found is not None:
        return found
    if translation.restricted:
        raise Unmappable(f"has no option {name!r} there")
    return name


def multichoice_reader(translation: Translation) -> Callable[[Native, Values], Value]:
    """A reader of several choices, separated by `;`; the order and repetitions do not count."""
    one = choice_reader(translation)

    def read(native: Native, record: Values) -> Value:
        if native is None:
            return None
        names = {one(part, record) for part in as_text(native).split(";")}
        return ";".join(sorted(str(name) for name in names if name is not None)) or None

    return read


def multichoice_writer(translation: Translation) -> Callable[[Value], Native]:
    """A writer of several choices, in the order of the account's options. Raises `Unmappable` as `choice_writer` does."""

    def write(value: Value) -> Native:
        if value is None:
            return None
        natives = {_native(translation, name) for name in as_text(value).split(";")}
        last = len(translation.order)
        return ";".join(sorted(natives, key=lambda native: (translation.order.get(native, last), native)))

    return write
