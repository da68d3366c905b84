"""What the code may not do, seen in its syntax; and values that somebody typed, which mean themselves wherever they end up."""

from __future__ import annotations

import ast
import gzip
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from house import ROOT, project_files, room_files
from hubspot_portal import Portal
from hubspot_portal import settings as hubspot_settings
from hypothesis import given
from hypothesis import strategies as st
from lean_world import LeanWorld
from salesforce_org import Drawer, Hand, NoLimits, Org
from salesforce_org import settings as salesforce_settings

from stagesync.connectors.contract import Ports
from stagesync.connectors.hubspot.connector import open_account
from stagesync.connectors.manners import REPLY_LIMIT, Answer, MaybeDone, collect, parsed, post_form
from stagesync.connectors.salesforce.connector import open_org
from stagesync.model.errors import Unreachable
from stagesync.model.records import Query, Ref
from stagesync.sandbox.base import json_response
from stagesync.sandbox.clients import WorldAdapter, WorldPool
from stagesync.sandbox.hubspot import HubSpotWorld
from stagesync.sandbox.server import serve
from stagesync.sandbox.wire import Request, Response
from stagesync.state import keys, links
from stagesync.state.schema import workspace
from stagesync.state.sql import Bulk, Statement
from stagesync.state.store import Store

CODE = tuple(path for path in room_files() if path.suffix == ".py")
RUNS_TEXT = {"eval", "exec", "compile", "__import__"}
READS_CODE = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml", "imp"}
SHELLS = {"system", "popen", "getoutput", "getstatusoutput"}
TALKS = {"execute", "executemany", "executescript", "exec_driver_sql"}
ASKS = {*TALKS, "text", "literal_column"}
CONSTANT_SQL = {
    "state/connect.py:_settle_sqlite": "pragmas, from a list of constants beside it",
    "state/migrate.py:prepare": "a lock's number, a constant of the module",
    "state/erasing.py:scrub": "names of tables, from the schema",
    "state/schema.py:word": "constants of conditions, which an index must find in the text",
}
"""Where a statement's text is put together, and from what. Everything else is written in Core, with bound parameters."""

ANYTHING = st.text(alphabet=st.characters(codec=None, exclude_categories=()), min_size=1, max_size=40)
NASTY = st.sampled_from(
    ["'", "\\", "\\'", "' OR Name != '", '"', "x' OR '1'='1", "../../x", "%27", "a\x00b", "\u2028", "{{7*7}}", "日本", "?properties=x", "🙂"]
)


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax."""
    return ast.parse((ROOT / path).read_text("utf-8"))


def calls(path: Path) -> Iterator[tuple[str, str, ast.Call]]:
    """Every call of a file: the function in which it stands, the name that is called, and the call."""
    for top in tree(path).body:
        for node in ast.walk(top):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
                yield getattr(top, "name", ""), name, node


@cache
def imported(path: Path) -> frozenset[str]:
    """The first part of every module that a file imports."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found.update(each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").partition(".")[0])
    return frozenset(found)


def test_no_text_is_run_as_code() -> None:
    """No eval, exec, compile by name; no format whose reading runs code; no shell."""
    found = [f"{path}: {name}" for path in CODE for _, name, node in calls(path) if isinstance(node.func, ast.Name) and name in RUNS_TEXT]
    found += [f"{path} imports {name}" for path in CODE for name in imported(path) if name in READS_CODE]
    found += [f"{path}: {name}" for path in CODE for _, name, _ in calls(path) if name in SHELLS and {"os", "subprocess"} & imported(path)]
    found += [f"{path}: shell=" for path in CODE for _, _, node in calls(path) if any(word.arg == "shell" for word in node.keywords)]
    assert found == []


