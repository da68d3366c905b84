"""HubSpot's door: credentials, what the account tells of itself, and what each kind of trouble becomes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from hubspot_portal import FIELDS, TOKEN, Portal, settings
from pydantic import ValidationError
from salesforce_org import Drawer, Hand, NoLimits

from stagesync.connectors.contract import Ports
from stagesync.connectors.hubspot import plugin
from stagesync.connectors.hubspot.connector import open_account
from stagesync.connectors.hubspot.probe import open_laboratory
from stagesync.model.errors import ConfigurationError, CredentialError, QuotaSpent, StagesyncError, Unreachable
from stagesync.model.ports import Rate, Secret
from stagesync.model.records import Query, Ref
from stagesync.model.writes import Applied, Deferred, Step, Unknown
from stagesync.sandbox.faults import Fault
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.hubspot.habits import ALL_SCOPES, Habits
from stagesync.sandbox.hubspot.portal import Owner
from stagesync.sandbox.server import serve
from stagesync.sandbox.wire import Request, Response

OAUTH = {"client_id": "sandbox-client", "client_secret": Secret("sandbox-secret"), "refresh_token": Secret("sandbox-refresh")}


@pytest.fixture
def world() -> HubSpotWorld:
    """A portal of its own."""
    return HubSpotWorld()


@pytest.fixture
def url(world: HubSpotWorld) -> Iterator[str]:
    """The portal over a real socket."""
    with serve(world) as url:
        yield url


def ports(drawer: Drawer | None = None) -> Ports:
    """A clock that a test moves, no limits, a place for tokens."""
    return Ports(Hand(), NoLimits(), drawer or Drawer())


def test_everything_works_over_a_real_socket(world: HubSpotWorld, url: str) -> None:
    """Read, write, search and archive over HTTP, on one kept connection, through the plugin as a stranger opens it."""
    world.load([{"email": f"c{number}@crowd.example"} for number in range(150)])
    connector = plugin.open("hubspot", plugin.settings(base_url=url, token=Secret(TOKEN)), ports())
    pages = list(connector.pull(Query({"contact": FIELDS})))
    (made,) = connector.write([Step(1, 1, "create", "contact", None, {"email": "ü@new.example", "lastname": "Łoś"})])
    assert isinstance(made, Applied)
    assert connector.write([Step(2, 1, "archive", "contact", pages[0].records[0].ref, {})]) == [Applied(pages[0].records[0].ref)]
    after = list(connector.pull(Query({"contact": FIELDS}, pages[-1].cursor)))
    assert {record.values["lastname"] for page in after for record in page.records if record.ref == made.ref} == {"Łoś"}
    assert connector.usage().calls == sum(world.calls.values()) == 6
    assert connector.usage().daily_used == 5  # searches are not counted in these headers
    connector.close()


class Listening(HubSpotWorld):
    """A portal that remembers which encodings it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.encodings: list[str] = []

    def route(self, request: Request) -> Response:
        """Answer as ever."""
        self.encodings.append(request.headers.get("accept-encoding", ""))
        return super().route(request)


def test_answers_come_compressed() -> None:
    """We ask for gzip, which makes a page a tenth."""
    world = Listening()
    with serve(world) as url:
        open_account("hubspot", settings(base_url=url), ports()).identity()
    assert world.encodings == ["gzip"]


def test_the_account_names_itself() -> None:
    """Portal id, kind of account and time zone."""
    account = Portal().connector.identity()
    assert (account.vendor, account.id, account.own_actor) == ("hubspot", "4710017", None)
    assert "4710017" in account.name


def test_the_description_has_the_accounts_own_stages() -> None:
    """Options in the account's order, types in our words, what cannot be written marked so."""
    portal = Portal()
    portal.world.define("lifecyclestage", "Stage", "enumeration", "radio", [("lead", "Lead"), ("51439524", "Sales accepted"), ("customer", "Customer")])
    fields = portal.connector.describe().kinds["contact"].fields
    stage = fields["lifecyclestage"]
    assert [(option.value, option.label, option.order) for option in stage.options][:2] == [("lead", "Lead", 0), ("51439524", "Sales accepted", 1)]
    assert (stage.type, stage.restricted, stage.writable) == ("choice", True, True)
    assert {name: fields[name].type for name in ("email", "phone", "hubspot_owner_id", "hs_email_optout", "hs_buying_role", "closedate", "num_notes")} == {
        "email": "email",
        "phone": "phone",
        "hubspot_owner_id": "reference",
        "hs_email_optout": "boolean",
        "hs_buying_role": "multichoice",
        "closedate": "datetime",
        "num_notes": "number",
    }
    assert fields["hs_email_optout"].writable and not fields["hs_email_optout_101"].writable
    assert fields["email"].unique


