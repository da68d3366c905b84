"""Stories of records: they are deleted, merged, met, mistaken for each other, moved along the funnel, and read late, wrongly or in part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

from somebody import FIELDS, LINE
from story import COMMITS, WORLDS, Case, Meddled, acquainted, email, human, unwritten
from weather import FAIR

from stagesync.state import actions


def deleted() -> Iterator[Case]:
    """A record is deleted, and its person lives on elsewhere."""
    for made, gone, what in product(WORLDS, WORLDS, ("nothing", "edit", "clear", "stage", "restore", "edit and restore", "stage and restore", "die")):

        def story(lab: Meddled, made: str = made, gone: str = gone, what: str = what) -> Iterator[str]:
            acquainted(lab, made)
            other = "crm" if gone == "hub" else "hub"
            row = human(lab, gone)
            lab.delete(row)
            if what == "die":
                lab.dies_at = ("commit", 6)
            lab.later(90_000)
            lab.round()
            if "edit" in what:
                lab.type(human(lab, other), "city", "Kiel")
            if what == "clear":
                lab.type(human(lab, other), "city", None)
            if "stage" in what and "stage" in human(lab, other).values:
                lab.type(human(lab, other), "stage", "sql")
            for _ in range(3):
                lab.round()
                lab.later()
            if "restore" in what:
                lab.restore(gone, row.id)
                lab.round()
                if what.startswith("stage") and human(lab, other).values["stage"] != "sql":
                    yield f"a restored record lowered the stage to {human(lab, other).values['stage']}"
                if what.startswith("edit") and {human(lab, world).values["city"] for world in WORLDS} != {"Kiel"}:
                    yield f"Kiel was typed after the record was deleted, and what came back with it stands: {[human(lab, world).values for world in WORLDS]}"
            elif any(each.values["last_name"] == "Human1" for each in lab.rows(gone)):
                yield f"Human1 was deleted in {gone} and is there again"

        yield Case("deleted", f"made in {made}, deleted in {gone}, {what}", story)


def ambiguous() -> Iterator[Case]:
    """Several humans share an address: nobody can tell whose record is whose."""
    for shared, elsewhere, run_between in product(("office@x.example", "shared@x.example"), ("Human3", "Human4", None), (False, True)):

        def story(lab: Meddled, shared: str = shared, elsewhere: str | None = elsewhere, run_between: bool = run_between) -> Iterator[str]:
            acquainted(lab)
            lab.tainted |= {"Human3", "Human4"}
            lab.make("crm", "Human3", {"email": shared, "city": "Ulm"})
            lab.make("crm", "Human4", {"email": shared, "city": "Kiel"})
            if run_between:
                lab.round()
                lab.later()
            if elsewhere is not None:
                lab.make("hub", elsewhere, {"email": shared, "city": "Hof"})
            theirs = [row for world in WORLDS for row in lab.rows(world) if row.values["email"] == shared]
            for _ in range(3):
                lab.round()
                lab.later()
            now = [row for world in WORLDS for row in lab.rows(world) if row.values["email"] == shared]
            if now != theirs:
                yield f"records that nobody can tell apart were written: {theirs} -> {now}"
            with lab.store.read() as tx:
                if not actions.holds(tx, lab.session.workspace, "ambiguous", 0, 10):
                    yield "nobody was asked"

        yield Case("ambiguous", f"{shared}, {elsewhere} in hub, run between: {run_between}", story)


def second() -> Iterator[Case]:
    """A second record of somebody says something else: it is asked about and left alone, and the person is synced meanwhile."""
    for what in ("nothing", "deleted", "moved"):

        def story(lab: Meddled, what: str = what) -> Iterator[str]:
            acquainted(lab)
            lab.round()
            lab.later()
            lab.tainted.add("Human1")
            beside = lab.make("crm", "Human1", {"email": email(), "city": "Kiel"})
            assert beside is not None
            lab.round()
            with lab.store.read() as tx:
                asked = [actions.holds(tx, lab.session.workspace, "second:crm", 0, 10)]
            lab.type(human(lab, "hub"), "job_title", "CEO")
            if what == "deleted":
                lab.delete(beside)
            elif what == "moved":
                lab.type(beside, "email", email("Human9"))
            for _ in range(3):
                lab.later()
                lab.round()
            with lab.store.read() as tx:
                asked.append(actions.holds(tx, lab.session.workspace, "second:crm", 0, 10))
            if [len(holds) for holds in asked] != [1, int(what == "nothing")]:
                yield f"asked is: {asked}"
            said = {row.id: row.values["job_title"] for row in lab.rows("crm") if row.values["last_name"] == "Human1"}
            if said.pop(beside.id, None) is not None or list(said.values()) != ["CEO"]:
                yield f"the records in crm say {said}"

        yield Case("second", what, story)


def opted_out_beside() -> Iterator[Case]:
    """A record that is set aside beside somebody opts out: that is heard as long as it has their address, and no longer once they have another one."""
    for readdressed in (False, True):

        def story(lab: Meddled, readdressed: bool = readdressed) -> Iterator[str]:
            acquainted(lab)
            beside = lab.make("crm", "Human1", {"email": email(), "city": "Kiel"})
            assert beside is not None
            lab.round()
            if readdressed:
                lab.type(human(lab, "hub"), "email", email("Human9"))
            lab.round()
            lab.opt_out(beside)
            for _ in range(3):
                lab.later()
                lab.round()
            if lab.opted_out(human(lab, "hub")) == readdressed:
                yield f"the person is {'opted out' if readdressed else 'mailable'}"

        yield Case("opted out beside", "with another address" if readdressed else "with the same address", story)


def opted_out_and_merged() -> Iterator[Case]:
    """A record opts out and is merged into another one before anybody has read that, and Salesforce drops it: the bin tells it still."""
    for first, known, dies in product((True, False), (True, False), (None, *range(1, 9))):

        def story(lab: Meddled, first: bool = first, known: bool = known, dies: int | None = dies) -> Iterator[str]:
            acquainted(lab)
            mine = human(lab, "crm")
            beside = lab.make("crm", "Human1", {"email": email(), "city": "Kiel"})
            assert beside is not None
            if known:
                lab.round()
            loser, winner = (beside, mine) if first else (mine, beside)
            lab.opt_out(loser)
            lab.merge(winner, loser)
            lab.dies_at = ("commit", dies) if dies is not None else None
            for _ in range(3):
                lab.round()
                lab.later()
            if not (lab.opted_out(human(lab, "hub")) and lab.opted_out(human(lab, "crm"))):
                yield "Human1 opted out, and nobody heard of it"

        into = "the second one goes into the first" if first else "the first one goes into the second"
        yield Case("opted out and merged", f"{into}, {'known' if known else 'not known'} by then, dies at commit {dies}", story)


def deleted_unseen() -> Iterator[Case]:
    """A record that is owed a write is deleted while it is not shared with us: once all is shared again that is found before the write, and asked once."""

    def story(lab: Meddled) -> Iterator[str]:
        acquainted(lab)
        mine = human(lab, "crm")
        lab.share(mine.id)
        lab.round()
        lab.delete(mine)
        lab.type(human(lab, "hub"), "city", "Ulm")
        for _ in range(2):
            lab.round()
            lab.later(1_000)  # beyond what the next pull reads once more
        lab.share()
        yield from ()

    yield Case("deleted unseen", "edited in hub", story)


def first_sync() -> Iterator[Case]:
    """The first run dies, and nobody has touched the records for a long time: what it had not yet written down must be read again."""
    for number in range(1, COMMITS + 1):

        def story(lab: Meddled, number: int = number) -> Iterator[str]:
            lab.make("hub", "Human1", {"email": email(), "city": "Bonn", "stage": "lead"})
            lab.make("crm", "Human2", {"email": email("Human2"), "city": "Trier", "stage": "mql"})
            lab.later(90_000)
            lab.dies_at = ("commit", number)
            lab.round()
            yield from ()

        yield Case("first sync", f"dies at commit {number}", story)


def met() -> Iterator[Case]:
    """A first meeting of three: a blank never beats a value, however new it is."""
    for blank, newest in product(("hub", "crm", "hub2"), ("hub", "crm", "hub2")):

        def story(lab: Meddled, blank: str = blank, newest: str = newest) -> Iterator[str]:
            worlds = sorted(lab.worlds(), key=lambda world: world == newest)
            for number, world in enumerate(worlds):
                city = None if world == blank else f"City{number}"
                lab.make(world, "Human1", {"email": email(), "city": city, "job_title": f"Job{number}", "stage": ("lead", "mql", "sql")[number]})
                lab.later(5)
            for _ in range(3):
                lab.round()
                lab.later()
            for world in worlds:
                if human(lab, world).values["city"] is None:
                    yield f"a blank in {blank} cleared {world}"
                if human(lab, world).values["stage"] != "sql":
                    yield f"the furthest stage is sql, and {world} says {human(lab, world).values['stage']}"

        yield Case("met", f"blank in {blank}, {newest} is newest", story, {"second": True})


def indexed_late() -> Iterator[Case]:
    """HubSpot's search shows an edit seconds after it was made, and a pull came in between."""
    for lag, wait in product((2.0, 30.0), (0.0, 1.0)):

        def story(lab: Meddled, lag: float = lag, wait: float = wait) -> Iterator[str]:
            acquainted(lab)
            lab.round()
            lab.type(human(lab, "hub"), "city", "Ulm")
            lab.later(wait)
            lab.round()
            lab.later(lag + 1)
            lab.round()
            yield from ()

        yield Case("indexed late", f"lag {lag}, run after {wait}", story, {"weather": replace(FAIR, hub=replace(FAIR.hub, search_lag_s=lag))})


