"""Laws of the rules, whatever conditions, values and signals they meet."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st
from rulebooks import FIELDS, LISTS, NOW, SCORED, mistakes, rulebook, subject

from stagesync.lifecycle.presets import preset
from stagesync.lifecycle.rules.rulebook import read_rulebook
from stagesync.lifecycle.rules.terms import DAY_MS
from stagesync.model.records import Signal, Value

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(10**17, 10**400),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["DE", "10", "", "a@gmail.com", "2024-02-30", "\ud800"]),
)
NAMES = st.sampled_from(
    [
        "country",
        "employees",
        "budget",
        "email_domain",
        "company_domain",
        "days_in_stage",
        "stage",
        "score_interest",
        "score_fit",
        "lead-score",
        "pass_no",
        "demo_date",
    ]
)
OPERANDS = st.one_of(
    NAMES,
    st.integers(-99, 99).map(str),
    st.just("2.5"),
    st.just("'DE'"),
    st.just("true"),
    st.sampled_from(["count('form')", "days_since('form', 'x')", "last('form', 'title')"]),
)
LEAVES = st.one_of(
    NAMES,
    st.tuples(OPERANDS, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), OPERANDS).map(" ".join),
    st.tuples(OPERANDS, st.sampled_from("+-*/"), OPERANDS, st.sampled_from(["==", "<", ">"]), OPERANDS).map(" ".join),
    st.tuples(NAMES, st.sampled_from([" in ", " not in "]), st.sampled_from(["target_countries", "sizes", "['DE', 'x']", "[1, 2.5]"])).map("".join),
    st.sampled_from(["contains(country, 'e')", "has(country, 'de')", "blank(budget)", "any('form', 'title', 'x')", "days_since(demo_date) > 3"]),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map("".join).map("({})".format), inner.map("not {}".format)),
    max_leaves=6,
)
SIGNAL_LISTS = st.lists(
    st.builds(
        lambda kind, days, value: Signal(kind, NOW - round(days * DAY_MS), "test", f"{kind}{days}", {"title": value}),
        st.sampled_from(["form", "email_open"]),
        st.floats(-5, 90),
        VALUES,
    ),
    max_size=5,
)


@given(CONDITIONS, st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, VALUES)), SIGNAL_LISTS, st.sampled_from([None, NOW - DAY_MS, NOW + DAY_MS]))
def test_no_mix_of_values_raises(condition: str, values: Mapping[str, Value], signals: Sequence[Signal], since: int | None) -> None:
    """Whatever a condition that can be read meets, there is an outcome, `explain` tells the same one, and the next look lies ahead."""
    told: list[str] = []
    own = tomllib.loads(SCORED) | {"qualify": [{"stage": "sal", "when": condition, "mode": "apply"}], "lists": LISTS}
    rules = read_rulebook(own, preset("handoff"), FIELDS, str, lambda *each: told.append(str(each)))
    if rules is None or told:
        assert all("compares" in each for each in told)
        return
    person = subject(values, "mql", signals, since=since)
    judgement = rules.judge(person)
    assert [each.verdict for each in rules.explain(person)] == list(judgement.verdicts)
    assert judgement.review_at is None or judgement.review_at > NOW


@given(st.text(max_size=40) | CONDITIONS.map(lambda text: text[: len(text) // 2]))
def test_whatever_is_written_is_read_or_told(condition: str) -> None:
    """Any text at all is a condition, or one mistake with a remedy."""
    told = mistakes({"qualify": [{"stage": "sal", "when": condition}]})
    assert len(told) <= 1
    assert all(each.startswith("qualify[0].when: ") for each in told)


@given(SIGNAL_LISTS, st.integers(0, 200), st.integers(1, 40), st.sampled_from(["", "\nelse_side = 'recycled'"]))
def test_a_faded_score_never_promotes_and_never_rejects(signals: Sequence[Signal], later: int, number: int, aside: str) -> None:
    """While nothing happens, no no becomes a yes, and nobody is put aside by a rule's own doing."""
    rules = rulebook(SCORED.replace("score_fit + score_interest >= 30", f"score_interest >= {number}").replace('"apply"', f'"apply"{aside}'))
    past = [each for each in signals if each.at <= NOW]
    first, second = (rules.judge(subject(place="lead", signals=past, now=NOW + days * DAY_MS)) for days in (0, later))
    assert (first.verdicts[0].outcome, second.verdicts[0].outcome) != ("no", "yes")
    assert second.verdicts[0].outcome == "yes" or second.verdicts[0].place is None or second.verdicts[0].mode == "hold"


@given(
    SIGNAL_LISTS, st.integers(1, 40), st.sampled_from([">", ">=", "<", "<="]), st.sampled_from(["score_interest", "days_since('email_open')", "days_in_stage"])
)
def test_no_change_is_missed_between_two_looks(signals: Sequence[Signal], number: int, relation: str, name: str) -> None:
    """From one look to the next, the outcome stays as it is on every day; and the looks end."""
    rules = rulebook(SCORED.replace("score_fit + score_interest >= 30", f"{name} {relation} {number}"))
    past, now, looks = [each for each in signals if each.at <= NOW], NOW, 0
    while (review := rules.judge(subject(place="lead", signals=past, now=now)).review_at) is not None:
        outcome = rules.judge(subject(place="lead", signals=past, now=now)).verdicts[0].outcome
        for day in range(now, review - DAY_MS, DAY_MS):
            assert rules.judge(subject(place="lead", signals=past, now=day)).verdicts[0].outcome == outcome
        now, looks = review, looks + 1
        assert looks < 200
    last = rules.judge(subject(place="lead", signals=past, now=now)).verdicts[0].outcome
    assert rules.judge(subject(place="lead", signals=past, now=now + 900 * DAY_MS)).verdicts[0].outcome == last
