"""Compiling the maps: what works without any configuration, what each setting changes, and what each mistake is answered with."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapping_accounts import FUNNEL, HOUSE, defaults, field, kind, maps, options, org, portal

from stagesync.mapping.catalogue import shipped
from stagesync.mapping.compile import compile_maps
from stagesync.mapping.fields import Policy, Unmappable, parse_policy
from stagesync.mapping.maps import SystemInput, read_all
from stagesync.model.errors import ConfigurationError

PERSON = {
    "email": "Anna@Example.com", "firstname": "Anna", "lastname": "Muster", "phone": "030 1234567", "company": "Acme", "address": "Hauptstr. 1",
    "city": "Berlin", "zip": "10115", "country": "Germany", "numemployees": "120", "annualrevenue": "1200000", "industry": "software",
    "hs_email_optout": None, "hs_additional_emails": "anna@old.example;ANNA@example.com;n/a", "lifecyclestage": "lead",
}  # fmt: skip


def test_two_tables_are_a_configuration() -> None:
    """Without any words of the user's, at least 15 fields are mapped on both sides, with each kind's own native names."""
    compiled = maps()
    assert len(compiled.fields) >= 15
    assert kind(compiled, "salesforce", "lead").fields["street"].native == "Street"
    assert kind(compiled, "salesforce", "contact").fields["street"].native == "MailingStreet"
    assert compiled.systems["salesforce"].create_kind == "lead"
    assert kind(compiled, "salesforce", "lead").create_required == ("LastName", "Company")


def test_default_maps_name_only_catalogue_fields() -> None:
    """Every field in the connectors' default maps is in the catalogue, and every catalogue field is in at least one of them."""
    named = {name for vendor in ("hubspot", "salesforce") for each in defaults(vendor)["kinds"].values() for name in each["fields"]}
    assert named == set(shipped())


def test_one_record_through_the_maps() -> None:
    """A HubSpot contact is read, and written as a Salesforce Lead in that system's own forms."""
    compiled = maps()
    values, refused = read_all(kind(compiled, "hubspot", "contact"), PERSON)
    lead = kind(compiled, "salesforce", "lead").fields
    written = {lead[name].native: lead[name].write(value) for name, value in values.items()}
    assert refused == {}
    assert "job_title" not in values
    assert written == {
        "Email": "anna@example.com", "FirstName": "Anna", "LastName": "Muster", "Phone": "+49301234567", "Company": "Acme", "Street": "Hauptstr. 1",
        "City": "Berlin", "PostalCode": "10115", "Country": "Germany", "NumberOfEmployees": 120, "AnnualRevenue": 1200000, "Industry": "Software",
        "HasOptedOutOfEmail": False,
    }  # fmt: skip


def test_refused_values_do_not_hide_the_others() -> None:
    """A value that cannot be understood is named with its reason; the other fields are read."""
    values, refused = read_all(kind(maps(), "hubspot", "contact"), {**PERSON, "email": "n/a", "numemployees": "many"})
    assert refused == {"email": "is not an e-mail address", "employees": "is not a number"}
    assert values["city"] == "Berlin"


def test_match_keys_and_primary_address() -> None:
    """Keys are normalised, secondary addresses too, each once; what is no address is no key."""
    contact = kind(maps(), "hubspot", "contact")
    assert contact.keys(PERSON) == (("email", "anna@example.com"), ("email", "anna@old.example"))
    assert contact.primary(PERSON) == "anna@example.com"
    assert contact.primary({"email": None}) is None


def test_asks_for_everything_that_is_needed() -> None:
    """The fields to read hold the mapped ones, the evidence for the stage, and the match keys."""
    compiled = maps(salesforce={"keys": {"number": {"lead": "Title"}}})
    assert {"lifecyclestage", "hs_lead_status", "hs_additional_emails", "email"} <= set(kind(compiled, "hubspot", "contact").asks)
    assert {"Status", "IsConverted", "ConvertedOpportunityId"} <= set(kind(compiled, "salesforce", "lead").asks)
    assert "Account.Name" in kind(compiled, "salesforce", "contact").asks
    assert kind(compiled, "salesforce", "lead").keys({"Title": " K-12 "}) == (("number", "k-12"),)


