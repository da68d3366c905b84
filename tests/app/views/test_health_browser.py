"""The page of `stagesync report --html` as a real browser shows it: Chromium from the system's packages, in both colour schemes, wide and narrow.

Where no such browser is installed these are skipped, which pytest says; `test_health` looks at the page's structure in any case.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html import escape, unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread
from unwell import unwell, well

from stagesync.app.standing.health import Health
from stagesync.app.views.health_html import page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next((found for name in NAMES if (found := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here; test_health looks at the page's structure")
PATIENCE_S = 120
SCHEMES = {"light": "1", "dark": "0"}
COLOURS = {
    "light": {"paper": "#ffffff", "good": "#2b7a4b", "due": "#2563a8", "held": "#b97a06", "bad": "#b23a48", "left": "#8390a7"},
    "dark": {"paper": "#141820", "good": "#58b982", "due": "#6fa9ec", "held": "#e0a63a", "bad": "#f27483", "left": "#75819a"},
}
MEASURE = """
<!doctype html><html><head><meta charset="utf-8"><style>:root { color-scheme: light dark; } iframe { border: 0; height: 3000px; }</style></head><body>
FRAMES
<script>
const brush = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d', {willReadFrequently: true});
const rgb = colour => { brush.clearRect(0, 0, 1, 1); brush.fillStyle = colour; brush.fillRect(0, 0, 1, 1); return [...brush.getImageData(0, 0, 1, 1).data]; };
const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
const ground = (view, element) => { for (; element; element = element.parentElement) {
  const colour = rgb(view.getComputedStyle(element).backgroundColor); if (colour[3] === 255) return colour; } return [255, 255, 255, 255]; };
const measured = frame => {
  const view = frame.contentWindow, root = view.document.documentElement, seen = {};
  seen.over = root.scrollWidth - root.clientWidth;
  seen.dark = view.matchMedia('(prefers-color-scheme: dark)').matches;
  seen.drawings = [...view.document.querySelectorAll('svg')].map(svg => svg.getBoundingClientRect()).map(box => [box.width, box.height]);
  seen.texts = [...view.document.querySelectorAll('body *')]
    .filter(each => !each.closest('svg') && [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    .map(each => [contrast(rgb(view.getComputedStyle(each).color), ground(view, each)), each.textContent.trim().slice(0, 40)]);
  seen.shapes = [...view.document.querySelectorAll('rect:not(.track)')]
    .map(each => [contrast(rgb(view.getComputedStyle(each).fill), ground(view, view.document.body)), each.getAttribute('class')]);
  return seen;
};
addEventListener('load', () => { document.body.dataset.seen = JSON.stringify([...document.querySelectorAll('iframe')].map(measured)); });
</script></body></html>
"""


def run(folder: Path, scheme: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The browser without a window and without a network; it is told to show its console."""
    quiet = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-background-networking")
    own = (f"--user-data-dir={folder / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND", f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}")
    command = [str(BROWSER), *quiet, *own, "--enable-logging=stderr", "--window-size=1000,3000", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)


def measured(folder: Path, scheme: str, text: str, widths: tuple[int, ...] = (1000, 360)) -> list[dict[str, Any]]:
    """What the browser makes of the page, unchanged, in frames of these widths."""
    frames = "".join(f'<iframe width="{width}" srcdoc="{escape(text)}"></iframe>' for width in widths)
    path = folder / "frames.html"
    path.write_text(MEASURE.replace("FRAMES", frames).strip(), "utf-8")
    told = run(folder, scheme, "--virtual-time-budget=5000", "--dump-dom", path.as_uri()).stdout
    seen = re.search(r'data-seen="([^"]*)"', told)
    assert seen, told[-500:]
    return json.loads(unescape(seen[1]))


def shown(folder: Path, scheme: str, text: str) -> tuple[Any, str]:
    """The page's picture as an array of rows of (red, green, blue) bytes, and what the console said."""
    path, picture = folder / "page.html", folder / "page.png"
    path.write_text(text, "utf-8")
    told = run(folder, scheme, f"--screenshot={picture}", path.as_uri())
    console = [line for line in told.stderr.splitlines() if "CONSOLE" in line]
    return np.rint(imread(picture)[:, :, :3] * 255).astype(int), "\n".join(console)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("made", [unwell, well])
def test_everything_is_seen_and_can_be_read(tmp_path: Path, scheme: str, made: Callable[[Path], Health]) -> None:
    """In both schemes and on a telephone: nothing reaches beyond the window, each drawing has a size, text has a contrast of 4.5 and shapes of 3."""
    for seen in measured(tmp_path, scheme, page(made(tmp_path))):
        assert seen["dark"] is (scheme == "dark")
        assert seen["over"] <= 0
        assert len(seen["drawings"]) >= 4
        assert min(min(size) for size in seen["drawings"]) >= 10
        assert len(seen["texts"]) > 50
        assert [(round(ratio, 2), what) for ratio, what in seen["texts"] if ratio < 4.5] == []
        assert {(round(ratio, 2), what) for ratio, what in seen["shapes"] if ratio < 3} == set()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_bar_of_people_has_their_proportions(tmp_path: Path, scheme: str) -> None:
    """The picture that is drawn shows the numbers that are written: each part as long as its share, on the scheme's paper; the console is silent."""
    found = unwell(tmp_path)
    picture, console = shown(tmp_path, scheme, page(found))
    assert console == ""
    assert _is(picture[0, 0], COLOURS[scheme]["paper"])
    fills = {name: _is(picture, colour) for name, colour in COLOURS[scheme].items() if name != "paper"}
    row = int(np.argmax(fills["good"].sum(axis=1) + (fills["left"].sum(axis=1) > 0) * 10_000))
    parts = {name: int(fill[row].sum()) for name, fill in fills.items()}
    people = found.agreement
    whole = sum(parts.values())
    for name, number in (("good", people.in_sync), ("due", people.behind), ("held", people.held), ("bad", people.refused), ("left", people.left)):
        assert parts[name] > 0
        assert abs(parts[name] / whole - number / people.everybody) < 0.04, name


def test_what_reaches_outside_would_be_refused_and_seen(tmp_path: Path) -> None:
    """The policy holds in the browser: a picture from outside and a script that came in by a name are refused, and the console says so."""
    text = page(well(tmp_path)).replace("</main>", '<img src="https://outside.invalid/a.png"><script>document.title = "in"</script></main>')
    _, console = shown(tmp_path, "light", text)
    assert "outside.invalid" in console
    assert "inline script" in console


def _is(pixels: Any, colour: str) -> Any:
    """Where the picture has this colour."""
    wanted = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)])
    return (np.abs(pixels - wanted) <= 2).all(axis=-1)
