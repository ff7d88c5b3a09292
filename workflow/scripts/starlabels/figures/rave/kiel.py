"""Kiel diagrams and coloured cells that several figures of Guiglion et al. 2020 share."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from .. import style
from ..panels import EDGES, Numbers, grid
from .labels import axis_label

TEFF_LIMITS, LOGG_LIMITS = (7400, 3500), (5.5, 0)           # left to right, bottom to top
METALLICITY = Normalize(-2.0, 0.6)
MARKER_MM = (0.30, 1.1)                                      # narrowest and widest marker of a cell
MOST_DOTS = 4000                                             # more cells are drawn as cells


def _part(name: str, low: float, high: float) -> Colormap:
    """A part of a colour map, so that its palest colours do not vanish on white paper."""
    return LinearSegmentedColormap.from_list(f"{name}_part", colormaps[name](np.linspace(low, high, 256)))


METALLICITY_MAP = _part("plasma", 0.0, 0.92)
ERROR_MAP = _part("viridis_r", 0.12, 1.0)


def kiel_axes(ax: Axes, x_label: bool = True, y_label: bool = True) -> None:
    """Limits, ticks and labels of a Kiel diagram: temperature falls to the right, log g falls upwards."""
    ax.set(xlim=TEFF_LIMITS, ylim=LOGG_LIMITS)
    ax.xaxis.set_major_locator(MultipleLocator(1000))
    ax.xaxis.set_minor_locator(MultipleLocator(250))
    ax.yaxis.set_major_locator(MultipleLocator(1))
    ax.yaxis.set_minor_locator(MultipleLocator(0.25))
    if x_label:
        ax.set_xlabel(axis_label("teff"), labelpad=1.5)
    if y_label:
        ax.set_ylabel(axis_label("logg"), labelpad=1.5)
    ax.tick_params(labelbottom=x_label, labelleft=y_label)


def marker_size(n: int, area_mm2: float) -> float:
    """Diameter (mm) of the marks of so many stars or cells on a panel: large enough to be seen, small enough to stay apart."""
    return float(np.clip(0.35 * np.sqrt(area_mm2 / max(n, 1)), *MARKER_MM))


def marks(ax: Axes, x, y, values, norm: Normalize, cmap: Colormap, numbers: Numbers, panel: str, area_mm2: float, series: str = "") -> None:
    """Dots coloured by a value, the largest values last; a bitmap inside the PDF."""
    x, y, values = (np.asarray(v, dtype=float) for v in (x, y, values))
    size = marker_size(len(x), area_mm2) * style.MM * 72                       # in points
    order = np.argsort(values, kind="stable")
    ax.scatter(x[order], y[order], c=values[order], s=size**2, norm=norm, cmap=cmap, linewidths=0, rasterized=True, zorder=2)
    numbers.add(panel, "point", series, x=x, y=y, value=values)


def cells(
    ax: Axes, table: pd.DataFrame, value: str, norm: Normalize, cmap: Colormap, numbers: Numbers, panel: str, area_mm2: float
) -> None:
    """Every filled cell (x_lo ... y_hi) in the colour of its mean: a dot in its middle, or, where there are many, the cell itself."""
    if len(table) <= MOST_DOTS:
        x, y = 0.5 * (table["x_lo"] + table["x_hi"]), 0.5 * (table["y_lo"] + table["y_hi"])
        marks(ax, x, y, table[value], norm, cmap, numbers, panel, area_mm2)
        return
    x_edges, y_edges, filled = grid(table.assign(count=1.0))
    means = grid(table.assign(count=table[value]))[2]
    ax.pcolormesh(x_edges, y_edges, np.ma.masked_where(filled == 0, means), norm=norm, cmap=cmap, rasterized=True, linewidth=0, zorder=2)
    numbers.add(panel, "cell", "", **{c: table[c] for c in EDGES}, value=table[value])


def bar(figure: Figure, where: Axes | Sequence[Axes], norm: Normalize, cmap: Colormap, label: str, into: bool = False, **kwargs) -> None:
    """A colour bar beside the axes `where`, or, with `into`, one that fills them."""
    target = {"cax": where} if into else {"ax": where}
    made = figure.colorbar(ScalarMappable(norm, cmap), **target, **kwargs)
    made.set_label(label, fontsize=7.5, labelpad=2)
    made.ax.tick_params(labelsize=7)
    made.outline.set_linewidth(0.5)
