"""What a connector is: the one door between the engine and a system.

Vocabulary: a *kind* is `contact` or `lead`; a *ref* addresses a record; values are *native* (see `model.records`).
Whatever concerns one row is returned as a value (`Rejected`, `Unknown`, `Gone` ...). What stops everything is raised:
`CredentialError`, `Unreachable`, `QuotaSpent`, `ConfigurationError` (see `model.errors`).

A connector is used from one thread at a time. It never retries a call whose repetition could do harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, get_args, runtime_checkable

from ..model.companies import By, Company, Found
from ..model.events import Event
from ..model.ports import Clock, Inbox, Limiter, Outbox, Rate, TokenStore
from ..model.records import Observation, Page, Query, Record, Ref
from ..model.writes import Operation, Outcome, Step, Write


@dataclass(frozen=True, slots=True)
class AccountId:
    """Whose data this is. `id` is the portal or org id; `own_actor` recognises our own writes (user id, app id), where known.

    `zone` is the account's time zone (IANA name), used where a datetime becomes a date.
    """

    vendor: str
    id: str
    name: str = ""
    zone: str = "UTC"
    own_actor: str | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a choice field, in the account's own order. `done`: a Salesforce lead status that means converted. `name`: of a user, whose label is the
    address, what they are called."""

    value: str
    label: str
    order: int
    active: bool = True
    done: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class FieldDescription:
    """One native field as the account has it. `type` is one of text, email, phone, number, boolean, date, datetime, choice, multichoice, reference, other.

    `writable` on update, `creatable` on create; `length` in characters; `scale` in digits after the point; `restricted`: only `options` are taken.
    """

    name: str
    label: str
    type: str
    writable: bool
    creatable: bool
    required: bool = False
    length: int | None = None
    scale: int | None = None
    options: tuple[Option, ...] = ()
    restricted: bool = False
    unique: bool = False


@dataclass(frozen=True, slots=True)
class KindDescription:
    """One kind of record: its fields by native name. Fields that the credential may not see are not in it."""

    kind: str
    fields: Mapping[str, FieldDescription]
    creatable: bool = True


@dataclass(frozen=True, slots=True)
class SystemDescription:
    """What the account looks like. `findings` are facts that somebody should know (a second writer, a missing scope), as sentences.

    `users`: user id, as the histories name it -> e-mail address, those included who no longer work there; empty where they cannot be seen.
    """

    kinds: Mapping[str, KindDescription]
    findings: tuple[str, ...] = ()
    users: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Tier:
    """What the vendor lets accounts of one edition do: so many API calls a `day`, and at most so many at a time where there is such a limit."""

    name: str
    day: int
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Bulk:
    """Many steps at once, where the vendor takes them as a job of its own: from `least` of one batch key on, up to `most` travel in one `write`.

    `calls`: about so many for each job. `operations`: of which there are jobs. `beyond`: only where a run plans more of an operation than that, since for so
    many the usual way has calls enough; `why`: words that say so, after "by calls like any other it would take so many, and".
    """

    least: int
    most: int
    calls: int
    operations: frozenset[Operation] = frozenset(get_args(Operation))
    beyond: float = 0
    why: str = ""

    def takes(self, operation: Operation, rows: int) -> bool:
        """So many rows that travel in one `write` are a job."""
        return operation in self.operations and rows >= self.least

    def pays(self, operation: Operation, planned: int) -> bool:
        """So many that a run plans should travel in jobs."""
        return self.takes(operation, planned) and planned > self.beyond


