"""The tables of rules, scores and lists: read, told of all their mistakes at once, and known by a digest."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from house import ROOT
from rulebooks import FIELDS, FITS, SCORED, mistakes, rulebook, subject

from stagesync.lifecycle.presets import preset
from stagesync.lifecycle.rules.rulebook import read_rulebook


def test_all_mistakes_of_the_tables_are_told_at_once() -> None:
    """Unknown keys, places, modes, names and numbers, each with its path, and no exception whatever stands there."""
    told = mistakes(
        """
        [[qualify]]
        stage = "SLA"
        when = "true"
        [[qualify]]
        stage = "sal"
        mod = "apply"
        mode = "always"
        from = ["mqls", "disqualified", "sal"]
        else_side = "mql"
        reason = "x"
        when = "true"
        [[qualify]]
        stage = "SAL"
        [[qualify]]
        stage = "recycled"
        when = "true"
        from = []
        [[qualify]]
        name = "x"
        stage = "nurture"
        when = "true"
        [[score]]
        name = "a b"
        points = 3
        when = "true"
        [[score]]
        name = "fit"
        points = true
        half_life_days = 0
        [[score]]
        name = "interest"
        points = 1
        signal = "form"
        when = 'count("form") > 1'
        half_life_days = -1
        at_most = "x"
        [lists]
        country = ["DE"]
        mixed = ["DE", 1]
        gone = { file = "no.txt" }
        """
    )
    paths = [each.partition(":")[0] for each in told]
    assert sorted(paths) == sorted(
        [
            "qualify[0].stage",
            "qualify[1].mod",
            "qualify[1].mode",
            "qualify[1].from",
            "qualify[1].from",
            "qualify[1].from",
            "qualify[1].else_side",
            "qualify[1].reason",
            "qualify[2].when",
            "qualify[2]",
            "qualify[3].from",
            "qualify[4].from",
            "score[0].name",
            "score[1]",
            "score[1].half_life_days",
            "score[1].half_life_days",
            "score[1].points",
            "score[2].when",
            "score[2].half_life_days",
            "score[2].at_most",
            "lists.country",
            "lists.mixed",
            "lists.gone",
        ]
    )
    assert any("qualify[0].stage: there is no stage, group or side state 'SLA'. Did you mean sql, sal" in each for each in told)
    for odd in (
        {"qualify": 3},
        {"qualify": [3]},
        {"score": {}},
        {"lists": 3},
        {"lists": {"a": {}}},
        {"qualify": [{"stage": 3, "when": 3, "name": "", "from": 3}]},
    ):
        assert mistakes(odd)


def test_a_list_is_read_from_a_file() -> None:
    """One value a line; blank lines and what stands behind # are left out."""
    own = {"qualify": [{"stage": "sal", "when": "email_domain in accounts"}], "lists": {"accounts": {"file": "a.txt"}}}
    assert mistakes(own, {"a.txt": "# ours\n\n ACME.example # big\n"}) == []
    found = read_rulebook(own, preset("handoff"), FIELDS, {"a.txt": "# ours\n\n ACME.example # big\n"}.__getitem__, lambda *told: pytest.fail(str(told)))
    assert found is not None
    assert found.judge(subject()).verdicts[0].outcome == "yes"


def test_the_digest_changes_with_the_meaning() -> None:
    """Another condition, list or order is another rulebook; the same text is the same."""
    digests = [rulebook(text).digest for text in (FITS, FITS, FITS.replace("SAL", "SQL"), FITS + '[lists]\ntarget_countries = ["FR"]')]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_the_digest_is_the_same_in_every_process() -> None:
    """The order in which a process keeps its sets is its own, so nothing of it is in the digest."""
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'tests' / 'workshop')!r}); from rulebooks import SCORED, rulebook; print(rulebook(SCORED).digest)"
    seeds = [{**os.environ, "PYTHONHASHSEED": seed} for seed in ("1", "2")]
    digests = {subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=env).stdout.strip() for env in seeds}
    assert digests == {rulebook(SCORED).digest}


def test_the_example_configuration_shows_every_key() -> None:
    """Each key of a rule and of a score stands in the example file."""
    from stagesync.lifecycle.rules.rulebook import RULE_KEYS, SCORE_KEYS

    text = (ROOT / "config.example.toml").read_text("utf-8")
    part = text.partition("\n[[qualify]]")[2].partition("# -----")[0]
    assert all(re.search(rf"^#?{key} = ", part, re.MULTILINE) for key in (*RULE_KEYS, *SCORE_KEYS))