def test_company_behind_a_contact_can_only_be_read() -> None:
    """The company is text on a Lead; behind a Contact it is an Account, which is read and never written."""
    compiled = maps()
    company = kind(compiled, "salesforce", "contact").fields["company"]
    assert (company.native, company.writable, company.creatable) == ("Account.Name", False, False)
    assert "salesforce contact cannot carry writes of company: Account.Name is only readable there" in compiled.notes


def test_opt_out_is_sticky_and_read_only_in_hubspot() -> None:
    """The opt-out is read everywhere as true or false, and written in Salesforce only."""
    compiled = maps()
    assert compiled.fields["email_opt_out"].sticky
    theirs, ours = kind(compiled, "hubspot", "contact").fields["email_opt_out"], kind(compiled, "salesforce", "lead").fields["email_opt_out"]
    assert not theirs.writable
    assert ours.writable
    assert ours.blank_is_false
    assert not theirs.blank_is_false
    assert theirs.read(None, {}) is False


def test_a_hidden_field_is_noted_once_and_left_out() -> None:
    """What the credential may not see cannot be carried: the system goes without it, and a note says so once."""
    compiled = maps(described=(portal(), org(hidden="HasOptedOutOfEmail")))
    assert "email_opt_out" not in kind(compiled, "salesforce", "lead").fields
    assert compiled.notes.count("salesforce lead cannot carry email_opt_out: HasOptedOutOfEmail is hidden or not there") == 1


def test_a_default_of_an_unfit_type_is_noted() -> None:
    """Where an account made a list of ranges of the number of employees, the default is left out."""
    compiled = maps(described=(portal(extra=(field("numemployees", "choice"),)), org()))
    assert "employees" not in kind(compiled, "hubspot", "contact").fields
    assert "hubspot contact cannot carry employees: numemployees is a choice field there" in compiled.notes


def test_a_field_of_one_system_is_left_alone() -> None:
    """There is nothing to keep the same where only one system has a field; the user who asked for it is told."""
    compiled = maps({"nickname": {"hubspot": "fax"}})
    assert "nickname" not in compiled.fields
    assert "lead_source" not in compiled.fields
    assert "nickname is mapped in hubspot only, so there is nothing to keep the same" in compiled.notes


def test_choices_of_two_systems_meet() -> None:
    """An option is found by value or label in the other system; one that HubSpot does not have is refused there."""
    compiled = maps({"lead_source": {"hubspot": "origin"}})
    theirs, ours = kind(compiled, "hubspot", "contact").fields["lead_source"], kind(compiled, "salesforce", "lead").fields["lead_source"]
    assert ours.write(theirs.read("TRADE_SHOW", {})) == "Trade Show"
    assert theirs.write(ours.read("Trade Show", {})) == "TRADE_SHOW"
    with pytest.raises(Unmappable, match="no option 'Partner'"):
        theirs.write(ours.read("Partner", {}))


def test_users_mapping_displaces_a_default() -> None:
    """A native field that the user gives to a field of his own no longer carries the default one, and a note says so."""
    compiled = maps({"role": {"hubspot": "jobtitle", "salesforce": {"lead": "Title", "contact": "Title"}}})
    assert kind(compiled, "hubspot", "contact").fields["role"].native == "jobtitle"
    assert "job_title" not in compiled.fields
    assert "hubspot contact jobtitle carries role, as configured, and no longer job_title" in compiled.notes


def test_fields_can_be_dropped_and_narrowed() -> None:
    """`enabled = false` drops a field, `false` for a system or kind drops it there."""
    compiled = maps({"city": {"enabled": False}, "street": {"salesforce": {"contact": False}}, "fax": {"enabled": False}})
    assert "city" not in compiled.fields
    assert "street" in kind(compiled, "salesforce", "lead").fields
    assert "street" not in kind(compiled, "salesforce", "contact").fields


