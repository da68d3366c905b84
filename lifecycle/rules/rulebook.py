"""From the tables `[[qualify]]`, `[[score]]` and `[lists]` to a rulebook, or everything that is wrong with them, each mistake with its TOML path. Pure.

[[qualify]]
name = "fits"                     # default: the stage's id
stage = "SAL"                     # a stage, a group (its first stage is claimed) or a side state, by id or label, in any case
from = ["mql"]                    # whom it concerns: stages, groups, side states, "none" (no stage is known). Default: everybody before its stage
when = 'company_domain and country in target_countries'
reason = "..."                    # of a side state
else_reason = "outside target"    # what is recorded where it does not hold
else_side = "disqualified"        # and where they go then; default: they stay
mode = "shadow"                   # shadow (only reports) | hold (asks) | apply
team = "sales"                    # who says so; default: the stage's team

[[score]]
name = "interest"                 # score_interest in conditions; rows of one name add up
points = 5
signal = "email_open"             # each of them counts; without it the row counts once, while `when` holds
when = 'contains(subject, "offer")' # with a signal: of its attributes
half_life_days = 30
at_most = 25                      # for all signals of the row together

[lists]
target_countries = ["DE", "AT"]
target_accounts = { file = "accounts.txt" } # one a line, beside the configuration
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, TypeGuard, cast

from ...model.stages import StageReading
from ..funnel import Funnel
from ..parsing import Tell, known
from ..places import Named, names_of
from .calls import CALLS, CALLS_ON_VALUES
from .conditions import Condition, Leaf, Scope, read_condition
from .domains import Domains
from .names import BUILT_IN, DOMAIN_LISTS, built_in, field_terms, score_term
from .qualify import Mode, Rule, Rulebook
from .scores import Points, Score
from .terms import Plain, plain
from .tokens import Mistake, nearest

FolderReader: TypeAlias = Callable[[str], str]
"""The text of a file beside the configuration. Raises `OSError`, or `ValueError` where it is no text."""

MODES: tuple[Mode, ...] = ("shadow", "hold", "apply")
SECTIONS = ("qualify", "score", "lists")
RULE_KEYS = ("name", "stage", "from", "when", "reason", "else_reason", "else_side", "mode", "team")
SCORE_KEYS = ("name", "points", "when", "signal", "half_life_days", "at_most")
_ID = re.compile(r"[A-Za-z]\w*", re.ASCII)

Table: TypeAlias = Mapping[str, Any]


def read_rulebook(own: Table, funnel: Funnel, fields: Collection[str], read_file: FolderReader, tell: Tell) -> Rulebook | None:
    """The rules of a configuration; None where there are none. `own`: its tables `qualify`, `score` and `lists`. `fields`: the canonical ones.

    Every mistake is told with its TOML path; with one told the rulebook is not to be used.
    """
    reader = _Reader(own, funnel, fields, read_file, tell)
    scores, rules = reader.scores, tuple(reader.rules())
    if not rules and not scores:
        return None
    return Rulebook(funnel, rules, scores, reader.digest)


def read_domains(own: Table, funnel: Funnel, read_file: FolderReader) -> Domains:
    """Whose address an e-mail address is, with what `[lists]` corrects. Its mistakes are told where the rules are read."""
    return _Reader(own, funnel, (), read_file, lambda path, what, remedy: None).domains


@dataclass(frozen=True)
class _Reader:
    """One walk over the tables."""

    own: Table
    funnel: Funnel
    fields: Collection[str]
    read_file: FolderReader
    tell: Tell

    @cached_property
    def lists(self) -> Mapping[str, frozenset[Plain]]:
        """`[lists]`, with those that correct the kept lists of domains."""
        said = self.own.get("lists", {})
        if not isinstance(said, Mapping):
            self.tell("lists", "is not a table", 'Write [lists] and below it target_countries = ["DE", "AT"]')
            return {}
        taken = {*self.fields, *BUILT_IN, *self.funnel.groups, *CALLS}
        found: dict[str, frozenset[Plain]] = {}
        for name, members in cast("Table", said).items():
            path = f"lists.{name}"
            if not _ID.fullmatch(name):
                self.tell(path, "is no name", "Use letters, digits and _, and begin with a letter")
            elif name in taken and name not in DOMAIN_LISTS:
                self.tell(path, "has the name of a field, a group or something built in", "Give it another one")
            found[name] = self.members(path, members)
        return found

    def members(self, path: str, said: object) -> frozenset[Plain]:
        match said:
            case {"file": str(name), **rest} if not rest:
                try:
                    lines = (line.partition("#")[0].strip() for line in self.read_file(name).splitlines())
                    return frozenset(plain(line) for line in lines if line)
                except OSError as error:
                    self.tell(path, f"the file {name!r} cannot be read: {error.strerror or error}", "Name a file beside the configuration, one value a line")
                except ValueError:
                    self.tell(path, f"the file {name!r} is not text in UTF-8", "Save it again as UTF-8")
            case [*each] if each and (all(isinstance(one, str) and one.strip() for one in each) or all(_is_number(one) for one in each)):
                return frozenset(plain(one.strip() if isinstance(one, str) else one) for one in each)
            case _:
                self.tell(path, "is neither a list of texts or of numbers nor a file", 'Write ["DE", "AT"] or { file = "countries.txt" }')
        return frozenset()

    @property
    def digest(self) -> str:
        """Changes with whatever the rules mean, and with nothing else: the same in every process."""
        lists = {name: sorted(map(str, members)) for name, members in self.lists.items()}
        stages = [[stage.id, stage.label, stage.team, stage.position] for stage in self.funnel.stages.values()]
        beside = [
            dict(self.funnel.sides),
            sorted(self.funnel.rejections),
            sorted(self.funnel.reentries),
            {name: list(each) for name, each in self.funnel.members.items()},
        ]
        said = [self.own.get("qualify"), self.own.get("score"), lists, sorted(self.fields), stages, beside]
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:16]

    @cached_property
    def domains(self) -> Domains:
        """The lists of domains, corrected."""
        corrections = {name: frozenset(each for each in self.lists.get(name, ()) if isinstance(each, str)) for name in DOMAIN_LISTS}
        return Domains(corrections["free_mail"], corrections["disposable"], corrections["company_domains"])

    @cached_property
    def scope(self) -> Scope:
        """What a condition may speak of, but for the scores."""
        groups = {group.id: frozenset[Plain](stage.casefold() for stage in group.stages) for group in self.funnel.groups.values()}
        lists = {name: members for name, members in self.lists.items() if name not in DOMAIN_LISTS[:2]}
        return Scope({**field_terms(self.fields), **built_in(self.domains)}, {**groups, **lists}, CALLS)

    @cached_property
    def scores(self) -> Mapping[str, Score]:
        """`[[score]]`, by name."""
        rows: dict[str, list[Points]] = {}
        for path, table in self.tables("score", SCORE_KEYS):
            name = table.get("name")
            if not isinstance(name, str) or not _ID.fullmatch(name):
                self.tell(f"{path}.name", "is no name" if "name" in table else "is missing", 'Write name = "interest": in conditions it is score_interest')
            elif f"score_{name}" in self.fields:
                self.tell(f"{path}.name", f"score_{name} is a field", "Give the score another name")
            else:
                rows.setdefault(name, []).append(self.points(path, table))
        return {name: Score(name, tuple(each)) for name, each in rows.items()}

    def points(self, path: str, table: Table) -> Points:
        signal = self.text(f"{path}.signal", table["signal"]) if "signal" in table else None
        scope = self.scope if signal is None else Scope({}, self.scope.lists, CALLS_ON_VALUES, attributes=True)
        when = self.condition(f"{path}.when", table["when"], scope) if "when" in table else None
        if signal is None and "when" not in table:
            self.tell(path, "says neither when nor for which signal", "Write when = '...' or signal = \"form\"")
        for key in ("half_life_days", "at_most"):
            if key in table and "signal" not in table:
                self.tell(f"{path}.{key}", "needs a signal", 'Write signal = "form": only what happened fades and adds up')
        half_life, at_most = self.positive(f"{path}.half_life_days", table), self.positive(f"{path}.at_most", table)
        points, kind = table.get("points"), signal.casefold() if signal is not None else None
        if _is_number(points) and abs(points) <= 1e9:
            return Points(float(points), when, kind, half_life, at_most)
        self.tell(f"{path}.points", "is missing" if points is None else f"{points!r} is not a number of points", "For example points = 20")
        return Points(0.0)

    def rules(self) -> Iterator[Rule]:
        """`[[qualify]]`, in their order."""
        terms = {**self.scope.terms, **{term.text: term for term in map(score_term, self.scores.values())}}
        scope, places, taken = Scope(terms, self.scope.lists, CALLS), names_of(self.funnel), set[str]()
        for path, table in self.tables("qualify", RULE_KEYS):
            named = self.place(f"{path}.stage", table.get("stage"), places)
            when = self.condition(f"{path}.when", table.get("when"), scope)
            name = self.text(f"{path}.name", table.get("name", (named.side or named.stages[0]) if named is not None else "rule"))
            if name in taken:
                self.tell(f"{path}.name" if "name" in table else path, f"there is a rule {name!r} already", "Give each rule a name of its own")
            taken.add(name)
            rule = self.rule(path, table, name, named or Named(), when, places)
            if named is not None:
                yield rule

    def rule(self, path: str, table: Table, name: str, named: Named, when: Condition, places: Mapping[str, Named]) -> Rule:
        reason, else_reason, team = (self.line(f"{path}.{key}", table.get(key, "")) for key in ("reason", "else_reason", "team"))
        stage = named.stages[0] if named.stages else None
        if reason and named.side is None:
            self.tell(f"{path}.reason", "only a side state has a reason", "Drop it, or write else_reason")
        stages, sides = self.concerned(path, table, named, places)
        mode = table.get("mode", MODES[0])
        if mode not in MODES:
            self.tell(f"{path}.mode", f"{mode!r} is not allowed here", f"Allowed: {', '.join(MODES)}")
            mode = MODES[0]
        aside = self.place(f"{path}.else_side", table["else_side"], places) if "else_side" in table else None
        if aside is not None and aside.side is None:
            self.tell(f"{path}.else_side", f"{table['else_side']!r} is not a side state", known(self.funnel.sides))
        rule = Rule(
            name=name,
            place=StageReading(stage, named.side, reason or None),
            stages=stages,
            sides=sides,
            again=False,
            when=when,
            text=" ".join(str(table.get("when", "")).split()),
            mode=mode,
            team=team or (self.funnel.stages[stage].team if stage is not None else ""),
            else_reason=else_reason,
            else_side=aside.side if aside is not None else None,
        )
        return rule.coming_again() if "from" not in table else rule

    def concerned(self, path: str, table: Table, named: Named, places: Mapping[str, Named]) -> tuple[frozenset[str | None], frozenset[str]]:
        """The stages and the side states of the people whom a rule is about."""
        if "from" not in table:
            if named.side is not None:
                self.tell(f"{path}.from", "is missing", f'A rule that leads to {named.side} must say from where: from = ["{next(iter(self.funnel.stages))}"]')
            position = self.funnel.position(named.stages[0]) if named.stages else -1
            return frozenset({None, *(stage.id for stage in self.funnel.stages.values() if stage.position < position)}), frozenset()
        said = table["from"]
        if not isinstance(said, list) or not said:
            self.tell(f"{path}.from", "is not a list of places", 'Write from = ["lead", "mql"]')
            return frozenset(), frozenset()
        found = [each for one in cast("list[object]", said) if (each := self.place(f"{path}.from", one, places, nowhere=True)) is not None]
        stages, sides = frozenset(stage for each in found for stage in each.stages), frozenset(each.side for each in found if each.side is not None)
        for side in sorted(sides & self.funnel.rejections):
            self.tell(f"{path}.from", f"{side!r} is somebody's no, and no rule undoes it", "Leave it out")
        if (named.side is not None and named.side in sides) or (named.stages and named.stages[0] in stages):
            self.tell(f"{path}.from", "names the place that the rule leads to", "Leave it out")
        return stages, sides

    def place(self, path: str, said: object, places: Mapping[str, Named], *, nowhere: bool = False) -> Named | None:
        named = places.get(said.strip().casefold()) if isinstance(said, str) else None
        if named is None or (named.stages == (None,) and not nowhere):
            names = [*self.funnel.stages, *self.funnel.groups, *self.funnel.sides]
            what = "is missing" if said is None else f"there is no stage, group or side state {said!r}"
            self.tell(path, what, nearest(said, names) if isinstance(said, str) else known(names))
            return None
        return named

    def condition(self, path: str, said: object, scope: Scope) -> Condition:
        if isinstance(said, str) and said.strip():
            try:
                return read_condition(said, scope)
            except Mistake as mistake:
                near = said[mistake.at :].split("\n")[0].strip()[:30]
                where = f'at sign {mistake.at + 1} ("{near}")' if near else "at its end"
                self.tell(path, f"{where}: {mistake.what}", mistake.remedy)
        else:
            self.tell(path, "is missing" if said is None else "is not a condition", "For example when = 'company_domain and score_fit >= 50'")
        return Leaf("false", (), lambda _: False)

    def tables(self, key: str, keys: Collection[str]) -> Iterator[tuple[str, Table]]:
        """The rows of `[[key]]` with their paths."""
        said = self.own.get(key, [])
        if not isinstance(said, list):
            self.tell(key, "is not a list of tables", f"Write [[{key}]] before each row")
            return
        for number, row in enumerate(cast("list[object]", said)):
            path = f"{key}[{number}]"
            if not isinstance(row, Mapping):
                self.tell(path, "is not a table", f"Write [[{key}]] and {', '.join(keys)} below it")
                continue
            table = cast("Table", row)
            for word in table:
                if word not in keys:
                    self.tell(f"{path}.{word}", "there is no such key", nearest(word, keys))
            yield path, table

    def text(self, path: str, said: object) -> str:
        if isinstance(said, str) and said.strip() and said.isprintable():
            return said
        self.tell(path, "must be text on one line", f'For example {path.rpartition(".")[2]} = "..."')
        return path

    def line(self, path: str, said: object) -> str:
        """A text that may be blank."""
        return "" if said == "" else self.text(path, said)

    def positive(self, path: str, table: Table) -> float | None:
        key = path.rpartition(".")[2]
        said = table.get(key)
        if said is None:
            return None
        if _is_number(said) and 0 < said <= 1e9:
            return float(said)
        self.tell(path, f"{said!r} is not a number above 0", f"For example {key} = 30")
        return None


def _is_number(said: object) -> TypeGuard[float]:
    return isinstance(said, (int, float)) and not isinstance(said, bool) and abs(said) < float("inf")
