"""The report as a picture: who entered and went on, who is there, how quickly people go on, and who was accepted in time.

Drawn by matplotlib without a window or a font of its own: text stays text, so that a reader's machine shows any script.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ...lifecycle.report import Conversion, Part, Report
from ...model.errors import ConfigurationError
from .report import days, period, share, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _SOFT, _RULE = "#1d2430", "#56607a", "#d5dae3"
_BLUE, _GREEN, _RED, _SAND, _GREY = "#2563a8", "#2b7a4b", "#b23a48", "#d9a441", "#9aa5b8"
_WIDTH, _ROW, _HEAD = 11.0, 0.36, 1.0
_LABEL = 30
_MISSING = 'pip install "stagesync[charts]", or take --json or --csv'
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "stagesync",
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _RULE,
    "axes.labelcolor": _SOFT,
    "xtick.color": _SOFT,
    "ytick.color": _INK,
}
_NAMES, _OWN_STYLE = re.compile(r'<g id="[^"]*"'), re.compile(r"<style.*?</style>", re.DOTALL)
"""Names of groups, and a style for everything: in a page with several pictures, both would reach beyond their own."""
_FAMILY = "Helvetica, Arial, 'DejaVu Sans', sans-serif"


def picture(found: Report, workspace: str) -> str:
    """All charts below each other as one SVG document. Raises `ConfigurationError` where the library that draws them is not installed."""
    charts = list(_charts(found.whole))
    return _drawn(charts, f"{workspace}: funnel {found.funnel.name}", period(found))


def pictures(found: Report) -> list[tuple[str, str]]:
    """Each chart by itself, with its title, as SVG elements that can stand in a page. Raises `ConfigurationError` like `picture`."""
    return [(title, _drawn([(title, height, draw)], "", "", titled=False)) for title, height, draw in _charts(found.whole)]


Draw = Callable[["Axes"], None]
Chart = tuple[str, float, Draw]


def _charts(part: Part) -> list[Chart]:
    """Title, height in inches, and how it is drawn. What has no numbers is left out."""
    steps = [row for row in part.conversion if len(row.stages) == 1]
    last = [row for row in part.volume if row.kind == "stage" and row.id not in {step.id for step in steps}]
    volume = [row for row in part.volume if row.kind == "stage" or (row.kind in ("side", "none") and (row.start or row.entered))]
    quick = [row for row in part.velocity if row.count]
    charts: list[Chart] = [
        (
            "Entered in the period, and how many of them went on",
            _height(len(steps) + len(last)),
            lambda axes: _funnel(axes, steps, [(row.label, row.entered) for row in last]),
        ),
        ("There at the end of the period", _height(len(volume)), lambda axes: _there(axes, part, {row.id for row in volume})),
    ]
    if quick:
        charts.append(("Days until going on: half of the people, and nine tenths", _height(len(quick)), lambda axes: _speed(axes, part)))
    if part.acceptance:
        charts.append(("Accepted in the agreed time", _height(len(part.acceptance)) + 0.35, lambda axes: _accepted(axes, part)))
    return charts


def _height(rows: int) -> float:
    return 0.55 + _ROW * max(rows, 2)


def _drawn(charts: Sequence[Chart], title: str, subtitle: str, *, titled: bool = True) -> str:
    try:
        from matplotlib import rc_context
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigurationError("the library that draws charts is not installed", where="matplotlib", next_step=_MISSING) from None
    head = _HEAD if titled else 0.0
    gap = 0.5 if titled else 0.0
    height = head + sum(each for _, each, _ in charts) + gap * len(charts)
    with rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)  # the reader's machine has the letters that this one lacks
        figure = Figure(figsize=(_WIDTH, height), facecolor="white")
        top = height - head
        if titled:
            figure.text(0.03, 1 - 0.5 / height, title, fontsize=17, fontweight="bold")
            figure.text(0.03, 1 - 0.82 / height, subtitle, fontsize=10.5, color=_SOFT)
        for name, tall, draw in charts:
            top -= gap
            axes = figure.add_axes((0.25, (top - tall + 0.28) / height, 0.71, (tall - 0.3) / height))
            if titled:
                figure.text(0.03, (top + 0.14) / height, name, fontsize=12, fontweight="bold")
            draw(axes)
            top -= tall
        out = io.StringIO()
        FigureCanvasSVG(figure).print_svg(out, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    text = _OWN_STYLE.sub("", _NAMES.sub("<g", out.getvalue()))
    return text[text.index("<svg") :].replace("font-family: 'DejaVu Sans'", f"font-family: {_FAMILY}").replace("'DejaVu Sans'", _FAMILY)


def _plain(axes: Axes, labels: Sequence[str]) -> None:
    """Rows from top to bottom, without a frame."""
    axes.set_yticks(range(len(labels)), [_short(label) for label in labels])
    axes.set_ylim(len(labels) - 0.45, -0.55)
    axes.tick_params(length=0)
    for name in ("top", "right", "bottom"):
        axes.spines[name].set_visible(False)
    axes.set_xticks([])


def _short(label: str) -> str:
    label = "".join(sign if sign.isprintable() else " " for sign in label).replace("$", r"\$")
    return short(label, _LABEL)


def _funnel(axes: Axes, steps: Sequence[Conversion], last: Sequence[tuple[str, int]]) -> None:
    """The light bar is whoever entered, the dark one in it whoever went on."""
    labels = [*(row.label for row in steps), *(label for label, _ in last)]
    entered = [*(row.entered for row in steps), *(count for _, count in last)]
    on = [*(row.on for row in steps), *(0 for _ in last)]
    rows = range(len(labels))
    most = max([1, *entered])
    axes.barh(rows, entered, height=0.66, color="#b9cfe6")
    axes.barh(rows, on, height=0.66, color=_BLUE)
    for row, count in enumerate(entered):
        told = f"{count:,}"
        if row < len(steps):
            told += f"  →  {share(steps[row].rate)} went on ({steps[row].on:,})" if count else ""
        axes.text(count + most * 0.012, row, told, va="center", fontsize=9.5)
    _plain(axes, labels)
    axes.set_xlim(0, most * 1.6)


def _there(axes: Axes, part: Part, shown: set[str]) -> None:
    ages = {row.id: row for row in part.age}
    places = [row for row in part.volume if row.id in shown and row.kind in ("stage", "side", "none")]
    most = max([1, *(row.end for row in places)])
    axes.barh(range(len(places)), [row.end for row in places], height=0.66, color=[_BLUE if row.kind == "stage" else _GREY for row in places])
    for number, row in enumerate(places):
        change = row.end - row.start
        told = f"{row.end:,} ({change:+,})" + (f", median {days(ages[row.id].median)} days" if row.end else "")
        axes.text(row.end + most * 0.012, number, told, va="center", fontsize=9.5)
    _plain(axes, [row.label for row in places])
    axes.set_xlim(0, most * 1.6)


def _speed(axes: Axes, part: Part) -> None:
    quick = [row for row in part.velocity if row.count]
    most = max([0.01, *(row.ninety or 0.0 for row in quick)])
    for number, row in enumerate(quick):
        half, ninety = row.median or 0.0, row.ninety or 0.0
        axes.plot([half, ninety], [number, number], color=_RULE, linewidth=5, solid_capstyle="round", zorder=1)
        axes.scatter([half], [number], color=_BLUE, s=55, zorder=2)
        axes.scatter([ninety], [number], color=_SAND, s=55, zorder=2)
        axes.text(
            ninety + most * 0.02, number, f"half within {days(half)}, nine tenths within {days(ninety)} ({row.count:,} people)", va="center", fontsize=9.5
        )
    _plain(axes, [row.label for row in quick])
    axes.set_xlim(-most * 0.02, most * 1.75)


def _accepted(axes: Axes, part: Part) -> None:
    kinds: list[tuple[str, str, Any]] = [
        ("in time", _GREEN, lambda row: row.met),
        ("not in time", _RED, lambda row: row.missed),
        ("running", _GREY, lambda row: row.running),
    ]
    most = max(row.met + row.missed + row.running for row in part.acceptance)
    left = [0] * len(part.acceptance)
    for name, colour, count in kinds:
        counts = [count(row) for row in part.acceptance]
        axes.barh(range(len(counts)), counts, left=left, height=0.66, color=colour, label=name)
        for number, (each, before) in enumerate(zip(counts, left, strict=True)):
            if each > most * 0.05:
                axes.text(before + each / 2, number, f"{each:,}", va="center", ha="center", fontsize=9.5, color="white")
        left = [before + each for before, each in zip(left, counts, strict=True)]
    for number, row in enumerate(part.acceptance):
        axes.text(left[number] + most * 0.012, number, f"{share(row.rate)} in time", va="center", fontsize=9.5)
    _plain(axes, [row.label for row in part.acceptance])
    axes.set_xlim(0, most * 1.3)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.02), ncols=3, frameon=False, fontsize=9.5, handlelength=1, borderaxespad=0)
