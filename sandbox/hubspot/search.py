"""POST /search: filters on an index that may lag, fresh values in the answer, and no more than 10,000 results."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from ..wire import Response
from .call import Call
from .contacts import Contact
from .errors import answer, invalid
from .filters import Question, asked_as, key_of, question
from .portal import Portal
from .render import shower

MOST_GROUPS = 5
MOST_IN_GROUP = 6
MOST_FILTERS = 18
MOST_ROWS = 200
MOST_RESULTS = 10_000
MOST_CHARACTERS = 3_000
KEPT_QUERIES = 8
_TEXT_SEARCHED = ("firstname", "lastname", "email", "phone", "company", "hs_object_id")

Group = Sequence[Mapping[str, Any]]


@dataclass
class Matches:
    """The ids that match one query, kept up to date with the changes since it was first asked."""

    asks: Question
    numbers: list[int]
    seen: int
    sorted_by: dict[str, tuple[int, list[int]]] = field(default_factory=dict[str, tuple[int, list[int]]])


@dataclass(frozen=True)
class Query:
    """A checked search: the filters without the id bounds, which are applied to the kept ids by bisection."""

    groups: Sequence[Group]
    text: str
    above: int | None
    sort: str
    descending: bool
    limit: int
    after: int


class Search:
    """The search of one portal, with its kept results."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self._kept: OrderedDict[bytes, Matches] = OrderedDict()

    def forget(self) -> None:
        """Drop the kept results: habits or definitions changed."""
        self._kept.clear()

    def answer(self, call: Call) -> Response:
        """One page of a search. Raises Refused (400)."""
        query = checked(self.portal, call)
        portal = self.portal
        portal.store.settle_index(portal.now(), int(portal.habits.search_lag_s * 1000))
        total, page = self._page(query)
        show = shower(portal, call.posted_names("properties"))
        live = portal.store.live
        body: dict[str, Any] = {"total": total, "results": [show(live[number]) for number in page]}
        if query.after + len(page) < total:
            body["paging"] = {"next": {"after": str(query.after + len(page))}}
        return answer(body)

    def _page(self, query: Query) -> tuple[int, list[int]]:
        """How many match in all, and the ids of the page that was asked for."""
        matches = self._matches(query)
        numbers = matches.numbers
        start = 0 if query.above is None else bisect_right(numbers, query.above)
        total, end = len(numbers) - start, min(query.after + query.limit, MOST_RESULTS)
        if query.sort in ("", "hs_object_id") and not self.portal.habits.ids_compare_as_text:
            if not query.descending:
                return total, numbers[start + query.after : start + end]
            return total, numbers[max(start, len(numbers) - end) : max(start, len(numbers) - query.after)][::-1]
        order = f"{query.sort} {query.descending} {query.above}"
        kept = matches.sorted_by.get(order)
        if kept is None or kept[0] != matches.seen:
            kept = (matches.seen, self._in_order(numbers[start:], query))
            matches.sorted_by = {order: kept}
        return total, kept[1][query.after : end]

    def _in_order(self, numbers: Sequence[int], query: Query) -> list[int]:
        store = self.portal.store
        known = (store.indexed(store.live[number]) or store.live[number] for number in numbers)
        return [contact.number for contact in in_order(self.portal, known, query.sort or "hs_object_id", descending=query.descending)]

    def _matches(self, query: Query) -> Matches:
        store = self.portal.store
        name = orjson.dumps([query.groups, query.text])
        found = self._kept.get(name)
        if found is None:
            ask = asks(self.portal, query.groups, query.text)
            numbers = sorted({contact.number for contact in self._candidates(query) if self._hit(ask, contact)})
            found = self._kept[name] = Matches(ask, numbers, len(store.changed))
            if len(self._kept) > KEPT_QUERIES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(name)
        self._catch_up(found)
        return found

    def _catch_up(self, matches: Matches) -> None:
        store = self.portal.store
        for number in set(store.changed[matches.seen :]):
            contact = store.live.get(number)
            wanted = contact is not None and self._hit(matches.asks, contact)
            at = bisect_left(matches.numbers, number)
            present = at < len(matches.numbers) and matches.numbers[at] == number
            if wanted and not present:
                insort(matches.numbers, number)
            elif present and not wanted:
                del matches.numbers[at]
        matches.seen = len(store.changed)

    def _hit(self, asks: Question, contact: Contact) -> bool:
        known = self.portal.store.indexed(contact)
        return known is not None and asks(known)

    def _candidates(self, query: Query) -> Iterable[Contact]:
        """Contacts that can match at all: by stamp, id or address where a filter gives them, else everybody."""
        store = self.portal.store
        if not query.groups:
            return store.live.values()
        found: list[Contact] = []
        for group in query.groups:
            narrowed = _narrowed(self.portal, group)
            if narrowed is None:
                return store.live.values()
            found.extend(narrowed)
        lagging = (store.live[number] for number in store.lagging if number in store.live)
        return [*found, *lagging]