def test_dates_and_moments_meet_in_the_accounts_zone() -> None:
    """A date in HubSpot and a moment in Salesforce are the same day in the zone of the account that has the time."""
    compiled = maps({"birthday": {"type": "date", "hubspot": "birthday", "salesforce": "Birth__c"}})
    ours = kind(compiled, "salesforce", "lead").fields["birthday"]
    assert ours.read("2026-03-01T03:00:00.000+0000", {}) == "2026-02-28"
    assert ours.read(ours.write("2026-03-08"), {}) == "2026-03-08"


@pytest.mark.parametrize(
    ("include", "values", "stage", "reason"),
    [
        ({}, {}, None, None),
        ({"min_stage": "mql"}, {}, "pql", None),
        ({"min_stage": "mql"}, {}, "lead", "the stage is lead, below mql"),
        ({"min_stage": "mql"}, {}, None, "the stage is not known, below mql"),
        ({"has_email": True}, {"email": None}, None, "has no e-mail address"),
        ({"not_opted_out": True}, {"email_opt_out": True}, None, "has opted out of e-mail"),
        ({"not_opted_out": True}, {"email_opt_out": False}, None, None),
        ({"countries": ["Deutschland", "AT"]}, {"country": "DE"}, None, None),
        ({"countries": ["Deutschland", "AT"]}, {"country": "FR"}, None, "country is none of those that are wanted"),
        ({"equals": {"job_title": ["CFO"]}}, {"job_title": "cfo"}, None, None),
        ({"equals": {"job_title": ["CFO"]}}, {}, None, "job title is blank"),
        ({"has_email": True, "min_stage": "sql"}, {"email": "a@b.example"}, "mql", "the stage is mql, below sql"),
    ],
)
def test_inclusion(include: dict[str, Any], values: dict[str, Any], stage: str | None, reason: str | None) -> None:
    """A person is in, or out with the reason in words."""
    assert maps(salesforce={"include": include}).systems["salesforce"].include(values, stage) == reason


def test_create_settings() -> None:
    """The kind and the fallbacks of creates are the user's; a demanded field that nothing fills is noted."""
    compiled = maps(salesforce={"create": {"kind": "contact", "fallback": {"LastName": "(unknown)"}}})
    assert compiled.systems["salesforce"].create_kind == "contact"
    assert kind(compiled, "salesforce", "contact").create_fallback == {"LastName": "(unknown)"}
    demanding = maps(described=(portal(), org(extra=(field("Tax__c", required=True),))))
    assert "Tax__c" in kind(demanding, "salesforce", "lead").create_required
    assert any("salesforce lead demands Tax__c on create" in note for note in demanding.notes)


def test_digest_follows_meaning_only() -> None:
    """The digest is the same for the same meaning, in whatever order it is written, and differs for each change of it."""
    base = maps().digest
    assert maps(described=(portal(), org())).digest == base
    changed = [
        maps({"phone": {"policy": "ask"}}),
        maps({"phone": {"salesforce": {"lead": "MobilePhone", "contact": "MobilePhone"}}, "mobile_phone": {"enabled": False}}),
        maps({"city": {"enabled": False}}),
        maps(salesforce={"include": {"has_email": True}}),
        maps(salesforce={"create": {"kind": "contact"}}),
        maps(hubspot={"stages": {"contact": {"values": {"lifecyclestage": {"customer": "Partner"}}}}}),
    ]
    assert len({base, *(each.digest for each in changed)}) == len(changed) + 1


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("two-way", Policy("two-way")),
        ("always hubspot", Policy("always", "hubspot")),
        ("prefer salesforce unless blank", Policy("prefer", "salesforce")),
        ("fill blank", Policy("fill")),
        ("never", Policy("never")),
        ("ask", Policy("ask")),
    ],
)
def test_policies(text: str, policy: Policy) -> None:
    """Each policy is understood, and says itself in the same words."""
    assert parse_policy(text) == policy
    assert str(policy) == text


