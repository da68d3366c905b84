"""The laws of the pure merge, over any number of systems and any life of edits and failures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from merging import CITY, Table

from stagesync.mapping.fields import Policy
from stagesync.sync.deciding.desk import Settings

NAMES = ("a", "b", "c", "d")
VALUES = st.sampled_from([None, "A", "B", "C"])
ROUNDS = st.lists(st.tuples(st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=3), st.sets(st.sampled_from(NAMES), max_size=2)), max_size=4)
POLICIES = st.sampled_from([Policy("two-way"), Policy("always", "a"), Policy("prefer", "b"), Policy("ask")])
RANKED = {name: rank for rank, name in enumerate(NAMES)}
ORDERS = st.sampled_from([None, RANKED])
Life = Sequence[tuple[Sequence[tuple[str, Any]], set[str]]]


def lived(first: Sequence[Any], life: Life, policy: Policy, order: Any, names: Sequence[str] = NAMES, shuffled: Sequence[str] | None = None) -> Table:
    """A table after a life of edits, in which writes to some systems fail. `names`: what the four systems are called."""
    called: dict[str, str] = dict(zip(NAMES, names, strict=True))
    renamed = replace(policy, system=called[policy.system]) if policy.system else policy
    settings = Settings({"contact details": "newest"}, {called[name]: rank for name, rank in order.items()} if order else None)
    table = Table([called[name] for name in shuffled or NAMES], fields=[replace(CITY, policy=renamed)], settings=settings)
    for stamp, (name, value) in enumerate(zip(NAMES, first, strict=True)):
        table.put(called[name], stamp, city=value)
    for typed, fails in life:
        table.round(fails=[called[name] for name in fails])
        for name, value in typed:
            table.put(called[name], city=value)
    table.round()
    return table


@given(st.tuples(VALUES, VALUES, VALUES, VALUES), ROUNDS, POLICIES, ORDERS, st.permutations(NAMES))
def test_the_order_of_systems_does_not_matter(first: Sequence[Any], life: Life, policy: Policy, order: Any, shuffled: Sequence[str]) -> None:
    """In whatever order the records lie on the desk, the outcome is the same."""
    one, other = lived(first, life, policy, order), lived(first, life, policy, order, shuffled=shuffled)
    assert (one.says(), one.hub()) == (other.says(), other.hub())


@given(st.tuples(VALUES, VALUES, VALUES, VALUES), ROUNDS, POLICIES, ORDERS, st.permutations(("w", "x", "y", "z")))
@example((None, "A", None, "A"), [([("c", "B")], {"c"})], Policy("two-way"), RANKED, ["w", "y", "z", "x"])
@example((None,) * 4, [([("b", "A"), ("d", "A")], set()), ([("c", "B")], {"c"})], Policy("two-way"), RANKED, ["w", "y", "z", "x"])
def test_the_names_of_systems_do_not_matter(first: Sequence[Any], life: Life, policy: Policy, order: Any, names: Sequence[str]) -> None:
    """Whatever the systems are called, the outcome is the same."""
    one, other = lived(first, life, policy, order), lived(first, life, policy, order, names)
    assert list(one.says().values()) == list(other.says().values())


@given(st.tuples(VALUES, VALUES, VALUES, VALUES), ROUNDS, POLICIES, ORDERS)
def test_merging_again_changes_nothing(first: Sequence[Any], life: Life, policy: Policy, order: Any) -> None:
    """After everything was agreed and written, another round moves nothing and writes nothing."""
    table = lived(first, life, policy, order)
    before = (table.says(), dict(table.canonical))
    decision = table.round()
    assert not any(view.values or view.touched for view in decision.views)
    assert (table.says(), table.canonical, decision.overruled) == (*before, [])


@given(st.tuples(VALUES, VALUES, VALUES, VALUES), ROUNDS, POLICIES, ORDERS)
def test_systems_converge(first: Sequence[Any], life: Life, policy: Policy, order: Any) -> None:
    """When all writes have been done, all systems say what the hub says, or the field is held."""
    table = lived(first, life, policy, order)
    held = table.round().holds
    assert held or set(table.says().values()) == {table.hub()}


def lost(first: Sequence[Any], life: Life, order: Any, *, alike: bool = False, policy: Policy = CITY.policy) -> dict[str, Any]:
    """The last values typed in each system after the first meeting that are neither everywhere, nor seen and typed over, nor overruled, nor held.

    `alike`: several type the very same, now or later, none of them knowing of the others.
    """
    table = Table(NAMES, fields=[replace(CITY, policy=policy)], settings=Settings({"contact details": "newest"}, order))
    for stamp, (name, value) in enumerate(zip(NAMES, first, strict=True)):
        table.put(name, stamp, city=value)
    table.round()
    last: dict[str, Any] = {}
    for number, (typed, fails) in enumerate(life):
        looked = table.says()
        for name, value in typed:
            told = value if alike or not value else f"{value}{number}"
            if table.says()[name] == told:
                continue
            for other, kept in list(last.items()):
                if table.says()[name] == kept or other == name:
                    del last[other]  # typed over by somebody who saw it
            table.put(name, city=told)
            last[name] = told
            if told == looked[name] or "city" not in table.links[name].agreed:
                last.pop(name, None)  # put back between two looks, which nobody can see; or to what was agreed: taken back while it was a question
        decision = table.round(fails=fails)
        for overruled in decision.overruled:
            last = {name: value for name, value in last.items() if value != overruled.value}
    held = table.round().holds
    return {} if held else {name: value for name, value in last.items() if value != table.hub()}


@given(st.tuples(VALUES, VALUES, VALUES, VALUES), ROUNDS, ORDERS, st.booleans())
def test_nothing_typed_is_lost_silently(first: Sequence[Any], life: Life, order: Any, alike: bool) -> None:
    """The last value typed in each system after the first meeting is everywhere, was seen and typed over, is overruled, or is held."""
    assert lost(first, life, order, alike=alike) == {}


SOME = st.sets(st.sampled_from(NAMES))
GOES_ON = st.permutations([("a", "B"), ("b", "A"), ("c", "C")]).flatmap(lambda typed: st.sampled_from([typed, [each for each in typed if each[0] != "c"]]))


@given(st.sampled_from([None, "D"]), SOME, GOES_ON, SOME, ROUNDS, POLICIES, ORDERS)
def test_nobody_s_word_is_lost_where_two_say_the_same_and_one_goes_on(
    first: Any, unwritten: set[str], then: Sequence[tuple[str, Any]], fails: set[str], life: Life, policy: Policy, order: Any
) -> None:
    """Two make the same change, neither knowing of the other, and one of them goes on, before or after: whatever gives way is on record."""
    assert lost([first] * len(NAMES), [([("a", "A")], unwritten | {"b"}), (then, fails), *life], order, alike=True, policy=policy) == {}