def in_order(portal: Portal, contacts: Iterable[Contact], sort: str, *, descending: bool) -> list[Contact]:
    """The contacts by a property; the empty ones come last either way."""
    key = key_of(portal, portal.catalogue.by_name[sort])
    keyed = [(key(contact), contact) for contact in contacts]
    filled = sorted((pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0], reverse=descending)
    return [contact for _, contact in filled] + [contact for value, contact in keyed if value is None]


def asks(portal: Portal, groups: Sequence[Group], text: str) -> Question:
    """Whether a contact meets every filter of one of the groups (none: all do), and has each word of `text`. Raises Refused (400)."""
    compiled = [[question(portal, posted) for posted in group] for group in groups]
    words = text.lower().split()

    def ask(contact: Contact) -> bool:
        if compiled and not any(all(one(contact) for one in group) for group in compiled):
            return False
        if not words:
            return True
        text = " ".join([contact.id, *(contact.props.get(name, "") for name in _TEXT_SEARCHED)]).lower()
        return all(word in text for word in words)

    return ask


def _narrowed(portal: Portal, group: Group) -> Iterable[Contact] | None:
    store = portal.store
    low, high = 0, 1 << 60
    bounded = False
    for posted in group:
        name, operator, value = posted.get("propertyName"), posted.get("operator"), posted.get("value")
        if name in ("email", "hs_object_id") and operator in ("EQ", "IN"):
            values = posted.get("values") if operator == "IN" else [value]
            return _looked_up(portal, str(name), values if isinstance(values, list) else [])
        if name != "lastmodifieddate" or operator not in ("GT", "GTE", "LT", "LTE", "EQ", "BETWEEN"):
            continue
        bounded = True
        at = asked_as(portal, portal.catalogue.by_name["lastmodifieddate"], value)
        if operator in ("GT", "GTE", "EQ", "BETWEEN"):
            low = max(low, at)
        if operator in ("LT", "LTE", "EQ"):
            high = min(high, at)
        if operator == "BETWEEN":
            high = min(high, asked_as(portal, portal.catalogue.by_name["lastmodifieddate"], posted.get("highValue")))
    return store.stamped(low, high) if bounded else None


def _looked_up(portal: Portal, name: str, values: Sequence[Any]) -> list[Contact]:
    texts = [str(value).strip() for value in values]
    by_id = (portal.store.live.get(int(text)) for text in texts if text.isdecimal())
    found = map(portal.store.find_email, texts) if name == "email" else by_id
    return [contact for contact in found if contact is not None]