MISTAKES: list[tuple[str, Mapping[str, Any], str, str]] = [
    ("fields.phone.type", {"fields": {"phone": {"type": "telephone"}}}, "'telephone' is not a type", "Allowed: text, email, phone"),
    ("fields.phone.group", {"fields": {"phone": {"group": "contact"}}}, "'contact' is not a group", "Allowed: name, contact details"),
    ("fields.phone.policy", {"fields": {"phone": {"policy": "newest"}}}, "'newest' is not a policy", "allowed: two-way, always SYSTEM"),
    ("fields.phone.policy", {"fields": {"phone": {"policy": "always hubspott"}}}, "there is no system 'hubspott'", "Did you mean hubspot"),
    ("fields.phone.clears", {"fields": {"phone": {"clears": "yes"}}}, "neither true nor false", "without quotes"),
    ("fields.phone.sticky", {"fields": {"phone": {"sticky": True}}}, "only a boolean can be sticky", "Remove it"),
    ("fields.phone.hubspt", {"fields": {"phone": {"hubspt": "phone"}}}, "neither a setting of a field nor a system", "Did you mean hubspot"),
    ("fields.phone", {"fields": {"phone": "Phone"}}, "is not a table", "[fields.phone]"),
    ("fields.phone.hubspot", {"fields": {"phone": {"hubspot": 7}}}, "is not a native name", "in quotes"),
    ("fields.phone.hubspot", {"fields": {"phone": {"hubspot": "phonenumber"}}}, "hubspot has no field 'phonenumber'", "Did you mean phone"),
    (
        "fields.phone.salesforce.lead",
        {"fields": {"phone": {"salesforce": {"lead": "Phone__c"}}}},
        "salesforce lead has no field 'Phone__c'",
        "Did you mean Phone",
    ),
    ("fields.phone.salesforce.leads", {"fields": {"phone": {"salesforce": {"leads": "Phone"}}}}, "salesforce has no kind 'leads'", "Did you mean lead"),
    ("fields.score.hubspot", {"fields": {"score": {"type": "number", "hubspot": "birthday"}}}, "does not hold a number", "Choose another native field"),
    ("fields.b.hubspot", {"fields": {"a": {"hubspot": "fax"}, "b": {"hubspot": "fax"}}}, "fax is already mapped to a", "Map each native field once"),
    ("fields.x.hubspot", {"fields": {"x": {"hubspot": "lifecyclestage", "salesforce": "Title"}}}, "is evidence for the stage", "Remove the field"),
    ("fields.phone.translate.sf", {"fields": {"phone": {"translate": {"sf": {}}}}}, "there is no system 'sf'", "salesforce"),
    ("systems.salesforce.include.min_stage", {"salesforce": {"include": {"min_stage": "mqll"}}}, "not a stage of the funnel", "Did you mean mql"),
    ("systems.salesforce.include.minimum", {"salesforce": {"include": {"minimum": "mql"}}}, "is not a criterion", "min_stage"),
    ("systems.salesforce.include.has_email", {"salesforce": {"include": {"has_email": "yes"}}}, "does not fit here", "has_email = true"),
    ("systems.salesforce.include.countries", {"salesforce": {"include": {"countries": ["Elbonia"]}}}, "'Elbonia' is not a country", "ISO codes"),
    ("systems.salesforce.include.equals.colour", {"salesforce": {"include": {"equals": {"colour": ["red"]}}}}, "is not a mapped field", "country"),
    ("systems.salesforce.create.kind", {"salesforce": {"create": {"kind": "person"}}}, "salesforce has no kind 'person'", "lead"),
    ("systems.salesforce.create.fall", {"salesforce": {"create": {"fall": {}}}}, "not a setting of creates", "fallback"),
    ("systems.salesforce.create.fallback.Compny", {"salesforce": {"create": {"fallback": {"Compny": "-"}}}}, "has no field 'Compny'", "Did you mean Company"),
    ("systems.salesforce.keys.erp", {"salesforce": {"keys": {"erp": "ERP__c"}}}, "has no field 'ERP__c'", ""),
    ("systems.hubspot.stages.lead", {"hubspot": {"stages": {"lead": {}}}}, "hubspot has no kind 'lead'", "contact"),
    ("systems.hubspot.stages.contact.vals", {"hubspot": {"stages": {"contact": {"vals": {}}}}}, "is not part of a stage map", "Did you mean values"),
    (
        "systems.hubspot.stages.contact.values.lifecyclestage.mqll",
        {"hubspot": {"stages": {"contact": {"values": {"lifecyclestage": {"mqll": "lead"}}}}}},
        "neither a stage nor a side state",
        "Did you mean mql",
    ),
    (
        "systems.hubspot.stages.contact.values.lifecyclestage.sal",
        {"hubspot": {"stages": {"contact": {"values": {"lifecyclestage": {"sal": "Sales Acepted"}}}}}},
        "has no value 'Sales Acepted'",
        "Did you mean Sales Accepted Lead",
    ),
    (
        "systems.hubspot.stages.contact.values.lifecyclestage.pql",
        {"hubspot": {"stages": {"contact": {"values": {"lifecyclestage": {"sal": "Partner", "pql": "Partner"}}}}}},
        "'Partner' already means sal",
        "Keep it in one",
    ),
    (
        "systems.hubspot.stages.contact.values.lifecycle_stage",
        {"hubspot": {"stages": {"contact": {"values": {"lifecycle_stage": {"mql": "MQL"}}}}}},
        "hubspot contact has no field 'lifecycle_stage'",
        "Did you mean lifecyclestage",
    ),
    (
        "systems.hubspot.stages.contact.instead.pql",
        {"hubspot": {"stages": {"contact": {"instead": {"pql": "mqll"}}}}},
        "'mqll' is neither a stage nor a side state",
        "Did you mean mql",
    ),
    (
        "systems.hubspot.stages.contact.rules[0].when.leadstatus",
        {"hubspot": {"stages": {"contact": {"rules": [{"when": {"leadstatus": "NEW"}, "stage": "sal"}]}}}},
        "has no field 'leadstatus'",
        "Did you mean hs_lead_status",
    ),
    (
        "systems.hubspot.stages.contact.rules[0]",
        {"hubspot": {"stages": {"contact": {"rules": [{"when": {"hs_lead_status": "NEW"}}]}}}},
        "says neither stage nor side",
        "Add stage",
    ),
    (
        "systems.hubspot.stages.contact.rules[0].side",
        {"hubspot": {"stages": {"contact": {"rules": [{"when": {"hs_lead_status": "NEW"}, "side": "disqualifed"}]}}}},
        "not a side state",
        "Did you mean disqualified",
    ),
    (
        "systems.hubspot.stages.contact.write[0].set.hs_lead_status",
        {"hubspot": {"stages": {"contact": {"write": [{"stage": "sal", "set": {"hs_lead_status": "OPENED"}}]}}}},
        "has no value 'OPENED'",
        "Did you mean OPEN",
    ),
]


