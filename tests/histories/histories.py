"""Random histories: somebody works in the systems while the engine runs, calls fail, the program dies and is started again.

Everything follows from a seed. What somebody does is written down, so that `oracle` can say afterwards whether it is all accounted for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from lab import Lab
from oracle import quiet, settled
from somebody import FIELDS, LINE, NATIVE, STAGES, Row
from weather import by_jobs, forecast

from stagesync.sandbox.faults import Fault

DEEDS = {
    "edit": 10,
    "clear": 2,
    "make": 3,
    "both": 2,
    "stage": 5,
    "lower": 1,
    "address": 2,
    "delete": 1,
    "restore": 1,
    "convert": 1,
    "merge": 1,
    "twin": 1,
    "collide": 1,
    "swap": 1,
    "opt_out": 1,
    "blind": 1,
    "alike": 2,
}
"""How often each kind of deed is chosen."""


@dataclass(slots=True)
class History:
    """One history in the making. `deeds`: how often each kind of deed is chosen."""

    lab: Lab
    random: Random
    people: int = 0
    tokens: int = 0
    deeds: dict[str, int] = field(default_factory=lambda: dict(DEEDS))

    @staticmethod
    def kinds() -> tuple[str, ...]:
        """All that somebody can do."""
        return tuple(DEEDS)

    def token(self, name: str) -> str:
        """A value that nobody else types."""
        self.tokens += 1
        return f"{name[:2].title()}{self.tokens}"

    def deed(self) -> None:
        """Somebody does something."""
        self.lab.clock.at += self.random.choice((0, 0.3, 1.2))
        name = self.random.choices(list(self.deeds), list(self.deeds.values()))[0]
        self.do(name)
        self.lab.clock.at += self.random.choice((0, 0.3, 1.2))

    def do(self, name: str) -> None:
        """Somebody does this, if there is anything to do it to."""
        getattr(self, f"_{name}")()

    def _any(self, kind: str | None = None) -> Row | None:
        world = self.random.choice(sorted(self.lab.worlds()))
        rows = [row for row in self.lab.rows(world) if kind is None or row.kind == kind]
        return self.random.choice(rows) if rows else None

    def _edit(self) -> None:
        row = self._any()
        if row is not None:
            name = self.random.choice(FIELDS)
            self.lab.type(row, name, self.token(name))

    def _clear(self) -> None:
        row = self._any()
        if row is not None:
            name = self.random.choice(FIELDS)
            if row.values[name] is not None:
                self.lab.type(row, name, None)

    def _stage(self) -> None:
        self._move(forward=True)

    def _lower(self) -> None:
        self._move(forward=False)

    def _move(self, *, forward: bool) -> None:
        row = self._any()
        if row is None or row.values.get("stage") not in LINE:
            return
        now = LINE.index(str(row.values["stage"]))
        fit = [stage for stage in STAGES[row.kind] if (LINE.index(stage) > now if forward else LINE.index(stage) < now)]
        if fit:
            self.lab.type(row, "stage", self.random.choice(fit))

    def _address(self) -> None:
        row = self._any()
        if row is not None and self.lab.met(row) and self._is_whole(row):
            self.tokens += 1
            self.lab.type(row, "email", f"new{self.tokens}@x.example")

    def _alike(self) -> None:
        """Somebody types what another record of the same human says already, without knowing of it."""
        row = self._any()
        if row is None:
            return
        name = self.random.choice((*FIELDS, "email"))
        others = [other for world in sorted(self.lab.worlds()) for other in self.lab.rows(world) if other.values["last_name"] == row.values["last_name"]]
        said = sorted({str(other.values[name]) for other in others if other.values[name] not in (None, row.values[name])})
        if said and self.lab.met(row, name) and (name != "email" or self._is_whole(row)):
            self.lab.type(row, name, self.random.choice(said))

    def _is_whole(self, row: Row) -> bool:
        """All records of the human are known to belong together: the address may change without tearing them apart."""
        others = [other for world in sorted(self.lab.worlds()) for other in self.lab.rows(world) if other.values["last_name"] == row.values["last_name"]]
        known = [self.lab.link(other) for other in others]
        return all(link is not None and link.state == "linked" for link in known) and row.values["last_name"] not in self.lab.deleted.values()

    def _values(self, human: str) -> dict[str, str | None]:
        filled = [name for name in FIELDS if self.random.random() < 0.6]
        stage = self.random.choice((None, None, "lead", "mql", "sql"))
        return {"email": f"{human.lower()}@x.example", "stage": stage, **{name: self.token(name) for name in filled}}

    def _human(self) -> str:
        self.people += 1
        return f"Human{self.people}"

    def _make(self) -> None:
        human = self._human()
        self.lab.make(self.random.choice(sorted(self.lab.worlds())), human, self._values(human))

    def _both(self) -> None:
        human = self._human()
        for world in self.random.sample(sorted(self.lab.worlds()), 2):
            self.lab.make(world, human, self._values(human))

    def _twin(self) -> None:
        """A second record of a human in the same world, with another address, or (where the vendor lets it) the same."""
        row = self._any()
        if row is None or row.kind == "Contact":
            return
        values = self._values(str(row.values["last_name"]))
        self.tokens += 1
        values["email"] = row.values["email"] if row.world == "crm" else f"twin{self.tokens}@x.example"
        other = self.lab.make(row.world, str(row.values["last_name"]), values)
        if other is not None and row.world != "crm":
            self.lab.merge(*self.random.sample([row, other], 2))

    def _merge(self) -> None:
        """Two records of one human."""
        rows = self.lab.rows(self.random.choice(sorted(self.lab.worlds())))
        pairs = [(a, b) for a in rows for b in rows if a.id != b.id and a.kind == b.kind and a.values["last_name"] == b.values["last_name"]]
        if pairs:
            self.lab.merge(*self.random.choice(pairs))

    def _collide(self) -> None:
        """Two records of two humans."""
        rows = self.lab.rows(self.random.choice(sorted(self.lab.worlds())))
        pairs = [(a, b) for a in rows for b in rows if a.id != b.id and a.kind == b.kind and a.values["last_name"] != b.values["last_name"]]
        if pairs:
            self.lab.merge(*self.random.choice(pairs))

    def _delete(self) -> None:
        row = self._any()
        if row is not None:
            self.lab.delete(row)

    def _restore(self) -> None:
        if self.lab.deleted:
            self.lab.restore(*self.random.choice(sorted(self.lab.deleted)))

    def _convert(self) -> None:
        row = self._any("Lead")
        if row is not None:
            self.lab.convert(row)

    def _swap(self) -> None:
        world = self.random.choice(sorted(self.lab.worlds()))
        rows = [row for row in self.lab.rows(world) if row.values["email"] and self.lab.met(row) and self._is_whole(row)]
        people = {str(row.values["last_name"]): row for row in rows}
        if len(people) > 1:
            self.lab.swap(*self.random.sample(list(people.values()), 2))

    def _opt_out(self) -> None:
        row = self._any()
        if row is not None:
            self.lab.opt_out(row)

    def _blind(self) -> None:
        """The credential loses sight of a field or a record of one world, or sees all again."""
        world, see = self.random.choice(sorted(self.lab.worlds())), self.random.random() < 0.5
        field = "" if see else self.random.choice(FIELDS)
        if world != "crm":
            self.lab.worlds()[world].switch(hidden_properties=(NATIVE["contact"][field],) if field else ())
        elif field and self.random.random() < 0.5:
            rows = [row for row in self.lab.rows("crm") if self.lab.met(row)]  # one that was never seen is told by no feed when it is shared
            self.lab.share(*([self.random.choice(rows).id] if rows else []))
        else:
            hidden = [f"{kind}.{NATIVE[kind][field]}" for kind in ("Lead", "Contact")] if field else []
            self.lab.crm.org.change_habits({"hidden_fields": hidden})
            if not field:
                self.lab.share()
        self.lab.story.append(f"     the credential for {world} {f'loses sight ({field})' if field else 'sees all again'}")

    # -- trouble

    def trouble(self) -> None:
        """Plan a fault or the program's death for the next run."""
        world = self.random.choice(sorted(self.lab.worlds()))
        if self.random.random() < 0.4:
            place = self.random.choice((world, "commit", "committed"))
            self.lab.dies_at = (place, self.random.randint(1, 12))
            return
        name = self.random.choice(("lost before", "lost after", "lost after", "missing fields", *sorted(self.lab.worlds()[world].troubles)))
        fault = Fault("missing_fields", fields=tuple(NATIVE[kind][self.random.choice(FIELDS)] for kind in NATIVE)) if name == "missing fields" else None
        fault = fault or self.lab.worlds()[world].troubles[name]
        match, times = self.random.choice(("", "POST", "POST", "PATCH")), self.random.choice((1, 1, 2, 6))
        if name == "missing row":  # nobody can notice that a list is short
            match = "POST /services/data/v66.0/composite" if world == "crm" else "POST /crm/v3/objects/contacts/batch"
        self.lab.worlds()[world].faults.add(replace(fault, match=match, skip=self.random.randint(0, 8), times=times))
        self.lab.story.append(f"     trouble to come in {world}: {name}")

    def meddle(self, deed: Callable[[], None] | None = None) -> None:
        """Plan a deed between the engine's calls of the next run; any, if none is given."""
        world = self.random.choice(sorted(self.lab.worlds()))
        self.lab.moments[(world, self.random.randint(1, 8))] = deed or self.deed

    def hear(self) -> None:
        """What HubSpot tells by itself comes in, as far as it does: some now, some in the middle of the next run."""
        if self.lab.ears is None:
            return
        ears = self.lab.ears
        if self.random.random() < 0.3:
            place = (self.random.choice(sorted(self.lab.worlds())), self.random.randint(1, 8))
            self.lab.moments.setdefault(place, lambda: self._heard(ears.hear(self.random)))
        if self.random.random() < 0.7:
            self._heard(ears.hear(self.random))

    def _heard(self, fresh: int) -> None:
        self.lab.story.append(f"     hub: {fresh} hints come in")

    def live(self, rounds: int) -> None:
        """Some rounds of life, then calm."""
        for _ in range(self.random.randint(1, 3)):
            self.random.choice((self._make, self._both, self._both))()
        for _ in range(rounds):
            for _ in range(self.random.randint(0, 4)):
                self.deed()
            for _ in range(self.random.choice((0, 1, 2))):
                self.meddle()
            if self.random.random() < 0.5:
                self.trouble()
            self.hear()
            self.lab.round()
            self.lab.clock.at += self.random.choice((0, 1, 30, 1000))
        self.lab.cleared()
        self.lab.later(90_000)


def lived(seed: int, folder: Path, *, hints: bool = False, bulk: bool = False) -> tuple[list[str], list[str]]:
    """One history from its seed: what is wrong in the end, and the story. Every third one has a third system.

    `hints`: the first HubSpot portal posts what happens there, which is lost, doubled, late and out of order; the last of it comes when all is quiet.
    `bulk`: whatever is written to Salesforce goes by jobs, which take their time, break off and forget rows.
    """
    folder.mkdir()
    random = Random(seed)
    weather = forecast(random)
    weather = by_jobs(weather, random) if bulk else weather
    lab = Lab(folder, random=Random(seed), weather=weather, second=seed % 3 == 0, hints=hints, crm_settings={"bulk_from": 1} if bulk else None)
    lab.approves = lambda: random.random() < 0.5
    try:
        History(lab, random).live(random.randint(2, 5))
        wrong = list(settled(lab))
        if lab.ears is not None:
            lab.ears.hear()
            wrong += quiet(lab)
        return wrong, lab.story
    finally:
        lab.store.close()
