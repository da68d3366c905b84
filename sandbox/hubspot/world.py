"""The HubSpot world: who may call, where a call goes, what it is counted as, and the hands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Any, Literal

from ..base import BaseWorld
from ..clock import WorldClock
from ..wire import Request, Response
from . import automation, batch, consent, oauth, owners, schema, single
from .associations import Associations
from .call import COMPANIES, CONTACTS, Call, parsed, template
from .companies import Companies
from .contacts import Store
from .errors import Refused, answer, correlation_id, missing_scopes, no_such_contact
from .exports import FILES, Exports
from .habits import Habits
from .hands import Hands
from .imports import Imports
from .instants import instant
from .limits import Limits
from .merge import merge
from .oauth import OAuthApp, Tokens
from .portal import Portal
from .properties import Catalogue
from .render import shower
from .search import Search
from .troubles import TROUBLES

LONGEST_URL = 8_192

Endpoint = Callable[[Portal, Call], Response]

_ON_ALL: Mapping[str, Endpoint] = {"GET": single.listed, "POST": single.post}
_ON_ONE: Mapping[str, Endpoint] = {"GET": single.read, "PATCH": single.patch, "DELETE": single.delete}


class HubSpotWorld(BaseWorld):
    """One portal in memory; `handle` answers requests as HubSpot does. `token` is a static token without end; `oauth_app` can get others."""

    def __init__(
        self,
        portal_id: int = 4_710_017,
        token: str = "pat-sandbox-token",
        clock: WorldClock | None = None,
        latency_s: float = 0.0,
        habits: Habits | None = None,
        oauth_app: OAuthApp | None = None,
    ) -> None:
        super().__init__(clock, latency_s)
        habits = habits or Habits()
        self.portal = Portal(portal_id, self.clock, habits, Catalogue(self.clock.now_ms()), Store(habits.versions_kept))
        self.tokens = Tokens(token, oauth_app or OAuthApp())
        self.limits = Limits()
        self.troubles = TROUBLES
        self.by_hand = Hands(self.portal)
        self.webhooks = self.portal.webhooks
        self.portal.companies = self.firms = Companies(self.portal)
        self.associations = Associations(self.firms)
        self.exports = Exports(self.portal)
        self.imports = Imports(self.portal)
        self._search = Search(self.portal)
        self._register()

    def short_page(self, request: Request, rows: int) -> Response:
        """Answer a list or search with fewer rows than it asks for."""
        before = self.portal.habits
        self.portal.habits = replace(before, page_rows=rows)
        try:
            return self.route(request)
        finally:
            self.portal.habits = before

    def template(self, request: Request) -> str:
        """The path with its ids replaced."""
        return template(request)

    def route(self, request: Request) -> Response:
        """Answer one call of the API."""
        automation.run_due(self.portal)
        self.imports.go_on()
        self.exports.go_on()
        if request.path.startswith(FILES):
            return self.exports.download(parsed(request))
        trace = {"x-hubspot-correlation-id": correlation_id()}
        try:
            response = self._permitted(parsed(request), trace)
        except Refused as refused:
            response = refused.response()
        return replace(response, headers={**trace, **response.headers})

    def _permitted(self, call: Call, headers: dict[str, str]) -> Response:
        if call.area == "oauth":
            return oauth.endpoint(self.portal, self.tokens, call)
        by_oauth = self.tokens.check(call.request)
        search = call.area == "objects" and call.rest[1:] == ("search",)
        headers |= self.limits.spend(self.portal.habits, search=search, oauth=by_oauth)
        if len(call.request.path) + len(call.request.query) > LONGEST_URL:
            return Response(414, {"Content-Type": "text/html"}, b"<html><body><h1>414 Request-URI Too Large</h1></body></html>")
        scopes = _scopes(call)
        if scopes and not set(scopes) & set(self.portal.habits.scopes):
            raise missing_scopes(scopes)
        return self._dispatch(call)

    def _dispatch(self, call: Call) -> Response:
        match call.area:
            case "objects" if call.rest[2:3] == ("associations",):
                return self.associations.one(call)
            case "objects" if call.rest[:1] and call.rest[0] in CONTACTS:
                return self._objects(call)
            case "objects" if call.rest[:1] and call.rest[0] in COMPANIES:
                return self.firms.objects(call)
            case "associations":
                return self.associations.many(call)
            case "properties" if call.rest[:1] and call.rest[0] in CONTACTS:
                if call.method != "GET":
                    self._search.forget()
                return schema.endpoint(self.portal, call)
            case "owners":
                return owners.endpoint(self.portal, call)
            case "communication-preferences":
                return consent.endpoint(self.portal, call)
            case "account-info":
                return self._account(call)
            case "exports":
                return self.exports.endpoint(call)
            case "imports":
                return self.imports.endpoint(call)
            case _:
                raise Refused(404, "resource not found")

    def _objects(self, call: Call) -> Response:
        endpoint: Endpoint | None = None
        match call.rest[1:]:
            case ():
                endpoint = _ON_ALL.get(call.method)
            case ("search",):
                endpoint = (lambda _, call: self._search.answer(call)) if call.method == "POST" else None
            case ("merge",):
                endpoint = _merge if call.method == "POST" else None
            case ("gdpr-delete",):
                endpoint = single.purge if call.method == "POST" else None
            case ("batch", deed):
                endpoint = batch.DEEDS.get(deed) if call.method == "POST" else None
            case (_,):
                endpoint = _ON_ONE.get(call.method)
            case _:
                raise Refused(404, "resource not found")
        if endpoint is None:
            raise Refused(405, "Method not allowed")
        return endpoint(self.portal, call)

    def _account(self, call: Call) -> Response:
        if call.rest == ("details",):
            return answer(self.portal.details())
        if call.rest == ("api-usage", "daily", "private-apps"):
            usage = {
                "name": "private-apps-api-calls-daily",
                "usageLimit": self.portal.habits.daily_max,
                "currentUsage": self.limits.today,
                "collectedAt": instant(self.portal.now()),
                "fetchStatus": "SUCCESS",
                "resetsAt": instant((self.portal.now() // 86_400_000 + 1) * 86_400_000),
            }
            return answer({"results": [usage]})
        raise Refused(404, "resource not found")

    # ---- hands: the same by Python and over HTTP

    def define(self, name: str, label: str, type: str = "string", field_type: str = "text", options: Iterable[Any] = (), *, unique: bool = False) -> None:
        """Define a property, or change one: see `Hands.define`."""
        with self.lock:
            self.by_hand.define(name, label, type, field_type, options, unique=unique)
            self._search.forget()

    def load(self, rows: Iterable[Mapping[str, str | None]]) -> list[str]:
        """Many contacts at once: see `Hands.load`."""
        with self.lock:
            return self.by_hand.load(rows)

    def edit(self, id: str, values: Mapping[str, str | None]) -> None:
        """Somebody edits a contact: see `Hands.edit`."""
        with self.lock:
            self.by_hand.edit(id, values)

    def create(self, values: Mapping[str, str | None]) -> str:
        """Somebody creates a contact; gives its id."""
        with self.lock:
            return self.by_hand.create(values)

    def merge(self, primary: str, other: str) -> str:
        """Somebody merges two contacts; gives the id of the one that they went into."""
        with self.lock:
            return self.by_hand.merge(primary, other)

    def archive(self, id: str) -> None:
        """Somebody deletes a contact to the recycle bin."""
        with self.lock:
            self.by_hand.archive(id)

    def restore(self, id: str) -> None:
        """Somebody restores a contact from the recycle bin."""
        with self.lock:
            self.by_hand.restore(id)

    def gdpr_delete(self, id: str) -> None:
        """Somebody deletes a contact for privacy."""
        with self.lock:
            self.by_hand.gdpr_delete(id)

    def opt_out(self, email: str) -> None:
        """The person behind an address unsubscribes from everything."""
        with self.lock:
            self.by_hand.opt_out(email)

    def submit_form(self, email: str, form: str, values: Mapping[str, str | None] | None = None, source: str | None = None, detail: str | None = None) -> str:
        """Somebody fills in a form on the site: see `Hands.submit_form`."""
        with self.lock:
            return self.by_hand.submit_form(email, form, values, source, detail)

    def visit(self, id: str, source: str = "DIRECT_TRAFFIC", detail: str | None = None, pages: int = 1) -> None:
        """A contact comes to the site: see `Hands.visit`."""
        with self.lock:
            self.by_hand.visit(id, source, detail, pages)

    def on_email(self, id: str, deed: Literal["open", "click", "reply"]) -> None:
        """A contact opens, clicks in or answers an e-mail."""
        with self.lock:
            self.by_hand.on_email(id, deed)

    def add_owner(self, email: str, first_name: str = "", last_name: str = "") -> str:
        """A new user who can own contacts; gives the owner's id."""
        with self.lock:
            return self.by_hand.add_owner(email, first_name, last_name)

    def workflow(self, property: str, rewrites: Mapping[str, str]) -> None:
        """Switch on a workflow that rewrites a property: see `Hands.workflow`."""
        with self.lock:
            self.by_hand.workflow(property, rewrites)

    def create_company(self, name: str, domain: str | None = None) -> str:
        """Somebody makes a company; gives its id."""
        with self.lock:
            return str(self.firms.create({"name": name, "domain": domain}).number)

    def associate(self, contact: str, company: str) -> None:
        """Somebody makes a company the primary one of a contact."""
        with self.lock:
            self.firms.associate(int(contact), int(company), primary=True, by_hand=True)

    def part(self, contact: str, company: str) -> None:
        """Somebody takes a contact out of a company."""
        with self.lock:
            self.firms.part(int(contact), int(company), by_hand=True)

    def cancel_export(self, id: str) -> None:
        """Somebody cancels an export that has not ended."""
        with self.lock:
            self.exports.end(id, "CANCELED")

    def fail_export(self, id: str) -> None:
        """An export that has not ended breaks off, by the portal's own fault."""
        with self.lock:
            self.exports.end(id, "FAILED")

    def cancel_import(self, id: str) -> None:
        """Somebody cancels an import that has not ended."""
        with self.lock:
            self.imports.end(id, "CANCELED")

    def fail_import(self, id: str) -> None:
        """An import that has not ended breaks off, by the portal's own fault."""
        with self.lock:
            self.imports.end(id, "FAILED")

    def companies(self) -> list[dict[str, Any]]:
        """The companies as `id`, `name` and `domain`."""
        with self.lock:
            return [{"id": str(each.number), "name": each.props.get("name"), "domain": each.props.get("domain")} for each in self.firms.live.values()]

    def contacts(self) -> Iterator[dict[str, Any]]:
        """The live contacts as `id` and `properties`, for comparing worlds."""
        with self.lock:
            return iter(list(self.by_hand.contacts()))

    def _deliver(self, to: str | None = None, seed: int | None = None) -> int:
        return self.webhooks.deliver(to, None if seed is None else Random(seed))

    @property
    def habits(self) -> Habits:
        """How the portal behaves now."""
        return self.portal.habits

    def switch(self, **changes: Any) -> None:
        """Change habits. Raises ValueError for a name that is none."""
        with self.lock:
            self.portal.habits = self.portal.habits.switched(changes)
            self.portal.store.versions_kept = self.portal.habits.versions_kept
            self._search.forget()

    def _register(self) -> None:
        def done(call: Callable[..., Any]) -> Callable[[Mapping[str, Any]], Any]:
            return lambda posted: {"id": found} if (found := call(**posted)) is not None else {}

        for name, hand in {
            "edit": self.edit,
            "create": self.create,
            "merge": self.merge,
            "archive": self.archive,
            "restore": self.restore,
            "gdpr-delete": self.gdpr_delete,
            "opt-out": self.opt_out,
            "create-company": self.create_company,
            "associate": self.associate,
            "part": self.part,
            "submit-form": self.submit_form,
            "visit": self.visit,
            "on-email": self.on_email,
            "add-owner": self.add_owner,
            "define": self.define,
            "workflow": self.workflow,
            "cancel-export": self.cancel_export,
            "fail-export": self.fail_export,
            "cancel-import": self.cancel_import,
            "fail-import": self.fail_import,
            "habits": self.switch,
        }.items():
            self.hands[f"hands/{name}"] = done(hand)
        self.hands["webhooks/subscribe"] = lambda posted: self.webhooks.subscribe(**posted) or {}
        self.hands["webhooks/deliver"] = lambda posted: {"taken": self._deliver(**posted), "waiting": len(self.webhooks.pending)}
        self.hands["hands/load"] = lambda posted: {"ids": self.load(posted["rows"])}
        self.hands["hands/expire-tokens"] = lambda posted: self.tokens.expire_all() or {}
        self.views["records"] = lambda request: list(self.contacts())


