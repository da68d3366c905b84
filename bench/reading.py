"""Reading alone: our connectors beside httpx and orjson with nothing around them."""

from __future__ import annotations

from collections.abc import Iterator

from .box import box
from .table import Line


def measure(people_each: int) -> Iterator[Line]:
    """Lines about reading so many people on each side."""
    with box(people_each, 1.0) as worlds:
        plain, ours = worlds.run("plain")["systems"], worlds.run("read")["systems"]
    for system, floor in plain.items():
        own = ours[system]
        if own["records"] != floor["records"]:
            raise RuntimeError(f"{system}: {own['records']} and {floor['records']} records were read")
        told = f"{own['us']:.0f} us, plain httpx + orjson {floor['us']:.0f} us: {own['us'] / floor['us']:.1f} x"
        yield Line(f"read {own['records']:,} records of {system}: CPU per record", told)