def is_made_up(node: ast.expr) -> bool:
    """A text that is put together: an f-string, `+` or `%` of texts, `.format` or `.join`."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        return any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in ast.walk(node))
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("format", "join")
        and isinstance(node.func.value, ast.Constant)
    )


def test_no_statement_is_put_together_from_values() -> None:
    """Statements are written in Core and their parameters bound; the few texts that are put together hold constants, and each is named with its reason."""
    asked = [path for path in CODE if path.parts[0] in ("app", "state", "sync") and not any(part.endswith("migrations") for part in path.parts)]
    found = {
        f"{path.as_posix()}:{place}"
        for path in asked
        for place, name, node in calls(path)
        if (name in ASKS or (path.parts[0] == "state" and name == "run")) and node.args and is_made_up(node.args[0])
    }
    assert found == set(CONSTANT_SQL)


def test_only_the_store_talks_to_the_database() -> None:
    """Outside of the room of the state nobody holds a connection to it: what is not a compiled statement cannot be sent. A mirror is a file of its own, and
    so are the ids of an export."""
    holders = [path for path in CODE if path.parts[0] != "sandbox" and {"sqlite3", "sqlalchemy", "psycopg"} & imported(path)]
    talkers = {path.as_posix() for path in holders for _, name, _ in calls(path) if name in TALKS}
    assert talkers == {
        "state/connect.py",
        "state/migrate.py",
        "state/migrations/0011_gone.py",
        "state/scratch.py",
        "state/store.py",
        "connectors/csv/mirror.py",
        "connectors/hubspot/export/once.py",
    }
    assert [path for path in CODE if path.parts[0] in ("app", "sync") and {"sqlite3", "psycopg"} & imported(path)] == []


@given(value=ANYTHING | NASTY)
def test_a_value_in_the_state_means_itself(sqlite_store: Store, value: str) -> None:
    """Keys and names of any characters are stored and found as they are, and nothing else is touched."""
    value = value.encode("utf-8", "replace").decode()
    with sqlite_store.write() as tx:
        tx.many(Bulk(workspace, ("name", "synced"), ignore=True), [("kept", 0)])
        ws = tx.rows(Statement(sa.select(workspace.c.id).where(workspace.c.name == sa.bindparam("name"))), {"name": "kept"})[0][0]
        first = keys.find(tx, ws, "email", [value])
        assert all(found == value for found, _ in first)
        assert links.by_refs(tx, ws, 1, [Ref(value, value)]) == {}
        assert tx.rows(Statement(sa.select(sa.func.count()).select_from(workspace)), {})[0][0] >= 1


class Overheard(HubSpotWorld):
    """A portal that writes down what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Request] = []

    def arrive(self, request: Request) -> Any:
        """Note it."""
        self.heard.append(request)
        return super().arrive(request)


PATHS = {"/crm/v3/objects/contacts/batch/read", "/crm/v3/objects/contacts/search"}


@given(value=ANYTHING | NASTY)
def test_a_value_asked_of_hubspot_means_itself(value: str) -> None:
    """An address and an id of any characters change no path and no filter: they travel as JSON, and alone."""
    portal = Portal()
    portal.world = world = Overheard()
    portal.connector = portal.reopened()
    kept = world.by_hand.create({"email": "kept@acme.example", "lastname": "Kept"})
    sent = value.encode("utf-8", "replace").decode()
    found = portal.connector.find("contact", "email", [sent], ("email",))
    assert [record.ref.id for record in found] == []
    seen = portal.connector.fetch([Ref("contact", f"x{sent}"), Ref("contact", kept)], {"contact": ("email",)})
    assert (type(seen[0]).__name__, type(seen[1]).__name__) == ("Unreadable", "Present")
    asked = [request for request in world.heard if request.path in PATHS]
    assert {request.path for request in world.heard} <= PATHS
    for request in asked:
        inputs = [each["id"] for each in orjson.loads(request.body)["inputs"]]
        assert inputs in ([sent.strip().lower()], [kept])


@given(value=ANYTHING | NASTY)
def test_a_value_asked_of_salesforce_means_itself(value: str) -> None:
    """Whatever is looked for, the only Lead is found by its own address and by no other text."""
    org = Org()
    org.lead("Kept", Email="kept@acme.example")
    assert list(org.connector.find("lead", "Email", [value], ("Email",))) == []
    assert len(org.connector.find("lead", "Email", [value, "kept@acme.example"], ("Email",))) == 1
    assert type(org.connector.fetch([Ref("lead", value)], {"lead": ("Email",)})[0]).__name__ == "Unreadable"


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 100_000, b"[" * 5_000 + b"]" * 5_000])
def test_nesting_without_end_is_no_answer(body: bytes) -> None:
    """A reply nested deeper than the parser follows stops the call as a broken answer does; the program goes on living."""
    with pytest.raises(Unreachable, match="broken JSON"):
        parsed(Answer(200, {}, body), where="crm")


