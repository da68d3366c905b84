"""Which team somebody belongs to: the tables of the configuration with all their mistakes, and the addresses in it as the user ids of the systems."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from cli_box import box
from hubspot_portal import Portal
from hypothesis import given
from hypothesis import strategies as st
from salesforce_org import Org
from slips import each_of, expect_one, told_by

from stagesync.app.configuration.teams import resolve
from stagesync.connectors.contract import SystemDescription
from stagesync.lifecycle.authority import Authority
from stagesync.lifecycle.authority_table import read_authority
from stagesync.lifecycle.funnel import Funnel
from stagesync.lifecycle.presets import default_funnel, preset
from stagesync.model.records import Present, Ref

FUNNEL = default_funnel()


def read(text: str, funnel: Funnel = FUNNEL) -> tuple[Authority | None, list[str]]:
    """What the tables mean, and the mistakes as they are shown."""
    return told_by(lambda tell: read_authority(tomllib.loads(text), funnel, ("hubspot", "salesforce"), tell))


def test_teams_are_read() -> None:
    """Users by address or id, workflows and whole systems, who else may let people in, and what becomes of other moves."""
    found, told = read("""
        [teams.sales]
        users = ["Anna@Acme.example", "salesforce:0055g"]
        systems = ["salesforce"]
        [teams.marketing]
        automations = ["hubspot"]
        [authority]
        unauthorised = "put back"
        [authority.also]
        sql = ["marketing"]
        disqualified = ["product", "service"]
    """)
    assert told == []
    assert found == Authority(
        {"anna@acme.example": "sales", "salesforce:0055g": "sales"},
        {"hubspot": "marketing"},
        {"salesforce": "sales"},
        {"sql": frozenset({"marketing"}), "disqualified": frozenset({"product", "service"})},
        "put back",
    )


def test_without_tables_nobody_is_asked() -> None:
    """A configuration that names no teams has no authority."""
    assert read("[funnel]") == (None, [])
    assert read("[authority]") == (Authority(), [])


def test_a_team_of_two_words_and_a_group() -> None:
    """A key without quotes names a team of two words, and a group stands for its stages."""
    assert read("[teams.business_development]\nsystems = ['hubspot']", preset("handoff")) == (Authority(systems={"hubspot": "business development"}), [])
    found, told = read("[authority.also]\nmql = ['sales']\ntql = ['marketing']", preset("waterfall-2012"))
    both = frozenset({"sales", "marketing"})
    assert told == [] and found is not None
    assert found.also == {"aql": frozenset({"sales"}), "tql": both, "tgl": frozenset({"sales"})}


MISTAKES = [
    ("teams = 1", "teams: is not a table"),
    ("[teams]\nsales = 1", "teams.sales: is not a table"),
    ("[teams.sails]", "teams.sails: 'sails' owns no stage of the funnel. Known: marketing, product, service, sales"),
    ("[teams.sales]\nuser = []", "teams.sales.user: there is no such key. Known: users, automations, systems"),
    ("[teams.sales]\nusers = 'anna@acme.example'", "teams.sales.users: is not a list of names"),
    ("[teams.sales]\nusers = ['anna']", "teams.sales.users: 'anna' names no user. Write an address such as"),
    ("[teams.sales]\nusers = ['salesforce:']", "teams.sales.users: 'salesforce:' names no user"),
    ("[teams.sales]\nusers = ['sailsforce:005']", "teams.sales.users: there is no system 'sailsforce'. Known: hubspot, salesforce"),
    ("[teams.sales]\nsystems = ['crm']", "teams.sales.systems: there is no system 'crm'. Known: hubspot, salesforce"),
    ("[teams.sales]\nusers = ['a@b.example']\n[teams.service]\nusers = ['A@b.example']", "teams.service.users: 'a@b.example' speaks for sales already"),
    ("[teams.sales]\nautomations = ['hubspot']\n[teams.product]\nautomations = ['hubspot']", "teams.product.automations: 'hubspot' speaks for sales already"),
    ("authority = 'hold'", "authority: is not a table"),
    ("[authority]\nunauthorized = 'hold'", "authority.unauthorized: there is no such key. Known: unauthorised, also"),
    ("[authority]\nunauthorised = 'undo'", "authority.unauthorised: 'undo' is not allowed here. Allowed: hold, put back"),
    ("[authority]\nalso = 1", "authority.also: is not a table"),
    ("[authority.also]\nsqll = ['sales']", "authority.also.sqll: 'sqll' is neither a stage, nor a group, nor a side state of the funnel. Known: subscriber"),
    ("[authority.also]\nsql = ['sails']", "authority.also.sql: 'sails' owns no stage of the funnel"),
    ("[authority.also]\nsql = 'sales'", "authority.also.sql: is not a list of names"),
]


@each_of(MISTAKES)
def test_each_mistake_names_its_place_and_a_remedy(text: str, said: str) -> None:
    """One mistake gives one line: the TOML path, what is wrong, and what to do."""
    _, told = read(text)
    expect_one(told, said)


def test_all_mistakes_are_told_at_once() -> None:
    """Mistakes in every part of both tables are told together."""
    _, told = read("\n".join(text for text, _ in MISTAKES if text.startswith(("[teams.sails]", "[authority.also]\nsqll"))) + "\n[teams.sales]\nusers = [1]")
    assert [line.partition(": ")[0] for line in told] == ["teams.sails", "teams.sales.users", "authority.also.sqll"]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["sales", "hubspot", "sql", "a@b.example", "hubspot:1", ":", "@", "put back", ""]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["sales", "users", "systems", "automations", "also", "unauthorised", "sql"]), inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["teams", "authority"]), JUNK, min_size=1))
def test_any_table_is_an_authority_or_told(own: dict[str, Any]) -> None:
    """Whatever stands in both tables, they mean something that a decision can be made with, or at least one mistake is told; nothing breaks."""
    found, told = told_by(lambda tell: read_authority(own, FUNNEL, ("hubspot",), tell))
    assert found is not None
    if told:
        assert all(line.startswith(("teams", "authority")) for line in told)
        return
    known = {stage.team for stage in FUNNEL.stages.values()}
    assert {*found.users.values(), *found.automations.values(), *found.systems.values()} <= known
    assert set(found.also) <= {*FUNNEL.stages, *FUNNEL.sides}


def account(users: dict[str, str]) -> SystemDescription:
    """An account that shows these users."""
    return SystemDescription({}, users=users)


LONG = "0055g00000ABCDEAA4"


def test_addresses_become_the_ids_of_every_system() -> None:
    """Whoever has the address is meant, in each system and under every id; an id says it more exactly, and may be the short one."""
    authority = Authority({"anna@acme.example": "sales", "hubspot:9": "marketing", f"salesforce:{LONG[:15]}": "service"}, {"hubspot": "marketing"})
    accounts = {"hubspot": account({"7": "Anna@acme.example", "9": "anna@acme.example"}), "salesforce": account({LONG: "sam@acme.example"})}
    found, notes = resolve(authority, accounts)
    assert found == Authority({"hubspot:7": "sales", "hubspot:9": "marketing", f"salesforce:{LONG}": "service"}, {"hubspot": "marketing"})
    assert notes == []


def test_who_is_not_found_is_a_note() -> None:
    """An address that no system knows, an id that its system does not list, and a system that shows nobody."""
    authority = Authority({"anna@acme.example": "sales", "hubspot:8": "sales"})
    found, notes = resolve(authority, {"hubspot": account({"7": "ken@acme.example"}), "salesforce": account({})})
    assert found.users == {"hubspot:8": "sales"}
    assert notes == [
        "teams: the users of salesforce cannot be seen, so nobody is known by address there",
        "teams.sales.users: no system knows a user with the address 'anna@acme.example', so nobody speaks for the team by it",
        "teams.sales.users: hubspot lists no user '8'; changes by that id count for the team all the same",
    ]


def test_the_history_of_hubspot_names_whom_the_address_means() -> None:
    """A stage that somebody sets by hand there is known as their team's: the history names the user, whose id is not the owner's."""
    portal = Portal()
    id = portal.contact(1)
    portal.world.edit(id, {"lifecyclestage": "salesqualifiedlead"})
    (seen,) = portal.seen(id, history=("lifecyclestage",))
    found, notes = resolve(Authority({"ann.berg@example.com": "sales"}), {"hubspot": portal.connector.describe()})
    assert notes == []
    assert found.team_of("hubspot", seen.history["lifecyclestage"][0].actor) == "sales"


def test_the_history_of_salesforce_names_whom_the_address_means() -> None:
    """A status that somebody sets by hand there is known as their team's."""
    org = Org()
    id = org.lead("One")
    org.world.edit(id, {"Status": "Working - Contacted"})
    seen = org.connector.fetch([Ref("lead", id)], {"lead": ("Status",)}, history=("Status",))[0]
    found, notes = resolve(Authority({"riley@sandbox.example": "sales"}), {"salesforce": org.connector.describe()})
    assert notes == []
    assert isinstance(seen, Present)
    assert found.team_of("salesforce", seen.history["Status"][0].actor) == "sales"


def test_check_names_whom_no_system_knows(tmp_path: Path) -> None:
    """`check` tells of an address in the teams that nobody has; one that a system lists is no matter."""
    with box(tmp_path, people=0) as made:
        made.add('[teams.sales]\nusers = ["ann.berg@example.com", "nobody@acme.example"]\n')
        found = made.json("check")
    assert found["ok"]
    assert [note for note in found["notes"] if note.startswith("teams")] == [
        "teams.sales.users: no system knows a user with the address 'nobody@acme.example', so nobody speaks for the team by it"
    ]
