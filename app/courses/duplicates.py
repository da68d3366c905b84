"""What `stagesync duplicates` does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...model.errors import ConfigurationError
from ...model.records import Ref
from ...state import accounts, links, sameness
from ...state.links import MATCHED, LinkRow
from ...state.store import Tx
from ...sync.duplicates.deciding import decide
from ...sync.duplicates.profile import Profile, profile_of
from ...sync.duplicates.rulings import Decision, Line, Ruling, contradictions, read_rulings
from ...sync.duplicates.score import PROPOSED
from ...sync.duplicates.search import Decided, Found, count_duplicates, find_duplicates
from ...sync.session import Connected, Session
from .. import wiring
from ..configuration.loading import load
from ..configuration.system_config import SystemConfig
from ..terminal import output
from ..terminal.files import expect_folder
from ..views.duplicates import FORMS, decided_json, decided_text, found_json, found_text
from ..views.plan_files import whole_file
from ..wiring import Place
from .review import clusters, read_review, unusable

_PAGE = 2_000


def find(system: str, out: Path, at_least: int, path: Path | None, *, json: bool) -> int:
    """Look for duplicates among the records of a system as they were read last, and write the review. Asks no system.

    Raises `ConfigurationError` for a system that is not known or was not read yet, or an `out` of another form; `StateError` where it cannot be written.
    """
    form = FORMS.get(out.suffix.lower())
    if form is None:
        raise ConfigurationError("a review is a .csv, or an .html to look at", where=f"--out {out}", next_step=f"end the name in {' or '.join(FORMS)}")
    expect_folder(out, "--out")
    with wiring.opened(load(path)) as place, wiring.recalled(place) as session:
        connected = _connected(session, system)
        found = propose(place, connected, at_least)
        if not found.records:
            raise ConfigurationError(
                f"no record of {system} was read yet", where="SYSTEM", next_step="run `stagesync plan` first: it reads, and writes nowhere"
            )
        urls = record_urls(place, place.config.systems[system], connected)
        with whole_file(out) as file:
            form(system, found, clusters(place, connected, found.groups, urls), file)
    if json:
        output.say_json(found_json(system, found, out))
    else:
        output.say_all(found_text(system, found, out))
    return 0


def propose(place: Place, connected: Connected, at_least: int = PROPOSED) -> Found:
    """The records of a system, as they were read last, that may be the same human's, and of which nobody has decided that."""
    return find_duplicates(_profiles(place, connected), at_least, _decided(place, connected))


def count(place: Place, connected: Connected) -> tuple[int, int]:
    """How many groups would be proposed, and how many records are in them."""
    return count_duplicates(_profiles(place, connected), _decided(place, connected))


def _decided(place: Place, connected: Connected) -> Decided:
    with place.store.read() as tx:
        known = sameness.of_account(tx, place.id, connected.system.account)

    def decided(one: Ref, other: Ref) -> Decision | None:
        pair = (min(one, other), max(one, other))
        return None if pair not in known else "different" if known[pair] is None else "same"

    return decided


def apply(file: Path, path: Path | None, *, json: bool) -> int:
    """Take the decisions of a review into the state: all of them, or none. The next sync acts on them.

    Raises `ConfigurationError` for a file that was changed, contradicts itself or what was decided before, or names records that are not there any more;
    `SafetyStop` while a write is open.
    """
    system, lines = read_review(file)
    rulings, wrong = read_rulings(system, lines)
    if wrong:
        raise unusable(file, wrong)
    with wiring.opened(load(path)) as place, wiring.held(place, "duplicates apply"), place.store.write() as tx:
        account = _account(place, tx, system, file)
        known = links.by_refs(tx, place.id, account, {line.ref for line in lines})
        wrong = [*_stale(system, lines, known), *_against_before(tx, place, account, rulings)]
        if wrong:
            raise unusable(file, wrong)
        decide(tx, place.id, rulings, known, place.clock.now_ms())
    if json:
        output.say_json(decided_json(lines, rulings))
    else:
        output.say_all(decided_text(lines, rulings))
    return 0


def record_urls(place: Place, config: SystemConfig, connected: Connected) -> dict[str, str]:
    """What goes before a record's id to make the address of its page, by kind; empty for a system that has no pages that we know.

    HubSpot: `/contacts/PORTAL/record/0-1/ID` on the app's host, which sends on to the portal's region. Salesforce: the id behind the org's own address.
    """
    if config.connector == "salesforce":
        return dict.fromkeys(connected.system.map.kinds, f"{config.settings.instance_url.rstrip('/')}/")
    if config.connector == "hubspot":
        with place.store.read() as tx:
            portal = accounts.by_id(tx, connected.system.account).ref
        return {"contact": f"https://app.hubspot.com/contacts/{portal}/record/0-1/"}
    return {}


def _account(place: Place, tx: Tx, system: str, file: Path) -> int:
    """The account's number. Raises `ConfigurationError` for a system that this configuration has not."""
    account = accounts.bound(tx, place.id).get(system) if system in place.config.systems else None
    if account is None:
        known = ", ".join(place.config.systems)
        raise ConfigurationError(f"the review is of {system!r}, which this configuration does not know", where=str(file), next_step=f"it knows: {known}")
    return account


def _connected(session: Session, system: str) -> Connected:
    found = next((each for each in session.systems.values() if each.name == system), None)
    if found is None:
        known = ", ".join(each.name for each in session.systems.values())
        raise ConfigurationError(f"there is no system {system!r}", where="SYSTEM", next_step=f"name one of: {known}")
    return found


def _profiles(place: Place, connected: Connected) -> Iterator[Profile]:
    """Every record that is there, page by page."""
    kinds = connected.system.map.kinds
    for rows in links.pages(place.store, place.id, connected.system.account, _PAGE):
        yield from (profile_of(kinds[row.kind], row.address, row.seen) for row in rows if row.state in MATCHED and row.kind in kinds)


def _stale(system: str, lines: list[Line], known: dict[Ref, LinkRow]) -> Iterator[str]:
    for line in lines:
        row, name = known.get(line.ref), f"{system} {line.ref.kind} {line.ref.id}"
        if row is None:
            yield f"line {line.number}: {name} is not known"
        elif row.state not in MATCHED:
            what = "merged or converted" if row.state == "moved" else "deleted or left out"
            yield f"line {line.number}: {name} is not there any more: {what} since the review"


def _against_before(tx: Tx, place: Place, account: int, rulings: list[Ruling]) -> list[str]:
    """What contradicts earlier decisions about other pairs. About the same two records the later decision counts."""
    now = {each[:2] for each in rulings}
    before = [Ruling(*refs, survivor) for refs, survivor in sameness.of_account(tx, place.id, account).items() if refs not in now]
    return contradictions([*rulings, *before])