def read_stale() -> Iterator[Case]:
    """A search is answered out of date, as by a server that lags behind the others."""
    for name, who in product(("city", "job_title"), WORLDS):

        def story(lab: Meddled, name: str = name, who: str = who) -> Iterator[str]:
            acquainted(lab)
            old: list[Any] = []

            def remember(world: str, request: Any, answer: Any) -> Any:
                if world == "hub" and request.path.endswith("/search"):
                    old.append(answer)
                return answer

            lab.tamper = remember
            lab.type(human(lab, "hub"), "first_name", "Fi1")
            lab.round()
            lab.type(human(lab, who), name, "Ulm")
            lab.round()
            lab.tamper = lambda world, request, answer: old[0] if world == "hub" and request.path.endswith("/search") else answer
            lab.round()
            for world in WORLDS:
                if human(lab, world).values[name] != "Ulm":
                    yield f"an old answer brought {human(lab, world).values[name]!r} back into {world}"

        yield Case("read stale", f"{name} edited in {who}", story)


def unshown() -> Iterator[Case]:
    """A field is missing from all answers for a while, as when somebody takes away a permission."""
    for name, edited in product(FIELDS, (None, "hub", "crm")):
        native = {"first_name": "firstname", "city": "city", "job_title": "jobtitle"}[name].encode()

        def story(lab: Meddled, name: str = name, native: bytes = native, edited: str | None = edited) -> Iterator[str]:
            acquainted(lab, first_name="Fi0", job_title="Jo0")

            def drop(world: str, request: Any, answer: Any) -> Any:
                return type(answer)(answer.status, answer.headers, answer.body.replace(b'"%b":' % native, b'"no_%b":' % native)) if world == "hub" else answer

            lab.tamper = drop
            lab.type(human(lab, "hub"), "city" if name != "city" else "job_title", "Other")
            if edited is not None:
                lab.type(human(lab, edited), name, "New")
            lab.round()
            lab.round()
            wanted = {"first_name": "Fi0", "city": "Bonn", "job_title": "Jo0"}[name] if edited is None else "New"
            if human(lab, edited or "crm").values[name] != wanted:
                yield f"{name} was not shown, and is {human(lab, edited or 'crm').values[name]!r} now"

        yield Case("unshown", f"{name}, edited in {edited}", story)


