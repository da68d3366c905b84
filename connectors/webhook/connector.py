"""A system that posts events, as the engine sees it: its records are what it told of them. It cannot be looked at, and it is not written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...model.ports import Clock, Inbox
from ...model.records import Observation, Page, Query, Record, Ref, Unreadable
from ...model.writes import Outcome, Rejected, Step, Write
from ..contract import AccountId, Capabilities, FieldDescription, KindDescription, Ports, SystemDescription, Usage
from .events import EMAIL, KIND, STAGE, Reader
from .pull import pull
from .settings import WebhookSettings

_TYPES: Mapping[str, str] = {
    EMAIL: "email",
    "phone": "phone",
    "mobile_phone": "phone",
    "employees": "number",
    "annual_revenue": "number",
    "email_opt_out": "boolean",
}
_STANDARD = (
    *_TYPES,
    *("first_name", "last_name", "job_title", "company", "website", "street", "city", "region", "postal_code", "country", "industry", "lead_source", STAGE),
)


class WebhookConnector:
    """One system behind `POST /hooks/SYSTEM`. Used from one thread."""

    def __init__(self, system: str, settings: WebhookSettings, inbox: Inbox, clock: Clock) -> None:
        self._system, self._settings, self._inbox, self._clock = system, settings, inbox, clock
        self._reader = Reader(system, settings.events)
        self._calls = 0
        self.capabilities = Capabilities(lambda step: (step.operation, 1), reread=1, history=0, looks=False)

    def identity(self) -> AccountId:
        """It has no id of its own: its name in the configuration is one."""
        self._calls += 1
        return AccountId("webhook", self._system)

    def describe(self) -> SystemDescription:
        """Our own fields, and those that the events name besides. None is written."""
        named = {native for table in self._settings.events for native in table.fields}
        fields = {name: FieldDescription(name, name, _TYPES.get(name, "text"), writable=False, creatable=False) for name in sorted({*_STANDARD, *named})}
        return SystemDescription({KIND: KindDescription(KIND, fields, creatable=False)})

    def pull(self, query: Query) -> Iterator[Page]:
        """What was told since the cursor."""
        self._calls += 1
        return pull(self._inbox, self._system, self._reader, query, self._clock.now_ms())

    def fetch(self, refs: Sequence[Ref], fields: Mapping[str, tuple[str, ...]], history: tuple[str, ...] = ()) -> Sequence[Observation]:
        """Nobody can look."""
        return [Unreadable(ref, "this system cannot be looked at") for ref in refs]

    def find(self, kind: str, key: str, values: Sequence[str], fields: tuple[str, ...]) -> Sequence[Record]:
        """Nobody can look."""
        return ()

    def expand(self, write: Write) -> Sequence[Step]:
        """One step."""
        return (Step(write.id, 1, write.operation, write.kind, write.ref, write.values),)

    def write(self, steps: Sequence[Step]) -> Sequence[Outcome]:
        """Nothing is sent to it."""
        return [Rejected("READ_ONLY", "nothing is sent to this system") for _ in steps]

    def usage(self) -> Usage:
        """Reads of the inbox."""
        return Usage(self._calls)

    def close(self) -> None:
        """Let go of the inbox."""
        self._inbox.close()


def open_webhook(system: str, settings: WebhookSettings, ports: Ports) -> WebhookConnector:
    """The connector of one system."""
    assert ports.inbox is not None  # the plugin has hooks
    return WebhookConnector(system, settings, ports.inbox, ports.clock)
