"""What no document tells is asked of an account: each answer of the worlds is found, and nothing is left behind."""

from __future__ import annotations

from typing import Any

import pytest
from hubspot_portal import Portal
from salesforce_org import CLIENT, NoLimits, Org, served

from stagesync.connectors.contract import Ports
from stagesync.connectors.hubspot import probe as of_hubspot
from stagesync.connectors.probing import Experiment, Finding, Laboratory
from stagesync.connectors.salesforce import probe as of_salesforce
from stagesync.connectors.salesforce.probe.bench import Rows
from stagesync.model.errors import Busy, SafetyStop
from stagesync.sandbox.clients import WorldAdapter, WorldPool
from stagesync.sandbox.faults import Fault
from stagesync.sandbox.hubspot.habits import Habits as HubSpotHabits
from stagesync.sandbox.salesforce.habits import Habits as SalesforceHabits

HUBSPOT: list[tuple[str, dict[str, Any], str | None]] = [
    *[(f"backward_stage_{version}", {"backward_stage": answer}, answer) for version in ("v3", "2026_09") for answer in ("ignored", "applied", "refused")],
    ("ignored_stage_echoed", {"answer_echoes_ignored_stage": True}, "the stage that was sent"),
    ("ignored_stage_echoed", {"answer_echoes_ignored_stage": False}, "the stage that it kept, or none"),
    ("ignored_stage_echoed", {"backward_stage": "refused"}, None),
    ("stage_options_by_api", {"stage_options_by_api": True}, "yes"),
    ("stage_options_by_api", {"stage_options_by_api": False}, "no"),
    ("merged_id_in_batch_update", {"batch_update_loses_merged_ids": True}, "lost without a word"),
    ("merged_id_in_batch_update", {"batch_update_loses_merged_ids": False}, "an error"),
    ("batch_read_follows_merges", {"batch_read_follows_merges": True}, "yes"),
    ("batch_read_follows_merges", {"batch_read_follows_merges": False}, "no"),
    ("batch_read_follows_merges", {"batch_read_follows_merges": False, "merge_preserves_primary_id": True}, "no"),
    ("lookup_by_secondary_email", {"email_lookup_finds_secondary": True}, "yes"),
    ("lookup_by_secondary_email", {"email_lookup_finds_secondary": False}, "no"),
    ("row_given_twice", {"batch_repeats": "unordered"}, "the first row stands"),
    ("row_given_twice", {"batch_repeats": "refused"}, "the call is refused"),
    ("where_errors_are_told", {"errors_only_in_message": False}, "in `errors` too"),
    ("where_errors_are_told", {"errors_only_in_message": True}, "in the message alone"),
    ("list_from_chosen_ids", {"list_after": "any id"}, "yes"),
    ("list_from_chosen_ids", {"list_after": "refused"}, "refused"),
    ("list_from_chosen_ids", {"list_after": "ignored"}, "it begins anew"),
    ("list_from_chosen_ids", {"list_after": "opaque"}, "refused"),
    ("upsert_by_email", {"upsert_by_email_is_partial": True}, "rows fail alone"),
    ("upsert_by_email", {"upsert_by_email_is_partial": False}, "one bad row fails the call"),
    ("ids_in_search", {"ids_compare_as_text": False}, "as numbers"),
    ("ids_in_search", {"ids_compare_as_text": True}, "as text"),
    ("ids_in_search", {"search_lag_s": 12.0}, "as numbers"),
    ("ids_in_search", {"search_lag_s": 300.0}, None),
    ("optout_of_unknown_address", {"optout_needs_contact": False}, "opted out"),
    ("optout_of_unknown_address", {"optout_needs_contact": True}, "refused"),
    ("optout_moves_stamp", {"optout_moves_stamp": True}, "it moves"),
    ("optout_moves_stamp", {"optout_moves_stamp": False}, "it stays"),
    ("optout_moves_stamp", {"scopes": ("crm.objects.contacts.read", "crm.objects.contacts.write")}, None),
    ("versions_kept", {"versions_kept": 20}, "20"),
    ("versions_kept", {"versions_kept": 45}, "45"),
    ("versions_kept", {"versions_kept": 500}, "50 or more"),
    ("own_source", {}, "INTEGRATION, sourceId 1234567"),
]
SALESFORCE: list[tuple[str, dict[str, Any], str | None]] = [
    ("ids_sort", {"ids_sort": "capitals first"}, "capitals first, as Python does"),
    ("ids_sort", {"ids_sort": "small letters first"}, "small letters first"),
    ("empty_text", {"empty_text_is_null": True}, "null"),
    ("empty_text", {"empty_text_is_null": False}, "an empty text"),
    ("empty_text", {"locked_fields": frozenset({"Lead.Title"})}, None),
    ("unknown_field", {"unknown_field_fails": "call"}, "the call"),
    ("unknown_field", {"unknown_field_fails": "row"}, "the row"),
    ("duplicate_result_key", {"duplicate_result_key": "duplicateResut"}, "duplicateResut"),
    ("duplicate_result_key", {"duplicate_result_key": "duplicateResult", "duplicate_rules": "block"}, "duplicateResult"),
    ("duplicate_result_key", {"duplicate_rules": "off"}, None),
    ("parents_in_collections", {"reads_parents": True}, "yes"),
    ("parents_in_collections", {"reads_parents": False}, "no"),
    ("same_values_move_stamps", {"same_values_move_stamps": True}, "both stamps move"),
    ("same_values_move_stamps", {"same_values_move_stamps": False}, "neither moves"),
    ("child_moves_person", {"child_moves_person": True}, "SystemModstamp moves"),
    ("child_moves_person", {"child_moves_person": False}, "neither moves"),
    ("child_moves_person", {"hidden_objects": frozenset({"Campaign"})}, None),
    ("role_moves_person", {"child_moves_person": True}, "SystemModstamp moves"),
    ("role_moves_person", {"child_moves_person": False}, "neither moves"),
    ("condition_compares", {"child_moves_person": True, "condition_compares": "LastModifiedDate"}, "LastModifiedDate"),
    ("condition_compares", {"child_moves_person": True, "condition_compares": "SystemModstamp"}, "SystemModstamp"),
    ("condition_compares", {"child_moves_person": False}, None),
    ("opt_out_in_merge", {"merge_keeps_opt_out": True}, "it is kept"),
    ("opt_out_in_merge", {"merge_keeps_opt_out": False}, "it is lost"),
    ("opt_out_in_merge", {"hidden_fields": frozenset({"Lead.HasOptedOutOfEmail"})}, None),
    ("opt_out_in_conversion", {"conversion_keeps_opt_out": True}, "it is kept"),
    ("opt_out_in_conversion", {"conversion_keeps_opt_out": False}, "it is lost"),
    ("opt_out_in_conversion", {"hidden_objects": frozenset({"LeadStatus"})}, None),
    ("converted_lead_edited", {"converted_leads_editable": True}, "yes"),
    ("converted_lead_edited", {"converted_leads_editable": False}, "no"),
    ("converted_lead_edited", {"converted_leads_editable": True, "locked_fields": frozenset({"Lead.Title"})}, None),
    ("member_in_conversion", {"conversion_moves_members": True}, "it moves"),
    ("member_in_conversion", {"conversion_moves_members": False}, "it stays"),
    ("role_in_merge", {"merge_moves_roles": True}, "it moves"),
    ("role_in_merge", {"merge_moves_roles": False}, "it stays"),
    ("role_in_merge", {"hidden_objects": frozenset({"OpportunityStage"})}, None),
]


