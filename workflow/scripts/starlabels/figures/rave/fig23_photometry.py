"""Figure 23 of Guiglion et al. 2020: with photometry and parallaxes, and from spectra alone (Section 7)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, MultipleLocator

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import kiel, networks, pairs
from .labels import LABEL, axis_label

NETWORKS = {"photometry": "with photometry", "spectra": "spectra alone"}
SUFFIX = {"photometry": "cnn", "spectra": "spectra"}
K2_PANEL = {"photometry": "predicted", "spectra": "predicted_spectra"}
# label and column of the literature of the lower row
LITERATURE = {"hr_teff": ("teff", "teff_hr", None), "hr_logg": ("logg", "logg_hr", None), "hr_mh": ("mh", "feh_hr", "[Fe/H]")}
LEFT, WIDTH, INNER, GAP, HIGH = 11.0, 22.5, 1.5, 13.0, 34.0        # mm
BOTTOM, BARS, BETWEEN = 10.0, 14.0, 12.0
TITLE, TEXT = 6.0, 12.0                                            # room above a panel, and of the text in it
Limits = tuple[tuple[float, float], tuple[float, float]]


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Six pairs of panels; inputs `summary`, `density` (Kiel diagrams and BDASP), `k2` and `literature` (points)."""
    summary, cells, numbers = read_json(inputs["summary"]), read_table(inputs["density"]), Numbers()
    k2, literature = read_table(inputs["k2"], ["panel", "logg_k2", "logg"]), read_table(inputs["literature"])
    height = BOTTOM + HIGH + BETWEEN + BARS + HIGH + TITLE + (4 if simulated else 0)
    figure = style.new_figure(style.PAGE, height, simulated, layout=None)
    top = BOTTOM + HIGH + BETWEEN + BARS
    _kiel(figure, _pair(figure, 0, top), cells[cells["panel"] == "kiel"], summary, numbers)
    _bdasp(figure, _pair(figure, 1, top), cells[cells["panel"] == "bdasp"], summary, numbers)
    seismic = {k: k2[k2["panel"] == name][["logg_k2", "logg"]].dropna().to_numpy(float) for k, name in K2_PANEL.items()}
    _points(_pair(figure, 2, top), "k2", "logg", seismic, summary, numbers, axis_label("logg", "K2"))
    for column, (panel, (label, theirs, called)) in enumerate(LITERATURE.items()):
        values = {k: literature[[theirs, f"{label}_{suffix}"]].dropna().to_numpy(float) for k, suffix in SUFFIX.items()}
        unit = LABEL[label][1]
        x_label = f"lit. {called} ({unit})" if called else axis_label(label, "lit.")
        _points(_pair(figure, column, BOTTOM), panel, label, values, summary, numbers, x_label)
    return figure, numbers.frame()


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """What the caption adds: the number of networks."""
    return networks.sentence(inputs)


def _pair(figure: Figure, column: int, bottom: float) -> dict[str, Axes]:
    """Two panels side by side with one range: with photometry left, spectra alone right."""
    left = LEFT + column * (2 * WIDTH + INNER + GAP)
    axes = {name: style.axes_mm(figure, left + i * (WIDTH + INNER), bottom, WIDTH, HIGH) for i, name in enumerate(NETWORKS)}
    for name, ax in axes.items():
        ax.set_title(NETWORKS[name], pad=2.5, fontsize=7.5)
    axes["spectra"].tick_params(labelleft=False)
    return axes


def _kiel(figure: Figure, axes: dict[str, Axes], cells: pd.DataFrame, summary: dict, numbers: Numbers) -> None:
    for name, ax in axes.items():
        part = cells[cells["network"] == name]
        if len(part):
            kiel.cells(ax, part, "mh", kiel.METALLICITY, kiel.METALLICITY_MAP, numbers, f"kiel/{name}", WIDTH * HIGH)
        else:
            pairs.empty(ax, "no star")
        kiel.kiel_axes(ax, y_label=False)
        ax.tick_params(labelleft=name == "photometry")
        ax.set_ylim(kiel.LOGG_LIMITS[0], kiel.LOGG_LIMITS[1] - 0.6)
        ax.xaxis.set_major_locator(MultipleLocator(1500))
        _corner(ax, f"N = {style.count(part['count'].sum())}")
        numbers.add(f"kiel/{name}", "value", "n", value=float(part["count"].sum()))
    axes["spectra"].set_xlabel("")
    _labels(axes, axis_label("teff", "CNN"), axis_label("logg", "CNN"))
    _bar_axes(figure, 0, lambda ax: kiel.bar(figure, ax, kiel.METALLICITY, kiel.METALLICITY_MAP, axis_label("mh", "CNN"), into=True,
                                             orientation="horizontal"))


