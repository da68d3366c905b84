"""Stage maps: decision tables that read a stage out of several native fields, and write it back.

Where a vendor has no word for a stage, the map names another that is written in its place: reading that back is no claim as long as nobody touched it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ..model.records import Native, Values
from ..model.stages import StageReading

NOTHING: Mapping[str, Native] = {}
_REMEMBERED = 4096


def word(native: Native) -> Native:
    """A native value in the form in which it is looked up: text without regard to case (Salesforce itself matches picklist values so)."""
    return native.strip().casefold() if isinstance(native, str) else native


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the read table: where all of `when` hold, the record says `stage`, or `side`, or both.

    `when`: native field -> the words of which one must be there; `True` = anything but blank and false, `False` = blank or false.
    `closed`: such a record can no longer be written, and nothing else in it counts.
    `beyond`: where not None, the record says `stage` *at least*, and these are the stages that it may say as well (an open deal makes nobody less than a
    customer). It then only raises: what the record's own values say counts where that is further, and they are written as if there were no such row.
    `at`: the native field with the time since when that is so.
    """

    when: Mapping[str, frozenset[Native] | bool]
    stage: str | None = None
    side: str | None = None
    closed: bool = False
    beyond: frozenset[str] | None = None
    at: str | None = None

    def holds(self, values: Values) -> bool:
        """The row applies to this record."""
        for native, wanted in self.when.items():
            value = values.get(native)
            if isinstance(wanted, bool):
                if (value is not None and value is not False) is not wanted:
                    return False
            elif word(value) not in wanted:
                return False
        return True


@dataclass(frozen=True, slots=True)
class Words:
    """One native field whose values mean stages or side states. `ignored` None: every other value is meant for somebody else."""

    native: str
    reads: Mapping[Native, str]
    writes: Mapping[str, str]
    labels: Mapping[Native, str]
    ignored: frozenset[Native] | None
    sides_only: bool


@dataclass(frozen=True, slots=True)
class _Finding:
    """`own`: the reading without what is said at least; `least`: the row that raised it."""

    reading: StageReading | None
    unmapped: str | None
    closed: bool
    own: StageReading | None
    least: Rule | None = None