def _nothing(_step: Step) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this kind of system can do.

    `batch(step)` gives (key, size): steps with one key may travel in one request of at most `size`; `abreast`: so many such requests are under way at once
    in one `write`, and as many reads in one `fetch`; `bulk`: or, where there are so many steps, they travel in another way.
    `reread`: how many refs one `fetch` call reads, where a record should be read again before an update.
    `history`: about how many refs one call reads with the versions of their fields; 0 where there is no history.
    `unique`: native fields of which the vendor itself refuses a second equal value.
    `lands_s`: a request may still be carried out so many seconds after it was begun, even if whoever sent it is dead.
    `unfed`: native fields that can change without any feed telling it (Salesforce: a contact's role in an opportunity that was deleted).
    `pace`: what we allow ourselves of a limit for calls in a while, where there is one.
    `looks`: records can be looked at. Where they cannot (a receiver of webhooks), they are told part by part, `fetch` and `find` are never called, what
    was sent is sent again under the same number where nobody knows what became of it, and what was acknowledged counts as stored.
    `tiers`: the vendor's editions, by which the cost of a big run is told.
    `beside(step)`: how many more requests that step makes beside the one in which it travels.
    """

    batch: Callable[[Step], tuple[str, int]]
    reread: int
    history: int
    unique: frozenset[str] = frozenset()
    unfed: frozenset[str] = frozenset()
    lands_s: float = 60.0
    looks: bool = True
    pace: Rate | None = None
    tiers: tuple[Tier, ...] = ()
    abreast: int = 1
    bulk: Bulk | None = None
    beside: Callable[[Step], int] = _nothing


@dataclass(frozen=True, slots=True)
class Usage:
    """What a connector has used so far: API calls, seconds spent waiting for answers, and the account's daily quota where told.

    `spared`: about so many calls more it would have taken if everybody had been read by pages, as another day may have it. `remarks`: what somebody may want to
    know of how it was written.
    """

    calls: int = 0
    vendor_s: float = 0.0
    daily_used: int | None = None
    daily_limit: int | None = None
    spared: int = 0
    remarks: tuple[str, ...] = ()


class Connector(Protocol):
    """One open connection to one account."""

    @property
    def capabilities(self) -> Capabilities:
        """What this system can do; constant."""
        ...

    def identity(self) -> AccountId:
        """Whose data is behind the credential. Raises `CredentialError` where it is refused."""
        ...

    def describe(self) -> SystemDescription:
        """Kinds, fields, options and their order, what is writable, and findings."""
        ...

    def pull(self, query: Query) -> Iterator[Page]:
        """Everything (no cursor) or what changed since the cursor, with what is gone and what moved.

        Each page's cursor covers all up to it: a pull that breaks off is taken up from the last page's cursor.
        The last page is always yielded, empty if need be, so that the cursor moves. Records may come twice.
        """
        ...

    def fetch(self, refs: Sequence[Ref], fields: Mapping[str, tuple[str, ...]], history: tuple[str, ...] = ()) -> Sequence[Observation]:
        """Read these records now: one observation per ref, in their order. `fields` by kind; `history`: native fields whose versions are wanted."""
        ...

    def find(self, kind: str, key: str, values: Sequence[str], fields: tuple[str, ...]) -> Sequence[Record]:
        """All live records of the kind whose native field `key` equals one of the values, without asking a lagging index."""
        ...

    def expand(self, write: Write) -> Sequence[Step]:
        """The steps that the vendor needs for this write (HubSpot: a stage going back is cleared first, then set)."""
        ...

    def write(self, steps: Sequence[Step]) -> Sequence[Outcome]:
        """Send the steps, all of one batch key, in one request, or in several at once; one outcome per step, in their order.

        A request that the vendor refuses as a whole wrote nothing: it may be sent again without the rows at fault, or in parts, so that they fail alone
        (`connectors.splitting`). A step that was not given is never sent.
        """
        ...

    def usage(self) -> Usage:
        """Counters since the connector was opened."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...


Result = TypeVar("Result")


class Abreast(Protocol):
    """How several requests to one account are under way at once."""

    def __call__(self, works: Sequence[Callable[[], Result]], most: int) -> list[Result]:
        """Do all of them, at most so many at once; their results in the order of the works. Raises what one raised, once none is under way any more."""
        ...


class Flow(Protocol):
    """How requests to one account follow each other where the next one depends on what those before it gave."""

    def __call__(self, more: Callable[[], Callable[[], Result] | None], most: int) -> Iterator[Result]:
        """What the works give, each as it ends. `more` gives the next work, or None where there is none before another has ended; it is asked by whoever takes
        the results, as long as fewer than `most` are under way. Over when none is under way and there is none. Raises what one raised, once none is under way
        any more. Once it is closed, none is begun.
        """
        ...


def one_by_one(works: Sequence[Callable[[], Result]], most: int) -> list[Result]:
    """One after the other."""
    return [work() for work in works]


def one_at_a_time(more: Callable[[], Callable[[], Result] | None], most: int) -> Iterator[Result]:
    """Each one begun when the one before it has ended."""
    while (work := more()) is not None:
        yield work()


def unwatched() -> None:
    """Nobody else can be running."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What `app` gives a connector to live with.

    `sending` is called before each request that changes something, a repeated one too. It raises `Busy` where another run has taken over: nothing is sent then.
    `abreast`, `flow`: a connector is used from one thread at a time; what it does with several of its own is asked for here, so that a test can have it in
    an order that it can repeat. `inbox`, `outbox`: only for a connector whose system tells by itself (`Telling`), which closes them with itself.
    `answers`: what `stagesync probe` found out about this very account, by the names of the experiments. Without one, every way must be expected.
    """

    clock: Clock
    limiter: Limiter
    tokens: TokenStore
    sending: Callable[[], None] = unwatched
    inbox: Inbox | None = None
    outbox: Outbox | None = None
    answers: Mapping[str, str] = field(default_factory=dict[str, str])
    abreast: Abreast = one_by_one
    flow: Flow = one_at_a_time


@runtime_checkable
class Lasting(Protocol):
    """What a connector has in addition whose `bulk` writes go on by themselves once they were sent, also where whoever sent them is dead."""

    def landed(self) -> bool:
        """Wait for the end of what was sent in bulk, by this program or by one before it. False: some of it still goes on, and may for long."""
        ...


@runtime_checkable
class Companies(Protocol):
    """What a connector has in addition whose system keeps companies as records of their own, to which people are linked."""

    def companies(self, wanted: Sequence[Company], by: By, *, make: bool) -> Sequence[Found]:
        """The record of each, in their order. `make`: one that is not there is made, after it was looked for; whoever asks again finds it then."""
        ...


class Plugin(Protocol):
    """What a module registers under the entry-point group `stagesync.connectors`."""

    @property
    def name(self) -> str:
        """The word in `connector = "..."`."""
        ...

    @property
    def settings(self) -> type[Any]:
        """A pydantic model of the `[systems.NAME]` keys that belong to this connector; credentials are typed `Secret`.

        It is validated with the context `{"folder": ...}`: the configuration's own, to which the paths in it are relative.
        """
        ...

    def defaults(self) -> Mapping[str, Any]:
        """The default maps of this vendor (parsed from the TOML file that it ships; format: see `mapping.defaults`)."""
        ...

    def open(self, system: str, settings: Any, ports: Ports) -> Connector:
        """Open the account; `settings` is an instance of `self.settings`. Makes no call yet."""
        ...


@dataclass(frozen=True, slots=True)
class Post:
    """A request that somebody sent us. `path`: with its query, as it came. `headers`: names in lower case. `received`: by our clock (ms).

    `url`: the address at which it was sent, as far as the configuration tells how the outside reaches us; a proxy may have rewritten what the request says.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    received: int
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a system wants to hear."""

    status: int = 204
    body: bytes = b""
    media_type: str | None = None


class Hooks(Protocol):
    """How one system tells us by itself what happened: by what its posts are known to be its own, and what is in them. Used from several threads."""

    @property
    def media_types(self) -> frozenset[str]:
        """The content types that it sends."""
        ...

    @property
    def covers_address(self) -> bool:
        """What proves a post covers the address to which it was sent, so that nothing is proved where nobody tells us that address."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What somebody who sets it up should know, and what nobody can look up from here: sentences for `check`."""
        ...

    def verify(self, post: Post) -> str | None:
        """Why the post is not to be believed, in two or three words without anything that came with it; None: it is the system's own. Never raises.

        It sees the raw body, before anybody takes it apart. What is compared with a secret is compared in constant time.
        """
        ...

    def read(self, post: Post) -> Sequence[Event]:
        """The events of a post that is believed. Raises `ValueError` where it cannot be understood; its text may hold nothing that came with the post."""
        ...

    def reply(self) -> Reply:
        """What it wants to hear once its events are kept."""
        ...


@runtime_checkable
class Telling(Plugin, Protocol):
    """What a plugin has in addition whose systems tell something by themselves."""

    def hooks(self, system: str, settings: Any) -> Hooks | None:
        """How this system's posts are read; None where its settings say nothing of posts."""
        ...

    def heard(self, cursor: str, mark: str) -> int:
        """The number of the last event of the inbox with this mark that a pull up to this cursor has read; 0: none."""
        ...