WORDS = [
    "stages", "include", "create", "keys", "kind", "fallback", "min_stage", "countries", "equals", "has_email", "contact", "lead", "values", "rules",
    "write", "when", "set", "stage", "side", "ignore", "instead", "reason", "replace", "lifecyclestage", "Status", "mql", "type", "policy", "group",
    "hubspot", "field", "translate", "sticky", "closed",
]  # fmt: skip


def _compile(said: Mapping[str, Any]) -> None:
    maps(said.get("fields"), hubspot=said.get("hubspot"), salesforce=said.get("salesforce"))


@pytest.mark.parametrize(("path", "said", "what", "remedy"), MISTAKES, ids=[f"{row[0]}-{number}" for number, row in enumerate(MISTAKES)])
def test_each_mistake_has_its_path_and_a_remedy(path: str, said: Mapping[str, Any], what: str, remedy: str) -> None:
    """A mistake in the configuration is named with its place in the file and what to do about it."""
    with pytest.raises(ConfigurationError) as stopped:
        _compile(said)
    line = next(problem for problem in stopped.value.problems if problem.startswith(f"{path}: "))
    assert what in line
    assert remedy in line


JUNK = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.sampled_from(["", "mql", "phone", "lead", "email", "Status"])),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)),
    max_leaves=6,
)


