"""Files as systems, and exports: `python -m bench.files read|write|export FOLDER ROWS` does one of them once and prints what it cost as JSON."""

from __future__ import annotations

import csv
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from .measured import cpu_s
from .table import Line

FLAT_MB = 30.0
"""So much more memory a hundred times as many rows may take."""
_AT_ONCE = 2_000
_CELLS = {
    "Record ID": "{0}",
    "First Name": "Anna",
    "Last Name": "Müller-{0}",
    "Email": "p{0}@acme.example",
    "Phone Number": "+49 30 {0}",
    "Mobile Phone Number": "(628) 555-0126",
    "Job Title": "Head of Sales, EMEA",
    "Company Name": "Northwind {1} LLC",
    "Website URL": "https://www.northwind-{1}.example",
    "Street Address": "86 Main St, Suite {1}",
    "City": "Bonn",
    "State/Region": "NRW",
    "Postal Code": "53113",
    "Country/Region": "Germany",
    "Industry": "Insurance",
    "Number of Employees": "{1}",
    "Annual Revenue": "856000",
    "Lifecycle Stage": "Marketing Qualified Lead",
    "Lead Status": "",
    "Unsubscribed from all email": "",
    "Last Modified Date": "2024-11-10 18:45",
    "Notes": 'Said: "call me back",\nno date',
}
_READ = tuple(name for name in _CELLS if name not in ("Record ID", "Notes", "Last Modified Date"))


def measure(sizes: tuple[int, int]) -> Iterator[Line]:
    """Lines about reading, writing and exporting at both sizes; the memory of the larger one is held against that of the smaller."""
    told: dict[tuple[str, int], dict[str, Any]] = {}
    for rows in sizes:
        with tempfile.TemporaryDirectory(prefix="stagesync-bench-") as folder:
            fill(Path(folder) / "people.csv", rows)
            state(Path(folder), rows)
            for what in _JOBS:
                told[what, rows] = _run(what, Path(folder), rows)
    for what in _JOBS:
        for rows in sizes:
            found = told[what, rows]
            parts = ", ".join(f"{name} {seconds / rows * 1e6:.1f}" for name, seconds in found["parts"].items())
            yield Line(f"{what} of {rows:,} rows: us a row", parts)
        small, large = (told[what, rows]["peak_mb"] for rows in sizes)
        yield Line(f"  peak memory at {sizes[0]:,} and {sizes[1]:,} rows", f"{small:.0f}, {large:.0f} MB", f"+ {FLAT_MB:.0f} MB", large - small <= FLAT_MB)


def _run(what: str, folder: Path, rows: int) -> dict[str, Any]:
    ran = subprocess.run([sys.executable, "-m", "bench.files", what, str(folder), str(rows)], check=True, stdout=subprocess.PIPE)
    return orjson.loads(ran.stdout)


def fill(path: Path, rows: int) -> None:
    """A file like HubSpot's export of contacts."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_CELLS)
        for number in range(rows):
            writer.writerow([text.format(number + 100_000, number % 997) for text in _CELLS.values()])


def state(folder: Path, people_: int) -> None:
    """A state with so many people, a link and a stay each."""
    from stagesync.model.records import Ref
    from stagesync.state import accounts, entries, links, people
    from stagesync.state.entries import NewEntry
    from stagesync.state.links import LinkRow
    from stagesync.state.people import PersonRow
    from stagesync.state.store import open_store

    (folder / "bench.toml").write_text(f'[systems.list]\nconnector = "csv"\npath = "{folder / "people.csv"}"\n')
    store = open_store(f"sqlite:///{folder / 'stagesync.db'}")
    with store.write() as tx:
        workspace, account = accounts.workspace(tx, "bench").id, accounts.account(tx, "csv", "list", "people.csv")
        accounts.bind(tx, workspace, "list", account)
    for start in range(0, people_, 10_000):
        numbers = range(start + 1, min(start + 10_000, people_) + 1)
        with store.write() as tx:
            held = [{"email": [f"p{number}@acme.example", 1, "list", 0], "last_name": [f"Müller-{number}", 1, "list", 0]} for number in numbers]
            people.reserve(tx, len(numbers))
            people.insert(tx, workspace, [PersonRow(number, "mql", None, None, 1, 1, each, None) for number, each in zip(numbers, held, strict=True)])
            refs = [Ref("contact", str(number)) for number in numbers]
            links.reserve(tx, len(numbers))
            rows = [LinkRow(int(ref.id), account, ref.kind, ref.id, int(ref.id), "linked", 1, {"Email": "x"}, {}, {}, None, None) for ref in refs]
            links.insert(tx, workspace, rows)
            entries.enter(tx, workspace, [NewEntry(number, 1, "mql", None, None, number, number, system="list", actor="user 1") for number in numbers])
    store.close()


# -- in the process that is measured


class _Clock:
    """The CPU time of each part, in seconds."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}
        self._last = cpu_s()

    def lap(self, name: str) -> None:
        self.parts[name] = self.parts.get(name, 0) + cpu_s() - self._last
        self._last = cpu_s()


def _open(folder: Path) -> Any:
    from stagesync.app.clock import SystemClock
    from stagesync.connectors.csv.connector import FileConnector
    from stagesync.connectors.csv.settings import CsvSettings

    return FileConnector("list", CsvSettings(path=folder / "people.csv"), SystemClock(), lambda: None)


def read(folder: Path, rows: int) -> dict[str, float]:
    """The first reading, all pages, a pull of the unchanged file, and every row once more by its ref."""
    from stagesync.model.records import Query, Ref

    connector, clock = _open(folder), _Clock()
    connector.describe()
    clock.lap("file")
    seen, cursor = 0, None
    for page in connector.pull(Query({"contact": _READ})):
        seen, cursor = seen + len(page.records), page.cursor
    clock.lap("pages")
    assert seen == rows
    assert not any(page.records for page in connector.pull(Query({"contact": _READ}, cursor)))
    clock.lap("unchanged")
    for start in range(0, rows, _AT_ONCE):
        refs = [Ref("contact", str(100_000 + number)) for number in range(start, min(start + _AT_ONCE, rows))]
        connector.fetch(refs, {"contact": _READ})
    clock.lap("by ref")
    connector.find("contact", "Email", ["p100001@acme.example"], ("Email",))
    clock.lap("index of addresses")
    connector.close()
    return clock.parts


def write(folder: Path, rows: int) -> dict[str, float]:
    """Two cells of every row, then the file."""
    from stagesync.model.records import Ref
    from stagesync.model.writes import Step

    connector, clock = _open(folder), _Clock()
    for start in range(0, rows, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, rows))
        connector.write(
            [Step(number, 1, "update", "contact", Ref("contact", str(100_000 + number)), {"City": "Köln", "Job Title": "=x"}) for number in numbers]
        )
    clock.lap("cells")
    connector.close()
    clock.lap("file")
    return clock.parts


def export(folder: Path, rows: int) -> dict[str, float]:
    """All three tables."""
    from stagesync.app.courses.exporting import Table, table

    clock = _Clock()
    wanted: tuple[tuple[Table, str], ...] = (("people", "csv"), ("people", "jsonl"), ("ledger", "csv"), ("links", "csv"))
    for what, form in wanted:
        table(what, folder / f"{what}.{form}", None, folder / "bench.toml")
        clock.lap(f"{what} as {form}")
    return clock.parts


_JOBS: dict[str, Callable[[Path, int], dict[str, float]]] = {"read": read, "write": write, "export": export}


if __name__ == "__main__":
    parts = _JOBS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
    print(orjson.dumps({"parts": parts, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}).decode())
