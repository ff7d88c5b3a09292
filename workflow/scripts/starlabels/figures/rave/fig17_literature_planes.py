"""Figure 17 of Guiglion et al. 2020: Kiel diagram and abundance patterns, this work and the literature (Section 6.4)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from ...io import read_table
from .. import panels, style
from ..panels import Numbers
from . import pairs
from .labels import axis_label, symbol

THIS, LITERATURE = style.BLACK, style.RED                     # as the paper draws them
LOOK = {
    "this work": {"marker": "o", "color": THIS, "markerfacecolor": "none"},
    "literature": {"marker": "x", "color": LITERATURE},
}
ELEMENTS = {"alpha_m": "alpha_fe_hr", "mg_fe": "mg_fe_hr", "si_fe": "si_fe_hr", "al_fe": "al_fe_hr", "ni_fe": "ni_fe_hr"}
PATTERN = {"alpha_m": r"[$\alpha$/M] or [$\alpha$/Fe] (dex)"}   # what the two sides call it
LEAST = 0.35                                                    # dex; the pattern's axis reaches at least so far


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Six panels; input `points`, one row a spectrum in common."""
    names = ["teff_cnn", "logg_cnn", "feh_cnn", "teff_hr", "logg_hr", "feh_hr"]
    table = read_table(inputs["points"], names + [f"{p}_cnn" for p in ELEMENTS] + list(ELEMENTS.values()))
    figure, numbers = style.new_figure(style.PAGE, 124 + (4 if simulated else 0), simulated), Numbers()
    axes = figure.subplots(2, 3).ravel()
    _kiel(axes[0], table, numbers)
    feh = pairs.values_range(table["feh_cnn"], table["feh_hr"])
    for ax, (label, column) in zip(axes[1:], ELEMENTS.items(), strict=True):
        _pattern(ax, table, label, column, feh, numbers)
    handles = [Line2D([], [], linestyle="", markersize=4, label=name, **look) for name, look in LOOK.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure, numbers.frame()


def _both(ax: Axes, sides: dict, panel: str, numbers: Numbers) -> int:
    """Draw both sides, the crosses over the circles; return the number of spectra that both sides have."""
    complete = np.ones(len(next(iter(sides.values()))[0]), bool)
    for x, y in sides.values():
        complete &= np.isfinite(x) & np.isfinite(y)
    for name in sides:
        x, y = (v[complete] for v in sides[name])
        pairs.points(ax, x, y, numbers, panel, name, **LOOK[name])
    n = int(complete.sum())
    numbers.add(panel, "value", "n", value=float(n))
    if not n:
        pairs.empty(ax)
    return n


def _kiel(ax: Axes, table: pd.DataFrame, numbers: Numbers) -> None:
    sides = {"this work": [table[c].to_numpy(float) for c in ("teff_cnn", "logg_cnn")],
             "literature": [table[c].to_numpy(float) for c in ("teff_hr", "logg_hr")]}
    n = _both(ax, sides, "kiel", numbers)
    teff, logg = (3500, 7400), (0, 5.5)
    if n:
        teff, logg = (pairs.values_range(*(side[k] for side in sides.values())) for k in (0, 1))
    ax.set(xlim=teff[::-1], ylim=logg[::-1], xlabel=axis_label("teff"), ylabel=axis_label("logg"))
    ax.xaxis.set_major_locator(MultipleLocator(1000))
    panels.corner_text(ax, f"N = {style.count(n)}")


def _pattern(ax: Axes, table: pd.DataFrame, label: str, column: str, feh: tuple[float, float], numbers: Numbers) -> None:
    sides = {"this work": [table[c].to_numpy(float) for c in ("feh_cnn", f"{label}_cnn")],
             "literature": [table[c].to_numpy(float) for c in ("feh_hr", column)]}
    n = _both(ax, sides, label, numbers)
    span = pairs.values_range(*(side[1] for side in sides.values())) if n else (-LEAST, LEAST)
    span = (min(span[0], -LEAST), max(span[1], LEAST))
    ax.axhline(0, color=style.GREY, linestyle=":", linewidth=0.8, zorder=1)
    ax.axvline(0, color=style.GREY, linestyle=":", linewidth=0.8, zorder=1)
    numbers.add(label, "line", "zero", x=0.0, y=0.0)
    ax.set(xlim=feh, ylim=span, xlabel=axis_label("feh"), ylabel=PATTERN.get(label, axis_label(label)))
    panels.headroom(ax, 0.14)
    panels.corner_text(ax, f"{symbol(label)}   N = {style.count(n)}")