def test_owners_are_described_by_address() -> None:
    """Everybody who can own a contact is an option of its owner, by owner id (not user id) and address, over all pages; who no longer can is inactive."""
    portal = Portal()
    portal.world.portal.owners = [Owner(str(number), f"O{number}@x.example", "Owner", "", 9_000 + number, number % 2 == 1) for number in range(1100)]
    owner = portal.connector.describe().kinds["contact"].fields["hubspot_owner_id"]
    assert [(option.value, option.label) for option in owner.options[:2]] == [("0", "O0@x.example"), ("2", "O2@x.example")]
    assert {option.value: option.active for option in owner.options} == {str(number): number % 2 == 0 for number in range(1100)}
    assert [option.order for option in owner.options] == list(range(1100))
    assert sum(number for call, number in portal.calls().items() if "/owners" in call) == 4


@pytest.mark.parametrize("version", ["v3", "2026-09"])
def test_owners_are_listed_in_every_version(version: str) -> None:
    """Numbered and dated versions have them at different places."""
    portal = Portal(api_version=version)
    assert [option.label for option in portal.connector.describe().kinds["contact"].fields["hubspot_owner_id"].options][:1] == ["ann.berg@example.com"]


def test_without_the_scope_owners_are_a_finding() -> None:
    """A token that may not list owners describes the rest, and a finding names the scope."""
    portal = Portal(Habits(scopes=tuple(scope for scope in ALL_SCOPES if "owners" not in scope)))
    described = portal.connector.describe()
    assert described.kinds["contact"].fields["hubspot_owner_id"].options == ()
    assert described.findings == ("owners cannot be kept the same: the HubSpot app lacks a scope: crm.objects.owners.read",)


def test_a_second_writer_is_found() -> None:
    """HubSpot's own Salesforce integration shows by its properties."""
    portal = Portal()
    assert portal.connector.describe().findings == ()
    portal.world.define("salesforcecontactid", "Salesforce Contact ID")
    assert "Salesforce integration" in portal.connector.describe().findings[0]


def test_a_second_writer_is_found_in_the_history() -> None:
    """It also shows as the source of a stage."""
    portal = Portal()
    version = '{"value":"lead","timestamp":"2026-01-01T00:00:00Z","sourceType":"SALESFORCE"}'
    body = f'{{"results":[{{"id":"1","properties":{{}},"propertiesWithHistory":{{"lifecyclestage":[{version}]}}}}]}}'
    portal.world.faults.add(Fault("status", match="GET /crm/v3/objects/contacts", status=200, body=body))
    assert "lifecycle stages" in portal.connector.describe().findings[0]


TROUBLES = [
    (Fault("status", status=401, body='{"category":"INVALID_AUTHENTICATION","message":"bad token"}'), CredentialError, "credential"),
    (Fault("status", status=403, body="{}"), CredentialError, "forbids"),
    (Fault("status", times=99, status=429, body="{}"), Unreachable, "slow down"),
    (Fault("status", status=429, body='{"policyName":"DAILY"}'), QuotaSpent, "daily quota"),
    (Fault("status", times=99, status=423, body="{}"), Unreachable, "locked"),
    (Fault("status", status=477, body="", headers=(("Retry-After", "86400"),)), Unreachable, "data centre"),
    (Fault("status", times=99, status=500, body="<html>", content_type="text/html"), Unreachable, "trouble"),
    (Fault("status", times=99, status=522, body=""), Unreachable, "522"),
    (Fault("status", status=525, body=""), Unreachable, "525"),
    (Fault("status", status=414, body="<html>"), ConfigurationError, "414"),
    (Fault("status", times=99, status=408, body=""), Unreachable, "408"),
    (Fault("status", status=301, body="", headers=(("Location", "https://elsewhere.invalid"),)), ConfigurationError, "301"),
    (Fault("status", status=404, body='{"message":"resource not found"}'), ConfigurationError, "404"),
    (Fault("status", status=400, body='{"message":"no"}'), ConfigurationError, "400"),
    (Fault("status", times=99, status=200, body="<!doctype html><h1>Sign in</h1>", content_type="text/html"), Unreachable, "HTML page"),
    (Fault("status", times=99, status=200, body='{"results":'), Unreachable, "broken JSON"),
    (Fault("status", times=99, status=200, body=""), Unreachable, "empty answer"),
    (Fault("status", status=200, body="[1]"), Unreachable, "shape"),
    (Fault("status", status=200, body='{"results":[{"id":1}]}'), Unreachable, "without a proper `id`"),
    (Fault("truncated", times=99), Unreachable, "connection broke"),
    (Fault("lost_after", times=99), Unreachable, "connection broke"),
]


