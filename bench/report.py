"""The funnel report over a large ledger: `python -m bench.report DATABASE [BY]` counts it once and prints what that cost as JSON."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from .ledger import NOW
from .measured import cpu_s
from .table import Line

WITHIN_S = 5.0
_TIMES = 3


def measure(rows: int) -> Iterator[Line]:
    """Lines about a report on everything that ever happened, since no period makes it cheaper: the quickest of three, since other programs only add to it."""
    from stagesync.state.store import open_store

    with tempfile.TemporaryDirectory(prefix="stagesync-bench-") as folder:
        database = Path(folder) / "stagesync.db"
        open_store(f"sqlite:///{database}").close()
        subprocess.run([sys.executable, "-m", "bench.ledger", str(database), str(rows)], check=True)
        for by in ("", "source", "owner", "cohort"):
            told = min((_run(database, by) for _ in range(1 if by else _TIMES)), key=lambda ran: ran["cpu_s"])
            wanted, passed = (f"< {WITHIN_S:.0f} s", told["cpu_s"] < WITHIN_S) if not by else ("", None)
            what = f"funnel report over {rows:,} stays of {told['people']:,} people: CPU" if not by else f"  by {by}"
            yield Line(what, f"{told['cpu_s']:.2f} s, {told['peak_mb']:.0f} MB", wanted, passed)


def _run(database: Path, by: str) -> dict[str, Any]:
    ran = subprocess.run([sys.executable, "-m", "bench.report", str(database), by], check=True, stdout=subprocess.PIPE)
    return orjson.loads(ran.stdout)


def once(database: Path, by: str) -> dict[str, Any]:
    """Read, count, and write the text, in this process."""
    import resource

    from stagesync.app.views.report import report_text
    from stagesync.app.views.report_data import report_json
    from stagesync.lifecycle.presets import default_funnel
    from stagesync.lifecycle.report import report
    from stagesync.lifecycle.tally import Frame, tally
    from stagesync.state.report import Ledger
    from stagesync.state.store import open_store

    before, funnel = cpu_s(), default_funnel()
    store = open_store(f"sqlite:///{database}")
    ledger = Ledger(list(funnel.stages), list(funnel.sides), 0, NOW, NOW, by if by in ("source", "owner") else None)
    with store.read() as tx:
        found = tally(Frame(funnel, 0, NOW, "cohort" if by == "cohort" else "group" if by else None), ledger.stays(tx, 1), ledger.kind)
    told = report(funnel, None, NOW, by or None, found)  # pyright: ignore[reportArgumentType]  # one of the words above
    report_text(told, "bench")
    report_json(told, "bench")
    store.close()
    used = cpu_s() - before
    return {"cpu_s": used, "people": told.whole.volume[-1].end, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


if __name__ == "__main__":
    print(orjson.dumps(once(Path(sys.argv[1]), sys.argv[2])).decode())