def reread_in_part() -> Iterator[Case]:
    """What is read just before a write lacks the very field that is to be written, and somebody has edited it since it was read last."""
    natives, rereads = {"hub": b"city", "crm": b"City"}, {"hub": "/batch/read", "crm": "/composite/sobjects/Lead"}
    for world, number in product(WORLDS, range(1, 8)):

        def story(lab: Meddled, world: str = world, number: int = number) -> Iterator[str]:
            acquainted(lab)

            def drop(name: str, request: Any, answer: Any) -> Any:
                if name != world or request.method != "POST" or not request.path.endswith(rereads[world]):
                    return answer
                return type(answer)(answer.status, answer.headers, answer.body.replace(b'"%b":' % natives[world], b'"no_%b":' % natives[world]))

            lab.tamper = drop
            lab.type(human(lab, "crm" if world == "hub" else "hub"), "city", "Ulm")
            lab.moments[(world, number)] = lambda: lab.type(human(lab, world), "city", "Kiel") if human(lab, world).values["city"] != "Ulm" else None
            lab.round()
            if any(doing.world == world for doing in lab.doings[-1:]) and human(lab, world).values["city"] != "Kiel":
                yield f"Kiel was typed in {world} before call {number}, and {human(lab, world).values['city']} was written over it unseen"

        yield Case("reread in part", f"edited in {world} before call {number}", story)