@pytest.mark.parametrize(("fault", "error", "words"), TROUBLES)
def test_each_trouble_becomes_the_error_that_says_what_to_do(fault: Fault, error: type[StagesyncError], words: str) -> None:
    """A read that cannot go on stops with the right exit code, the system's name, a next step, and no secret."""
    portal = Portal()
    portal.world.faults.add(fault)
    with pytest.raises(error, match=words) as caught:
        portal.pulled()
    assert caught.value.where == "hubspot"
    assert caught.value.next_step
    assert TOKEN not in str(caught.value)


def test_a_page_not_found_deletes_nobody() -> None:
    """A gateway's 404 says nothing about contacts: it stops the run, and no record is taken for gone."""
    portal = Portal()
    id = portal.contact(1)
    portal.world.faults.add(Fault("status", times=99, status=404, body="<h1>Not found</h1>", content_type="text/html"))
    with pytest.raises(ConfigurationError, match="404"):
        portal.seen(id)
    with pytest.raises(ConfigurationError, match="404"):
        portal.connector.write([Step(1, 1, "update", "contact", Ref("contact", id), {"city": "Bonn"})])


@pytest.mark.parametrize("kind", ["lost_before", "lost_after", "truncated"])
def test_a_read_survives_passing_trouble(kind: str) -> None:
    """A page is asked for again, and the pull goes on as if nothing had happened."""
    portal = Portal()
    ids = portal.crowd(150)
    portal.world.faults.add(Fault(kind, skip=1, times=2))  # pyright: ignore[reportArgumentType]  # a fault's kind by its name
    assert portal.pulled().records.keys() == set(ids)
    assert sum(portal.calls().values()) == 5


def test_a_message_bears_no_personal_data() -> None:
    """What HubSpot says of a person stays out of raised errors; its correlation id is told."""
    portal = Portal()
    body = '{"message":"anna@x.example (+49 30 1234567) is blocked for pat-na1-secret-token","correlationId":"c0ffee"}'
    portal.world.faults.add(Fault("status", status=403, body=body))
    with pytest.raises(CredentialError) as caught:
        portal.pulled()
    text = str(caught.value)
    assert "c0ffee" in text
    assert not any(secret in text for secret in ("anna", "1234567", "pat-na1"))


def test_a_wrong_token_is_no_access() -> None:
    """The first call says that the credential is not accepted."""
    portal = Portal(token=Secret("pat-wrong"))
    with pytest.raises(CredentialError, match="does not accept"):
        portal.connector.identity()


def test_nobody_there_is_said_as_such() -> None:
    """A refused connection is surely not done, so a write may come again later."""
    connector = open_account("hubspot", settings(base_url="http://127.0.0.1:9"), ports())
    with pytest.raises(Unreachable, match="no connection"):
        connector.identity()
    (outcome,) = connector.write([Step(1, 1, "create", "contact", None, {"email": "a@x.example"})])
    assert isinstance(outcome, Deferred)


class Gateway(HubSpotWorld):
    """A portal behind a gateway that is down and says so in an old encoding."""

    def route(self, request: Request) -> Response:
        """Nothing but the gateway's page."""
        return Response(502, {"Content-Type": "text/html; charset=latin-1"}, "<h1>Passerelle indisponible, réessayez</h1>".encode("latin-1"))


def test_a_gateways_page_in_any_encoding_is_trouble() -> None:
    """The official client cannot decode such a page; for us it is a server's trouble like any other."""
    with serve(Gateway()) as url:
        connector = open_account("hubspot", settings(base_url=url), ports())
        with pytest.raises(Unreachable, match="502"):
            connector.identity()
        assert isinstance(connector.write([Step(1, 1, "create", "contact", None, {"email": "a@x.example"})])[0], Unknown)


def test_a_failed_handshake_says_so(url: str) -> None:
    """https to something that does not speak it stops at once, with what to look at."""
    connector = open_account("hubspot", settings(base_url=url.replace("http:", "https:")), ports())
    with pytest.raises(Unreachable, match="encrypted connection") as caught:
        connector.identity()
    assert "certificates" in caught.value.next_step
    assert connector.usage().calls == 1


def test_oauth_renews_by_time_and_once_by_refusal(world: HubSpotWorld, url: str) -> None:
    """A token is made when needed, kept while it lives, renewed shortly before its end, and once when it is refused."""
    given = ports()
    connector = open_account("hubspot", settings(base_url=url, **OAUTH), given)
    token = "POST /oauth/2026-09/token"

    def made_so_far() -> int:
        connector.identity()
        return next(number for name, number in world.calls.items() if name.startswith(token))

    assert (made_so_far(), made_so_far()) == (1, 1)
    given.clock.sleep(1800 - 30)
    assert made_so_far() == 2
    world.tokens.expire_all()
    assert made_so_far() == 3


