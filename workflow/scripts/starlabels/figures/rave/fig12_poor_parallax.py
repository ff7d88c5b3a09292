"""Figure 12 of Guiglion et al. 2020: stars with poor parallaxes (Section 4.2.3)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import kiel, labels

AREA = 68.0 * 62.0                      # of a panel, mm2
CROWD = 500                             # so many cells hide a line without a halo, fewer are hidden by it
TITLE = {"giants": "$\\log\\,g$ < {:g}", "dwarfs": "$\\log\\,g$ \N{GREATER-THAN OR EQUAL TO} {:g}"}


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Kiel diagrams coloured by [M/H] and by parallax error, abundance patterns below; inputs `cells`, `trend`, `summary`."""
    table = read_table(inputs["cells"], ["plane", *panels.EDGES, "count", "mean_mh", "mean_ratio"])
    trend = read_table(inputs["trend"], ["plane", "x_lo", "x_hi", "median"])
    summary, settings = read_json(inputs["summary"]), cfg["validation"]
    table = table.assign(mean_ratio=100 * table["mean_ratio"])
    limit = 100 * float(settings["parallax_error_max"])
    error = Normalize(limit, 100.0)
    figure, numbers = style.new_figure(style.PAGE, 158, simulated), Numbers()
    axes = figure.subplots(2, 2)
    diagram = table[table["plane"] == "kiel"]
    words = f"$e_p$ > {limit:g} %, S/N > {settings['snr_poor_parallax']:g}\nN = {style.count(summary['n'])}"
    for ax, value, norm, colours in ((axes[0, 0], "mean_mh", kiel.METALLICITY, kiel.METALLICITY_MAP),
                                     (axes[0, 1], "mean_ratio", error, kiel.ERROR_MAP)):
        kiel.cells(ax, diagram, value, norm, colours, numbers, f"kiel {value}", AREA)
        kiel.kiel_axes(ax)
        panels.corner_text(ax, words, "upper left")
    numbers.add("kiel", "value", "n", value=summary["n"])
    for ax, plane in zip(axes[1], ("giants", "dwarfs"), strict=True):
        text = f"{TITLE[plane].format(settings['logg_giant'])}\nN = {style.count(summary[f'n_{plane}'])}"
        _pattern(ax, table[table["plane"] == plane], trend[trend["plane"] == plane], error, text, numbers, plane)
    _common(axes[1])
    kiel.bar(figure, axes[0, 0], kiel.METALLICITY, kiel.METALLICITY_MAP, "[M/H] (dex)", extend="both", pad=0.01)
    for ax in (axes[0, 1], *axes[1]):
        kiel.bar(figure, ax, error, kiel.ERROR_MAP, "Parallax error (%)", extend="max", pad=0.01)
    return figure, numbers.frame()


def _pattern(ax: Axes, part: pd.DataFrame, trend: pd.DataFrame, error: Normalize, text: str, numbers: Numbers, plane: str) -> None:
    kiel.cells(ax, part, "mean_ratio", error, kiel.ERROR_MAP, numbers, plane, AREA)
    middle = 0.5 * (trend["x_lo"] + trend["x_hi"])
    if len(trend):
        ax.plot(middle, trend["median"], color="black", linewidth=1.2, zorder=4, label="median, good parallaxes",
                path_effects=panels.HALO if len(part) > CROWD else None)
        ax.legend(loc="lower left")
        numbers.add(plane, "line", "median good", x=middle, y=trend["median"], x_lo=trend["x_lo"], x_hi=trend["x_hi"])
    ax.set_xlabel(labels.axis_label("mh"), labelpad=1.5)
    ax.set_ylabel(labels.axis_label("alpha_m"), labelpad=1.5)
    panels.corner_text(ax, text, "upper right")
    if part.empty:
        ax.text(0.5, 0.5, "none in this run", transform=ax.transAxes, ha="center", va="center", fontsize=7, color=style.GREY)
    numbers.add(plane, "value", "n", value=float(part["count"].sum()))


def _common(axes: np.ndarray) -> None:
    """The same limits in both abundance panels, with room above and below for the texts."""
    x, y = (np.array([getattr(ax, f"get_{a}lim")() for ax in axes if ax.collections[0].get_offsets().size]) for a in "xy")
    for ax in axes:
        if len(x):
            ax.set(xlim=(x.min(), x.max()), ylim=(y.min() - 0.12 * np.ptp(y), y.max() + 0.12 * np.ptp(y)))
