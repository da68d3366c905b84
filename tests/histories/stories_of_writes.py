"""Stories of writes: they fail, meet an edit, land late or are refused, and nobody's value is lost by it and nobody made twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

from story import CALLS, ORDERS, UPDATES, WORLDS, Case, Meddled, acquainted, email, human, places, unwritten
from weather import FAIR

from stagesync.sandbox.faults import TROUBLES, Fault

SAVED_S = 30.0
"""So long may Salesforce take to save what somebody typed."""


def edited_again() -> Iterator[Case]:
    """A write fails at some place, and somebody edits the same field before we know what became of it; or nothing fails, and it is edited between two calls."""
    for order, first, again in product(ORDERS, WORLDS, WORLDS):
        for fault, place, number in (*(("none", again, number) for number in range(1, CALLS[again] + 1)), *places()):

            def story(lab: Meddled, fault: str = fault, place: str = place, number: int = number, first: str = first, again: str = again) -> Iterator[str]:
                acquainted(lab)
                lab.type(human(lab, first), "city", "Ulm")

                def edit() -> None:
                    lab.type(human(lab, again), "city", "Kiel")

                if fault == "none":
                    lab.moments[(again, number)] = edit
                elif fault == "dies":
                    lab.dies_at = (place, number)
                else:
                    lab.worlds()[place].faults.add(Fault(fault, skip=number - 1))  # pyright: ignore[reportArgumentType] - one of its kinds
                lab.round()
                if fault != "none":
                    lab.calm()
                    edit()
                yield from ()

            yield Case("edited again", f"{first} first, {fault} at {place} {number}, edited in {again}, order {order[0]}", story, {"order": order})


def typed_back() -> Iterator[Case]:
    """A write is lost, and the field's history shows an older write of the very same value: that one does not count."""
    for number in (3, 4, 5):

        def story(lab: Meddled, number: int = number) -> Iterator[str]:
            acquainted(lab)
            for city in ("Ulm", "Kiel"):
                lab.type(human(lab, "crm"), "city", city)
                lab.round()
                lab.later()
            lab.type(human(lab, "crm"), "city", "Ulm")
            lab.hub.faults.add(Fault("lost_before", UPDATES["hub"]))
            lab.moments[("hub", number)] = lambda: lab.type(human(lab, "hub"), "city", "Hof")
            for _ in range(3):
                lab.round()
                lab.later()
            for world in WORLDS:
                if human(lab, world).values["city"] != "Ulm":
                    yield f"crm goes first, so the city is Ulm, and {world} says {human(lab, world).values['city']}"

        yield Case("typed back", f"edited in hub before call {number}", story, {"order": ORDERS[1]})


def taken_back() -> Iterator[Case]:
    """The answer to a write of two fields is lost in a system without a history of fields, and somebody puts one of them back to what it was."""
    for number in range(4, 10):

        def story(lab: Meddled, number: int = number) -> Iterator[str]:
            acquainted(lab)
            for field in ("city", "job_title"):
                lab.type(human(lab, "hub"), field, "Ulm")
            lab.crm.faults.add(Fault("lost_after", UPDATES["crm"]))
            lab.moments[("crm", number)] = lambda: lab.type(human(lab, "crm"), "city", before) if human(lab, "crm").values["city"] == "Ulm" else None
            before = human(lab, "crm").values["city"]
            for _ in range(3):
                lab.round()
                lab.later()
            back = any(doing.world == "crm" for doing in lab.doings[-1:])
            if back and human(lab, "crm").values["city"] != before:
                yield f"somebody put {before} back, and {human(lab, 'crm').values['city']} was written over it"

        yield Case("taken back", f"before call {number}", story)


def hidden() -> Iterator[Case]:
    """A right is lost between two calls of a run whose write is lost: what the look does not show is no blank. Or it comes back between two calls of a run that
    writes something else to somebody who came meanwhile."""
    for number in range(1, CALLS["hub"] + 4):

        def lost(lab: Meddled, number: int = number) -> Iterator[str]:
            acquainted(lab)
            lab.type(human(lab, "crm"), "city", None)
            lab.hub.faults.add(replace(TROUBLES["page 200"], match=UPDATES["hub"]))
            lab.moments[("hub", number)] = lambda: lab.hub.switch(hidden_properties=("city",))
            lab.round()
            lab.cleared()
            for _ in range(3):
                lab.later()
                lab.round()
            for world in WORLDS:
                if human(lab, world).values["city"] is not None:
                    yield f"the city was cleared, and {world} says {human(lab, world).values['city']}"

        def shown(lab: Meddled, number: int = number) -> Iterator[str]:
            acquainted(lab)
            lab.hub.switch(hidden_properties=("city",))
            lab.make("hub", "Human3", {"email": email("Human3"), "city": "Ulm", "stage": "lead"})
            for _ in range(3):
                lab.round()
                lab.later()
            lab.type(human(lab, "crm", "Human3"), "stage", "sal")
            lab.moments[("hub", number)] = lambda: lab.hub.switch(hidden_properties=())
            for _ in range(3):
                lab.round()
                lab.later()
            if human(lab, "crm", "Human3").values["city"] != "Ulm":
                yield f"Ulm was typed in hub, and crm says {human(lab, 'crm', 'Human3').values['city']}"

        yield Case("hidden", f"lost before call {number}", lost)
        yield Case("hidden", f"shown again before call {number}", shown)


