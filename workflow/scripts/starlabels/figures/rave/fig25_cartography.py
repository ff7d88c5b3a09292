"""Figure 25 of Guiglion et al. 2020: an abundance ratio against [Fe/H] in bins of radius and height (Section 8.2)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from ...errors import InputError
from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import labels

CONTOUR = style.RED         # shows on paper and on the density
FEW = 30                 # stars below which a panel has no contours


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Columns are radii, rows heights, the highest on top; hexagons with contours, N in each. Inputs `map`, `summary`."""
    table, summary = read_table(inputs["map"]), read_json(inputs["summary"])
    radii, heights = summary["map"]["r"], summary["map"]["z"]
    columns, rows = len(radii) - 1, len(heights) - 1
    if columns < 1 or rows < 1:
        raise InputError("rave.validation.map", "has no bin", "Give at least two edges of r and of z")
    figure = style.new_figure(style.PAGE, 38 * rows + 22, simulated)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    hexagons = table[(table["kind"] == "hexagon").to_numpy(bool)]
    norm, numbers = LogNorm(1, max(10.0, float(hexagons["count"].max()) if len(hexagons) else 10.0)), Numbers()
    for found in summary["bins"]:
        column, row = radii.index(found["r_lo"]), rows - 1 - heights.index(found["z_lo"])
        own = table[((table["r_lo"] == found["r_lo"]) & (table["z_lo"] == found["z_lo"])).to_numpy(bool)]
        _bin(axes[row, column], found, own, summary["cell"], norm, numbers)
    _limits(axes[0, 0], hexagons)
    x, y = _divide([ax for ax in axes.ravel() if ax.collections], summary["line"], axes[0, 0].get_xlim())
    numbers.add("all", "line", "alpha-rich above", x=x, y=y)
    for k, ax in enumerate(axes[0]):
        ax.set_title(f"{radii[k]:g} < R < {radii[k + 1]:g} kpc", pad=3, fontsize=7.5)
    for k, ax in enumerate(axes[:, -1]):
        text = f"{heights[rows - 1 - k]:g} < |Z| < {heights[rows - k]:g} kpc"
        ax.annotate(text, (1.02, 0.5), xycoords="axes fraction", rotation=270, va="center", ha="left", fontsize=7.5)
    figure.supxlabel(labels.axis_label("feh"), fontsize=8)
    figure.supylabel(labels.axis_label(summary["ratio"]), fontsize=8)
    bar = figure.colorbar(panels.ScalarMappable(norm, style.DENSITY_MAP), ax=axes, pad=0.035, aspect=35)
    bar.set_label("Spectra per hexagon")
    return figure, numbers.frame()


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """What the caption adds: the spectra of the whole map."""
    n = read_json(inputs["summary"])["n"]
    return f"The map holds {style.count(n['map'])} of {style.count(n['all'])} such spectra; the others lie beyond its bins."


def _bin(ax: Axes, found: dict, own: pd.DataFrame, cell: list, norm: LogNorm, numbers: Numbers) -> None:
    name = f"R {found['r_lo']:g}-{found['r_hi']:g} Z {found['z_lo']:g}-{found['z_hi']:g}"
    hexagons = own[(own["kind"] == "hexagon").to_numpy(bool)]
    if hexagons.empty:
        ax.text(0.5, 0.45, "no star", transform=ax.transAxes, ha="center", va="center", fontsize=7, color=style.GREY)
    else:
        centres = hexagons[["x", "y"]].to_numpy(float)
        # corners of a cell of this honeycomb, whose rows are half of dy apart
        corner = np.array([[0, 2], [1.5, 1], [1.5, -1], [0, -2], [-1.5, -1], [-1.5, 1]]) / 3 * [cell[0], 0.5 * cell[1]]
        counts = hexagons["count"].to_numpy(float)
        patches = PolyCollection(centres[:, None, :] + corner, array=counts, norm=norm, cmap=style.DENSITY_MAP, edgecolors="face",
                                 linewidths=0.2, rasterized=True, zorder=1)
        ax.add_collection(patches)
        numbers.add(name, "hexagon", x=hexagons["x"], y=hexagons["y"], value=hexagons["count"])
    dense = own[(own["kind"] == "contour").to_numpy(bool)]
    heights = np.unique([v for v in (found["levels"] or {}).values() if v > 0])
    if len(dense) and len(heights) and found["n"] >= FEW:
        x, y, smooth = panels.grid(dense.assign(count=dense["smooth"]))
        ax.contour(0.5 * (x[1:] + x[:-1]), 0.5 * (y[1:] + y[:-1]), smooth, levels=heights, colors=CONTOUR, linewidths=0.8, zorder=3)
        for height in heights:
            numbers.add(name, "level", value=height)
    text = f"N = {style.count(found['n'])}"
    if found["share"] is not None:
        text += f"\nrich {100 * found['share']:.0f} %"
        numbers.add(name, "value", "alpha-rich share", value=found["share"])
    panels.corner_text(ax, text, "upper right")
    numbers.add(name, "value", "n", value=found["n"])


def _divide(axes: list[Axes], line: dict, limits: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """The line above which a star is counted as alpha-rich, level beyond solar metallicity; its vertices."""
    x = np.array([limits[0], 0.0, limits[1]])
    y = line["at_solar"] + line["slope"] * np.minimum(x, 0)
    for ax in axes:
        ax.plot(x, y, color=style.GREY, linestyle="--", linewidth=0.7, zorder=2, scalex=False, scaley=False)
    return x, y


def _limits(ax: Axes, hexagons: pd.DataFrame) -> None:
    """Axes that hold all but a few stars of the whole map, with room for the counts."""
    if hexagons.empty:
        ax.set(xlim=(-2, 0.6), ylim=(-0.2, 0.5))
        return
    limits = []
    for axis in "xy":
        values = hexagons.groupby(axis)["count"].sum().sort_index()
        inside = np.cumsum(values.to_numpy(float)) / values.sum()
        low, high = (values.index[min(np.searchsorted(inside, q), len(values) - 1)] for q in (0.001, 0.999))
        limits.append((low - 0.1 * (high - low), high + 0.06 * (high - low)))
    ax.set(xlim=limits[0], ylim=(limits[1][0], limits[1][1] + 0.33 * (limits[1][1] - limits[1][0])))