def test_an_answer_without_end_is_no_answer() -> None:
    """Reading stops at the limit, not when the memory is full."""
    taken: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            taken.append(1)
            yield bytes(1 << 20)

    with pytest.raises(MaybeDone, match="larger than 64 MB"):
        collect(endless(), where="crm")
    assert len(taken) == 65


BOMB = gzip.compress(bytes(REPLY_LIMIT + (8 << 20)), compresslevel=9)
"""72 MB in 70 KB."""


def bombs(status: int) -> LeanWorld:
    """A server that answers every call with little that becomes much."""
    return LeanWorld({}, Response(status, {"Content-Type": "application/json", "Content-Encoding": "gzip"}, BOMB))


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_compressed_bomb_is_no_answer(status: int) -> None:
    """What counts is the size after inflating, of refusals too, and of the answers that carry tokens."""
    portal = open_account("hub", hubspot_settings(), Ports(Hand(), NoLimits(), Drawer()), WorldPool(bombs(status)))
    org = open_org("crm", salesforce_settings(), Ports(Hand(), NoLimits(), Drawer()), WorldAdapter(bombs(status)))
    for ask in (lambda: portal.find("contact", "email", ["a@x.example"], ()), lambda: org.find("lead", "Email", ["a@x.example"], ())):
        with pytest.raises(MaybeDone, match="larger than 64 MB"):
            ask()
    with serve(bombs(status)) as url, pytest.raises(MaybeDone, match="larger than 64 MB"):
        post_form(url, {"grant_type": "x"}, where="crm", timeout_s=20.0)


HOSTILE = {
    "no number": (b'{"results": NaN}', False),
    "endless number": (b'{"results": -Infinity}', False),
    "no text": (b'{"results": "\xff\xfe"}', False),
    "half a pair": (b'{"results": "\\ud800"}', False),
    "two of a name": (b'{"results": 1, "results": [2]}', True),
    "more than 64 bits": (b'{"results": 123456789012345678901234567890}', True),
}


@pytest.mark.parametrize(("body", "taken"), HOSTILE.values(), ids=HOSTILE)
def test_odd_json_is_read_or_refused_but_never_crashes(body: bytes, taken: bool) -> None:
    """What JSON does not allow is a broken answer; what it allows and nobody expects is read like anything else."""
    if taken:
        assert set(parsed(Answer(200, {}, body), where="crm").data) == {"results"}
    else:
        with pytest.raises(Unreachable, match="broken JSON"):
            parsed(Answer(200, {}, body), where="crm")


def hub_to(answers: dict[str, Any]) -> Any:
    """The HubSpot connector to a server that has these answers."""
    return open_account("hub", hubspot_settings(), Ports(Hand(), NoLimits(), Drawer()), WorldPool(LeanWorld(answers, Response(404, {}, b"{}"))))


CONTACTS = "/crm/v3/objects/contacts"
ROW = {"id": "1", "properties": {"email": "a@x.example"}, "updatedAt": "2026-03-05T13:45:00Z"}
ROUND = {"paging": {"next": {"after": "7"}}}


def test_pages_that_lead_to_themselves_end() -> None:
    """A list, the owners, and a query whose next page is the one that was just read: an error that says so, after few calls, and never a loop."""
    listed = hub_to({f"GET {CONTACTS}": {"results": [ROW], **ROUND}})
    with pytest.raises(Unreachable):
        list(listed.pull(Query({"contact": ("email",)})))
    owners = {"GET /crm/v3/properties/contacts": {"results": [OWNER]}, "GET /crm/v3/owners": {"results": [], **ROUND}, f"GET {CONTACTS}": {"results": []}}
    described = hub_to(owners)
    with pytest.raises(Unreachable):
        described.describe()
    page = {"totalSize": 2, "done": False, "records": [], "nextRecordsUrl": "/services/data/v66.0/query/01g-7"}
    world = LeanWorld({}, json_response(page))
    org = open_org("crm", salesforce_settings(), Ports(Hand(), NoLimits(), Drawer()), WorldAdapter(world))
    with pytest.raises(Unreachable, match="lead nowhere"):
        org.find("lead", "Email", ["a@x.example"], ("Email",))
    with pytest.raises(Unreachable, match="lead nowhere"):
        list(org.pull(Query({"lead": ("Email",)})))
    assert max(each.usage().calls for each in (listed, described, org)) < 20