def made_twice() -> Iterator[Case]:
    """The same person is made by somebody while we are about to make them."""
    for first, number in product(WORLDS, range(1, 9)):
        other = "crm" if first == "hub" else "hub"

        def story(lab: Meddled, first: str = first, other: str = other, number: int = number) -> Iterator[str]:
            acquainted(lab)
            lab.make(first, "Human3", {"email": email("Human3"), "city": "Ulm", "stage": "lead"})
            reads: list[int] = []

            def make() -> None:
                reads.append(len(lab.sent))
                lab.make(other, "Human3", {"email": email("Human3"), "city": "Kiel", "stage": "lead"})

            lab.moments[(other, number)] = make
            lab.round()
            yield from _looked_up(lab, other, reads)

        yield Case("made twice", f"made in {first}, and in {other} before call {number}", story)


def _looked_up(lab: Meddled, world: str, since: list[int]) -> Iterator[str]:
    """Whoever was there before we could look is not made again."""
    for start in since:
        calls = [request for name, request in lab.sent[start:] if name == world]
        create = next((index for index, request in enumerate(calls) if _creates(request)), 0)
        looked = any("FROM Lead" in request.arg("q") and "Human3" in request.arg("q").title() for request in calls[:create])
        rows = [row for row in lab.rows(world) if row.values["email"] == email("Human3")]
        if looked and len(rows) > 1:
            yield f"{len(rows)} records of Human3 in {world}, one of which was there before we could look"


def _creates(request: Any) -> bool:
    return request.method == "POST" and request.path.endswith(("/composite/sobjects", "/batch/create"))


def landed_late() -> Iterator[Case]:
    """A create is lost on the way, and arrives while the next run is under way, before that one looks whether the record is there."""
    for number in range(1, 5):

        def story(lab: Meddled, number: int = number) -> Iterator[str]:
            acquainted(lab)
            lab.make("hub", "Human3", {"email": email("Human3"), "city": "Ulm", "stage": "lead"})
            lab.crm.faults.add(Fault("lost_before", "POST /services/data/v66.0/composite/sobjects"))
            lab.round()
            lost = next(request for name, request in lab.sent if name == "crm" and b"Human3" in request.body)
            since: list[int] = []

            def land() -> None:
                since.append(len(lab.sent))
                lab.crm.answer(lost)

            lab.moments[("crm", number)] = land
            lab.later()
            lab.round()
            yield from _looked_up(lab, "crm", since)

        yield Case("landed late", f"before call {number}", story)


def saved_late() -> Iterator[Case]:
    """What somebody typed in Salesforce is saved only as one of the calls arrives of a run that writes the same field: perhaps the write itself."""
    for order, number in product(ORDERS, range(1, CALLS["crm"] + 1)):

        def story(lab: Meddled, number: int = number) -> Iterator[str]:
            acquainted(lab)
            lab.type(human(lab, "crm"), "city", "Kiel")
            lab.type(human(lab, "hub"), "city", "Ulm")

            def pass_time() -> None:
                lab.clock.at += SAVED_S

            lab.moments[("crm", number)] = pass_time
            lab.round()
            yield from ()

        weather = replace(FAIR, crm=replace(FAIR.crm, commit_lag_s=SAVED_S))
        yield Case("saved late", f"with call {number}, order {order[0]}", story, {"weather": weather, "order": order})