def _bdasp(figure: Figure, axes: dict[str, Axes], cells: pd.DataFrame, summary: dict, numbers: Numbers) -> None:
    norm = panels.log_norm([cells])
    spans = [panels.extent(part, axis, share=0.999, pad=0.02) for _, part in cells.groupby("network") for axis in "xy"]
    limits = tuple((min(s[0] for s in spans[k::2]), max(s[1] for s in spans[k::2])) if spans else (0.0, 1.0) for k in (0, 1))
    for name, ax in axes.items():
        part = cells[cells["network"] == name]
        if len(part):
            panels.density(ax, part, norm, numbers, f"bdasp/{name}")
        _finish(ax, f"bdasp/{name}", "logg", summary["panels"]["bdasp"][name], limits, numbers, over=True)
    _labels(axes, axis_label("logg", "BDASP"), axis_label("logg", "CNN"))
    _bar_axes(figure, 1, lambda ax: panels.colour_bar(figure, ax, norm, "Spectra per cell", "horizontal"))


def _bar_axes(figure: Figure, column: int, fill) -> None:
    left = LEFT + column * (2 * WIDTH + INNER + GAP)
    fill(style.axes_mm(figure, left + 4, BOTTOM + HIGH + BETWEEN + 3.0, 2 * WIDTH + INNER - 8, 1.6))


def _points(axes: dict[str, Axes], panel: str, label: str, values: dict[str, np.ndarray], summary: dict, numbers: Numbers,
            x_label: str) -> None:
    limits = tuple(pairs.values_range(*(v[:, k] for v in values.values())) for k in (0, 1))
    for name, ax in axes.items():
        if len(values[name]):
            pairs.points(ax, values[name][:, 0], values[name][:, 1], numbers, f"{panel}/{name}", color=style.BLACK, markersize=1.6,
                         markeredgewidth=0.3)
        over = len(values[name]) > pairs.CROWD
        _finish(ax, f"{panel}/{name}", label, summary["panels"][panel][name], limits, numbers, over)
    _labels(axes, x_label, axis_label(label, "CNN"))


def _finish(ax: Axes, panel: str, label: str, found: dict, limits: Limits, numbers: Numbers, over: bool = False) -> None:
    """Line of equality and statistics; `limits` are those of the reference and of the labels, above which the text stands."""
    pairs.note(numbers, panel, found)
    if not found["n"]:
        pairs.empty(ax, "N = 0\nno star\nin common")
        return
    across, up = limits
    pairs.one_to_one(ax, (min(across[0], up[0]), max(across[1], up[1])), numbers, panel, over)
    ax.set(xlim=across, ylim=(up[0], up[0] + (up[1] - up[0]) / (1 - TEXT / HIGH)))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(3 if axis is ax.xaxis else 5, steps=pairs.STEPS))
    for most in (3, 4, 6):                                  # a scale needs two numbers
        panels.inner_ticks(ax, most=most, edge=0.14)
        if len(ax.get_xticks()) > 1:
            break
    _corner(ax, _words(found, label))


def _labels(axes: dict[str, Axes], x: str, y: str) -> None:
    """One label for the x axes of a pair, below its middle, and one at the left."""
    axes["photometry"].set_ylabel(y, labelpad=1.0)
    axes["photometry"].set_xlabel(x)
    axes["photometry"].xaxis.set_label_coords(0.5 * (2 * WIDTH + INNER) / WIDTH, -4.3 / HIGH)


def _corner(ax: Axes, words: str) -> None:
    """Text in the upper left corner, clear of the ticks of a narrow panel."""
    panels.corner_text(ax, words, bbox=None).set_x(0.075)


def _words(found: dict, label: str) -> str:
    lines = [f"N = {style.count(found['n'])}"]
    if found["bias"] is not None:
        lines += [f"{pairs.printed(found['bias'], label, signed=True)}", f"$\\sigma$ = {pairs.printed(found['sigma'], label)}"]
    return "\n".join(lines)