def moved_stages() -> Iterator[Case]:
    """Stages that move on one side or on both, by people who had or had not seen where the other had put the person."""
    words = {"hub": ("lead", "mql", "sql"), "crm": ("lead", "mql", "sql")}
    for start, one, other, seen in product(("lead", "mql", "sql"), words["hub"], words["crm"], ("both", "hub unseen", "crm unseen", "hub alone", "crm alone")):
        if start in (one, other):
            continue

        def story(lab: Meddled, start: str = start, one: str = one, other: str = other, seen: str = seen) -> Iterator[str]:
            acquainted(lab, stage=start)
            if seen in ("both", "hub unseen", "hub alone"):
                lab.type(human(lab, "hub"), "stage", one)
            if seen in ("both", "crm unseen", "crm alone"):
                lab.type(human(lab, "crm"), "stage", other)
            if seen.endswith("unseen"):
                behind = "crm" if seen == "hub unseen" else "hub"
                yield from unwritten(lab, behind)
                lab.type(human(lab, behind), "stage", other if behind == "crm" else one)
            lab.later()
            for _ in range(3):
                lab.round()
            wanted = one if seen == "hub alone" else other if seen == "crm alone" else max(one, other, key=LINE.index)
            for world in WORLDS:
                if human(lab, world).values["stage"] != wanted:
                    yield f"hub moved {start} -> {one}, crm -> {other} ({seen}): {world} says {human(lab, world).values['stage']}, not {wanted}"

        yield Case("moved stages", f"{start}: hub {one}, crm {other}, {seen}", story)


def merged() -> Iterator[Case]:
    """Two records of one human become one, which goes on under either address."""
    for world, first, edit in product(("hub", "crm"), (True, False), (None, "before", "after")):

        def story(lab: Meddled, world: str = world, first: bool = first, edit: str | None = edit) -> Iterator[str]:
            acquainted(lab)
            mine = human(lab, world)
            twin = lab.make(world, "Human1", {"email": "twin@x.example", "job_title": "Twin"})
            assert twin is not None
            if edit == "before":
                lab.type(human(lab, "crm" if world == "hub" else "hub"), "city", "Ulm")
            lab.merge(*((mine, twin) if first else (twin, mine)))
            lab.round()
            if edit == "after":
                lab.type(human(lab, "crm" if world == "hub" else "hub"), "city", "Ulm")
            lab.round()
            for each in WORLDS:
                if (count := sum(row.values["last_name"] == "Human1" for row in lab.rows(each))) != 1:
                    yield f"Human1 has {count} records in {each} after a merge"
            with lab.store.read() as tx:
                yield from (f"a merge is a question: {hold.question}" for hold in actions.holds(tx, lab.session.workspace))

        yield Case("merged", f"in {world}, {'the known one' if first else 'the other'} stays, edit {edit}", story)