def conflicts() -> Iterator[Case]:
    """Two edits, neither of whose authors saw the other's: the configured order decides, whatever happened to the write in between."""
    for order, first, fault in product(ORDERS, WORLDS, ("none", "lost_before", "refused")):

        def story(lab: Meddled, order: tuple[str, ...] = order, first: str = first, fault: str = fault) -> Iterator[str]:
            acquainted(lab)
            second = "crm" if first == "hub" else "hub"
            lab.type(human(lab, first), "city", "Ulm")
            if fault == "none":
                lab.type(human(lab, second), "city", "Kiel")
            else:
                yield from unwritten(lab, second)
                lab.type(human(lab, second), "city", "Kiel")
            lab.later()
            for _ in range(3):
                lab.round()
            wanted = "Ulm" if order[0] == first else "Kiel"
            for world in WORLDS:
                if human(lab, world).values["city"] not in (wanted,):
                    yield f"{order[0]} goes first, so the city is {wanted}, and {world} says {human(lab, world).values['city']}"

        yield Case("conflicts", f"{first} first, {fault}, order {order[0]}", story, {"order": order})


def gone_on() -> Iterator[Case]:
    """Two make the same change, neither knowing of the other; one of them goes on from there, before or after the other makes it, and it is the last word."""
    for order, first, field, late in product(ORDERS, WORLDS, ("city", "email"), (False, True)):

        def story(lab: Meddled, first: str = first, field: str = field, late: bool = late) -> Iterator[str]:
            acquainted(lab)
            second = "crm" if first == "hub" else "hub"
            lab.type(human(lab, first), field, "same@x.example")
            yield from unwritten(lab, second)
            for world in (first, second) if late else (second, first):
                lab.type(human(lab, world), field, "further@x.example" if world == first else "same@x.example")
            lab.later()
            for _ in range(3):
                lab.round()
            for world in WORLDS:
                if human(lab, world).values[field] != "further@x.example":
                    yield f"{first} went on from what both said, and {world} says {human(lab, world).values[field]}"

        yield Case("gone on", f"{first} went on in {field}, {'before' if late else 'after'} the other said the same, order {order[0]}", story, {"order": order})


def altered_and_typed_back() -> Iterator[Case]:
    """The answer to a write of two fields is lost, one of which the vendor stores in another case; somebody puts the other one back to what it was before."""
    for order in ORDERS:

        def story(lab: Meddled) -> Iterator[str]:
            acquainted(lab)
            for field in ("city", "job_title"):
                lab.type(human(lab, "hub"), field, "Ulm")
            before = human(lab, "crm").values["city"]
            lab.crm.faults.add(Fault("lost_after", UPDATES["crm"]))
            lab.round()
            lab.later()
            lab.type(human(lab, "crm"), "city", before)
            for _ in range(3):
                lab.round()
                lab.later()
            for world in WORLDS:
                if human(lab, world).values["city"] != before:
                    yield f"somebody put {before} back, and {world} says {human(lab, world).values['city']}"

        weather = replace(FAIR, crm=replace(FAIR.crm, alters={"Lead.Title": "lower"}))
        yield Case("altered and typed back", f"order {order[0]}", story, {"order": order, "weather": weather})


def swapped_and_gone_on() -> Iterator[Case]:
    """Two people are given each other's address in both systems, each knowing nothing of the other; in one of them somebody goes on to a third."""
    for order, first in product(ORDERS, WORLDS):

        def story(lab: Meddled, first: str = first) -> Iterator[str]:
            acquainted(lab)
            second = "crm" if first == "hub" else "hub"
            lab.swap(human(lab, first), human(lab, first, "Human2"))
            yield from unwritten(lab, second)
            lab.type(human(lab, first), "email", "third@x.example")
            lab.swap(human(lab, second), human(lab, second, "Human2"))
            lab.later()
            for _ in range(3):
                lab.round()
            for world, (name, address) in product(WORLDS, (("Human1", "third@x.example"), ("Human2", email()))):
                if human(lab, world, name).values["email"] != address:
                    yield f"{name} has {human(lab, world, name).values['email']} in {world}, not {address}"

        yield Case("swapped and gone on", f"{first} went on, order {order[0]}", story, {"order": order})


def refused() -> Iterator[Case]:
    """One side takes a write and another refuses it; then somebody edits the field again."""
    for again, second in product((None, "hub", "crm", "hub2"), (True,)):

        def story(lab: Meddled, again: str | None = again) -> Iterator[str]:
            acquainted(lab)
            lab.type(human(lab, "hub"), "city", "Ulm")
            lab.crm.fail_rows("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", times=1)
            lab.round()
            if again is not None:
                lab.type(human(lab, again), "city", "Kiel")
            lab.round()
            lab.type(human(lab, "crm"), "job_title", "Touched")
            lab.later()
            lab.round()
            yield from ()

        yield Case("refused", f"edited again in {again}", story, {"second": second})
