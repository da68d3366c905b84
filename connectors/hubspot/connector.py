"""One open HubSpot account, as the contract has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ...model.companies import By, Company, Found
from ...model.ports import Rate
from ...model.records import Observation, Page, Query, Record, Ref
from ...model.writes import Outcome, Step, Write
from ..companies import Known
from ..contract import AccountId, Capabilities, Ports, SystemDescription, Tier, Usage
from ..hints import Hints
from . import companies as firms
from . import consent, links, read
from . import describe as about
from . import pull as pulling
from .client import IN_FLIGHT, Client
from .consent import OPT_OUT
from .errors import KIND
from .history import HISTORY_PAGE
from .imports.calls import all_ended
from .imports.passage import Passage
from .imports.ways import bulk
from .own import Sample, learned_app, sample_of
from .rows import EMAIL
from .scopes import lacking
from .settings import HubSpotSettings
from .write import STAGE, write


def _batch(step: Step) -> tuple[str, int]:
    if step.address is not None:
        return "opt-out", 1
    return ("link" if links.is_link(step) else f"{step.kind}:{step.operation}"), read.BATCH


def _beside(step: Step) -> int:
    """A new contact's opt-out goes ahead of it by a call of its own."""
    return int(step.operation == "create" and bool(step.values.get(OPT_OUT)))


_TIERS = (
    Tier("Free or Starter", 250_000, Rate(100, 10)),
    Tier("Professional", 625_000, Rate(190, 10)),
    Tier("Enterprise", 1_000_000, Rate(190, 10)),
    Tier("Enterprise with the API add-on", 2_000_000, Rate(250, 10)),
)
"""Calls of a private app or service key (HubSpot docs, API usage details)."""
_CAPABILITIES = Capabilities(batch=_batch, reread=read.BATCH, history=HISTORY_PAGE, unique=frozenset({EMAIL}), tiers=_TIERS, abreast=IN_FLIGHT, beside=_beside)

_LANDING_S = 600.0
"""How long a run waits for imports that an earlier one has posted."""

_NAMELESS = "the portal does not tell its id: it is recognised by address and credential, so that another token will look like another account"


