"""What rules say of people: whom they concern, where they lead, what they leave alone, scores that fade, and when to look again."""

from __future__ import annotations

from typing import Any

from rulebooks import ANNA, FITS, NOW, SCORED, one, rulebook, signal, subject

from stagesync.lifecycle.presets import preset
from stagesync.lifecycle.rules.qualify import Verdict
from stagesync.lifecycle.rules.terms import DAY_MS
from stagesync.model.stages import StageReading


def test_whom_a_rule_concerns() -> None:
    """Everybody before its stage, people without a stage too; nobody at or behind it, beside the line, or in a rejection."""
    yes = Verdict("fits", "apply", "yes", StageReading("sal"), "business development", "")
    assert [one(FITS, subject(place=place)) for place in (None, "lead", "mql")] == [yes] * 3
    assert [one(FITS, subject(place=place)) for place in ("sal", "sql", "customer", "unknown")] == [None] * 4
    for side in ("disqualified", "unresponsive", "churned", "recycled", "unknown"):
        assert one(FITS, subject(place=StageReading("mql", side))) is None
    assert one(FITS, subject({**ANNA, "email": "anna@gmail.com"})) == Verdict("fits", "apply", "no", None, "business development", "outside target")


def test_parallel_stages_are_not_before_each_other() -> None:
    """A rule for MQL is not about people who came in as PQL, and a group's name claims its first stage."""
    rule = '[[qualify]]\nstage = "{}"\nwhen = "true"\nmode = "apply"'
    assert one(rule.format("Marketing Qualified Lead"), subject(place="pql"), "hubspot") is None
    assert one(rule.format("mql"), subject(place="aql"), "waterfall-2012") is None
    verdict = one(rule.format("MQL"), subject(place="inquiry"), "waterfall-2012")
    assert verdict is not None
    assert verdict.place == StageReading("aql")