def hubspot(portal: Portal) -> Laboratory:
    """A laboratory for a portal."""
    return of_hubspot.open_laboratory("hubspot", portal.settings, Ports(portal.clock, NoLimits(), portal.drawer, portal.watch.sending), WorldPool(portal.world))


def salesforce(org: Org) -> Laboratory:
    """A laboratory for an org."""
    return of_salesforce.open_laboratory("crm", org.settings, Ports(org.clock, NoLimits(), org.drawer, org.watch.sending), WorldAdapter(org.world))


def finding(laboratory: Laboratory, name: str) -> tuple[Finding, int]:
    """What the experiment of this name gives, and how many calls it may make."""
    experiment = next(each for each in laboratory.experiments if each.name == name)
    return laboratory.find_out(experiment), experiment.calls


def _ids(rows: list[tuple[str, dict[str, Any], str | None]]) -> list[str]:
    return [f"{name}-{'-'.join(map(str, habits.values()))}" for name, habits, _ in rows]


@pytest.mark.parametrize(("name", "habits", "answer"), HUBSPOT, ids=_ids(HUBSPOT))
def test_an_experiment_finds_how_a_portal_behaves(name: str, habits: dict[str, Any], answer: str | None) -> None:
    """Whichever way the portal behaves is found out, in no more calls than announced, and no contact is left."""
    portal = Portal(HubSpotHabits().switched(habits))
    found, calls = finding(hubspot(portal), name)
    assert (found.answer, bool(found.why), found.left) == (answer, answer is None, "")
    assert sum(portal.world.calls.values()) <= calls
    assert list(portal.world.contacts()) == []