class HubSpot:
    """Contacts of one portal."""

    def __init__(self, client: Client, hints: Hints) -> None:
        self._client = client
        self._hints = hints
        self._app_id = client.settings.app_id
        self._capabilities = replace(_CAPABILITIES, lands_s=client.line.patience.lands_s, pace=client.pace)
        self._asked: set[str] = {STAGE}
        self._sample: Sample | None = None
        self._stages: Mapping[str, int] | None = None
        self._nameless = False
        self._companies = Known(firms.LINK)
        self._passage = Passage(client)
        self._left: int | None = None
        self._backward = f"backward_stage_{client.settings.api_version.replace('-', '_')}"

    @property
    def capabilities(self) -> Capabilities:
        """Batches of 100, field-level history, unique e-mail; imports, where the calls that are left today make them pay."""
        left = self._client.line.left
        if self._capabilities.bulk is None or left != self._left:
            self._left, self._capabilities = left, replace(self._capabilities, bulk=bulk(left))
        return self._capabilities

    def identity(self) -> AccountId:
        """The portal. `own_actor` is the app's id, once it is known."""
        found = about.identity(self._client, self._app_id)
        self._nameless = about.is_nameless(found)
        return found

    def describe(self) -> SystemDescription:
        """The properties of contacts, and second writers."""
        described = about.describe(self._client)
        if self._nameless:
            described = replace(described, findings=(*described.findings, _NAMELESS))
        stage = described.kinds[KIND].fields.get(STAGE)
        self._stages = {option.value: option.order for option in stage.options} if stage is not None else None
        return described

    def pull(self, query: Query) -> Iterator[Page]:
        """What webhooks hint at, and then as the module `pull` has it."""
        self._asked |= set(query.fields.get(KIND, ()))
        return self._hints.then(query, self.fetch, partial(pulling.pull, self._client))

    def fetch(self, refs: Sequence[Ref], fields: Mapping[str, tuple[str, ...]], history: tuple[str, ...] = ()) -> Sequence[Observation]:
        """See the module `read`."""
        self._asked |= set(fields.get(KIND, ()))
        if history and self._app_id is None and self._sample is not None:
            self._app_id = learned_app(self._client, self._sample)
        return read.fetch(self._client, refs, fields.get(KIND, ()), history, self._app_id)

    def find(self, kind: str, key: str, values: Sequence[str], fields: tuple[str, ...]) -> Sequence[Record]:
        """By e-mail (secondary addresses as far as HubSpot finds them), record id, or a property with unique values."""
        self._asked |= set(fields)
        return read.find(self._client, key, values, fields) if kind == KIND else ()

    def expand(self, write: Write) -> Sequence[Step]:
        """An opt-out goes first, an address a step. A stage that goes back by the portal's own order is cleared in one request and set in the next: HubSpot
        moves it forward only, unless this portal was seen to apply it, where nobody need be without a stage in between."""
        steps = [Step(write.id, 1, "update", write.kind, write.ref, {OPT_OUT: write.values[OPT_OUT]}, address) for address in consent.addresses(write)]
        plain = {name: value for name, value in write.values.items() if name != OPT_OUT}
        if plain or not steps:
            back = self._goes_back(write)
            steps.append(Step(write.id, 1, write.operation, write.kind, write.ref, {**plain, STAGE: None} if back else plain))
            steps += [Step(write.id, 1, write.operation, write.kind, write.ref, {STAGE: plain[STAGE]})] if back else []
        return tuple(replace(step, number=number) for number, step in enumerate(steps, 1))

    def write(self, steps: Sequence[Step]) -> Sequence[Outcome]:
        """See the modules `write` and `consent`."""
        if steps and steps[0].address is not None:
            return self._client.abreast([partial(consent.write, self._client, step) for step in steps])
        if steps and links.is_link(steps[0]):
            return links.write(self._client, steps)
        many = bool(steps) and steps[0].operation == "create" and len(steps) >= self._passage.least
        outcomes = write(self._client, steps, self._asked, self._passage if many else None)
        if many:  # what an import wrote does not bear the app's id
            return outcomes
        if self._app_id is None and self._sample is None:
            self._sample = next((sample for step, outcome in zip(steps, outcomes, strict=True) if (sample := sample_of(step, outcome))), None)
        return outcomes

    def companies(self, wanted: Sequence[Company], by: By, *, make: bool) -> Sequence[Found]:
        """The record of each company. One that was found or made is not looked for again."""
        return self._companies.ask(wanted, by, lambda asked: firms.companies(self._client, asked, by, make=make))

    def landed(self) -> bool:
        """Wait for our imports, whoever posted them."""
        return all_ended(self._client, _LANDING_S)

    def lacks(self) -> Sequence[str]:
        """See the module `scopes`."""
        return lacking(self._client)

    def usage(self) -> Usage:
        """Calls, seconds, the daily quota where HubSpot tells it, and how imports went."""
        return replace(self._client.line.meter.usage(), remarks=tuple(self._passage.remarks))

    def close(self) -> None:
        """Give back the connection."""
        self._client.close()
        self._hints.close()

    def _goes_back(self, write: Write) -> bool:
        stage, before = write.values.get(STAGE), write.before.get(STAGE)
        if write.operation != "update" or not stage or not before or stage == before or self._client.answers.get(self._backward) == "applied":
            return False
        if self._stages is None:
            self._stages = about.stage_order(self._client)
        target = self._stages.get(str(stage))
        # A stage that is no longer in the account's list has no place: cleared first, the new one lands in any case.
        return target is not None and target < self._stages.get(str(before), len(self._stages))


def open_account(system: str, settings: HubSpotSettings, ports: Ports, pool: Any = None) -> HubSpot:
    """Open an account without calling it. `pool` takes the place of urllib3's pool manager. Raises `ConfigurationError` for a bad `base_url`."""
    inbox = ports.inbox if settings.hook_secrets else None
    return HubSpot(Client(system, settings, ports, pool), Hints(inbox, system, ports.clock))
