"""What was decided once, so that nobody has to guess: each decision by name, with the tests that prove it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

from house import ROOT

TESTS = ROOT / "tests"
DECISIONS: Mapping[str, tuple[str, ...]] = {
    "two candidates for a match": (
        "test_duplicates_only_the_best_is_written",
        "test_different_last_names_are_ambiguous",
        "test_a_role_address_is_ambiguous",
        "test_dots_and_plus_signs_are_not_folded",
    ),
    "a changed e-mail": ("test_a_changed_address_is_an_edit", "test_a_taken_address_is_held", "test_a_swap_of_addresses"),
    "blank e-mail": ("test_without_an_address_nobody_is_made_or_matched",),
    "first meeting, both sides filled and different": ("test_first_meeting_is_one_question_for_a_field", "test_first_meeting_of_stages"),
    "somebody deletes a record": (
        "test_a_deletion_is_held",
        "test_a_deletion_archives_if_configured",
        "test_a_restore_lifts_the_tombstone",
        "sync/engine/test_records.py",
    ),
    "evidence on other objects": ("sync/engine/test_evidence.py", "test_the_opportunity_of_a_conversion_is_evidence"),
    "who may assert a stage": ("sync/engine/test_authority.py", "lifecycle/test_authority.py"),
    "going backward in HubSpot": ("test_going_backward_in_hubspot",),
    "blank stage, HubSpot other, unmapped value": ("test_other_and_unmapped_claim_nothing", "test_a_cleared_stage_comes_back_after_a_cycle"),
    "links that collide": ("test_a_merge_of_two_linked_people", "sync/engine/test_records.py"),
    "excluded, then included again": ("test_excluded_then_included",),
    "rights": ("test_a_hidden_field_cannot_be_carried",),
    "a choice without its option": ("test_a_choice_without_its_option",),
    "owners": ("sync/engine/test_owners.py", "sync/deciding/test_owners.py"),
    "equality and types": ("test_equality_and_types",),
    "opt-out": ("test_an_opt_out_stays", "sync/engine/test_consent.py", "sync/undoing/test_undo.py"),
    "second writers": ("sync/engine/test_loops.py", "connectors/hubspot/test_door.py"),
    "drift between plan and apply": ("test_drift_is_left_to_the_next_plan",),
    "run lock": ("test_one_run_at_a_time",),
    "rotating refresh tokens": ("connectors/salesforce/test_auth.py", "app/commands/test_credentials.py"),
    "configuration changes": ("test_a_removed_system_is_frozen", "test_a_new_field_follows_the_first_meeting", "test_a_changed_map_stops_for_a_look"),
}


def test_every_decision_is_proved() -> None:
    """Each row names tests of this folder, or files of tests; and no test here proves nothing."""
    trees = [ast.parse(path.read_text()) for path in Path(__file__).parent.glob("test_*.py")]
    mine = {node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
    named = {proof for proofs in DECISIONS.values() for proof in proofs}
    for proof in named:
        assert proof in mine or (proof.endswith(".py") and (TESTS / proof).is_file()), proof
    assert all(DECISIONS.values())
    assert mine - named == {"test_every_decision_is_proved"}