@pytest.mark.parametrize(("name", "habits", "answer"), SALESFORCE, ids=_ids(SALESFORCE))
def test_an_experiment_finds_how_an_org_behaves(name: str, habits: dict[str, Any], answer: str | None) -> None:
    """Whichever way the org behaves is found out, in no more calls than announced, and no record is left."""
    org = Org(SalesforceHabits(**habits))
    found, calls = finding(salesforce(org), name)
    assert (found.answer, bool(found.why), found.left) == (answer, answer is None, "")
    assert sum(org.world.calls.values()) <= calls
    made = ("Lead", "Contact", "Account", "Opportunity", "OpportunityContactRole", "Campaign", "CampaignMember")
    assert [row for kind in made for row in org.world.rows(kind)] == []


ENVELOPE = '<?xml version="1.0"?>{head}<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{body}</s:Body></s:Envelope>'
FAULT = "<s:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: no</faultstring></s:Fault>"
RESULT = (
    '<mergeResponse xmlns="urn:partner.soap.sforce.com"><result><errors><message>try again</message><statusCode>UNABLE_TO_LOCK_ROW</statusCode></errors>'
    "<success>false</success></result></mergeResponse>"
)
SAID = {
    "a fault": (500, ENVELOPE.format(head="", body=FAULT.format(code="INSUFFICIENT_ACCESS")), "the org refuses merge: INSUFFICIENT_ACCESS"),
    "a refused row": (200, ENVELOPE.format(head="", body=RESULT), "the org refuses merge: UNABLE_TO_LOCK_ROW: try again"),
    "a document type": (200, ENVELOPE.format(head='<!DOCTYPE x [<!ENTITY a "b">]>', body=RESULT), "the answer is no SOAP"),
    "another envelope": (200, ENVELOPE.format(head="", body="<mergeResponse/>"), "the answer is no SOAP"),
    "JSON": (200, "{}", "the answer is no SOAP"),
    "a page": (500, "<html>down</html>", "HTTP 500"),
    "a closed door": (404, "<html>not here</html>", "HTTP 404 without a reason"),
}


@pytest.mark.parametrize("what", SAID)
def test_what_soap_says_instead_of_a_result(what: str) -> None:
    """A fault, a refused row, an answer that is none: each is the reason why there is no answer, and the records go all the same."""
    status, body, why = SAID[what]
    org = Org()
    org.world.faults.add(Fault("status", "POST /services/Soap/u/66.0", status=status, body=body, content_type="text/xml"))
    found, _ = finding(salesforce(org), "opt_out_in_merge")
    assert found.answer is None and found.why.startswith(why) and found.left == ""
    assert list(org.world.rows("Lead")) == []


def test_a_session_that_ends_before_a_call_by_soap_is_renewed() -> None:
    """Its fault says so, nothing was done, and the call goes again with the new session in its text."""
    body = ENVELOPE.format(head="", body=FAULT.format(code="INVALID_SESSION_ID"))
    with served(**CLIENT) as org:
        org.world.faults.add(Fault("status", "POST /services/Soap", status=500, body=body, content_type="text/xml"))
        laboratory = of_salesforce.open_laboratory("crm", org.settings, Ports(org.clock, NoLimits(), org.drawer))
        assert finding(laboratory, "opt_out_in_merge")[0].answer == "it is lost"
        laboratory.close()
        assert [number for name, number in org.world.calls.items() if "Soap" in name] == [2]
        assert org.world.calls["POST /services/oauth2/token"] == 2


