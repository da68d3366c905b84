"""A desk with any number of plain systems, one canonical field or more, and a round of the pure merge with its writes carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from stagesync.lifecycle.presets import default_funnel
from stagesync.mapping.fields import Field, Policy, Unmappable
from stagesync.mapping.maps import FieldMap, KindMap, Maps, SystemMap
from stagesync.model.records import FieldChange, Native
from stagesync.model.stages import StageState
from stagesync.state.links import LinkRow
from stagesync.sync.deciding.decision import Decision
from stagesync.sync.deciding.desk import Asked, Desk, Direction, Settings, System
from stagesync.sync.deciding.merge import Hub, Rules, Say, Side, Verdict, merge
from stagesync.sync.deciding.reconcile import reconcile

CITY = Field("city", "text", "contact details")
FUNNEL = default_funnel()
ORDER = {"a": 0, "b": 1, "c": 2}
TIES = Settings(order=ORDER)
HUB = Hub("Bonn", 3, "a")


def plain(name: str) -> FieldMap:
    """A native field that holds the canonical value as it is; the text `?` cannot be read."""
    return FieldMap(name, name, _read, lambda value: value, writable=True, creatable=True)


def short(name: str, length: int) -> FieldMap:
    """A native field that keeps the first characters only."""
    return FieldMap(name, name, _read, lambda value: str(value)[:length] if value is not None else None, writable=True, creatable=True, lossy=True)


def _read(native: Native, values: Mapping[str, Native]) -> Native:
    if native == "?":
        raise Unmappable("nobody can read this")
    return native


@dataclass
class Table:
    """Systems by name, their records of one person, and the hub. `maps`: system -> its field maps, where they are not plain."""

    names: Sequence[str]
    fields: Sequence[Field] = (CITY,)
    settings: Settings = field(default_factory=Settings)
    maps: Mapping[str, Sequence[FieldMap]] = field(default_factory=dict[str, Sequence[FieldMap]])
    directions: Mapping[str, Direction] = field(default_factory=dict[str, Direction])
    include: Callable[[str, Mapping[str, Any]], str | None] = lambda system, values: None
    canonical: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    links: dict[str, LinkRow] = field(default_factory=dict[str, LinkRow])
    known: bool = False

    def desk(self) -> Desk:
        """The desk as it is laid now."""
        systems: dict[int, System] = {}
        for account, name in enumerate(self.names, 1):
            mapped = {each.field: each for each in self.maps.get(name, [plain(each.name) for each in self.fields])}
            kind = KindMap("contact", mapped, None, tuple(mapped), lambda values: (), lambda values: None, {}, ())
            include = lambda values, stage, name=name: self.include(name, values)  # noqa: E731 - one line in place of a nested function of five
            systems[account] = System(name, account, SystemMap(name, {"contact": kind}, "contact", include), self.directions.get(name, "both"), creates=False)
        mapped_fields = {each.name: each for each in self.fields}
        return Desk(systems, Maps(mapped_fields, {system.name: system.map for system in systems.values()}, (), "digest"), FUNNEL, self.settings)

    def put(self, name: str, stamp: int = 0, **values: Native) -> None:
        """Somebody types into the record of that system (made if there is none), and it is looked at."""
        account = list(self.names).index(name) + 1
        old = self.links.get(name)
        if old is None:
            self.links[name] = LinkRow(account, account, "contact", name, 1 if self.known else None, "new", stamp, dict(values), {}, {}, None, None)
            return
        agreed = dict(old.agreed)
        for native, value in values.items():
            before = agreed.get(native, old.seen.get(native))
            agreed.pop(native, None)
            if before != value:
                agreed[native] = before
        self.links[name] = old._replace(seen={**old.seen, **values}, agreed=agreed, stamp=max(stamp, old.stamp))

    def round(
        self,
        *,
        fails: Iterable[str] = (),
        answers: Mapping[str, Asked] | None = None,
        history: Mapping[str, Mapping[str, FieldChange]] | None = None,
        order: Sequence[str] | None = None,
    ) -> Decision:
        """Reconcile, remember, and write; the writes of the systems in `fails` are not done."""
        rows = [self.links[name] for name in (order or self.names) if name in self.links]
        told = {self.links[name].id: changes for name, changes in (history or {}).items()}
        decision = reconcile(self.desk(), self.canonical, StageState(), rows, answers=answers or {}, history=told)
        self.canonical, self.known = decision.canonical, True
        for view in decision.views:
            seen, carried = dict(view.row.seen), dict(view.carried)
            if view.system.name not in fails:
                seen.update(view.values)
                carried.update({name: change[2] for name, change in view.fields.items()})
            self.links[view.system.name] = view.row._replace(person=1, state="linked", seen=seen, carried=carried, agreed=view.agreed, claim=view.notes or None)
        return decision

    def says(self, native: str = "city") -> dict[str, Native]:
        """What stands in each system."""
        return {name: link.seen.get(native) for name, link in self.links.items()}

    def hub(self, name: str = "city") -> Any:
        """The canonical value."""
        return self.canonical.get(name, [None])[0]


def met(value: Native = "Bonn", names: Sequence[str] = ("a", "b", "c"), **options: Any) -> Table:
    """A table whose systems all agree on a city."""
    table = Table(names, **options)
    for name in names:
        table.put(name, city=value)
    table.round()
    return table


def decided(hub: Hub, *sides: tuple[str, Say, Any], field: Field = CITY, **rules: Any) -> Verdict:
    """The verdict over (system, say, value), with times looked up."""
    return merge(field, hub, [Side(*side) for side in sides], Rules(ORDER, timed=True)._replace(**rules))


def by(kind: Any, system: str | None = None) -> Field:
    """The city under another policy."""
    return replace(CITY, policy=Policy(kind, system))