@dataclass(frozen=True, slots=True)
class StageMap:
    """How one kind of record expresses the stage.

    `natives`: all fields that are evidence of a place. `writes`: those that we may write. `lossy`: stage or side state -> the one that is written in its place.
    `expressed`: stage or side state -> what is written for it (itself, or another). `settings`: what several fields together say when they are written.
    `probes`: evidence of which only counts whether it is filled. `reason`: the native field that holds the reason of a side state, if any.
    `floored`: some row says a stage at least.
    """

    natives: tuple[str, ...]
    writes: frozenset[str]
    lossy: Mapping[str, str]
    expressed: Mapping[str, str]
    sides: frozenset[str]
    rules: tuple[Rule, ...]
    words: tuple[Words, ...]
    settings: Mapping[str, Mapping[str, Native]]
    probes: frozenset[str]
    reason: str | None = None
    floored: bool = False
    _seen: dict[tuple[Native, ...], _Finding] = field(default_factory=dict[tuple[Native, ...], _Finding], compare=False, repr=False)

    @property
    def evidence(self) -> tuple[str, ...]:
        """All fields out of which a claim is made: `natives`, and that of the reason."""
        return self.natives if self.reason is None else (*self.natives, self.reason)

    def said(self, values: Values) -> str:
        """The record's own words for its stage, as they stand there; empty where it has none."""
        return ", ".join(f"{words.native}={value}" for words in self.words if (value := values.get(words.native)) is not None)

    def read(self, values: Values, hub: StageReading | None = None, *, least: bool = True) -> StageReading | None:
        """What the record says; None where it makes no claim (blank, `other`, unmapped).

        `hub`: the place that was last written there. What stands in for a stage that this kind cannot express is then read as that stage, so that
        somebody who changes only the side state does not lower the stage by it. What is said at least leaves a further place as it is, and is not heard
        where `least` is false.
        """
        found = self._find(values)
        reading = found.reading if least else found.own
        if reading is None:
            return None
        stage, side, reason = reading.stage, reading.side, reading.reason
        if self.reason is not None and side is not None and values.get(self.reason) is not None:
            reason = str(values[self.reason])
        if hub is not None:
            stage = hub.stage if stage is not None and hub.stage is not None and self.lossy.get(hub.stage) == stage else stage
            side = hub.side if side is not None and hub.side is not None and self.lossy.get(hub.side) == side else side
            if (
                least
                and found.least is not None
                and found.least.beyond is not None
                and hub.stage in found.least.beyond
                and (found.own is None or found.own.stage is None)
            ):
                stage = hub.stage
        return reading if (stage, side, reason) == (reading.stage, reading.side, reading.reason) else StageReading(stage, side, reason)

    def outlived(self, values: Values, hub: StageReading | None, changed: Collection[str] = ()) -> bool:
        """What the record says at least is old: the person was put below it although it was so, and none of it is among the `changed` native fields.

        Then the record's own values are heard again: whoever comes in again is not held up where the deal of an earlier pass has brought them.
        """
        if hub is None or not self.floored:
            return False
        least = self._find(values).least
        if least is None or least.beyond is None or hub.stage in (None, least.stage, *least.beyond):
            return False
        return not any(native in changed for native in (*least.when, least.at) if native is not None)

    def since(self, values: Values) -> Native:
        """Since when the record says at least what it does, as the vendor tells it; None where it says so by itself, or no time is told."""
        least = self._find(values).least if self.floored else None
        return values.get(least.at) if least is not None and least.at is not None else None

    def spelled(self, values: Values) -> StageReading | None:
        """What the record says by itself, without what it only says at least: that is what a write changes."""
        return self._find(values).own

    def unmapped(self, values: Values) -> str | None:
        """`field=value` where a value stands that nobody mapped."""
        return self._find(values).unmapped

    def write(self, stage: str | None, side: str | None, reason: str | None, values: Values = NOTHING) -> Mapping[str, Native] | None:
        """What must be written so that the record says this; only what differs from its present `values` (none: a create).

        Empty: it says so already. None: this kind cannot express it, or the record is closed (a converted Lead).
        """
        found = self._find(values)
        if found.closed:
            return None
        if stage is None and side is None:
            return NOTHING
        wanted = None if stage is None else self.expressed.get(stage)
        beside = None if side is None else self.expressed.get(side)
        if wanted is None and beside is None:
            return None
        said = found.own or StageReading()
        if (wanted is None or said.stage == wanted) and said.side == beside:
            changes: dict[str, Native] = {}
        else:
            changes = self._changes(StageReading(stage, side), StageReading(wanted, beside), said, values)
        if self.reason is not None and self.reason in self.writes:
            told = reason if beside is not None else None
            by_word = told == said.reason and said.side == beside and values.get(self.reason) is None  # the label of its own word: nobody typed that
            if (told is not None and not by_word) or (beside is None and said.side is not None):
                changes[self.reason] = told
        return {native: value for native, value in changes.items() if word(values.get(native)) != word(value)}

    def meaning(self) -> list[object]:
        """The tables in plain form, equal where two maps read and write alike."""
        rules = [[sorted((native, repr(wanted if isinstance(wanted, bool) else sorted(map(str, wanted)))) for native, wanted in rule.when.items()),
                  rule.stage, rule.side, rule.closed, *([sorted(rule.beyond)] if rule.beyond is not None else [])] for rule in self.rules]  # fmt: skip
        words = [[each.native, sorted((str(value), meaning) for value, meaning in each.reads.items()), sorted(each.writes.items())] for each in self.words]
        return [rules, words, sorted(self.expressed.items()), sorted((name, sorted(each.items())) for name, each in self.settings.items()), self.reason]

    def _changes(self, place: StageReading, wanted: StageReading, said: StageReading, values: Values) -> dict[str, Native]:
        """`wanted`: what is written for `place`. A word that says the place itself stays, also where it is one that we may not write (an inactive option)."""
        changes: dict[str, Native] = {}
        for words in self.words:
            meaning = words.reads.get(word(values.get(words.native)))
            if wanted.side is not None and wanted.side in words.writes:
                if meaning not in (wanted.side, place.side):
                    changes[words.native] = words.writes[wanted.side]
            elif meaning is not None and meaning == place.side:
                continue
            elif wanted.stage is not None and wanted.stage in words.writes:
                if meaning not in (wanted.stage, place.stage):
                    changes[words.native] = words.writes[wanted.stage]
            elif words.sides_only and meaning is not None and meaning != wanted.side:
                changes[words.native] = None
        for other, itself, saying in ((wanted.stage, place.stage, said.stage), (wanted.side, place.side, said.side)):
            if other is not None and saying not in (other, itself):
                changes.update(self.settings.get(other, NOTHING))
        return changes

    def _find(self, values: Values) -> _Finding:
        key = tuple([bool(values.get(native)) if native in self.probes else values.get(native) for native in self.natives])
        found = self._seen.get(key)
        if found is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            found = self._seen[key] = self._judge(values)
        return found

    def _judge(self, values: Values) -> _Finding:
        stage = side = reason = unmapped = least = None
        for rule in self.rules:
            if rule.holds(values):
                if rule.closed:
                    reading = StageReading(rule.stage, rule.side)
                    return _Finding(reading, None, closed=True, own=reading)
                if rule.beyond is not None:
                    least = least or (rule if stage is None else None)
                    continue
                stage = stage or rule.stage
                side = side or rule.side
        by_rule = stage is not None
        for words in self.words:
            value = values.get(words.native)
            if value is None:
                continue
            meaning = words.reads.get(word(value))
            if meaning is None:
                if words.ignored is not None and word(value) not in words.ignored and not by_rule:
                    unmapped = unmapped or f"{words.native}={value}"
            elif meaning in self.sides:
                if side is None or (side == meaning and reason is None):
                    side, reason = meaning, words.labels.get(word(value), str(value))
            else:
                stage = stage or meaning
        own = None if stage is None and side is None else StageReading(stage, side, reason)
        if least is None or least.beyond is None or stage in least.beyond:
            return _Finding(own, unmapped, closed=False, own=own)
        return _Finding(StageReading(least.stage, side, reason), unmapped, closed=False, own=own, least=least)
