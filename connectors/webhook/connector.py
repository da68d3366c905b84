"""A system that posts events or takes them, as the engine sees it: its records are what it told of them, and what it was told. It cannot be looked at.

What is written goes into the outbox, which is as good as written: from there it is carried to the endpoint however long that takes, so that an endpoint that is
down holds up nobody in any other system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ...model.events import Letter
from ...model.ports import Clock, Inbox, Outbox
from ...model.records import Observation, Page, Query, Record, Ref, Unreadable
from ...model.writes import Applied, Outcome, Rejected, Step, Write
from ..contract import AccountId, Capabilities, FieldDescription, KindDescription, Ports, SystemDescription, Usage
from .courier import Courier
from .events import EMAIL, KIND, STAGE, Reader
from .letters import letters_of
from .line import Line
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


_AT_ONCE = 100


class WebhookConnector:
    """One system behind `POST /hooks/SYSTEM`, or an endpoint of its own, or both. Used from one thread."""

    def __init__(self, system: str, settings: WebhookSettings, inbox: Inbox, outbox: Outbox, clock: Clock, sending: Callable[[], None]) -> None:
        self._system, self._settings, self._inbox, self._outbox, self._clock, self._sending = system, settings, inbox, outbox, clock, sending
        self._reader = Reader(system, settings.events)
        self._calls = 0
        url, secret = settings.endpoint_url, settings.signing_secret
        self._line = Line(url, secret.reveal(), settings.allow_private) if url is not None and secret is not None else None
        self._courier = Courier(system, outbox, self._line, clock, sending) if self._line is not None else None
        self.capabilities = Capabilities(lambda step: (step.operation, _AT_ONCE), reread=_AT_ONCE, history=0, lands_s=0, looks=False)

    def identity(self) -> AccountId:
        """It has no id of its own: its name in the configuration is one."""
        self._calls += 1
        return AccountId("webhook", self._system)

    def describe(self) -> SystemDescription:
        """Our own fields, and those that the events name besides; written where there is an endpoint."""
        named = {native for table in self._settings.events for native in table.fields}
        out = self._courier is not None
        fields = {name: FieldDescription(name, name, _TYPES.get(name, "text"), writable=out, creatable=out) for name in sorted({*_STANDARD, *named})}
        return SystemDescription({KIND: KindDescription(KIND, fields, creatable=out)})

    def pull(self, query: Query) -> Iterator[Page]:
        """What was told since the cursor."""
        self._calls += 1
        return pull(self._inbox, self._system, self._reader, query, self._clock.now_ms(), lambda refs: self._outbox.ours(self._system, refs))

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
        """Put the events of all steps into the outbox, and carry what is due. A step that comes again leaves nothing new there.

        Raises `Busy` where another run has taken over.
        """
        if self._courier is None:
            return [Rejected("NO_ENDPOINT", "nothing is sent to this system: it has no `endpoint_url`") for _ in steps]
        self._sending()
        mark, now = self._outbox.mark(), self._clock.now_ms()
        refs = [step.ref.id if step.ref is not None else f"stagesync-{mark}-{step.id}" for step in steps]
        theirs = self._outbox.theirs(self._system, refs)
        letters: list[Letter] = []
        for step, ref in zip(steps, refs, strict=True):
            letters += letters_of(step, mark, ref, theirs.get(ref, ref), now)
        self._outbox.post(self._system, letters, now)
        named = self._deliver()
        made = {ref for step, ref in zip(steps, refs, strict=True) if step.operation == "create"}
        self._name({ours: other for ours, other in named.items() if ours not in made})
        final = [named.get(ref, ref) if ref in made else ref for ref in refs]
        self._note(steps, final, now)
        return [Applied(Ref(KIND, ref)) for ref in final]

    def _deliver(self) -> Mapping[str, str]:
        if self._courier is None:
            return {}
        before = self._courier.attempts
        named = self._courier.deliver()
        self._calls += self._courier.attempts - before
        return named

    def _name(self, named: Mapping[str, str]) -> None:
        for ours, theirs in named.items():
            self._outbox.name(self._system, ours, theirs)

    def _note(self, steps: Sequence[Step], refs: Sequence[str], now: int) -> None:
        """What we tell is the last word about a field, as if the system had told it."""
        known = self._inbox.times(self._system, refs)
        told = {ref: {**known.get(ref, {}), **dict.fromkeys(step.values, now)} for step, ref in zip(steps, refs, strict=True)}
        self._inbox.note(self._system, told, {})

    def usage(self) -> Usage:
        """Reads of the inbox, and posts."""
        return Usage(self._calls)

    def close(self) -> None:
        """Let go of inbox, outbox and line."""
        self._inbox.close()
        self._outbox.close()
        if self._line is not None:
            self._line.close()


def open_webhook(system: str, settings: WebhookSettings, ports: Ports) -> WebhookConnector:
    """The connector of one system."""
    assert ports.inbox is not None  # the plugin tells
    assert ports.outbox is not None
    return WebhookConnector(system, settings, ports.inbox, ports.outbox, ports.clock, ports.sending)
