"""A query carried out: which rows, in which order, and in which shape they are answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from .errors import Refused
from .fields import Field, Row, SObject
from .rows import Store, Table
from .schema import Schema
from .soql_parse import Compare, Order, Select, parse_soql, pointer
from .soql_where import Column, Lookup, Test, comparable, compile_where, conjuncts, id_bound, plain_value, stamp_bounds

Emit = Callable[[Row], dict[str, Any]]


@dataclass
class Shape:
    """Which fields to answer: the row's own, and those behind each relationship (relationship name -> lookup field, shape)."""

    names: list[str] = field(default_factory=list[str])
    parents: dict[str, tuple[Field, Shape]] = field(default_factory=dict[str, "tuple[Field, Shape]"])


@dataclass(frozen=True)
class Found:
    """The rows of a query, as they were when it ran. `fields` as the query names them; `shape` is None for COUNT()."""

    kind: str
    fields: tuple[str, ...]
    rows: list[Row]
    shape: Shape | None


class Runner:
    """Runs queries over one store. `id_key` is the order of ids; `every_other` decides whether rows without a given order come reversed.

    `hidden`: ids of records that are shown to nobody who asks.
    """

    def __init__(
        self,
        schema: Schema,
        store: Store,
        id_key: Callable[[], Callable[[str], str]],
        every_other: Callable[[], bool],
        hidden: Callable[[], frozenset[str]],
    ) -> None:
        self.schema = schema
        self.store = store
        self._id_key = id_key
        self._every_other = every_other
        self._hidden = hidden

    def run(self, text: str, *, everything: bool = False) -> Found:
        """Run a query; `everything` includes deleted rows, as queryAll does. Raises Refused."""
        return self._run(parse_soql(text), everything)

    def _run(self, select: Select, everything: bool) -> Found:
        sobject = self.schema.object(
            select.source, f"{pointer(select.text, max(0, select.text.find(select.source)))}sObject type '{select.source}' is not supported."
        )
        shape = self.shape(sobject, select.fields, select.text) if select.fields else None
        lookup = Lookup(lambda name: self.column(sobject, name, select.text), self._inner(everything), self._id_key())
        test = compile_where(select.where, lookup) if select.where is not None else None
        rows = self._rows(select, sobject, lookup, test, everything)
        stop = None if select.limit is None else select.offset + select.limit
        return Found(sobject.name, select.fields, list(islice(rows, select.offset, stop)), shape)

    def _inner(self, everything: bool) -> Callable[[Compare], frozenset[str]]:
        def values(where: Compare) -> frozenset[str]:
            assert where.query is not None
            if len(where.query.fields) != 1:
                raise Refused("MALFORMED_QUERY", "a semi-join selects exactly one field")
            sobject = self.schema.object(where.query.source, f"sObject type '{where.query.source}' is not supported.")
            column = self.column(sobject, where.query.fields[0], where.query.text)
            if column.field.type not in {"id", "reference"}:
                raise Refused("MALFORMED_QUERY", f"The selected field '{column.field.name}' in the semi-join must be an ID or a reference")
            return frozenset(value for row in self._run(where.query, everything).rows if (value := column.get(row)) is not None)

        return values

    def _rows(self, select: Select, sobject: SObject, lookup: Lookup, test: Test | None, everything: bool) -> Iterable[Row]:
        """Matching rows in the order asked for. An index gives the candidates where it can; the test still decides."""
        table = self.store.tables[sobject.name]
        keys = [(key.field.split(".")[-1].lower(), key.descending, key.nulls_last) for key in select.order]
        direct = self._direct(select, table, lookup)
        by_stamp = keys == [(sobject.stamp.lower(), False, False), ("id", False, False)]
        if direct is None and by_stamp:
            bounds = stamp_bounds(select.where, sobject.stamp, lookup.id_key)
            return self._kept(table.walk(bounds.low, bounds.high), test, everything)
        if direct is None and keys == [("id", False, False)]:
            return self._kept(table.walk_ids(id_bound(select.where)), test, everything)
        if direct is None:
            bounds = stamp_bounds(select.where, sobject.stamp, lookup.id_key)
            direct = list(table.rows.values()) if bounds.low is None and bounds.high is None else table.span(bounds.low, bounds.high)
        if self._every_other():
            direct.reverse()
        return self._sorted(select.order, list(self._kept(direct, test, everything)), lookup) if select.order else self._kept(direct, test, everything)

    def _kept(self, rows: Iterable[Row], test: Test | None, everything: bool) -> Iterator[Row]:
        hidden = self._hidden()
        if hidden:
            rows = (row for row in rows if row["Id"] not in hidden)
        if test is None:
            return (row for row in rows if everything or not row.get("IsDeleted"))
        return (row for row in rows if (everything or not row.get("IsDeleted")) and test(row))

    def _direct(self, select: Select, table: Table, lookup: Lookup) -> list[Row] | None:
        """Candidates by an equality on an indexed field; None if there is none."""
        for part in conjuncts(select.where):
            if not isinstance(part, Compare) or part.op not in {"=", "in"}:
                continue
            column = lookup.column(part.field)
            one = column.field
            if column.own is None or one.case_sensitive or not (one.type in {"id", "reference", "email"} or one.unique or one.external_id):
                continue
            values = lookup.inner(part) if part.query is not None else [plain_value(one, value, part.op) for value in part.values]
            if all(isinstance(value, str) for value in values):
                return table.find(column.own, values)
        return None

    def _sorted(self, order: Iterable[Order], rows: list[Row], lookup: Lookup) -> list[Row]:
        for key in reversed(tuple(order)):
            column = lookup.column(key.field)
            if not column.field.sortable:
                raise Refused("MALFORMED_QUERY", f"field '{column.field.name}' can not be sorted in a query call")
            filled = [row for row in rows if column.get(row) is not None]
            empty = [row for row in rows if column.get(row) is None]
            is_id = column.field.type in {"id", "reference"}
            filled.sort(key=lambda row, c=column, i=is_id: lookup.id_key(c.get(row)) if i else comparable(c.field, c.get(row)), reverse=key.descending)
            rows = filled + empty if key.nulls_last else empty + filled
        return rows

    def column(self, sobject: SObject, path: str, text: str = "") -> Column:
        """The field that a dotted name means, as seen from an object. Raises INVALID_FIELD."""
        first, _, rest = path.partition(".")
        if rest and first.lower() == sobject.name.lower() and first.lower() not in sobject.relationships:
            return self.column(sobject, rest, text)
        if not rest:
            one = self.schema.visible(sobject, path)
            if one is None:
                raise unknown_column(path, sobject, text)
            name = one.name
            return Column(one, lambda row: row.get(name), name)
        link, targets = self._parents(sobject, first, text)
        inner = self.column(targets[-1], rest, text)
        rows_of = {target.prefix: self.store.tables[target.name].rows for target in targets}

        def get(row: Row) -> Any:
            id = row.get(link.name)
            parent = None if id is None else rows_of[id[:3]].get(id)
            return None if parent is None else inner.get(parent)

        return Column(inner.field, get, None)

    def _parents(self, sobject: SObject, relationship: str, text: str) -> tuple[Field, list[SObject]]:
        name = sobject.relationships.get(relationship.lower())
        targets = [] if name is None else [one for one in map(self.schema.objects.__getitem__, sobject.fields[name].refers_to) if one in self.schema.shown()]
        if name is None or not targets or self.schema.visible(sobject, name) is None:
            hint = "If you are attempting to use a custom relationship, be sure to append the '__r'."
            message = f"Didn't understand relationship '{relationship}' in field path. {hint}"
            raise Refused("INVALID_FIELD", f"{pointer(text, max(0, text.find(relationship)))}{message}")
        return sobject.fields[name], targets

    def shape(self, sobject: SObject, paths: Iterable[str], text: str = "") -> Shape:
        """The shape that a list of fields asks for. Raises INVALID_FIELD."""
        shape = Shape()
        for path in paths:
            self._add(shape, sobject, path, text)
        return shape

    def _add(self, shape: Shape, sobject: SObject, path: str, text: str) -> None:
        first, _, rest = path.partition(".")
        if rest and first.lower() == sobject.name.lower() and first.lower() not in sobject.relationships:
            self._add(shape, sobject, rest, text)
            return
        if not rest:
            name = self.column(sobject, path, text).field.name
            if name in shape.names:
                raise Refused("MALFORMED_QUERY", f"{pointer(text, max(0, text.find(path)))}duplicate field selected: {name}")
            shape.names.append(name)
            return
        link, targets = self._parents(sobject, first, text)
        assert link.relationship is not None
        _, inner = shape.parents.setdefault(link.relationship, (link, Shape()))
        self._add(inner, targets[-1], rest, text)

    def emitter(self, kind: str, shape: Shape, base: str) -> Emit:
        """Turns rows into what is answered; `base` is `/services/data/v59.0`."""
        head = f"{base}/sobjects/{kind}/"
        names = shape.names
        parents = [
            (relationship, link.name, {self.schema.objects[t].prefix: (self.store.tables[t].rows, self.emitter(t, inner, base)) for t in link.refers_to})
            for relationship, (link, inner) in shape.parents.items()
        ]

        def emit(row: Row) -> dict[str, Any]:
            get = row.get
            out: dict[str, Any] = {"attributes": {"type": kind, "url": head + row["Id"]}}
            for name in names:
                out[name] = get(name)
            for relationship, link, targets in parents:
                out[relationship] = _parent(get(link), targets)
            return out

        return emit


def _parent(id: str | None, targets: dict[str, tuple[dict[str, Row], Emit]]) -> dict[str, Any] | None:
    if id is None:
        return None
    rows, emit = targets[id[:3]]
    row = rows.get(id)
    return None if row is None else emit(row)


def unknown_column(name: str, sobject: SObject, text: str = "") -> Refused:
    """INVALID_FIELD as a query meets it, for a field that is not there or hidden."""
    hint = "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name."
    place = pointer(text, max(0, text.find(name))) if text else ""
    return Refused("INVALID_FIELD", f"{place}No such column '{name}' on entity '{sobject.name}'. {hint}")