def test_from_names_stages_groups_sides_and_nobodys() -> None:
    """Who is named is concerned, and nobody else."""
    rule = '[[qualify]]\nstage = "sql"\nwhen = "stage in mql or blank(stage) or side == \'recycled\'"\nfrom = ["MQL", "none", "Recycled"]'
    assert [one(rule, subject(place=place), "waterfall-2012") is not None for place in ("aql", "tgl", None, "inquiry", "sal")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert one(rule, subject(place=StageReading("sal", "recycled")), "waterfall-2012") is not None
    assert one(rule, subject(place=StageReading("aql", "nurture")), "waterfall-2012") is None


def test_rules_put_people_aside_with_a_reason() -> None:
    """A rule that leads to a side state keeps the stage; so does the other outcome of one that names a side state for it."""
    intern = (
        '[[qualify]]\nstage = "Disqualified"\nfrom = ["sal"]\nreason = "No authority"\nmode = "apply"\nwhen = "has(job_title, \'intern\') and not authority"'
    )
    verdict = one(intern, subject({"job_title": "Intern, research"}, "sal"))
    assert verdict == Verdict("disqualified", "apply", "yes", StageReading(None, "disqualified", "No authority"), "", "No authority")
    rule = FITS + 'else_side = "ineligible"'
    assert one(rule, subject({})) == Verdict(
        "fits", "apply", "no", StageReading(None, "ineligible", "outside target"), "business development", "outside target"
    )


def test_who_comes_again_needs_something_new() -> None:
    """Somebody recycled is concerned by rules that look at signals, and only what happened since they were put aside counts."""
    rule = '[[qualify]]\nstage = "mql"\nwhen = "any(\'form\')"\nmode = "apply"\nelse_side = "disqualified"'
    recycled = StageReading("sal", "recycled", "Not ready")
    old, new = signal("form", 6), signal("form", 1)
    aside: dict[str, Any] = {"place": recycled, "aside_since": NOW - 3 * DAY_MS}
    found = [one(rule, subject(signals=signals, **aside)) for signals in ([old], [new, old])]
    assert [(each.outcome, each.place) for each in found if each is not None] == [("no", None), ("yes", StageReading("mql"))]
    assert one(rule, subject(place=recycled, signals=[new], since=None)) is None
    assert one(FITS, subject(**aside)) is None


def test_what_cannot_be_compared_is_told_and_rejects_nobody() -> None:
    """A number beside a text makes neither an error nor a rejection, and by a `not` nobody gets further."""
    rules = rulebook(
        """
        [[qualify]]
        name = "a"
        stage = "sal"
        when = 'employees > 10'
        else_side = "disqualified"
        mode = "apply"
        [[qualify]]
        name = "b"
        stage = "sal"
        when = 'not (employees > 10)'
        [[qualify]]
        name = "c"
        stage = "sal"
        when = 'employees > 10 or country == "DE"'
        """
    )
    judgement = rules.judge(subject({"employees": "many", "country": "DE"}))
    assert [(each.outcome, each.place) for each in judgement.verdicts] == [("no", None), ("no", None), ("yes", StageReading("sal"))]
    assert judgement.troubles == tuple((name, "employees > 10 compares a number with text") for name in "abc")
    told = rules.explain(subject({"employees": "many"}))[0].tests[0]
    assert (told.holds, told.value) == (False, 'employees is "many" (compares a number with text)')


def test_scores_add_up_and_fade() -> None:
    """Rows of one name add up, one kind of signal counts no more than its limit, and points halve until they are gone."""
    rules = rulebook(SCORED)
    opened = [signal("email_open", days) for days in (0, 10, 20)]
    points = rules.points(subject(signals=[*opened, signal("form", 50, Title="The E-Book"), signal("form", 50, title="x")]))
    assert points == {"fit": 20.0, "interest": 5 + 2.5 + 1.25 + 8}
    assert rules.points(subject(signals=[signal("email_open", 0, n=number) for number in range(9)]))["interest"] == 12
    assert rules.points(subject({}, signals=[signal("email_open", 67)])) == {"fit": 0, "interest": 0}
    assert rules.points(subject({}, signals=[signal("email_open", 66)]))["interest"] > 0.05


def test_the_next_look_is_exact_and_ends() -> None:
    """Days and fading scores are looked at on the day on which they pass the number, and never again after that."""
    days = rulebook({"qualify": [{"stage": "sal", "when": "days_in_stage > 14 and employees > 1"}]})
    review = days.judge(subject()).review_at
    assert review == NOW + 5 * DAY_MS
    assert days.judge(subject(now=review)).verdicts[0].outcome == "yes"
    assert days.judge(subject(now=review - 1)).verdicts[0].outcome == "no"
    assert days.judge(subject(now=review)).review_at is None
    assert days.judge(subject(since=None)).review_at is None
    fading = rulebook(SCORED.replace("score_fit + score_interest >= 30", "score_interest >= 5"))
    review = fading.judge(subject(place="lead", signals=[signal("email_open", 0), signal("email_open", 1)])).review_at
    assert review == NOW + 10 * DAY_MS
    assert fading.judge(subject(place="lead", signals=[signal("form", 1)])).review_at is None
    summed = rulebook(SCORED).judge(subject(place="lead", signals=[signal("email_open", 1)]))
    assert summed.review_at == NOW + DAY_MS
    assert rulebook(SCORED).judge(subject(place="lead", signals=[signal("email_open", 67)])).review_at is None
    assert rulebook(FITS).judge(subject()).review_at is None


def test_who_has_bought_comes_in_again_by_what_happened_since() -> None:
    """A customer's old wish is answered, a new one lets them in at an entry, also by a rule that looks at days; other rules know all that ever happened."""
    tables = """
        [[qualify]]
        stage = "service_qualified"
        from = ["customer"]
        when = 'any("remark", "upgrade") and days_since("remark") < 90'
        mode = "apply"
        [[qualify]]
        stage = "evangelist"
        when = 'any("remark") and any("form")'
        mode = "apply"
    """
    rules = rulebook(tables, preset("hubspot"))
    for days_ago, since, outcome in ((11, 10, "no"), (9, 10, "yes"), (9, None, "no")):
        anna = subject(place="customer", since=since and NOW - since * DAY_MS, signals=[signal("remark", days_ago, text="upgrade"), signal("form", 300)])
        again, further = rules.judge(anna).verdicts
        assert (again.mode, again.outcome, further.outcome) == ("apply", outcome, "yes")
        assert [each.outcome for each in rules.explain(anna)] == [outcome, "yes"]


def test_time_alone_never_lowers_anybody() -> None:
    """A rule that depends on time asks before it puts somebody aside or back, whatever its mode; forward it may go."""
    aside = '[[qualify]]\nstage = "recycled"\nfrom = ["mql"]\nwhen = "days_in_stage > 5"\nmode = "apply"'
    verdict = one(aside, subject())
    assert verdict is not None
    assert (verdict.mode, verdict.outcome) == ("hold", "yes")
    rejecting = one(SCORED.replace('mode = "apply"', 'mode = "apply"\nelse_side = "recycled"'), subject({}, "lead"))
    assert rejecting is not None
    assert (rejecting.mode, rejecting.outcome) == ("hold", "no")
    forward = one(aside.replace('"recycled"', '"sal"'), subject())
    assert forward is not None
    assert (forward.mode, forward.outcome) == ("apply", "yes")


def test_explain_shows_each_part_with_its_value() -> None:
    """Parts of an `and` one below the other, those of an `or` or a `not` further in, all looked at; and why a rule does not concern somebody."""
    condition = "company_domain and (country == 'FR' or employees + 1 > 40 and authority) and not budget"
    told = rulebook({"qualify": [{"stage": "sal", "when": condition, "name": "x"}]}).explain(subject(place="sql"))[0]
    assert [tuple(each) for each in told.tests] == [
        ("company_domain", "is true", True, 0),
        ("one of these:", "", True, 0),
        ("country == 'FR'", 'country is "DE"', False, 1),
        ("all of these:", "", True, 1),
        ("employees + 1 > 40", "employees is 50", True, 2),
        ("authority", "is true", True, 2),
        ("not this:", "", True, 0),
        ("budget", "is blank", False, 1),
    ]
    assert (told.outcome, told.verdict, told.why_not) == ("yes", None, "it is not about people at sql")
