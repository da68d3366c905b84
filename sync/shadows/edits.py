"""What was edited in the records of a person since the last look, by whom, and whether the value stood in another system before. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ...mapping.fields import Unmappable
from ...mapping.maps import FieldMap, KindMap
from ...mapping.stages import StageMap
from ...model.records import FieldChange, Native
from ..deciding.claims import STAGE, words_of
from ..deciding.desk import Desk, Link
from ..deciding.merge import same_value
from ..deciding.staging import lowers
from .shadowing import Edit, Place

_UNREAD: Any = object()


class Moved(NamedTuple):
    """How one record differs from the last look. `before`: native field -> the value then. `author`, `at`: of its last change, as far as the record tells."""

    before: Mapping[str, Native]
    author: str | None
    at: int | None


def mapped(kind: KindMap, moved: Moved) -> set[str]:
    """The native fields among them that mean something to us."""
    ours = {field_map.native for field_map in kind.fields.values()} | set(kind.stage.evidence if kind.stage else ())
    return ours & moved.before.keys()


def edits_of(desk: Desk, links: Sequence[Link], moved: Mapping[int, Moved], history: Mapping[int, Mapping[str, FieldChange]]) -> dict[Place, Edit]:
    """Every field of one person that says something else than before. `links`: theirs that are live; `history`: link -> native field -> who set it."""
    found: dict[Place, Edit] = {}
    for link in links:
        if link.id in moved:
            kind = desk.systems[link.account].map.kinds[link.kind]
            for name, edit in _of_record(desk, link, kind, moved[link.id], history.get(link.id, {})):
                found[(link.account, link.id, name)] = edit
    return {place: _with_source(desk, links, found, place, edit) for place, edit in found.items()}


def _of_record(desk: Desk, link: Link, kind: KindMap, moved: Moved, known: Mapping[str, FieldChange]) -> Iterator[tuple[str, Edit]]:
    system, writes = desk.systems[link.account].name, desk.systems[link.account].writes
    for name, field_map in kind.fields.items():
        native = field_map.native
        if native in moved.before:
            before, after = moved.before[native], link.seen.get(native)
            meaning = _meaning(field_map, link, after)
            if not same_value(desk.maps.fields[name], meaning, _meaning(field_map, link, before)):
                who = _when_and_who(moved, [known[native]] if native in known else [])
                yield name, Edit(before, after, meaning, system, *who, ours=writes and field_map.writable)
    if kind.stage is not None and any(native in moved.before for native in kind.stage.evidence):
        before, after = (_stage(kind.stage, values) for values in ({**link.seen, **moved.before}, link.seen))
        if before != after:
            changed = [known[native] for native in kind.stage.evidence if native in known]
            ours = writes and bool(kind.stage.writes)
            yield STAGE, Edit(before, after, after, system, *_when_and_who(moved, changed), lowers(desk.funnel, before, after), ours=ours)


def _meaning(field_map: FieldMap, link: Link, native: Native) -> Any:
    """In our terms; what cannot be read stands for itself."""
    if native is None:
        return None
    try:
        return field_map.read(native, link.seen)
    except Unmappable:
        return native


def _stage(stage: StageMap, values: Mapping[str, Native]) -> str | None:
    reading = stage.spelled(values)
    return None if reading is None else words_of(reading)


def _when_and_who(moved: Moved, known: Sequence[FieldChange]) -> tuple[int | None, str]:
    """By the field's own history, else by the record."""
    change = max(known, key=lambda change: change.at, default=None)
    if change is None:
        return moved.at, f"user {moved.author}" if moved.author else ""
    actor = change.actor
    return change.at, f"{actor.kind} {actor.id}" if actor.id else actor.kind


def _with_source(desk: Desk, links: Sequence[Link], edits: Mapping[Place, Edit], place: Place, edit: Edit) -> Edit:
    """Whether another system showed the value before: since long, or since an edit that was earlier."""
    account, _, name = place
    for link in links:
        if link.account == account or not _agree(desk, name, _shown(desk, link, name), edit.meaning):
            continue
        other = edits.get((link.account, link.id, name))
        if other is None:
            edit = edit._replace(source=desk.systems[link.account].name)
        elif _order(other, link.account) < _order(edit, account):
            return edit._replace(source=other.system, joined=other.at or 0)
    return edit


def _agree(desk: Desk, name: str, one: Any, other: Any) -> bool:
    return one is not _UNREAD and (one == other if name == STAGE else same_value(desk.maps.fields[name], one, other))


def _order(edit: Edit, account: int) -> tuple[int, bool, int]:
    """The earlier one was there first; of two of one moment the one that no integration wrote."""
    return edit.at or 0, edit.author.startswith("integration"), account


def _shown(desk: Desk, link: Link, name: str) -> Any:
    kind = desk.systems[link.account].map.kinds[link.kind]
    if name == STAGE:
        return _stage(kind.stage, link.seen) if kind.stage is not None else _UNREAD
    field_map = kind.fields.get(name)
    return _UNREAD if field_map is None or field_map.native not in link.seen else _meaning(field_map, link, link.seen[field_map.native])