def _merge(portal: Portal, call: Call) -> Response:
    """Merge by the API. Raises Refused (400, 404)."""
    ids = [str(call.body.get(name, "")) for name in ("primaryObjectId", "objectIdToMerge")]
    found = [portal.store.find(int(each)) if each.isdecimal() else None for each in ids]
    missing = [each for each, contact in zip(ids, found, strict=True) if contact is None]
    if missing or found[0] is None or found[1] is None:
        raise no_such_contact(missing[0])
    return answer(shower(portal, ())(merge(portal, found[0], found[1], portal.integration)))


_READS = (("read",), ("search",))


def _scopes(call: Call) -> tuple[str, ...]:
    """The scopes of which a call needs one."""
    reading = call.method == "GET" or call.rest[-1:] in _READS
    match call.area:
        case "objects" if call.rest[:1] and call.rest[0] in COMPANIES:
            return ("crm.objects.companies.read",) if reading else ("crm.objects.companies.write",)
        case "associations":
            return ("crm.objects.companies.read",) if reading else ("crm.objects.companies.write",)
        case "objects":
            return ("crm.objects.contacts.read",) if reading else ("crm.objects.contacts.write",)
        case "properties":
            return ("crm.schemas.contacts.read", "crm.objects.contacts.read") if reading else ("crm.schemas.contacts.write",)
        case "owners":
            return ("crm.objects.owners.read",)
        case "exports":
            return ("crm.export",)
        case "imports":
            return ("crm.import",)
        case "communication-preferences":
            return ("communication_preferences.read_write", "communication_preferences.read" if reading else "communication_preferences.write")
        case _:
            return ()