@given(fields=st.dictionaries(st.sampled_from(["phone", "own"]), JUNK), table=st.dictionaries(st.sampled_from(WORDS), JUNK))
def test_no_configuration_is_answered_with_anything_but_its_mistakes(fields: dict[str, Any], table: dict[str, Any]) -> None:
    """Whatever stands in the place of a setting, the answer is compiled maps or a list of mistakes with their paths."""
    try:
        maps(fields, hubspot=table, salesforce={"stages": {"lead": table}, **table})
    except ConfigurationError as stopped:
        assert stopped.problems
        assert all(re.match(r"(fields|systems)\.\S+: ", problem) for problem in stopped.problems)


def test_all_mistakes_are_told_at_once() -> None:
    """A configuration with every mistake of its part of the file is answered in one go."""
    fields = {"phone": {"type": "telephone"}, "city": {"policy": "newest"}, "region": {"hubspot": "stat"}}
    with pytest.raises(ConfigurationError) as stopped:
        maps(fields, hubspot={"include": {"min_stage": "x"}}, salesforce={"create": {"kind": "x"}})
    assert len(stopped.value.problems) == 5
    assert stopped.value.exit_code == 2


def test_zone_and_region_are_checked() -> None:
    """An unknown time zone or country of a system is a mistake like any other."""
    with pytest.raises(ConfigurationError) as stopped:
        compile_maps({}, {"crm": SystemInput(defaults("salesforce"), zone="Mars/Base", region="usa")}, stages=FUNNEL.positions, sides=FUNNEL.sides)
    assert "time zone 'Mars/Base'" in str(stopped.value)
    assert "systems.crm.region: 'usa' is not a country code" in str(stopped.value)


def test_a_system_may_not_be_named_like_a_setting() -> None:
    """A system that is called like a setting of a field would make the file ambiguous."""
    with pytest.raises(ConfigurationError, match="Give the system another name"):
        compile_maps({}, {"policy": SystemInput(defaults("hubspot"))}, stages=FUNNEL.positions, sides=FUNNEL.sides)


def _examples() -> list[str]:
    text = (HOUSE / "docs" / "mapping.md").read_text("utf-8")
    return re.findall(r"```toml\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("example", _examples())
def test_examples_of_the_documentation_work(example: str) -> None:
    """Every TOML example in docs/mapping.md compiles against an account that has the fields it names."""
    said = tomllib.loads(example)
    owners = [field(name, "reference", options=options(("1", "inbox@acme.example"))) for name in ("hubspot_owner_id", "OwnerId")]
    dates = (field("mql_date", "datetime"), field("disqualified_reason")), (field("MQL_Date__c", "datetime"),)
    told = [field(f"Opportunity.{name}", writable=False, creatable=False) for name in ("State", "StageName", "LastStageChangeDate")]
    account = (portal(extra=(owners[0], *dates[0])), org(extra=(field("State_Text__c"), field("Customer_Number__c"), owners[1], *dates[1], *told)))
    systems = said.get("systems", {})
    compiled = maps(said.get("fields"), hubspot=systems.get("hubspot"), salesforce=systems.get("salesforce"), described=account)
    assert set(said.get("fields", {})) - set(compiled.fields) <= {"website"}


def test_the_table_of_the_documentation_is_the_catalogue() -> None:
    """The table of default fields in docs/mapping.md tells type, group and native names as they are."""
    text = (HOUSE / "docs" / "mapping.md").read_text("utf-8")
    rows = {cells[0]: cells[1:] for line in text.splitlines() if line.startswith("| ") and len(cells := [c.strip() for c in line.strip("|").split("|")]) == 6}
    kinds = [defaults("hubspot")["kinds"]["contact"], defaults("salesforce")["kinds"]["lead"], defaults("salesforce")["kinds"]["contact"]]
    for name, spec in shipped().items():
        natives = [each["fields"].get(name, "") for each in kinds]
        shown = [native if isinstance(native, str) else native["field"] + (", read only" if native.get("write") is False else "") for native in natives]
        assert rows[name] == [spec["type"], spec["group"], *shown]