def test_a_rotated_refresh_token_is_kept(world: HubSpotWorld, url: str) -> None:
    """The new refresh token is stored, so that the next process can begin with it."""
    world.switch(refresh_rotates=True)
    drawer = Drawer()
    for _ in range(3):
        open_account("hubspot", settings(base_url=url, **OAUTH), ports(drawer)).identity()
    assert list(drawer.kept.values()) == [world.tokens.refresh]
    assert all("sandbox-refresh" not in name for name in drawer.kept)


@pytest.mark.parametrize("rotates", [True, False])
def test_whether_refresh_tokens_rotate_is_found_out(world: HubSpotWorld, url: str, rotates: bool) -> None:
    """By using one: what comes back is kept, so that the next process goes on with it. A token that is not renewed has nothing to tell."""
    world.switch(refresh_rotates=rotates)
    drawer = Drawer()
    for given, answer in ((OAUTH, "yes" if rotates else "no"), ({}, None)):
        laboratory = open_laboratory("hubspot", settings(base_url=url, **given), ports(drawer))
        experiment = next(each for each in laboratory.experiments if each.name == "refresh_rotates")
        assert laboratory.find_out(experiment).answer == answer
        laboratory.close()
    assert [*drawer.kept.values()] == ([world.tokens.refresh] if rotates else [])


def test_a_dead_refresh_token_says_what_to_do(url: str) -> None:
    """HubSpot's own word for it, and the way back in."""
    connector = open_account("hubspot", settings(base_url=url, **{**OAUTH, "refresh_token": Secret("dead")}), ports())
    with pytest.raises(CredentialError, match="BAD_REFRESH_TOKEN") as caught:
        connector.identity()
    assert "connect the app again" in caught.value.next_step
    assert "sandbox-secret" not in str(caught.value)


def test_searches_are_paced_apart() -> None:
    """Search has its own limit per second; all other calls share the one of ten seconds; both a little below HubSpot's."""
    taken: list[tuple[str, Rate]] = []

    class Noting:
        def take(self, bucket: str, rate: Rate) -> None:
            taken.append((bucket.rpartition(":")[2], rate))

    connector = Portal().reopened(Noting())
    cursor = list(connector.pull(Query({"contact": FIELDS})))[-1].cursor
    list(connector.pull(Query({"contact": FIELDS}, cursor)))
    assert taken == [("app", Rate(180, 10.0)), ("search", Rate(4, 1.0))]


def test_real_limits_are_waited_out() -> None:
    """With HubSpot's limits on and no pacing at all, 429s are met with patience and everything is read."""
    portal = Portal(Habits(rate_limit=True, ten_secondly_max=3))
    portal.world.limits = type(portal.world.limits)(portal.clock.monotonic)
    ids = portal.crowd(1000)
    assert portal.pulled().records.keys() == set(ids)
    assert sum(portal.clock.slept) >= 30


@pytest.mark.parametrize(
    "given",
    [
        {"token": None},
        {"token": Secret("x"), "refresh_token": Secret("y")},
        {"client_id": "x"},
        {"token": Secret("x"), "api_version": "v4beta"},
        {"token": Secret("x"), "daily_share": 1.5},
        {"token": "in clear"},
        {"token": Secret("x"), "tokn": "y"},
    ],
)
def test_a_wrong_setting_is_refused(given: dict[str, object]) -> None:
    """No credential or two, an unknown version, a share above all, a mistyped key."""
    with pytest.raises(ValidationError):
        plugin.settings(**given)


@pytest.mark.parametrize(
    "base_url", ["http://api.hubapi.com", "ftp://api.hubapi.com", "api.hubapi.com", "https://user:pw@api.hubapi.com", "https://a.example?x=1"]
)
def test_credentials_never_travel_in_clear(base_url: str) -> None:
    """http is for this machine only; the message names the key and not the credential."""
    with pytest.raises(ConfigurationError) as caught:
        open_account("crm", settings(base_url=base_url), ports())
    assert caught.value.where == "systems.crm.base_url"


def test_other_kinds_are_not_contacts() -> None:
    """Somebody else's ref is unreadable, and a search for leads finds none."""
    portal = Portal()
    assert "not the id" in str(portal.connector.fetch([Ref("lead", "1")], {})[0])
    assert portal.connector.find("lead", "email", ["a@x.example"], ()) == ()


def test_loading_the_plugin_loads_nothing_heavy() -> None:
    """Help stays quick: no SDK, no pydantic, no HTTP client before an account is opened."""
    heavy = "hubspot pydantic httpx urllib3 tenacity"
    code = f"import sys; from stagesync.connectors.hubspot import plugin; print([name for name in '{heavy}'.split() if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30).stdout.strip() == "[]"