OWNER = {"name": "hubspot_owner_id", "label": "Owner", "type": "enumeration", "fieldType": "select", "externalOptions": True}


@pytest.mark.parametrize("id", ["../../owners", "1?archived=true", "1/../2", "\u00b2", "\u0663", "", 7, None, ["1"]])
def test_an_id_that_the_vendor_tells_is_a_number(id: Any) -> None:
    """An id goes into paths: whatever is none makes the whole answer one that is not believed."""
    with pytest.raises(Unreachable):
        list(hub_to({f"GET {CONTACTS}": {"results": [{**ROW, "id": id}]}}).pull(Query({"contact": ("email",)})))
    if isinstance(id, str):
        portal = Portal()
        portal.world = world = Overheard()
        portal.connector = portal.reopened()
        assert type(portal.connector.fetch([Ref("contact", id)], {"contact": ()})[0]).__name__ == "Unreadable"
        assert world.heard == []


SOQL = re.compile(r"\b(SELECT|WHERE|IN|AND|OR)\b| [=<>]+ ")
MAKES_SOQL = {"text", "moment", "name", "select", "lists"}
"""What may stand in a query that is put together: values and names made fit by these of `soql`, and the names that hold their results."""
CONSTANT_SOQL = {
    "connector.py:names": "constants of the module",
    "evidence.py:behind": "made by `text`",
    "evidence.py:changed": "made by `moment`",
    "evidence.py:path": "constants beside it",
    "evidence.py:stamp": "made by `moment`",
    "paging.py:stamp": "made by `moment`",
    "spared.py:names": "columns of a query that `soql` made, some left out",
    "spared.py:found.group(2)": "the object of the same query",
    "spared.py:query[found.end():]": "the rest of the same query",
}


def test_every_value_in_soql_goes_through_soql() -> None:
    """Outside of `soql` no f-string puts anything into a query but what that module made, or a constant that is named here with its reason."""
    found: set[str] = set()
    for path in (each for each in CODE if each.parts[:2] == ("connectors", "salesforce") and each.name != "soql.py"):
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.JoinedStr) or not SOQL.search("".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))):
                continue
            for part in node.values:
                made = part.value if isinstance(part, ast.FormattedValue) else None
                if made is not None and not (isinstance(made, ast.Call) and isinstance(made.func, ast.Name) and made.func.id in MAKES_SOQL):
                    found.add(f"{path.name}:{ast.unparse(made)}")
    assert found == set(CONSTANT_SOQL)


KEYS = re.compile(
    "|".join(
        (
            r"pat-(?:na|eu)\d-[0-9a-f-]{8,}",
            r"\b00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]{20,}",
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{16}",
            r"\bAKIA[0-9A-Z]{16}\b",
            r"\bgh[pousr]_[A-Za-z0-9]{30,}",
        )
    )
)
"""HubSpot's and Salesforce's tokens, private keys, and two that people often leave lying about."""


def test_no_secret_lies_in_the_repository() -> None:
    """Nothing that looks like a vendor's token or a private key is in any file of the project; the sandbox's own and the canaries do not."""
    for head, tail in (("pat-na1", "-0123abcd-4567"), ("00D5g000004XYZA", f"!AQ{'a' * 20}"), ("-----BEGIN RSA PRIVATE KEY-----", f"\n{'MIIE' * 5}")):
        assert KEYS.search(head + tail)
    found = {str(path) for path in project_files() if (ROOT / path).is_file() and KEYS.search((ROOT / path).read_text("utf-8", "replace"))}
    assert found == {"tests/house/test_secrets.py"}  # a canary