def test_a_record_whose_making_was_not_answered_is_removed_too() -> None:
    """Where the answer to a create is lost, what was sent may arrive late: it is waited for, then found by its name and removed, in both systems."""
    portal, org = Portal(), Org()
    portal.world.faults.add(Fault("lost_after", "POST /crm/v3/objects/contacts"))
    org.world.faults.add(Fault("lost_after", "POST /services/data/v66.0/sobjects/Lead"))
    for laboratory, name, clock, lands_s in ((hubspot(portal), "own_source", portal.clock, 70.0), (salesforce(org), "empty_text", org.clock, 130.0)):
        found, _ = finding(laboratory, name)
        assert found.answer is None and found.why and found.left == ""
        assert clock.slept == [lands_s]
    assert list(portal.world.contacts()) == [] and len(portal.world.portal.store.bin) == 1
    assert list(org.world.rows("Lead")) == [] and org.world.org.store.tables["Lead"].rows


def test_an_experiment_that_somebody_stops_clears_up() -> None:
    """Ctrl-C in the middle goes on to end the program, and leaves no record."""

    def answer(bench: Rows) -> str:
        bench.lead()
        raise KeyboardInterrupt

    org = Org()
    with pytest.raises(KeyboardInterrupt):
        salesforce(org).find_out(Experiment("stopped", "", "", "", 3, "", answer))
    assert list(org.world.rows("Lead")) == []


def test_what_cannot_be_removed_is_named() -> None:
    """Where clearing up fails, the finding tells the name by which somebody finds what is left."""
    portal, org = Portal(), Org()
    portal.world.faults.add(Fault("status", "POST /crm/v3/objects/contacts/batch/archive", status=400, body="{}", times=99))
    found, _ = finding(hubspot(portal), "own_source")
    assert found.answer is not None and "stagesync probe " in found.left and "may be left" in found.left
    org.world.faults.add(Fault("status", "DELETE ", status=500, times=99))
    found, _ = finding(salesforce(org), "empty_text")
    assert found.answer == "null" and "stagesync probe " in found.left


def test_another_run_that_took_over_stops_an_experiment() -> None:
    """Whoever lost the workspace sends nothing more."""
    org = Org()
    org.watch.passes = 0
    with pytest.raises(Busy):
        finding(salesforce(org), "empty_text")
    assert list(org.world.rows("Lead")) == []


@pytest.mark.parametrize("kind", ["STANDARD", "APP_DEVELOPER", None])
def test_a_portal_with_customers_is_refused(monkeypatch: pytest.MonkeyPatch, kind: str | None) -> None:
    """Only a developer test account or a sandbox is experimented on; one that does not say what it is counts as production."""
    portal = Portal()
    told = {key: value for key, value in portal.world.portal.details().items() if key != "accountType"} | ({"accountType": kind} if kind else {})
    monkeypatch.setattr(portal.world.portal, "details", lambda: told)
    with pytest.raises(SafetyStop, match="nothing was written"):
        hubspot(portal).permit()
    told["accountType"] = "SANDBOX"
    assert hubspot(portal).permit() == "sandbox"


def test_a_production_org_is_refused() -> None:
    """Only a sandbox or a Developer Edition is experimented on; an org that shows nothing of itself counts as production."""
    org = Org()
    mine = next(iter(org.world.rows("Organization")))
    org.world.org.store.put("Organization", {**mine, "IsSandbox": False, "OrganizationType": "Enterprise Edition"})
    with pytest.raises(SafetyStop, match="nothing was written"):
        salesforce(org).permit()
    org.world.org.store.put("Organization", {**mine, "IsSandbox": False})
    assert salesforce(org).permit() == "Developer Edition"
    org.world.hands["hands/habits"]({"hidden_objects": ["Organization"]})
    with pytest.raises(SafetyStop, match="does not say"):
        salesforce(org).permit()