def checked(portal: Portal, call: Call) -> Query:
    """The posted search within HubSpot's limits. Raises Refused (400)."""
    if len(call.request.body.decode(errors="replace")) > MOST_CHARACTERS:
        raise invalid(f"The request body is longer than {MOST_CHARACTERS} characters.")
    body = call.body
    groups = groups_of(body)
    limit, after = whole(body.get("limit"), "limit", 10), whole(body.get("after"), "after", 0)
    if limit > MOST_ROWS:
        raise invalid(f"The limit of {limit} is above the maximum of {MOST_ROWS}.")
    if after >= MOST_RESULTS:
        raise invalid(f"A search gives at most {MOST_RESULTS} results; {after} is beyond them.")
    sort, descending = sort_of(portal, body)
    above, groups = (None, groups) if portal.habits.ids_compare_as_text else _split_off_ids(portal, groups)
    return Query(groups, str(body.get("query") or ""), above, sort, descending, min(limit, portal.habits.page_rows), after)


def groups_of(body: Mapping[str, Any], most: int = MOST_GROUPS, most_in_group: int = MOST_IN_GROUP) -> list[Group]:
    """The groups of filters in a body; loose `filters` are one more. Raises Refused (400)."""
    posted = body.get("filterGroups") or []
    if not isinstance(posted, list) or not all(isinstance(group, dict) for group in posted):
        raise invalid("filterGroups must be a list of objects.")
    if body.get("filters"):
        posted = [*posted, {"filters": body["filters"]}]
    groups: list[Group] = [list(group["filters"]) if isinstance(group.get("filters"), list) else [] for group in posted]
    if not all(isinstance(posted, dict) for group in groups for posted in group):
        raise invalid("filters must be a list of objects.")
    if len(groups) > most:
        raise invalid(f"There are {len(groups)} filterGroups; the maximum is {most}.")
    if any(len(group) > most_in_group for group in groups):
        raise invalid(f"A filterGroup has more than {most_in_group} filters.")
    if sum(len(group) for group in groups) > MOST_FILTERS:
        raise invalid(f"There are more than {MOST_FILTERS} filters.")
    return [group for group in groups if group]


def sort_of(portal: Portal, body: Mapping[str, Any]) -> tuple[str, bool]:
    """By which property a body sorts ("" = none), and whether downward. Raises Refused (400)."""
    sorts = body.get("sorts") or []
    if not isinstance(sorts, list) or len(sorts) > 1 or not all(isinstance(each, (str, dict)) for each in sorts):
        raise invalid("There can be only one sort.")
    if not sorts:
        return "", False
    first = _opened(sorts[0])
    if isinstance(first, str):
        name, descending = first.lstrip("-"), first.startswith("-")
    else:
        name, descending = str(first.get("propertyName", "")), str(first.get("direction", "ASCENDING")).upper().startswith("DESC")
    if not portal.seen([name]):
        raise invalid(f"There was a problem with the request: property {name} does not exist.")
    return name, descending


def _opened(sort: Any) -> Any:
    """A sort may come as the text of its JSON: the official clients' types allow texts only."""
    try:
        return orjson.loads(sort) if isinstance(sort, str) and sort.startswith("{") else sort
    except orjson.JSONDecodeError:
        return sort


def _split_off_ids(portal: Portal, groups: list[Group]) -> tuple[int | None, list[Group]]:
    """In a query of one group, take out `hs_object_id GT/GTE`: so the slices of one keyset walk share their kept results."""
    if len(groups) != 1:
        return None, groups
    above: int | None = None
    rest: list[Mapping[str, Any]] = []
    for posted in groups[0]:
        if posted.get("propertyName") == "hs_object_id" and posted.get("operator") in ("GT", "GTE"):
            asked = asked_as(portal, portal.catalogue.by_name["hs_object_id"], posted.get("value"))
            bound = asked if posted["operator"] == "GT" else asked - 1
            above = bound if above is None else max(above, bound)
        else:
            rest.append(posted)
    return above, [rest] if rest else []


def whole(value: Any, name: str, default: int) -> int:
    """A number in a body, which may come as text. Raises Refused (400)."""
    if value is None or value == "":
        return default
    if not str(value).isdecimal():
        raise invalid(f"{name} must be a whole number, not {value}.")
    return int(value)
